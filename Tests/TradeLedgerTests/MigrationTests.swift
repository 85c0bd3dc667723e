import LedgerTestSupport
import SQLite
import XCTest

@testable import TradeLedger

/// S-56: older layouts are migrated once and keep their rows, newer ones are refused.
final class MigrationTests: XCTestCase {
  private let directory = TemporaryDirectory()
  private let files = FileManager.default
  private var path: String { directory.file("ledger.db") }

  /// Version 1: before the first release. No `superseded`, no views for people, no index on boot
  /// time, and none of the triggers that know of the column.
  private static let versionOne: [String] = {
    let removed = [
      "open_trades", "cooldowns", "double_trades", "trade_shape", "trade_doubt", "trade_settled",
      "last_trade_of_boot",
    ]
    return SchemaText.statements.compactMap { statement in
      if removed.contains(SchemaText.name(of: statement)) { return nil }
      if statement.hasPrefix("PRAGMA user_version") { return "PRAGMA user_version = 1;" }
      return statement.split(separator: "\n")
        .filter { !$0.contains("superseded      INTEGER") }.joined(separator: "\n")
    }
  }()

  private static let rows = """
    INSERT INTO ledger (id, mode, created_at, ticks) VALUES (1, 'simulation', 5, 0);
    INSERT INTO bots (id, name) VALUES (1, 'momentum/BTC-USD'), (2, 'quiet');
    INSERT INTO settings (id, bot_id, cooldown_us, lease_us, in_doubt, enabled, at) VALUES
      (1, 1, 900000000, 30000000, 'cooldown', 1, 5), (2, 2, 60000000, 1000, 'block', 0, 6),
      (3, 1, 600000000, 30000000, 'cooldown', 1, 7);
    INSERT INTO instances (name, epoch, pid, since) VALUES ('trading_bot', 1, 42, 8);
    UPDATE instances SET epoch = 2 WHERE name = 'trading_bot';
    """

  private static let trade = """
    INSERT INTO trades (bot_id, key, origin, side, symbol, quantity, price, cooldown_us, token, pid,
      instance, epoch, created_at, lease_until, boot_id, created_boot_us, status)
    VALUES (1, ?1, 'reserve', 'buy', 'BTC-USD', '0.5', '64000', 600000000, ?2, 7, ?3, ?4, ?5,
      ?5 + 30000000, 'test-boot', ?6, 'pending')
    """

  /// When the newest trade of the old file was filled: ten seconds before the test clock begins.
  private static let filledAt: Int64 = 1_757_276_923_000_000

  private func makeVersionOne() throws {
    XCTAssertTrue(
      files.createFile(
        atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]))
    let old = try Connection.open(
      path, options: OpenOptions(purpose: .writing, wait: .seconds(1)))
    try old.switchToWAL(wait: .seconds(1))
    try old.runScript(Self.versionOne.joined(separator: "\n"))
    try old.runScript(Self.rows)
    let start = Self.filledAt - 3_000_000_000
    for (number, status) in ["filled", "void", "in_doubt", "filled"].enumerated() {
      let at = start + Int64(number) * 1_000_000_000
      let instance: Value = number == 3 ? "trading_bot" : .null
      try old.run(
        Self.trade,
        [
          .text("key-\(number)"), .text("token-of-the-trade-\(number)"), instance,
          number == 3 ? 2 : .null, .integer(at), .integer(at - 1_757_273_333_000_000),
        ])
      let outcome = """
        UPDATE trades SET status = '\(status)', settled_with = token, received_at = created_at,
          reason = CASE '\(status)' WHEN 'void' THEN 'rejected' END,
          filled_at = CASE '\(status)' WHEN 'filled' THEN created_at END,
          filled_quantity = CASE '\(status)' WHEN 'filled' THEN quantity END
        WHERE key = 'key-\(number)'
        """
      try old.run(
        status == "in_doubt"
          ? "UPDATE trades SET status = 'in_doubt' WHERE key = 'key-\(number)'" : outcome)
    }
    try old.run(
      """
      INSERT INTO conflicts (bot_id, trade_id, kind, token, at, quantity, received_at)
      SELECT bot_id, id, 'fill_after_void', token, created_at, '0.5', created_at FROM trades
      WHERE status = 'void'
      """)
  }

  private static let tables = ["ledger", "bots", "settings", "instances", "trades", "conflicts"]

  private func contents(except column: String? = nil) throws -> [String: [[String]]] {
    var result: [String: [[String]]] = [:]
    for table in Self.tables {
      let columns = try LedgerFileCheck.query(
        path, "SELECT name FROM pragma_table_info('\(table)') ORDER BY name"
      ).map { $0[0] }.filter { $0 != column }
      result[table] = try LedgerFileCheck.query(
        path, "SELECT \(columns.joined(separator: ", ")) FROM \(table) ORDER BY 1, 2")
    }
    return result
  }

  private func open(_ access: Ledger.Options.Access = .readWrite) async throws -> Ledger {
    var options = Ledger.Options()
    options.clock = ManualClock()
    options.access = access
    return try await Ledger.open(path, options: options)
  }

  func testOpen_ofVersionOne_migratesAndKeepsEveryRow() async throws {
    try makeVersionOne()
    let before = try contents()
    XCTAssertEqual(before["trades"]?.count, 4)
    let ledger = try await open()
    XCTAssertEqual(try LedgerFileCheck.query(path, "PRAGMA user_version"), [["4"]])
    XCTAssertEqual(try contents(except: "superseded"), before)
    XCTAssertEqual(
      try LedgerFileCheck.query(path, "SELECT DISTINCT superseded FROM trades"), [["0"]])
    let objects = try LedgerFileCheck.query(
      path, "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
    XCTAssertEqual(
      objects, SchemaText.objects.sorted { $0.key < $1.key }.map { [$0.key, $0.value] })
    // It goes on where it was: the cooldown of the last fill, the doubt, the settings, the ids.
    let outcome = try await ledger.reserve(.example())
    guard case .denied(let denial) = outcome else { return XCTFail("\(outcome)") }
    XCTAssertEqual(denial.reason, .cooldown)
    XCTAssertEqual(denial.retryAfter, .seconds(590))
    XCTAssertEqual(denial.winner?.id, TradeID(4))
    XCTAssertEqual(denial.winner?.instance?.epoch, Epoch(2))
    let status = try await ledger.status()
    XCTAssertEqual(status.bots[0].inDoubt.map(\.id.value), [3])
    XCTAssertEqual(status.bots[1].bot.settings.isEnabled, false)
    XCTAssertEqual(status.conflicts, 1)
    let late = try await ledger.fill(
      TradeID(3), token: PermitToken(stored: "token-of-the-trade-2"))
    guard case .settled = late else { return XCTFail("\(late)") }
    await ledger.close()
    let again = try await open()
    await again.close()
    try LedgerFileCheck.verify(path)
  }

  /// Version 2 did not look at the holders of instances: they are kept, and looked at from now on.
  func testOpen_ofVersionTwo_getsTheRulesOfInstances() async throws {
    let test = try await TestLedger()
    await test.ledger.close()
    let old = try test.foreignClient()
    try old.run("DROP TRIGGER instance_shape")
    try old.run("INSERT INTO instances (name, epoch, pid) VALUES ('odd', 1, -5), ('desk', 1, 7)")
    try old.run("PRAGMA user_version = 2")
    let ledger = try await test.another()
    XCTAssertEqual(try test.query("PRAGMA user_version"), [[String(SchemaText.version)]])
    let names = try await ledger.instances().map(\.name.description)
    XCTAssertEqual(names, ["desk", "odd"])
    XCTAssertThrowsError(
      try test.foreignClient().run("INSERT INTO instances (name, epoch, pid) VALUES ('x', 1, -5)"))
    // Such a holder can be nobody's process: the operator decides.
    let denial = try await ledger.held("odd")
    XCTAssertEqual(denial.holder?.pid, -5)
    await ledger.close()
    try LedgerFileCheck.verify(test.path)
  }

  /// An older layout is migrated by who may write, not by who only looks.
  func testOpen_ofVersionOneForReading_isRefusedUntouched() async throws {
    try makeVersionOne()
    let bytes = files.contents(atPath: path)
    let error = await assertFails(.configuration) { try await self.open(.readOnly) }
    XCTAssertTrue(error?.message.contains("older layout 1") ?? false, "\(error as Any)")
    XCTAssertEqual(files.contents(atPath: path), bytes)
    XCTAssertEqual(try LedgerFileCheck.query(path, "PRAGMA user_version"), [["1"]])
  }

  /// Many open it at once: it is migrated once, and all of them work.
  func testOpen_ofVersionOneByManyAtOnce_migratesOnce() async throws {
    try makeVersionOne()
    let path = self.path
    let opened = try await withThrowingTaskGroup(of: Ledger.self) { group in
      for _ in 0..<8 { group.addTask { try await Ledger.open(path) } }
      return try await group.reduce(into: [Ledger]()) { $0.append($1) }
    }
    for ledger in opened {
      let status = try await ledger.status()
      XCTAssertEqual(status.trades, 4)
      await ledger.close()
    }
    try LedgerFileCheck.verify(path)
  }

  /// A file of version 1 in which somebody has put tables of his own is not migrated halfway.
  func testOpen_ofVersionOneWithStrangeTable_changesNothing() async throws {
    try makeVersionOne()
    try Connection.open(
      path, options: OpenOptions(purpose: .writing, wait: .seconds(1))
    ).runScript("CREATE TABLE notes (text TEXT);\nINSERT INTO notes VALUES ('mine');")
    let before = try contents()
    await assertFails(.schemaAltered) { try await self.open() }
    XCTAssertEqual(try contents(), before)
    XCTAssertEqual(try LedgerFileCheck.query(path, "SELECT text FROM notes"), [["mine"]])
    XCTAssertEqual(try LedgerFileCheck.query(path, "PRAGMA user_version"), [["1"]])
  }

  /// Rows that the layout of today would refuse stop the migration, and nothing is lost.
  func testOpen_ofVersionOneWithImpossibleRow_changesNothing() async throws {
    try makeVersionOne()
    let old = try Connection.open(
      path, options: OpenOptions(purpose: .writing, wait: .seconds(1)))
    try old.runScript("DROP TRIGGER conflict_fixed;\nPRAGMA ignore_check_constraints = ON;")
    try old.run("UPDATE conflicts SET kind = 'nonsense'")
    let before = try contents()
    do {
      let ledger = try await open()
      await ledger.close()
      XCTFail("migrated with a row that cannot be")
    } catch {}
    XCTAssertEqual(try contents(), before)
    XCTAssertEqual(try LedgerFileCheck.query(path, "PRAGMA user_version"), [["1"]])
  }

  /// Newer: refused, whoever asks and for what, untouched.
  func testOpen_ofNewerLayout_isRefusedUntouched() async throws {
    let test = try await TestLedger()
    try await test.addBot()
    await test.ledger.close()
    try test.foreignClient().run("PRAGMA user_version = 5")
    let before = try test.query("SELECT * FROM bots")
    for access in [Ledger.Options.Access.readWrite, .readOnly] {
      let error = await assertFails(.newerSchema) { try await test.another(access) }
      XCTAssertTrue(error?.message.contains("layout 5") ?? false, "\(error as Any)")
    }
    await assertFails(.newerSchema) { try await Ledger.create(test.path, mode: .simulation) }
    XCTAssertEqual(try test.query("SELECT * FROM bots"), before)
    XCTAssertEqual(try test.query("PRAGMA user_version"), [["5"]])
  }

  /// A file that only says that it is an old ledger has no rows to migrate: refused, untouched.
  func testOpen_ofEmptyFileThatClaimsToBeOld_isRefusedUntouched() async throws {
    for version in [-1, 0, 1] {
      XCTAssertTrue(
        files.createFile(
          atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]))
      try Connection.open(
        path, options: OpenOptions(purpose: .writing, wait: .seconds(1))
      ).runScript(
        "PRAGMA application_id = \(SchemaText.applicationID);\nPRAGMA user_version = \(version);")
      let bytes = files.contents(atPath: path)
      await assertFails(.notALedger) { try await self.open() }
      XCTAssertEqual(files.contents(atPath: path), bytes, "\(version)")
      XCTAssertEqual(
        try LedgerFileCheck.query(path, "PRAGMA user_version"), [["\(version)"]])
      try files.removeItem(atPath: path)
      try? files.removeItem(atPath: path + "-wal")
      try? files.removeItem(atPath: path + "-shm")
    }
  }
}
