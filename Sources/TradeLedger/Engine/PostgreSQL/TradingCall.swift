#if PostgreSQL
  internal import PostgreSQL

  /// An attempt or a settlement as the server's functions take it, and their answer as the library
  /// gives it.
  struct TradingCall {
    let request: WriteRequest
    let server: String
    /// The clock of a simulation; nil: the server's.
    let now: Int64?
    /// This machine's boot clock, before anything was sent: the lease cannot have begun earlier.
    let bootAtStart: BootInstant?
    let pid: Int32

    // MARK: Asking

    /// Alone, in a statement of its own.
    func query(wait: Duration) -> Query {
      let limits = [TradingCall.milliseconds(wait), now.map { String($0) }]
      switch request {
      case .attempt(let attempt):
        let values = fields(of: attempt).map { $0.value.text }
        return Query(ServerStatements.attempt, values + limits)
      case .settlement(let settlement):
        let isOperator = settlement.isByOperator
        let values = fields(of: settlement).filter { !isOperator || $0.name != "token" }
          .map { $0.value.text }
        return Query(
          isOperator ? ServerStatements.resolve : ServerStatements.settle, values + limits)
      }
    }

    /// As one of several. (An operator's settlement is none.)
    var element: String {
      switch request {
      case .attempt(let attempt):
        JSONElements.object([("do", .text("attempt"))] + fields(of: attempt))
      case .settlement(let settlement):
        JSONElements.object([("do", .text("settle"))] + fields(of: settlement))
      }
    }

    static func milliseconds(_ wait: Duration) -> String {
      // Zero would mean for ever, or as the server is set.
      String(Int64(max(1, min(wait / .milliseconds(1), 86_400_000)).rounded(.up)))
    }

    /// In the order of the function's parameters.
    private func fields(of attempt: Attempt) -> [(name: String, value: JSONElements.Value)] {
      let order = attempt.order
      var token: PermitToken?
      var fill: Fill?
      var at: Timestamp?
      let kind: String
      switch attempt.kind {
      case .reserve(let given): (kind, token) = ("reserve", given)
      case .record(let given): (kind, fill, at) = ("record", given, given.at)
      case .past(let given, let time): (kind, fill, at) = ("past", given, time)
      }
      return [
        ("kind", .text(kind)), ("bot", .text(order.bot.description)),
        ("key", .text(attempt.key.description)), ("side", .text(order.side.rawValue)),
        ("symbol", .text(order.symbol.description)),
        ("quantity", .text(order.quantity.description)),
        ("price", .text(order.price?.description)), ("token", .text(token?.description)),
        ("pid", .integer(Int64(pid))), ("instance", .text(attempt.instance?.name.description)),
        ("epoch", .integer(attempt.instance?.epoch.value)),
        ("fill_quantity", .text(fill?.quantity?.description)),
        ("fill_price", .text(fill?.price?.description)),
        ("at_us", .integer(at?.microseconds)),
      ]
    }

    private func fields(of settlement: Settlement) -> [(name: String, value: JSONElements.Value)] {
      var id: Int64?
      var key: String?
      switch settlement.trade {
      case .id(let trade): id = trade.value
      case .key(let given): key = given.description
      }
      var token: String?
      if case .token(let given) = settlement.authority { token = given.description }
      var fill: Fill?
      if case .filled(let given) = settlement.outcome { fill = given }
      return [
        ("trade_id", .integer(id)), ("key", .text(key)),
        ("outcome", .text((fill == nil ? TradeStatus.void : .filled).rawValue)),
        ("token", .text(token)), ("fill_quantity", .text(fill?.quantity?.description)),
        ("fill_price", .text(fill?.price?.description)),
        ("at_us", .integer(fill?.at?.microseconds)), ("reason", .text(settlement.reason)),
      ]
    }

    // MARK: The answer

    /// - Parameter isRepeated: it was asked before and that answer was lost, so that what is
    ///   replayed now may be what was done then.
    func answer(_ row: ServerRow, isRepeated: Bool) -> Result<WriteAnswer, LedgerError> {
      do throws(LedgerError) {
        let said = ServerAnswer(row)
        if let error = try said.error(request, server) { return .failure(error) }
        switch request {
        case .attempt(let attempt):
          return .success(.attempt(try outcome(said, of: attempt, isRepeated)))
        case .settlement: return .success(.settlement(SettledWrite(outcome: try settled(said))))
        }
      } catch { return .failure(error) }
    }

    private func outcome(
      _ said: ServerAnswer, of attempt: Attempt, _ isRepeated: Bool
    ) throws(LedgerError) -> AttemptOutcome {
      switch said.outcome {
      case "admitted", "replayed":
        let stored = try said.trade()
        let permit = try said.hasPermit ? permit(of: stored, now: said.now()) : nil
        // What nobody but this call can have asked for was done by its first try.
        let isOwn = isRepeated && (attempt.hasNewKey || permit != nil && attempt.hasNewToken)
        return said.outcome == "admitted" || isOwn
          ? .admitted(stored.trade, permit) : .replayed(stored.trade, permit)
      default:
        let denial = try said.denial()
        // A first try whose answer was lost may still be on its way, in the queue of a pooler for
        // example, and be admitted later than this one was denied.
        if isRepeated && denial.reason != .keyConflict {
          throw LedgerError(deniedAfterLostTry: denial.reason, server: server)
        }
        return .denied(denial)
      }
    }

    /// The lease on this machine's boot clock ends when the server's does, or a little before: it
    /// is counted from before the question.
    private func permit(
      of stored: StoredTrade, now: Timestamp
    ) throws(LedgerError) -> Permit? {
      guard let token = stored.token, let until = stored.trade.leaseUntil else { return nil }
      let trade = stored.trade
      return Permit(
        trade: trade.id, bot: trade.bot, key: trade.key, token: token, validUntil: until,
        instance: trade.instance,
        bootValidUntil: bootAtStart?.advanced(by: until.elapsed(since: now)))
    }

    private func settled(_ said: ServerAnswer) throws(LedgerError) -> SettleOutcome {
      switch said.outcome {
      case "settled": .settled(try said.trade().trade)
      case "replayed": .replayed(try said.trade().trade)
      default: .denied(try said.denial())
      }
    }
  }

  extension JSONElements.Value {
    /// As the value of a parameter.
    var text: String? {
      switch self {
      case .text(let text): text
      case .integer(let integer): integer.map { String($0) }
      }
    }
  }

  extension Settlement {
    var isByOperator: Bool {
      if case .operator = authority { return true }
      return false
    }
  }

  /// A row of the server's type `answer`.
  struct ServerAnswer {
    private let row: ServerRow
    private let first: Int

    init(_ row: ServerRow, first: Int = 0) {
      self.row = row
      self.first = first
    }

    var outcome: String { row.optionalText(first) ?? "" }
    var hasPermit: Bool { row.optionalText(first + 3) == "t" }
    func now() throws(LedgerError) -> Timestamp { try row.instant(first + 10) }

    func trade() throws(LedgerError) -> StoredTrade {
      guard let trade = try row.trade(first + 11) else {
        throw .bug("an answer without its trade: \(quoted(outcome))")
      }
      return trade
    }

    func denial() throws(LedgerError) -> Denial {
      guard outcome == "denied" else { throw .bug("not an answer: \(quoted(outcome))") }
      let reason: Denial.Reason = try row.word(first + 1)
      let winner = try row.trade(first + 11)?.trade
      var instance: InstanceClaim?
      if let name = row.optionalText(first + 8), let epoch = row.optionalInteger(first + 9) {
        instance = InstanceClaim(name: InstanceName(stored: name), epoch: Epoch(epoch))
      }
      let pid = row.optionalInteger(first + 7).map { Int32(truncatingIfNeeded: $0) }
      let hasHolder = reason == .inProgress || instance != nil
      var denial = Denial(
        reason, winner: winner,
        holder: hasHolder ? Denial.Holder(pid: pid, instance: instance) : nil,
        retryAfter: row.optionalInterval(first + 4), clockBehind: row.optionalInterval(first + 5))
      denial.restoredAt = row.optionalInstant(first + 6)
      return denial
    }

    /// What the server says is wrong with the question.
    func error(_ request: WriteRequest, _ server: String) throws(LedgerError) -> LedgerError? {
      guard outcome == "error" else { return nil }
      let reason = row.optionalText(first + 1) ?? ""
      let detail = row.optionalText(first + 2) ?? reason
      switch (reason, request) {
      case ("no_such_bot", .attempt(let attempt)): return .noSuchBot(attempt.order.bot, server)
      case ("no_such_trade", .settlement(let settlement)):
        return .noSuchTrade(settlement.trade, server)
      case ("invalid_input", .attempt(let attempt)):
        return LedgerError(
          .invalidInput, "\(attempt.time.map { "\($0)" } ?? "the order"): \(escaped(detail))",
          hint: "record what has happened, with the time at which it did")
      default: return .bug("the server said \(quoted(reason)): \(escaped(detail))")
      }
    }
  }

  extension Attempt {
    fileprivate var time: Timestamp? {
      if case .past(_, let at) = kind { return at }
      return nil
    }
  }
#endif
