internal import TradeLedger

/// Reads facts out of JSON: trades as ccxt unifies them, or what this program itself writes.
struct JSONFacts {
  private let file: ForeignFile
  private let format: ForeignFactOptions.Format

  init(
    _ path: String, _ format: ForeignFactOptions.Format, _ options: ForeignFactOptions
  ) throws(ForeignAuditError) {
    file = try ForeignFile(path)
    self.format = format
    guard format != .ccxt || options.botName != nil else {
      throw ForeignAuditError(
        .usage, "trades of ccxt do not say which bot has made them",
        hint: "name it with --bot-name")
    }
  }

  func read(into collector: FactCollector) throws(ForeignAuditError) {
    collector.result.path = file.path
    collector.result.columns =
      format == .ccxt
      ? [
        ("id", "symbol, order (or symbol, id)"), ("quantity", "amount"), ("price", "price"),
        ("time", "timestamp (or datetime)"),
      ] : []
    try ForeignFile.reading(file.path) { descriptor throws(ForeignAuditError) in
      var reader = try JSONReader(descriptor, path: file.path)
      while let value = try reader.next() {
        let place = ForeignPlace.line(reader.line)
        guard case .object = value else {
          collector.reject(place, "no JSON object")
          continue
        }
        if format == .ccxt {
          collector.row = JSONFacts.ccxt(value)
          collector.takeFill(place)
        } else if let row = JSONFacts.own(value) {
          collector.row = row
          collector.take(place)
        } else {
          collector.reject(place, "no tradeledger.trade/1; for trades of ccxt there is --ccxt")
        }
      }
    }
  }

  /// Fills of one order belong together; a trade without an order stands alone.
  private static func ccxt(_ value: JSONText) -> RowFields {
    var row = RowFields()
    let order = value["order"].field
    let id = value["id"].field
    var parts = [value["symbol"].field.text]
    if !order.isMissing {
      parts.append(order.text)
    } else if !id.isMissing {
      parts += ["trade", id.text]
    } else {
      parts = []
    }
    row.set(.id, text: parts.joined(separator: String(FactCollector.divider)))
    row[.side] = value["side"].field
    row[.symbol] = value["symbol"].field
    row[.quantity] = value["amount"].field
    row[.price] = value["price"].field
    row[.fillTime] = value["timestamp"].field
    row[.creationTime] = value["datetime"].field
    return row
  }

  /// nil for what is no trade of a ledger.
  private static func own(_ value: JSONText) -> RowFields? {
    guard value["schema"].field.text == "tradeledger.trade/1" else { return nil }
    let trade = value["trade"]
    var row = RowFields()
    let names: [(FactField, String)] = [
      (.key, "key"), (.bot, "bot"), (.side, "side"), (.symbol, "symbol"),
      (.executedQuantity, "filled_quantity"), (.quantity, "quantity"),
      (.executedPrice, "filled_price"), (.price, "price"), (.fillTime, "filled_at"),
      (.creationTime, "created_at"), (.status, "status"),
    ]
    for (field, name) in names { row[field] = trade[name].field }
    return row
  }
}
