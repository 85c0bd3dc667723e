internal import SQLite
internal import TradeLedger

/// Reads the trades of a foreign database.
struct SQLiteSource {
  private let file: ForeignFile
  private let options: ForeignAuditOptions
  private let connection: Connection

  init(_ path: String, _ options: ForeignAuditOptions) throws(ForeignAuditError) {
    file = try ForeignFile(path)
    self.options = options
    let opening = OpenOptions(
      purpose: .examining(try file.traces()), wait: options.wait, cacheCapacity: 4)
    do throws(SQLiteError) {
      connection = try Connection.open(file.path, options: opening)
    } catch { throw file.translate(error) }
  }

  func report() throws(ForeignAuditError) -> ForeignReport {
    let ending = connection.read(wait: options.wait) { () throws(ForeignAuditError) in
      try examine()
    }
    switch ending {
    case .committed(let report), .rolledBack(let report): return report
    case .bodyFailed(let error, _): throw error
    case .notBegun(let error), .commitUnknown(_, let error): throw file.translate(error)
    }
  }

  private func examine() throws(ForeignAuditError) -> ForeignReport {
    let tables = try SchemaReader(connection: connection, file: file)
    let (table, columns) = try tables.trades(options)
    let bots = try tables.bots(of: table, column: columns.bot)
    let needsBots = options.cooldown == nil && columns.cooldown == nil
    if needsBots && bots?.cooldown == nil { throw ColumnChoice.noCooldown }
    let collector = TradeCollector(
      ignoresStatus: options.ignoresStatus, cooldownColumn: columns.cooldown)
    try read(table, columns, into: collector)
    var names: [String: String] = [:]
    var cooldowns: [String: Int64] = [:]
    if let bots { (names, cooldowns) = try read(bots, withCooldown: needsBots) }
    let shown = ExaminedColumns(
      table: table.name, bot: columns.bot, botName: bots?.nameColumn, time: columns.time,
      id: columns.id, status: columns.status,
      cooldown: columns.cooldown?.name ?? (needsBots ? bots?.cooldownColumn : nil))
    return ForeignReport(
      path: file.path, columns: shown, collector: collector,
      judge: CooldownJudge(given: options.cooldown, collector: collector, bots: cooldowns),
      names: names, look: .sqlite(path: file.path, table: table.name, id: columns.id))
  }

  private func read(
    _ table: TableShape, _ columns: ColumnChoice, into collector: TradeCollector
  ) throws(ForeignAuditError) {
    let sql = ForeignStatements.rows(of: table.name, columns: columns.names)
    let used = columns.names.indices.filter { columns.names[$0] != nil }
    try forEachRow(sql) { row, failure in
      for index in used {
        collector.fields[index].value = row.stored(index, bytes: &collector.fields[index].bytes)
      }
      do throws(ForeignAuditError) { try collector.take() } catch { failure = error }
    }
  }

  private func read(
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
  private func forEachRow(
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
