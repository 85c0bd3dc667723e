internal import SQLite

extension SQLiteEngine {
  /// Frames in the WAL after which it is copied into the main file: few enough that a foreign
  /// client's automatic checkpoint, at 1,000, never fires.
  static let checkpointFrames = 400

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
    guard refusal == nil, isCheckpointDue, state.options.access != .readOnly else { return }
    let connection = state.database.connection
    let due = state.checkpointDue
    state.checkpointDue = nil
    state.nextCheckpoint = connection.counters.walFrames + SQLiteEngine.checkpointFrames
    let wait = state.options.lockWait
    if state.helper == nil {
      let options = OpenOptions(purpose: .writing, wait: wait, cacheCapacity: 4)
      state.helper = try? Connection.open(path, options: options)
    }
    let hasTurn = state.shared.enterTurnstile(wait)
    defer { if hasTurn { state.shared.leaveTurnstile() } }
    guard state.shared.claimCheckpoint(foundDueAt: due) else { return }
    // Never a log of another file into this one.
    guard let helper = state.helper, (try? state.watch.expectUnmoved()) != nil,
      (try? connection.syncLog()) != nil
    else { return }
    let ending = connection.checkpoint(helper: helper, wait: wait)
    compareSchema()
    // Readers that look at the log keep it from being begun anew; new ones will not look at it.
    // They are given a moment to end, before the next writer's turn.
    if case .rolledBack(let result) = ending, result.frames > 2 * SQLiteEngine.checkpointFrames {
      connection.pause(.milliseconds(1))
    }
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
