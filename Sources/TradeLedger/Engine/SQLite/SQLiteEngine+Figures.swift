internal import SQLite

extension SQLiteEngine {
  func figures(wait: WaitLimit) throws(LedgerError) -> LedgerFigures {
    try read(wait: wait) { (database, _) throws(LedgerError) in
      let byStatus = try database.rows(Statements.tradesByStatus) { row throws(SQLiteError) in
        (try row.text(0), try row.text(1), try row.integer(2))
      }
      var trades: [BotName: [TradeStatus: Int]] = [:]
      for (bot, status, count) in byStatus {
        guard let status = TradeStatus(rawValue: status) else { continue }
        trades[BotName(stored: bot), default: [:]][status] = Int(count)
      }
      return LedgerFigures(
        trades: trades, conflicts: try SQLiteEngine.byBot(Statements.conflictsByBot, database),
        doubleTrades: try SQLiteEngine.byBot(Statements.doubleTradesByBot, database),
        restoredAt: database.restores.map(\.wall).max(),
        bytes: try database.pragma("page_count") * database.pragma("page_size"),
        freeBytes: file.freeBytes.map { Int64(clamping: $0) }, layout: Int(SchemaText.version))
    }
  }

  private static func byBot(
    _ sql: String, _ database: LedgerDatabase
  ) throws(LedgerError) -> [BotName: Int] {
    let rows = try database.rows(sql) { row throws(SQLiteError) in
      (BotName(stored: try row.text(0)), Int(try row.integer(1)))
    }
    return Dictionary(rows) { $0 + $1 }
  }
}
