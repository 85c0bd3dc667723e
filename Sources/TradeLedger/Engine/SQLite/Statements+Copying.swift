/// Whole tables, row by row, for a ledger that moves to another engine.
extension Statements {
  /// ?1 the key after which, ?2 how many.
  static func rows(of table: LedgerTable) -> String {
    let key = table.columns[0].name
    return """
      SELECT \(table.list) FROM \(table.name) WHERE ?1 IS NULL OR \(key) > ?1
      ORDER BY \(key) LIMIT ?2
      """
  }

  static func insertRow(into table: LedgerTable) -> String {
    let values = (1...table.columns.count).map { "?\($0)" }.joined(separator: ", ")
    return """
      INSERT INTO \(table.name) (\(table.list)) VALUES (\(values))
      """
  }
}
