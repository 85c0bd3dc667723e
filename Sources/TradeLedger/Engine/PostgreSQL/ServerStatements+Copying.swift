#if PostgreSQL
  /// Whole tables, row by row, for a ledger that moves to another engine.
  extension ServerStatements {
    static let copyBegins = "SELECT tradeledger.copy_begins()"
    static let copyEnds = "SELECT tradeledger.copy_ends()"

    /// $1 the key after which, $2 how many.
    static func rows(of table: LedgerTable) -> String {
      let key = table.columns[0]
      let type = key.isInteger ? "bigint" : "text"
      return """
        SELECT \(table.list) FROM tradeledger.\(table.name)
        WHERE $1::\(type) IS NULL OR \(key.name) > $1::\(type)
        ORDER BY \(key.name) LIMIT $2::bigint
        """
    }

    /// $1 an array of objects.
    static func insertRows(into table: LedgerTable) -> String {
      """
      INSERT INTO tradeledger.\(table.name) (\(table.list)) OVERRIDING SYSTEM VALUE
      SELECT \(table.list)
      FROM pg_catalog.jsonb_populate_recordset(NULL::tradeledger.\(table.name), $1::jsonb)
      """
    }
  }
#endif
