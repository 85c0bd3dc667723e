/// The text of `schema.postgres.sql`.
enum ServerSchemaText {
  static let sql = String(decoding: PackageResources.schema_postgres_sql, as: UTF8.self)
}

extension Ledger {
  /// The text of `schema.postgres.sql`, the specification of the ledger on a server.
  public static var serverSchemaSQL: String { ServerSchemaText.sql }
}
