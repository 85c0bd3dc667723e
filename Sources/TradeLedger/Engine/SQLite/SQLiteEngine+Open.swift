internal import SQLite

extension SQLiteEngine {
  /// Opens an existing ledger, on a thread of its own.
  static func open(
    _ path: String, options: Ledger.Options
  ) async throws(LedgerError) -> SQLiteEngine {
    try await open(path, creating: nil, options)
  }

  /// Makes a ledger, or opens the one that is there.
  static func create(
    _ path: String, mode: LedgerMode, options: Ledger.Options
  ) async throws(LedgerError) -> SQLiteEngine {
    try await open(path, creating: mode, options)
  }

  private static func open(
    _ path: String, creating mode: LedgerMode?, _ options: Ledger.Options
  ) async throws(LedgerError) -> SQLiteEngine {
    try await EngineOpener(options.thread).open { thread throws(LedgerError) in
      try Opening.open(path, creating: mode, options: options, thread: thread)
    }
  }
}

/// The steps of opening, in order: judge the file, connect, bring it to the current layout, compare
/// its schema in full.
private enum Opening {
  static func open(
    _ path: String, creating mode: LedgerMode?, options: Ledger.Options, thread: LedgerThread
  ) throws(LedgerError) -> SQLiteEngine {
    let file =
      mode == nil
      ? try LedgerFile(existing: path)
      : try LedgerFile(creating: path, groupShared: options.isGroupShared)
    let isReadOnly = options.access == .readOnly
    if isReadOnly && file.hasJournal {
      throw LedgerError(
        .configuration, "\(quoted(file.path)) has an unfinished change in its -journal",
        hint: "let a process that may write undo it: tradeledger init --db PATH", retry: .safe)
    }
    let hadLog = file.hasWAL
    let purpose = isReadOnly ? OpenOptions.Purpose.reading(keepsLog: hadLog) : .writing
    var database = try connect(file, OpenOptions(purpose: purpose, wait: options.lockWait))
    try prepare(database, file, creating: mode, options)
    let found = try Opened(database, wait: options.lockWait)
    database.restores = found.restores
    if let mode, found.mode != mode {
      throw .otherMode(found.mode, file.path)
    }
    // SQLite ignores a failure to make a new log's directory entry durable; an answer must not.
    if !isReadOnly && !hadLog { try file.syncDirectory() }
    guard let watch = LedgerFileWatch(file) else {
      throw LedgerError(
        .ledgerMoved, "\(quoted(file.path)) or its -wal vanished while it was opened",
        hint: "find out what deletes files there, then try again", retry: .safe)
    }
    try expectInPlace(database)
    // From here on the engine syncs, after it has let go of the lock.
    if !isReadOnly {
      do throws(SQLiteError) { try database.connection.leaveSyncToCaller() } catch {
        throw database.translate(error)
      }
    }
    let shared = SharedAccess(
      file, device: watch.device, inode: watch.mainInode, log: watch.logInode)
    return SQLiteEngine(
      thread: thread, file: file, mode: found.mode, clock: options.clock,
      state: SQLiteEngine.State(
        database: database, watch: watch, shared: shared, schemaVersion: found.schemaVersion,
        options: options))
  }

  private static func connect(
    _ file: LedgerFile, _ options: OpenOptions
  ) throws(LedgerError) -> LedgerDatabase {
    do throws(SQLiteError) {
      return LedgerDatabase(connection: try Connection.open(file.path, options: options))
    } catch { throw LedgerError(error, path: file.path) }
  }

  /// Whoever waited for a lock while a restore put another file there has opened the old one, and
  /// would write into the log of the new one. To be asked with the lock that nobody restores under.
  private static func expectInPlace(_ database: LedgerDatabase) throws(LedgerError) {
    guard !database.connection.hasMoved else {
      throw LedgerError(
        .ledgerMoved, "\(quoted(database.path)) was replaced while it was opened",
        hint: "nothing was written; open it again", retry: .safe)
    }
  }

  /// Brings the file to the current layout where that is wanted and allowed.
  private static func prepare(
    _ database: LedgerDatabase, _ file: LedgerFile, creating mode: LedgerMode?,
    _ options: Ledger.Options
  ) throws(LedgerError) {
    let wait = options.lockWait
    let finding = try SchemaInstaller.look(database)
    switch finding {
    case .current: break
    case .empty where mode != nil: break
    case .older where options.access == .readWrite: break
    case .older(let version):
      throw LedgerError(
        .configuration, "\(quoted(file.path)) has the older layout \(version)",
        hint: "migrate it once: tradeledger init --db PATH")
    case .newer(let version):
      throw .newerLayout(version, SchemaText.version, file.path)
    case .empty, .foreign:
      throw LedgerError(
        .notALedger, "\(quoted(file.path)) is not a ledger",
        hint: "give the path of a ledger, or a new path to `tradeledger init`; the file was not "
          + "touched")
    }
    // A foreign client may have left another journal mode. Setting it right writes to the file, so
    // first it is found out whether the file will be refused.
    let isWAL = try database.first(Statements.journalMode) { row throws(SQLiteError) in
      try row.text(0) == "wal"
    }
    if finding == .current && isWAL != true { _ = try Opened(database, wait: wait) }
    if case .older = finding { try SchemaInstaller.expectMigratable(database) }
    guard options.access == .readWrite else {
      if isWAL == true { return }
      throw LedgerError(
        .configuration, "\(quoted(file.path)) was taken out of WAL mode by another client",
        hint: "put it back, while nobody uses it: tradeledger init --db PATH")
    }
    do throws(SQLiteError) {
      try database.connection.switchToWAL(wait: wait)
    } catch { throw LedgerError(error, path: file.path) }
    guard try SchemaInstaller.look(database) != .current else { return }
    try expectInPlace(database)
    try install(database, mode, options.clock.now().wall, wait: wait)
    // So that the file by itself is a ledger from the beginning, and not only its log.
    if let helper = try? connect(file, OpenOptions(purpose: .writing, wait: wait)) {
      _ = database.connection.checkpoint(helper: helper.connection, wait: wait)
    }
  }

  /// In one transaction that looks again first, so that of many processes exactly one does it.
  private static func install(
    _ database: LedgerDatabase, _ mode: LedgerMode?, _ now: Timestamp, wait: Duration
  ) throws(LedgerError) {
    let ending = database.connection.write(wait: wait) { () throws(LedgerError) in
      switch try SchemaInstaller.look(database) {
      case .empty:
        guard let mode else { throw .bug("an empty file got this far") }
        try SchemaInstaller.install(database, mode: mode, at: now)
        return TransactionDecision.commit(())
      case .older:
        try SchemaInstaller.migrate(database)
        return .commit(())
      case .current, .newer, .foreign: return .rollback(())
      }
    }
    switch ending {
    case .committed, .rolledBack: return
    case .notBegun(let error): throw database.translate(error)
    case .bodyFailed(let error, _): throw error
    case .commitUnknown(_, let error):
      throw LedgerError(
        .outcomeUnknown, "the schema may or may not have been written: \(escaped(error.message))",
        hint: "check the disk and run init again", retry: .checkFirst)
    }
  }
}

/// What an open file says about itself, after its schema was compared in full.
private struct Opened {
  let mode: LedgerMode
  let schemaVersion: Int64
  let restores: [ClockReading]

  init(_ database: LedgerDatabase, wait: Duration) throws(LedgerError) {
    let ending = database.connection.read(wait: wait) { () throws(LedgerError) in
      try SchemaInstaller.verify(database)
      let bytes = try database.pragma("page_count") * database.pragma("page_size")
      if bytes <= Integrity.bytesCheckedAtOpen {
        try Integrity.expectSound(database)
      }
      let mode = try database.first(Statements.ledgerMode) { row throws(SQLiteError) in
        try row.text(0)
      }
      return (
        mode.flatMap(LedgerMode.init(rawValue:)), try database.pragma("schema_version"),
        try database.readRestores()
      )
    }
    switch ending {
    case .committed(let (mode, version, restores)), .rolledBack(let (mode, version, restores)):
      guard let mode else {
        throw LedgerError(
          .notALedger, "\(quoted(database.path)) has the schema of a ledger but no mode",
          hint: "make ledgers with `tradeledger init`")
      }
      self.mode = mode
      schemaVersion = version
      self.restores = restores
    case .notBegun(let error), .commitUnknown(_, let error): throw database.translate(error)
    case .bodyFailed(let error, _): throw error
    }
  }
}
