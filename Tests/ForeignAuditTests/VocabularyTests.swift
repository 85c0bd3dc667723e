import LedgerTestSupport
import SQLite
import XCTest

@testable import ForeignAudit

/// Guesses from names: of tables, columns, units and statuses.
final class VocabularyTests: XCTestCase {
  private func choice(
    _ names: [String], _ change: (inout ForeignAuditOptions) -> Void = { _ in }
  ) throws -> ColumnChoice? {
    var options = ForeignAuditOptions()
    change(&options)
    return try ColumnChoice(options, among: names)
  }

  func testTables_areRecognised() {
    for name in ["trade", "trades", "Orders", "fills", "bot_trades", "trade_history", "executions"]
    {
      XCTAssertTrue(Vocabulary.namesTrades(name), name)
    }
    for name in ["bots", "users", "signals", "borders_seen", "alembic_version"] {
      XCTAssertFalse(Vocabulary.namesTrades(name), name)
    }
  }

  func testColumns_ofTheFirstReport() throws {
    let found = try choice(["id", "bot_id", "side", "status", "created_at", "filled_at"])
    XCTAssertEqual(found?.bot, "bot_id")
    XCTAssertEqual(found?.time, "COALESCE(filled_at, created_at)")
    XCTAssertEqual(found?.id, "id")
    XCTAssertEqual(found?.status, "status")
    XCTAssertNil(found?.cooldown)
  }

  func testColumns_otherSpellings() throws {
    for (names, bot, time) in [
      (["tradeId", "botId", "executedAt"], "botId", "executedAt"),
      (["strategy", "ts"], "strategy", "ts"),
      (["Instance", "Timestamp", "created_at"], "Instance", "created_at"),
      (["bot", "strategy", "time"], "bot", "time"),
      (["account_id", "filledAt", "createdAt"], "account_id", "COALESCE(filledAt, createdAt)"),
    ] {
      let found = try choice(names)
      XCTAssertEqual(found?.bot, bot)
      XCTAssertEqual(found?.time, time)
    }
    XCTAssertNil(try choice(["id", "bot_id"]), "no time")
    XCTAssertNil(try choice(["id", "created_at"]), "no bot")
  }

  func testColumns_thatAreNamed_winAndMustExist() throws {
    let names = ["id", "bot_id", "desk", "created_at", "filled_at", "seen", "Status", "nr", "why"]
    let found = try choice(names) {
      ($0.bot, $0.time, $0.id, $0.status) = ("Desk", "seen", "nr", "why")
    }
    XCTAssertEqual(found?.names, ["nr", "desk", nil, "seen", "why", nil])
    for change: (inout ForeignAuditOptions) -> Void in [
      { $0.bot = "nobody" }, { $0.time = "x" }, { $0.id = "x" }, { $0.status = "" },
    ] {
      XCTAssertThrowsError(try choice(names, change)) { error in
        XCTAssertEqual((error as? ForeignAuditError)?.code, .noInput)
      }
    }
  }

  func testCooldownColumns_sayTheirUnit() throws {
    let table: [(String, Field, Int64?)] = [
      ("cooldown_minutes", Field(value: .integer(15)), 900_000_000),
      ("cooldown_minutes", Field(value: .real(0.5)), 30_000_000),
      ("cooldownMin", Field(value: .text, bytes: Array("15".utf8)), 900_000_000),
      ("trade_cooldown_seconds", Field(value: .integer(90)), 90_000_000),
      ("cooldown_s", Field(value: .text, bytes: Array(" 1.5 ".utf8)), 1_500_000),
      ("cooldown_ms", Field(value: .integer(500)), 500_000),
      ("cooldown_us", Field(value: .integer(7)), 7),
      ("cooldown_hours", Field(value: .integer(2)), 7_200_000_000),
      ("cooldown", Field(value: .text, bytes: Array("15m".utf8)), 900_000_000),
      ("cooldown_minutes", Field(value: .integer(0)), 0),
      ("cooldown_minutes", Field(value: .integer(-1)), nil), ("cooldown_minutes", Field(), nil),
      ("cooldown_minutes", Field(value: .text, bytes: Array("soon".utf8)), nil),
      ("cooldown_minutes", Field(value: .integer(.max)), nil),
      ("cooldown_minutes", Field(value: .real(.nan)), nil),
      ("cooldown", Field(), nil),
    ]
    for (name, field, expected) in table {
      let column = try XCTUnwrap(CooldownColumn(name), name)
      XCTAssertEqual(try column.microseconds(field), expected, "\(name) \(field.text)")
    }
    for name in ["cooldown_until", "cool", "minutes", "last_cooldown_at"] {
      XCTAssertNil(CooldownColumn(name), name)
    }
    // A number without a unit is asked for, never guessed.
    let bare = try XCTUnwrap(CooldownColumn("cooldown"))
    XCTAssertThrowsError(try bare.microseconds(Field(value: .integer(900)))) { error in
      XCTAssertEqual((error as? ForeignAuditError)?.code, .usage)
    }
  }

  func testStatuses_thatDoNotCount() {
    for word in [
      "cancelled", "CANCELED", "Rejected", "void", "FAILED", "expired", "OrderStatus.CANCELED",
      " failed ",
    ] { XCTAssertFalse(Vocabulary.counts(word), word) }
    for word in ["filled", "pending", "in_doubt", "", "open", "partially_filled", "1"] {
      XCTAssertTrue(Vocabulary.counts(word), word)
    }
  }

  /// A word for a shell gives the shell's user exactly the text, and a terminal nothing to act on.
  func testShellWord_isOneHarmlessWord() {
    for text in [
      "plain", "a b", "it's", "$(reboot)", "\\", "\u{1b}[2J", "a\nb'c\\", "ä\u{202e}", "`id`",
    ] {
      let word = shellWord(text)
      XCTAssertFalse(
        word.unicodeScalars.contains {
          $0.properties.generalCategory == .control
            || $0.properties.generalCategory == .format
        }, word)
      let shell = BuiltBinary.run("bash", ["-c", "printf %s \(word)"])
      XCTAssertEqual(shell.stdout, text)
    }
  }
}
