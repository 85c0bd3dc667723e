internal import CSQLite

/// How a connection is opened.
public struct OpenOptions: Sendable {
  /// What the connection is for.
  public enum Purpose: Sendable {
    /// Reads and writes. Leaves the WAL in place when it closes, so that the next process does not
    /// have to make it again.
    case writing
    /// Reads and writes, and keeps everybody else out from its first statement until it closes. It
    /// touches no file beside the database when it closes.
    case alone
    /// Only reads: no statement can change a row. `keepsLog` says that a -wal stands there already
    /// and must be left as it is.
    case reading(keepsLog: Bool)
    /// Only reads a file that strangers made: whatever stands in its schema, nothing but SELECT
    /// runs.
    case examining(Traces)
  }
  /// How a foreign file can be read so that nothing new is left beside it.
  public enum Traces: Sendable {
    /// Opened read-only: a rollback-journal database, or one whose -wal and -shm are both there.
    /// A journal that would have to be rolled back is an error (`needsRollback`).
    case readOnly
    /// A WAL database without a -wal: SQLite makes an empty one, and the last to close takes it
    /// away. That needs a file and a directory that may be written.
    case takesLogAway
    /// A -wal without -shm, so that nobody has it open: the index of the log is kept in memory,
    /// and others wait until the connection is closed.
    case alone
  }
  public var purpose: Purpose
  /// Longest wait for a lock while opening. Later waits are given call by call.
  public var wait: Duration
  /// Prepared statements kept at most; at least one.
  public var cacheCapacity: Int

  public init(purpose: Purpose, wait: Duration, cacheCapacity: Int = 48) {
    self.purpose = purpose
    self.wait = wait
    self.cacheCapacity = max(1, cacheCapacity)
  }
}

extension Connection {
  /// Opens an existing file. The only way to make a connection.
  ///
  /// `path` must be absolute and free of symbolic links: it is opened with NOFOLLOW, never as a
  /// URI, and never created. Every setting is read back, and one that does not hold is an error,
  /// because a pragma that failed in silence is how most ledgers lose their guarantees.
  ///
  /// - Errors: whatever SQLite answered; `isBusy` where the wait was over.
  public static func open(_ path: String, options: OpenOptions) throws(SQLiteError) -> Connection {
    guard path.hasPrefix("/") else { throw .misuse("not an absolute path", path) }
    var opened: OpaquePointer?
    let access =
      if case .examining(.readOnly) = options.purpose {
        SQLITE_OPEN_READONLY
      } else { SQLITE_OPEN_READWRITE }
    let flags =
      access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE
      | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE
    let code = unsafe sqlite3_open_v2(path, &opened, flags, nil)
    guard let handle = unsafe opened else {
      throw SQLiteError(code: code, message: "out of memory", operation: "open \(path)")
    }
    guard code == SQLITE_OK else {
      let error = unsafe SQLiteError(code, database: handle, "open \(path)")
      unsafe _ = sqlite3_close_v2(handle)
      throw error
    }
    let connection = unsafe Connection(
      handle: handle, path: path, cacheCapacity: options.cacheCapacity)
    connection.startWait(options.wait)
    try connection.harden(options.purpose)
    return connection
  }

  private func harden(_ purpose: OpenOptions.Purpose) throws(SQLiteError) {
    // First: a file that is refused further down must not get its log copied into it for that.
    try configure(SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true, "no checkpoint on close")
    try configure(SQLITE_DBCONFIG_DEFENSIVE, true, "defensive mode")
    try configure(SQLITE_DBCONFIG_TRUSTED_SCHEMA, false, "trusted_schema")
    try configure(SQLITE_DBCONFIG_DQS_DML, false, "double-quoted strings")
    try configure(SQLITE_DBCONFIG_DQS_DDL, false, "double-quoted strings in DDL")
    try configure(SQLITE_DBCONFIG_ENABLE_FKEY, true, "foreign keys")
    try configure(SQLITE_DBCONFIG_ENABLE_TRIGGER, true, "triggers")
    try configure(SQLITE_DBCONFIG_ENABLE_VIEW, true, "views")
    try configure(SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, false, "extensions")
    if case .examining(let traces) = purpose {
      for (id, value) in Connection.foreignLimits { try limit(id, value) }
      // Before anything that reads the file: then it holds for the log, too.
      if case .alone = traces { try run("PRAGMA locking_mode = EXCLUSIVE") }
    } else {
      for (id, value) in Connection.limits { try limit(id, value) }
      // Before anything that reads the file: then it holds for the log, too.
      if case .alone = purpose { try run("PRAGMA locking_mode = EXCLUSIVE") }
    }
    // Pragmas that do not touch the file come first: the next one that does reads the schema.
    try set("cell_size_check", 1)
    try set("mmap_size", 0)
    try set("temp_store", 2)  // memory
    try set("recursive_triggers", 1)
    try set("synchronous", 2)  // FULL (INV-4)
    try disableAutomaticCheckpoints()
    switch purpose {
    case .writing, .alone: break
    case .reading(let keepsLog):
      try configure(SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keepsLog, "no checkpoint on close")
      removesLog = !keepsLog
      try set("query_only", 1)
    case .examining(let traces):
      let takesLogAway = if case .takesLogAway = traces { true } else { false }
      try configure(SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !takesLogAway, "no checkpoint on close")
      removesLog = takesLogAway
      try set("query_only", 1)
      allowOnlyReading()
    }
  }

  /// From SQLite's advice for files that strangers may have written
  /// (https://www.sqlite.org/security.html); enough for the ledger's own statements.
  private static let limits: [(Int32, Int32)] = [
    (SQLITE_LIMIT_LENGTH, 1_000_000), (SQLITE_LIMIT_SQL_LENGTH, 100_000),
    (SQLITE_LIMIT_COLUMN, 100), (SQLITE_LIMIT_EXPR_DEPTH, 100),
    (SQLITE_LIMIT_COMPOUND_SELECT, 8), (SQLITE_LIMIT_VDBE_OP, 25_000),
    (SQLITE_LIMIT_FUNCTION_ARG, 8), (SQLITE_LIMIT_ATTACHED, 0),
    (SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100), (SQLITE_LIMIT_VARIABLE_NUMBER, 40),
    (SQLITE_LIMIT_TRIGGER_DEPTH, 10), (SQLITE_LIMIT_WORKER_THREADS, 0),
  ]

  /// For files with a schema of somebody else's: it has to be parsed, so what the parser looks at
  /// stays at SQLite's own limits, and rows may be larger.
  private static let foreignLimits: [(Int32, Int32)] = [
    (SQLITE_LIMIT_LENGTH, 16_000_000), (SQLITE_LIMIT_VDBE_OP, 25_000),
    (SQLITE_LIMIT_ATTACHED, 0), (SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100),
    (SQLITE_LIMIT_VARIABLE_NUMBER, 40), (SQLITE_LIMIT_TRIGGER_DEPTH, 10),
    (SQLITE_LIMIT_WORKER_THREADS, 0),
  ]

  /// From here on COMMIT returns before its changes are on the disk (synchronous=NORMAL): they
  /// survive the end of every process, and a power cut only once ``syncLog()`` has returned.
  public func leaveSyncToCaller() throws(SQLiteError) { try set("synchronous", 1) }

  private func set(_ pragma: String, _ value: Int64) throws(SQLiteError) {
    try run("PRAGMA \(pragma) = \(value)")
    // mmap_size reads back as no row at all where the build has no memory mapping.
    let readBack = try pragmaInteger(pragma) ?? (pragma == "mmap_size" ? 0 : nil)
    guard readBack == value else {
      throw SQLiteError(
        code: SQLITE_ERROR, message: "PRAGMA \(pragma) did not hold", operation: "harden")
    }
  }

  /// The hook that `Connection` installed counts frames; `PRAGMA wal_autocheckpoint` would replace
  /// it, so this only reads the setting back: zero, because the hook is not the automatic one.
  private func disableAutomaticCheckpoints() throws(SQLiteError) {
    guard try pragmaInteger("wal_autocheckpoint") == 0 else {
      throw SQLiteError(
        code: SQLITE_ERROR, message: "automatic checkpoints are on", operation: "harden")
    }
  }

  /// The integer that `PRAGMA name` gives. `name` is one of this project's own words.
  public func pragmaInteger(_ name: String) throws(SQLiteError) -> Int64? {
    try firstRow("PRAGMA \(name)") { row throws(SQLiteError) in try row.optionalInteger(0) } ?? nil
  }

  /// The text that `PRAGMA name` gives. `name` is one of this project's own words.
  public func pragmaText(_ name: String) throws(SQLiteError) -> String? {
    try firstRow("PRAGMA \(name)") { row throws(SQLiteError) in try row.optionalText(0) } ?? nil
  }

  /// Makes the file a WAL database, or finds that it is one.
  ///
  /// SQLite does not call the busy handler here (it upgrades a read lock), so that several first
  /// starts at once fail with BUSY; this retries until `wait` is over.
  public func switchToWAL(wait: Duration) throws(SQLiteError) {
    busy.start(wait: wait)
    while true {
      do throws(SQLiteError) {
        let mode = try pragmaText("journal_mode")
        if mode == "wal" { return }
        if let answer = try pragmaText("journal_mode = wal"), answer == "wal" { return }
        throw SQLiteError(
          code: SQLITE_ERROR, message: "journal_mode stays \(mode ?? "?")", operation: "WAL")
      } catch {
        guard error.isBusy, busy.sleepOrGiveUp() else { throw error }
      }
    }
  }
}
