/// The number of a trade in its ledger: 1, 2, 3, ... in the order of admission.
public struct TradeID: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// From 1 on.
  public let value: Int64
  /// A number that was passed on; whether there is such a trade tells the ledger.
  public init(_ value: Int64) { self.value = value }
  public static func < (left: TradeID, right: TradeID) -> Bool { left.value < right.value }
  public var description: String { String(value) }
}

/// Where a trade stands.
public enum TradeStatus: String, CaseIterable, Sendable {
  /// Admitted; somebody is at work on it.
  case pending
  /// The lease ran out and nobody settled: the order may or may not have reached the exchange.
  case inDoubt = "in_doubt"
  /// Money moved. Final.
  case filled
  /// Proven not sent. Final.
  case void

  /// Counts for the cooldown. (The same set is the view `counted_trades`.)
  public var counts: Bool { self != .void }
  /// Occupies its bot. (The same set is the view `occupying_trades`.)
  public var occupies: Bool { self == .pending }
  /// Whether the outcome is on record for good.
  public var isFinal: Bool { self == .filled || self == .void }
}

/// How a trade came into the ledger.
public enum TradeOrigin: String, Sendable {
  /// Reserved first, settled later.
  case reserve
  /// Recorded in one step, under the same admission.
  case record
  /// A fact of the past: never refused for its neighbours, outside INV-1.
  case past
}

/// One row for one intended order.
public struct Trade: Hashable, Sendable {
  /// Its number in the ledger.
  public internal(set) var id: TradeID
  /// Its client order id.
  public let key: OrderKey
  /// What was ordered.
  public let order: Order
  /// How it came into the ledger.
  public let origin: TradeOrigin
  /// Where it stands, as of the moment it was read: a pending trade whose lease is over is in
  /// doubt, whether or not that has been written.
  public var status: TradeStatus
  /// When it was admitted, by the ledger's wall clock; for a fact of the past, when it happened.
  public let createdAt: Timestamp
  /// The cooldown that was in force when it was admitted.
  public let cooldown: Duration
  /// nil for a trade that was recorded in one step.
  public let leaseUntil: Timestamp?
  /// When it was executed; nil where it was not, as far as is known.
  public var filledAt: Timestamp?
  /// How much was executed; nil where nothing was, as far as is known.
  public var filledQuantity: Amount?
  /// At what price; nil where nobody said so.
  public var filledPrice: Amount?
  /// The exchange's own time, before it was held between `createdAt` and `receivedAt`.
  public var exchangeAt: Timestamp?
  /// When the outcome reached the ledger.
  public var receivedAt: Timestamp?
  /// Settled after the lease's end.
  public var isLate: Bool
  /// Settled by a caller whose instance epoch was no longer current.
  public var isSuperseded: Bool
  /// Settled by an operator rather than by the permit's holder.
  public var isSettledByOperator: Bool
  /// Why it is void, or what an operator wrote, in one line.
  public var reason: String?
  /// The process that asked.
  public let pid: Int32?
  /// The instance and epoch that the process acted under; nil where it named none.
  public let instance: InstanceClaim?

  /// Whose trade it is.
  public var bot: BotName { order.bot }
  /// The time that counts for the cooldown.
  public var effectiveAt: Timestamp { filledAt ?? createdAt }
}

/// The right to send one order, and to settle it.
///
/// A permit is good until ``validUntil``. Whoever holds it sends the order at most once, with `key`
/// as the client order id and `validUntil` as its expiry where the exchange takes one: a ledger can
/// fence its own file, but not the exchange.
public struct Permit: Hashable, Sendable {
  /// The trade to be settled.
  public let trade: TradeID
  /// Whose trade it is.
  public let bot: BotName
  /// The client order id to send.
  public let key: OrderKey
  /// What to settle with.
  public let token: PermitToken
  /// The end of the lease by the wall clock: nothing may be sent at it or later.
  public let validUntil: Timestamp
  /// The instance and epoch that the caller acts under; nil where it named none.
  public let instance: InstanceClaim?
  /// The end of the lease on the boot clock, where it was known.
  package let bootValidUntil: BootInstant?
}
