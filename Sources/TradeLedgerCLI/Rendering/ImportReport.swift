internal import ForeignAudit
internal import LedgerReport
internal import TradeLedger

/// What an import has done, or would do.
struct ImportReport {
  let facts: ForeignFacts
  let format: String
  let isDryRun: Bool
  private(set) var rejected: [RejectedRow]
  private(set) var new = 0
  private(set) var known = 0
  private(set) var closePairCount = 0
  private(set) var closePairs: [PastFactReview.ClosePair] = []
  var addedBots: [BotName] = []
  var isRefused = false
  /// nil: nothing was tried.
  var imported: Int?

  init(_ facts: ForeignFacts, format: String, isDryRun: Bool) {
    self.facts = facts
    self.format = format
    self.isDryRun = isDryRun
    rejected = facts.rejected
  }

  /// Rows or, where fills were put together, orders that could have been facts.
  var rowCount: String { "\(facts.facts.count + facts.rejected.count)" }

  mutating func take(_ review: PastFactReview) {
    for (index, standing) in review.standings.enumerated() {
      switch standing {
      case .new: new += 1
      case .known: known += 1
      case .conflict(let trade):
        rejected.append(
          RejectedRow(
            place: facts.places[index],
            reason: "its key \(facts.facts[index].key) names trade \(trade), which says something "
              + "else"))
      }
    }
    closePairCount = review.closePairCount
    closePairs = review.closePairs
  }

  private var outcome: String {
    if isRefused { return "refused" }
    return isDryRun ? "would_import" : "imported"
  }

  private var count: Int { isRefused ? 0 : imported ?? new }
}

// MARK: - For scripts

extension ImportReport {
  var json: JSON {
    [
      "schema": "tradeledger.import/1", "outcome": .string(outcome), "dry_run": .bool(isDryRun),
      "file": .string(facts.path), "format": .string(format),
      "columns": .object(
        facts.columns.map { JSON.Member(key: $0.what, value: .string($0.column)) }),
      "imported": .int(Int64(count)), "known": .int(Int64(known)),
      "repeated": .int(Int64(facts.repeated)), "fills": .int(Int64(facts.fills)),
      "from": .text(facts.facts.first?.at), "to": .text(facts.facts.last?.at),
      "bots_added": .array(isRefused ? [] : addedBots.map { .text($0) }),
      "not_executed": .array(
        facts.notExecuted.map { ["status": .string($0.status), "rows": .int(Int64($0.count))] }),
      "rejected": .array(
        rejected.map { ImportReport.json($0.place).with(("reason", .string($0.reason))) }),
      "cooldown_violations": .int(Int64(closePairCount)),
      "first_violations": .array(closePairs.map(json)),
      "times_without_zone": .int(Int64(facts.zonelessTimes)),
      "floating_amounts": .int(Int64(facts.floatingAmounts)),
      "rounded_amounts": .int(Int64(facts.roundedAmounts)),
      "mean_prices": .int(Int64(facts.meanPrices)), "zero_prices": .int(Int64(facts.zeroPrices)),
      "trades_without_orders": .int(Int64(facts.tradesWithoutOrders)),
    ]
  }

  private static func json(_ place: ForeignPlace) -> JSON {
    switch place {
    case .line(let line): ["line": .int(Int64(line))]
    case .id(let id): ["id": .string(id)]
    }
  }

  private func json(_ pair: PastFactReview.ClosePair) -> JSON {
    [
      "bot": .text(pair.bot), "earlier": json(pair.earlier), "later": json(pair.later),
      "gap_us": .int(pair.gap.wholeMicroseconds),
      "cooldown_us": .int(pair.cooldown.wholeMicroseconds),
    ]
  }

  private func json(_ neighbour: PastFactReview.Neighbour) -> JSON {
    switch neighbour {
    case .fact(let index): ImportReport.json(facts.places[index])
    case .trade(let id): ["trade": .int(id.value)]
    }
  }
}

// MARK: - For people

extension ImportReport {
  /// The verdict first, then what was read, then what was not taken.
  func summary(_ colors: Colors, showsAll: Bool) -> String {
    var lines = Lines()
    for (what, column) in facts.columns { lines.add(what, column) }
    if !addedBots.isEmpty && !isRefused {
      lines.add(isDryRun ? "bots to add" : "bots added", ImportReport.list(addedBots))
    }
    for note in notes { lines.add("note", note) }
    return folded(escaped(verdict), indent: 0) + "\n" + lines.text
      + rejections(colors, showsAll: showsAll)
      + violations(colors)
  }

  private var verdict: String {
    let what = "\(counted(count, "trade")) \(range)"
    let rest = known > 0 ? "; \(known) \(known == 1 ? "was" : "were") there already" : ""
    if isRefused {
      return "refused, nothing is written: \(counted(rejected.count, "row")) rejected"
    }
    return (isDryRun ? "dry run, nothing is written: would import " : "imported ")
      + what.trimmingBlanks + rest
  }

  private var range: String {
    guard count > 0, let first = facts.facts.first, let last = facts.facts.last else { return "" }
    return "from \(first.at) to \(last.at)"
  }

  private var notes: [String] {
    let all: [(Int, String)] = [
      (facts.fills, "fills, put together to \(facts.facts.count) orders"),
      (facts.repeated, "rows that repeat an earlier one"),
      (facts.zonelessTimes, "times without a zone, read as UTC"),
      (
        facts.floatingAmounts,
        "amounts stored as floating-point numbers, taken as their shortest exact text"
      ),
      (facts.roundedAmounts, "of these rounded to 18 digits behind the point"),
      (facts.meanPrices, "orders with several prices, whose mean by volume was taken"),
      (facts.zeroPrices, "prices of zero, taken as none"),
      (facts.tradesWithoutOrders, "positions without orders, which are not imported"),
    ]
    return facts.notExecuted.map { "\(counted($0.count, "row")) not executed: \($0.status)" }
      + all.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
  }

  private func rejections(_ colors: Colors, showsAll: Bool) -> String {
    if rejected.isEmpty { return "" }
    var table = Table("REJECTED", "WHY")
    let shown = showsAll ? rejected[...] : rejected.prefix(50)
    for row in shown { table.add(row.place.description, row.reason) }
    let more = rejected.count - shown.count
    return "\n" + table.rendered(colors) + (more > 0 ? "... \(more) more, --all\n" : "")
  }

  private func violations(_ colors: Colors) -> String {
    if closePairCount == 0 { return "" }
    var table = Table("BOT", "EARLIER", "LATER", "GAP", "COOLDOWN")
    for pair in closePairs {
      table.add(
        pair.bot.description, name(pair.earlier), name(pair.later), Table.seconds(pair.gap),
        pair.cooldown.readable)
    }
    let more = closePairCount - closePairs.count
    return "\n" + counted(closePairCount, "pair") + " inside the cooldown, "
      + "kept as facts:\n" + table.rendered(colors)
      + (more > 0 ? "... \(more) more; after the import: tradeledger audit\n" : "")
  }

  private func name(_ neighbour: PastFactReview.Neighbour) -> String {
    switch neighbour {
    case .fact(let index): facts.places[index].description
    case .trade(let id): "trade \(id)"
    }
  }

  private static func list(_ bots: [BotName]) -> String {
    bots.prefix(20).map(\.description).joined(separator: ", ")
      + (bots.count > 20 ? ", ... \(bots.count - 20) more" : "")
  }
}

extension String {
  fileprivate var trimmingBlanks: String {
    var text = self
    while text.hasSuffix(" ") { text.removeLast() }
    return text
  }
}
