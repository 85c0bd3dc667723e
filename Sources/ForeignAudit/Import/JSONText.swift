internal import SQLite
internal import TradeLedger

/// A JSON value as it is written: numbers keep their digits.
enum JSONText: Equatable {
  case null
  case bool(Bool)
  case number([UInt8])
  case string([UInt8])
  case array([JSONText])
  case object([(name: [UInt8], value: JSONText)])

  static func == (left: JSONText, right: JSONText) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.bool(let one), .bool(let other)): one == other
    case (.number(let one), .number(let other)), (.string(let one), .string(let other)):
      one == other
    case (.array(let one), .array(let other)): one == other
    case (.object(let one), .object(let other)):
      one.count == other.count
        && zip(one, other).allSatisfy { $0.name == $1.name && $0.value == $1.value }
    default: false
    }
  }

  /// The last member of that name, as most readers have it.
  subscript(name: String) -> JSONText {
    guard case .object(let members) = self else { return .null }
    return members.last { $0.name.elementsEqual(name.utf8) }?.value ?? .null
  }

  /// As a cell of a table.
  var field: Field {
    switch self {
    case .number(let bytes), .string(let bytes): Field(value: .text, bytes: bytes)
    case .bool(let value): Field(value: .text, bytes: Array((value ? "true" : "false").utf8))
    case .null, .array, .object: Field()
    }
  }
}

/// Reads JSON values one after the other: the elements of one array, or values that stand there
/// with nothing but blanks and line ends between them (NDJSON).
struct JSONReader {
  /// The longest value, in bytes.
  static let longestValue = 1 << 20
  private static let deepest = 64

  /// The line on which the value begins, from 1.
  private(set) var line = 1
  private var input: FileBytes
  private var currentLine = 1
  private var isArray = false
  private var isFirst = true
  private var size = 0

  init(_ descriptor: Int32, path: String) throws(ForeignAuditError) {
    input = try FileBytes(descriptor, path: path)
  }

  /// - Returns: nil at the end.
  mutating func next() throws(ForeignAuditError) -> JSONText? {
    try skipBlanks()
    if isFirst {
      isArray = try take("[")
    } else if isArray {
      if try !take(",") { return try end() }
    }
    try skipBlanks()
    line = currentLine
    if isArray, isFirst, try take("]") {
      isArray = false
      isFirst = false
      try skipBlanks()
    }
    guard try input.fill() else {
      if isArray { throw bad("the list does not end") }
      return nil
    }
    isFirst = false
    size = 0
    return try value(depth: 0)
  }

  /// The end of the array, and of the file.
  private mutating func end() throws(ForeignAuditError) -> JSONText? {
    guard try take("]") else { throw bad("neither a comma nor the end of the list") }
    try skipBlanks()
    guard try !input.fill() else { throw bad("something stands behind the list") }
    // Whoever asks again is at the end again.
    isArray = false
    return nil
  }

  private mutating func value(depth: Int) throws(ForeignAuditError) -> JSONText {
    guard depth < JSONReader.deepest else { throw bad("nested too deeply") }
    try skipBlanks()
    guard try input.fill() else { throw bad("the value does not end") }
    switch input.next {
    case UInt8(ascii: "{"): return try object(depth)
    case UInt8(ascii: "["): return try array(depth)
    case UInt8(ascii: "\""): return .string(try string())
    default: return try word()
    }
  }

  private mutating func object(_ depth: Int) throws(ForeignAuditError) -> JSONText {
    var members: [(name: [UInt8], value: JSONText)] = []
    try expect("{")
    try skipBlanks()
    if try take("}") { return .object(members) }
    repeat {
      try skipBlanks()
      let name = try string()
      try skipBlanks()
      try expect(":")
      members.append((name, try value(depth: depth + 1)))
      try skipBlanks()
    } while try take(",")
    try expect("}")
    return .object(members)
  }

  private mutating func array(_ depth: Int) throws(ForeignAuditError) -> JSONText {
    var values: [JSONText] = []
    try expect("[")
    try skipBlanks()
    if try take("]") { return .array(values) }
    repeat {
      values.append(try value(depth: depth + 1))
      try skipBlanks()
    } while try take(",")
    try expect("]")
    return .array(values)
  }

  private mutating func word() throws(ForeignAuditError) -> JSONText {
    var bytes: [UInt8] = []
    while try input.fill() {
      let byte = input.next
      guard
        byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a || byte &- 0x30 < 10
          || "+-.".utf8.contains(byte)
      else { break }
      bytes.append(try advance())
    }
    switch String(decoding: bytes, as: UTF8.self) {
    case "null": return .null
    case "true": return .bool(true)
    case "false": return .bool(false)
    default:
      guard ExactNumber.isNumber(bytes) else { throw bad("no JSON") }
      return .number(bytes)
    }
  }

  private mutating func string() throws(ForeignAuditError) -> [UInt8] {
    try expect("\"")
    var bytes: [UInt8] = []
    var units: [UInt16] = []
    func flush(_ bytes: inout [UInt8], _ units: inout [UInt16]) {
      bytes.append(contentsOf: String(decoding: units, as: UTF16.self).utf8)
      units = []
    }
    while true {
      let byte = try advance()
      if byte == UInt8(ascii: "\\") {
        let escape = try advance()
        if escape == UInt8(ascii: "u") {
          units.append(try hexadecimalUnit())
          continue
        }
        flush(&bytes, &units)
        guard let plain = JSONReader.escapes[escape] else { throw bad("no JSON") }
        bytes.append(plain)
        continue
      }
      flush(&bytes, &units)
      if byte == UInt8(ascii: "\"") { return bytes }
      guard byte >= 0x20 else { throw bad("a string does not end") }
      bytes.append(byte)
    }
  }

  private static let escapes: [UInt8: UInt8] = [
    0x22: 0x22, 0x5c: 0x5c, 0x2f: 0x2f, 0x62: 0x08, 0x66: 0x0c, 0x6e: 0x0a, 0x72: 0x0d, 0x74: 0x09,
  ]

  private mutating func hexadecimalUnit() throws(ForeignAuditError) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let digit = Character(Unicode.Scalar(try advance())).hexDigitValue else {
        throw bad("no JSON")
      }
      unit = unit << 4 | UInt16(digit)
    }
    return unit
  }

  private mutating func skipBlanks() throws(ForeignAuditError) {
    while try input.fill(), " \t\r\n".utf8.contains(input.next) {
      if input.next == UInt8(ascii: "\n") { currentLine += 1 }
      input.position += 1
    }
  }

  private mutating func take(_ character: Unicode.Scalar) throws(ForeignAuditError) -> Bool {
    guard try input.fill(), input.next == UInt8(ascii: character) else { return false }
    input.position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(ForeignAuditError) {
    guard try take(character) else { throw bad("no JSON") }
  }

  private mutating func advance() throws(ForeignAuditError) -> UInt8 {
    guard try input.fill() else { throw bad("the value does not end") }
    size += 1
    guard size <= JSONReader.longestValue else { throw bad("the value is too long") }
    let byte = input.next
    input.position += 1
    return byte
  }

  private func bad(_ what: String) -> ForeignAuditError {
    ForeignAuditError(
      .badData, "line \(currentLine): \(what)",
      hint: "a JSON array of objects is wanted, or one object on each line")
  }
}

extension ExactNumber {
  /// Whether it is spelled as JSON spells numbers, whatever its size.
  static func isNumber(_ text: [UInt8]) -> Bool {
    guard let last = text.last, let first = text.first else { return false }
    return last &- 0x30 < 10 && (first &- 0x30 < 10 || first == UInt8(ascii: "-"))
      && text.allSatisfy { $0 &- 0x30 < 10 || "+-.eE".utf8.contains($0) }
  }
}
