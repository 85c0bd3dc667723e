/// An order that was executed before the ledger was told of it.
public struct PastFact: Hashable, Sendable {
  /// Quantity and price as they were executed.
  public let order: Order
  /// Unique for ever: what a second import recognises it by.
  public let key: OrderKey
  /// When it was executed.
  public let at: Timestamp

  /// A fact that is not on record yet.
  public init(order: Order, key: OrderKey, at: Timestamp) {
    self.order = order
    self.key = key
    self.at = at
  }

  /// Whether `trade` says the same: what was executed, and when.
  func isSaid(by trade: Trade) -> Bool {
    trade.status == .filled && trade.bot == order.bot && trade.order.side == order.side
      && trade.order.symbol == order.symbol && trade.effectiveAt == at
      && (trade.filledQuantity ?? trade.order.quantity) == order.quantity
      && (trade.filledPrice ?? trade.order.price) == order.price
  }
}

/// What the ledger knows of facts that somebody wants to enter.
public struct PastFactReview: Sendable {
  /// How a fact stands to the ledger.
  public enum Standing: Hashable, Sendable {
    /// The ledger does not have it.
    case new
    /// The ledger has it; entering it again writes nothing.
    case known
    /// Its key names a trade that says something else.
    case conflict(TradeID)
  }

  /// Two trades of one bot that are closer together than the cooldown, one of them a new fact.
  public struct ClosePair: Hashable, Sendable {
    /// The bot.
    public let bot: BotName
    /// The first of the two in time.
    public let earlier: Neighbour
    /// The second of the two in time.
    public let later: Neighbour
    /// From the earlier to the later.
    public let gap: Duration
    /// That of the later one.
    public let cooldown: Duration
  }

  /// One of a pair.
  public enum Neighbour: Hashable, Sendable {
    /// The place of a fact among those that were asked about.
    case fact(Int)
    /// One that the ledger has.
    case trade(TradeID)
  }

  /// For each fact, in the order in which they were given.
  public let standings: [Standing]
  /// The bots of new facts that the ledger does not have, by name.
  public let missingBots: [BotName]
  /// How many pairs there are, those beyond ``closePairsShown`` included.
  public let closePairCount: Int
  /// The first of them, bot by bot in the order of time, at most `closePairsShown`.
  public let closePairs: [ClosePair]

  /// How many pairs are named.
  public static let closePairsShown = 50
}
