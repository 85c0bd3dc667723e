/// A named thing that the audit looks for.
public enum AuditCheck: String, CaseIterable, Sendable {
  /// Two neighbours of one bot are closer together than the cooldown of the later one (INV-1).
  case doubleTrade = "double-trade"
  /// A trade began while the one before it was not settled.
  case overlap
  /// A trade is in doubt.
  case inDoubt = "in-doubt"
  /// A trade was filled after its lease.
  case lateFill = "late-fill"
  /// A fill arrived for a trade that had been declared void (INV-6).
  case conflict
  /// A trade was settled by a caller whose epoch was no longer current (INV-7).
  case epoch
  /// The exchange's time and the ledger's differ by more than a second.
  case clock
}

/// One thing that the audit found.
public struct AuditFinding: Hashable, Sendable {
  /// What was looked for.
  public let check: AuditCheck
  /// The bot's name as it is stored.
  public let bot: String
  /// The trades concerned, earlier first.
  public let trades: [Int64]
  /// From the earlier effective time to the later one; for `clock` the correction.
  public let gap: Duration?
  /// The cooldown that was in force for the later trade.
  public let cooldown: Duration?
  /// When: the later trade's effective time.
  public let at: Timestamp
  /// The processes that asked, where they are known.
  public let pids: [Int32]
  /// One of the trades is a fact of the past: the ledger never had the chance to refuse it.
  public let involvesPast: Bool
  /// What was filled after the void, in the symbol's unit; nil for other checks than `conflict`.
  public internal(set) var filledQuantity: Amount?
  /// At which price; nil where none was given, and for other checks than `conflict`.
  public internal(set) var filledPrice: Amount?
}

/// What the audit looked at and what it found.
public struct AuditReport: Hashable, Sendable {
  /// How many trades were examined. Zero is not a pass.
  public let examined: Int
  /// The earliest effective time that was examined; nil where there was no trade.
  public let from: Timestamp?
  /// The latest effective time that was examined; nil where there was no trade.
  public let to: Timestamp?
  /// What was found, check by check. Empty: nothing, among ``examined`` trades.
  public let findings: [AuditFinding]
}
