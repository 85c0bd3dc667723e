import LedgerTestSupport
import SQLite
import XCTest

@testable import TradeLedger

/// INV-11: somebody changes the rules of a ledger while it is in use. That is noticed before the
/// next trade.
final class SchemaWatchTests: XCTestCase {
  private struct Change {
    let name: String
    let script: String
    /// What the error names.
    let object: String
  }

  private static let changes = [
    Change(
      name: "a trigger dropped", script: "DROP TRIGGER trade_cooldown;",
      object: "trade_cooldown"),
    Change(
      name: "a trigger of another's added",
      script: """
        CREATE TRIGGER sneaky AFTER INSERT ON trades
        BEGIN UPDATE trades SET status = 'void' WHERE id = NEW.id; END;
        """, object: "sneaky"),
    Change(
      name: "a trigger weakened",
      script: """
        DROP TRIGGER trade_kept;
        CREATE TRIGGER trade_kept BEFORE DELETE ON trades WHEN OLD.status = 'void'
        BEGIN SELECT RAISE(ABORT, 'TL115 trades are never deleted'); END;
        """, object: "trade_kept"),
    Change(name: "an index dropped", script: "DROP INDEX one_pending;", object: "one_pending"),
    Change(
      name: "a view that the rules use changed",
      script: """
        DROP VIEW counted_trades;
        CREATE VIEW counted_trades AS SELECT * FROM trades WHERE status = 'filled';
        """, object: "counted_trades"),
    Change(name: "a table added", script: "CREATE TABLE notes (text TEXT);", object: "notes"),
    Change(
      name: "a column added", script: "ALTER TABLE trades ADD COLUMN note TEXT;", object: "trades"),
    Change(name: "an index added", script: "CREATE INDEX mine ON trades (pid);", object: "mine"),
  ]

  func testWrite_afterTheSchemaWasAltered_isRefusedAndWritesNothing() async throws {
    for change in Self.changes {
      let test = try await TestLedger()
      try await test.addBot(cooldown: .zero)
      let (_, permit) = try await test.admitted()
      try await test.filled(permit)
      let (_, open) = try await test.admitted()
      test.clock.advance(.seconds(31))
      try test.foreignClient().runScript(change.script)
      let before = try test.query("SELECT id, status, reason FROM trades")
      let ledger = test.ledger
      let writes: [() async throws -> Void] = [
        { _ = try await ledger.reserve(.example()) },
        { _ = try await ledger.record(.example()) },
        { _ = try await ledger.fill(open.trade, token: open.token) },
        { _ = try await ledger.addBot(BotName("b"), BotSettings(cooldown: .zero)) },
      ]
      for write in writes {
        let error = await assertFails(.schemaAltered) { try await write() }
        XCTAssertTrue(
          error?.message.contains("'\(change.object)'") ?? false, "\(change.name): \(error as Any)")
        XCTAssertEqual(error?.retry, .never)
      }
      XCTAssertEqual(
        try test.query("SELECT id, status, reason FROM trades"), before, change.name)
      // Nor is such a file opened, for reading or for writing.
      await assertFails(.schemaAltered) { try await test.another() }
      await assertFails(.schemaAltered) { try await test.another(.readOnly) }
      // And what a reader shows is not the work of altered rules.
      await assertFails(.schemaAltered) { try await ledger.status() }
      await ledger.close()
    }
  }

  /// Put back letter for letter, the ledger works again without being opened anew.
  func testWrite_afterTheSchemaWasPutBack_works() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .zero)
    let trigger = try XCTUnwrap(
      SchemaText.statements.first { $0.hasPrefix("CREATE TRIGGER trade_cooldown") })
    let other = try test.foreignClient()
    try other.runScript("DROP TRIGGER trade_cooldown;")
    await assertFails(.schemaAltered) { try await test.ledger.reserve(.example()) }
    try other.runScript(trigger)
    _ = try await test.admitted()
    try await test.verify()
  }

  /// VACUUM and ANALYZE change no rule.
  func testWrite_afterMaintenanceByOthers_works() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .zero)
    try await test.recorded()
    let other = try test.foreignClient()
    for statement in ["ANALYZE", "REINDEX", "PRAGMA optimize"] {
      try other.run(statement)
      try await test.recorded()
    }
    let shell = BuiltBinary.run("sqlite3", [test.path, ".timeout 5000", "VACUUM"])
    if shell.status != 127 { XCTAssertEqual(shell.status, 0, shell.stderr) }
    try await test.recorded()
    try await test.verify()
  }

  /// An edit through writable_schema moves no version. The next full look finds it: at the next
  /// opening, and after the next checkpoint.
  func testOpen_afterEditThroughWritableSchema_isRefused() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .zero)
    await test.ledger.close()
    let shell = BuiltBinary.run(
      "sqlite3",
      [
        test.path, ".dbconfig defensive off", "PRAGMA writable_schema = ON",
        """
        UPDATE sqlite_schema SET sql = replace(sql, 'trades are never deleted', 'never mind')
        WHERE name = 'trade_kept'
        """, "SELECT sql LIKE '%never mind%' FROM sqlite_schema WHERE name = 'trade_kept'",
      ])
    guard shell.status == 0 else { throw XCTSkip("no sqlite3 shell: \(shell.stderr)") }
    XCTAssertTrue(shell.stdout.contains("1"), "the edit was not made: \(shell.stdout)")
    let error = await assertFails(.schemaAltered) { try await test.another() }
    XCTAssertTrue(error?.message.contains("'trade_kept' was changed") ?? false, "\(error as Any)")
  }

  /// `schema.sql` and the installer agree with what SQLite stores, object by object.
  func testInstalledSchema_isTheText() async throws {
    let test = try await TestLedger()
    let stored = try test.query(
      "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
    let text = SchemaText.objects.sorted { $0.key < $1.key }.map { [$0.key, $0.value] }
    XCTAssertEqual(stored, text)
    XCTAssertGreaterThan(text.count, 40)
    XCTAssertEqual(
      try test.query("PRAGMA application_id"), [[String(SchemaText.applicationID)]])
    XCTAssertEqual(try test.query("PRAGMA user_version"), [[String(SchemaText.version)]])
    try await test.verify()
  }
}
