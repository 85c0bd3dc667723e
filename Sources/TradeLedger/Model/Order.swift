/// Which way an order goes.
public enum Side: String, CaseIterable, Sendable {
  /// Gets what the symbol names.
  case buy
  /// Gives it.
  case sell
}

/// What a caller wants to trade. Two orders are the same content where all fields are equal.
public struct Order: Hashable, Sendable {
  /// Whose order it is, and whose cooldown it uses.
  public let bot: BotName
  /// Buy or sell.
  public let side: Side
  /// What is traded.
  public let symbol: Symbol
  /// How much of it, in the unit of the symbol.
  public let quantity: Amount
  /// The limit price, or nil for a market order.
  public let price: Amount?

  /// An order that is not on record yet. All values have been checked when they were made.
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
  /// From 1 on; it never goes down.
  public let value: Int64
  /// An epoch that was passed on, for example as `TRADELEDGER_EPOCH`.
  public init(_ value: Int64) { self.value = value }
  public static func < (left: Epoch, right: Epoch) -> Bool { left.value < right.value }
  public var description: String { String(value) }
}

/// Under which instance, and which epoch of it, a caller acts.
public struct InstanceClaim: Hashable, Sendable {
  /// The instance name.
  public let name: InstanceName
  /// The epoch that the caller was given.
  public let epoch: Epoch
  /// A claim that was passed on to this process; the ledger checks it with each attempt.
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

  /// What the exchange said; nil where it said nothing else than was ordered.
  public init(quantity: Amount? = nil, price: Amount? = nil, at: Timestamp? = nil) {
    self.quantity = quantity
    self.price = price
    self.at = at
  }
}
