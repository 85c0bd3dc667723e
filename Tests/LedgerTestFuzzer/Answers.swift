import TradeLedger

/// All that the library says about one file.
struct Answers {
  enum Question: String, CaseIterable {
    case open, status, trades, audit, fill
    case ready, waiting, busy, doubted, conflicted
    /// A reader's open, status, trades and audit.
    case readerOpen, readerStatus, readerTrades, readerAudit
  }

  var answers: [Question: String] = [:]
  var errors: [Question: LedgerError.Code] = [:]
  /// The main file was changed although it was refused.
  var isChangedThoughRefused = false

  /// Looks, then asks for every bot, then settles.
  static func of(_ path: String, _ clock: SteppedClock) async -> Answers {
    var result = Answers()
    let before = Files.read(path)
    await result.look(
      path, clock, .readOnly, [.readerOpen, .readerStatus, .readerTrades, .readerAudit])
    if result.errors[.readerOpen] != nil, Files.read(path) != before {
      result.isChangedThoughRefused = true
    }
    await result.look(path, clock, .readWrite, [.open, .status, .trades, .audit])
    if result.errors[.open] != nil, Files.read(path) != before {
      result.isChangedThoughRefused = true
    }
    return result
  }

  private mutating func look(
    _ path: String, _ clock: SteppedClock, _ access: Ledger.Options.Access, _ names: [Question]
  ) async {
    var options = Ledger.Options()
    options.clock = clock
    options.access = access
    options.lockWait = .seconds(2)
    let ledger: Ledger
    do throws(LedgerError) {
      ledger = try await Ledger.open(path, options: options)
      answers[names[0]] = ledger.mode.rawValue
    } catch {
      errors[names[0]] = error.code
      return
    }
    await ask(names[1]) { () throws(LedgerError) in
      let status = try await ledger.status()
      return "\(status.trades) \(status.conflicts) \(status.bots)"
    }
    await ask(names[2]) { () throws(LedgerError) in
      let page = try await ledger.trades()
      return "\(page.total) \(page.trades)"
    }
    await ask(names[3]) { () throws(LedgerError) in "\(try await ledger.audit())" }
    if access == .readWrite { await trade(ledger) }
    await ledger.close()
  }

  private mutating func trade(_ ledger: Ledger) async {
    for bot in GoodLedger.bots {
      guard let question = Question(rawValue: bot) else { fatalError("no question for \(bot)") }
      await ask(question) { () throws(LedgerError) in
        let outcome = try await ledger.reserve(
          try GoodLedger.order(bot), key: OrderKey("asked-\(bot)"),
          token: PermitToken(GoodLedger.token))
        return "\(outcome)"
      }
    }
    await ask(.fill) { () throws(LedgerError) in
      let open = try await ledger.trades(TradeQuery(bot: BotName("busy"), status: .pending))
      guard let trade = open.trades.first else { return "nothing is pending" }
      return "\(try await ledger.fill(trade.id, token: PermitToken(GoodLedger.token)))"
    }
  }

  private mutating func ask(
    _ question: Question, _ body: () async throws(LedgerError) -> String
  ) async {
    do throws(LedgerError) { answers[question] = try await body() } catch {
      errors[question] = error.code
    }
  }
}
