public enum Side: String, CaseIterable, Sendable {
  case buy
  case sell
}

/// What a caller wants to trade. Two orders are the same content where all fields are equal.
public struct Order: Hashable, Sendable {
  public let bot: BotName
  public let side: Side
  public let symbol: Symbol
  public let quantity: Amount
  /// The limit price, or nil for a market order.
  public let price: Amount?

  public init(bot: BotName, side: Side, symbol: Symbol, quantity: Amount, price: Amount? = nil) {
    self.bot = bot
    self.side = side
    self.symbol = symbol
    self.quantity = quantity
    self.price = price
  }
}

/// The fencing token of an instance name: goes up by one with each take-over (INV-7).
public struct Epoch: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let value: Int64
  public init(_ value: Int64) { self.value = value }
  public static func < (left: Epoch, right: Epoch) -> Bool { left.value < right.value }
  public var description: String { String(value) }
}

/// Under which instance, and which epoch of it, a caller acts.
public struct InstanceClaim: Hashable, Sendable {
  public let name: InstanceName
  public let epoch: Epoch
  public init(name: InstanceName, epoch: Epoch) {
    self.name = name
    self.epoch = epoch
  }
}

/// What the exchange said about an order that it executed.
public struct Fill: Hashable, Sendable {
  /// nil: the quantity that was ordered.
  public let quantity: Amount?
  /// nil: the price that was ordered.
  public let price: Amount?
  /// The exchange's own time. nil: the moment at which the ledger is told.
  public let at: Timestamp?

  public init(quantity: Amount? = nil, price: Amount? = nil, at: Timestamp? = nil) {
    self.quantity = quantity
    self.price = price
    self.at = at
  }
}
