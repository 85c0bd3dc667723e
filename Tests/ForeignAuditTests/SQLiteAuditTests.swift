import Foundation
import LedgerTestSupport
import XCTest

/// `audit --sqlite` on tables as people have them.
final class SQLiteAuditTests: ForeignFileTestCase {
  /// The pairs of both incident reports, by the bots' own cooldowns; 0.816543 s among them.
  func testPublishedPairs_areFound() throws {
    try makeIncidents()
    try assertUntouched {
      let report = try report(["--sqlite", database], 1)
      XCTAssertEqual(report["schema"] as? String, "tradeledger.audit/1")
      XCTAssertEqual(report["examined"] as? Int, 11)
      XCTAssertEqual(report["times_without_zone"] as? Int, 11)
      let columns = report["columns"] as? [String: Any]
      XCTAssertEqual(columns?["time"] as? String, "COALESCE(filled_at, created_at)")
      XCTAssertEqual(columns?["bot_name"] as? String, "bots.name")
      XCTAssertEqual(columns?["cooldown"] as? String, "bots.cooldown_minutes")
      let found = findings(report)
      XCTAssertEqual(
        found.map { $0["trades"] as? [Int] },
        [[2941, 2942], [2943, 2944], [2945, 2946], [2948, 2949]])
      XCTAssertEqual(
        found.map { $0["gap_us"] as? Int }, [380_000, 816_543, 820_000, 90_000])
      XCTAssertEqual(Set(found.map { $0["cooldown_us"] as? Int }), [900_000_000])
      XCTAssertEqual(Set(found.map { $0["bot"] as? String }), ["momentum"])
      XCTAssertEqual(
        found.dropFirst().first?["earlier_at"] as? String, "2025-09-07T20:28:53.395950Z")
      XCTAssertEqual(found.dropFirst().first?["at"] as? String, "2025-09-07T20:28:54.212493Z")
    }
    let text = BuiltBinary.run(["audit", "--sqlite", database])
    XCTAssertTrue(text.stdout.contains(" 0.816543s "), text.stdout)
    XCTAssertTrue(text.stdout.contains(": 4 double trades\n"), text.stdout)
    XCTAssertTrue(text.stdout.contains("read as UTC"), text.stdout)
  }

  /// The command behind each finding shows its two rows.
  func testNextCommand_showsTheRows() throws {
    try makeIncidents()
    let found = findings(try report(["--sqlite", database], 1))
    let rows = BuiltBinary.run("bash", ["-c", try next(found, 1)])
    XCTAssertEqual(rows.status, 0, rows.stderr)
    XCTAssertTrue(rows.stdout.contains("\n2943|") && rows.stdout.contains("\n2944|"), rows.stdout)
    XCTAssertEqual(rows.stdout.split(separator: "\n").count, 3)
  }

  func testStatus_isRespectedAndShown() throws {
    try makeIncidents()
    let counts = try report(["--sqlite", database], 1)["statuses"] as? [[String: Any]]
    XCTAssertEqual(counts?.map { $0["trades"] as? Int }, [11, 1])
    XCTAssertEqual(counts?.map { $0["counts"] as? Bool }, [true, false])
    let all = try report(["--sqlite", database, "--ignore-status"], 1)
    XCTAssertEqual(all["examined"] as? Int, 12)
    XCTAssertEqual(findings(all).count, 5)
  }

  /// INV-1's edge: exactly the cooldown is allowed, a microsecond less is not; and `--cooldown`
  /// is stronger than what the file says.
  func testCooldown_givenAndAtTheEdge() throws {
    try makeIncidents()
    func gaps(_ cooldown: String, _ status: Int32) throws -> [Int?] {
      findings(try report(["--sqlite", database, "--cooldown", cooldown], status))
        .map { $0["gap_us"] as? Int }
    }
    XCTAssertEqual(try gaps("90ms", 1), [0])
    XCTAssertEqual(try gaps("90.001ms", 1), [90_000, 0])
    XCTAssertEqual(try gaps("0s", 0), [])
    XCTAssertEqual(try report(["--sqlite", database, "--exit-zero"], 0)["examined"] as? Int, 11)
  }

  func testCooldown_thatNobodySays_isAskedFor() throws {
    try shell(database, "CREATE TABLE trades (bot TEXT, ts INTEGER)")
    XCTAssertTrue(try refusal(["--sqlite", database], 64).contains("--cooldown"))
    try shell(
      database,
      "CREATE TABLE bots (name TEXT, cooldown INTEGER); INSERT INTO bots VALUES ('m', 900)")
    XCTAssertTrue(try refusal(["--sqlite", database], 64).contains("unit"))
    try shell(
      database,
      "UPDATE bots SET cooldown = '15m';"
        + "INSERT INTO trades VALUES ('m', 1757276933), ('m', 1757277833 - 1)")
    let found = findings(try report(["--sqlite", database], 1))
    XCTAssertEqual(found.map { $0["gap_us"] as? Int }, [899_000_000])
    XCTAssertEqual(found.map { $0["trades"] as? [Int] }, [[1, 2]], "rowids")
  }

  /// A bot without a cooldown is not judged, and that is said.
  func testBotsWithoutCooldown_areSaid() throws {
    try makeIncidents(
      "INSERT INTO bots VALUES (7, 'new', -1);"
        + "INSERT INTO trades VALUES (1, 7, '', '', '2025-01-01 00:00:00', NULL),"
        + " (2, 7, '', '', '2025-01-01 00:00:00', NULL), (3, 9, '', '', 1735689600, NULL)")
    let skipped = try report(["--sqlite", database], 1)["not_judged"] as? [[String: Any]]
    XCTAssertEqual(skipped?.map { $0["bot"] as? String }, ["new", "9"])
    XCTAssertEqual(skipped?.map { $0["trades"] as? Int }, [2, 1])
    let text = BuiltBinary.run(["audit", "--sqlite", database]).stdout
    XCTAssertTrue(text.contains("and 2 bots not judged\n"), text)
  }

  /// One column with every kind of time; what cannot be read is counted with its ids.
  func testMixedTimes_areReadAndTheRestIsSaid() throws {
    try shell(
      database,
      """
      CREATE TABLE fills (id INTEGER PRIMARY KEY, bot TEXT, time);
      INSERT INTO fills VALUES (1, 'm', '2025-09-07T20:28:53.395950Z'), (2, 'm', 1757276934212),
        (3, 'm', 1757276935.000001), (4, 'm', '1757276936'), (5, 'm', 1757276937000000),
        (6, 'm', 'soon'), (7, 'm', NULL), (8, 'm', x'00'), (9, 'm', 20250907), (10, 'm', ''),
        (11, 'm', -1), (12, NULL, 1757276938), (13, '', 1757276938);
      """)
    let report = try report(["--sqlite", database, "--cooldown", "1h"], 1)
    XCTAssertEqual(report["examined"] as? Int, 5)
    XCTAssertEqual(
      findings(report).map { $0["gap_us"] as? Int }, [816_050, 788_001, 999_999, 1_000_000])
    let times = report["rows_without_time"] as? [String: Any]
    XCTAssertEqual(times?["count"] as? Int, 6)
    XCTAssertEqual(times?["first_ids"] as? [String], ["6", "7", "8", "9", "10"])
    let bots = report["rows_without_bot"] as? [String: Any]
    XCTAssertEqual(bots?["first_ids"] as? [String], ["12", "13"])
    let text = BuiltBinary.run(["audit", "--sqlite", database, "--cooldown", "1h"]).stdout
    XCTAssertTrue(
      text.contains("6 rows without a time that can be read: 6, 7, 8, 9, 10, ...\n"), text)
  }

  /// Neighbours in the order of time, not of rows; midnight and other bots make no difference.
  func testNeighbours_areOrderedByTime() throws {
    try shell(
      database,
      """
      CREATE TABLE trades (id TEXT PRIMARY KEY, bot TEXT, ts TEXT) WITHOUT ROWID;
      INSERT INTO trades VALUES ('a', 'm', '2025-09-08 00:00:01'), ('c', 'm', '2025-09-07 23:59:59'),
        ('b', 'n', '2025-09-08 00:00:00'), ('d''', 'm', '2025-09-08 00:00:30');
      """)
    let found = findings(try report(["--sqlite", database, "--cooldown", "29s"], 1))
    XCTAssertEqual(found.map { $0["trades"] as? [String] }, [["c", "a"]])
    let wide = findings(try report(["--sqlite", database, "--cooldown", "30s"], 1))
    XCTAssertEqual(wide.map { $0["trades"] as? [String] }, [["c", "a"], ["a", "d'"]])
    let rows = BuiltBinary.run("bash", ["-c", try next(wide, 1)])
    XCTAssertEqual(rows.stdout.split(separator: "\n").count, 3, "\(rows)")
  }

  func testSeveralTables_areListed() throws {
    try makeIncidents("CREATE TABLE orders (bot TEXT, created_at TEXT);")
    let said = try refusal(["--sqlite", database], 65)
    XCTAssertTrue(said.contains("'orders', 'trades'") && said.contains("--table"), said)
    XCTAssertEqual(findings(try report(["--sqlite", database, "--table", "TRADES"], 1)).count, 4)
    XCTAssertTrue(try refusal(["--sqlite", database, "--table", "x"], 66).contains("'trades'"))
    let none = directory.file("none.db")
    try shell(none, "CREATE TABLE users (id)")
    XCTAssertTrue(try refusal(["--sqlite", none, "--cooldown", "1s"], 65).contains("'users'"))
    try refusal(["--sqlite", none, "--table", "users"], 65)
  }

  /// An empty table is no pass.
  func testEmptyTable_isNoPass() throws {
    try shell(database, "CREATE TABLE trades (bot TEXT, ts INTEGER)")
    let arguments = ["--sqlite", database, "--cooldown", "1m"]
    XCTAssertEqual(try report(arguments, 0)["examined"] as? Int, 0)
    XCTAssertTrue(BuiltBinary.run(["audit"] + arguments).stdout.contains("not a pass"))
    try refusal(arguments + ["--fail-on-empty"], 66)
  }

  /// The ledger's own file is a database like any other, and its trades keep their own cooldown.
  func testLedger_isReadLikeAnyOther() throws {
    let ledger = directory.file("ledger.db")
    func run(_ arguments: [String]) {
      XCTAssertEqual(BuiltBinary.run(["--db", ledger] + arguments).status, 0, "\(arguments)")
    }
    run(["init"])
    run(["bot", "add", "m", "--cooldown", "15m"])
    for time in ["2025-09-07T20:28:53.395950Z", "2025-09-07T20:28:54.212493Z"] {
      run(["record", "m", "--side", "buy", "--symbol", "B", "--quantity", "1", "--filled-at", time])
    }
    let found = findings(try report(["--sqlite", ledger, "--table", "trades"], 1))
    XCTAssertEqual(found.map { $0["gap_us"] as? Int }, [816_543])
    XCTAssertEqual(found.map { $0["cooldown_us"] as? Int }, [900_000_000])
    XCTAssertEqual(found.map { $0["bot"] as? String }, ["m"])
  }

  /// 50,000 rows with ids of text, every hundredth too early; all findings on request.
  func testManyRows_areAllCompared() throws {
    try shell(
      database,
      """
      CREATE TABLE trades (uuid TEXT, bot TEXT, ts REAL);
      WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 49999)
      INSERT INTO trades SELECT printf('id-%d', i), 'bot-' || (i % 7),
        1757276933 + i / 7 * 60 - (i / 7 % 100 = 99) * 1.5 FROM n;
      """)
    let report = try report(["--sqlite", database, "--cooldown", "60s"], 1)
    XCTAssertEqual(report["examined"] as? Int, 50_000)
    let found = findings(report)
    XCTAssertEqual(found.count, 497)
    XCTAssertEqual(Set(found.map { $0["gap_us"] as? Int }), [58_500_000])
    let text = BuiltBinary.run(["audit", "--sqlite", database, "--cooldown", "60s"]).stdout
    XCTAssertTrue(text.hasSuffix("... 447 more, --all\n"), String(text.suffix(200)))
    let all = BuiltBinary.run(["audit", "--sqlite", database, "--cooldown", "60s", "--all"]).stdout
    XCTAssertEqual(all.split(separator: "\n").filter { $0.contains("sqlite3 -header") }.count, 497)
  }

  func testOptions_thatDoNotGoTogether() throws {
    for arguments in [
      ["--sqlite", "a", "--csv", "b"], ["--csv", "b", "--table", "t"], ["--table", "t"],
      ["--cooldown", "1s"], ["--ignore-status"], ["--all"], ["--sqlite", "a", "--since", "1h"],
    ] { try refusal(arguments, 64) }
    try makeIncidents()
    try refusal(["--sqlite", database, "--cooldown", "15"], 65)
    try refusal(["--sqlite", database, "--bot", "nobody"], 66)
  }
}
