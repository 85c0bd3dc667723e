internal import CSQLite

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// One connection to one SQLite file, hardened, with a bounded statement cache.
///
/// A connection is synchronous and not `Sendable`: the compiler keeps it on the thread (or in the
/// actor) that opened it, so it is opened without SQLite's own mutex. It cannot be made but by
/// ``open(_:options:)``, and it does not survive a fork: every call in a child is refused.
///
/// The handle is closed by `deinit` alone, after its statements: that is why the class is `@safe`.
@safe
public final class Connection {
  /// Counts of what this connection did; the basis of tests that gate on counters.
  public struct Counters: Equatable, Sendable {
    /// Statements stepped, BEGIN, COMMIT and ROLLBACK included.
    public var statements = 0
    /// Frames in the WAL after this connection's last commit.
    public var walFrames = 0
    /// Syncs of the WAL that were asked for by ``Connection/syncLog()``.
    public var syncs = 0
  }

  /// The process that opened it, and the only one that may use it.
  public let processID: Int32 = getpid()
  /// The path as it was opened.
  public let path: String
  public internal(set) var counters = Counters()
  /// Called with each SQL text before it runs. For tests.
  public var onStatement: ((String) -> Void)?

  let busy = BusyHandler()
  /// This reader made an empty -wal that goes away with it.
  var removesLog = false
  /// Looked at whenever a wait begins, which every transaction does first.
  private var isOwnProcess = true
  private let handle: OpaquePointer
  /// For the other files of this module.
  var database: OpaquePointer { unsafe handle }
  private let cacheCapacity: Int
  /// Few enough to be searched from one end to the other. The texts are constants, so that two of
  /// them are mostly told apart, or found equal, without reading them.
  private var cache: [(sql: String, statement: Statement)] = []
  private var useCount: UInt64 = 0

  init(handle: OpaquePointer, path: String, cacheCapacity: Int) {
    unsafe self.handle = handle
    self.path = path
    self.cacheCapacity = cacheCapacity
    unsafe busy.install(on: handle)
    unsafe sqlite3_wal_hook(
      handle,
      { context, _, _, frames in
        guard let context = unsafe context else { return SQLITE_OK }
        unsafe Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue()
          .counters.walFrames = Int(frames)
        return SQLITE_OK
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  deinit {
    cache = []
    // In a forked child the handle is leaked on purpose: closing it would drop the parent's locks.
    guard processID == getpid() else { return }
    // A writer has come and gone since: its log stays, because copying it would write to the file.
    if removesLog && logHasFrames {
      try? configure(SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true, "no checkpoint on close")
    }
    unsafe _ = sqlite3_close_v2(handle)
  }

  private var logHasFrames: Bool {
    var info = stat()
    return unsafe stat(path + "-wal", &info) == 0 && info.st_size > 0
  }

  /// Whether a transaction is open.
  public var isInTransaction: Bool { unsafe sqlite3_get_autocommit(handle) == 0 }
  /// Rows changed by the most recent INSERT, UPDATE or DELETE.
  public var changes: Int { unsafe Int(sqlite3_changes64(handle)) }
  /// The rowid of the most recent INSERT.
  public var lastInsertID: Int64 { unsafe sqlite3_last_insert_rowid(handle) }
  /// The statements that are prepared now. At most the cache's capacity.
  public var cachedStatementCount: Int { cache.count }
  /// SQLite's version, for example "3.40.1".
  public static var libraryVersion: String { unsafe String(cString: sqlite3_libversion()) }

  /// Sets how long the calls that follow may wait for a lock, all together, from now.
  public func startWait(_ wait: Duration) {
    isOwnProcess = processID == getpid()
    busy.start(wait: wait)
  }

  /// Runs `sql`, which gives no rows that matter.
  @inlinable
  public func run(_ sql: String, _ values: [Value] = []) throws(SQLiteError) {
    try forEachRow(sql, values) { _ throws(SQLiteError) in }
  }

  /// All rows of `sql`, each mapped by `transform`.
  @inlinable
  public func rows<T>(
    _ sql: String, _ values: [Value] = [],
    _ transform: (borrowing Row) throws(SQLiteError) -> T
  ) throws(SQLiteError) -> [T] {
    var result: [T] = []
    try forEachRow(sql, values) { row throws(SQLiteError) in result.append(try transform(row)) }
    return result
  }

  /// The first row of `sql`, mapped by `transform`, or nil where there is none.
  @inlinable
  public func firstRow<T>(
    _ sql: String, _ values: [Value] = [],
    _ transform: (borrowing Row) throws(SQLiteError) -> T
  ) throws(SQLiteError) -> T? {
    var result: T?
    try forEachRow(sql, values) { row throws(SQLiteError) in
      if result == nil { result = try transform(row) }
    }
    return result
  }

  /// Runs a script of several statements, for example a schema. Not cached.
  public func runScript(_ script: String) throws(SQLiteError) {
    for statement in SQLScript.statements(of: script) {
      guard isOwnProcess else { throw foreignProcess(statement) }
      counters.statements += 1
      onStatement?(statement)
      let prepared = try unsafe Statement(statement, database: handle)
      try unsafe prepared.forEachRow([], database: handle) { _ throws(SQLiteError) in }
    }
  }

  /// Gives each row of `sql` to `body`, which may keep nothing of it.
  ///
  /// Never inlined, for the reason given at ``Statement/forEachRow(_:database:_:)``.
  @inline(never)
  public func forEachRow(
    _ sql: String, _ values: [Value], _ body: (borrowing Row) throws(SQLiteError) -> Void
  ) throws(SQLiteError) {
    guard isOwnProcess else { throw foreignProcess(sql) }
    let statement = try prepared(sql)
    counters.statements += 1
    onStatement?(sql)
    try unsafe statement.forEachRow(values, database: handle, body)
  }

  private func foreignProcess(_ operation: String) -> SQLiteError {
    .misuse(
      "this connection belongs to process \(processID); open another after a fork", operation)
  }

  private func prepared(_ sql: String) throws(SQLiteError) -> Statement {
    useCount += 1
    let length = sql.utf8.count
    if let found = cache.first(where: { $0.sql.utf8.count == length && $0.sql == sql }) {
      found.statement.lastUse = useCount
      return found.statement
    }
    let statement = try unsafe Statement(sql, database: handle)
    statement.lastUse = useCount
    if cache.count >= cacheCapacity,
      let oldest = cache.indices.min(by: {
        cache[$0].statement.lastUse < cache[$1].statement.lastUse
      })
    {
      cache.remove(at: oldest)
    }
    cache.append((sql, statement))
    return statement
  }

  /// Sets a connection option and throws unless it reads back as set.
  func configure(_ option: Int32, _ value: Bool, _ name: String) throws(SQLiteError) {
    var readBack: Int32 = -1
    let code = unsafe tl_sqlite3_db_config_int(handle, option, value ? 1 : 0, &readBack)
    guard code == SQLITE_OK, readBack == (value ? 1 : 0) else {
      throw SQLiteError(code: code, message: "\(name) could not be set", operation: "db_config")
    }
  }

  /// From here on only SELECT, and among pragmas only those that tell the columns of a table: no
  /// schema of the file can make this connection do anything else. Recursive queries are refused,
  /// because a view may hold an endless one.
  func allowOnlyReading() {
    unsafe _ = sqlite3_set_authorizer(
      handle,
      { _, action, name, _, _, _ in
        switch action {
        case SQLITE_SELECT, SQLITE_READ, SQLITE_FUNCTION, SQLITE_TRANSACTION: return SQLITE_OK
        case SQLITE_PRAGMA:
          guard let name = unsafe name else { return SQLITE_DENY }
          let pragma = unsafe String(cString: name)
          let isHarmless = pragma == "table_xinfo" || pragma == "foreign_key_list"
          return isHarmless ? SQLITE_OK : SQLITE_DENY
        default: return SQLITE_DENY
        }
      }, nil)
  }

  /// Lowers a limit and throws unless it reads back as set.
  func limit(_ id: Int32, _ value: Int32) throws(SQLiteError) {
    unsafe _ = sqlite3_limit(handle, id, value)
    guard unsafe sqlite3_limit(handle, id, -1) == value else {
      throw SQLiteError(code: SQLITE_ERROR, message: "limit \(id) not set", operation: "limit")
    }
  }
}
