internal import SQLite
internal import TradeLedger

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Reads a ledger as any client of SQLite can: by its tables, read-only, without the library that
/// wrote them.
enum LedgerRows {
  /// The rows of `bots`.
  /// - Throws: `io` where SQLite cannot read the file.
  static func read(_ path: String, bots: Set<String>) throws(LedgerError) -> StoredRows {
    do throws(SQLiteError) {
      let connection = try Connection.open(
        realPath(path), options: OpenOptions(purpose: .reading(keepsLog: true), wait: .seconds(30)))
      connection.startWait(.seconds(30))
      let ahead = MomentClock().wallAheadOfBoot()
      var stored = StoredRows()
      stored.bots = try connection.rows(LedgerRows.settings) { row throws(SQLiteError) in
        try LedgerRows.terms(row)
      }
      stored.rows = try connection.rows(LedgerRows.trades) { row throws(SQLiteError) in
        try LedgerRows.trade(row, ahead)
      }
      stored.conflicts = try connection.rows(LedgerRows.conflicts) { row throws(SQLiteError) in
        ConflictRow(bot: try row.text(0), trade: try row.integer(1))
      }
      stored.bots.removeAll { !bots.contains($0.name) }
      stored.rows.removeAll { !bots.contains($0.bot) }
      stored.conflicts.removeAll { !bots.contains($0.bot) }
      return stored
    } catch {
      throw LedgerError(
        .io, "cannot read the rows of \(escaped(path)): \(error.message)",
        hint: "look at the file with 'tradeledger doctor'")
    }
  }

  private static let settings = """
    SELECT name, cooldown_us, lease_us, in_doubt = 'block', enabled
    FROM bots JOIN settings ON settings.id = (
      SELECT MAX(id) FROM settings AS newest WHERE newest.bot_id = bots.id)
    ORDER BY name
    """

  private static let trades = """
    SELECT trades.id, name, key, status, created_at, created_boot_us, filled_at, filled_boot_us,
      received_at, cooldown_us, lease_until, pid,
      CASE WHEN settled_with IS NULL THEN NULL WHEN settled_with = token THEN 'holder'
        WHEN settled_with = 'operator' THEN 'operator' ELSE 'stranger' END,
      instance, epoch
    FROM trades JOIN bots ON bots.id = bot_id ORDER BY trades.id
    """

  private static let conflicts = """
    SELECT name, trade_id FROM conflicts JOIN bots ON bots.id = bot_id ORDER BY conflicts.id
    """

  private static func terms(_ row: borrowing Row) throws(SQLiteError) -> BotTerms {
    BotTerms(
      name: try row.text(0), cooldown: try row.integer(1), lease: try row.integer(2),
      blocks: try row.integer(3) != 0, isEnabled: try row.integer(4) != 0)
  }

  /// - Parameter ahead: what the wall clock is ahead of the boot clock, for machines that do not
  ///   say when they were started.
  private static func trade(
    _ row: borrowing Row, _ ahead: Int64
  ) throws(SQLiteError) -> TradeRow {
    let created = try row.integer(4)
    let filled = try row.optionalInteger(6)
    let filledBoot = try row.optionalInteger(7)
    return TradeRow(
      id: try row.integer(0), bot: try row.text(1), key: try row.text(2),
      status: RowStatus(rawValue: try row.text(3)) ?? .pending, createdAt: created,
      createdBoot: try row.optionalInteger(5) ?? created - ahead, filledAt: filled,
      filledBoot: filledBoot ?? filled.map { $0 - ahead }, receivedAt: try row.optionalInteger(8),
      cooldown: try row.integer(9), leaseUntil: try row.optionalInteger(10),
      pid: try row.optionalInteger(11).map { Int32(truncatingIfNeeded: $0) },
      settledBy: try row.optionalText(12).flatMap { Settler(rawValue: $0) },
      instance: try row.optionalText(13), epoch: try row.optionalInteger(14))
  }

  /// SQLite follows no links here. What cannot be resolved is left to SQLite to complain about.
  private static func realPath(_ path: String) -> String {
    guard let real = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
  }
}
