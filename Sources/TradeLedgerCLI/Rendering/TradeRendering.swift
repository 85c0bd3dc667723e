internal import TradeLedger

extension JSON {
  /// A trade with what came of a call about it.
  static func answer(_ outcome: String, _ trade: Trade, _ permit: Permit? = nil) -> JSON {
    [
      "schema": "tradeledger.trade/1", "outcome": .string(outcome), "trade": .trade(trade),
      "permit": permit.map { .permit($0) } ?? .null,
    ]
  }

  /// A trade that somebody looks at: the outcome is where it stands.
  static func view(_ trade: Trade) -> JSON { answer(trade.status.outcome, trade) }

  static func trade(_ trade: Trade) -> JSON {
    [
      "id": .int(trade.id.value), "bot": .text(trade.bot), "key": .text(trade.key),
      "side": .string(trade.order.side.rawValue), "symbol": .text(trade.order.symbol),
      "quantity": .text(trade.order.quantity), "price": .text(trade.order.price),
      "status": .string(trade.status.rawValue), "created_at": .text(trade.createdAt),
      "filled_at": .text(trade.filledAt), "cooldown_us": .int(trade.cooldown.wholeMicroseconds),
      "lease_until": .text(trade.leaseUntil), "late": .bool(trade.isLate),
      "instance": .text(trade.instance?.name), "epoch": .number(trade.instance?.epoch.value),
      "origin": .string(trade.origin.rawValue), "filled_quantity": .text(trade.filledQuantity),
      "filled_price": .text(trade.filledPrice), "exchange_at": .text(trade.exchangeAt),
      "received_at": .text(trade.receivedAt), "superseded": .bool(trade.isSuperseded),
      "by_operator": .bool(trade.isSettledByOperator), "reason": .text(trade.reason),
      "pid": .number(trade.pid),
    ]
  }

  static func permit(_ permit: Permit) -> JSON {
    ["token": .text(permit.token), "valid_until": .text(permit.validUntil)]
  }
}

extension TradeStatus {
  /// The `outcome` of a trade that is looked at.
  var outcome: String {
    switch self {
    case .pending: "admitted"
    case .inDoubt, .filled, .void: rawValue
    }
  }

  var readable: String { self == .inDoubt ? "in doubt" : rawValue }
}

/// `label: value` lines: as easy to read as to cut apart.
struct Lines {
  private(set) var text = ""

  mutating func add(_ label: String, _ value: (some CustomStringConvertible)?) {
    guard let value else { return }
    text += "\(label): \(escaped(value.description))\n"
  }

  /// What was asked for: `buy 0.25 BTC-USD at 60000`.
  mutating func addOrder(_ order: Order) {
    add("bot", order.bot)
    let price = order.price.map { " at \($0)" } ?? ""
    add("order", "\(order.side.rawValue) \(order.quantity) \(order.symbol)\(price)")
  }

  /// The answer to a call about a trade.
  static func answer(_ outcome: String, _ trade: Trade, _ permit: Permit? = nil) -> String {
    var lines = Lines()
    lines.add("outcome", outcome)
    lines.add("trade", trade.id)
    lines.addOrder(trade.order)
    lines.add("key", trade.key)
    if let permit {
      lines.add("token", permit.token)
      lines.add("valid until", permit.validUntil)
    } else {
      lines.add("status", trade.status.readable)
      lines.addSettlement(trade)
    }
    return lines.text
  }

  /// Everything about a trade.
  static func details(_ trade: Trade) -> String {
    var lines = Lines()
    lines.add("trade", trade.id)
    lines.addOrder(trade.order)
    lines.add("key", trade.key)
    lines.add("status", trade.status.readable)
    lines.add("created at", trade.createdAt)
    lines.add("cooldown", trade.cooldown.readable)
    lines.add("lease until", trade.leaseUntil)
    lines.addSettlement(trade)
    lines.add("origin", trade.origin.rawValue)
    lines.add("pid", trade.pid)
    lines.add("instance", trade.instance.map { "\($0.name), epoch \($0.epoch)" })
    return lines.text
  }

  private mutating func addSettlement(_ trade: Trade) {
    add("filled at", trade.filledAt)
    add("filled quantity", trade.filledQuantity)
    add("filled price", trade.filledPrice)
    add("exchange time", trade.exchangeAt)
    add("received at", trade.receivedAt)
    add("reason", trade.reason)
    if trade.isLate { add("late", "settled after the lease's end") }
    if trade.isSuperseded { add("superseded", "settled under an epoch that was not current") }
    if trade.isSettledByOperator { add("settled by", "an operator") }
  }
}
