internal import CLedgerSystem

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// A ledger file in the making, beside the place that it is meant for. It gets its name when it is
/// whole, verified and on the disk, and not before.
///
/// No ledger in use is ever opened here: a descriptor that is closed would drop SQLite's locks.
struct NewLedgerFile: Sendable {
  /// Where it is to be.
  let target: String
  /// The empty file that is there now.
  let file: LedgerFile

  /// - Throws: as `LedgerFile`; `cannotCreate` where `target` exists and may not be replaced.
  init(for target: String, replacing: Bool) throws(LedgerError) {
    let unfinished = "\(target).\(OrderKey.random(at: Timestamp(microseconds: 0))).partial"
    let name = target.split(separator: "/", omittingEmptySubsequences: false).last.map(String.init)
    guard let name, !name.isEmpty, name != ".", name != ".." else {
      throw LedgerError(
        .invalidInput, "not the name of a file: \(quoted(target))", hint: "name a file")
    }
    try NewLedgerFile.expectFree(target, replacing: replacing)
    file = try LedgerFile(creating: unfinished, groupShared: false)
    self.target = file.directory + (file.directory == "/" ? "" : "/") + name
  }

  /// Whether a file of that name never got its own: of a run that was killed, or goes on.
  static func isUnfinished(_ name: String) -> Bool {
    // The id of `init`: of no time, and version 7.
    name.hasSuffix(".partial") && name.contains(".00000000-0000-7")
  }

  private static func expectFree(_ target: String, replacing: Bool) throws(LedgerError) {
    for suffix in ["-wal", "-shm", "-journal"] where exists(target + suffix) {
      throw LedgerError(
        .cannotCreate, "\(quoted(target + suffix)) exists: \(quoted(target)) is a ledger in use",
        hint: "give another name; what lies there would be read as a part of the new file")
    }
    guard let info = status(target) else { return }
    guard replacing else {
      throw LedgerError(
        .cannotCreate, "\(quoted(target)) exists",
        hint: "give another name, or, for a backup, --force")
    }
    guard info.st_mode & S_IFMT == S_IFREG else {
      throw LedgerError(
        .cannotCreate, "\(quoted(target)) is not a plain file", hint: "give another name")
    }
  }

  /// Bytes of the finished file.
  var bytes: Int64 { NewLedgerFile.status(file.path).map { Int64($0.st_size) } ?? 0 }

  /// Gives the file its name, on the disk. Nobody may have it open.
  func publish(replacing: Bool) throws(LedgerError) {
    try NewLedgerFile.sync(file.path)
    try NewLedgerFile.expectFree(target, replacing: replacing)
    let code =
      replacing
      ? (unsafe rename(file.path, target) == 0 ? 0 : errno)
      : unsafe tl_rename_exclusively(file.path, target)
    guard code == 0 else {
      throw LedgerError(
        code == EEXIST ? .cannotCreate : .io,
        "\(quoted(target)) cannot get its name: \(unsafe String(cString: strerror(code)))",
        hint: "give another name")
    }
    for suffix in ["-wal", "-shm", SyncBoard.suffix] { unsafe _ = unlink(file.path + suffix) }
    try file.syncDirectory()
  }

  /// Takes it away again, with whatever SQLite has left beside it.
  func discard() {
    for suffix in ["", "-journal", "-wal", "-shm", SyncBoard.suffix] {
      unsafe _ = unlink(file.path + suffix)
    }
  }

  static func exists(_ path: String) -> Bool { status(path) != nil }

  static func status(_ path: String) -> stat? {
    var info = stat()
    return unsafe lstat(path, &info) == 0 ? info : nil
  }

  private static func sync(_ path: String) throws(LedgerError) {
    let descriptor = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
    let code = descriptor < 0 || fsync(descriptor) != 0 ? errno : 0
    if descriptor >= 0 { close(descriptor) }
    guard code == 0 else {
      throw LedgerError(
        .io, "\(quoted(path)) cannot be made durable: \(unsafe String(cString: strerror(code)))",
        hint: "check the disk and the kernel log", retry: .safe)
    }
  }
}
