#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// A finished backup: one plain file that nobody has open.
enum BackupFile {
  /// - Returns: its real path.
  /// - Throws: `noLedger`, `notALedger`, and `configuration` where it is a ledger in use.
  static func expectFinished(
    _ path: String, notAt target: String
  ) throws(LedgerError) -> String {
    guard let real = LedgerFile.realPath(path), let info = NewLedgerFile.status(real) else {
      throw LedgerError(
        .noLedger, "no backup at \(quoted(path))", hint: "check the path; nothing was changed")
    }
    guard info.st_mode & S_IFMT == S_IFREG, info.st_size > 0 else {
      throw LedgerError(
        .notALedger, "\(quoted(path)) is not a backup", hint: "give a file that backup has made")
    }
    guard real != target else {
      throw LedgerError(
        .invalidInput, "\(quoted(path)) is the ledger itself", hint: "give a backup of it")
    }
    for suffix in ["-wal", "-shm", "-journal"] where NewLedgerFile.exists(real + suffix) {
      throw LedgerError(
        .configuration, "\(quoted(real + suffix)) lies beside it: \(quoted(path)) is in use",
        hint: "make a backup of it first: tradeledger backup --db FILE -o NEW")
    }
    return real
  }

  /// Takes away what SQLite has left beside a file whose log is folded and which nobody has open.
  static func removeEmptied(_ path: String) {
    guard (NewLedgerFile.status(path + "-wal")?.st_size ?? 0) == 0 else { return }
    for suffix in ["-wal", "-shm", SyncBoard.suffix] { unsafe _ = unlink(path + suffix) }
  }
}
