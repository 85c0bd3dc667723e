internal import SQLite

/// A connection to a ledger whose errors are already the ledger's: `SQLiteError` ends here.
struct LedgerDatabase {
  let connection: Connection
  /// When the ledger went back to a backup, as it said when it was opened: a restore keeps
  /// everybody out, so that nobody has the file open who has not read of it. (What a foreign client
  /// enters all the same, the schema tells: see `SQLiteEngine.admit`.)
  var restores: [ClockReading] = []
  var path: String { connection.path }

  func run(_ sql: String, _ values: [Value] = []) throws(LedgerError) {
    do throws(SQLiteError) { try connection.run(sql, values) } catch { throw translate(error) }
  }

  /// Runs a statement once, without keeping it: for DDL.
  func runUncached(_ sql: String) throws(LedgerError) {
    try runScript(sql.hasSuffix(";") ? sql : sql + ";")
  }

  func runScript(_ script: String) throws(LedgerError) {
    do throws(SQLiteError) { try connection.runScript(script) } catch { throw translate(error) }
  }

  func first<T>(
    _ sql: String, _ values: [Value] = [],
    _ transform: (borrowing Row) throws(SQLiteError) -> T
  ) throws(LedgerError) -> T? {
    do throws(SQLiteError) {
      return try connection.firstRow(sql, values, transform)
    } catch { throw translate(error) }
  }

  func rows<T>(
    _ sql: String, _ values: [Value] = [],
    _ transform: (borrowing Row) throws(SQLiteError) -> T
  ) throws(LedgerError) -> [T] {
    do throws(SQLiteError) {
      return try connection.rows(sql, values, transform)
    } catch { throw translate(error) }
  }

  /// Gives each row to `body`, which may keep nothing of it.
  func forEachRow(
    _ sql: String, _ values: [Value], _ body: (borrowing Row) throws(SQLiteError) -> Void
  ) throws(LedgerError) {
    do throws(SQLiteError) {
      try connection.forEachRow(sql, values, body)
    } catch { throw translate(error) }
  }

  /// Whether `sql` gives a row.
  func exists(_ sql: String, _ values: [Value]) throws(LedgerError) -> Bool {
    try first(sql, values) { _ throws(SQLiteError) in true } ?? false
  }

  /// An integer pragma of this project's own choice; 0 where it gives none.
  func pragma(_ name: String) throws(LedgerError) -> Int64 {
    do throws(SQLiteError) {
      return try connection.pragmaInteger(name) ?? 0
    } catch { throw translate(error) }
  }

  func readRestores() throws(LedgerError) -> [ClockReading] {
    try rows(Statements.restores) { row throws(SQLiteError) in
      ClockReading(wall: try TradeRow.requiredInstant(row, 0), boot: try TradeRow.boot(row, 1))
    }
  }

  func translate(_ error: SQLiteError) -> LedgerError { LedgerError(error, path: path) }
}
