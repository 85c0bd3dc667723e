import Foundation
import SQLite
import TradeLedger
import XCTest

/// schema.sql as a specification: what a newcomer reads there is whole and true.
final class SchemaTextTests: XCTestCase {
  private let statements = SQLScript.statements(of: ForeignClient.schema)

  func testSchema_isTheOneThatTheLibraryInstalls() {
    XCTAssertEqual(ForeignClient.schema, Ledger.schemaSQL)
    XCTAssertFalse(ForeignClient.schema.isEmpty)
  }

  /// Whoever opens the file at a table, view or trigger finds its purpose in its first lines.
  func testObjects_openWithAComment() {
    let kinds = ["CREATE TABLE", "CREATE VIEW", "CREATE TRIGGER"]
    let objects = statements.filter { text in kinds.contains { text.hasPrefix($0) } }
    XCTAssertGreaterThan(objects.count, 40)
    for object in objects {
      let lines = object.split(separator: "\n").map { $0.drop { $0 == " " } }
      XCTAssertTrue(lines.count > 1 && lines[1].hasPrefix("-- "), String(lines[0]))
    }
  }

  func testTriggers_onlyRaise() {
    for trigger in statements where trigger.hasPrefix("CREATE TRIGGER") {
      let body = trigger.components(separatedBy: "\nBEGIN ").last ?? ""
      XCTAssertNotNil(
        body.wholeMatch(of: /SELECT RAISE\(ABORT, 'TL\d{3} [^']+'\); END;/), trigger)
    }
  }

  /// A rule that came after the row could be cut off: a TEMP trigger of the client's own comes first
  /// and ends the statement with RAISE(FAIL), which keeps what is written.
  func testTriggers_comeBeforeTheRow() {
    for trigger in statements where trigger.hasPrefix("CREATE TRIGGER") {
      let head = trigger.split(separator: "\n")[0]
      XCTAssertNotNil(
        head.wholeMatch(of: /CREATE TRIGGER \w+ BEFORE (INSERT|UPDATE|DELETE) ON \w+/), "\(head)")
    }
  }

  func testCodes_areUnique() {
    let codes = ForeignClient.schema.matches(of: #/'(TL\d{3}) /#).map { String($0.1) }
    XCTAssertEqual(codes.count, Set(codes).count)
    XCTAssertEqual(
      codes.count, statements.filter { $0.hasPrefix("CREATE TRIGGER") }.count)
  }

  func testInvariants_thatAreCited_exist() {
    let cited = Set(ForeignClient.schema.matches(of: /INV-(\d+)/).compactMap { Int($0.1) })
    XCTAssertTrue(cited.isSubset(of: Set(1...11)), "\(cited)")
    // Those that a schema can guard at all.
    XCTAssertTrue(cited.isSuperset(of: [1, 2, 3, 4, 5, 6, 7, 11]), "\(cited)")
  }

  /// The last-trade time is spelled in one place.
  func testEffectiveTime_standsInOnePlace() {
    let text = ForeignClient.schema.replacing(/\s+/, with: " ")
    XCTAssertEqual(text.matches(of: /COALESCE\( ?filled_at, created_at\)/).count, 1)
    XCTAssertEqual(text.matches(of: /(?i)ifnull|coalesce\([a-z.]*filled_at,/).count, 1)
  }

  /// Amounts are judged by one expression, copied word for word.
  func testAmounts_areJudgedAlike() {
    let words = ForeignClient.schema.replacing(/\s+/, with: " ")
    let rules = words.matches(of: /WHERE amount IS NOT NULL AND \((.*?)\) IS NOT TRUE/)
    XCTAssertEqual(rules.count, 3)
    XCTAssertEqual(Set(rules.map { $0.1.trimmingCharacters(in: .whitespaces) }).count, 1)
  }

  /// The sets of the library and of the schema are the same ones.
  func testStatusSets_areThoseOfTheLibrary() throws {
    let database = try SchemaDatabase()
    // One trade in each status, each of a bot of its own.
    let base = [
      SQL.reserve("pending", bot: 1), SQL.reserve("in_doubt", bot: 2), SQL.doubt(2),
      SQL.record("filled", bot: 3), SQL.settings(bot: 4),
      SQL.reserve(
        "void", bot: 4,
        with: ["cooldown_us": "60000000", "lease_until": SQL.now + " + 1000000"]), SQL.void(4),
    ]
    for statement in base { XCTAssertNil(database.refusal(statement), statement) }
    let found = try database.rows("SELECT status FROM trades ORDER BY status").map { $0[0] }
    XCTAssertEqual(found, TradeStatus.allCases.map(\.rawValue).sorted())
    for (view, belongs) in [
      ("counted_trades", \TradeStatus.counts), ("occupying_trades", \TradeStatus.occupies),
    ] {
      let members = try database.rows("SELECT status FROM \(view) ORDER BY status").map { $0[0] }
      let expected = TradeStatus.allCases.filter { $0[keyPath: belongs] }.map(\.rawValue)
      XCTAssertEqual(members, expected.sorted(), view)
    }
  }

  func testLedgerRow_isWrittenOnceAndWell() throws {
    let database = try SchemaDatabase(mode: nil)
    for values in [
      "(2, 'live', 0, 0)", "(1, 'test', 0, 0)", "(1, NULL, 0, 0)", "(1, 'live', 0, 5)",
      "(1, 'LIVE', 0, 0)",
    ] {
      let refusal = database.refusal(
        "INSERT OR REPLACE INTO ledger (id, mode, created_at, ticks) VALUES \(values)")
      XCTAssertEqual(refusal?.prefix(5), "TL150", values)
    }
    // Nobody trades in a file without a purpose.
    XCTAssertEqual(
      database.refusal(
        "INSERT INTO settings (bot_id, cooldown_us, lease_us, in_doubt, enabled, at) "
          + "VALUES (1, 0, 1000, 'cooldown', 1, 5)")?.prefix(2), "TL")
    XCTAssertEqual(database.refusal(SQL.reserve(at: "5"))?.prefix(2), "TL")
    XCTAssertNil(
      database.refusal("INSERT INTO ledger (id, mode, created_at) VALUES (1, 'live', 0)"))
    XCTAssertEqual(
      database.refusal("INSERT INTO ledger (id, mode, created_at) VALUES (1, 'live', 0)")?
        .prefix(5), "TL150")
  }
}
