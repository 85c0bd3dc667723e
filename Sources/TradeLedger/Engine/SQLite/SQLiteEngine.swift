internal import SQLite

/// The ledger in one SQLite file.
///
/// An actor on a thread of its own, with one connection. Every operation that writes is one
/// IMMEDIATE transaction: lock, clock, look, decide, write, COMMIT, look at the file, answer.
actor SQLiteEngine: LedgerEngine {
  /// Frames in the WAL after which it is copied into the main file: few enough that a foreign
  /// client's automatic checkpoint, at 1,000, never fires.
  static let checkpointFrames = 400

  nonisolated let mode: LedgerMode
  nonisolated let path: String
  nonisolated var executor: any TaskExecutor { thread }
  let file: LedgerFile
  let clock: any LedgerClock
  /// nil once the ledger was closed: with it go the connections.
  private var opened: State?
  /// Why every later call fails, once the ledger was closed.
  private var refusal: LedgerError?
  /// A COMMIT has failed and its outcome is not final yet: nothing is written before that is done.
  private var unsettledCommit: String?
  private nonisolated let thread: LedgerThread

  nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe thread.asUnownedSerialExecutor()
  }

  /// Of an open ledger. Whoever asks has called `checkUsable` first.
  var state: State {
    guard let opened else { preconditionFailure("the ledger was closed") }
    return opened
  }

  /// The open file. A class, so that looking at one of its parts copies none of the others.
  final class State {
    let database: LedgerDatabase
    /// A second connection, made when the first checkpoint is due.
    var helper: Connection?
    /// Frames in the WAL at which the next checkpoint is due.
    var nextCheckpoint = SQLiteEngine.checkpointFrames
    var watch: LedgerFileWatch
    /// How many attempts may go on before the free room is looked at again.
    var attemptsWithRoom = 0
    /// `PRAGMA schema_version` when the schema was last compared in full.
    var schemaVersion: Int64
    let isReadOnly: Bool
    let openWait: Duration

    init(
      database: LedgerDatabase, watch: consuming LedgerFileWatch, schemaVersion: Int64,
      isReadOnly: Bool, openWait: Duration
    ) {
      self.database = database
      self.watch = watch
      self.schemaVersion = schemaVersion
      self.isReadOnly = isReadOnly
      self.openWait = openWait
    }
  }

  init(
    thread: LedgerThread, file: LedgerFile, mode: LedgerMode, clock: any LedgerClock,
    state: sending State
  ) {
    self.thread = thread
    self.file = file
    self.mode = mode
    self.clock = clock
    opened = state
    path = file.path
  }

  /// Closes the file after a checkpoint, if one is due. Later calls are refused.
  func close() {
    guard refusal == nil else { return }
    checkpointIfDue()
    refusal = LedgerError(
      .configuration, "the ledger was closed", hint: "open it again before the next call")
    opened = nil
  }

  func checkUsable(forWriting: Bool) throws(LedgerError) {
    if let refusal { throw refusal }
    if forWriting && state.isReadOnly {
      throw LedgerError(
        .configuration, "this ledger was opened for reading", hint: "open it with readWrite access")
    }
  }

  /// Runs `body` in one snapshot.
  func read<T>(
    wait: WaitLimit, _ body: (LedgerDatabase, ClockReading) throws(LedgerError) -> T
  ) throws(LedgerError) -> T {
    try checkUsable(forWriting: false)
    let database = state.database
    let ending = database.connection.read(wait: wait.remaining) { () throws(LedgerError) in
      try verifySchemaIfMoved(database)
      return try body(database, clock.now())
    }
    switch ending {
    case .committed(let value), .rolledBack(let value): return value
    case .notBegun(let error): throw database.translate(error)
    case .bodyFailed(let error, _): throw error
    case .commitUnknown(_, let error): throw database.translate(error)
    }
  }

  /// Runs `body` under the write lock, with a clock that was read after the lock was taken.
  ///
  /// - Parameter isThere: looks whether what `body` wrote is in the file. It is asked, in a later
  ///   transaction, only where COMMIT failed (INV-4).
  func write<T>(
    wait: WaitLimit, isThere: (LedgerDatabase, T) throws(LedgerError) -> Bool,
    _ body: (LedgerDatabase, ClockReading) throws(LedgerError) -> TransactionDecision<T>
  ) throws(LedgerError) -> T {
    try checkUsable(forWriting: true)
    if let cause = unsettledCommit { try makeFinal(cause, wait: wait) { _ in } }
    let database = state.database
    let ending = database.connection.write(wait: wait.remaining) { () throws(LedgerError) in
      try state.watch.expectUnmoved()
      try verifySchemaIfMoved(database)
      return try body(database, clock.now())
    }
    switch ending {
    case .committed(let value):
      // The answer is true only if this is still the file that everybody else opens.
      try state.watch.expectUntouched()
      scheduleCheckpoint()
      return value
    case .rolledBack(let value): return value
    case .notBegun(let error): throw database.translate(error)
    case .bodyFailed(let error, _): throw error
    case .commitUnknown(let value, let error):
      unsettledCommit = escaped(error.message)
      let isWritten = try makeFinal(escaped(error.message), wait: wait) {
        database throws(LedgerError) in try isThere(database, value)
      }
      if isWritten { return value }
      throw LedgerError(
        .io, "nothing was written: COMMIT failed (\(escaped(error.message)))",
        hint: "that is final; check the disk, then try again with the same key", retry: .safe)
    }
  }

  /// INV-4: a COMMIT that failed may still come true, when its process ends. One later commit that
  /// changes a page overwrites what it left in the log and makes the outcome final, whichever it
  /// is. This connection must make it: a new one could recover the frames that fsync did not reach.
  ///
  /// - Returns: what `look` saw.
  /// - Throws: `outcomeUnknown`; the next write tries again before it does anything else.
  private func makeFinal<T>(
    _ cause: String, wait: WaitLimit, _ look: (LedgerDatabase) throws(LedgerError) -> T
  ) throws(LedgerError) -> T {
    let database = state.database
    let ending = database.connection.write(wait: wait.remaining) { () throws(LedgerError) in
      let seen = try look(database)
      try database.run(Statements.tick)
      return .commit(seen)
    }
    guard case .committed(let seen) = ending, (try? state.watch.expectUnmoved()) != nil else {
      throw LedgerError(
        .outcomeUnknown, "COMMIT failed (\(cause)) and its outcome could not be made final",
        hint: "send no order and do not reuse the key; check the disk, then look the key up",
        retry: .checkFirst)
    }
    unsettledCommit = nil
    return seen
  }

  /// Compares the schema in full whenever its version has moved since the last time.
  func verifySchemaIfMoved(_ database: LedgerDatabase) throws(LedgerError) {
    let version =
      try database.first(Statements.schemaVersion) { row throws(SQLiteError) in
        try row.integer(0)
      } ?? 0
    guard version != state.schemaVersion else { return }
    try SchemaInstaller.verify(database)
    state.schemaVersion = version
  }

  // MARK: Checkpoints

  private var isCheckpointDue: Bool {
    state.database.connection.counters.walFrames >= state.nextCheckpoint
  }

  /// After the answer, not before it.
  private func scheduleCheckpoint() {
    let frames = state.database.connection.counters.walFrames
    // Fewer frames than before: somebody has begun the log anew.
    if frames < state.nextCheckpoint - SQLiteEngine.checkpointFrames {
      state.nextCheckpoint = SQLiteEngine.checkpointFrames
    }
    if isCheckpointDue { Task { self.checkpointIfDue() } }
  }

  /// Copies the WAL into the main file under the write lock. A failure is no failure of an
  /// operation: the WAL grows on, and the next try comes as many frames later.
  private func checkpointIfDue() {
    guard refusal == nil, isCheckpointDue, !state.isReadOnly else { return }
    let connection = state.database.connection
    state.nextCheckpoint = connection.counters.walFrames + SQLiteEngine.checkpointFrames
    if state.helper == nil {
      let options = OpenOptions(purpose: .writing, wait: state.openWait, cacheCapacity: 4)
      state.helper = try? Connection.open(path, options: options)
    }
    // Never a log of another file into this one.
    guard let helper = state.helper, (try? state.watch.expectUnmoved()) != nil else { return }
    _ = connection.checkpoint(helper: helper, wait: state.openWait)
    state.schemaVersion = -1  // compare in full at the next look
  }
}
