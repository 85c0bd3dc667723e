internal import SQLite
internal import TradeLedger

/// The database of a hummingbot: the fills of its table `TradeFill`, put together to orders.
struct HummingbotFile {
  private let database: ForeignDatabase
  private let bot: String
  private let files: PeerTables

  init(_ path: String, bot: String?, wait: Duration) throws(ForeignAuditError) {
    database = try ForeignDatabase(path, wait: wait)
    // A strategy may run several times, each with a file of settings of its own.
    self.bot = bot ?? "config_file_path"
    files = PeerTables(database: database, peer: "hummingbot")
  }

  private static let columns = [
    "market", "order_id", "symbol", "trade_type", "price", "amount", "timestamp",
  ]

  private func botColumn() throws(ForeignAuditError) -> String {
    let table = try files.table("TradeFill", HummingbotFile.columns)
    return try ColumnChoice.find(bot, in: table.columns)
  }

  func read(_ collector: FactCollector) throws(ForeignAuditError) {
    try database.snapshot { () throws(ForeignAuditError) in
      let botColumn = try botColumn()
      collector.result.path = database.file.path
      collector.result.columns = [
        ("table", "TradeFill"), ("id", "market, order_id"), ("bot", botColumn),
        ("quantity", "amount"), ("price", "price"), ("time", "timestamp"),
      ]
      let sql = ForeignStatements.rows(
        of: "TradeFill", columns: HummingbotFile.columns + [botColumn, "rowid"])
      try database.forEachRow(sql) { row, _ in
        var cells = [Field](repeating: Field(), count: HummingbotFile.columns.count + 2)
        for index in cells.indices {
          cells[index].value = row.stored(index, bytes: &cells[index].bytes)
        }
        collector.row = HummingbotFile.fields(cells)
        collector.takeFill(.id(cells[8].text))
      }
    }
  }

  private static func fields(_ cells: [Field]) -> RowFields {
    var fields = RowFields()
    let parts = [cells[0].text, cells[1].text]
    fields.set(.id, text: parts.joined(separator: String(FactCollector.divider)))
    fields[.symbol] = cells[2]
    fields[.side] = cells[3]
    fields[.price] = scaled(cells[4])
    fields[.quantity] = scaled(cells[5])
    fields[.fillTime] = cells[6]
    fields[.bot] = cells[7]
    return fields
  }

  /// Whole numbers are millionths. (Before 2022 the columns held floating-point numbers.)
  private static func scaled(_ cell: Field) -> Field {
    guard case .integer(let value) = cell.value else { return cell }
    let number = ExactNumber(UInt128(value.magnitude), scale: 6, isNegative: value < 0)
    return Field(value: .text, bytes: Array(number.plain.utf8))
  }

  func report(_ options: ForeignAuditOptions) throws(ForeignAuditError) -> ForeignReport {
    try database.snapshot { () throws(ForeignAuditError) in
      let botColumn = try botColumn()
      let collector = TradeCollector(ignoresStatus: true, cooldownColumn: nil)
      try database.forEachRow(ForeignStatements.hummingbotOrders(bot: botColumn)) { row, failure in
        for (place, column) in [Column.id, .bot, .fillTime].enumerated() {
          collector.fields[column.rawValue].value = row.stored(
            place, bytes: &collector.fields[column.rawValue].bytes)
        }
        do throws(ForeignAuditError) { try collector.take() } catch { failure = error }
      }
      return files.report(
        collector, options, table: "TradeFill", id: "order_id",
        columns: [("bot", botColumn), ("time", "MAX(timestamp) of each order")])
    }
  }
}
