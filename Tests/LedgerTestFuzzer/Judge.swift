import SQLite

/// Looks at a mutant without the library: is it a sound file, with the ledger's own schema, whose
/// rows keep the rules? Then it is another ledger, and other answers about it are true.
struct Judge {
  private let schema: [String]

  init(good path: String) throws { schema = try Judge.schema(path) }

  /// What is wrong with the file at `path`; nil where nothing is.
  func complaint(_ path: String) -> String? {
    do {
      let found = try query(path, "PRAGMA integrity_check(3)")
      if found != ["ok"] { return found.joined(separator: "; ") }
      if let orphan = try query(path, "PRAGMA foreign_key_check").first {
        return "orphan \(orphan)"
      }
      if try Judge.schema(path) != schema { return "another schema" }
      for (name, rule) in Judge.rules where try !query(path, rule).isEmpty { return name }
      return nil
    } catch { return "\(error)" }
  }

  /// Rows that no ledger can have.
  private static let rules = [
    ("no mode", "SELECT 1 WHERE (SELECT COUNT(*) FROM ledger) <> 1"),
    (
      "INV-1",
      """
      SELECT 1 FROM trades AS a JOIN trades AS b ON a.bot_id = b.bot_id AND a.id < b.id
      WHERE a.status <> 'void' AND b.status <> 'void' AND b.origin <> 'past' AND a.origin <> 'past'
        AND b.created_at - b.cooldown_us < CASE
          WHEN a.filled_at IS NOT NULL AND a.received_at <= b.created_at THEN a.filled_at
          ELSE a.created_at END LIMIT 1
      """
    ),
    (
      "INV-2",
      "SELECT 1 FROM trades WHERE status = 'pending' GROUP BY bot_id HAVING COUNT(*) > 1"
    ),
    ("INV-3", "SELECT 1 FROM trades GROUP BY +key HAVING COUNT(*) > 1"),
    ("a gap in the ids", "SELECT 1 WHERE (SELECT COUNT(*) <> MAX(id) FROM trades)"),
  ]

  private static func schema(_ path: String) throws -> [String] {
    try rows(
      path,
      "SELECT lower(type || ' ' || tbl_name) || ' ' || name || ' ' || COALESCE(sql, '')"
        + " FROM sqlite_schema"
    ).sorted()
  }

  private func query(_ path: String, _ sql: String) throws -> [String] {
    try Judge.rows(path, sql)
  }

  private static func rows(_ path: String, _ sql: String) throws -> [String] {
    let connection = try Connection.open(
      path, options: OpenOptions(purpose: .reading(keepsLog: true), wait: .zero))
    return try connection.rows(sql) { row throws(SQLiteError) in
      (try? row.optionalText(0)) ?? (try? row.optionalInteger(0)).map { String($0) } ?? "NULL"
    }
  }
}
