#if PostgreSQL
  internal import PostgreSQL

  extension PostgreSQLEngine {
    /// The server's clock as a reading without a boot clock, from the first column of `row`.
    static func clock(_ answer: Answer) throws(LedgerError) -> ClockReading {
      ClockReading(wall: try answer.first().instant(0), boot: nil)
    }

    private var nowQuery: Query { Query(ServerStatements.serverNow, [now]) }

    /// - Throws: `noSuchBot` where `bot` is given and `answer` has no row.
    func expectBot(_ bot: BotName?, _ answer: Answer) throws(LedgerError) {
      if let bot, answer.rowCount == 0 { throw .noSuchBot(bot, path) }
    }

    func botQuery(_ bot: BotName?) -> Query {
      Query(ServerStatements.bot, [bot?.description])
    }

    func trades(_ answer: Answer, _ now: ClockReading) throws(LedgerError) -> [Trade] {
      var trades: [Trade] = []
      trades.reserveCapacity(answer.rowCount)
      for row in answer.rows {
        if let stored = try row.trade(0) { trades.append(stored.seen(at: now)) }
      }
      return trades
    }

    func status(_ bot: BotName?, wait: WaitLimit) throws(LedgerError) -> LedgerStatus {
      let answers = try read(
        [
          nowQuery, Query(ServerStatements.status, [bot?.description, now]),
          Query(ServerStatements.unsettled, [bot?.description]),
          Query(ServerStatements.countTrades), Query(ServerStatements.countConflicts),
        ], wait: wait)
      let clock = try PostgreSQLEngine.clock(answers[0])
      try expectBot(bot, answers[1])
      let open = Dictionary(grouping: try trades(answers[2], clock), by: \.bot)
      var statuses: [BotStatus] = []
      for row in answers[1].rows {
        let bot = try row.bot(0)
        let own = open[bot.name] ?? []
        statuses.append(
          BotStatus(
            bot: bot, check: try checked(bot.name, ServerAnswer(row, first: 6)),
            pending: own.first { $0.status == .pending },
            inDoubt: own.filter { $0.status == .inDoubt }, lastTradeAt: row.optionalInstant(5)))
      }
      return LedgerStatus(
        mode: mode, path: path, readAt: clock.wall, bots: statuses,
        trades: Int(try answers[3].first().integer(0)),
        conflicts: Int(try answers[4].first().integer(0)), walBytes: 0,
        sqliteVersion: Ledger.sqliteVersion, serverVersion: session.server?.text)
    }

    func trades(_ query: TradeQuery, wait: WaitLimit) throws(LedgerError) -> TradePage {
      let filter = [
        query.bot?.description, query.status?.rawValue, "\(query.since?.microseconds ?? 0)",
        "\(query.before?.value ?? .max)",
      ]
      // Whether an unsettled trade is in doubt depends on the clock; there are few of them.
      let isUnsettled = query.status == .pending || query.status == .inDoubt
      let limit = isUnsettled ? nil : query.limit.map { String($0) }
      let answers = try read(
        [
          nowQuery, botQuery(query.bot), Query(ServerStatements.trades, filter + [limit]),
          Query(ServerStatements.tradesTotal, filter),
        ], wait: wait)
      try expectBot(query.bot, answers[1])
      let found = try trades(answers[2], try PostgreSQLEngine.clock(answers[0]))
      guard isUnsettled else {
        return TradePage(trades: found, total: Int(try answers[3].first().integer(0)))
      }
      let matching = found.filter { $0.status == query.status }
      return TradePage(
        trades: query.limit.map { Array(matching.prefix($0)) } ?? matching, total: matching.count)
    }

    func trade(_ reference: TradeReference, wait: WaitLimit) throws(LedgerError) -> Trade {
      let query =
        switch reference {
        case .id(let id): Query(ServerStatements.tradeByID, [id.description])
        case .key(let key): Query(ServerStatements.tradeByKey, [key.description])
        }
      let answers = try read([nowQuery, query], wait: wait)
      let found = try trades(answers[1], try PostgreSQLEngine.clock(answers[0])).first
      guard let found else { throw .noSuchTrade(reference, path) }
      return found
    }

    func audit(_ query: TradeQuery, wait: WaitLimit) throws(LedgerError) -> AuditReport {
      let range = [query.bot?.description, "\(query.since?.microseconds ?? 0)"]
      let answers = try read(
        [
          botQuery(query.bot), Query(ServerStatements.auditedRange, range),
          Query(ServerStatements.findings, range + [now]),
          Query(ServerStatements.conflictFindings, range),
          Query(ServerStatements.supersededFindings, range),
        ], wait: wait, patience: ServerSession.patienceForAll)
      try expectBot(query.bot, answers[0])
      let examined = try answers[1].first()
      var findings = try PostgreSQLEngine.findings(answers[2]).inOrder
      findings += try answers[3].rows.map { row throws(LedgerError) in
        var conflict = try PostgreSQLEngine.finding(row)
        conflict.filledQuantity = row.optionalText(10).map { Amount(stored: $0) }
        conflict.filledPrice = row.optionalText(11).map { Amount(stored: $0) }
        return conflict
      }
      findings += try PostgreSQLEngine.findings(answers[4])
      return AuditReport(
        examined: Int(try examined.integer(0)), from: examined.optionalInstant(1),
        to: examined.optionalInstant(2), findings: findings)
    }

    private static func findings(_ answer: Answer) throws(LedgerError) -> [AuditFinding] {
      try answer.rows.map { row throws(LedgerError) in try finding(row) }
    }

    private static func finding(_ row: ServerRow) throws(LedgerError) -> AuditFinding {
      AuditFinding(
        check: try row.word(0), bot: try row.text(1),
        trades: [row.optionalInteger(2), try row.integer(3)].compactMap { $0 },
        gap: row.optionalInterval(4), cooldown: row.optionalInterval(5), at: try row.instant(6),
        pids: [row.optionalInteger(7), row.optionalInteger(8)]
          .compactMap { $0.map { Int32(truncatingIfNeeded: $0) } },
        involvesPast: row.optionalText(9) == "t")
    }

    func figures(wait: WaitLimit) throws(LedgerError) -> LedgerFigures {
      let answers = try read(
        [
          Query(ServerStatements.tradesByStatus), Query(ServerStatements.conflictsByBot),
          Query(ServerStatements.doubleTradesByBot), Query(ServerStatements.lastRestore),
          Query(ServerStatements.databaseBytes),
        ], wait: wait, patience: ServerSession.patienceForAll)
      var trades: [BotName: [TradeStatus: Int]] = [:]
      for row in answers[0].rows {
        trades[BotName(stored: try row.text(0)), default: [:]][try row.word(1)] =
          Int(try row.integer(2))
      }
      return LedgerFigures(
        trades: trades, conflicts: try PostgreSQLEngine.byBot(answers[1]),
        doubleTrades: try PostgreSQLEngine.byBot(answers[2]),
        restoredAt: try answers[3].first().optionalInstant(0),
        bytes: try answers[4].first().integer(0), freeBytes: nil,
        layout: Int(PostgreSQLEngine.layout))
    }

    private static func byBot(_ answer: Answer) throws(LedgerError) -> [BotName: Int] {
      var counts: [BotName: Int] = [:]
      for row in answer.rows {
        counts[BotName(stored: try row.text(0))] = Int(try row.integer(1))
      }
      return counts
    }

    func diagnosis(wait: WaitLimit) throws(LedgerError) -> Diagnosis {
      let before = options.clock.now().wall
      let answers = try read(
        [nowQuery, Query(ServerStatements.server), Query(ServerStatements.newestTrade)], wait: wait)
      let after = options.clock.now().wall
      let row = try answers[1].first()
      let clock = try PostgreSQLEngine.clock(answers[0])
      let newest = answers[2].rows.first
      let server = ServerDiagnosis(
        version: session.server?.text ?? "", encryption: session.server?.encryption,
        role: try row.text(5), isOwner: try row.flag(7), isStandby: try row.flag(4),
        keepsAnswers: row.optionalText(0) == "on" && row.optionalText(1) == "on",
        synchronousCommit: try row.text(2), synchronousStandbys: try row.text(3),
        isolation: try row.text(6),
        // Whatever the way there and back took, the server's clock was read in between.
        clockAhead: max(
          .zero, clock.wall.elapsed(since: after)),
        clockBehind: max(.zero, before.elapsed(since: clock.wall)))
      return Diagnosis(
        path: path, mode: mode, fileSystem: "", sqliteVersion: Ledger.sqliteVersion, walBytes: 0,
        integrity: "ok", lockHolders: [], schemaVersion: Int(PostgreSQLEngine.layout),
        clock: clock,
        newestTrade: try newest.map { row throws(LedgerError) in
          ClockReading(wall: try row.instant(0), boot: nil)
        }, server: server)
    }
  }
#endif
