/// What the exchange saw.
extension Checker {
  /// INV-1 put to the exchange: when was what executed?
  ///
  /// Two executions of one bot are at least a cooldown apart if the earlier one's fill was on
  /// record when the later one was admitted, less what the fill on record is too early (the wall
  /// clock may have jumped). In any case they are a cooldown apart, less the lease by which the
  /// earlier one may have been late.
  func doubleOrders() -> [Violation] {
    var found: [Violation] = []
    let executed = evidence.orders.filter(\.isExecuted)
    for (bot, orders) in Dictionary(grouping: executed, by: \.bot).sorted(by: { $0.key < $1.key }) {
      let cooldown = termsByBot[bot]?.cooldown ?? 0
      let orders = orders.sorted { $0.at.boot < $1.at.boot }
      for (index, later) in orders.enumerated() {
        // One violation for each later order: with the closest neighbour that was too close.
        for earlier in orders[..<index].reversed() {
          let gap = later.at.boot - earlier.at.boot
          if gap >= cooldown { break }
          guard isTooClose(earlier, later, gap, cooldown) else { continue }
          found.append(tooClose(earlier, later, gap, cooldown))
          break
        }
      }
    }
    return found
  }

  private func isTooClose(
    _ earlier: ExchangeOrder, _ later: ExchangeOrder, _ gap: Int64, _ cooldown: Int64
  ) -> Bool {
    // Nobody was admitted, so nothing excuses it.
    guard let first = rowsByKey[earlier.key]?.first, let second = rowsByKey[later.key]?.first else {
      return true
    }
    // The one admitted first may have been executed last.
    guard first.id <= second.id else {
      return second.lease.map { -gap < cooldown - $0 } ?? false
    }
    if let settled = settlement(of: first), let filled = first.filledBoot,
      knew(second, first, settled) == true
    {
      return gap < cooldown - max(0, earlier.at.boot - filled)
    }
    return first.lease.map { gap < cooldown - $0 } ?? false
  }

  private func tooClose(
    _ earlier: ExchangeOrder, _ later: ExchangeOrder, _ gap: Int64, _ cooldown: Int64
  ) -> Violation {
    let trades = [earlier.key, later.key].compactMap { rowsByKey[$0]?.first?.id }
    var violation = Violation(
      .doubleOrder, bot: later.bot, trades: trades, keys: [earlier.key, later.key],
      "orders \(earlier.key) and \(later.key) were executed \(gap) us apart, cooldown "
        + "\(cooldown) us")
    violation.gap = gap
    violation.cooldown = cooldown
    violation.pids = [earlier.pid, later.pid]
    return violation
  }

  /// Money moved if and only if the database says that it has, or may have, and every order was
  /// sent by a worker that had a permit.
  func exchangeRules() -> [Violation] {
    var found: [Violation] = []
    for (key, orders) in ordersByKey.sorted(by: { $0.key < $1.key }) {
      let bot = orders[0].bot
      if orders.count > 1 {
        found.append(
          Violation(
            .keySentTwice, bot: bot, keys: [key],
            "key \(key) reached the exchange \(orders.count) times"))
      }
      for order in orders where !isSent(order) {
        found.append(
          Violation(
            .orderWithoutCall, bot: order.bot, keys: [key],
            "order \(key) reached the exchange, and no worker had sent it"))
      }
      guard let order = orders.first(where: \.isExecuted) else { continue }
      let row = rowsByKey[key]?.first
      if row?.counts != true || row?.bot != order.bot {
        let stands = row.map { "its trade \($0.id) of \($0.bot) is \($0.status.rawValue)" }
        found.append(
          Violation(
            .orderWithoutRow, bot: order.bot, keys: [key],
            "order \(key) was executed, and \(stands ?? "there is no trade")"))
      }
    }
    for row in evidence.rows where row.status == .filled {
      if ordersByKey[row.key]?.contains(where: \.isExecuted) == true { continue }
      found.append(
        Violation(
          .fillWithoutOrder, bot: row.bot, trades: [row.id], keys: [row.key],
          "trade \(row.id) is filled, but was never executed"))
    }
    return found
  }

  /// Whether a worker says that it sent `order` before the exchange decided about it, and was not
  /// told of an outcome before that.
  private func isSent(_ order: ExchangeOrder) -> Bool {
    (callsByKey[order.key] ?? []).contains { call in
      guard let ordered = call.ordered, call.bot == order.bot, call.pid == order.pid,
        ordered.boot <= order.at.boot
      else { return false }
      switch call.answer {
      case .filled, .void: return order.at.boot <= call.told?.boot ?? .max
      default: return true
      }
    }
  }
}
