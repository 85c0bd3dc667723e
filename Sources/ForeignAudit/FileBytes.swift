#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// The bytes of a text file, from its beginning, in pieces. A byte order mark is passed over.
struct FileBytes {
  /// The place of ``next``.
  var position = 0
  private let path: String
  private let descriptor: Int32
  private var buffer = [UInt8](repeating: 0, count: 1 << 16)
  private var count = 0

  /// Reads `descriptor`, which stays open.
  /// - Throws: `io`; `badData` for UTF-16.
  init(_ descriptor: Int32, path: String) throws(ForeignAuditError) {
    self.descriptor = descriptor
    self.path = path
    guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw ForeignFile.cannotReach(path, errno) }
    guard try fill() else { return }
    if buffer.prefix(count).starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    if count > 1, [[0xFF, 0xFE], [0xFE, 0xFF]].contains(Array(buffer[..<2])) {
      throw ForeignAuditError(
        .badData, "the file is UTF-16", hint: "convert it: iconv -f UTF-16 -t UTF-8")
    }
  }

  /// The byte at `position`, once ``fill()`` has said that there is one.
  var next: UInt8 { buffer[position] }

  /// Whether there is a byte at `position`.
  mutating func fill() throws(ForeignAuditError) -> Bool {
    if position < count { return true }
    while true {
      let got = unsafe read(descriptor, &buffer, buffer.count)
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw ForeignFile.cannotReach(path, errno) }
      (position, count) = (0, got)
      return got > 0
    }
  }
}
