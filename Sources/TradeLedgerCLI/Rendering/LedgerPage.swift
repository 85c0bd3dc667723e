internal import LedgerReport
internal import TradeLedger

/// Turns a ledger into a page.
enum LedgerPage {
  /// How many trades are in memory at a time.
  private static let pageSize = 20_000

  /// Reads the trades page by page, newest first. What is admitted meanwhile is not in it.
  static func page(of ledger: Ledger, _ query: TradeQuery) async throws(LedgerError) -> String {
    var query = query
    query.limit = 1
    let newest = try await ledger.trades(query).trades.first
    let audit = try await ledger.audit(query)
    let status = try await ledger.status(query.bot)
    var builder = ReportBuilder(frame(status, audit, query))
    query.limit = pageSize
    query.before = newest.map { TradeID($0.id.value + 1) } ?? TradeID(0)
    while true {
      let trades = try await ledger.trades(query).trades
      for trade in trades {
        builder.add(ReportTrade(trade))
        if trade.origin == .reserve, let filledAt = trade.filledAt {
          builder.addLatency(filledAt.elapsed(since: trade.createdAt).wholeMicroseconds)
        }
      }
      guard trades.count == pageSize, let last = trades.last else { return builder.page() }
      query.before = last.id
    }
  }

  private static func frame(
    _ status: LedgerStatus, _ audit: AuditReport, _ query: TradeQuery
  ) -> ReportFrame {
    let start = audit.from ?? status.readAt
    let last = audit.to ?? status.readAt
    // Room for the last mark, and never a picture without width.
    let room = max(last.elapsed(since: start) / 30, .seconds(1))
    var frame = ReportFrame(
      title: "Trade ledger (\(status.mode.rawValue))", verdict: verdict(audit, status),
      range: start...last.advanced(by: room), latencyName: "From reservation to fill",
      more: "'tradeledger trades --all' and 'tradeledger audit' have everything")
    frame.facts = [
      .init("ledger", status.path), .init("as of", status.readAt.description),
      .init("trades", "\(audit.examined)"),
    ]
    if audit.examined > 0 {
      frame.facts += [.init("from", start.description), .init("to", last.description)]
    }
    if let bot = query.bot { frame.facts.append(.init("of the bot", bot.description)) }
    if let since = query.since { frame.facts.append(.init("since", since.description)) }
    frame.bots = status.bots.map { bot in
      let wait = bot.denial?.retryAfter.map { " \($0.readable)" } ?? ""
      return ReportBot(
        name: bot.bot.name.description, cooldown: bot.bot.settings.cooldown,
        state: bot.state + wait)
    }
    frame.doubles = audit.findings.compactMap(double)
    frame.findings = audit.findings.filter { $0.check != .doubleTrade }.map { finding in
      .init(
        check: finding.check.rawValue, bot: finding.bot, trades: finding.trades,
        detail: finding.sentence)
    }
    return frame
  }

  private static func verdict(
    _ audit: AuditReport, _ status: LedgerStatus
  ) -> ReportFrame.Verdict {
    guard audit.examined > 0 else {
      return .init(
        .noAnswer, "Nothing to show: there is no trade in this range",
        details: ["Nothing was examined. This is not a pass."])
    }
    let doubles = audit.findings.filter { $0.check == .doubleTrade }
    let others = audit.findings.count - doubles.count
    let trades = "\(counted(audit.examined, "trade")) of \(counted(status.bots.count, "bot"))"
    var details: [String] = []
    let past = doubles.count(where: \.involvesPast)
    if past > 0 {
      details.append(
        "Facts of the past, which were entered afterwards, are part of \(past) of them: "
          + "the ledger never had the chance to refuse them.")
    }
    if !doubles.isEmpty && others > 0 {
      details.append("There is more to look at: \(counted(others, "other finding")).")
    }
    switch (doubles.count, others) {
    case (0, 0):
      return .init(.holds, "No double trade in \(trades)", details: ["The audit found nothing."])
    case (0, _):
      return .init(
        .attention, "No double trade in \(trades), but \(counted(others, "other finding"))")
    default:
      return .init(
        .violated, "\(counted(doubles.count, "double trade")) in \(trades)", details: details)
    }
  }

  private static func double(_ finding: AuditFinding) -> DoubleTrade? {
    guard finding.check == .doubleTrade, finding.trades.count == 2 else { return nil }
    return DoubleTrade(
      bot: finding.bot, earlier: finding.trades[0], later: finding.trades[1], at: finding.at,
      gap: finding.gap ?? .zero, cooldown: finding.cooldown ?? .zero,
      pids: finding.pids.count == 2 ? finding.pids : [],
      remark: finding.involvesPast
        ? "Entered as a fact of the past: the ledger never had the chance to refuse it." : nil)
  }
}

extension AuditFinding {
  /// What was found, for people.
  fileprivate var sentence: String {
    let interval = gap?.readable ?? "-"
    return switch check {
    case .doubleTrade: "\(interval) apart"
    case .overlap:
      "began \(interval) after the trade before it, which was not settled by then"
    case .inDoubt: "nobody settled it within its lease: look its key up at the exchange"
    case .lateFill: "filled \(interval) after the end of its lease"
    case .conflict:
      "a fill of \(filled ?? "-") arrived after it had been declared void; it counts"
    case .epoch: "settled by a process whose epoch was no longer current"
    case .clock: "the exchange's time is \(interval) off the ledger's"
    }
  }
}

extension ReportTrade {
  fileprivate init(_ trade: Trade) {
    self.init(
      id: trade.id.value, bot: trade.bot.description, key: trade.key.description,
      status: trade.status, createdAt: trade.createdAt, filledAt: trade.filledAt,
      cooldown: trade.cooldown, pid: trade.pid)
    let price = (trade.filledPrice ?? trade.order.price).map { " at \($0)" } ?? ""
    order =
      "\(trade.order.side.rawValue) \(trade.filledQuantity ?? trade.order.quantity) "
      + "\(trade.order.symbol)\(price)"
    if trade.isLate { remarks.append("late") }
    if trade.origin == .past { remarks.append("fact of the past") }
    if trade.isSuperseded { remarks.append("superseded") }
    if trade.isSettledByOperator { remarks.append("settled by an operator") }
    if let instance = trade.instance {
      remarks.append("instance \(instance.name), epoch \(instance.epoch)")
    }
    if let reason = trade.reason { remarks.append(reason) }
  }
}
