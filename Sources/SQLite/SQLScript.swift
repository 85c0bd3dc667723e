internal import CSQLite

/// Splits a script into statements the way SQLite's shell does, so that the semicolons inside a
/// trigger do not end it. A statement ends with its line; a second one on that line, or a last one
/// without its semicolon, is kept with it, and SQLite or ``Statement`` refuses what is too much.
public enum SQLScript {
  /// The statements of `script`, in order, without the comments and blank lines before them.
  public static func statements(of script: String) -> [String] {
    var result: [String] = []
    var current = ""
    for line in script.split(separator: "\n", omittingEmptySubsequences: false) {
      let isLeadingComment = line.drop(while: { $0 == " " }).hasPrefix("--")
      if current.isEmpty && (isLeadingComment || line.allSatisfy { $0 == " " }) { continue }
      current += current.isEmpty ? String(line) : "\n" + line
      if current.contains(";"), unsafe sqlite3_complete(current) == 1 {
        result.append(current)
        current = ""
      }
    }
    if current.contains(where: { !$0.isWhitespace }) { result.append(current) }
    return result
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
    guard let end = statement.lastIndex(of: ";") else { return statement }
    return String(statement[..<end])
  }
}
