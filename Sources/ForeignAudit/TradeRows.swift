internal import SQLite

/// One cell as it was read.
struct Field: Equatable {
  var value: StoredValue = .null
  /// The bytes of a text or blob.
  var bytes: [UInt8] = []

  /// NULL, or an empty text.
  var isMissing: Bool { value == .null || (value == .text && bytes.isEmpty) }

  /// For people, and for keys: an integer 4 and a text `4` are the same bot.
  var text: String {
    switch value {
    case .null: ""
    case .integer(let value): String(value)
    case .real(let value): value.description
    case .text: String(decoding: bytes, as: UTF8.self)
    case .blob: hexadecimal(bytes)
    }
  }

  /// Turns numbers into their digits, so that `bytes` alone says what the cell is.
  mutating func writeOut() {
    switch value {
    case .text, .null: return
    case .integer, .real, .blob: bytes = Array(text.utf8)
    }
  }
}

/// What is read of each trade, in this order.
enum Column: Int, CaseIterable {
  case id, bot, fillTime, creationTime, status, cooldown
}

/// How an id was stored, which is how it has to be written in SQL.
enum IDKind: UInt32 {
  case integer, text, number, blob
}

/// Different texts, numbered in the order in which they came.
struct Interner {
  private(set) var texts: [[UInt8]] = []
  private var numbers: [[UInt8]: UInt32] = [:]
  private var last: UInt32 = 0

  mutating func number(of text: [UInt8]) -> UInt32 {
    if Int(last) < texts.count, texts[Int(last)] == text { return last }
    if let found = numbers[text] {
      last = found
    } else {
      last = UInt32(texts.count)
      texts.append(text)
      numbers[text] = last
    }
    return last
  }
}

/// Many short texts in few pieces of memory: no piece is ever moved.
struct TextStore {
  private static let chunkSize = 1 << 20
  /// Longer ids are cut.
  private static let longest = 512
  private var chunks: [[UInt8]] = []

  mutating func append(_ text: [UInt8]) -> Int64 {
    let count = min(text.count, TextStore.longest)
    if (chunks.last?.count ?? TextStore.chunkSize) + count + 2 > TextStore.chunkSize {
      chunks.append([])
      chunks[chunks.count - 1].reserveCapacity(TextStore.chunkSize)
    }
    let chunk = chunks.count - 1
    let offset = chunks[chunk].count
    chunks[chunk].append(UInt8(truncatingIfNeeded: count))
    chunks[chunk].append(UInt8(truncatingIfNeeded: count >> 8))
    chunks[chunk].append(contentsOf: text.prefix(count))
    return Int64(chunk) << 32 | Int64(offset)
  }

  func text(_ reference: Int64) -> String {
    let chunk = chunks[Int(reference >> 32)]
    let offset = Int(reference & 0xffff_ffff)
    let count = Int(chunk[offset]) | Int(chunk[offset + 1]) << 8
    return String(decoding: chunk[(offset + 2)..<(offset + 2 + count)], as: UTF8.self)
  }
}

/// Rows that could not be used, with the first few of their ids. They are said, never dropped in
/// silence.
public struct SkippedRows: Equatable, Sendable {
  public internal(set) var count = 0
  /// At most five.
  public internal(set) var firstIDs: [String] = []

  mutating func add(_ id: @autoclosure () -> String) {
    count += 1
    if firstIDs.count < 5 { firstIDs.append(id()) }
  }
}

/// How many trades have a status, and whether those count.
public struct StatusCount: Equatable, Sendable {
  /// Empty: none.
  public let status: String
  public internal(set) var count: Int
  public let counts: Bool
}

func hexadecimal(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(
    decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
