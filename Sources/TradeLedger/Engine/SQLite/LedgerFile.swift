internal import CLedgerSystem

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// The ledger's file, judged before SQLite opens it. Looked at with stat alone: a descriptor that
/// this process opened and closed would drop the process's own locks.
struct LedgerFile: Sendable {
  /// Absolute, with every link resolved.
  let path: String
  let directory: String

  /// - Throws: `noLedger`, `notALedger`, `configuration`, `permission`, `invalidInput`.
  init(existing path: String) throws(LedgerError) {
    try LedgerFile.checkSpelling(path)
    guard let real = LedgerFile.realPath(path) else {
      throw LedgerFile.cannotReach(path, errno)
    }
    self.path = real
    directory = LedgerFile.parent(of: real)
    let info = try LedgerFile.status(real)
    guard info.st_mode & S_IFMT == S_IFREG else {
      throw LedgerError(
        .notALedger, "\(quoted(path)) is \(LedgerFile.kind(info)), not a ledger file",
        hint: "give the path of a ledger; `tradeledger init` makes one")
    }
    guard info.st_nlink == 1 else {
      throw LedgerError(
        .configuration, "\(quoted(path)) has \(info.st_nlink) hard links",
        hint: "a second name means a second log and lost trades; remove the other names")
    }
    try LedgerFile.expectOwnDirectory(real)
    try checkSafety(info)
    for suffix in ["-wal", "-shm", "-journal"] { try LedgerFile.checkCompanion(real + suffix) }
    try LedgerFileSystem.check(directory: directory)
  }

  /// Makes the file, empty and private, unless it is there. The file appears under its name only
  /// when this process has closed it again, so that no descriptor but SQLite's is ever closed.
  ///
  /// - Throws: as `init(existing:)`, and `cannotCreate`.
  init(creating path: String, groupShared: Bool) throws(LedgerError) {
    try LedgerFile.checkSpelling(path)
    let parent = LedgerFile.parent(of: path)
    guard let directory = LedgerFile.realPath(parent) else {
      throw LedgerError(
        .cannotCreate, "no directory \(quoted(parent)): \(message(errno))",
        hint: "make it first: mkdir -p -m 700 DIRECTORY")
    }
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    let target = directory + (directory == "/" ? "" : "/") + name
    let mode: mode_t = groupShared ? 0o660 : 0o600
    var info = stat()
    if unsafe lstat(target, &info) != 0 {
      if NewLedgerFile.exists(target + RestorePlace.suffix) {
        throw LedgerError(
          .configuration, "a restore of \(quoted(path)) was cut short, and it is not there now",
          hint: "give the same restore command again; a new ledger would know no last trade")
      }
      try LedgerFileSystem.check(directory: directory)
      try LedgerFile.checkDirectory(directory, groupMayWrite: groupShared)
      try LedgerFile.makeFile(target, mode: mode)
    } else if info.st_mode & S_IFMT == S_IFREG, info.st_size == 0 {
      // What an init that was killed left behind, or somebody touched.
      if unsafe chmod(target, mode) != 0 { throw LedgerFile.cannotReach(target, errno) }
    } else if info.st_mode & S_IFMT == S_IFLNK, LedgerFile.realPath(target) == nil {
      throw LedgerError(
        .cannotCreate, "\(quoted(path)) is a symbolic link to nothing",
        hint: "remove the link, or give the path that it should lead to")
    }
    try self.init(existing: target)
  }

  /// Where a ledger that may not be there would lie: its real path, and that of its directory.
  ///
  /// - Throws: as `init(existing:)`, but for what is wrong with the file itself.
  static func place(_ path: String) throws(LedgerError) -> (file: String, directory: String) {
    try checkSpelling(path)
    let real = realPath(path)
    guard let directory = realPath(parent(of: real ?? path)) else { throw cannotReach(path, errno) }
    try LedgerFileSystem.check(directory: directory)
    let name = (real ?? path).split(separator: "/").last.map(String.init) ?? ""
    let target = directory + (directory == "/" ? "" : "/") + name
    var info = stat()
    var groupMayWrite = false
    if unsafe lstat(target, &info) == 0 {
      guard info.st_mode & S_IFMT == S_IFREG, info.st_nlink == 1 else {
        throw LedgerError(
          .configuration, "\(quoted(path)) is not a plain file of one name",
          hint: "give the path of a ledger")
      }
      groupMayWrite = info.st_mode & 0o020 != 0
    }
    try checkDirectory(directory, groupMayWrite: groupMayWrite)
    return (target, directory)
  }

  /// Whether a -wal stands beside the file.
  var hasWAL: Bool {
    var info = stat()
    return unsafe stat(path + "-wal", &info) == 0
  }

  /// Whether a -journal with something in it stands beside the file: a transaction of a rollback
  /// journal that nobody has finished. Whoever opens the file undoes it, by writing.
  var hasJournal: Bool {
    var info = stat()
    return unsafe stat(path + "-journal", &info) == 0 && info.st_size > 0
  }

  /// The size of the -wal in bytes.
  var walBytes: Int64 {
    var info = stat()
    return unsafe stat(path + "-wal", &info) == 0 ? Int64(info.st_size) : 0
  }

  /// Room for this many bytes must be left for a reservation, so that it can be settled too: some
  /// ten times what one transaction appends to the log.
  static let reserveBytes: UInt64 = 256 * 1024

  /// Free bytes beside the ledger; nil where the system does not say.
  var freeBytes: UInt64? { LedgerFile.freeBytes(directory) }

  static func freeBytes(_ directory: String) -> UInt64? {
    var info = statvfs()
    guard unsafe statvfs(directory, &info) == 0 else { return nil }
    return UInt64(info.f_bavail) * UInt64(info.f_frsize)
  }

  /// The same, for a reservation.
  /// - Throws: `io` where the disk is nearly full.
  func expectRoom() throws(LedgerError) -> UInt64? {
    guard let free = freeBytes else { return nil }
    guard free >= LedgerFile.reserveBytes else {
      throw LedgerError(
        .io, "less than \(LedgerFile.reserveBytes / 1024) KiB are free beside \(quoted(path))",
        hint: "a trade that is begun now might not be settled; make room and try again",
        retry: .safe)
    }
    return free
  }

  /// Makes the directory entries durable. SQLite ignores a failure here; this does not.
  func syncDirectory() throws(LedgerError) {
    let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw LedgerFile.cannotReach(directory, errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else {
      throw LedgerError(
        .io, "\(quoted(directory)) cannot be made durable: \(message(errno))",
        hint: "check the disk and the kernel log", retry: .checkFirst)
    }
  }
}

// MARK: - Checks

extension LedgerFile {
  private static func checkSpelling(_ path: String) throws(LedgerError) {
    guard !path.isEmpty, !path.utf8.contains(0), !path.hasPrefix("file:") else {
      throw LedgerError(
        .invalidInput, "not a path: \(quoted(path))",
        hint: "give a plain path, not an URI; write ./file:x for a file of that name")
    }
    if let address = Ledger.noPath(path) { throw .noEngine(address) }
  }

  /// A file that is mounted by itself, as `docker run -v FILE:FILE` does, has another log at each
  /// place.
  private static func expectOwnDirectory(_ path: String) throws(LedgerError) {
    var isMountPoint = false
    let code = unsafe tl_is_mount_point(path, &isMountPoint)
    guard code == 0 else { throw cannotReach(path, code) }
    guard !isMountPoint else {
      throw LedgerError(
        .configuration, "\(quoted(path)) is mounted by itself, without its log",
        hint: "every place that it is mounted at has a log of its own; mount its directory instead")
    }
  }

  private func checkSafety(_ info: stat) throws(LedgerError) {
    let groupMayWrite = info.st_mode & 0o020 != 0
    guard info.st_mode & 0o002 == 0 else {
      throw LedgerError(
        .configuration, "\(quoted(path)) may be written by everybody",
        hint: "chmod 600 it")
    }
    try LedgerFile.checkDirectory(directory, groupMayWrite: groupMayWrite)
    if unsafe access(path, R_OK) != 0 { throw LedgerFile.cannotReach(path, errno) }
  }

  /// What SQLite opens beside the ledger is a plain file of one name, or is not there: SQLite would
  /// wait at a FIFO for ever, and write through a second name into somebody else's file.
  private static func checkCompanion(_ path: String) throws(LedgerError) {
    var info = stat()
    guard unsafe lstat(path, &info) == 0 else { return }
    guard info.st_mode & S_IFMT == S_IFREG, info.st_nlink <= 1 else {
      throw LedgerError(
        .configuration, "\(quoted(path)), beside the ledger, is not a plain file of one name",
        hint: "no ledger puts that there; find out what does, and remove it")
    }
  }

  private static func checkDirectory(
    _ directory: String, groupMayWrite: Bool
  ) throws(LedgerError) {
    let info = try status(directory)
    guard info.st_mode & (groupMayWrite ? 0o002 : 0o022) == 0 else {
      throw LedgerError(
        .configuration, "others may write to \(quoted(directory)), the directory of the ledger",
        hint: "they could replace the ledger or its log; use a directory of its own: "
          + "mkdir -m 700 DIRECTORY")
    }
  }

  private static func makeFile(_ target: String, mode: mode_t) throws(LedgerError) {
    let temporary = "\(target).\(OrderKey.random(at: Timestamp(microseconds: 0))).new"
    let descriptor = unsafe open(
      temporary, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw cannotCreate(target, errno) }
    let failure = fchmod(descriptor, mode) == 0 ? 0 : errno
    close(descriptor)
    let code = failure != 0 ? failure : unsafe tl_rename_exclusively(temporary, target)
    guard code != 0 else { return }
    unsafe _ = unlink(temporary)
    // Somebody else was faster: theirs is as good.
    if code != EEXIST { throw cannotCreate(target, code) }
  }

  private static func cannotCreate(_ path: String, _ code: Int32) -> LedgerError {
    let isForbidden = [EACCES, EPERM, EROFS].contains(code)
    return LedgerError(
      isForbidden ? .permission : .cannotCreate,
      "\(quoted(path)) cannot be created: \(message(code))",
      hint: "give a path in a directory that you may write to")
  }

  private static func cannotReach(_ path: String, _ code: Int32) -> LedgerError {
    switch code {
    case ENOENT, ENOTDIR:
      LedgerError(
        .noLedger, "no ledger at \(quoted(path))",
        hint: "check the path, or make one: tradeledger init --db PATH")
    case EACCES, EPERM:
      LedgerError(
        .permission, "\(quoted(path)) may not be read: \(message(code))",
        hint: "run as the owner of the ledger, or correct owner and mode")
    default:
      LedgerError(.io, "\(quoted(path)): \(message(code))", hint: "check the path and the disk")
    }
  }

  private static func status(_ path: String) throws(LedgerError) -> stat {
    var info = stat()
    guard unsafe lstat(path, &info) == 0 else { throw cannotReach(path, errno) }
    return info
  }

  private static func kind(_ info: stat) -> String {
    switch info.st_mode & S_IFMT {
    case S_IFDIR: "a directory"
    case S_IFIFO: "a FIFO"
    case S_IFSOCK: "a socket"
    default: "a device"
    }
  }

  static func realPath(_ path: String) -> String? {
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }

  static func parent(of path: String) -> String {
    let parts = path.split(separator: "/", omittingEmptySubsequences: true).dropLast()
    let joined = parts.joined(separator: "/")
    if path.hasPrefix("/") { return "/" + joined }
    return joined.isEmpty ? "." : joined
  }
}

/// The system's words for an errno.
private func message(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
