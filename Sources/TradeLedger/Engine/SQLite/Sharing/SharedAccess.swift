internal import SQLite

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// What the processes of one ledger share beside the ledger itself: the queues before its write
/// lock and its disk, and the board on which one's sync answers for all.
struct SharedAccess: ~Copyable {
  private var gates: Gates?
  private let board: SyncBoard?
  private let clock = SystemClock()

  /// - Parameter log: the inode of the open -wal.
  init(_ file: LedgerFile, device: UInt64, inode: UInt64, log: UInt64) {
    var info = stat()
    let isKnown = unsafe stat(file.path, &info) == 0
    let isGroupShared = info.st_mode & 0o020 != 0
    gates =
      isKnown
      ? Gates(
        device: device, inode: inode, user: info.st_uid, group: info.st_gid,
        isGroupShared: isGroupShared) : nil
    board = SyncBoard(
      ledger: file.path, mode: isGroupShared ? 0o660 : 0o600,
      owner: isKnown ? (info.st_uid, info.st_gid) : nil, device: device, log: log,
      boot: clock.boot())
  }

  /// The moment of a commit, to be taken right after it.
  func moment() -> BootInstant? { clock.boot() }

  /// Takes the turn before the write lock. Half of the caller's limit is left for the lock itself.
  mutating func enterTurnstile(_ wait: Duration) -> Bool {
    gates?.enter(.turnstile, limit: wait / 2) ?? false
  }

  func leaveTurnstile() { gates?.leave(.turnstile) }

  /// Returns when everything that was committed before `moment` is on the disk: by a sync of this
  /// process, or by one of another that began later.
  /// - Throws: the disk's error; see ``Connection/syncLog()``.
  mutating func makeDurable(
    _ connection: Connection, _ moment: BootInstant?
  ) throws(SQLiteError) {
    let hasTurn = moment != nil && gates?.enter(.sync) == true
    defer { if hasTurn { gates?.leave(.sync) } }
    // The error of a disk is told once. Where somebody was told, a sync proves nothing until the
    // log has been written once more.
    if board?.hasFailure == true {
      throw SQLiteError(
        code: 10, message: "another process could not sync the log", operation: "sync")
    }
    if hasTurn, let moment, board?.covers(moment) == true { return }
    let start = clock.boot()
    do throws(SQLiteError) { try connection.syncLog() } catch {
      board?.publishFailure()
      throw error
    }
    if hasTurn, let start, gates?.hasQueue(.sync) == true { board?.publish(start) }
  }

  func publishFailure() { board?.publishFailure() }

  /// After the whole log was written once more, under the write lock: what others say is believed
  /// again.
  func publishRewritten(_ moment: BootInstant?) {
    if let moment { board?.publish(moment, afterRewriting: true) }
  }

  /// Whether a checkpoint that was found due at `moment` is still to be made, and by this process.
  func claimCheckpoint(foundDueAt moment: BootInstant?) -> Bool {
    guard let board, let moment, let now = clock.boot() else { return true }
    if board.hasCheckpoint(after: moment) { return false }
    board.publishCheckpoint(now)
    return true
  }
}
