import SQLite

/// Edits of the rows of a ledger that no trigger stops: they are taken out and put back.
enum StoredRows {
  static func edit(_ path: String, _ edit: String) throws {
    let connection = try Connection.open(path, options: .init(purpose: .writing, wait: .zero))
    let triggers = try connection.rows(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid"
    ) { row throws(SQLiteError) in (try row.text(0), try row.text(1)) }
    try connection.run("BEGIN IMMEDIATE")
    for (name, _) in triggers { try connection.runScript("DROP TRIGGER \(name);") }
    do { try connection.runScript(edit + ";") } catch {
      // A constraint of the table, or a row that cannot be: the mutant is the good ledger.
    }
    for (_, sql) in triggers { try connection.runScript(sql + ";") }
    try connection.run("COMMIT")
  }

  /// One value in one row becomes one that the ledger would not have written, or hardly.
  static func randomEdit(_ random: inout SeededRandom) -> String {
    let columns: [String: [String]] = [
      "trades": [
        "bot_id", "key", "origin", "side", "symbol", "quantity", "price", "cooldown_us", "token",
        "pid", "instance", "epoch", "created_at", "lease_until", "boot_id", "created_boot_us",
        "status", "filled_at", "filled_price", "filled_quantity", "exchange_at", "received_at",
        "filled_boot_id", "filled_boot_us", "settled_with", "reason", "late", "superseded", "id",
      ],
      "bots": ["name"],
      "settings": ["bot_id", "cooldown_us", "lease_us", "in_doubt", "enabled", "at"],
      "conflicts": ["bot_id", "trade_id", "token", "at", "boot_us", "quantity", "exchange_at"],
      "ledger": ["mode", "created_at", "ticks"],
    ]
    let values = [
      "NULL", "0", "1", "-1", "9223372036854775807", "-9223372036854775808", "4611686018427387904",
      "253402300799999999", "253402300800000000", "315576000000001", "2147483648", "''", "'x'",
      "char(27) || '[2J'", "CAST(x'ff00fe' AS TEXT)", "hex(zeroblob(2000))", "'live'", "'void'",
      "'pending'", "'filled'", "'-1'", "'1e9'", "'0.000000000000000000001'", "'block'",
      "'99999999999999999999999999999999999999999'", "(SELECT COUNT(*) FROM trades)",
    ]
    let names = columns.keys.sorted()
    let table = random.below(3) > 0 ? "trades" : names[random.below(names.count)]
    let column = columns[table]![random.below(columns[table]!.count)]
    let value = values[random.below(values.count)]
    let rows = random.below(3) == 0 ? "" : " WHERE id % 3 = \(random.below(3))"
    return "PRAGMA ignore_check_constraints = \(random.below(2));\n"
      + "UPDATE \(table) SET \(column) = \(value)\(rows)"
  }
}
