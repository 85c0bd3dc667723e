internal import SQLite

extension SQLiteEngine {
  /// Looks each fact up and compares it with its neighbours, in one snapshot. Writes nothing.
  func review(
    _ facts: [PastFact], newBots: Duration?, wait: WaitLimit
  ) throws(LedgerError) -> PastFactReview {
    try read(wait: wait, isForGood: false) { (database, _) throws(LedgerError) in
      var standings: [PastFactReview.Standing] = []
      standings.reserveCapacity(facts.count)
      for fact in facts { standings.append(try SQLiteEngine.standing(of: fact, database)) }
      return try FactReview.make(
        facts, standings: standings, newBots: newBots,
        settings: { (bot) throws(LedgerError) in
          try SQLiteEngine.bots(bot, database).first?.settings
        },
        counted: { (bot, add) throws(LedgerError) in
          try database.forEachRow(Statements.countedInTime, [.text(bot.description)]) {
            row throws(SQLiteError) in
            add(
              CloseNeighbours.Candidate(
                who: .trade(TradeID(try row.integer(0))), at: try row.integer(1),
                cooldown: try row.integer(2)))
          }
        })
    }
  }

  private static func standing(
    of fact: PastFact, _ database: LedgerDatabase
  ) throws(LedgerError) -> PastFactReview.Standing {
    let key = Value.text(fact.key.description)
    let found = try database.first(Statements.tradeByKey, [key], TradeRow.read)
    return FactReview.standing(of: fact, found?.trade)
  }

  /// Enters facts and bots in one transaction.
  /// - Returns: how many facts were not there before.
  func enter(
    _ facts: [PastFact], addingBots bots: [Bot], wait: WaitLimit
  ) throws(LedgerError) -> Int {
    try expectRoom()
    let entered = try write(
      wait: wait,
      isThere: { (database, entered: [OrderKey]) throws(LedgerError) in
        // One transaction: one of them stands for all.
        guard let key = entered.first else { return true }
        return try database.exists(Statements.tradeByKey, [.text(key.description)])
      },
      { (database, _) throws(LedgerError) in
        var hasNewBot = false
        for bot in bots where try SQLiteEngine.bots(bot.name, database).isEmpty {
          try database.run(Statements.insertBot, [.text(bot.name.description)])
          try SQLiteEngine.insertSettings(bot, database, clock.now())
          hasNewBot = true
        }
        let entered = try insert(facts, database)
        return hasNewBot || !entered.isEmpty ? .commit(entered) : .rollback(entered)
      })
    return entered.count
  }

  private func insert(
    _ facts: [PastFact], _ database: LedgerDatabase
  ) throws(LedgerError) -> [OrderKey] {
    var known: [BotName: (id: Int64, settings: BotSettings)] = [:]
    var entered: [OrderKey] = []
    entered.reserveCapacity(facts.count)
    for fact in facts {
      switch try SQLiteEngine.standing(of: fact, database) {
      case .known: continue
      case .conflict(let trade):
        throw .factConflict(fact.key.description, trade.description)
      case .new: break
      }
      let name = fact.order.bot
      if known[name] == nil { known[name] = try SQLiteEngine.botForFacts(name, database) }
      guard let bot = known[name] else { throw .noSuchBot(name, database.path) }
      let attempt = Attempt(
        order: fact.order, key: fact.key, kind: .past(Fill(at: fact.at), at: fact.at),
        instance: nil)
      // The schema compares each row with the clock, and many rows take longer than it allows.
      let new = try NewTrade(
        attempt, bot.settings, clock.now(), pid: database.connection.processID)
      try database.run(Statements.insertTrade, new.values(botID: bot.id))
      entered.append(fact.key)
    }
    return entered
  }

  private static func botForFacts(
    _ name: BotName, _ database: LedgerDatabase
  ) throws(LedgerError) -> (id: Int64, settings: BotSettings) {
    let id = try database.first(Statements.botID, [.text(name.description)]) {
      row throws(SQLiteError) in try row.integer(0)
    }
    guard let id, let bot = try bots(name, database).first else {
      throw .noSuchBot(name, database.path)
    }
    return (id, bot.settings)
  }

  func lastTrade(wait: WaitLimit) throws(LedgerError) -> TradeID {
    try read(wait: wait) { (database, _) throws(LedgerError) in
      TradeID(Int64(try SQLiteEngine.count(Statements.lastTradeID, database)))
    }
  }

  func trades(_ piece: TradePiece, wait: WaitLimit) throws(LedgerError) -> [Trade] {
    try read(wait: wait) { (database, now) throws(LedgerError) in
      try SQLiteEngine.checkBot(piece.bot, database)
      let since = Value.integer(piece.since?.microseconds ?? 0)
      let found: [StoredTrade]
      switch piece.order {
      case .byNumber(let after, let status):
        found = try database.rows(
          Statements.tradesByNumber,
          [
            .integer(after.value), .integer(piece.through.value), .text(piece.bot?.description),
            since, .text(status?.rawValue), .integer(Int64(piece.count)),
          ], TradeRow.read)
      case .inTime(let after):
        found = try database.rows(
          Statements.tradesInTime,
          [
            .text(piece.bot?.description), .integer(after?.effectiveAt.microseconds ?? 0),
            .integer(after?.id.value ?? 0), .integer(piece.through.value), since,
            .integer(Int64(piece.count)),
          ], TradeRow.read)
      }
      return found.map { $0.seen(at: now) }
    }
  }
}
