/// Where a bot stands at one moment.
public struct BotStatus: Hashable, Sendable {
  /// The bot and its settings in force.
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
  /// What the ledger is for.
  public let mode: LedgerMode
  /// The real path of the ledger file.
  public let path: String
  /// By the ledger's wall clock.
  public let readAt: Timestamp
  /// The bots, by name.
  public let bots: [BotStatus]
  /// How many trades the ledger holds, void ones included.
  public let trades: Int
  /// How many fills arrived after a void (INV-6).
  public let conflicts: Int
  /// Frames in the WAL that have not been copied into the main file.
  public let walBytes: Int64
  /// The version of the SQLite library in this process.
  public let sqliteVersion: String
  /// Of a ledger on a server: its version, for example "15.18". nil for a file.
  public var serverVersion: String?

  /// Whether somebody has to look: a trade in doubt, or a conflict.
  public var needsAttention: Bool { conflicts > 0 || bots.contains { !$0.inDoubt.isEmpty } }
}

/// Which trades to read, newest first.
public struct TradeQuery: Sendable {
  /// Only trades of this bot.
  public var bot: BotName?
  /// Only trades that stand so now.
  public var status: TradeStatus?
  /// Only trades whose effective time is at or after this.
  public var since: Timestamp?
  /// Only trades with a smaller number: to go on where a page ended. The audit looks at all.
  public var before: TradeID?
  /// At most this many; nil for all.
  public var limit: Int?

  /// All trades, but for what is left out.
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
  /// Newest first.
  public let trades: [Trade]
  /// How many trades match, those beyond the limit included.
  public let total: Int
}

/// One trade, by number or by key.
public enum TradeReference: Hashable, Sendable {
  /// By its number.
  case id(TradeID)
  /// By its client order id.
  case key(OrderKey)
}
