internal import SQLite

extension SQLiteEngine {
  /// Runs `body` under the write lock, with a clock that was read after the lock was taken, and
  /// answers when what it wrote is as durable as was promised.
  ///
  /// - Parameter isThere: looks whether what `body` wrote is in the file. It is asked, in a later
  ///   transaction, only where COMMIT failed (INV-4).
  func write<T>(
    wait: WaitLimit, isThere: (LedgerDatabase, T) throws(LedgerError) -> Bool,
    _ body: (LedgerDatabase, ClockReading) throws(LedgerError) -> TransactionDecision<T>
  ) throws(LedgerError) -> T {
    try checkUsable(forWriting: true)
    if let cause = unsettledCommit { try makeFinal(cause, wait: wait.remaining) { _ in } }
    let database = state.database
    let (ending, moment) = transact(wait: wait.remaining) {
      (database, clock) throws(LedgerError) in try body(database, clock.now())
    }
    switch ending {
    case .committed(let value):
      if let failure = try afterCommit(moment) {
        try makeDurableAtLast(failure, wait: wait.remaining)
      }
      return value
    case .rolledBack(let value):
      try expectDurable()
      return value
    case .notBegun(let error): throw database.translate(error)
    case .bodyFailed(let error, _): throw error
    case .commitUnknown(let value, let error):
      return try settleOutcome(value, error, wait: wait.remaining, isThere)
    }
  }

  /// One writing transaction, at this process's turn. The moment is that of its end.
  func transact<T>(
    wait: Duration,
    _ body: (LedgerDatabase, any LedgerClock) throws(LedgerError) -> TransactionDecision<T>
  ) -> (TransactionEnding<T, LedgerError>, BootInstant?) {
    let database = state.database
    let start = SuspendingClock.now
    let hasTurn = state.shared.enterTurnstile(wait)
    defer { if hasTurn { state.shared.leaveTurnstile() } }
    let left = max(.zero, wait - (SuspendingClock.now - start))
    let ending = database.connection.write(wait: left) { () throws(LedgerError) in
      try state.watch.expectUnmoved()
      try verifySchemaIfMoved(database)
      return try body(database, clock)
    }
    return (ending, state.shared.moment())
  }

  /// The steps between COMMIT and the answer: the file is still the one that everybody else opens,
  /// and the log is on the disk.
  /// - Returns: why it may not be.
  func afterCommit(_ moment: BootInstant?) throws(LedgerError) -> SQLiteError? {
    try state.watch.expectUntouched()
    scheduleCheckpoint(moment)
    guard state.options.durability == .full else { return nil }
    let connection = state.database.connection
    let version = connection.dataVersion
    do throws(SQLiteError) { try state.shared.makeDurable(connection, moment) } catch {
      return error
    }
    state.durableVersion = version
    return nil
  }

  /// Before an answer for good that names a row of another caller: that row may be committed and
  /// not yet on the disk. (A denial that time lifts promises nothing that a power cut could take.)
  func expectDurable() throws(LedgerError) {
    let connection = state.database.connection
    guard state.options.durability == .full else { return }
    if unsettledCommit == nil && connection.dataVersion == state.durableVersion { return }
    let version = connection.dataVersion
    do throws(SQLiteError) {
      if let unsettledCommit {
        throw SQLiteError(code: 10, message: unsettledCommit, operation: "sync")
      }
      try state.shared.makeDurable(connection, state.shared.moment())
      state.durableVersion = version
    } catch {
      guard state.options.access == .readWrite else {
        throw .notDurable(error.message, path)
      }
      try makeDurableAtLast(error, wait: state.options.lockWait)
    }
  }

  /// After a sync that failed: what is committed stands and is made durable all the same.
  func makeDurableAtLast(_ failure: SQLiteError, wait: Duration) throws(LedgerError) {
    let cause = escaped(failure.message)
    unsettledCommit = cause
    try makeFinal(cause, wait: wait) { _ in }
  }

  /// After a COMMIT that failed: the answer that stands now.
  func settleOutcome<T>(
    _ value: T, _ failure: SQLiteError, wait: Duration,
    _ isThere: (LedgerDatabase, T) throws(LedgerError) -> Bool
  ) throws(LedgerError) -> T {
    let cause = escaped(failure.message)
    unsettledCommit = cause
    let isWritten = try makeFinal(cause, wait: wait) { database throws(LedgerError) in
      try isThere(database, value)
    }
    if isWritten { return value }
    throw SQLiteEngine.notWritten(cause)
  }

  static func notWritten(_ cause: String) -> LedgerError {
    LedgerError(
      .io, "nothing was written: COMMIT failed (\(cause))",
      hint: "that is final; check the disk, then try again with the same key", retry: .safe)
  }

  /// INV-4: a COMMIT that failed may still come true, when its process ends; one whose sync failed
  /// may still be lost. One later transaction makes the outcome final, whichever it is: it writes
  /// the log once more (pages that could not be written count as clean, and no second sync would
  /// touch them), then changes a page, which overwrites what a failed COMMIT left behind. This
  /// connection must make it: a new one could recover the frames that fsync did not reach.
  ///
  /// - Returns: what `look` saw.
  /// - Throws: `outcomeUnknown`; the next write tries again before it does anything else.
  func makeFinal<T>(
    _ cause: String, wait: Duration, _ look: (LedgerDatabase) throws(LedgerError) -> T
  ) throws(LedgerError) -> T {
    let database = state.database
    let connection = database.connection
    let start = SuspendingClock.now
    let hasTurn = state.shared.enterTurnstile(wait)
    defer { if hasTurn { state.shared.leaveTurnstile() } }
    let left = max(.zero, wait - (SuspendingClock.now - start))
    let ending = connection.write(wait: left) { () throws(LedgerError) in
      let seen = try look(database)
      do throws(SQLiteError) { try connection.rewriteLog() } catch {
        throw database.translate(error)
      }
      try database.run(Statements.tick)
      return .commit(seen)
    }
    let moment = state.shared.moment()
    guard case .committed(let seen) = ending, (try? connection.syncLog()) != nil,
      (try? state.watch.expectUnmoved()) != nil
    else {
      state.shared.publishFailure()
      throw LedgerError(
        .outcomeUnknown, "COMMIT failed (\(cause)) and its outcome could not be made final",
        hint: "send no order and do not reuse the key; check the disk, then look the key up",
        retry: .checkFirst)
    }
    state.durableVersion = connection.dataVersion
    state.shared.publishRewritten(moment)
    unsettledCommit = nil
    return seen
  }
}
