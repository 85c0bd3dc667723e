/// What happens to a bot while one of its trades is in doubt.
public enum InDoubtPolicy: String, CaseIterable, Sendable {
  /// The trade counts for the cooldown and holds nothing up beyond that.
  case cooldown
  /// Nobody trades until somebody has settled it.
  case block
}

/// How a bot trades. A change is a new row in the ledger and applies to the next attempt.
public struct BotSettings: Hashable, Sendable {
  /// Ten years: the longest cooldown.
  public static let longestCooldown = Duration.microseconds(315_576_000_000_000)
  /// What `lease` is where nobody says otherwise.
  public static let defaultLease = Duration.seconds(30)

  /// The least time between two trades. Zero to ten years; there is no default on purpose.
  public let cooldown: Duration
  /// How long a permit may be used for sending. 1 ms to one day.
  public let lease: Duration
  /// What happens while a trade of the bot is in doubt.
  public let inDoubt: InDoubtPolicy
  /// A disabled bot is refused every new trade. What is under way may still be settled.
  public let isEnabled: Bool

  /// Intervals are rounded to whole microseconds, as the ledger keeps them.
  ///
  /// - Throws: `invalidInput` where a value is out of range; never worth a retry.
  public init(
    cooldown: Duration, lease: Duration = BotSettings.defaultLease,
    inDoubt: InDoubtPolicy = .cooldown, isEnabled: Bool = true
  ) throws(LedgerError) {
    guard (.zero...BotSettings.longestCooldown).contains(cooldown) else {
      throw LedgerError(
        .invalidInput, "cooldown out of range: \(cooldown.readable)",
        hint: "give a cooldown from 0s to 3652d")
    }
    guard (.milliseconds(1)...Duration.seconds(86_400)).contains(lease) else {
      throw LedgerError(
        .invalidInput, "lease out of range: \(lease.readable)",
        hint: "give a lease from 1ms to 1d, longer than the slowest call of your exchange")
    }
    self.init(
      storedCooldown: cooldown.roundedToMicroseconds, lease: lease.roundedToMicroseconds,
      inDoubt: inDoubt, isEnabled: isEnabled)
  }

  init(storedCooldown: Duration, lease: Duration, inDoubt: InDoubtPolicy, isEnabled: Bool) {
    cooldown = storedCooldown
    self.lease = lease
    self.inDoubt = inDoubt
    self.isEnabled = isEnabled
  }
}

/// A change of settings: what is nil stays as it is.
public struct BotChange: Sendable {
  /// The new cooldown, zero to ten years.
  public var cooldown: Duration?
  /// The new lease, 1 ms to one day.
  public var lease: Duration?
  /// The new policy for trades in doubt.
  public var inDoubt: InDoubtPolicy?
  /// Whether the bot may trade from now on.
  public var isEnabled: Bool?

  /// A change that is checked when it is applied: `Ledger.changeBot` throws `invalidInput`.
  public init(
    cooldown: Duration? = nil, lease: Duration? = nil, inDoubt: InDoubtPolicy? = nil,
    isEnabled: Bool? = nil
  ) {
    self.cooldown = cooldown
    self.lease = lease
    self.inDoubt = inDoubt
    self.isEnabled = isEnabled
  }

  func applied(to settings: BotSettings) throws(LedgerError) -> BotSettings {
    try BotSettings(
      cooldown: cooldown ?? settings.cooldown, lease: lease ?? settings.lease,
      inDoubt: inDoubt ?? settings.inDoubt, isEnabled: isEnabled ?? settings.isEnabled)
  }
}

/// A bot with the settings in force.
public struct Bot: Hashable, Sendable {
  /// The name, which never changes.
  public let name: BotName
  /// What is in force now.
  public let settings: BotSettings

  /// A bot that is to be added.
  public init(name: BotName, settings: BotSettings) {
    self.name = name
    self.settings = settings
  }
}

/// The answer to adding a bot.
public enum AddBotOutcome: Equatable, Sendable {
  /// It is new, and on record.
  case added(Bot)
  /// It was there with the same settings; nothing was written.
  case same(Bot)
  /// It was there with other settings; nothing was written.
  case differs(Bot)
}
