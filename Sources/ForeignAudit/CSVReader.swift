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
  private var input: FileBytes
  private var nextLine = 1

  /// Reads from the beginning of `descriptor`, which stays open.
  /// - Throws: `io`; `badData` for UTF-16.
  init(
    _ descriptor: Int32, path: String, separator: UInt8 = UInt8(ascii: ",")
  ) throws(ForeignAuditError) {
    self.separator = separator
    input = try FileBytes(descriptor, path: path)
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
    while try input.fill() {
      let byte = input.next
      input.position += 1
      hasContent = true
      if isQuoted {
        if byte == UInt8(ascii: "\"") {
          if try input.fill(), input.next == byte {
            input.position += 1
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
}
