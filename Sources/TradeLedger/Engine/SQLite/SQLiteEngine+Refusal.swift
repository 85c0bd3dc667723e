internal import SQLite

/// What was read for the refusals of some bots; good for as long as nobody commits anything.
struct RefusalMemory {
  struct Known {
    let facts: AdmissionFacts
    let winner: StoredTrade?
  }

  private static let capacity = 256
  private var committed: CommittedState?
  private var bots: [BotName: Known] = [:]

  mutating func remember(_ bot: BotName, _ known: Known, _ committed: CommittedState) {
    if committed != self.committed || bots.count >= RefusalMemory.capacity { bots = [:] }
    self.committed = committed
    bots[bot] = known
  }

  func known(_ bot: BotName, _ committed: CommittedState) -> Known? {
    committed == self.committed ? bots[bot] : nil
  }
}

extension SQLiteEngine {
  /// The refusal of `attempt` by the committed state, or nil where the lock is needed to decide.
  func refusal(of attempt: Attempt) throws(LedgerError) -> AttemptOutcome? {
    if let refused = try rememberedRefusal(of: attempt) { return refused }
    let database = state.database
    let before = database.connection.committedState
    // The boot cannot change while this process runs; the time is read after the facts.
    let admission = try AdmissionReader(
      database, attempt.order.bot, attempt, bootID: clock.now().boot?.bootID)
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
    // All that was read, in several statements, is of one state.
    if SQLiteEngine.isAskedByNobodyElse(attempt), let before,
      database.connection.committedState == before
    {
      state.refusals.remember(
        attempt.order.bot, RefusalMemory.Known(facts: admission.facts, winner: stored), before)
    }
    return try denied(decision.verdict, stored, now)
  }

  /// The same from what was read before: no statement and no lock, only a look at whether anything
  /// has been committed since.
  private func rememberedRefusal(of attempt: Attempt) throws(LedgerError) -> AttemptOutcome? {
    guard SQLiteEngine.isAskedByNobodyElse(attempt),
      let committed = state.database.connection.committedState,
      let known = state.refusals.known(attempt.order.bot, committed)
    else { return nil }
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
