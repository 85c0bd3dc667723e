#if PostgreSQL
  internal import PostgreSQL

  #if canImport(Glibc)
    internal import Glibc
  #else
    internal import Darwin
  #endif

  /// The ledger on a PostgreSQL server.
  ///
  /// An actor on a thread of its own, with one connection; reserves, records and settlements that
  /// come together get more of both. Each operation is one call of a function of
  /// `schema.postgres.sql`, in a transaction of its own: the lock of the bot, the server's clock,
  /// the decision, the row, COMMIT.
  actor PostgreSQLEngine: LedgerEngine {
    nonisolated let mode: LedgerMode
    /// The URL without its password.
    nonisolated let path: String
    nonisolated let thread: LedgerThread
    nonisolated var executor: any TaskExecutor { thread }
    nonisolated let setup: LaneSetup
    nonisolated let desk: TradingDesk
    let session: ServerSession
    nonisolated let options: Ledger.Options
    nonisolated let names: ServerNames
    nonisolated var unownedExecutor: UnownedSerialExecutor {
      unsafe thread.asUnownedSerialExecutor()
    }

    init(
      thread: LedgerThread, mode: LedgerMode, session: sending ServerSession,
      counter: StatementCounter, options: Ledger.Options
    ) {
      let address = session.address
      let setup = LaneSetup(
        server: address.name, clock: options.clock, pid: getpid(), counter: counter,
        opened: session.opened)
      self.thread = thread
      self.mode = mode
      self.session = session
      self.options = options
      self.setup = setup
      path = address.name
      names = ServerNames(address, setup)
      desk = TradingDesk(
        batchLimit: options.batchLimit, laneLimit: options.connectionLimit,
        // A program that asks one thing after the other needs no other thread and connection.
        usesFirst: options.thread != nil || options.connectionLimit <= 1,
        makeLane: { ServerLane(address, setup) })
    }

    func close() {
      desk.close()
      session.disconnect()
      Task { [names] in await names.close() }
    }

    func work() -> WorkDone { WorkDone(statements: setup.counter.value, syncs: 0) }

    nonisolated func checkUsable(forWriting: Bool) throws(LedgerError) {
      if desk.isClosed { throw .closed }
      if forWriting && options.access == .readOnly { throw .openedForReading }
    }

    /// What a function takes for the clock.
    nonisolated var now: String? { setup.givenTime.map { String($0) } }

    /// One statement that writes, or may.
    func write(
      wait: WaitLimit, _ sql: String, _ values: @escaping (_ wait: String) -> [String?]
    ) throws(LedgerError) -> ServerSession.Reply {
      try checkUsable(forWriting: true)
      return try session.ask(wait: wait, isWriting: true) { remaining in
        Query(sql, values(TradingCall.milliseconds(remaining)))
      }
    }

    /// Statements that read, in one snapshot.
    func read(
      _ queries: [Query], wait: WaitLimit, patience: Duration = ServerSession.patience
    ) throws(LedgerError) -> [Answer] {
      try checkUsable(forWriting: false)
      return try session.read(queries, wait: wait, patience: patience)
    }

    func read(
      wait: WaitLimit, patience: Duration = ServerSession.patience, _ sql: String,
      _ values: [String?] = []
    ) throws(LedgerError) -> Answer {
      try read([Query(sql, values)], wait: wait, patience: patience)[0]
    }

    /// What stands in the database itself, and the answer of `copy` for its reasons.
    func copy(into target: LedgerFile, wait: WaitLimit) throws(LedgerError) -> LedgerCopy {
      throw LedgerError(
        .configuration, "\(quoted(path)) is backed up by the tools of its server",
        hint:
          "use pg_dump, or pg_basebackup with archived logs; tradeledger copy makes a file of it")
    }
  }

  // MARK: - Trading

  extension PostgreSQLEngine: TradingLane {
    nonisolated var laneThread: LedgerThread { thread }

    func serve(_ desk: TradingDesk, lane: Int) {
      LaneWork(session: session, setup: setup).serve(desk, lane: lane)
    }

    nonisolated func submit(
      _ request: WriteRequest, wait limit: WaitLimit
    ) async throws(LedgerError) -> WriteAnswer {
      // Not on the engine's thread: a long answer there keeps no trade waiting.
      try checkUsable(forWriting: true)
      return try await withCheckedContinuation { reply in
        desk.add(request, limit, reply, first: self)
      }.get()
    }

    /// The lease is looked at on this machine's boot clock, which the permit was given on; the
    /// server is asked only whether the epoch is still the current one.
    func isLive(_ permit: Permit, wait: WaitLimit) throws(LedgerError) -> Bool {
      try checkUsable(forWriting: false)
      let lease = Lease(until: permit.validUntil, bootUntil: permit.bootValidUntil)
      guard lease.maySend(at: options.clock.now()) else { return false }
      guard permit.instance != nil else { return true }
      let answer = try read(
        wait: wait, ServerStatements.isLive,
        [permit.trade.description, permit.token.description, now])
      // The answer may have taken a while.
      return try answer.first().flag(0) && lease.maySend(at: options.clock.now())
    }

    func check(_ bot: BotName, wait: WaitLimit) throws(LedgerError) -> CheckOutcome {
      let answer = try read(wait: wait, ServerStatements.check, [bot.description, now])
      return try checked(bot, ServerAnswer(try answer.first()))
    }

    func checked(_ bot: BotName, _ said: ServerAnswer) throws(LedgerError) -> CheckOutcome {
      switch said.outcome {
      case "admissible": .admissible
      case "error": throw .noSuchBot(bot, path)
      default: .denied(try said.denial())
      }
    }
  }

  // MARK: - Bots

  extension PostgreSQLEngine {
    func addBot(_ bot: Bot, wait: WaitLimit) throws(LedgerError) -> AddBotOutcome {
      // Should the answer be lost: what is there by then and was not before, this call has added.
      let wasThere = try read([botQuery(bot.name)], wait: wait)[0].rowCount > 0
      let values = PostgreSQLEngine.values(of: bot)
      let reply = try write(wait: wait, ServerStatements.addBot) { [now] in values + [$0, now] }
      let row = try reply.answer.first()
      let found = try row.bot(1)
      switch try row.text(0) {
      case "added": return .added(found)
      case "same": return reply.isRepeated && !wasThere ? .added(found) : .same(found)
      default: return .differs(found)
      }
    }

    func changeBot(
      _ name: BotName, _ change: BotChange, wait: WaitLimit
    ) throws(LedgerError) -> Bot {
      // Says what is out of range in the words of the library, whatever the bot has now.
      let stored = try read(wait: wait, ServerStatements.bot, [name.description])
      guard stored.rowCount > 0 else { throw .noSuchBot(name, path) }
      _ = try change.applied(to: try stored.first().bot(0).settings)
      let values = [
        name.description, change.cooldown.map { "\($0.roundedToMicroseconds.wholeMicroseconds)" },
        change.lease.map { "\($0.roundedToMicroseconds.wholeMicroseconds)" },
        change.inDoubt?.rawValue, change.isEnabled.map { $0 ? "1" : "0" },
      ]
      let reply = try write(wait: wait, ServerStatements.changeBot) { [now] in values + [$0, now] }
      return try reply.answer.first().bot(1)
    }

    static func values(of bot: Bot) -> [String?] {
      let settings = bot.settings
      return [
        bot.name.description, "\(settings.cooldown.wholeMicroseconds)",
        "\(settings.lease.wholeMicroseconds)", settings.inDoubt.rawValue,
        settings.isEnabled ? "1" : "0",
      ]
    }
  }
#endif
