internal import CLedgerSystem
internal import SQLite

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// The ledger whose place a backup is to take: locked against everybody else, as SQLite locks, for
/// as long as this value lives.
final class ReplacedLedger {
  /// What it says, where it can be read.
  struct Contents {
    let mode: LedgerMode
    let trades: Int
    /// The epoch of each instance name.
    let epochs: [String: Int64]
  }
  /// nil: it is damaged, or no ledger of the current layout.
  let contents: Contents?
  /// Whether all of it is in its main file now.
  let isWhole: Bool
  private let connection: Connection?
  /// Only where SQLite cannot open it: nothing else may have a descriptor of a ledger.
  private let descriptor: Int32

  /// - Throws: `busy` while others have it open, hold an instance name, or work on a trade.
  init(_ path: String, _ options: Ledger.Options) throws(LedgerError) {
    try ReplacedLedger.expectUnused(path)
    var opened: Connection?
    do throws(SQLiteError) {
      let connection = try Connection.open(
        path, options: OpenOptions(purpose: .alone, wait: .zero))
      try connection.switchToWAL(wait: .zero)
      // The lock is there from the first look at the log on.
      let ending = connection.write(wait: .zero) { () throws(SQLiteError) in
        TransactionDecision.rollback(())
      }
      if case .notBegun(let error) = ending { throw error }
      opened = connection
    } catch {
      if error.isBusy { throw ReplacedLedger.inUse(path, FileUsers.of(path)) }
    }
    connection = opened
    guard let opened else {
      // Damaged beyond opening.
      (contents, isWhole) = (nil, false)
      descriptor = unsafe open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
      guard descriptor >= 0 else { throw RestorePlace.failure("lock", path, errno) }
      guard tl_lock_as_sqlite(descriptor) == 0 else {
        throw ReplacedLedger.inUse(path, FileUsers.of(path))
      }
      return
    }
    descriptor = -1
    contents = try ReplacedLedger.look(LedgerDatabase(connection: opened), options)
    do throws(SQLiteError) {
      try opened.foldLog()
      isWhole = true
    } catch {
      isWhole = false
    }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// A process that has the file open may have no lock on it at this moment.
  private static func expectUnused(_ path: String) throws(LedgerError) {
    let found = FileUsers.of(path)
    guard found.users.isEmpty else { throw inUse(path, found) }
  }

  private static func inUse(_ path: String, _ found: FileUsers) -> LedgerError {
    var who = found.users.map(\.readable).joined(separator: ", ")
    if who.isEmpty { who = "a process that cannot be looked at" }
    return LedgerError(
      .busy, "\(quoted(path)) is in use by \(who)",
      hint: "stop everything that trades with it, dashboards included, then try again; nothing "
        + "was changed", retry: .safe)
  }

  /// nil where it cannot be read as a ledger.
  private static func look(
    _ database: LedgerDatabase, _ options: Ledger.Options
  ) throws(LedgerError) -> Contents? {
    let ending = database.connection.read(wait: .zero) { () throws(LedgerError) -> Found? in
      guard try SchemaInstaller.look(database) == .current else { return nil }
      let epochs = try database.rows(Statements.instanceEpochs) { row throws(SQLiteError) in
        (try row.text(0), try row.integer(1))
      }
      let mode = try database.first(Statements.ledgerMode) { row throws(SQLiteError) in
        try row.text(0)
      }
      guard let mode = mode.flatMap(LedgerMode.init(rawValue:)) else { return nil }
      return Found(
        contents: Contents(
          mode: mode, trades: try SQLiteEngine.count(Statements.countTrades, database),
          epochs: Dictionary(epochs) { max($0, $1) }),
        instances: try database.rows(Statements.instances, [], InstanceRow.read),
        pending: try database.rows(Statements.pendingTrades, [], TradeRow.read))
    }
    // Whatever cannot be read is damaged, and no reason to keep it.
    guard case .rolledBack(let found) = ending, let found else { return nil }
    try expectNobodyAtWork(found, options)
    return found.contents
  }

  private struct Found {
    let contents: Contents
    let instances: [StoredInstance]
    let pending: [StoredTrade]
  }

  /// A process may have a name, or an order on its way, and the file not open at the moment.
  private static func expectNobodyAtWork(
    _ found: Found, _ options: Ledger.Options
  ) throws(LedgerError) {
    let now = options.clock.now()
    for stored in found.instances {
      guard let holder = stored.holder else { continue }
      let state =
        options.processes.identity(of: nil).map {
          SQLiteEngine.judge(holder, $0, options.processes, now)
        } ?? .unseen(remaining: nil)
      if case .dead = state { continue }
      throw LedgerError(
        .busy,
        "the instance \(stored.name) is held by process \(holder.pid)"
          + (holder.host.map { " on \($0)" } ?? "") + (holder.command.map { " (\($0))" } ?? ""),
        hint: "stop it, or 'tradeledger instances evict \(stored.name)' if it cannot be reached; "
          + "nothing was changed", retry: .safe)
    }
    for stored in found.pending {
      guard let remaining = stored.lease?.remaining(at: now), remaining > .zero else { continue }
      throw LedgerError(
        .busy, "trade \(stored.trade.id) of \(stored.trade.bot) is being worked on",
        hint: "let it be settled, or wait \(remaining.readable) for the end of its lease; nothing "
          + "was changed", retry: .safe)
    }
  }
}
