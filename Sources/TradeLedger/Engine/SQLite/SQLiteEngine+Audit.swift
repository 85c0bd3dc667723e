internal import SQLite

/// The audit. It goes over all trades row by row, so that what it keeps grows with what it finds
/// and not with the ledger.
extension SQLiteEngine {
  func audit(_ query: TradeQuery, wait: WaitLimit) throws(LedgerError) -> AuditReport {
    try read(wait: wait) { (database, now) throws(LedgerError) in
      try Integrity.expectSound(database)
      try SQLiteEngine.checkBot(query.bot, database)
      let bot = Value.text(query.bot?.description)
      let since = query.since?.microseconds ?? 0
      let examined = try database.first(Statements.auditedRange, [bot, .integer(since)]) {
        row throws(SQLiteError) in
        (try row.integer(0), try TradeRow.instant(row, 1), try TradeRow.instant(row, 2))
      }
      var findings = try database.rows(
        Statements.findings,
        [
          bot, .integer(since), .integer(now.wall.microseconds), .text(now.boot?.bootID),
          .integer(now.boot?.microseconds),
        ], SQLiteEngine.finding)
      var neighbours = AuditedNeighbours(since: since)
      try database.forEachRow(Statements.auditedInTime, [bot]) { row throws(SQLiteError) in
        neighbours.addInTime(try SQLiteEngine.audited(row))
      }
      try database.forEachRow(Statements.auditedInOrder, [bot]) { row throws(SQLiteError) in
        neighbours.addInOrder(try SQLiteEngine.audited(row))
      }
      findings = (neighbours.findings + findings).inOrder
      findings += try database.rows(
        Statements.conflictFindings, [bot, .integer(since)], SQLiteEngine.conflict)
      findings += try database.rows(
        Statements.supersededFindings, [bot, .integer(since)], SQLiteEngine.finding)
      return AuditReport(
        examined: Int(examined?.0 ?? 0), from: examined?.1, to: examined?.2, findings: findings)
    }
  }

  private static func audited(
    _ row: borrowing Row
  ) throws(SQLiteError) -> AuditedNeighbours.Trade {
    AuditedNeighbours.Trade(
      bot: try row.text(0), id: try row.integer(1), pid: try row.optionalInteger(2),
      isPast: try row.integer(3) == 1, effectiveAt: try row.integer(4),
      cooldown: try row.integer(5), createdAt: try row.integer(6),
      receivedAt: try row.optionalInteger(7))
  }

  private static func finding(_ row: borrowing Row) throws(SQLiteError) -> AuditFinding {
    let check = try row.text(0)
    guard let check = AuditCheck(rawValue: check) else {
      throw SQLiteError(code: 20, message: "unknown check \(check)", operation: "audit")
    }
    return AuditFinding(
      check: check, bot: try row.text(1), trades: [try row.integer(2)],
      gap: try row.optionalInteger(3).map { .microseconds($0) },
      cooldown: .microseconds(try row.integer(4)), at: try TradeRow.requiredInstant(row, 5),
      pids: [try row.optionalInteger(6)].compactMap { $0 }.map { Int32(truncatingIfNeeded: $0) },
      involvesPast: false)
  }

  private static func conflict(_ row: borrowing Row) throws(SQLiteError) -> AuditFinding {
    var conflict = try finding(row)
    conflict.filledQuantity = try row.optionalText(7).map { Amount(stored: $0) }
    conflict.filledPrice = try row.optionalText(8).map { Amount(stored: $0) }
    return conflict
  }
}
