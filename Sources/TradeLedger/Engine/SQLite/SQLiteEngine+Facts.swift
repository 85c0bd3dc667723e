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
      var byBot: [BotName: [Int]] = [:]
      for index in facts.indices where standings[index] == .new {
        byBot[facts[index].order.bot, default: []].append(index)
      }
      var neighbours = CloseNeighbours()
      var missing: [BotName] = []
      for bot in byBot.keys.sorted(by: { $0.description < $1.description }) {
        let settings = try SQLiteEngine.bots(bot, database).first?.settings
        if settings == nil { missing.append(bot) }
        guard let cooldown = settings?.cooldown ?? newBots else { continue }
        let own = (byBot[bot] ?? []).sorted { facts[$0].at < facts[$1].at }.map { index in
          CloseNeighbours.Candidate(
            who: .fact(index), at: facts[index].at.microseconds,
            cooldown: cooldown.wholeMicroseconds)
        }
        try SQLiteEngine.compare(own, of: bot, database, &neighbours)
      }
      return PastFactReview(
        standings: standings, missingBots: missing, closePairCount: neighbours.count,
        closePairs: neighbours.first)
    }
  }

  private static func standing(
    of fact: PastFact, _ database: LedgerDatabase
  ) throws(LedgerError) -> PastFactReview.Standing {
    let key = Value.text(fact.key.description)
    guard let found = try database.first(Statements.tradeByKey, [key], TradeRow.read) else {
      return .new
    }
    return fact.isSaid(by: found.trade) ? .known : .conflict(found.trade.id)
  }

  /// Merges the new facts of a bot, which are sorted, with what the ledger has of it.
  private static func compare(
    _ own: [CloseNeighbours.Candidate], of bot: BotName, _ database: LedgerDatabase,
    _ neighbours: inout CloseNeighbours
  ) throws(LedgerError) {
    var merged = neighbours
    var next = own.startIndex
    merged.begin(bot)
    try database.forEachRow(Statements.countedInTime, [.text(bot.description)]) {
      row throws(SQLiteError) in
      let at = try row.integer(1)
      while next < own.endIndex, own[next].at < at {
        merged.add(own[next])
        next += 1
      }
      merged.add(
        CloseNeighbours.Candidate(
          who: .trade(TradeID(try row.integer(0))), at: at, cooldown: try row.integer(2)))
    }
    for candidate in own[next...] { merged.add(candidate) }
    neighbours = merged
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
      case .conflict(let trade): throw .factConflict(fact, trade)
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

extension LedgerError {
  fileprivate static func factConflict(_ fact: PastFact, _ trade: TradeID) -> LedgerError {
    LedgerError(
      .invalidInput,
      "key \(quoted(fact.key.description)) has just been given to trade \(trade), which says "
        + "something else",
      hint: "nothing of this transaction was written; look with `tradeledger trade show \(trade)`")
  }
}
