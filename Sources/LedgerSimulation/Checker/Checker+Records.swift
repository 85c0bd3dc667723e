/// Rows against rows, and rows against the exchange.
extension Checker {
  /// INV-2, INV-3, and no row that nobody asked for.
  func rowRules() -> [Violation] {
    var found: [Violation] = []
    for (bot, rows) in rowsByBot.sorted(by: { $0.key < $1.key }) {
      let pending = rows.filter { $0.status == .pending }
      if pending.count > 1 {
        var violation = Violation(.twoPending, bot: bot, "\(pending.count) trades are pending")
        violation.trades = pending.map(\.id)
        found.append(violation)
      }
    }
    for (key, rows) in rowsByKey.sorted(by: { $0.key < $1.key }) {
      if rows.count > 1 {
        var violation = Violation(.keyReused, bot: rows[0].bot, "key \(key) names several trades")
        violation.trades = rows.map(\.id)
        violation.keys = [key]
        found.append(violation)
      }
      let calls = callsByKey[key] ?? []
      for row in rows where !calls.contains(where: { $0.bot == row.bot }) {
        found.append(
          Violation(
            .rowWithoutCall, bot: row.bot, "trade \(row.id) (key \(key)) was asked for by nobody"))
      }
    }
    return found
  }

  /// Money moved if and only if the database says that it has, or may have.
  func exchangeRules() -> [Violation] {
    var found: [Violation] = []
    var executed: Set<String> = []
    for (key, orders) in Dictionary(grouping: evidence.orders, by: \.key).sorted(by: {
      $0.key < $1.key
    }) {
      if orders.count > 1 {
        var violation = Violation(
          .keySentTwice, bot: orders[0].bot, "key \(key) reached the exchange \(orders.count) times"
        )
        violation.keys = [key]
        found.append(violation)
      }
      guard orders.contains(where: { $0.executedAt != nil }) else { continue }
      executed.insert(key)
      let row = rowsByKey[key]?.first { $0.counts && $0.bot == orders[0].bot }
      if row == nil {
        let stands = rowsByKey[key]?.first.map { "its trade \($0.id) is \($0.status.rawValue)" }
        var violation = Violation(
          .orderWithoutRow, bot: orders[0].bot,
          "order \(key) was executed, and \(stands ?? "there is no trade")")
        violation.keys = [key]
        found.append(violation)
      }
    }
    for row in evidence.rows where row.status == .filled && !executed.contains(row.key) {
      var violation = Violation(
        .fillWithoutOrder, bot: row.bot, "trade \(row.id) is filled, but was never executed")
      violation.trades = [row.id]
      found.append(violation)
    }
    return found
  }
}
