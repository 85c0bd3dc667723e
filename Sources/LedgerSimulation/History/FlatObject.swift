/// A JSON object without objects or arrays in it, on one line: all that a history is made of.
/// Members are integers, texts, booleans (as 0 and 1) or null.
struct FlatObject: Equatable {
  enum Value: Equatable {
    case null
    case integer(Int64)
    case text(String)
  }

  private(set) var members: [(name: String, value: Value)] = []

  static func == (left: FlatObject, right: FlatObject) -> Bool {
    left.members.elementsEqual(right.members) { $0 == $1 }
  }

  mutating func add(_ name: String, _ value: Int64?) {
    members.append((name, value.map { .integer($0) } ?? .null))
  }

  mutating func add(_ name: String, _ value: String?) {
    members.append((name, value.map { .text($0) } ?? .null))
  }

  /// Takes a member out; nil where there is none.
  mutating func take(_ name: String) -> Value? {
    guard let index = members.firstIndex(where: { $0.name == name }) else { return nil }
    return members.remove(at: index).value
  }

  /// The line, without its line feed.
  func write(to output: inout [UInt8]) {
    output.append(UInt8(ascii: "{"))
    for (index, member) in members.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      FlatObject.quote(member.name, to: &output)
      output.append(UInt8(ascii: ":"))
      switch member.value {
      case .null: output.append(contentsOf: "null".utf8)
      case .integer(let value): output.append(contentsOf: String(value).utf8)
      case .text(let text): FlatObject.quote(text, to: &output)
      }
    }
    output.append(UInt8(ascii: "}"))
  }

  private static func quote(_ text: String, to output: inout [UInt8]) {
    output.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), byte]
      case 0..<0x20, 0x7f:
        let digits = String(byte, radix: 16)
        output.append(contentsOf: ("\\u00" + (digits.count < 2 ? "0" : "") + digits).utf8)
      default: output.append(byte)
      }
    }
    output.append(UInt8(ascii: "\""))
  }
}

// MARK: - Reading

/// Why a line is no flat object.
struct FlatObjectError: Error, Equatable {
  let message: String
}

extension FlatObject {
  /// Integers farther from zero are refused, so that a few of them can be added up.
  static let largestInteger: Int64 = 1 << 60

  init(_ bytes: ArraySlice<UInt8>) throws(FlatObjectError) {
    var reader = Reader(bytes)
    members = try reader.object()
  }

  private struct Reader {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
      self.bytes = bytes
      position = bytes.startIndex
    }

    private var next: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

    private func wrong(_ what: String) -> FlatObjectError {
      FlatObjectError(message: "\(what) at column \(position - bytes.startIndex + 1)")
    }

    private mutating func skipBlanks() {
      while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0d { position += 1 }
    }

    private mutating func has(_ character: Unicode.Scalar) -> Bool {
      skipBlanks()
      guard next == UInt8(ascii: character) else { return false }
      position += 1
      return true
    }

    mutating func object() throws(FlatObjectError) -> [(name: String, value: Value)] {
      guard has("{") else { throw wrong("no JSON object") }
      var members: [(name: String, value: Value)] = []
      if !has("}") {
        repeat {
          guard has("\"") else { throw wrong("no name of a member") }
          let name = try text()
          guard has(":") else { throw wrong("no colon") }
          if members.contains(where: { $0.name == name }) {
            throw wrong("two members of one name")
          }
          members.append((name, try value()))
        } while has(",")
        guard has("}") else { throw wrong("no end of the object") }
      }
      skipBlanks()
      guard next == nil else { throw wrong("something after the object") }
      return members
    }

    private mutating func value() throws(FlatObjectError) -> Value {
      if has("\"") { return .text(try text()) }
      if bytes[position...].starts(with: "null".utf8) {
        position += 4
        return .null
      }
      return .integer(try integer())
    }

    private mutating func integer() throws(FlatObjectError) -> Int64 {
      let isNegative = next == UInt8(ascii: "-")
      if isNegative { position += 1 }
      let start = position
      var value: Int64 = 0
      while let byte = next, (0x30...0x39).contains(byte) {
        value = value * 10 + Int64(byte - 0x30)
        guard value <= FlatObject.largestInteger else { throw wrong("too large a number") }
        position += 1
      }
      let digits = position - start
      guard digits == 1 || digits > 1 && bytes[start] != UInt8(ascii: "0") else {
        throw wrong("neither a text nor an integer nor null")
      }
      return isNegative ? -value : value
    }

    private mutating func text() throws(FlatObjectError) -> String {
      var result: [UInt8] = []
      while let byte = next {
        position += 1
        switch byte {
        case UInt8(ascii: "\""):
          guard let text = String(validating: result, as: UTF8.self) else {
            throw wrong("a text that is not UTF-8")
          }
          return text
        case UInt8(ascii: "\\"): try escape(into: &result)
        case 0..<0x20: throw wrong("a control character in a text")
        default: result.append(byte)
        }
      }
      throw wrong("a text without an end")
    }

    private mutating func escape(into result: inout [UInt8]) throws(FlatObjectError) {
      guard let byte = next else { throw wrong("a text without an end") }
      position += 1
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(byte)
      case UInt8(ascii: "b"): result.append(0x08)
      case UInt8(ascii: "f"): result.append(0x0c)
      case UInt8(ascii: "n"): result.append(0x0a)
      case UInt8(ascii: "r"): result.append(0x0d)
      case UInt8(ascii: "t"): result.append(0x09)
      case UInt8(ascii: "u"):
        var unit = try codeUnit()
        if (0xd800..<0xdc00).contains(unit), next == UInt8(ascii: "\\") {
          position += 1
          guard next == UInt8(ascii: "u") else { throw wrong("half a character") }
          position += 1
          let low = try codeUnit()
          guard (0xdc00..<0xe000).contains(low) else { throw wrong("half a character") }
          unit = 0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00)
        }
        guard let scalar = Unicode.Scalar(unit) else { throw wrong("half a character") }
        result.append(contentsOf: String(Character(scalar)).utf8)
      default: throw wrong("an escape that JSON does not have")
      }
    }

    private mutating func codeUnit() throws(FlatObjectError) -> UInt32 {
      var value: UInt32 = 0
      for _ in 0..<4 {
        guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
          throw wrong("an escape that JSON does not have")
        }
        value = value << 4 | UInt32(digit)
        position += 1
      }
      return value
    }
  }
}
