/// Judges a run. A pure function of the evidence, and no relative of the code that admits trades.
///
/// Everything is linear in the evidence, but for trades that lie within one cooldown of each other.
struct Checker {
  let evidence: Evidence
  /// Shared look-ups, made once.
  let rowsByKey: [String: [TradeRow]]
  let callsByKey: [String: [Call]]
  let rowsByBot: [String: [TradeRow]]

  init(_ evidence: Evidence) {
    self.evidence = evidence
    rowsByKey = Dictionary(grouping: evidence.rows, by: \.key)
    callsByKey = Dictionary(grouping: evidence.calls, by: \.key)
    rowsByBot = Dictionary(grouping: evidence.rows, by: \.bot)
      .mapValues { $0.sorted { $0.id < $1.id } }
  }

  /// Everything that must not be, doubles first.
  func violations() -> [Violation] {
    doubleTrades() + doubleOrders() + rowRules() + exchangeRules() + answerRules() + denialRules()
  }

  /// How many trades came too early after another one. Each counts once, however it was found and
  /// however many trades it came too close to.
  static func doubleCount(_ violations: [Violation]) -> Int {
    Set(violations.filter(\.isDouble).compactMap(\.keys.last)).count
  }
}

// MARK: - INV-1

extension Checker {
  /// Each row is judged by what was on record when it was admitted.
  ///
  /// Every row admitted must obey the cooldown, also one that became void afterwards; and every row
  /// that was not yet void at that moment counts against it.
  private func doubleTrades() -> [Violation] {
    rowsByBot.sorted { $0.key < $1.key }.flatMap { tooEarly($0.value) }
  }

  private func tooEarly(_ rows: [TradeRow]) -> [Violation] {
    var found: [Violation] = []
    // The latest time that any row up to this one could count at.
    var latest: [Int64] = []
    for row in rows {
      latest.append(max(latest.last ?? .min, max(row.createdAt, row.filledAt ?? .min)))
    }
    for (index, later) in rows.enumerated() {
      // One violation for each later row: with the neighbour that it is closest to.
      var worst: (row: TradeRow, base: Int64)?
      for previous in stride(from: index - 1, through: 0, by: -1) {
        if latest[previous] + later.cooldown <= later.createdAt { break }
        guard let base = Checker.base(of: rows[previous], asKnownAt: later.createdAt),
          later.createdAt < base + later.cooldown
        else { continue }
        if base > worst?.base ?? .min { worst = (rows[previous], base) }
      }
      if let worst { found.append(Checker.tooEarly(worst.row, later, worst.base)) }
    }
    return found
  }

  /// The time that `row` counted at in the eyes of somebody who was admitted at `moment`; nil where
  /// it did not count.
  private static func base(of row: TradeRow, asKnownAt moment: Int64) -> Int64? {
    let isKnown = row.receivedAt.map { $0 <= moment } ?? false
    switch row.status {
    case .void: return isKnown ? nil : row.createdAt
    case .filled: return isKnown ? row.filledAt ?? row.createdAt : row.createdAt
    case .pending, .inDoubt: return row.createdAt
    }
  }

  private static func tooEarly(
    _ earlier: TradeRow, _ later: TradeRow, _ base: Int64
  ) -> Violation {
    let isDouble = earlier.counts && later.counts
    var violation = Violation(
      isDouble ? .doubleTrade : .earlyAdmission, bot: later.bot,
      "trades \(earlier.id) and \(later.id): the later one was admitted "
        + "\(later.createdAt - base) us after the earlier one, cooldown \(later.cooldown) us")
    violation.trades = [earlier.id, later.id]
    violation.keys = [earlier.key, later.key]
    violation.gap = later.createdAt - base
    violation.cooldown = later.cooldown
    violation.pids = [earlier.pid, later.pid].compactMap { $0 }
    return violation
  }

  /// The same question put to the exchange: when was what executed?
  ///
  /// Two executions of one bot are at least a cooldown apart if the earlier one's fill was on
  /// record when the later one was admitted. In any case they are a cooldown apart, less the lease
  /// by which the earlier one may have been late.
  private func doubleOrders() -> [Violation] {
    var found: [Violation] = []
    let executed = evidence.orders.compactMap { order in
      order.executedAt.map { (order: order, at: $0, row: rowsByKey[order.key]?.first) }
    }
    for (bot, orders) in Dictionary(grouping: executed, by: \.order.bot).sorted(by: {
      $0.key < $1.key
    }) {
      let orders = orders.sorted { $0.at < $1.at }
      for (index, later) in orders.enumerated() {
        // One violation for each later order: with the closest neighbour that was too close.
        for earlier in orders[..<index].reversed() {
          guard let first = earlier.row, let second = later.row else { continue }
          let gap = later.at - earlier.at
          if gap >= second.cooldown { break }
          guard let least = Checker.leastGap(first, second), gap < least else { continue }
          found.append(tooClose(bot, earlier.order, later.order, first, second, gap))
          break
        }
      }
    }
    return found
  }

  /// How far apart the executions of two trades must be at least; nil where nothing is promised.
  private static func leastGap(_ first: TradeRow, _ second: TradeRow) -> Int64? {
    if first.filledAt != nil, let receivedAt = first.receivedAt, receivedAt <= second.createdAt {
      return second.cooldown
    }
    return first.leaseUntil.map { second.cooldown - ($0 - first.createdAt) }
  }

  private func tooClose(
    _ bot: String, _ earlier: ExchangeOrder, _ later: ExchangeOrder, _ first: TradeRow,
    _ second: TradeRow, _ gap: Int64
  ) -> Violation {
    var violation = Violation(
      .doubleOrder, bot: bot,
      "orders \(earlier.key) and \(later.key) were executed \(gap) us apart, cooldown "
        + "\(second.cooldown) us")
    violation.trades = [first.id, second.id]
    violation.keys = [earlier.key, later.key]
    violation.gap = gap
    violation.cooldown = second.cooldown
    violation.pids = [earlier.pid, later.pid]
    return violation
  }
}
