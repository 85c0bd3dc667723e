#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// A small file beside the ledger in which processes tell each other what is on the disk already:
/// "a sync of this log that began at this time has succeeded". Whoever committed before that time
/// need not sync again.
///
/// What stands there is believed only if it is whole and speaks of this boot, this time namespace
/// and this very log, so that a stale, foreign, cut or missing board costs a sync and never an
/// answer. It is read and written with pread and pwrite: a file that is truncated under a process
/// is an empty board and not a signal.
final class SyncBoard {
  static let suffix = "-synced"

  /// One note on the board.
  private struct Note {
    /// Of boot, time namespace and log.
    var identity: UInt64 = 0
    /// Microseconds on the boot clock.
    var at: Int64 = 0
    /// A sync has failed: nobody believes what others say until the log was written once more.
    var isFailure = false
    static let size = 32
  }

  /// Where each kind of note stands.
  private enum Place: Int {
    case synced = 0
    case checkpoint = 64
  }

  private let descriptor: Int32
  private let identity: UInt64

  /// nil where there can be no board. That costs speed only.
  ///
  /// - Parameter owner: of the ledger: what root makes belongs to it, as with a -wal and a -shm.
  init?(
    ledger path: String, mode: mode_t, owner: (user: uid_t, group: gid_t)? = nil, device: UInt64,
    log: UInt64, boot: BootInstant?
  ) {
    guard let boot else { return nil }
    var hash = StableHash()
    hash.add(boot.bootID)
    hash.add(device)
    hash.add(log)
    identity = hash.value
    let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
    descriptor = unsafe open(path + SyncBoard.suffix, flags, mode)
    guard descriptor >= 0 else { return nil }
    var info = stat()
    guard unsafe fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
      return nil
    }
    guard info.st_size == 0 else { return }
    _ = fchmod(descriptor, mode)
    if geteuid() == 0, let owner { _ = fchown(descriptor, owner.user, owner.group) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Whether what was committed before `moment` is on the disk, according to others.
  func covers(_ moment: BootInstant) -> Bool {
    let note = read(.synced)
    // Later, not equal: the clock counts microseconds.
    return note.identity == identity && !note.isFailure && note.at > moment.microseconds
  }

  /// Whether a sync of this log has failed and the log was not written once more since.
  var hasFailure: Bool {
    let note = read(.synced)
    return note.identity == identity && note.isFailure
  }

  /// A sync that began at `moment` has succeeded.
  func publish(_ moment: BootInstant, afterRewriting: Bool = false) {
    let standing = read(.synced)
    if standing.identity == identity && standing.isFailure && !afterRewriting { return }
    write(.synced, Note(identity: identity, at: moment.microseconds))
  }

  /// A sync has failed.
  func publishFailure() { write(.synced, Note(identity: identity, isFailure: true)) }

  /// Whether somebody has begun a checkpoint after `moment`.
  func hasCheckpoint(after moment: BootInstant) -> Bool {
    let note = read(.checkpoint)
    return note.identity == identity && note.at > moment.microseconds
  }

  func publishCheckpoint(_ moment: BootInstant) {
    write(.checkpoint, Note(identity: identity, at: moment.microseconds))
  }

  private static func checksum(_ words: [UInt64]) -> UInt64 {
    var hash = StableHash()
    for word in words.prefix(3) { hash.add(word) }
    return hash.value
  }

  private func read(_ place: Place) -> Note {
    var words: [UInt64] = [0, 0, 0, 0]
    let count = unsafe pread(descriptor, &words, Note.size, off_t(place.rawValue))
    guard count == Note.size, words[3] == SyncBoard.checksum(words) else { return Note() }
    return Note(
      identity: words[0], at: Int64(bitPattern: words[1]), isFailure: words[2] != 0)
  }

  private func write(_ place: Place, _ note: Note) {
    var words: [UInt64] = [
      note.identity, UInt64(bitPattern: note.at), note.isFailure ? 1 : 0, 0,
    ]
    words[3] = SyncBoard.checksum(words)
    unsafe _ = pwrite(descriptor, &words, Note.size, off_t(place.rawValue))
  }
}
