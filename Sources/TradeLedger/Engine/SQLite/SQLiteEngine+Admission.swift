internal import SQLite

extension SQLiteEngine {
  /// Looks at the free room: before each attempt where it is scarce, at times where it is ample.
  func expectRoom() throws(LedgerError) {
    if state.attemptsWithRoom > 0 {
      state.attemptsWithRoom -= 1
      return
    }
    let ample = LedgerFile.reserveBytes * 256
    if let free = try file.expectRoom(), free > ample { state.attemptsWithRoom = 63 }
  }

  /// Decides under the lock, and writes.
  func admit(
    _ attempt: Attempt, _ database: LedgerDatabase, _ now: ClockReading
  ) throws(LedgerError) -> TransactionDecision<AttemptOutcome> {
    do throws(LedgerError) { return try decide(attempt, database, now) } catch {
      // The schema refused what the library allows: it may know of a restore that a foreign client
      // has entered while the file was open here.
      guard error.code == .internalError, database.connection.isInTransaction,
        try state.learnRestores()
      else { throw error }
      return try decide(attempt, state.database, now)
    }
  }

  private func decide(
    _ attempt: Attempt, _ database: LedgerDatabase, _ now: ClockReading
  ) throws(LedgerError) -> TransactionDecision<AttemptOutcome> {
    let admission = try AdmissionReader(
      database, attempt.order.bot, attempt, bootID: now.boot?.bootID)
    let decision = Admission.decide(attempt, facts: admission.facts, now: now)
    if let expired = decision.expired {
      try database.run(Statements.expire, [.integer(expired.value)])
    }
    if let refused = try admission.outcome(decision.verdict, database, now) {
      return decision.expired == nil ? .rollback(refused) : .commit(refused)
    }
    return .commit(try insert(attempt, admission, database, now))
  }

  private func insert(
    _ attempt: Attempt, _ admission: AdmissionReader, _ database: LedgerDatabase,
    _ now: ClockReading
  ) throws(LedgerError) -> AttemptOutcome {
    let connection = database.connection
    let new = try NewTrade(attempt, admission.facts.settings, now, pid: connection.processID)
    try database.run(Statements.insertTrade, new.values(botID: admission.botID))
    let stored = new.stored(id: TradeID(connection.lastInsertID))
    return .admitted(stored.trade, stored.permit())
  }

  static func isThere(
    _ database: LedgerDatabase, _ outcome: AttemptOutcome
  ) throws(LedgerError) -> Bool {
    switch outcome {
    case .admitted(let trade, let permit):
      try database.exists(
        Statements.hasKeyAndToken,
        [.text(trade.key.description), .text(permit?.token.description)])
    // What was committed with a refusal is the step to in doubt, which the next attempt repeats.
    case .replayed, .denied: true
    }
  }

  func isLive(_ permit: Permit, wait: WaitLimit) throws(LedgerError) -> Bool {
    try checkUsable(forWriting: false)
    let lease = Lease(until: permit.validUntil, bootUntil: permit.bootValidUntil)
    guard lease.maySend(at: clock.now()) else { return false }
    guard let claim = permit.instance else { return true }
    let epoch = try read(wait: wait, isForGood: false) { (database, _) throws(LedgerError) in
      try AdmissionReader.currentEpoch(claim, database)
    }
    return epoch == claim.epoch && lease.maySend(at: clock.now())
  }

  func check(_ bot: BotName, wait: WaitLimit) throws(LedgerError) -> CheckOutcome {
    try read(wait: wait, isForGood: false) { (database, now) throws(LedgerError) in
      try AdmissionReader(database, bot, nil, bootID: now.boot?.bootID).check(database, now)
    }
  }
}
