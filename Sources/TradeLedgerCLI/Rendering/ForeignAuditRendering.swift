internal import ForeignAudit
internal import LedgerReport
internal import TradeLedger

extension JSON {
  /// Writes the report as one object on one line. There can be as many findings as trades, so they
  /// are written in pieces.
  static func write(_ report: ForeignReport) throws(Failure) {
    // The empty list at the end of the object is opened again.
    let head = head(report).with(("findings", [])).rendered
    var text = String(head.dropLast(2))
    for index in 0..<report.findingCount {
      if index > 0 { text += "," }
      text += finding(report.finding(index)).rendered
      if text.utf8.count > 60_000 {
        try Console.out(text)
        text = ""
      }
    }
    try Console.out(text + "]}\n")
  }

  private static func head(_ report: ForeignReport) -> JSON {
    [
      "schema": "tradeledger.audit/1", "examined": .int(Int64(report.examined)),
      "from": .text(report.from), "to": .text(report.to), "file": .string(report.path),
      "columns": columns(report.columns), "bots": .int(Int64(report.bots)),
      "statuses": .array(report.statuses.map { .status($0) }),
      "times_without_zone": .int(Int64(report.zonelessTimes)),
      "rows_without_time": .skipped(report.withoutTime),
      "rows_without_bot": .skipped(report.withoutBot),
      "malformed_rows": .skipped(report.malformed),
      "not_judged": .array(
        report.unjudged.map { ["bot": .string($0.bot), "trades": .int(Int64($0.trades))] }),
    ]
  }

  private static func columns(_ columns: ExaminedColumns) -> JSON {
    [
      "table": .text(columns.table), "bot": .string(columns.bot),
      "bot_name": .text(columns.botName), "time": .string(columns.time), "id": .text(columns.id),
      "status": .text(columns.status), "cooldown": .text(columns.cooldown),
    ]
  }

  private static func status(_ status: StatusCount) -> JSON {
    [
      "status": .string(status.status), "trades": .int(Int64(status.count)),
      "counts": .bool(status.counts),
    ]
  }

  private static func skipped(_ rows: SkippedRows) -> JSON {
    ["count": .int(Int64(rows.count)), "first_ids": .array(rows.firstIDs.map { .string($0) })]
  }

  private static func finding(_ finding: ForeignFinding) -> JSON {
    [
      "check": .string(AuditCheck.doubleTrade.rawValue), "bot": .string(finding.bot),
      "trades": [id(finding.earlier), id(finding.later)],
      "gap_us": .int(finding.gap.wholeMicroseconds),
      "cooldown_us": .int(finding.cooldown.wholeMicroseconds), "at": .text(finding.later.at),
      "earlier_at": .text(finding.earlier.at), "next": .string(finding.next),
    ]
  }

  /// A number, where every reader of JSON keeps it exact.
  private static func id(_ trade: ForeignFinding.Trade) -> JSON {
    guard trade.isNumber, let value = Int64(trade.id), value.magnitude <= 1 << 53 else {
      return .string(trade.id)
    }
    return .int(value)
  }
}

extension ForeignReport {
  /// For people: the verdict first, then what was read, then the findings.
  func summary(_ colors: Colors, showsAll: Bool) -> String {
    var lines = Lines()
    lines.add("table", columns.table)
    lines.add("bot", columns.bot + (columns.botName.map { ", named by \($0)" } ?? ""))
    lines.add("time", columns.time)
    lines.add("id", columns.id)
    lines.add("cooldown", columns.cooldown ?? "as given")
    lines.add("status", columns.status.map { "\($0) (\(statusCounts))" })
    for note in notes { lines.add("note", note) }
    return folded(escaped(verdict), indent: 0) + "\n" + lines.text
      + findings(colors, showsAll: showsAll)
  }

  /// An empty range is said to be empty, never called a pass.
  private var verdict: String {
    guard let from, let to else { return "nothing examined: no trade counts. This is not a pass." }
    let judged = unjudged.isEmpty ? "" : ", and \(counted(unjudged.count, "bot")) not judged"
    let found = findingCount == 0 ? "no double trades" : counted(findingCount, "double trade")
    return "examined \(counted(examined, "trade")) of \(counted(bots, "bot")), "
      + "from \(from) to \(to): \(found)\(judged)"
  }

  private var statusCounts: String {
    let shown = statuses.prefix(20).map { status in
      let name = status.status.isEmpty ? "none" : status.status
      return "\(name) \(status.count)\(status.counts ? "" : " not counted")"
    }
    let more = statuses.count > 20 ? ["... \(statuses.count - 20) more"] : []
    return (shown + more).joined(separator: ", ")
  }

  private var notes: [String] {
    var notes: [String] = []
    if zonelessTimes > 0 {
      let mixed = otherTimes > 0 ? "; \(otherTimes) others say theirs" : ""
      notes.append("\(counted(zonelessTimes, "time")) without a zone, read as UTC\(mixed)")
    }
    for (rows, what) in [
      (withoutTime, "without a time that can be read"), (withoutBot, "without a bot"),
      (malformed, "with another number of fields than the header"),
    ] where rows.count > 0 {
      let ids = rows.firstIDs.joined(separator: ", ") + (rows.count > 5 ? ", ..." : "")
      notes.append("not examined: \(counted(rows.count, "row")) \(what): \(ids)")
    }
    for bot in unjudged.prefix(20) {
      notes.append(
        "not judged: \(counted(bot.trades, "trade")) of bot \(bot.bot), which has no cooldown; "
          + "give --cooldown")
    }
    if unjudged.count > 20 { notes.append("not judged: ... \(unjudged.count - 20) bots more") }
    return notes
  }

  private func findings(_ colors: Colors, showsAll: Bool) -> String {
    guard findingCount > 0 else { return "" }
    let count = showsAll ? findingCount : min(findingCount, 50)
    var table = Table("BOT", "TRADES", "GAP", "COOLDOWN", "EARLIER", "LATER", "LOOK AT THEM")
    for index in 0..<count {
      let finding = finding(index)
      table.add(
        finding.bot, "\(finding.earlier.id),\(finding.later.id)", Table.seconds(finding.gap),
        finding.cooldown.readable, finding.earlier.at.description, finding.later.at.description,
        finding.next)
    }
    let more = count < findingCount ? "... \(findingCount - count) more, --all\n" : ""
    return "\n" + table.rendered(colors) + more
  }
}
