internal import SQLite

extension SQLiteEngine {
  func status(_ bot: BotName?, wait: WaitLimit) throws(LedgerError) -> LedgerStatus {
    try read(wait: wait) { (database, now) throws(LedgerError) in
      let bots = try SQLiteEngine.bots(bot, database)
      if let bot, bots.isEmpty { throw .noSuchBot(bot, database.path) }
      var statuses: [BotStatus] = []
      for bot in bots { statuses.append(try SQLiteEngine.status(of: bot, database, now)) }
      return LedgerStatus(
        mode: mode, path: path, readAt: now.wall, bots: statuses,
        trades: try SQLiteEngine.count(Statements.countTrades, database),
        conflicts: try SQLiteEngine.count(Statements.countConflicts, database),
        walBytes: file.walBytes, sqliteVersion: Connection.libraryVersion)
    }
  }

  private static func status(
    of bot: Bot, _ database: LedgerDatabase, _ now: ClockReading
  ) throws(LedgerError) -> BotStatus {
    let admission = try AdmissionReader(database, bot.name, nil, bootID: now.boot?.bootID)
    let open = try database.rows(
      Statements.tradesInDoubt, [.text(bot.name.description)], TradeRow.read
    ).map { $0.seen(at: now) }
    let last = (admission.facts.lastTrades + admission.facts.lastConflicts).map { $0.at.wall }
    return BotStatus(
      bot: bot, check: try admission.check(database, now),
      pending: open.first { $0.status == .pending },
      inDoubt: open.filter { $0.status == .inDoubt }, lastTradeAt: last.max())
  }

  func trades(_ query: TradeQuery, wait: WaitLimit) throws(LedgerError) -> TradePage {
    try read(wait: wait) { (database, now) throws(LedgerError) in
      try SQLiteEngine.checkBot(query.bot, database)
      let filter: [Value] = [
        .text(query.bot?.description), .text(query.status?.rawValue),
        .integer(query.since?.microseconds ?? 0), .integer(query.before?.value ?? .max),
      ]
      // Whether an unsettled trade is in doubt depends on the clocks; there are few of them.
      let isUnsettled = query.status == .pending || query.status == .inDoubt
      let limit = query.limit ?? -1
      let found = try database.rows(
        Statements.trades, filter + [.integer(Int64(isUnsettled ? -1 : limit))], TradeRow.read
      ).map { $0.seen(at: now) }
      guard isUnsettled else {
        let total = try SQLiteEngine.count(Statements.tradesTotal, database, filter)
        return TradePage(trades: found, total: total)
      }
      let matching = found.filter { $0.status == query.status }
      return TradePage(
        trades: limit < 0 ? matching : Array(matching.prefix(limit)), total: matching.count)
    }
  }

  func trade(_ reference: TradeReference, wait: WaitLimit) throws(LedgerError) -> Trade {
    try read(wait: wait) { (database, now) throws(LedgerError) in
      try SQLiteEngine.trade(reference, database).seen(at: now)
    }
  }

  func diagnosis(wait: WaitLimit) throws(LedgerError) -> Diagnosis {
    let (integrity, newest) = try read(wait: wait) { (database, _) throws(LedgerError) in
      (
        try Integrity.report(database),
        try database.first(Statements.newestTrade) { row throws(SQLiteError) in
          ClockReading(
            wall: try TradeRow.requiredInstant(row, 0), boot: try TradeRow.boot(row, 1))
        }
      )
    }
    return Diagnosis(
      path: path, mode: mode, fileSystem: LedgerFileSystem.name(directory: path),
      sqliteVersion: Connection.libraryVersion, walBytes: file.walBytes, integrity: integrity,
      lockHolders: LockHolders.of(path), schemaVersion: Int(SchemaText.version),
      clock: clock.now(), newestTrade: newest)
  }

  static func checkBot(
    _ bot: BotName?, _ database: LedgerDatabase
  ) throws(LedgerError) {
    if let bot, try bots(bot, database).isEmpty { throw .noSuchBot(bot, database.path) }
  }

  static func count(
    _ sql: String, _ database: LedgerDatabase, _ values: [Value] = []
  ) throws(LedgerError) -> Int {
    Int(
      try database.first(sql, values) { row throws(SQLiteError) in try row.integer(0) } ?? 0)
  }
}
