internal import SQLite
internal import TradeLedger

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// A plain table without a rule in it, and one for locks; the strategies that are bugs share it.
struct BrokenStore: StrategyStore {
  let path: String
  let bots: [String]
  let names: [String]
  private let options: SimulationOptions

  init(_ options: SimulationOptions, directory: String) {
    self.options = options
    path = directory + "/\(options.strategy.rawValue).db"
    bots = (1...options.bots).map { "bot-\($0)" }
    names = (0..<options.instanceNames).map { "instance-\($0 + 1)" }
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
    try connection.run(
      """
      CREATE TABLE locks (
        bot TEXT PRIMARY KEY, value TEXT NOT NULL, expires_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID
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
  func value() throws(SQLiteError) -> Success {
    switch self {
    case .committed(let value), .rolledBack(let value): return value
    case .notBegun(let error), .bodyFailed(let error, _), .commitUnknown(_, let error):
      throw error
    }
  }
}
