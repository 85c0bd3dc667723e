internal import SQLite

/// What was read for the refusals of some bots; good for as long as nobody commits anything.
struct RefusalMemory {
  struct Known {
    let facts: AdmissionFacts
    let winner: StoredTrade?
  }

  private static let capacity = 256
  private var version: UInt32 = 0
  private var bots: [BotName: Known] = [:]

  mutating func remember(_ bot: BotName, _ known: Known, version: UInt32) {
    if version != self.version || bots.count >= RefusalMemory.capacity { bots = [:] }
    self.version = version
    bots[bot] = known
  }

  func known(_ bot: BotName, version: UInt32) -> Known? {
    version == self.version ? bots[bot] : nil
  }
}

extension SQLiteEngine {
  /// The refusal of `attempt` by the committed state, or nil where the lock is needed to decide.
  func refusal(of attempt: Attempt) throws(LedgerError) -> AttemptOutcome? {
    if let refused = try rememberedRefusal(of: attempt) { return refused }
    let database = state.database
    let versionBefore = database.connection.dataVersion
    // The boot cannot change while this process runs; the time is read after the facts.
    let admission = try AdmissionReader(
      database, attempt.order.bot, attempt, bootID: clock.now().boot?.bootID)
    let version = database.connection.dataVersion
    let now = clock.now()
    let decision = Admission.decide(attempt, facts: admission.facts, now: now)
    guard decision.expired == nil else { return nil }
    guard case .deny(_, let winner) = decision.verdict else {
      guard let refused = try admission.outcome(decision.verdict, database, now) else { return nil }
      try expectDurable()
      // A permit is a "yes": it must be one of the file that everybody else opens.
      if case .replayed(_, .some) = refused { try state.watch.expectUnmoved() }
      return refused
    }
    let stored = try AdmissionReader.load(winner?.value, database)
    // All that was read, in several statements, is of one version.
    if SQLiteEngine.isAskedByNobodyElse(attempt), versionBefore == version,
      database.connection.dataVersion == version
    {
      state.refusals.remember(
        attempt.order.bot, RefusalMemory.Known(facts: admission.facts, winner: stored),
        version: version)
    }
    return try denied(decision.verdict, stored, now)
  }

  /// The same from what was read before: one statement, which notices whatever has been committed
  /// since, in place of the look and the winner.
  private func rememberedRefusal(of attempt: Attempt) throws(LedgerError) -> AttemptOutcome? {
    let bot = attempt.order.bot
    let connection = state.database.connection
    guard SQLiteEngine.isAskedByNobodyElse(attempt),
      state.refusals.known(bot, version: connection.dataVersion) != nil
    else { return nil }
    try state.database.run(Statements.dataVersion)
    guard let known = state.refusals.known(bot, version: connection.dataVersion) else {
      return nil
    }
    let now = clock.now()
    let decision = Admission.decide(attempt, facts: known.facts, now: now)
    guard decision.expired == nil, case .deny(_, let winner) = decision.verdict,
      winner == nil || winner == known.winner?.trade.id
    else { return nil }
    return try denied(decision.verdict, winner.flatMap { _ in known.winner }, now)
  }

  private func denied(
    _ verdict: AdmissionDecision.Verdict, _ winner: StoredTrade?, _ now: ClockReading
  ) throws(LedgerError) -> AttemptOutcome? {
    guard case .deny(var denial, _) = verdict else { return nil }
    if denial.winner == nil { denial.winner = winner?.seen(at: now) }
    let outcome = AttemptOutcome.denied(denial)
    if outcome.isForGood { try expectDurable() }
    return outcome
  }

  /// Nothing of the attempt but its bot can be in the ledger: its key was made a moment ago, and it
  /// names no instance.
  private static func isAskedByNobodyElse(_ attempt: Attempt) -> Bool {
    attempt.hasNewKey && attempt.instance == nil
  }
}
