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
    ]
  }
}

extension Table {
  static func findings(_ findings: [AuditFinding]) -> Table {
    var table = Table("CHECK", "BOT", "TRADES", "GAP", "COOLDOWN", "AT", "PIDS", "PAST")
    for finding in findings {
      table.add(
        finding.check.rawValue, finding.bot, list(finding.trades), seconds(finding.gap),
        finding.cooldown?.readable ?? "-", finding.at.description, list(finding.pids),
        finding.involvesPast ? "yes" : "no")
    }
    return table
  }

  private static func list(_ values: [some CustomStringConvertible]) -> String {
    values.isEmpty ? "-" : values.map(\.description).joined(separator: ",")
  }

  static func seconds(_ gap: Duration?) -> String { gap.map { $0.exactSeconds + "s" } ?? "-" }
}

extension AuditReport {
  /// The verdict in one line. An empty range is said to be empty, never called a pass.
  var verdict: String {
    guard examined > 0 else { return "nothing examined: the range is empty. This is not a pass." }
    let range = "from \(from?.description ?? "-") to \(to?.description ?? "-")"
    let trades = examined == 1 ? "1 trade" : "\(examined) trades"
    let count =
      switch findings.count {
      case 0: "no findings"
      case 1: "1 finding"
      default: "\(findings.count) findings"
      }
    return "examined \(trades), \(range): \(count)"
  }
}
