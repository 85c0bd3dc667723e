/// Reads the trades of a ledger in pieces: so many trades that no list should hold them.
public struct TradePiece: Sendable {
  /// Which trades come, and in which order.
  public enum Order: Sendable {
    /// After that number; those that stand so in the file, or all.
    case byNumber(after: TradeID, status: TradeStatus? = nil)
    /// Those of one bot that count, in the order of their effective times, after that one.
    case inTime(after: Trade?)
  }
  /// Where the piece begins.
  public var order: Order
  /// No trade with a greater number: what came in later is left out of all pieces.
  public var through: TradeID
  /// Required for `inTime`.
  public var bot: BotName?
  /// Only trades whose effective time is at or after this.
  public var since: Timestamp?
  /// How many trades at most; at least one.
  public var count = 1000

  /// The first piece; for the next one, set ``order`` to go on after the last trade of this one.
  public init(
    _ order: Order, through: TradeID, bot: BotName? = nil, since: Timestamp? = nil
  ) {
    self.order = order
    self.through = through
    self.bot = bot
    self.since = since
  }
}

extension Ledger {
  /// What the ledger knows of `facts`, and which of them break a cooldown. Writes nothing.
  ///
  /// - Parameters:
  ///   - facts: in any order.
  ///   - newBots: the cooldown that bots which are not there yet would get. Without it their facts
  ///     are not compared.
  /// - Throws: `busy`, `io` (safe to repeat).
  ///
  /// **Lock**: a read snapshot, for about a second per 100,000 facts.
  public func review(
    _ facts: [PastFact], newBots: Duration? = nil
  ) async throws(LedgerError) -> PastFactReview {
    try await engine.review(facts, newBots: newBots, wait: WaitLimit(options.lockWait))
  }

  /// Enters facts of the past, in the given order, in one transaction: all of them or none.
  ///
  /// They are kept whatever they violate, count for the cooldown from the COMMIT on, and are
  /// reported by the audit.
  ///
  /// - Parameters:
  ///   - facts: in the order in which they get their numbers.
  ///   - bots: added first where they are missing; what is there stays as it is.
  /// - Returns: how many were new. A fact that the ledger has is passed over. (Where an answer of a
  ///   server was lost and asked for again: how many were not there when the call began.)
  /// - Throws: `noSuchBot`, `invalidInput` (a fact of the future, or a key that names another
  ///   trade): nothing was written. `busy` and `io` (safe to repeat); `outcomeUnknown`.
  ///
  /// **Lock**: the write lock for as long as the rows take, some 15,000 a second
  /// (docs/decisions/0013): who must not keep workers waiting enters a few hundred at a time.
  /// **Durability**: as ``reserve(_:key:token:instance:)``. **Idempotency**: by key.
  /// **Complexity**: 2 statements for each fact, and 1 fsync.
  @discardableResult
  public func enter(
    _ facts: [PastFact], addingBots bots: [Bot] = []
  ) async throws(LedgerError) -> Int {
    try await engine.enter(facts, addingBots: bots, wait: WaitLimit(options.lockWait))
  }

  /// The number of the newest trade; 0 where there is none.
  ///
  /// - Throws: `busy` and `io` (safe to repeat). **Complexity**: 4 statements.
  public func lastTrade() async throws(LedgerError) -> TradeID {
    try await engine.lastTrade(wait: WaitLimit(options.lockWait))
  }

  /// A piece of all trades. An empty one ends the list.
  ///
  /// Each piece is a snapshot of its own, so that a long export keeps no checkpoint waiting: a
  /// trade is told as it stood when its piece was read.
  ///
  /// - Throws: `noSuchBot`; `busy` and `io` (safe to repeat).
  /// **Lock**: none that a writer waits for. **Complexity**: 4 or 5 statements.
  public func trades(_ piece: TradePiece) async throws(LedgerError) -> [Trade] {
    try await engine.trades(piece, wait: WaitLimit(options.lockWait))
  }
}
