/// A table that every ledger has, with the columns in which rows are copied.
struct LedgerTable: Sendable {
  struct Column: Sendable {
    let name: String
    let isInteger: Bool
  }
  let name: String
  /// The first one is the key, by which the rows are ordered.
  let columns: [Column]

  /// - Parameter columns: names; those of integers end with a `#`.
  private init(_ name: String, _ columns: String) {
    self.name = name
    self.columns = columns.split(separator: " ").map { word in
      Column(name: String(word.prefix { $0 != "#" }), isInteger: word.hasSuffix("#"))
    }
  }

  var list: String { columns.map(\.name).joined(separator: ", ") }
  /// The places of the columns of that name.
  func place(_ name: String) -> Int? { columns.firstIndex { $0.name == name } }

  /// In an order in which no row refers to one that comes later.
  static let all = [
    LedgerTable("ledger", "id# mode created_at# ticks#"),
    LedgerTable("bots", "id# name"),
    LedgerTable("settings", "id# bot_id# cooldown_us# lease_us# in_doubt enabled# at#"),
    LedgerTable(
      "instances",
      "name epoch# boot_id pid_namespace# time_namespace# pid# start_ticks# host command since# "
        + "heartbeat_until#"),
    LedgerTable(
      "trades",
      "id# bot_id# key origin side symbol quantity price cooldown_us# token pid# instance epoch# "
        + "created_at# lease_until# boot_id created_boot_us# status filled_at# filled_price "
        + "filled_quantity exchange_at# received_at# filled_boot_id filled_boot_us# settled_with "
        + "reason late# superseded#"),
    LedgerTable(
      "conflicts",
      "id# bot_id# trade_id# kind token at# boot_id boot_us# quantity price exchange_at# "
        + "received_at#"),
    LedgerTable("restores", "id# at# boot_id boot_us#"),
  ]
}
