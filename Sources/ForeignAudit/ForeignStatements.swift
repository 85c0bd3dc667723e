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

  /// The orders of a freqtrade database with what their positions say. Columns that its version
  /// does not have are NULL.
  static func freqtradeOrders(orders: [String], trades: [String], bot: String) -> String {
    func column(_ name: String, _ table: String, _ columns: [String]) -> String {
      columns.contains(name) ? "\(table).\(quoted(name))" : "NULL"
    }
    let own = [
      "id", "order_id", "ft_pair", "side", "ft_order_side", "is_short", "filled", "amount",
      "average", "price", "order_filled_date", "order_date", "status", "ft_is_open",
    ].map { name in
      name == "is_short" ? column(name, "t", trades) : column(name, "o", orders)
    }
    let list = (own + [column("exchange", "t", trades), "t.\(quoted(bot))"])
    return """
      SELECT \(list.joined(separator: ", "))
      FROM "orders" AS o LEFT JOIN "trades" AS t ON t.id = o.ft_trade_id ORDER BY o.id
      """
  }

  /// Positions without orders: older versions kept none.
  static let freqtradeTradesWithoutOrders = """
    SELECT COUNT(*) FROM "trades" AS t
    WHERE NOT EXISTS (SELECT 1 FROM "orders" AS o WHERE o.ft_trade_id = t.id)
    """

  /// The orders of a hummingbot database: id, bot and last fill.
  static func hummingbotOrders(bot: String) -> String {
    """
    SELECT "order_id", \(quoted(bot)), MAX("timestamp") FROM "TradeFill"
    GROUP BY "market", "order_id"
    """
  }

  private static func quoted(_ name: String) -> String {
    "\"" + name.replacing("\"", with: "\"\"") + "\""
  }
}
