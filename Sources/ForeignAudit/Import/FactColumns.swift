internal import TradeLedger

/// The columns of facts, named by the caller or guessed.
struct FactColumns: Equatable {
  /// In the order of ``FactField``; nil for what is not read.
  let names: [String?]

  /// - Parameter key: the one column of the primary key, where there is one.
  /// - Throws: `noInput` for a name that is not there, `badData` where a column cannot be guessed,
  ///   `usage` where nobody says what the ids belong to.
  init(
    _ options: ForeignFactOptions, among columns: [String], primaryKey: String? = nil,
    place: String
  ) throws(ForeignAuditError) {
    var missing: [String] = []
    func guess(_ words: [String]) -> String? { Vocabulary.first(words, in: columns) }
    func named(_ name: String?) throws(ForeignAuditError) -> String? {
      guard let name else { return nil }
      return try ColumnChoice.find(name, in: columns)
    }
    func required(_ name: String?, _ words: [String], _ option: String) throws(ForeignAuditError)
      -> String?
    {
      let found = try named(name) ?? guess(words)
      if found == nil { missing.append(option) }
      return found
    }
    let bot =
      options.botName == nil ? try required(options.bot, Vocabulary.bots, "--bot") : nil
    let side = try required(options.side, Vocabulary.sides, "--side")
    let symbol = try required(options.symbol, Vocabulary.symbols, "--symbol")
    let quantity = try named(options.quantity)
    let price = try named(options.price)
    let time = try named(options.time)
    let executed = quantity == nil ? guess(Vocabulary.executedQuantities) : nil
    let ordered = quantity ?? guess(Vocabulary.quantities)
    if executed ?? ordered == nil { missing.append("--quantity") }
    let filled = time == nil ? guess(Vocabulary.fillTimes) : nil
    let created = time ?? guess(Vocabulary.creationTimes)
    if filled ?? created == nil { missing.append("--time") }
    let key = try named(options.key) ?? (options.id == nil ? guess(Vocabulary.keys) : nil)
    let ids = Vocabulary.ids.filter { $0 != bot.map(Vocabulary.plain) }
    let id = try named(options.id) ?? primaryKey ?? guess(ids)
    if key ?? id == nil { missing.append("--id") }
    guard missing.isEmpty else {
      throw ForeignAuditError(
        .badData,
        "\(place) has no column that looks right for \(missing.joined(separator: ", "))",
        hint: "name the columns with these options"
          + (missing.contains("--bot") ? ", or the one bot with --bot-name" : "")
          + "; the columns are: " + list(columns))
    }
    guard key != nil || options.source != nil else {
      throw ForeignAuditError(
        .usage, "nothing says what the ids of column \(quoted(id ?? "")) belong to",
        hint: "name their source, the same for each file of it, for example --source binance; or "
          + "the column of the client order ids with --key")
    }
    names = [
      key, id, bot, side, symbol, executed, ordered,
      price == nil ? guess(Vocabulary.executedPrices) : nil, price ?? guess(Vocabulary.prices),
      filled, created, try named(options.status) ?? guess(Vocabulary.statuses),
    ]
  }

  /// For people: what was read from where.
  var shown: [(what: String, column: String)] {
    func both(_ first: FactField, _ second: FactField) -> String? {
      let found = [names[first.rawValue], names[second.rawValue]].compactMap { $0 }
      return found.count == 2 ? "COALESCE(\(found[0]), \(found[1]))" : found.first
    }
    let all: [(String, String?)] = [
      ("key", names[FactField.key.rawValue]),
      ("id", names[FactField.key.rawValue] == nil ? names[FactField.id.rawValue] : nil),
      ("bot", names[FactField.bot.rawValue]), ("side", names[FactField.side.rawValue]),
      ("symbol", names[FactField.symbol.rawValue]),
      ("quantity", both(.executedQuantity, .quantity)), ("price", both(.executedPrice, .price)),
      ("time", both(.fillTime, .creationTime)), ("status", names[FactField.status.rawValue]),
    ]
    return all.compactMap { what, column in column.map { (what, $0) } }
  }
}

/// More words, of what an audit does not ask for.
extension Vocabulary {
  static let keys = ["key", "client_order_id"]
  static let sides = [
    "side", "order_side", "trade_side", "direction", "buy_sell", "trade_type", "action",
  ]
  static let symbols = [
    "symbol", "pair", "trading_pair", "instrument", "market", "ticker", "product", "product_id",
  ]
  /// What was executed comes before what was ordered, row by row.
  static let executedQuantities = [
    "filled_quantity", "filled_qty", "executed_quantity", "executed_qty", "filled_amount", "filled",
  ]
  static let quantities = ["quantity", "qty", "amount", "size", "volume", "shares"]
  static let executedPrices = [
    "filled_price", "fill_price", "executed_price", "average_price", "avg_price", "average",
  ]
  static let prices = ["price", "rate", "limit_price"]

  /// Orders of which nobody can tell yet whether they were executed.
  static let undecided: Set<String> = [
    "pending", "indoubt", "open", "new", "created", "submitted", "accepted", "placed",
  ]

  static func isUndecided(_ status: String) -> Bool {
    undecided.contains(plain(String(status.split(separator: ".").last ?? "")))
  }
}
