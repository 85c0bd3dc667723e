internal import LedgerReport
internal import LedgerSimulation
internal import TradeLedger

/// Turns the result of a simulation into a page.
enum SimulationReport {
  static func page(_ result: SimulationResult) -> String {
    var builder = ReportBuilder(frame(result))
    let history = result.history
    for trade in history.trades.reversed() { builder.add(ReportTrade(trade)) }
    for denial in history.denials { builder.addDenial(denial.bot, at: denial.at) }
    for event in history.events { builder.add(ReportEvent(event)) }
    for latency in history.latencies { builder.addLatency(latency) }
    return builder.page()
  }

  private static func frame(_ result: SimulationResult) -> ReportFrame {
    let history = result.history
    let nothing = Timestamp(microseconds: 0)
    let range = history.range ?? nothing...nothing.advanced(by: result.elapsed)
    let kind: ReportFrame.Verdict.Kind =
      result.verdict == .violated ? .violated : result.isPartial ? .noAnswer : .holds
    var frame = ReportFrame(
      title: "Simulation of \(result.options.strategy.rawValue)",
      verdict: .init(kind, result.headline), range: range,
      latencyName: "Time to the answer, the exchange not included",
      more: "'tradeledger simulate --json' has all violations; with --db PATH the ledger stays")
    frame.axis = .elapsed
    frame.knowsDenials = true
    frame.facts =
      result.figures.map { .init(String($0.name.drop { $0 == " " }), $0.value) }
      + [.init("again", result.options.replayCommand)]
    // All bots there are, also those that nobody got to.
    let names = Set(history.trades.map(\.bot)).union(history.denials.map(\.bot))
    frame.bots = names.sorted { ($0.count, $0) < ($1.count, $1) }.map { name in
      ReportBot(name: name, cooldown: result.options.cooldown)
    }
    frame.doubles = doubles(result)
    frame.findings = result.violations.filter { !$0.isDouble }.map { violation in
      .init(
        check: violation.kind.rawValue, bot: violation.bot ?? "-", trades: violation.trades,
        detail: violation.detail)
    }
    return frame
  }

  /// Each double trade once: a pair may have been found in the rows and at the exchange.
  private static func doubles(_ result: SimulationResult) -> [DoubleTrade] {
    let rows = Dictionary(
      result.history.trades.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    var seen: Set<String> = []
    return result.violations.compactMap { violation in
      guard violation.isDouble, violation.trades.count == 2, let key = violation.keys.last,
        seen.insert(key).inserted, let later = rows[key]
      else { return nil }
      let isOrder = violation.kind == .doubleOrder
      let at = isOrder ? result.history.executions[key] : later.createdAt
      return DoubleTrade(
        bot: violation.bot ?? "-", earlier: violation.trades[0], later: violation.trades[1],
        at: at ?? later.createdAt, gap: .microseconds(violation.gap ?? 0),
        cooldown: .microseconds(violation.cooldown ?? 0),
        pids: violation.pids.count == 2 ? violation.pids : [],
        remark: isOrder ? "By the exchange's own count." : nil)
    }
  }
}

extension ReportEvent {
  fileprivate init(_ event: SimulationHistory.Event) {
    let target = event.worker.map { worker in
      "worker \(worker)" + (event.pid.map { ", process \($0)" } ?? "")
    }
    switch event.kind {
    case .kill: self.init(letter: "K", name: "kill -9", at: event.at, target: target ?? "-")
    case .pause: self.init(letter: "P", name: "pause", at: event.at, target: target ?? "-")
    case .clockJump(let offset):
      let words =
        offset == .zero
        ? "right again"
        : offset < .zero ? (.zero - offset).readable + " behind" : offset.readable + " ahead"
      self.init(
        letter: "J", name: "clock jump", at: event.at, target: "the workers' clock, \(words)")
    }
  }
}

extension ReportTrade {
  fileprivate init(_ trade: SimulationHistory.Trade) {
    self.init(
      id: trade.id, bot: trade.bot, key: trade.key, status: trade.status,
      createdAt: trade.createdAt, filledAt: trade.filledAt, cooldown: trade.cooldown,
      pid: trade.pid)
  }
}
