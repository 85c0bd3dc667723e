internal import SQLite

/// A database of somebody else's, open for reading.
struct ForeignDatabase {
  let file: ForeignFile
  private let connection: Connection
  private let wait: Duration

  init(_ path: String, wait: Duration) throws(ForeignAuditError) {
    file = try ForeignFile(path)
    self.wait = wait
    let opening = OpenOptions(
      purpose: .examining(try file.traces()), wait: wait, cacheCapacity: 4)
    do throws(SQLiteError) {
      connection = try Connection.open(file.path, options: opening)
    } catch { throw file.translate(error) }
  }

  /// Runs `body` in one snapshot, even while others write.
  func snapshot<Result>(
    _ body: () throws(ForeignAuditError) -> Result
  ) throws(ForeignAuditError) -> Result {
    switch connection.read(wait: wait, body) {
    case .committed(let result), .rolledBack(let result): return result
    case .bodyFailed(let error, _): throw error
    case .notBegun(let error), .commitUnknown(_, let error): throw file.translate(error)
    }
  }

  func schema() throws(ForeignAuditError) -> SchemaReader {
    try SchemaReader(connection: connection, file: file)
  }

  /// The names and the cooldowns of bots, by what stands in their trades.
  func read(
    _ bots: BotTable, withCooldown: Bool
  ) throws(ForeignAuditError) -> ([String: String], [String: Int64]) {
    var names: [String: String] = [:]
    var cooldowns: [String: Int64] = [:]
    let column = withCooldown ? bots.cooldown : nil
    let sql = ForeignStatements.rows(
      of: bots.table, columns: [bots.key, bots.name, column?.name])
    var cells = [Field(), Field(), Field()]
    try forEachRow(sql) { row, failure in
      for index in 0..<3 { cells[index].value = row.stored(index, bytes: &cells[index].bytes) }
      if !cells[1].isMissing { names[cells[0].text] = cells[1].text }
      do throws(ForeignAuditError) {
        if let cooldown = try column?.microseconds(cells[2]) { cooldowns[cells[0].text] = cooldown }
      } catch { failure = error }
    }
    return (names, cooldowns)
  }

  /// Stops at the first row for which `body` sets the error.
  func forEachRow(
    _ sql: String, _ body: (borrowing Row, inout ForeignAuditError?) -> Void
  ) throws(ForeignAuditError) {
    var failure: ForeignAuditError?
    do throws(SQLiteError) {
      try connection.forEachRow(sql, []) { row throws(SQLiteError) in
        body(row, &failure)
        if failure != nil { throw SQLiteError(code: 4, message: "stopped", operation: sql) }
      }
    } catch { throw failure ?? file.translate(error) }
  }
}
