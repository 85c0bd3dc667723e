internal import SQLite
internal import TradeLedger

/// The database of a freqtrade bot: each executed order of the table `orders` is a trade.
///
/// Its own `trades` are positions, which are opened and closed by several orders.
struct FreqtradeFile {
  private let database: ForeignDatabase
  private let bot: String?
  private let files: PeerTables

  init(_ path: String, bot: String?, wait: Duration) throws(ForeignAuditError) {
    database = try ForeignDatabase(path, wait: wait)
    self.bot = bot
    files = PeerTables(database: database, peer: "freqtrade")
  }

  /// The statement gives these, in this order.
  private enum Cell: Int {
    case id, orderID, pair, exchangeSide, orderSide, isShort, filled, amount, average, price,
      filledAt,
      createdAt, status, isOpen, exchange, bot
  }

  /// Gives each executed order to `body`, as fields of a fact, with its number.
  ///
  /// What the exchange has executed counts, whatever became of the rest of the order.
  private func forEachOrder(
    _ collector: FactCollector, _ body: (RowFields, String, _ isOpen: Bool) -> Void
  ) throws(ForeignAuditError) {
    let orders = try files.table("orders", ["id", "order_id", "ft_pair", "ft_order_side"])
    let trades = try files.table("trades", ["id"])
    let botColumn = try ColumnChoice.find(bot ?? "strategy", in: trades.columns)
    let sql = ForeignStatements.freqtradeOrders(
      orders: orders.columns, trades: trades.columns, bot: botColumn)
    collector.result.path = database.file.path
    collector.result.columns = [
      ("table", "orders"), ("id", "trades.exchange, ft_pair, order_id"),
      ("bot", "trades.\(botColumn)"), ("quantity", "filled"), ("price", "COALESCE(average, price)"),
      ("time", "COALESCE(order_filled_date, order_date)"),
    ]
    try database.forEachRow(sql) { row, _ in
      var cells = [Field](repeating: Field(), count: Cell.bot.rawValue + 1)
      for index in cells.indices {
        cells[index].value = row.stored(index, bytes: &cells[index].bytes)
      }
      func cell(_ cell: Cell) -> Field { cells[cell.rawValue] }
      let isOpen = cell(.isOpen).text == "1"
      var executed = cell(.filled)
      // Older versions did not say how much of a closed order was executed: all of it.
      if executed.isMissing && !isOpen && Vocabulary.counts(cell(.status).text) {
        executed = cell(.amount)
      }
      guard FreqtradeFile.isMoreThanZero(executed) else {
        collector.countNotExecuted(cell(.status).isMissing ? "no fill" : cell(.status).text)
        return
      }
      var fields = RowFields()
      let parts = [cell(.exchange).text, cell(.pair).text, cell(.orderID).text]
      fields.set(.id, text: parts.joined(separator: String(FactCollector.divider)))
      fields[.bot] = cell(.bot)
      fields[.symbol] = cell(.pair)
      fields.set(.side, text: side(cell(.orderSide), cell(.exchangeSide), cell(.isShort)))
      fields[.quantity] = executed
      fields[.executedPrice] =
        FreqtradeFile.isMoreThanZero(cell(.average)) ? cell(.average) : Field()
      fields[.price] = cell(.price)
      fields[.fillTime] = cell(.filledAt)
      fields[.creationTime] = cell(.createdAt)
      body(fields, cell(.id).text, isOpen)
    }
  }

  /// A stop loss on the exchange closes a position: it sells, or buys back what was sold short.
  private func side(_ orderSide: Field, _ exchangeSide: Field, _ isShort: Field) -> String {
    guard orderSide.text == "stoploss" else { return orderSide.text }
    if !exchangeSide.isMissing { return exchangeSide.text }
    return isShort.text == "1" ? "buy" : "sell"
  }

  private static func isMoreThanZero(_ field: Field) -> Bool {
    switch field.value {
    case .integer(let value): value > 0
    case .real(let value): value > 0
    // What cannot be read is rejected later, with a reason.
    case .text: field.text != "0" && !field.bytes.isEmpty
    case .null, .blob: false
    }
  }

  func read(_ collector: FactCollector) throws(ForeignAuditError) {
    try database.snapshot { () throws(ForeignAuditError) in
      try forEachOrder(collector) { fields, id, isOpen in
        guard !isOpen else {
          collector.reject(
            .id(id), "it is executed in part and still open; import it once it is closed")
          return
        }
        collector.row = fields
        collector.take(.id(id))
      }
      collector.result.tradesWithoutOrders = try files.count(
        ForeignStatements.freqtradeTradesWithoutOrders)
    }
  }

  /// The same orders, for an audit.
  func report(_ options: ForeignAuditOptions) throws(ForeignAuditError) -> ForeignReport {
    try database.snapshot { () throws(ForeignAuditError) in
      let facts = FactCollector(
        ForeignFactOptions(now: .latest), source: nil)
      let collector = TradeCollector(ignoresStatus: true, cooldownColumn: nil)
      var failure: ForeignAuditError?
      try forEachOrder(facts) { fields, id, _ in
        collector.fields[Column.id.rawValue] = PeerTables.integer(id)
        collector.fields[Column.bot.rawValue] = fields[.bot]
        collector.fields[Column.fillTime.rawValue] = fields[.fillTime]
        collector.fields[Column.creationTime.rawValue] = fields[.creationTime]
        do throws(ForeignAuditError) { try collector.take() } catch { failure = error }
      }
      if let failure { throw failure }
      return files.report(
        collector, options, table: "orders", id: "id", columns: facts.result.columns)
    }
  }
}
