internal import SQLite
internal import TradeLedger

/// Fills a ledger with trades, as any client of SQLite can: all triggers look at each row.
enum BenchRows {
  /// Adds `count` recorded trades of the bot with id 1.
  /// - Throws: `io` where SQLite does not write them.
  static func fill(_ path: String, _ count: Int) throws(LedgerError) {
    do throws(SQLiteError) {
      let connection = try Connection.open(
        path, options: OpenOptions(purpose: .writing, wait: .seconds(30)))
      connection.startWait(.seconds(30))
      var done = 0
      while done < count {
        let now = MomentClock().now()
        let part = min(100_000, count - done)
        try connection.run(
          insertTrades,
          [.integer(Int64(done)), .integer(Int64(part)), .integer(now.wall)])
        try connection.run("PRAGMA wal_checkpoint(TRUNCATE)")
        done += part
      }
    } catch {
      throw LedgerError(
        .io, "cannot fill the ledger \(escaped(path)): \(error.message)",
        hint: "is there room in the directory? give another one with --dir")
    }
  }

  /// ?1 how many there are, ?2 how many more, ?3 now. The bots that trade have no cooldown.
  private static let insertTrades = """
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
    INSERT INTO trades (bot_id, key, origin, side, symbol, quantity, cooldown_us, created_at,
      status, filled_at, filled_quantity, received_at)
    SELECT 1, printf('00000000-%019d', ?1 + i), 'record', 'buy', 'BTC-USD', '0.25', 0, ?3,
      'filled', ?3, '0.25', ?3
    FROM n
    """
}
