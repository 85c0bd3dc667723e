internal import TradeLedger

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// A new file of mode 0600 for a history. Never an existing one, and no link. It is made before the
/// run and goes away again where nothing comes of that.
public final class HistoryFile: Sendable {
  private let path: String
  private let descriptor: Int32

  /// - Throws: ``HistoryError`` of kind `cannotCreate`.
  public init(_ path: String) throws(HistoryError) {
    // A stray file of such a name would be taken for a part of a ledger.
    guard !["-wal", "-shm", "-journal"].contains(where: { path.hasSuffix($0) }) else {
      throw HistoryError(
        kind: .cannotCreate, message: "a history must not be named like a part of a ledger",
        hint: "choose a name that does not end in -wal, -shm or -journal")
    }
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    descriptor = unsafe open(path, flags, mode_t(0o600))
    guard descriptor >= 0 else {
      throw HistoryError(
        kind: .cannotCreate,
        message: "cannot create the history \(escaped(path)): \(systemMessage(errno))",
        hint: errno == EEXIST
          ? "an existing file is never overwritten: name a new one"
          : "name a new file in a directory that you may write to")
    }
    self.path = path
  }

  /// - Throws: ``HistoryError`` of kind `io`.
  func keep(_ history: History) throws(HistoryError) {
    let bytes = history.bytes()
    var offset = 0
    while offset < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe write(
          descriptor, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        throw HistoryError(
          kind: .io, message: "cannot write the history \(escaped(path)): \(systemMessage(errno))",
          hint: "make room, or name a file on another disk")
      }
      offset += count
    }
  }

  deinit {
    // An empty one is of no use to anybody.
    if lseek(descriptor, 0, SEEK_END) == 0 { unsafe _ = unlink(path) }
    close(descriptor)
  }

  /// The bytes of an existing file.
  /// - Throws: ``HistoryError`` of kind `noInput`, or `badData` where it is too large.
  static func contents(of path: String) throws(HistoryError) -> [UInt8] {
    // Whatever it is, opening it does not wait.
    let descriptor = unsafe open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    guard descriptor >= 0 else { throw unreadable(path, systemMessage(errno)) }
    defer { close(descriptor) }
    var info = stat()
    guard unsafe fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
      throw unreadable(path, "not a file")
    }
    guard info.st_size <= 1 << 31 else {
      throw HistoryError(
        kind: .badData, message: "\(escaped(path)) is larger than 2 GiB",
        hint: "name a file that 'simulate --history' has written")
    }
    var bytes = [UInt8](repeating: 0, count: Int(info.st_size))
    var offset = 0
    while offset < bytes.count {
      let room = bytes.count - offset
      let count = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe read(descriptor, buffer.baseAddress?.advanced(by: offset), room)
      }
      if count < 0 && errno == EINTR { continue }
      if count < 0 { throw unreadable(path, systemMessage(errno)) }
      // It has become shorter in the meantime.
      if count == 0 { break }
      offset += count
    }
    bytes.removeLast(bytes.count - offset)
    return bytes
  }

  private static func unreadable(_ path: String, _ why: String) -> HistoryError {
    HistoryError(
      kind: .noInput, message: "cannot read the history \(escaped(path)): \(why)",
      hint: "name a file that 'simulate --history' has written")
  }
}

func systemMessage(_ code: Int32) -> String {
  unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
}
