/// The answer to `reserve`.
public enum ReserveOutcome: Equatable, Sendable {
  /// Go and trade: the row is durable and the bot is yours until the lease ends.
  case admitted(Trade, Permit)
  /// The key was used before for the same order. The permit comes back only to the caller with the
  /// same token while the lease runs; without a permit the order belongs to somebody else.
  case replayed(Trade, Permit?)
  /// Do not trade. Nothing was written.
  case denied(Denial)

  /// The permit, if there is one. Only with a permit may an order be sent.
  public var permit: Permit? {
    switch self {
    case .admitted(_, let permit): permit
    case .replayed(_, let permit): permit
    case .denied: nil
    }
  }
}

/// The answer to `record`.
public enum RecordOutcome: Equatable, Sendable {
  /// It is on record as filled.
  case recorded(Trade)
  /// The key was used before for the same order; nothing was written.
  case replayed(Trade)
  /// It may not be. Nothing was written.
  case denied(Denial)
}

/// The answer to `fill`, `void` and `resolve`.
public enum SettleOutcome: Equatable, Sendable {
  /// The outcome is on record.
  case settled(Trade)
  /// It had that very outcome already; nothing was written.
  case replayed(Trade)
  /// Another outcome, or another token, stands. A fill after a void is kept as a conflict (INV-6).
  case denied(Denial)
}

/// The answer to `check`: what `reserve` would have said at that moment.
public enum CheckOutcome: Hashable, Sendable {
  /// It would have been admitted; another process can be faster.
  case admissible
  /// It would have been denied, for that reason.
  case denied(Denial)
}

/// How `withTrade` ended.
public enum TradeOutcome: Sendable {
  /// The order was executed and that is on record.
  case filled(Trade)
  /// The order was proven not sent.
  case void(Trade)
  /// Nothing was sent: the bot may not trade now. Only with the reason `alreadySettled` was the
  /// order sent: somebody had settled its trade otherwise by then, and the fill is kept (INV-6).
  case denied(Denial)
  /// Nothing was sent: the key was used before. The order belongs to an earlier call.
  case replayed(Trade)
  /// The caller's code failed after it may have sent the order. It stays on record until somebody
  /// looks the key up at the exchange and settles it.
  case inDoubt(Trade, any Error)
}

/// Thrown by the exchange call of `withTrade` to say that the order was certainly not sent.
public struct OrderNotSent: Error, Equatable, Sendable {
  /// For people, 1 to 256 bytes on one line.
  public let reason: String
  /// The order did not reach the exchange, on proof; a time-out is no proof.
  public init(_ reason: String) { self.reason = reason }
}
