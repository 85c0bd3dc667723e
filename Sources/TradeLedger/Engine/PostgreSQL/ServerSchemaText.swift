/// The text of `schema.postgres.sql`.
enum ServerSchemaText {
  static let sql = String(decoding: PackageResources.schema_postgres_sql, as: UTF8.self)

  /// All but roles, tables and indexes: what an upgrade makes anew. Ends before COMMIT.
  static var rules: Substring {
    guard let mark = sql.firstRange(of: "\n-- Made anew by an upgrade"),
      let end = sql.ranges(of: "\nCOMMIT;").last
    else { return "" }
    return sql[mark.lowerBound..<end.lowerBound]
  }

  /// The statement of each index that belongs to no constraint, by its name. One line each.
  static var indexes: [Substring: Substring] {
    var statements: [Substring: Substring] = [:]
    for line in sql.split(separator: "\n") {
      if let match = line.firstMatch(of: /^CREATE (?:UNIQUE )?INDEX (\w+) ON [^;]*;/) {
        statements[match.1] = match.0
      }
    }
    return statements
  }
}

extension Ledger {
  /// The text of `schema.postgres.sql`, the specification of the ledger on a server.
  public static var serverSchemaSQL: String { ServerSchemaText.sql }
}
