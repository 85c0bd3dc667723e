internal import CLedgerSystem

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Looks whether the ledger's file, -wal and -shm are still the ones that were opened: an answer is
/// true only of the file that everybody else opens.
///
/// Nothing can be moved, replaced or deleted without a change of its directory. While that is the
/// same directory and has not changed since all three were looked at, one call to the system
/// suffices instead of three.
struct LedgerFileWatch: ~Copyable {
  /// Device and inodes.
  private struct Identity: Equatable {
    let device: UInt64
    let main: UInt64
    let wal: UInt64
    let shm: UInt64
  }

  /// The three files as they were opened.
  var device: UInt64 { opened.device }
  var mainInode: UInt64 { opened.main }
  var logInode: UInt64 { opened.wal }

  private let path: String
  private let walPath: String
  private let shmPath: String
  private let directory: String
  private let opened: Identity
  /// The directory before the last look at the files; nil where that was too young to be told from
  /// a later change.
  private var seen: tl_directory_state?
  /// The directory, open, so that it can be looked at without finding it again.
  private let descriptor: Int32

  /// nil where one of the files is gone.
  init?(_ file: LedgerFile) {
    path = file.path
    walPath = file.path + "-wal"
    shmPath = file.path + "-shm"
    directory = file.directory
    guard let found = LedgerFileWatch.identity(path, walPath, shmPath) else { return nil }
    opened = found
    descriptor = unsafe tl_directory_open(directory)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// The path leads to the three files that were opened: asked under the write lock.
  /// - Throws: `ledgerMoved`.
  mutating func expectUnmoved() throws(LedgerError) {
    var state = tl_directory_state()
    let isKnown = unsafe tl_directory_look(directory, &state) == 0
    if isKnown, let seen, tl_directory_is_same(seen, state) { return }
    let wall = SystemClock.wallTime()
    guard LedgerFileWatch.identity(path, walPath, shmPath) == opened else {
      throw LedgerError(
        .ledgerMoved,
        "\(quoted(path)), its -wal or its -shm was moved, replaced or deleted while it was open",
        hint: "send no order; stop all workers, put the files back (or restore a backup), start "
          + "again, and look the key up before trading")
    }
    // The clock of file times ticks in steps of up to 10 ms: two changes may look like one.
    let age = wall.elapsed(since: state.changed)
    seen = isKnown && age > .milliseconds(100) ? state : nil
  }

  /// As ``expectUnmoved()``, with nothing but a COMMIT since: that the directory has not been
  /// touched is enough, and costs less than to follow the path from the root. (A rename of a
  /// directory further up is found before the next write, as is one right after this answer.)
  mutating func expectUntouched() throws(LedgerError) {
    var state = tl_directory_state()
    if let seen, unsafe tl_directory_look_open(descriptor, &state) == 0,
      tl_directory_is_same(seen, state)
    {
      return
    }
    try expectUnmoved()
  }

  private static func identity(_ path: String, _ wal: String, _ shm: String) -> Identity? {
    var device: UInt64 = 0
    var inodes: (main: UInt64, wal: UInt64, shm: UInt64) = (0, 0, 0)
    guard unsafe tl_file_identity(shm, &device, &inodes.shm) == 0,
      unsafe tl_file_identity(wal, &device, &inodes.wal) == 0,
      unsafe tl_file_identity(path, &device, &inodes.main) == 0
    else { return nil }
    return Identity(device: device, main: inodes.main, wal: inodes.wal, shm: inodes.shm)
  }
}

extension tl_directory_state {
  fileprivate var changed: Timestamp {
    Timestamp(microseconds: changed_seconds * 1_000_000 + Int64(changed_nanoseconds) / 1000)
  }
}
