internal import SQLite

extension SQLiteEngine {
  /// Frames in the WAL after which it is copied into the main file: few enough that a foreign
  /// client's automatic checkpoint, at 1,000, never fires.
  static let checkpointFrames = 600

  /// How many milliseconds the readers of a long log are waited for, at most.
  private static let drainRounds = 25

  private var isCheckpointDue: Bool {
    state.database.connection.counters.walFrames >= state.nextCheckpoint
  }

  /// After the answer, not before it.
  func scheduleCheckpoint(_ moment: BootInstant?) {
    let frames = state.database.connection.counters.walFrames
    // Fewer frames than before: somebody has begun the log anew.
    if frames < state.nextCheckpoint - SQLiteEngine.checkpointFrames {
      state.nextCheckpoint = SQLiteEngine.checkpointFrames
    }
    guard isCheckpointDue, state.checkpointDue == nil else { return }
    state.checkpointDue = moment
    Task { self.checkpointIfDue() }
  }

  /// Copies the WAL into the main file under the write lock. A failure is no failure of an
  /// operation: the WAL grows on, and the next try comes as many frames later.
  ///
  /// One process of those that find it due makes it, at its turn. The log is synced before the lock
  /// is taken, so that little is left to be synced under it.
  func checkpointIfDue() {
    guard refusal == nil else { return }
    // Whatever comes of this one, the next one can be scheduled.
    let due = state.checkpointDue
    state.checkpointDue = nil
    // Nothing is copied from a log of which a part may not be on the disk.
    guard unsettledCommit == nil, isCheckpointDue,
      state.options.access != .readOnly
    else { return }
    let connection = state.database.connection
    state.nextCheckpoint = connection.counters.walFrames + SQLiteEngine.checkpointFrames
    let wait = state.options.lockWait
    if state.helper == nil {
      let options = OpenOptions(purpose: .writing, wait: wait, cacheCapacity: 4)
      state.helper = try? Connection.open(path, options: options)
    }
    if checkpointAtTurn(helper: state.helper, due) { compareSchema() }
  }

  /// - Returns: whether there was one.
  private func checkpointAtTurn(helper: Connection?, _ due: BootInstant?) -> Bool {
    let connection = state.database.connection
    let wait = state.options.lockWait
    let hasTurn = state.shared.enterTurnstile(wait)
    defer { if hasTurn { state.shared.leaveTurnstile() } }
    guard state.shared.claimCheckpoint(foundDueAt: due) else { return false }
    // Never a log of another file into this one.
    guard let helper, (try? state.watch.expectUnmoved()) != nil else { return false }
    do throws(SQLiteError) {
      try state.shared.makeDurable(connection, state.shared.moment())
    } catch {
      unsettledCommit = escaped(error.message)
      return false
    }
    for _ in 0..<SQLiteEngine.drainRounds {
      let ending = connection.checkpoint(helper: helper, wait: min(wait, .milliseconds(50)))
      if case .bodyFailed(let error, _) = ending, !error.isBusy {
        // It syncs the log too, and may have been told what no later sync will be told again.
        state.shared.publishFailure()
        unsettledCommit = escaped(error.message)
      }
      guard case .rolledBack(let result) = ending else { return false }
      guard result.frames > 2 * SQLiteEngine.checkpointFrames else { return true }
      // Readers keep the log from being begun anew. Those that look at an older state than the
      // last hold the copying up; once all is copied, new ones read the main file and not the log.
      // So the turn is kept until those of now have ended, if they do soon.
      if result.copied == result.frames && !LockHolders.areReadersInLog(of: path) { return true }
      connection.pause(.milliseconds(1))
    }
    return true
  }

  /// In full, and beside the writers. What is wrong is said by the next write.
  private func compareSchema() {
    state.schemaVersion = -1
    let database = state.database
    _ = database.connection.read(wait: state.options.lockWait) { () throws(LedgerError) in
      try verifySchemaIfMoved(database)
    }
  }
}
