/// An expected "no": a value, never thrown. Nothing was stored and no key was used up.
public struct Denial: Hashable, Sendable {
  /// Why. The order of the cases is the order in which they are looked at: the first that applies
  /// is the answer.
  public enum Reason: String, CaseIterable, Sendable {
    /// The caller's instance epoch is not the current one (INV-7).
    case superseded
    /// The key names another order (INV-3).
    case keyConflict = "key_conflict"
    /// The bot is disabled.
    case disabled
    /// Another trade of the bot is pending and its lease runs (INV-2).
    case inProgress = "in_progress"
    /// A trade of the bot is in doubt and its policy is to block.
    case inDoubt = "in_doubt"
    /// The last trade is too recent (INV-1).
    case cooldown
    /// The trade has the other outcome (INV-5).
    case alreadySettled = "already_settled"
    /// The token is not the permit's (INV-5).
    case wrongToken = "wrong_token"
    /// The instance name is held by another process (INV-7).
    case held

    /// Whether waiting alone can lift it.
    public var isTransient: Bool {
      switch self {
      case .inProgress, .cooldown: true
      case .superseded, .keyConflict, .disabled, .inDoubt, .alreadySettled, .wrongToken, .held:
        false
      }
    }
  }

  /// Who is in the way.
  public struct Holder: Hashable, Sendable {
    /// The process; nil where it is not known.
    public let pid: Int32?
    /// The instance name and epoch under which it acts; nil where it has none.
    public let instance: InstanceClaim?
    /// With the reason `held`: where it runs, since when, and what it is.
    public var host: String?
    /// With the reason `held`: since when it has the name.
    public var since: Timestamp?
    /// With the reason `held`: its command line, for people.
    public var command: String?
  }

  /// Why: the first reason that applies.
  public let reason: Reason
  /// The trade that caused it.
  public var winner: Trade?
  /// Who is in the way; nil where it is no process.
  public var holder: Holder?
  /// How long to wait at least. nil where waiting does not help.
  public var retryAfter: Duration?
  /// How far the wall clock is behind the time of the last trade.
  public var clockBehind: Duration?
  /// With the reason `cooldown` and no winner: when the ledger went back to a backup. What was
  /// traded since that backup is not in it, so every bot waits one cooldown from then on.
  public var restoredAt: Timestamp?

  init(
    _ reason: Reason, winner: Trade? = nil, holder: Holder? = nil, retryAfter: Duration? = nil,
    clockBehind: Duration? = nil
  ) {
    self.reason = reason
    self.winner = winner
    self.holder = holder
    self.retryAfter = retryAfter
    self.clockBehind = clockBehind
  }

  /// Whether waiting alone can lift it. Wait ``retryAfter`` and ask again.
  public var isTransient: Bool { reason.isTransient }
}
