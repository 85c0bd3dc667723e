internal import SQLite
internal import TradeLedger

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// The bug of the first incident: look at the last trade, decide in the process, evaluate the
/// signal, and only then insert, in another transaction. Every process that looks before the first
/// one inserts will trade.
///
/// It works on a plain SQLite file of its own, with locks, WAL and full durability. None of them
/// helps, because the decision is not part of the transaction.
final class NaiveStrategy: WorkerStrategy {
  private let connection: Connection
  private let configuration: WorkerConfiguration
  private let clock = MomentClock()
  private var random: SeededRandom

  init(_ configuration: WorkerConfiguration) throws(SQLiteError) {
    self.configuration = configuration
    random = SeededRandom(
      seed: configuration.seed, stream: 0x7417, UInt64(configuration.worker),
      UInt64(configuration.incarnation))
    connection = try Connection.open(
      configuration.path, options: OpenOptions(purpose: .writing, wait: configuration.lockWait))
  }

  nonisolated(nonsending) func attempt(
    _ order: Order, key: OrderKey, token: PermitToken, send: SendOrder
  ) async -> Attempted {
    do throws(SQLiteError) {
      let bot = order.bot.description
      if let last = try lastTrade(of: bot) {
        let cooldown = configuration.cooldown.wholeMicroseconds
        let remaining = last + cooldown - clock.now().wall
        if remaining > 0 {
          return Attempted(
            answer: .denied(reason: "cooldown", winner: nil),
            retryAfter: .microseconds(remaining))
        }
      }
      await evaluateSignal()
      let trade = try insert(bot, key.description)
      return await finish(trade, key.description, send)
    } catch {
      return Attempted(answer: error.isBusy ? .busy : .failed(code: "sqlite_\(error.code)"))
    }
  }

  nonisolated(nonsending) func close() async {}

  private func lastTrade(of bot: String) throws(SQLiteError) -> Int64? {
    let ending = connection.read(wait: configuration.lockWait) { () throws(SQLiteError) in
      try connection.firstRow(
        """
        SELECT MAX(COALESCE(filled_at, created_at)) FROM trades
        WHERE bot = ? AND status <> 'void'
        """,
        [.text(bot)]
      ) { row throws(SQLiteError) in try row.optionalInteger(0) }
    }
    return try ending.value() ?? nil
  }

  /// What the bot did between looking and trading: ask for prices and think about them.
  private nonisolated(nonsending) func evaluateSignal() async {
    try? await Task.sleep(for: random.duration(in: configuration.thinkingTime))
  }

  private func insert(_ bot: String, _ key: String) throws(SQLiteError) -> Int64 {
    let now = clock.now().wall
    let ending = connection.write(wait: configuration.lockWait) { () throws(SQLiteError) in
      try connection.run(
        "INSERT INTO trades (bot, key, status, created_at, pid) VALUES (?, ?, 'pending', ?, ?)",
        [.text(bot), .text(key), .integer(now), .integer(Int64(getpid()))])
      return .commit(connection.lastInsertID)
    }
    return try ending.value()
  }

  private nonisolated(nonsending) func finish(
    _ trade: Int64, _ key: String, _ send: SendOrder
  ) async -> Attempted {
    do {
      let executedAt = try await send(Ticket(trade: trade, key: key, validUntil: nil))
      try settle(trade, "filled", executedAt)
      return Attempted(answer: .filled(trade: trade))
    } catch is OrderNotSent {
      do throws(SQLiteError) { try settle(trade, "void", nil) } catch {
        return Attempted(answer: .unknown(code: "sqlite_\(error.code)"))
      }
      return Attempted(answer: .void(trade: trade))
    } catch let error as SQLiteError {
      return Attempted(answer: .unknown(code: "sqlite_\(error.code)"))
    } catch {
      return Attempted(answer: .inDoubt(trade: trade))
    }
  }

  private func settle(_ trade: Int64, _ status: String, _ filledAt: Int64?) throws(SQLiteError) {
    let now = clock.now().wall
    let ending = connection.write(wait: configuration.lockWait) { () throws(SQLiteError) in
      try connection.run(
        "UPDATE trades SET status = ?, filled_at = ?, received_at = ? WHERE id = ?",
        [.text(status), .integer(filledAt), .integer(now), .integer(trade)])
      return .commit(())
    }
    try ending.value()
  }
}

/// A plain table without a rule in it.
struct NaiveStore: StrategyStore {
  let path: String
  let bots: [String]
  private let options: SimulationOptions

  init(_ options: SimulationOptions, directory: String) {
    self.options = options
    path = directory + "/naive.db"
    bots = (1...options.bots).map { "bot-\($0)" }
  }

  func prepare() async throws {
    // SQLite never creates a file here; an empty one is an empty database.
    let descriptor = unsafe open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw LedgerError(
        .cannotCreate, "cannot create \(escaped(path)): error \(errno)",
        hint: "look at the permissions of the temporary directory, or set TMPDIR")
    }
    close(descriptor)
    let connection = try connection(.writing)
    try connection.switchToWAL(wait: options.lockWait)
    try connection.run(
      """
      CREATE TABLE trades (
        id INTEGER PRIMARY KEY, bot TEXT NOT NULL, key TEXT NOT NULL, status TEXT NOT NULL,
        created_at INTEGER NOT NULL, filled_at INTEGER, received_at INTEGER, pid INTEGER
      ) STRICT
      """)
    try connection.run("CREATE INDEX trades_of_bot ON trades (bot, created_at)")
  }

  /// The table keeps no boot times: its wall times are moved to the boot clock.
  func rows() async throws -> StoredRows {
    let connection = try connection(.reading(keepsLog: true))
    let cooldown = options.cooldown.wholeMicroseconds
    let ahead = MomentClock().wallAheadOfBoot()
    let rows = try connection.rows(
      "SELECT id, bot, key, status, created_at, filled_at, received_at, pid FROM trades ORDER BY id"
    ) { row throws(SQLiteError) in
      let created = try row.integer(4)
      let filled = try row.optionalInteger(5)
      let received = try row.optionalInteger(6)
      return TradeRow(
        id: try row.integer(0), bot: try row.text(1), key: try row.text(2),
        status: RowStatus(rawValue: try row.text(3)) ?? .pending, createdAt: created,
        createdBoot: created - ahead, filledAt: filled, filledBoot: filled.map { $0 - ahead },
        receivedAt: received, receivedBoot: received.map { $0 - ahead }, cooldown: cooldown,
        pid: try row.optionalInteger(7).map { Int32(truncatingIfNeeded: $0) })
    }
    return StoredRows(bots: bots.map { BotTerms(name: $0, cooldown: cooldown) }, rows: rows)
  }

  private func connection(_ purpose: OpenOptions.Purpose) throws(SQLiteError) -> Connection {
    try Connection.open(path, options: OpenOptions(purpose: purpose, wait: options.lockWait))
  }
}

extension TransactionEnding where Failure == SQLiteError {
  /// What the body answered, if it stands.
  fileprivate func value() throws(SQLiteError) -> Success {
    switch self {
    case .committed(let value), .rolledBack(let value): return value
    case .notBegun(let error), .bodyFailed(let error, _), .commitUnknown(_, let error):
      throw error
    }
  }
}
