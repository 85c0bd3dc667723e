import Foundation
import LedgerTestSupport
import XCTest

/// INV-10 on foreign files: whatever state a database is in, looking changes no byte of it and
/// leaves nothing beside it, or is refused with the reason.
final class FileStateTests: ForeignFileTestCase {
  private var arguments: [String] { ["--sqlite", database] }

  /// A WAL database at rest has no -wal, and has none afterwards.
  func testWALAtRest_leavesNothingBehind() throws {
    try makeIncidents("PRAGMA journal_mode = wal;")
    XCTAssertEqual(try snapshot().names, ["bots.db"])
    try assertUntouched { XCTAssertEqual(findings(try report(arguments, 1)).count, 4) }
  }

  /// A live writer, between its commits and in the middle of a transaction: its committed trades
  /// are seen, the others are not, and it is not in the way.
  func testLiveWriter_isSeenAndNotDisturbed() throws {
    try makeIncidents("PRAGMA journal_mode = wal;")
    let writer = try holder(
      database,
      "INSERT INTO trades VALUES (3000, 4, 'buy', 'filled', '2025-09-09 20:29:53', NULL);"
        + "BEGIN IMMEDIATE;"
        + "INSERT INTO trades VALUES (3001, 4, 'buy', 'filled', '2025-09-09 20:29:54', NULL);")
    XCTAssertEqual(try snapshot().names, ["bots.db", "bots.db-shm", "bots.db-wal"])
    try assertUntouched {
      let found = findings(try report(arguments, 1))
      XCTAssertEqual(found.last?["trades"] as? [Int], [2949, 3000])
      XCTAssertEqual(found.count, 5)
    }
    writer.write("COMMIT; SELECT 'done';\n")
    XCTAssertEqual(writer.readLine(timeout: 20), "done")
    XCTAssertEqual(findings(try report(arguments, 1)).count, 6)
    writer.closeInput()
    XCTAssertEqual(writer.wait(timeout: 20), 0)
    XCTAssertEqual(try snapshot().names, ["bots.db"], "the writer's own cleaning up still works")
  }

  /// What a killed writer leaves, with its -shm and without: the log is read and stays.
  func testLogOfAKilledWriter_isReadAndStays() throws {
    try makeIncidents("PRAGMA journal_mode = wal;")
    let writer = try holder(
      database,
      "INSERT INTO trades VALUES (3000, 4, 'buy', 'filled', '2025-09-09 20:29:53', NULL);")
    writer.signal(SIGKILL)
    XCTAssertEqual(writer.wait(timeout: 20), 128 + SIGKILL)
    let log = try Data(contentsOf: URL(fileURLWithPath: database + "-wal"))
    for removesIndex in [false, true] {
      if removesIndex { try FileManager.default.removeItem(atPath: database + "-shm") }
      try assertUntouched {
        XCTAssertEqual(findings(try report(arguments, 1)).count, 5, "\(removesIndex)")
      }
      XCTAssertEqual(try Data(contentsOf: URL(fileURLWithPath: database + "-wal")), log)
    }
  }

  /// The same for a rollback journal: reading would roll back, so it is refused with the reason.
  func testHotJournal_isRefusedWithTheReason() throws {
    try makeIncidents()
    // A cache of one page makes the transaction write to the file before it ends.
    let writer = try holder(
      database,
      "PRAGMA cache_size = 1; BEGIN;"
        + "CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
        + " WHERE i < 2000) SELECT i, zeroblob(500) AS b FROM n;")
    XCTAssertTrue(try snapshot().names.contains("bots.db-journal"))
    let busy = try refusal(arguments + ["--lock-wait", "100ms"], 75)
    XCTAssertTrue(busy.contains("locked"), busy)
    writer.signal(SIGKILL)
    XCTAssertEqual(writer.wait(timeout: 20), 128 + SIGKILL)
    try assertUntouched {
      let said = try refusal(arguments, 74)
      XCTAssertTrue(said.contains("roll") && said.contains("copy"), said)
    }
    // SQLite itself still recovers it.
    XCTAssertEqual(try shell(database, "SELECT count(*) FROM trades"), "12\n")
    XCTAssertEqual(findings(try report(arguments, 1)).count, 4)
  }

  /// The same in a file that says it is in WAL mode, which is opened in another way.
  func testHotJournalBesideWAL_isRefused() throws {
    try makeIncidents("PRAGMA journal_mode = wal;")
    _ = try write("bots.db-journal", Data([0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]))
    try assertUntouched { try refusal(arguments, 74) }
  }

  func testExclusiveLock_isBusy() throws {
    try makeIncidents()
    let writer = try holder(database, "BEGIN EXCLUSIVE;")
    try assertUntouched {
      XCTAssertTrue(try refusal(arguments + ["--lock-wait", "100ms"], 75).contains("locked"))
    }
    writer.write("ROLLBACK;\n")
    writer.closeInput()
    XCTAssertEqual(writer.wait(timeout: 20), 0)
    _ = try report(arguments, 1)
  }

  /// S-55: what is no database is refused with the reason.
  func testNoDatabase_isNamed() throws {
    var noise: [UInt8] = []
    var state: UInt64 = 1
    while noise.count < 4096 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      noise.append(UInt8(truncatingIfNeeded: state >> 56))
    }
    try makeIncidents()
    let whole = try snapshot().bytes
    for (name, content, status, word) in [
      ("text", Data("id,bot,ts\n1,m,2\n".utf8), 65, "--csv"), ("empty", Data(), 66, "empty"),
      ("noise", Data(noise), 65, "encrypted"), ("zeros", Data(count: 8192), 65, "no SQLite"),
      ("head", Data("SQLite format 3\0".utf8), 65, "no SQLite"),
      ("truncated", whole.prefix(whole.count / 2), 65, "damaged"),
    ] as [(String, Data, Int32, String)] {
      let path = try write(name, content)
      try assertUntouched(path) {
        let said = try refusal(["--sqlite", path, "--cooldown", "1s"], status)
        XCTAssertTrue(said.contains(word), "\(name): \(said)")
      }
    }
    try refusal(["--sqlite", directory.path], 65)
    try refusal(["--sqlite", directory.file("missing.db")], 66)
    try refusal(["--sqlite", ""], 66)
    try refusal(["--sqlite", "file:\(database)?mode=rwc"], 66)
    XCTAssertEqual(mkfifo(directory.file("fifo"), 0o600), 0)
    try refusal(["--sqlite", directory.file("fifo")], 65)
    XCTAssertEqual(symlink(database, directory.file("link.db")), 0)
    XCTAssertEqual(findings(try report(["--sqlite", directory.file("link.db")], 1)).count, 4)
  }

  /// In a directory where nothing may be written (root may, so this runs as nobody).
  func testReadOnlyDirectory_isReadWhereThatLeavesNothing() throws {
    guard geteuid() == 0 else { throw XCTSkip("needs root, to become nobody") }
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", BuiltBinary.path]
    guard BuiltBinary.run("setpriv", nobody + ["--version"]).status == 0 else {
      throw XCTSkip("nobody cannot start the program")
    }
    try makeIncidents()
    chmod(directory.path, 0o755)
    chmod(database, 0o644)
    let plain = BuiltBinary.run("setpriv", nobody + ["audit"] + arguments)
    XCTAssertEqual(plain.status, 1, plain.stderr)
    try shell(database, "PRAGMA journal_mode = wal;")
    try assertUntouched {
      let refused = BuiltBinary.run("setpriv", nobody + ["audit"] + arguments)
      XCTAssertEqual(refused.status, 77, refused.stderr)
      XCTAssertTrue(refused.stderr.contains("copy"), refused.stderr)
    }
  }

  // MARK: Hostile content

  /// Names that would drive a terminal, a shell or a statement do nothing.
  func testHostileNames_areHarmless() throws {
    let table = #"trades "x"; DROP TABLE t; --'\#u{1b}[2J"#
    let quoted = "\"" + table.replacing("\"", with: "\"\"") + "\""
    try shell(
      database,
      "CREATE TABLE \(quoted) (\"bot\", ts, \"id\"\"'\" TEXT PRIMARY KEY);"
        + "INSERT INTO \(quoted) VALUES ('m\u{1b}[31m\u{202e}', 1757276933, 'a''b'),"
        + " ('m\u{1b}[31m\u{202e}', 1757276934, '$(id)\u{7}');")
    let more = ["--cooldown", "1m"]
    let text = BuiltBinary.run(["audit"] + arguments + more)
    XCTAssertEqual(text.status, 1, text.stderr)
    for scalar in (text.stdout + text.stderr).unicodeScalars where scalar != "\n" {
      XCTAssertFalse([.control, .format].contains(scalar.properties.generalCategory), text.stdout)
    }
    let report = try report(arguments + more, 1)
    XCTAssertEqual((report["columns"] as? [String: Any])?["table"] as? String, table)
    let found = findings(report)
    XCTAssertEqual(found.map { $0["trades"] as? [String] }, [["a'b", "$(id)\u{7}"]])
    let rows = BuiltBinary.run("bash", ["-c", try next(found)])
    XCTAssertEqual(rows.status, 0, rows.stderr)
    XCTAssertEqual(rows.stdout.split(separator: "\n").count, 3, rows.stdout)
  }

  /// S-55: views, triggers and generated columns of a hostile schema: nothing of it is run.
  func testHostileSchema_runsNothing() throws {
    try shell(
      database,
      """
      CREATE TABLE trades (id INTEGER PRIMARY KEY, bot TEXT, ts INTEGER);
      INSERT INTO trades VALUES (1, 'm', 1757276933);
      CREATE TRIGGER t AFTER INSERT ON trades BEGIN SELECT load_extension('x'); END;
      CREATE TABLE huge (bot TEXT, ts INTEGER,
        status TEXT GENERATED ALWAYS AS (hex(zeroblob(ts))) VIRTUAL);
      INSERT INTO huge (bot, ts) VALUES ('m', 20000000);
      CREATE VIEW orders AS WITH RECURSIVE n(bot, created_at) AS (SELECT 'm', 1757276933 UNION ALL
        SELECT bot, created_at FROM n) SELECT * FROM n;
      CREATE VIEW fills AS SELECT load_extension('x') AS bot, 1757276933 AS created_at;
      CREATE VIEW executions AS SELECT bot, ts FROM trades;
      CREATE VIEW broken AS SELECT * FROM missing;
      """)
    let more = ["--cooldown", "1m"]
    try assertUntouched {
      // The views are not even candidates.
      XCTAssertEqual(try report(arguments + more, 0)["examined"] as? Int, 1)
      XCTAssertTrue(
        try refusal(arguments + more + ["--table", "fills"], 65).contains("load_extension"))
      XCTAssertTrue(
        try refusal(arguments + more + ["--table", "orders"], 65).contains("not authorized"))
      try refusal(arguments + more + ["--table", "broken"], 65)
      try refusal(arguments + more + ["--table", "huge"], 74)
      let view = try report(arguments + more + ["--table", "executions"], 0)
      XCTAssertEqual(view["examined"] as? Int, 1)
    }
  }

  /// S-55: a schema that no SQLite would have made.
  func testForgedSchema_isRefused() throws {
    try shell(
      database,
      """
      CREATE TABLE trades (id INTEGER PRIMARY KEY, bot TEXT, ts INTEGER);
      PRAGMA writable_schema = ON;
      UPDATE sqlite_schema SET sql = 'CREATE TABLE trades (id INTEGER PRIMARY KEY, bot TEXT, ts '
        || 'INTEGER AS (load_extension(bot)))';
      """)
    try assertUntouched { try refusal(arguments + ["--cooldown", "1m"], 65) }
  }
}
