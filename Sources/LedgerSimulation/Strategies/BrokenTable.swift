internal import SQLite
internal import TradeLedger

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// A worker's hands on the table, for those who keep no rules. Wall clock only.
final class BrokenTable {
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

  // MARK: Transactions

  func read<Value>(_ body: () throws(SQLiteError) -> Value) throws(SQLiteError) -> Value {
    try connection.read(wait: configuration.lockWait, body).value()
  }

  func write<Value>(_ body: () throws(SQLiteError) -> Value) throws(SQLiteError) -> Value {
    try connection.write(wait: configuration.lockWait) { () throws(SQLiteError) in
      .commit(try body())
    }.value()
  }

  /// Begins without a lock, as BEGIN does where nothing else is said.
  func begin() throws(SQLiteError) {
    connection.startWait(configuration.lockWait)
    try connection.run("BEGIN")
  }

  func commit() throws(SQLiteError) { try connection.run("COMMIT") }

  /// Ends what is still open.
  func rollback() {
    if connection.isInTransaction { try? connection.run("ROLLBACK") }
  }

  // MARK: Trades

  /// The "no" where the last trade of `bot` is too recent. Call it in a transaction.
  func cooldown(of bot: String) throws(SQLiteError) -> Attempted? {
    let last = try connection.firstRow(
      """
      SELECT MAX(COALESCE(filled_at, created_at)) FROM trades
      WHERE bot = ? AND status <> 'void'
      """,
      [.text(bot)]
    ) { row throws(SQLiteError) in try row.optionalInteger(0) }
    guard let last = last ?? nil else { return nil }
    let remaining = last + configuration.cooldown.wholeMicroseconds - clock.now().wall
    guard remaining > 0 else { return nil }
    return Attempted(
      answer: .denied(reason: "cooldown", winner: nil), retryAfter: .microseconds(remaining))
  }

  /// What the bot does between looking and trading: ask for prices and think about them.
  nonisolated(nonsending) func evaluateSignal() async {
    try? await Task.sleep(for: random.duration(in: configuration.exchangeLatency))
  }

  /// A row before the order is sent. Call it in a transaction.
  func insertPending(_ bot: String, _ key: String) throws(SQLiteError) -> Int64 {
    try insert(bot, key, "pending")
  }

  /// A row after the order was executed. Call it in a transaction.
  func insertFilled(_ bot: String, _ key: String) throws(SQLiteError) -> Int64 {
    try insert(bot, key, "filled")
  }

  private func insert(
    _ bot: String, _ key: String, _ status: String
  ) throws(SQLiteError) -> Int64 {
    let now = clock.now().wall
    let filledAt = status == "filled" ? now : nil
    try connection.run(
      """
      INSERT INTO trades (bot, key, status, created_at, filled_at, received_at, pid)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      """,
      [
        .text(bot), .text(key), .text(status), .integer(now), .integer(filledAt),
        .integer(filledAt), .integer(Int64(getpid())),
      ])
    return connection.lastInsertID
  }

  /// Sends the order of a pending row, and writes down what came of it.
  nonisolated(nonsending) func finish(
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
    try write { () throws(SQLiteError) in
      try connection.run(
        "UPDATE trades SET status = ?, filled_at = ?, received_at = ? WHERE id = ?",
        [.text(status), .integer(filledAt), .integer(now), .integer(trade)])
    }
  }

  // MARK: Locks

  /// Takes the lock of `bot` where nobody has it, or not any more: `SET key locked NX PX limit`.
  func lock(_ bot: String, for limit: Duration) throws(SQLiteError) -> Bool {
    try write { () throws(SQLiteError) in
      let now = clock.now().wall
      try connection.run(
        """
        INSERT INTO locks (bot, value, expires_at) VALUES (?1, 'locked', ?2)
        ON CONFLICT (bot) DO UPDATE SET expires_at = ?2 WHERE expires_at <= ?3
        """,
        [.text(bot), .integer(now + limit.wholeMicroseconds), .integer(now)])
      return connection.changes > 0
    }
  }

  /// Deletes the lock of `bot`, whoever has it: `DEL key`.
  func unlock(_ bot: String) throws(SQLiteError) {
    try write { () throws(SQLiteError) in
      try connection.run("DELETE FROM locks WHERE bot = ?", [.text(bot)])
    }
  }
}

extension Attempted {
  /// What a failure of the database says about the attempt.
  init(_ error: SQLiteError) {
    self.init(
      answer: error.isBusy ? .busy : .failed(code: "sqlite_\(error.code)"),
      busyErrors: error.isBusy ? 1 : 0)
  }
}
