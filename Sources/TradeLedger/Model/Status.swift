/// Where a bot stands at one moment.
public struct BotStatus: Hashable, Sendable {
  public let bot: Bot
  /// What `reserve` would have said.
  public let check: CheckOutcome
  /// The trade that somebody is at work on.
  public let pending: Trade?
  /// Trades that are in doubt, oldest first.
  public let inDoubt: [Trade]
  /// The time of the last trade that counts.
  public let lastTradeAt: Timestamp?
}

/// Where a ledger stands at one moment.
public struct LedgerStatus: Sendable {
  public let mode: LedgerMode
  public let path: String
  public let readAt: Timestamp
  public let bots: [BotStatus]
  public let trades: Int
  public let conflicts: Int
  /// Frames in the WAL that have not been copied into the main file.
  public let walBytes: Int64
  public let sqliteVersion: String
  /// Of a ledger on a server: its version, for example "15.18". nil for a file.
  public var serverVersion: String?

  /// Whether somebody has to look: a trade in doubt, or a conflict.
  public var needsAttention: Bool { conflicts > 0 || bots.contains { !$0.inDoubt.isEmpty } }
}

/// Which trades to read, newest first.
public struct TradeQuery: Sendable {
  public var bot: BotName?
  public var status: TradeStatus?
  /// Only trades whose effective time is at or after this.
  public var since: Timestamp?
  /// Only trades with a smaller number: to go on where a page ended. The audit looks at all.
  public var before: TradeID?
  /// At most this many; nil for all.
  public var limit: Int?

  public init(
    bot: BotName? = nil, status: TradeStatus? = nil, since: Timestamp? = nil,
    before: TradeID? = nil, limit: Int? = nil
  ) {
    self.bot = bot
    self.status = status
    self.since = since
    self.before = before
    self.limit = limit
  }
}

/// A page of trades. A limit is never silent.
public struct TradePage: Sendable {
  public let trades: [Trade]
  /// How many trades match, those beyond the limit included.
  public let total: Int
}

/// One trade, by number or by key.
public enum TradeReference: Hashable, Sendable {
  case id(TradeID)
  case key(OrderKey)
}
