#if PostgreSQL
  internal import PostgreSQL

  extension PostgreSQLEngine {
    /// Rows that are asked for at a time.
    private static let pieceSize = 10_000

    func review(
      _ facts: [PastFact], newBots: Duration?, wait: WaitLimit
    ) throws(LedgerError) -> PastFactReview {
      var found: [OrderKey: Trade] = [:]
      for start in stride(from: 0, to: facts.count, by: PostgreSQLEngine.pieceSize) {
        let piece = facts[start..<min(start + PostgreSQLEngine.pieceSize, facts.count)]
        let answer = try read(
          wait: wait, patience: PostgreSQLEngine.patience(facts), ServerStatements.tradesByKeys,
          [PostgreSQLEngine.keys(Array(piece))])
        for row in answer.rows {
          if let trade = try row.trade(0)?.trade { found[trade.key] = trade }
        }
      }
      return try FactReview.make(
        facts, standings: facts.map { FactReview.standing(of: $0, found[$0.key]) },
        newBots: newBots,
        settings: { (bot) throws(LedgerError) in
          try read([botQuery(bot)], wait: wait)[0].rows.first
            .map { row throws(LedgerError) in try row.bot(0).settings }
        },
        counted: { (bot, add) throws(LedgerError) in
          try forEachCounted(bot, wait: wait, add)
        })
    }

    /// Many rows take longer than one.
    private static func patience(_ facts: [PastFact]) -> Duration {
      ServerSession.patience + .milliseconds(facts.count)
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
      let newBots = JSONElements.array(
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
      let elements = JSONElements.array(
        facts.map { fact in
          let order = fact.order
          return JSONElements.object([
            ("bot", .text(order.bot.description)), ("key", .text(fact.key.description)),
            ("side", .text(order.side.rawValue)), ("symbol", .text(order.symbol.description)),
            ("quantity", .text(order.quantity.description)),
            ("price", .text(order.price?.description)), ("at_us", .integer(fact.at.microseconds)),
          ])
        })
      try checkUsable(forWriting: true)
      // Should the answer be lost: what is there by then and was not before, this call has entered.
      let patience = PostgreSQLEngine.patience(facts)
      let known = try read(
        wait: wait, patience: patience, ServerStatements.knownKeys, [PostgreSQLEngine.keys(facts)])
      var refused: LedgerError?
      let (answer, isRepeated) = try session.attempt(
        wait: wait, isWriting: true, patience: patience
      ) { (connection, time) throws(PostgreSQLError) -> Answer? in
        do throws(PostgreSQLError) {
          return try connection.run(
            Query(
              ServerStatements.enter,
              [newBots, elements, "\(setup.pid)", TradingCall.milliseconds(time.lock), now]),
            wait: time.answer)
        } catch {
          guard error.sqlState == "TL002" else { throw error }
          refused = refusal(error)
          return nil
        }
      }
      if let refused { throw refused }
      guard let answer else { throw .bug("facts without an answer") }
      return isRepeated
        ? Set(facts.map(\.key)).count - Int(try known.first().integer(0))
        : Int(try answer.first().integer(0))
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
