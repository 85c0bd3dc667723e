internal import SQLite
internal import TradeLedger

#if PostgreSQL
  internal import PostgreSQL
#endif
#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Reads a ledger as any client of its database can: by its tables, without the library that wrote
/// them.
enum LedgerRows {
  /// The rows of `bots`, of the ledger at a path or a URL.
  /// - Throws: `io` where they cannot be read.
  static func read(_ place: String, bots: Set<String>) throws(LedgerError) -> StoredRows {
    let ahead = MomentClock().wallAheadOfBoot()
    let tables = try tables(place)
    do throws(NotARow) {
      var stored = StoredRows()
      stored.bots = try tables[0].map { columns throws(NotARow) in try LedgerRows.terms(columns) }
      stored.rows = try tables[1].map { columns throws(NotARow) in
        try LedgerRows.trade(columns, ahead)
      }
      stored.conflicts = try tables[2].map { columns throws(NotARow) in
        ConflictRow(bot: try columns.text(0), trade: try columns.integer(1))
      }
      stored.bots.removeAll { !bots.contains($0.name) }
      stored.rows.removeAll { !bots.contains($0.bot) }
      stored.conflicts.removeAll { !bots.contains($0.bot) }
      return stored
    } catch {
      throw LedgerRows.unreadable(place, "column \(error.column + 1) holds something else")
    }
  }

  // MARK: Statements, which SQLite and PostgreSQL understand

  private static func statements(schema: String) -> [String] {
    let settings = """
      SELECT b.name, s.cooldown_us, s.lease_us,
        CASE s.in_doubt WHEN 'block' THEN 1 ELSE 0 END, s.enabled
      FROM \(schema).bots AS b JOIN \(schema).settings AS s ON s.id = (
        SELECT MAX(newest.id) FROM \(schema).settings AS newest WHERE newest.bot_id = b.id)
      ORDER BY b.name
      """
    let trades = """
      SELECT t.id, b.name, t.key, t.status, t.created_at, t.created_boot_us, t.filled_at,
        t.filled_boot_us, t.received_at, t.cooldown_us, t.lease_until, t.pid,
        CASE WHEN t.settled_with IS NULL THEN NULL WHEN t.settled_with = t.token THEN 'holder'
          WHEN t.settled_with = 'operator' THEN 'operator' ELSE 'stranger' END,
        t.instance, t.epoch
      FROM \(schema).trades AS t JOIN \(schema).bots AS b ON b.id = t.bot_id ORDER BY t.id
      """
    let conflicts = """
      SELECT b.name, c.trade_id
      FROM \(schema).conflicts AS c JOIN \(schema).bots AS b ON b.id = c.bot_id ORDER BY c.id
      """
    return [settings, trades, conflicts]
  }

  private static func tables(_ place: String) throws(LedgerError) -> [[Columns]] {
    guard Ledger.isServer(place) else { return try fileTables(place) }
    #if PostgreSQL
      return try serverTables(place)
    #else
      throw unreadable(place, "this program has no PostgreSQL engine")
    #endif
  }

  private static func fileTables(_ path: String) throws(LedgerError) -> [[Columns]] {
    do throws(SQLiteError) {
      let connection = try SQLite.Connection.open(
        realPath(path), options: OpenOptions(purpose: .reading(keepsLog: true), wait: .seconds(30)))
      connection.startWait(.seconds(30))
      return try statements(schema: "main").map { sql throws(SQLiteError) in
        try connection.rows(sql) { row throws(SQLiteError) in
          var bytes: [UInt8] = []
          return Columns(
            texts: (0..<row.count).map { column in
              switch row.stored(column, bytes: &bytes) {
              case .null: nil
              case .integer(let integer): String(integer)
              case .real(let real): String(real)
              case .text, .blob: String(decoding: bytes, as: UTF8.self)
              }
            })
        }
      }
    } catch { throw unreadable(path, error.message) }
  }

  #if PostgreSQL
    private static func serverTables(_ url: String) throws(LedgerError) -> [[Columns]] {
      do throws(PostgreSQLError) {
        let connection = try PostgreSQL.Connection.open(try Address(url), wait: .seconds(30))
        let queries = statements(schema: "tradeledger").map { Query($0) }
        return try connection.run(inOneSnapshot: queries, wait: .seconds(30)).map { answer in
          (0..<answer.rowCount).map { row in
            Columns(texts: (0..<answer.columnCount).map { answer.text(row, $0) })
          }
        }
      } catch { throw unreadable(url, error.description) }
    }
  #endif

  private static func unreadable(_ place: String, _ why: String) -> LedgerError {
    LedgerError(
      .io, "cannot read the rows of \(escaped(Ledger.displayName(of: place))): \(escaped(why))",
      hint: "look at the ledger with 'tradeledger doctor', as its owner")
  }

  // MARK: Rows

  private struct NotARow: Error {
    let column: Int
  }

  /// One row as text, which both databases can give.
  private struct Columns {
    let texts: [String?]

    func text(_ column: Int) throws(NotARow) -> String {
      guard let text = texts[column] else { throw NotARow(column: column) }
      return text
    }

    func integer(_ column: Int) throws(NotARow) -> Int64 {
      guard let integer = try optionalInteger(column) else { throw NotARow(column: column) }
      return integer
    }

    func optionalInteger(_ column: Int) throws(NotARow) -> Int64? {
      guard let text = texts[column] else { return nil }
      guard let integer = Int64(text) else { throw NotARow(column: column) }
      return integer
    }
  }

  private static func terms(_ row: Columns) throws(NotARow) -> BotTerms {
    BotTerms(
      name: try row.text(0), cooldown: try row.integer(1), lease: try row.integer(2),
      blocks: try row.integer(3) != 0, isEnabled: try row.integer(4) != 0)
  }

  /// - Parameter ahead: what the wall clock is ahead of the boot clock, for machines that do not
  ///   say when they were started, and for servers, which do not either.
  private static func trade(_ row: Columns, _ ahead: Int64) throws(NotARow) -> TradeRow {
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
      settledBy: row.texts[12].flatMap { Settler(rawValue: $0) },
      instance: row.texts[13], epoch: try row.optionalInteger(14))
  }

  /// SQLite follows no links here. What cannot be resolved is left to SQLite to complain about.
  private static func realPath(_ path: String) -> String {
    guard let real = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
  }
}
