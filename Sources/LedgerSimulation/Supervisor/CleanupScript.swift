#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// The cleanup script of the second incident: deletes whatever is named like a lock, pid, tmp or
/// log file, whoever needs it (S-33).
///
/// It sweeps the directory of the run, and the neighbours of the ledger. In a directory that is not
/// the run's own others may live, whose files are not a simulation's to delete: there it takes
/// only what is named after the ledger (`NAME.lock`, `NAME-pid`, ...). The ledger itself, its -wal,
/// -shm and -journal are never deleted: that is another scenario (S-34).
struct CleanupScript: Sendable {
  private let directory: String
  private let ledger: String
  private let neighbours: String?

  /// - Parameters:
  ///   - run: the directory of the run.
  ///   - ledger: the path of what the workers trade on.
  init(run: String, ledger: String) {
    self.directory = run
    let real = CleanupScript.realPath(ledger)
    let slash = real.lastIndex(of: "/")
    self.ledger = slash.map { String(real[real.index(after: $0)...]) } ?? real
    let beside = slash.map { String(real[..<$0]) } ?? "."
    neighbours = beside == run ? nil : beside
  }

  /// Runs once.
  /// - Returns: how many files it deleted.
  func run() -> Int {
    var count = delete(in: directory) { !isLedger($0) && CleanupScript.looksLikeLitter($0) }
    if let neighbours {
      count += delete(in: neighbours) { name in
        !isLedger(name) && name.hasPrefix(ledger)
          && CleanupScript.looksLikeLitter(String(name.dropFirst(ledger.count)))
      }
    }
    return count
  }

  private func delete(in directory: String, _ isLitter: (String) -> Bool) -> Int {
    ScratchDirectory.names(in: directory).filter(isLitter)
      .count { unsafe unlink(directory + "/" + $0) == 0 }
  }

  private func isLedger(_ name: String) -> Bool {
    ["", "-wal", "-shm", "-journal"].contains { name == ledger + $0 }
  }

  /// Whether one of the words of `name` is lock, pid, tmp or log.
  static func looksLikeLitter(_ name: String) -> Bool {
    let words = name.lowercased().split { !$0.isLetter }
    return words.contains { ["lock", "lck", "pid", "tmp", "temp", "log"].contains($0) }
  }

  private static func realPath(_ path: String) -> String {
    guard let real = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
  }
}
