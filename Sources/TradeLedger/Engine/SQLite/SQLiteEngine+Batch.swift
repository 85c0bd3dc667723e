internal import SQLite

/// Group commit: callers who come together share one transaction and one sync. Each gets its own
/// answer, each error is its own, and only a failure of the transaction itself is everybody's.
extension SQLiteEngine {
  nonisolated func submit(
    _ request: WriteRequest, wait limit: WaitLimit
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
      // No answer stands on a log whose end is unknown.
      if let cause = unsettledCommit { try makeFinal(cause, wait: work.longestWait) { _ in } }
      look(&work)
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
    let entries = work.entries
    let (ending, moment) = transact(wait: work.shortestWait) {
      (database, clock) throws(LedgerError) in
      var decided: [Decided] = []
      for index in open {
        let entry = entries[index]
        // (Who does not want to wait at all has not: BEGIN waited for nobody in its company.)
        if entry.limit.isOver && entry.limit.wasPositive { continue }
        do throws(LedgerError) {
          switch try carryOut(entry.request, database, clock.now()) {
          case .commit(let answer): decided.append(Decided(index, .success(answer), writes: true))
          case .rollback(let answer): decided.append(Decided(index, .success(answer)))
          }
        } catch {
          // An error that ended the transaction ended it for everybody.
          guard database.connection.isInTransaction else { throw error }
          decided.append(Decided(index, .failure(error)))
        }
      }
      return decided.contains(where: \.writes) ? .commit(decided) : .rollback(decided)
    }
    switch ending {
    case .committed(let decided):
      // Whoever has its own error keeps it, whatever becomes of the others.
      work.take(decided.filter(\.isFailure))
      if let failure = try afterCommit(moment) {
        try makeDurableAtLast(failure, wait: work.longestWait)
      }
      work.take(decided)
    case .rolledBack(let decided):
      if decided.contains(where: \.isForGood) { try expectDurable() }
      work.take(decided)
    case .commitUnknown(let decided, let error):
      work.take(decided.filter(\.isFailure))
      try settle(&work, decided, error)
    case .notBegun(let error):
      guard error.isBusy else { throw database.translate(error) }
      work.dropThoseOverTheLimit(database.translate(error))
      return
    case .bodyFailed(let error, _): throw error
    }
    work.dropThoseOverTheLimit(.outOfTime)
  }

  /// After a COMMIT that failed: everybody gets his answer if all that was written turns out to be
  /// there for good.
  private func settle(
    _ work: inout Batch, _ decided: [Decided], _ failure: SQLiteError
  ) throws(LedgerError) {
    let settled = try settleOutcome(
      decided, failure, wait: work.longestWait,
      { (database, decided) throws(LedgerError) in
        for one in decided where one.writes {
          // Each of them: a step to in doubt cannot be told from one that was there before, and
          // says nothing of the others.
          guard case .success(let answer) = one.result else { continue }
          if try !SQLiteEngine.isThere(database, answer) { return false }
        }
        return true
      })
    work.take(settled)
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

/// What a transaction decided for one caller.
private struct Decided {
  let index: Int
  let result: Result<WriteAnswer, LedgerError>
  /// Whether it wrote a row.
  let writes: Bool

  init(_ index: Int, _ result: Result<WriteAnswer, LedgerError>, writes: Bool = false) {
    self.index = index
    self.result = result
    self.writes = writes
  }

  var isFailure: Bool {
    if case .failure = result { return true }
    return false
  }

  /// Whether it says for good what somebody else has written.
  var isForGood: Bool {
    guard !writes, case .success(let answer) = result else { return false }
    switch answer {
    case .attempt(let outcome): return outcome.isForGood
    case .settlement: return true
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
  var longestWait: Duration { open.map { entries[$0].limit.remaining }.max() ?? .zero }
  var results: [Result<WriteAnswer, LedgerError>] {
    answers.map { $0 ?? .failure(.bug("a caller was left without an answer")) }
  }

  mutating func take(_ decided: [Decided]) {
    for one in decided { answers[one.index] = one.result }
  }

  mutating func dropThoseOverTheLimit(_ error: @autoclosure () -> LedgerError) {
    for index in open where entries[index].limit.isOver { answers[index] = .failure(error()) }
  }

  /// Everybody who has no answer gets this one.
  mutating func fail(_ error: LedgerError) {
    for index in open { answers[index] = .failure(error) }
  }
}
