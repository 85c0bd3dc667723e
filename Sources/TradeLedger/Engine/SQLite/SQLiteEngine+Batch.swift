internal import SQLite

/// Group commit: callers who come together share one transaction and one sync. Each gets its own
/// answer, each error is its own, and only a failure of the transaction itself is everybody's.
extension SQLiteEngine {
  nonisolated func attempt(
    _ attempt: Attempt, wait: WaitLimit
  ) async throws(LedgerError) -> AttemptOutcome {
    guard case .attempt(let outcome) = try await submit(.attempt(attempt), wait) else {
      throw .bug("an attempt was answered as a settlement")
    }
    return outcome
  }

  nonisolated func settle(
    _ settlement: Settlement, wait: WaitLimit
  ) async throws(LedgerError) -> SettleOutcome {
    guard case .settlement(let settled) = try await submit(.settlement(settlement), wait) else {
      throw .bug("a settlement was answered as an attempt")
    }
    return settled.outcome
  }

  private nonisolated func submit(
    _ request: WriteRequest, _ limit: WaitLimit
  ) async throws(LedgerError) -> WriteAnswer {
    let ticket = queue.add(request, limit)
    return try await answer(to: ticket)
  }

  private func answer(to ticket: WriteQueue.Ticket) async throws(LedgerError) -> WriteAnswer {
    // Callers on this very thread have not queued yet: they get the chance.
    if thread.hasWaitingJobs { await Task.yield() }
    while true {
      if let answer = answers.removeValue(forKey: ticket) { return try answer.get() }
      let batch = queue.take(batchLimit)
      for (entry, answer) in zip(batch, perform(batch)) { answers[entry.ticket] = answer }
    }
  }

  /// The answers to `batch`, in its order.
  private func perform(_ batch: [WriteQueue.Entry]) -> [Result<WriteAnswer, LedgerError>] {
    var work = Batch(batch)
    do throws(LedgerError) {
      try checkUsable(forWriting: true)
      look(&work)
      if work.open.isEmpty { return work.results }
      if let cause = unsettledCommit { try makeFinal(cause, wait: work.shortestWait) { _ in } }
      while !work.open.isEmpty { try commit(&work) }
    } catch { work.fail(error) }
    return work.results
  }

  /// A "no" that the last committed state already justifies needs no write lock. A "yes" does.
  private func look(_ work: inout Batch) {
    for index in work.open {
      guard case .attempt(let attempt) = work.entries[index].request else { continue }
      do throws(LedgerError) {
        state.database.connection.startWait(work.entries[index].limit.remaining)
        if let refused = try refusal(of: attempt) {
          work.answers[index] = .success(.attempt(refused))
        } else {
          try expectRoom()
        }
      } catch { work.answers[index] = .failure(error) }
    }
  }

  /// One transaction for all that are open. Whoever's limit is over is dropped before its request
  /// is carried out, never after.
  private func commit(_ work: inout Batch) throws(LedgerError) {
    let database = state.database
    let open = work.open
    let start = SuspendingClock.now
    let (ending, moment) = transact(wait: work.shortestWait) {
      (database, clock) throws(LedgerError) in
      let hasWaited = SuspendingClock.now - start > .milliseconds(1)
      var decided: [(index: Int, result: Result<WriteAnswer, LedgerError>, writes: Bool)] = []
      for index in open {
        let entry = work.entries[index]
        if entry.limit.isOver, hasWaited || entry.limit.wasPositive { continue }
        do throws(LedgerError) {
          switch try carryOut(entry.request, database, clock.now()) {
          case .commit(let answer): decided.append((index, .success(answer), true))
          case .rollback(let answer): decided.append((index, .success(answer), false))
          }
        } catch {
          // An error that ended the transaction ended it for everybody.
          guard database.connection.isInTransaction else { throw error }
          decided.append((index, .failure(error), false))
        }
      }
      return decided.contains(where: \.writes) ? .commit(decided) : .rollback(decided)
    }
    switch ending {
    case .rolledBack(let decided), .committed(let decided):
      for (index, result, _) in decided { work.answers[index] = result }
      if case .committed = ending, let failure = try afterCommit(moment) {
        try settleOutcomes(&work, decided.map { ($0.index, $0.result, $0.writes) }, failure)
      } else if decided.contains(where: { SQLiteEngine.namesAnothersRow($0.result, $0.writes) }) {
        try expectDurable()
      }
      work.dropThoseOverTheLimit(SQLiteEngine.outOfTime)
    case .notBegun(let error):
      guard error.isBusy else { throw database.translate(error) }
      work.dropThoseOverTheLimit(database.translate(error))
    case .bodyFailed(let error, _): throw error
    case .commitUnknown(let decided, let error):
      for (index, result, _) in decided { work.answers[index] = result }
      try settleOutcomes(&work, decided.map { ($0.index, $0.result, $0.writes) }, error)
    }
  }

  /// After a COMMIT, or its sync, that failed: what each caller that wrote is told.
  private func settleOutcomes(
    _ work: inout Batch, _ decided: [(Int, Result<WriteAnswer, LedgerError>, Bool)],
    _ failure: SQLiteError
  ) throws(LedgerError) {
    let writers = decided.filter(\.2).map(\.0)
    for index in writers { work.answers[index] = nil }
    let written: [Bool]
    let cause = escaped(failure.message)
    unsettledCommit = cause
    do throws(LedgerError) {
      written = try makeFinal(cause, wait: work.entries[writers[0]].limit.remaining) {
        database throws(LedgerError) in
        var written: [Bool] = []
        for (_, result, _) in decided.filter(\.2) {
          guard case .success(let answer) = result else { continue }
          written.append(try SQLiteEngine.isThere(database, answer))
        }
        return written
      }
    } catch {
      for index in writers { work.answers[index] = .failure(error) }
      return
    }
    for (offset, index) in writers.enumerated() {
      work.answers[index] = written[offset] ? decided.first { $0.0 == index }?.1
        : .failure(SQLiteEngine.notWritten(cause))
    }
  }

  private func carryOut(
    _ request: WriteRequest, _ database: LedgerDatabase, _ now: ClockReading
  ) throws(LedgerError) -> TransactionDecision<WriteAnswer> {
    switch request {
    case .attempt(let attempt):
      switch try admit(attempt, database, now) {
      case .commit(let outcome): .commit(.attempt(outcome))
      case .rollback(let outcome): .rollback(.attempt(outcome))
      }
    case .settlement(let settlement):
      switch try SQLiteEngine.settle(settlement, database, now) {
      case .commit(let settled): .commit(.settlement(settled))
      case .rollback(let settled): .rollback(.settlement(settled))
      }
    }
  }

  private static func isThere(
    _ database: LedgerDatabase, _ answer: WriteAnswer
  ) throws(LedgerError) -> Bool {
    switch answer {
    case .attempt(let outcome): try isThere(database, outcome)
    case .settlement(let settled): try settled.isThere(database)
    }
  }

  /// Whether an answer says for good what somebody else has written.
  private static func namesAnothersRow(
    _ result: Result<WriteAnswer, LedgerError>, _ writes: Bool
  ) -> Bool {
    guard !writes, case .success(let answer) = result else { return false }
    switch answer {
    case .attempt(let outcome): return outcome.isForGood
    case .settlement: return true
    }
  }

  static let outOfTime = LedgerError(
    .busy, "no answer within the wait limit: other callers of this process came first",
    hint: "nothing was written; try again with the same key, or raise the wait limit",
    retry: .safe)
}

extension AttemptOutcome {
  /// Whether it names a row of somebody else's and stays true; a denial that time lifts does not.
  var isForGood: Bool {
    switch self {
    case .admitted: false
    case .replayed: true
    case .denied(let denial): !denial.reason.isTransient
    }
  }
}

/// The requests of one round and what has become of them.
private struct Batch {
  let entries: [WriteQueue.Entry]
  var answers: [Result<WriteAnswer, LedgerError>?]

  init(_ entries: [WriteQueue.Entry]) {
    self.entries = entries
    answers = Array(repeating: nil, count: entries.count)
  }

  /// Those without an answer.
  var open: [Int] { entries.indices.filter { answers[$0] == nil } }
  /// So that nobody waits longer than it wants to.
  var shortestWait: Duration { open.map { entries[$0].limit.remaining }.min() ?? .zero }
  var results: [Result<WriteAnswer, LedgerError>] {
    answers.map { $0 ?? .failure(.bug("a caller was left without an answer")) }
  }

  mutating func dropThoseOverTheLimit(_ error: @autoclosure () -> LedgerError) {
    for index in open where entries[index].limit.isOver { answers[index] = .failure(error()) }
  }

  /// Everybody who has no answer gets this one.
  mutating func fail(_ error: LedgerError) {
    for index in open { answers[index] = .failure(error) }
  }
}
