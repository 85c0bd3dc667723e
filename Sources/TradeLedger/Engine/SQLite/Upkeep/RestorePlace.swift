internal import CLedgerSystem

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Where a ledger is put back: the names around it, for one restore at a time.
final class RestorePlace {
  /// Where the ledger lies, or will.
  let target: String
  /// The new ledger, until it takes its place. While it is there and the ledger is not, nobody may
  /// make a new one.
  var prepared: String { target + RestorePlace.suffix }
  static let suffix = "-restore"
  /// When this restore began, as a part of names.
  let stamp: String
  private let directory: String
  private let lock: Int32

  /// - Throws: `busy` while another restore is at work in the directory.
  init(_ path: String, at now: Timestamp) throws(LedgerError) {
    (target, directory) = try LedgerFile.place(path)
    stamp = now.description.filter { $0 != "-" && $0 != ":" }
    lock = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard lock >= 0 else { throw RestorePlace.failure("open", directory, errno) }
    guard tl_lock_alone(lock) == 0 else {
      throw LedgerError(
        .busy, "another restore is at work in \(quoted(directory))",
        hint: "wait for it to end; nothing was changed", retry: .safe)
    }
  }

  deinit { if lock >= 0 { close(lock) } }

  var exists: Bool { NewLedgerFile.exists(target) }

  /// A name beside the ledger that nothing has: `ledger.db.replaced-20261125T144500.123456Z`.
  func name(_ what: String) -> String { "\(target).\(what)-\(stamp)" }

  /// Puts aside what an interrupted restore has left. Some of it may be the only copy of something,
  /// so nothing is deleted.
  /// - Returns: the new names.
  func putLeftoversAside() throws(LedgerError) -> [String] {
    var left: [String] = []
    for (from, to) in [(prepared, name("left")), (target, name("left"))] {
      for suffix in ["", "-wal", "-journal"] {
        // What lies beside a ledger belongs to it; beside no ledger, it is left of one.
        if from == target && (suffix.isEmpty || exists) { continue }
        guard NewLedgerFile.exists(from + suffix) else { continue }
        try move(from + suffix, to: to + (from == target ? "-of-none" : "") + suffix)
        left.append(to + (from == target ? "-of-none" : "") + suffix)
      }
    }
    for suffix in ["-shm", SyncBoard.suffix] { unsafe _ = unlink(prepared + suffix) }
    return left
  }

  /// Copies the backup, which nobody has open, byte for byte, with owner and mode of the ledger.
  func prepare(from backup: String) throws(LedgerError) {
    let source = unsafe open(backup, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard source >= 0 else { throw RestorePlace.failure("read", backup, errno) }
    defer { close(source) }
    let copy = unsafe open(prepared, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard copy >= 0 else { throw RestorePlace.failure("create", prepared, errno) }
    var code = RestorePlace.copyAll(source, copy)
    if code == 0, let old = NewLedgerFile.status(target) {
      // Only root may give a file away; whoever else restores owns both.
      if fchown(copy, old.st_uid, old.st_gid) != 0 && geteuid() == 0 { code = errno }
      if code == 0 && fchmod(copy, old.st_mode & 0o660) != 0 { code = errno }
    }
    if code == 0 && fsync(copy) != 0 { code = errno }
    if close(copy) != 0 && code == 0 { code = errno }
    if code != 0 {
      unsafe _ = unlink(prepared)
      throw RestorePlace.failure("write", prepared, code)
    }
  }

  private static func copyAll(_ source: Int32, _ target: Int32) -> Int32 {
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = unsafe read(source, &bytes, bytes.count)
      if count == 0 { return 0 }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return errno }
      var offset = 0
      while offset < count {
        let written = unsafe bytes.withUnsafeBytes { buffer in
          unsafe write(target, buffer.baseAddress.map { unsafe $0 + offset }, count - offset)
        }
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { return errno }
        offset += written
      }
    }
  }

  /// Takes the prepared file away, where the restore is refused.
  func discard() {
    for suffix in ["", "-wal", "-shm", SyncBoard.suffix] { unsafe _ = unlink(prepared + suffix) }
  }

  // MARK: Taking the place

  /// Puts the new ledger into the place of one that is whole in its main file. There is a whole
  /// ledger at every moment, the old one or the new one.
  /// - Returns: where the old one is now.
  func exchange() throws(LedgerError) -> String {
    let replaced = name("replaced")
    try removeEmptied()
    let code = unsafe tl_rename_exchange(prepared, target)
    if code == EINVAL || code == ENOSYS {
      // A file system that cannot exchange: for a moment there is none.
      try move(target, to: replaced)
      try move(prepared, to: target)
      return replaced
    }
    guard code == 0 else { throw RestorePlace.failure("replace", target, code) }
    try sync()
    try move(prepared, to: replaced)
    return replaced
  }

  /// Puts the new ledger into the place of one that cannot be opened, and which therefore has to
  /// keep its log. The main file goes first: without it nobody opens anything there.
  func replaceUnreadable() throws(LedgerError) -> String {
    let replaced = name("replaced")
    for suffix in ["", "-journal", "-wal"] where NewLedgerFile.exists(target + suffix) {
      try move(target + suffix, to: replaced + suffix)
    }
    unsafe _ = unlink(target + "-shm")
    try move(prepared, to: target)
    return replaced
  }

  /// Puts the new ledger where there is none.
  func fill() throws(LedgerError) { try move(prepared, to: target) }

  /// What is left of the log when all of it is in the main file. Nobody else has it open.
  private func removeEmptied() throws(LedgerError) {
    guard (NewLedgerFile.status(target + "-wal")?.st_size ?? 0) == 0 else {
      throw .bug("the log of \(quoted(target)) is not empty")
    }
    for suffix in ["-wal", "-shm", "-journal"] { unsafe _ = unlink(target + suffix) }
    try sync()
  }

  private func move(_ from: String, to: String) throws(LedgerError) {
    let code = unsafe tl_rename_exclusively(from, to)
    guard code == 0 else { throw RestorePlace.failure("rename", from, code) }
    try sync()
  }

  private func sync() throws(LedgerError) {
    guard fsync(lock) == 0 else { throw RestorePlace.failure("sync", directory, errno) }
  }

  static func failure(_ what: String, _ path: String, _ code: Int32) -> LedgerError {
    LedgerError(
      [EACCES, EPERM, EROFS].contains(code) ? .permission : code == ENOENT ? .noLedger : .io,
      "cannot \(what) \(quoted(path)): \(unsafe String(cString: strerror(code)))",
      hint: "put it right, then give the same command again; nothing is lost")
  }
}
