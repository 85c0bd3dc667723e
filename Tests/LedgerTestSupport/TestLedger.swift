internal import SQLite
public import TradeLedger
internal import XCTest

/// A ledger of mode `simulation` in a directory of its own, with a clock that the test moves.
public struct TestLedger: Sendable {
  public let directory = TemporaryDirectory()
  public let clock: ManualClock
  public let ledger: Ledger
  /// The file, or the URL.
  public let path: String

  /// - Parameter place: where the ledger is made; nil: in a file of its own.
  public init(
    at place: String? = nil, mode: LedgerMode = .simulation, clock: ManualClock = ManualClock(),
    lockWait: Duration = .seconds(5), configure: (inout Ledger.Options) -> Void = { _ in }
  ) async throws {
    self.clock = clock
    var options = Ledger.Options()
    if mode == .simulation { options.clock = clock }
    options.lockWait = lockWait
    configure(&options)
    path = place ?? directory.file("ledger.db")
    ledger = try await Ledger.create(path, mode: mode, options: options)
  }

  /// A second, independent connection with the same clock.
  public func another(_ access: Ledger.Options.Access = .readWrite) async throws -> Ledger {
    var options = Ledger.Options()
    options.clock = clock
    options.access = access
    return try await Ledger.open(path, options: options)
  }

  public func addBot(
    _ name: String = "momentum/BTC-USD", cooldown: Duration = .seconds(900),
    lease: Duration = .seconds(30), inDoubt: InDoubtPolicy = .cooldown
  ) async throws {
    let settings = try BotSettings(cooldown: cooldown, lease: lease, inDoubt: inDoubt)
    let outcome = try await ledger.addBot(BotName(name), settings)
    XCTAssertEqual(outcome, .added(Bot(name: try BotName(name), settings: settings)))
  }

  /// Reserves and insists on a permit.
  public func admitted(
    _ order: Order = .example(), key: String? = nil, file: StaticString = #filePath,
    line: UInt = #line
  ) async throws -> (Trade, Permit) {
    let outcome = try await ledger.reserve(order, key: key.map { try OrderKey($0) })
    guard case .admitted(let trade, let permit) = outcome else {
      XCTFail("not admitted: \(outcome)", file: file, line: line)
      throw NotAdmitted()
    }
    return (trade, permit)
  }

  /// Reserves and insists on a denial.
  public func denied(
    _ order: Order = .example(), file: StaticString = #filePath, line: UInt = #line
  ) async throws -> Denial {
    let outcome = try await ledger.reserve(order)
    guard case .denied(let denial) = outcome else {
      XCTFail("not denied: \(outcome)", file: file, line: line)
      throw NotAdmitted()
    }
    return denial
  }

  public struct NotAdmitted: Error {}

  /// A look at the rows by a connection of the test's own.
  public func query(_ sql: String) throws -> [[String]] {
    try LedgerCheck.query(path, sql)
  }

  /// To be called at the end of a test: the file is sound and every invariant holds in it.
  public func verify(file: StaticString = #filePath, line: UInt = #line) async throws {
    await ledger.close()
    try LedgerCheck.verify(path, file: file, line: line)
  }
}

extension Order {
  public static func example(
    _ bot: String = "momentum/BTC-USD", side: Side = .buy, quantity: String = "0.5",
    price: String? = nil
  ) -> Order {
    do {
      return Order(
        bot: try BotName(bot), side: side, symbol: try Symbol("BTC-USD"),
        quantity: try Amount(quantity), price: try price.map { try Amount($0) })
    } catch { fatalError("\(error)") }
  }
}

/// Looks at a ledger's file without the library.
public enum LedgerFileCheck {
  public static func query(_ path: String, _ sql: String) throws -> [[String]] {
    let connection = try Connection.open(
      path, options: OpenOptions(purpose: .reading(keepsLog: true), wait: .seconds(10)))
    return try connection.rows(sql) { row throws(SQLiteError) in
      var values: [String] = []
      for index in 0..<row.count {
        if let integer = try? row.optionalInteger(index) {
          values.append(String(integer))
        } else {
          values.append((try? row.optionalText(index)) ?? "NULL")
        }
      }
      return values
    }
  }

  /// integrity_check, foreign keys, and the invariants that can be seen in the rows.
  public static func verify(
    _ path: String, file: StaticString = #filePath, line: UInt = #line
  ) throws {
    XCTAssertEqual(try query(path, "PRAGMA integrity_check"), [["ok"]], file: file, line: line)
    XCTAssertEqual(
      try query(path, "PRAGMA foreign_key_check").count, 0, file: file, line: line)
    let twoPending = """
      SELECT bot_id FROM trades WHERE status = 'pending' GROUP BY bot_id HAVING COUNT(*) > 1
      """
    XCTAssertEqual(try query(path, twoPending), [], "INV-2", file: file, line: line)
    // INV-1, judged from the rows alone: each trade admitted came at or after every earlier
    // one's last-trade time, as known then, plus its own cooldown.
    let doubles = """
      SELECT a.id, b.id FROM trades AS a JOIN trades AS b ON a.bot_id = b.bot_id AND a.id < b.id
      WHERE a.status <> 'void' AND b.status <> 'void' AND b.origin <> 'past' AND a.origin <> 'past'
        AND b.created_at - b.cooldown_us < CASE
          WHEN a.filled_at IS NOT NULL AND a.received_at <= b.created_at THEN a.filled_at
          ELSE a.created_at END
      """
    XCTAssertEqual(try query(path, doubles), [], "INV-1", file: file, line: line)
  }
}
