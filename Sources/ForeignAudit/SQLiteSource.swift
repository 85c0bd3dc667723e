internal import SQLite
internal import TradeLedger

/// Reads the trades of a foreign database.
struct SQLiteSource {
  private let options: ForeignAuditOptions
  private let database: ForeignDatabase
  private var file: ForeignFile { database.file }

  init(_ path: String, _ options: ForeignAuditOptions) throws(ForeignAuditError) {
    self.options = options
    database = try ForeignDatabase(path, wait: options.wait)
  }

  func report() throws(ForeignAuditError) -> ForeignReport {
    try database.snapshot { () throws(ForeignAuditError) in try examine() }
  }

  private func examine() throws(ForeignAuditError) -> ForeignReport {
    let tables = try database.schema()
    let (table, columns) = try tables.trades(options)
    let bots = try tables.bots(of: table, column: columns.bot)
    let needsBots = options.cooldown == nil && columns.cooldown == nil
    if needsBots && bots?.cooldown == nil { throw ColumnChoice.noCooldown }
    let collector = TradeCollector(
      ignoresStatus: options.ignoresStatus, cooldownColumn: columns.cooldown)
    try read(table, columns, into: collector)
    var names: [String: String] = [:]
    var cooldowns: [String: Int64] = [:]
    if let bots { (names, cooldowns) = try database.read(bots, withCooldown: needsBots) }
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
    try database.forEachRow(sql) { row, failure in
      for index in used {
        collector.fields[index].value = row.stored(index, bytes: &collector.fields[index].bytes)
      }
      do throws(ForeignAuditError) { try collector.take() } catch { failure = error }
    }
  }
}
