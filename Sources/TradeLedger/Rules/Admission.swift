/// What the ledger knows when somebody asks for a trade: read in one snapshot, or under the lock.
struct AdmissionFacts: Sendable {
  let settings: BotSettings
  /// The current epoch of the instance that the caller named.
  var currentEpoch: Epoch?
  /// The process that has it, for people.
  var currentHolder: Int32?
  /// The trade that the key already names.
  var sameKey: StoredTrade?
  /// The trade that occupies the bot.
  var pending: StoredTrade?
  /// The oldest trade in doubt.
  var inDoubt: TradeID?
  /// The last trade that counts, by the wall clock and by the boot clock: the same one, unless a
  /// clock has jumped. When it did, on both clocks.
  var lastTrades: [LastTrade] = []
  /// The last conflicts, which count at their times.
  var lastConflicts: [LastTrade] = []
  /// When the ledger went back to a backup: the trades since that backup are not in it, so that
  /// each bot may have traded then.
  var restores: [ClockReading] = []

  struct LastTrade: Hashable, Sendable {
    let id: TradeID
    let at: ClockReading
  }
}

/// The decision about one attempt.
struct AdmissionDecision: Equatable {
  enum Verdict: Equatable {
    case admit
    /// The key names the same order; the permit only for the caller with the same token.
    case replay(withPermit: Bool)
    /// `winner` is the trade that caused it.
    case deny(Denial, winner: TradeID?)
  }
  let verdict: Verdict
  /// A pending trade whose lease is over: to be written as in doubt, whatever the verdict.
  var expired: TradeID?
}

/// Admission: pure, in the order of the contract. The schema states the same rules for clients that
/// are not this library (INV-11).
enum Admission {
  /// What an attempt brings; `nil` for `check`, which only asks.
  static func decide(
    _ attempt: Attempt?, facts: AdmissionFacts, now: ClockReading
  ) -> AdmissionDecision {
    if let claim = attempt?.instance, facts.currentEpoch != claim.epoch {
      return AdmissionDecision(verdict: .deny(superseded(claim, facts), winner: nil))
    }
    if let attempt, let same = facts.sameKey { return replay(attempt, same, now) }
    if case .past = attempt?.kind { return AdmissionDecision(verdict: .admit) }
    guard facts.settings.isEnabled else {
      return AdmissionDecision(verdict: .deny(Denial(.disabled), winner: nil))
    }
    var expired: TradeID?
    if let pending = facts.pending {
      let remaining = pending.lease?.remaining(at: now) ?? .zero
      guard remaining <= .zero else {
        return AdmissionDecision(verdict: .deny(inProgress(pending, remaining), winner: nil))
      }
      expired = pending.trade.id
    }
    if facts.settings.inDoubt == .block, let doubtful = facts.inDoubt ?? expired {
      return AdmissionDecision(verdict: .deny(Denial(.inDoubt), winner: doubtful), expired: expired)
    }
    let verdict = cooldown(facts, now) ?? .admit
    return AdmissionDecision(verdict: verdict, expired: expired)
  }

  static func superseded(_ claim: InstanceClaim, _ facts: AdmissionFacts) -> Denial {
    let holder = facts.currentEpoch.map {
      Denial.Holder(
        pid: facts.currentHolder, instance: InstanceClaim(name: claim.name, epoch: $0))
    }
    return Denial(.superseded, holder: holder)
  }

  static func inProgress(_ pending: StoredTrade, _ remaining: Duration) -> Denial {
    Denial(
      .inProgress, winner: pending.trade,
      holder: Denial.Holder(pid: pending.trade.pid, instance: pending.trade.instance),
      retryAfter: remaining)
  }

  private static func replay(
    _ attempt: Attempt, _ same: StoredTrade, _ now: ClockReading
  ) -> AdmissionDecision {
    guard isSameContent(attempt, same.trade) else {
      return AdmissionDecision(
        verdict: .deny(Denial(.keyConflict, winner: same.seen(at: now)), winner: nil))
    }
    var withPermit = false
    if case .reserve(let token) = attempt.kind {
      withPermit = token == same.token && same.seen(at: now).status == .pending
    }
    return AdmissionDecision(verdict: .replay(withPermit: withPermit))
  }

  private static func isSameContent(_ attempt: Attempt, _ trade: Trade) -> Bool {
    if case .past(_, let at) = attempt.kind, trade.origin == .past, trade.filledAt != at {
      return false
    }
    return attempt.order == trade.order
  }

  private static func cooldown(
    _ facts: AdmissionFacts, _ now: ClockReading
  ) -> AdmissionDecision.Verdict? {
    var longest: (wait: Cooldown.Wait, id: TradeID)?
    for last in facts.lastTrades + facts.lastConflicts {
      guard
        let wait = Cooldown.wait(since: last.at, now: now, cooldown: facts.settings.cooldown)
      else { continue }
      if let found = longest, found.wait.remaining >= wait.remaining { continue }
      longest = (wait, last.id)
    }
    let restored = afterRestore(facts, now)
    if let wait = restored?.retryAfter, wait > longest?.wait.remaining ?? .zero {
      return restored.map { .deny($0, winner: nil) }
    }
    return longest.map { wait, id in
      .deny(
        Denial(.cooldown, retryAfter: wait.remaining, clockBehind: wait.clockBehind), winner: id)
    }
  }

  /// The longest wait after a restore, which no trade in the ledger is the reason of.
  private static func afterRestore(_ facts: AdmissionFacts, _ now: ClockReading) -> Denial? {
    var denial: Denial?
    for restored in facts.restores {
      guard
        let wait = Cooldown.wait(since: restored, now: now, cooldown: facts.settings.cooldown),
        wait.remaining > denial?.retryAfter ?? .zero
      else { continue }
      denial = Denial(.cooldown, retryAfter: wait.remaining, clockBehind: wait.clockBehind)
      denial?.restoredAt = restored.wall
    }
    return denial
  }
}
