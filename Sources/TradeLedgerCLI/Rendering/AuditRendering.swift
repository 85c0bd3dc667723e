internal import LedgerReport
internal import TradeLedger

extension JSON {
  static func audit(_ report: AuditReport) -> JSON {
    [
      "schema": "tradeledger.audit/1", "examined": .int(Int64(report.examined)),
      "from": .text(report.from), "to": .text(report.to),
      "findings": .array(report.findings.map { .finding($0) }),
    ]
  }

  private static func finding(_ finding: AuditFinding) -> JSON {
    [
      "check": .string(finding.check.rawValue), "bot": .string(finding.bot),
      "trades": .array(finding.trades.map { .int($0) }),
      "gap_us": .number(finding.gap?.wholeMicroseconds),
      "cooldown_us": .number(finding.cooldown?.wholeMicroseconds), "at": .text(finding.at),
      "pids": .array(finding.pids.map { .int(Int64($0)) }),
      "involves_past": .bool(finding.involvesPast),
      "filled_quantity": .text(finding.filledQuantity), "filled_price": .text(finding.filledPrice),
    ]
  }
}

extension Table {
  static func findings(_ findings: [AuditFinding]) -> Table {
    var table = Table("CHECK", "BOT", "TRADES", "GAP", "COOLDOWN", "AT", "PIDS", "PAST", "FILLED")
    for finding in findings {
      table.add(
        finding.check.rawValue, finding.bot, list(finding.trades), seconds(finding.gap),
        finding.cooldown?.readable ?? "-", finding.at.description, list(finding.pids),
        finding.involvesPast ? "yes" : "no", finding.filled ?? "-")
    }
    return table
  }

  private static func list(_ values: [some CustomStringConvertible]) -> String {
    values.isEmpty ? "-" : values.map(\.description).joined(separator: ",")
  }

  static func seconds(_ gap: Duration?) -> String { gap.map { $0.exactSeconds + "s" } ?? "-" }
}

extension AuditFinding {
  /// What a fill after a void was, such as `0.25 at 64250.1`.
  var filled: String? {
    filledQuantity.map { "\($0)" + (filledPrice.map { " at \($0)" } ?? "") }
  }
}

extension AuditReport {
  /// The verdict in one line. An empty range is said to be empty, never called a pass.
  var verdict: String {
    guard examined > 0 else { return "nothing examined: the range is empty. This is not a pass." }
    let range = "from \(from?.description ?? "-") to \(to?.description ?? "-")"
    let count = findings.isEmpty ? "no findings" : counted(findings.count, "finding")
    return "examined \(counted(examined, "trade")), \(range): \(count)"
  }

  /// What each kind of finding is and asks for, once.
  var advice: [String] {
    AuditCheck.allCases.compactMap { check in
      let trades = findings.filter { $0.check == check }.flatMap(\.trades)
      return trades.first.map { "\(check.rawValue): \(check.advice($0))" }
    }
  }
}

extension AuditCheck {
  /// - Parameter trade: one that it was found at.
  fileprivate func advice(_ trade: Int64) -> String {
    switch self {
    case .doubleTrade:
      "two trades inside the cooldown; PAST yes: before the ledger, or entered later; see "
        + "'tradeledger trade show \(trade)'"
    case .overlap: "a trade began while the one before was open; look whether both were meant"
    case .inDoubt:
      "look its key up at the exchange, then 'tradeledger resolve \(trade) --filled' or '--void'"
    case .lateFill: "settled after its lease; no double trade, and nothing is left to do"
    case .conflict: "filled after it was declared void: the position holds it, and so must yours"
    case .epoch: "settled by a process that had lost its instance name: see that it has ended"
    case .clock:
      "the time given for a fill is far from this machine's: a wrong --filled-at, or a clock that "
        + "'tradeledger doctor' looks at"
    }
  }
}
