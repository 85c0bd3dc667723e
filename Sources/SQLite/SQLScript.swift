internal import CSQLite

/// Splits a script into statements the way SQLite's shell does, so that the semicolons inside a
/// trigger do not end it. A statement ends with its line; a second one on that line, or a last one
/// without its semicolon, is kept with it, and SQLite or ``Statement`` refuses what is too much.
public enum SQLScript {
  /// The statements of `script`, in order, without the comments and blank lines before them.
  ///
  /// By bytes, because each opening of a ledger does this with the whole schema.
  public static func statements(of script: String) -> [String] {
    var result: [String] = []
    let bytes = ContiguousArray(script.utf8)
    var start: Int?
    var hasSemicolon = false
    var next = 0
    while next < bytes.count {
      let end = bytes[next...].firstIndex(of: newline) ?? bytes.count
      let line = bytes[next..<end]
      if start == nil && isBlankOrComment(line) {
        next = end + 1
        continue
      }
      let first = start ?? next
      start = first
      next = end + 1
      let endsHere = line.contains(semicolon)
      hasSemicolon = hasSemicolon || endsHere
      // Without a semicolon of its own, a line ends a statement only by ending a comment after one.
      guard hasSemicolon, endsHere || line.contains(slash) else { continue }
      let statement = String(decoding: bytes[first..<end], as: UTF8.self)
      if unsafe sqlite3_complete(statement) == 1 {
        result.append(statement)
        start = nil
        hasSemicolon = false
      }
    }
    if let start {
      let rest = String(decoding: bytes[start...], as: UTF8.self)
      if rest.contains(where: { !$0.isWhitespace }) { result.append(rest) }
    }
    return result
  }

  private static let newline = UInt8(ascii: "\n")
  private static let semicolon = UInt8(ascii: ";")
  private static let slash = UInt8(ascii: "/")

  private static func isBlankOrComment(_ line: ContiguousArray<UInt8>.SubSequence) -> Bool {
    let text = line.drop { $0 == UInt8(ascii: " ") }
    return text.isEmpty || text.starts(with: [UInt8(ascii: "-"), UInt8(ascii: "-")])
  }

  /// Whether `tail`, what SQLite left of a text after its first statement, holds nothing more.
  static func isEmpty(_ tail: String) -> Bool {
    tail.split(separator: "\n").allSatisfy { line in
      let text = line.drop { $0 == " " || $0 == "\t" }
      return text.isEmpty || text.hasPrefix("--")
    }
  }

  /// The text that SQLite keeps in `sqlite_schema.sql` for a CREATE statement: the statement up to
  /// its last semicolon, without a comment that follows it.
  public static func storedText(of statement: String) -> String {
    guard let end = statement.utf8.lastIndex(of: semicolon) else { return statement }
    return String(statement[..<end])
  }
}
