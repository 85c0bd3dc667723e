#if PostgreSQL
  internal import PostgreSQL

  extension PostgreSQLEngine {
    /// Rows that are asked for, or given, at a time: a text of JSON has its limits.
    private static let pieceSize = 2000

    /// At least one.
    private static func pieces(_ facts: [PastFact]) -> [[PastFact]] {
      stride(from: 0, to: max(1, facts.count), by: pieceSize).map { start in
        Array(facts[start..<min(start + pieceSize, facts.count)])
      }
    }

    func review(
      _ facts: [PastFact], newBots: Duration?, wait: WaitLimit
    ) throws(LedgerError) -> PastFactReview {
      let patience = ServerSession.patienceForAll
      var found: [OrderKey: Trade] = [:]
      for piece in PostgreSQLEngine.pieces(facts) {
        let answer = try read(
          wait: wait, patience: patience, ServerStatements.tradesByKeys,
          [PostgreSQLEngine.keys(piece)])
        for row in answer.rows {
          if let trade = try row.trade(0)?.trade { found[trade.key] = trade }
        }
      }
      return try FactReview.make(
        facts, standings: facts.map { FactReview.standing(of: $0, found[$0.key]) },
        newBots: newBots,
        settings: { (bot) throws(LedgerError) in
          try read([botQuery(bot)], wait: wait, patience: patience)[0].rows.first
            .map { row throws(LedgerError) in try row.bot(0).settings }
        },
        counted: { (bot, add) throws(LedgerError) in
          try forEachCounted(bot, wait: wait, add)
        })
    }

    private static func keys(_ facts: [PastFact]) -> String {
      JSONElements.array(facts.map { JSONElements.quoted($0.key.description) })
    }

    private func forEachCounted(
      _ bot: BotName, wait: WaitLimit, _ add: (CloseNeighbours.Candidate) -> Void
    ) throws(LedgerError) {
      var after = (at: Int64.min, id: Int64(0))
      while true {
        let answer = try read(
          wait: wait, patience: ServerSession.patienceForAll, ServerStatements.countedInTime,
          [bot.description, "\(after.at)", "\(after.id)", "\(PostgreSQLEngine.pieceSize)"])
        for row in answer.rows {
          after = (try row.integer(1), try row.integer(0))
          add(
            CloseNeighbours.Candidate(
              who: .trade(TradeID(after.id)), at: after.at, cooldown: try row.integer(2)))
        }
        if answer.rowCount < PostgreSQLEngine.pieceSize { return }
      }
    }

    func enter(
      _ facts: [PastFact], addingBots bots: [Bot], wait: WaitLimit
    ) throws(LedgerError) -> Int {
      try checkUsable(forWriting: true)
      // Many rows take longer than one.
      let patience = ServerSession.patience + .milliseconds(facts.count)
      let pieces = PostgreSQLEngine.pieces(facts)
      // Should the answer be lost: what is there by then and was not before, this call has entered.
      let known = try read(
        pieces.map { Query(ServerStatements.knownKeys, [PostgreSQLEngine.keys($0)]) }, wait: wait,
        patience: patience)
      let newBots = PostgreSQLEngine.elements(bots)
      let texts = pieces.map { PostgreSQLEngine.elements($0) }
      var refused: LedgerError?
      let (answers, isRepeated) = try session.attempt(
        wait: wait, isWriting: true, patience: patience
      ) { (connection, time) throws(PostgreSQLError) -> [Answer] in
        let queries = texts.enumerated().map { number, text in
          Query(
            ServerStatements.enter,
            [
              number == 0 ? newBots : "[]", text, "\(setup.pid)",
              TradingCall.milliseconds(time.lock), now,
            ])
        }
        do throws(PostgreSQLError) {
          return try connection.run(together: queries, wait: time.answer)
        } catch {
          guard error.sqlState == "TL002" else { throw error }
          refused = refusal(error)
          return []
        }
      }
      if let refused { throw refused }
      return isRepeated
        ? Set(facts.map(\.key)).count - (try PostgreSQLEngine.sum(known))
        : try PostgreSQLEngine.sum(answers)
    }

    private static func sum(_ answers: [Answer]) throws(LedgerError) -> Int {
      var sum = 0
      for answer in answers { sum += Int(try answer.first().integer(0)) }
      return sum
    }

    private static func elements(_ bots: [Bot]) -> String {
      JSONElements.array(
        bots.map { bot in
          let settings = bot.settings
          return JSONElements.object([
            ("bot", .text(bot.name.description)),
            ("cooldown_us", .integer(settings.cooldown.wholeMicroseconds)),
            ("lease_us", .integer(settings.lease.wholeMicroseconds)),
            ("in_doubt", .text(settings.inDoubt.rawValue)),
            ("enabled", .integer(settings.isEnabled ? 1 : 0)),
          ])
        })
    }

    private static func elements(_ facts: [PastFact]) -> String {
      JSONElements.array(
        facts.map { fact in
          let order = fact.order
          return JSONElements.object([
            ("bot", .text(order.bot.description)), ("key", .text(fact.key.description)),
            ("side", .text(order.side.rawValue)), ("symbol", .text(order.symbol.description)),
            ("quantity", .text(order.quantity.description)),
            ("price", .text(order.price?.description)), ("at_us", .integer(fact.at.microseconds)),
          ])
        })
    }

    private func refusal(_ error: PostgreSQLError) -> LedgerError {
      let key = error.hint ?? ""
      switch error.detail {
      case "no_such_bot":
        return LedgerError(
          .noSuchBot, "no bot for the fact with key \(quoted(key)) in \(quoted(path))",
          hint: "add it first: tradeledger bot add NAME --cooldown 15m")
      case "invalid_input":
        return LedgerError(
          .invalidInput, "the fact with key \(quoted(key)) is not of the past",
          hint: "record what has happened, with the time at which it did")
      default: return .factConflict(key, error.detail ?? "?")
      }
    }

    func lastTrade(wait: WaitLimit) throws(LedgerError) -> TradeID {
      TradeID(try read(wait: wait, ServerStatements.lastTradeID).first().integer(0))
    }

    func trades(_ piece: TradePiece, wait: WaitLimit) throws(LedgerError) -> [Trade] {
      let since = "\(piece.since?.microseconds ?? 0)"
      let query: Query
      switch piece.order {
      case .byNumber(let after, let status):
        query = Query(
          ServerStatements.tradesByNumber,
          [
            "\(after)", "\(piece.through)", piece.bot?.description, since, status?.rawValue,
            "\(piece.count)",
          ])
      case .inTime(let after):
        query = Query(
          ServerStatements.tradesInTime,
          [
            piece.bot?.description, "\(after?.effectiveAt.microseconds ?? 0)",
            "\(after?.id.value ?? 0)", "\(piece.through)", since, "\(piece.count)",
          ])
      }
      let answers = try read(
        [Query(ServerStatements.serverNow, [now]), botQuery(piece.bot), query], wait: wait)
      try expectBot(piece.bot, answers[1])
      return try trades(answers[2], try PostgreSQLEngine.clock(answers[0]))
    }
  }
#endif
