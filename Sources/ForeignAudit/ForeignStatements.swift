/// All SQL that is run on a foreign file, or shown to a person for it. Names come from the file and
/// are quoted here; nothing else is pasted in.
enum ForeignStatements {
  /// Name, and 1 for a view. Virtual tables have no root page and are left alone: to read one is to
  /// run code.
  static let tables = """
    SELECT name, type = 'view' FROM sqlite_schema
    WHERE type = 'view'
      OR (type = 'table' AND rootpage > 0 AND name NOT LIKE 'sqlite^_%' ESCAPE '^')
    ORDER BY name
    """

  static func columns(of table: String) -> String { "PRAGMA table_xinfo(\(quoted(table)))" }

  static func references(of table: String) -> String {
    "PRAGMA foreign_key_list(\(quoted(table)))"
  }

  /// One column of the result for each of `columns`, NULL for nil.
  static func rows(of table: String, columns: [String?]) -> String {
    let list = columns.map { $0.map(quoted) ?? "NULL" }.joined(separator: ", ")
    return "SELECT \(list) FROM \(quoted(table))"
  }

  /// Fails where there is no rowid.
  static func rowidProbe(of table: String) -> String {
    "SELECT rowid FROM \(quoted(table)) LIMIT 0"
  }

  /// For a person: the rows with these ids, which are literals; all rows where there are no ids.
  static func look(table: String, id: String?, ids: String) -> String {
    let all = "SELECT * FROM \(quoted(table))"
    return id.map { "\(all) WHERE \(quoted($0)) IN (\(ids))" } ?? all
  }

  private static func quoted(_ name: String) -> String {
    "\"" + name.replacing("\"", with: "\"\"") + "\""
  }
}
