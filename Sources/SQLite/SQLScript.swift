internal import CSQLite

/// Splits a script into statements the way SQLite's shell does, so that the semicolons inside a
/// trigger do not end it.
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
    return result
  }

  /// The text that SQLite keeps in `sqlite_schema.sql` for a CREATE statement: the statement up to
  /// its last semicolon, without a comment that follows it.
  public static func storedText(of statement: String) -> String {
    guard let end = statement.lastIndex(of: ";") else { return statement }
    return String(statement[..<end])
  }
}
