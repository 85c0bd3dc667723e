internal import SQLite

/// The ledger in one SQLite file.
///
/// An actor on a thread of its own, with one connection. Every operation that writes is part of an
/// IMMEDIATE transaction: turn, lock, clock, look, decide, write, COMMIT, look at the file, sync
/// the log, answer. Callers that come together share it.
actor SQLiteEngine: LedgerEngine {
  nonisolated let mode: LedgerMode
  nonisolated let path: String
  nonisolated var executor: any TaskExecutor { thread }
  nonisolated var leaseExecutor: any TaskExecutor { thread }
  nonisolated var isShared: Bool { false }
  let file: LedgerFile
  let clock: any LedgerClock
  /// nil once the ledger was closed: with it go the connections.
  private var opened: State?
  /// Why every later call fails, once the ledger was closed.
  private(set) var refusal: LedgerError?
  /// A COMMIT has failed and its outcome is not final yet: nothing is written before that is done.
  var unsettledCommit: String?
  /// What callers want written and no transaction has taken yet.
  nonisolated let queue = WriteQueue()
  /// Answers to callers who have not come for them yet.
  var answers: [WriteQueue.Ticket: Result<WriteAnswer, LedgerError>] = [:]
  nonisolated let thread: LedgerThread
  /// Callers that share a transaction at most.
  let batchLimit: Int

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
    private(set) var database: LedgerDatabase
    /// A second connection, made when the first checkpoint is due.
    var helper: Connection?
    /// Frames in the WAL at which the next checkpoint is due.
    var nextCheckpoint = SQLiteEngine.checkpointFrames
    var watch: LedgerFileWatch
    /// The queues and the board that the processes of this ledger share.
    var shared: SharedAccess
    var refusals = RefusalMemory()
    /// What stood in the file when all of it was last known to be on the disk.
    var durableVersion: UInt32?
    /// When a checkpoint was found due.
    var checkpointDue: BootInstant?
    /// How many attempts may go on before the free room is looked at again.
    var attemptsWithRoom = 0
    /// `PRAGMA schema_version` when the schema was last compared in full.
    var schemaVersion: Int64
    let options: Ledger.Options

    init(
      database: LedgerDatabase, watch: consuming LedgerFileWatch,
      shared: consuming SharedAccess, schemaVersion: Int64, options: Ledger.Options
    ) {
      self.database = database
      self.watch = watch
      self.shared = shared
      self.schemaVersion = schemaVersion
      self.options = options
    }

    /// Reads of restores that were not there when the file was opened.
    /// - Returns: whether there is one.
    func learnRestores() throws(LedgerError) -> Bool {
      let known = database.restores
      database.restores = try database.readRestores()
      return database.restores != known
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
    batchLimit = max(1, state.options.batchLimit)
    opened = state
    path = file.path
  }

  /// Closes the file after a checkpoint, if one is due. Later calls are refused.
  func close() {
    guard refusal == nil else { return }
    checkpointIfDue()
    refusal = .closed
    opened = nil
  }

  func work() -> WorkDone {
    guard let counters = opened?.database.connection.counters else {
      return WorkDone(statements: 0, syncs: 0)
    }
    return WorkDone(statements: counters.statements, syncs: counters.syncs)
  }

  func checkUsable(forWriting: Bool) throws(LedgerError) {
    if let refusal { throw refusal }
    if forWriting && state.options.access == .readOnly {
      throw .openedForReading
    }
  }

  /// Runs `body` in one snapshot.
  ///
  /// - Parameter isForGood: what was seen is on the disk before it is told, because somebody may
  ///   act on it. Not wanted where only time is asked about.
  func read<T>(
    wait: WaitLimit, isForGood: Bool = true,
    _ body: (LedgerDatabase, ClockReading) throws(LedgerError) -> T
  ) throws(LedgerError) -> T {
    try checkUsable(forWriting: false)
    let database = state.database
    let ending = database.connection.read(wait: wait.remaining) { () throws(LedgerError) in
      try verifySchemaIfMoved(database)
      return try body(database, clock.now())
    }
    switch ending {
    case .committed(let value), .rolledBack(let value):
      if isForGood { try expectDurable() }
      return value
    case .notBegun(let error): throw database.translate(error)
    case .bodyFailed(let error, _): throw error
    case .commitUnknown(_, let error): throw database.translate(error)
    }
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
}
