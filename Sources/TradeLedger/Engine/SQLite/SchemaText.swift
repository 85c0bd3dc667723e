internal import SQLite

/// The one schema, embedded from the top-level `schema.sql`.
enum SchemaText {
  static let sql = String(decoding: PackageResources.schema_sql, as: UTF8.self)
  static let statements = SQLScript.statements(of: sql)

  /// `application_id` of a ledger: "TRLD".
  static let applicationID: Int64 = 1_414_679_620
  /// `user_version` of this layout.
  static let version: Int64 = 4

  /// The text of each object as SQLite stores it, by name: the fingerprint of a ledger.
  static let objects: [String: String] = {
    var objects: [String: String] = [:]
    for statement in statements where statement.hasPrefix("CREATE") {
      objects[name(of: statement)] = SQLScript.storedText(of: statement)
    }
    return objects
  }()

  /// Statements whose first words are `prefix`, in the order of the file.
  static func statements(startingWith prefix: String) -> [String] {
    statements.filter { $0.hasPrefix(prefix) }
  }

  /// The name of the object that a CREATE statement makes.
  static func name(of statement: String) -> String {
    let kinds = ["TABLE", "INDEX", "VIEW", "TRIGGER"]
    let words = statement.utf8.prefix(200).split {
      $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "(")
    }
    let kind = words.firstIndex { word in kinds.contains { word.elementsEqual($0.utf8) } }
    guard let kind, kind + 1 < words.count else { return "" }
    return String(Substring(words[kind + 1]))
  }
}

extension Ledger {
  /// The text of `schema.sql`, the specification of the ledger in SQL.
  public static var schemaSQL: String { SchemaText.sql }
  /// The version of the SQLite library in this process, for example "3.40.1".
  public static var sqliteVersion: String { Connection.libraryVersion }
}
