internal import Foundation
internal import LedgerTestSupport
internal import XCTest

/// `import` of tables: CSV and SQLite.
final class ImportTests: ImportTestCase {
  private static let header = "id,bot,side,symbol,quantity,price,filled_at,status\n"
  private static let pair =
    "1,m,BUY,BTC/USDT,0.250,64250.10,2025-09-07T20:28:53.395950Z,filled\n"
    + "2,m,sell,BTC/USDT,1e-05,,2025-09-07 22:28:54.212493+02:00,filled\n"

  func testImport_keepsViolationsAsFactsOfThePast_andReportsThem() throws {
    makeLedger()
    let file = try write("f.csv", Self.header + Self.pair)
    let answer = imported([file, "--source", "x"])
    XCTAssertEqual(answer["imported"] as? Int, 2)
    XCTAssertEqual(answer["cooldown_violations"] as? Int, 1)
    let pairs = answer["first_violations"] as? [[String: Any]]
    XCTAssertEqual(pairs?.first?["gap_us"] as? Int, 816_543)
    XCTAssertEqual((pairs?.first?["earlier"] as? [String: Any])?["line"] as? Int, 2)
    XCTAssertEqual(
      try facts(),
      [
        ["m", "x:1", "buy", "BTC/USDT", "0.25", "64250.1", "1757276933395950"],
        ["m", "x:2", "sell", "BTC/USDT", "0.00001", "NULL", "1757276934212493"],
      ])
    let origins = try LedgerFileCheck.query(ledger, "SELECT DISTINCT origin FROM trades")
    XCTAssertEqual(origins, [["past"]])
    expect(run(["audit"]), 1)
  }

  /// A second import adds nothing and says so; what has changed meanwhile is a conflict.
  func testImport_again_addsNothing() throws {
    makeLedger()
    let file = try write("f.csv", Self.header + Self.pair)
    _ = imported([file, "--source", "x"])
    assertUnchanged {
      let again = imported([file, "--source", "x"])
      XCTAssertEqual(again["imported"] as? Int, 0)
      XCTAssertEqual(again["known"] as? Int, 2)
    }
    assertUnchanged {
      let changed = try? write(
        "g.csv", Self.header + Self.pair.replacingOccurrences(of: "0.250", with: "0.3"))
      let answer = imported([changed ?? "", "--source", "x"], 65)
      XCTAssertEqual(answer["outcome"] as? String, "refused")
      XCTAssertEqual(
        rejected(answer), ["2: its key x:1 names trade 1, which says something else"])
    }
    // Another source has ids of its own.
    XCTAssertEqual(imported([file, "--source", "y"])["imported"] as? Int, 2)
  }

  /// From the first minute: who has traded a moment ago, in whatever program, waits.
  func testImport_lastTradeCountsForTheCooldown() throws {
    makeLedger()
    let now = Int(Date().timeIntervalSince1970 * 1000) - 60_000
    let file = try write("f.csv", Self.header + "9,m,buy,X,1,2,\(now),done\n")
    _ = imported([file, "--source", "x"])
    let denied = run(["reserve", "m", "--json"] + Self.order)
    expect(denied, 1)
    XCTAssertEqual(json(denied)["reason"] as? String, "cooldown")
    let wait = try XCTUnwrap(json(denied)["retry_after_us"] as? Int)
    XCTAssertTrue((800_000_000...840_000_000).contains(wait), "\(wait)")
  }

  func testRejectedRows_areSaidWithLineAndReason_andAllOrNothingHolds() throws {
    makeLedger()
    let file = try write(
      "f.csv",
      Self.header + Self.pair + "3,m,hold,X,1,2,2025-09-07T20:28:53Z,filled\n"
        + "4,m,buy,X,0,2,2025-09-07T20:28:53Z,filled\n"
        + "5,m,buy,X,1,2,2099-09-07T20:28:53Z,filled\n" + "6,m,buy,X,1,2,soon,filled\n"
        + "7,m,buy,X Y,1,2,2025-09-07T20:28:53Z,filled\n" + "8,m,buy\n"
        + "9,m,buy,X,1,2,2025-09-07T20:28:53Z,open\n"
        + "10,m,buy,X,1,2,2025-09-07T20:28:53Z,Cancelled\n"
        + "1,m,buy,X,1,2,2025-09-07T20:28:53Z,filled\n" + ",m,buy,X,1,2,2025-09-07T20:28:53Z,\n"
        + "11,,buy,X,1,2,2025-09-07T20:28:53Z,\n"
        + "12,m,buy,X,0.0000000000000000001,2,2025-09-07T20:28:53Z,\n"
        + "13,m,buy,X,1;5,2,2025-09-07T20:28:53Z,\n")
    var answer: [String: Any] = [:]
    assertUnchanged { answer = imported([file, "--source", "x"], 65) }
    XCTAssertEqual(
      rejected(answer).map { $0.split(separator: ":").first.map(String.init) },
      ["4", "5", "6", "7", "8", "9", "10", "12", "13", "14", "15", "16"])
    let reasons = rejected(answer).joined(separator: "\n")
    for word in [
      "'hold'", "more than zero", "in the future", "'soon'", "'X Y'", "3 fields", "'open'",
      "line 2", "neither key nor id", "no bot", "18 digits", "'1;5'",
    ] { XCTAssertTrue(reasons.contains(word), "\(word) is not in\n\(reasons)") }
    let statuses = answer["not_executed"] as? [[String: Any]]
    XCTAssertEqual(statuses?.first?["status"] as? String, "Cancelled")
    XCTAssertEqual(answer["imported"] as? Int, 0)
    // What can be taken is taken, and 1 says that it was not everything.
    let partial = imported([file, "--source", "x", "--partial"], 1)
    XCTAssertEqual(partial["imported"] as? Int, 2)
    let people = run(["import", file, "--source", "x"])
    expect(people, 65)
    XCTAssertTrue(people.stderr.contains("hint: "))
    expectHarmless(people.stdout, "the report")
  }

  func testDryRun_saysWhatWouldHappen_andWritesNothing() throws {
    makeLedger()
    let file = try write(
      "f.csv", Self.header + Self.pair + "3,n,buy,X,1,2,2025-09-07T20:28:53Z,filled\n")
    assertUnchanged {
      let dry = imported([file, "--source", "x", "--dry-run", "--cooldown", "1h"])
      XCTAssertEqual(dry["outcome"] as? String, "would_import")
      XCTAssertEqual(dry["imported"] as? Int, 3)
      XCTAssertEqual(dry["bots_added"] as? [String], ["n"])
      XCTAssertEqual(dry["cooldown_violations"] as? Int, 1)
    }
    XCTAssertEqual(
      imported([file, "--source", "x", "--cooldown", "1h"])["imported"] as? Int, 3)
    let settings = try LedgerFileCheck.query(
      ledger, "SELECT name, cooldown_us FROM current_settings ORDER BY name")
    XCTAssertEqual(settings, [["m", "900000000"], ["n", "3600000000"]])
  }

  func testMissingBotsAndUnsaidThings_areRefused() throws {
    makeLedger()
    let file = try write(
      "f.csv", Self.header + Self.pair.replacingOccurrences(of: ",m,", with: ",n,"))
    assertUnchanged {
      expectError(["import", file, "--source", "x"], 66)
      expectError(["import", file], 64)
      expectError(["import"], 64)
      expectError(["import", file, "--ccxt", file], 64)
      expectError(["import", file, "--table", "t"], 64)
      expectError(["import", file, "--source", "x", "--time", "when"], 66)
      expectError(["import", directory.file("none.csv")], 66)
      expectError(["import", "--ccxt", file], 64)
      expectError(["import", "--freqtrade", file], 65)
      expectError(["import", "--ccxt", file, "--bot-name", "m"], 65)
      expectError(["import", file, "--source", "x", "--cooldown", "soon"], 65)
    }
    let words = run(["import", file, "--source", "x"])
    XCTAssertTrue(words.stderr.contains("'n'") && words.stderr.contains("--cooldown 15m"))
  }

  /// Any table of a SQLite database, with the bots' own names; floating-point amounts are said.
  func testSQLiteTable_isRead_withoutAChange() throws {
    makeLedger()
    let path = try database(
      "bots.db",
      """
      CREATE TABLE bots (id INTEGER PRIMARY KEY, name TEXT);
      CREATE TABLE orders (id INTEGER PRIMARY KEY, bot_id INTEGER, dir TEXT, pair TEXT, qty REAL,
        px TEXT, created_at TEXT, note TEXT);
      INSERT INTO bots VALUES (4, 'm');
      INSERT INTO orders VALUES (7, 4, 'buy', 'BTC-USD', 0.1, '64250.10', 1757276933395, NULL),
        (8, 4, 'sell', 'BTC-USD', 1e-7, NULL, '2025-09-07 20:28:54', NULL),
        (9, 4, 'sell', 'BTC-USD', 1.2345678901234567e-05, NULL, '2025-09-07 20:28:55', NULL),
        (10, 4, 'sell', 'BTC-USD', 'much', NULL, '2025-09-07 20:28:56', NULL);
      """)
    let before = FileManager.default.contents(atPath: path)
    let options = ["--side", "dir", "--quantity", "qty", "--price", "px", "--source", "own"]
    let answer = imported(["--sqlite", path, "--table", "orders", "--partial"] + options, 1)
    XCTAssertEqual(rejected(answer), ["10: not a quantity: 'much'"])
    XCTAssertEqual(answer["floating_amounts"] as? Int, 3)
    XCTAssertEqual(answer["rounded_amounts"] as? Int, 1)
    XCTAssertEqual(answer["times_without_zone"] as? Int, 2)
    XCTAssertEqual(
      try facts(),
      [
        ["m", "own:7", "buy", "BTC-USD", "0.1", "64250.1", "1757276933395000"],
        ["m", "own:8", "sell", "BTC-USD", "0.0000001", "NULL", "1757276934000000"],
        ["m", "own:9", "sell", "BTC-USD", "0.000012345678901235", "NULL", "1757276935000000"],
      ])
    XCTAssertEqual(FileManager.default.contents(atPath: path), before)
    XCTAssertEqual(imported([path, "--partial"] + options, 1)["known"] as? Int, 3)
  }

  /// Small steps write the same as one transaction.
  func testPartial_ofManyRows_writesAllOfThem() throws {
    makeLedger()
    let rows = (1...1203).map { "\($0),m,buy,X,1,2,\(1_700_000_000 + $0),\n" }
    let file = try write("f.csv", Self.header + rows.joined())
    XCTAssertEqual(imported([file, "--source", "x", "--partial"])["imported"] as? Int, 1203)
    XCTAssertEqual(try facts().count, 1203)
    XCTAssertEqual(imported([file, "--source", "x"])["known"] as? Int, 1203)
    try LedgerFileCheck.verify(ledger)
  }
}
