#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Reads records of RFC 4180 from a file, in pieces: fields with or without quotes, quotes doubled
/// inside them, line ends inside them, CRLF or LF, and a byte order mark at the beginning.
struct CSVReader {
  /// The longest record, in bytes. A quote that is never closed would otherwise take all.
  static let longestRecord = 1 << 20

  /// The bytes of the record's fields, one after the other, without their quotes.
  private(set) var bytes: [UInt8] = []
  /// Where each field ends in `bytes`.
  private(set) var ends: [Int] = []
  /// The line on which the record begins, from 1.
  private(set) var line = 1

  private let separator: UInt8
  private let path: String
  private let descriptor: Int32
  private var buffer = [UInt8](repeating: 0, count: 1 << 16)
  private var position = 0
  private var count = 0
  private var nextLine = 1

  /// Reads from the beginning of `descriptor`, which stays open.
  /// - Throws: `io`; `badData` for UTF-16.
  init(
    _ descriptor: Int32, path: String, separator: UInt8 = UInt8(ascii: ",")
  ) throws(ForeignAuditError) {
    self.descriptor = descriptor
    self.path = path
    self.separator = separator
    guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw ForeignFile.cannotReach(path, errno) }
    guard try fill() else { return }
    if buffer.prefix(count).starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    if count > 1, [[0xFF, 0xFE], [0xFE, 0xFF]].contains(Array(buffer[..<2])) {
      throw ForeignAuditError(
        .badData, "the file is UTF-16", hint: "convert it: iconv -f UTF-16 -t UTF-8")
    }
  }

  func field(_ index: Int, into field: inout [UInt8]) {
    field.removeAll(keepingCapacity: true)
    field.append(contentsOf: bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]])
  }

  /// Reads the next record; empty lines are none.
  /// - Returns: false at the end.
  mutating func next() throws(ForeignAuditError) -> Bool {
    repeat {
      line = nextLine
      bytes.removeAll(keepingCapacity: true)
      ends.removeAll(keepingCapacity: true)
      guard try record() else { return false }
    } while ends.count == 1 && bytes.isEmpty
    return true
  }

  private mutating func record() throws(ForeignAuditError) -> Bool {
    var isQuoted = false
    var isFieldStart = true
    var hasContent = false
    while try fill() {
      let byte = buffer[position]
      position += 1
      hasContent = true
      if isQuoted {
        if byte == UInt8(ascii: "\"") {
          if try fill(), buffer[position] == byte {
            position += 1
          } else {
            isQuoted = false
            continue
          }
        } else if byte == UInt8(ascii: "\n") {
          nextLine += 1
        }
      } else if byte == separator {
        ends.append(bytes.count)
        isFieldStart = true
        continue
      } else if byte == UInt8(ascii: "\n") {
        nextLine += 1
        // The other half of this line's end.
        if bytes.count > (ends.last ?? 0), bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        ends.append(bytes.count)
        return true
      } else if byte == UInt8(ascii: "\"") && isFieldStart {
        isQuoted = true
        isFieldStart = false
        continue
      }
      isFieldStart = false
      bytes.append(byte)
      guard bytes.count <= CSVReader.longestRecord else { throw tooLong }
    }
    guard !isQuoted else { throw tooLong }
    if hasContent { ends.append(bytes.count) }
    return hasContent
  }

  private var tooLong: ForeignAuditError {
    ForeignAuditError(
      .badData, "the record that begins on line \(line) does not end",
      hint: "look for a quote there that is not closed, or not doubled")
  }

  /// Whether there is a byte at `position`.
  private mutating func fill() throws(ForeignAuditError) -> Bool {
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
