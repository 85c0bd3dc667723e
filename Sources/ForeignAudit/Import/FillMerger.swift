internal import TradeLedger

/// Puts fills together to orders: what was executed piece by piece is one trade of the ledger.
struct FillMerger {
  struct Fill {
    let bot: BotName
    let side: Side
    let symbol: Symbol
    let at: Timestamp
    let quantity: ExactNumber
    let price: ExactNumber?
  }

  struct MergedOrder {
    let key: OrderKey
    let place: ForeignPlace
    let first: Fill
    var quantity: ExactNumber
    var last: Timestamp
    /// Price times quantity; nil where it has too many digits or a price is missing.
    fileprivate var value: ExactNumber?
    fileprivate var hasOnePrice = true
    fileprivate var isSpoiled = false

    /// The price of its fills, or their mean by volume.
    func price() throws(Rejection) -> (ExactNumber?, isMean: Bool) {
      guard !isSpoiled else { throw Rejection("another fill of its order was rejected") }
      if hasOnePrice { return (first.price, false) }
      return (value.flatMap { $0.divided(by: quantity, places: 18) }, true)
    }
  }

  private(set) var orders: [MergedOrder] = []
  private var numbers: [OrderKey: Int] = [:]
  private var spoiled: Set<OrderKey> = []

  mutating func add(
    _ fill: Fill, to key: OrderKey, _ place: ForeignPlace
  ) throws(Rejection) {
    let value = fill.price.flatMap { $0 * fill.quantity }
    guard let number = numbers[key] else {
      numbers[key] = orders.count
      orders.append(
        MergedOrder(
          key: key, place: place, first: fill, quantity: fill.quantity, last: fill.at,
          value: value, isSpoiled: spoiled.contains(key)))
      return
    }
    let order = orders[number]
    guard (order.first.bot, order.first.side) == (fill.bot, fill.side),
      order.first.symbol == fill.symbol
    else { throw Rejection("its order is another one's at \(order.place)") }
    guard let quantity = order.quantity + fill.quantity else {
      throw Rejection("the quantity of its order has too many digits")
    }
    orders[number].quantity = quantity
    orders[number].last = max(order.last, fill.at)
    orders[number].hasOnePrice = order.hasOnePrice && order.first.price == fill.price
    orders[number].value = order.value.flatMap { sum in value.flatMap { sum + $0 } }
  }

  /// An order of which a fill cannot be read is not whole.
  mutating func spoil(_ key: OrderKey) {
    spoiled.insert(key)
    if let number = numbers[key] { orders[number].isSpoiled = true }
  }
}
