internal import TradeLedger

/// Puts a page together: one file, no script, nothing that is fetched.
struct Page {
  let builder: ReportBuilder
  let frame: ReportFrame
  /// The lanes that are drawn: those with double trades first, where not all fit.
  let drawn: [Lane]
  /// Double trades by bot.
  let doublesOfBot: [String: [DoubleTrade]]

  init(_ builder: ReportBuilder) {
    self.builder = builder
    frame = builder.frame
    doublesOfBot = Dictionary(grouping: frame.doubles, by: \.bot)
    if builder.lanes.count <= Limits.lanes {
      drawn = builder.lanes
    } else {
      let doubled = doublesOfBot
      let first = builder.lanes.filter { doubled[$0.bot.name] != nil }
      let others = builder.lanes.filter { doubled[$0.bot.name] == nil }
      drawn = Array((first + others).prefix(Limits.lanes))
    }
  }

  var html: HTML {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8"/>
    <meta http-equiv="Content-Security-Policy" \
    content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"/>
    <meta name="viewport" content="width=device-width, initial-scale=1"/>
    <meta name="color-scheme" content="light dark"/>
    <meta name="referrer" content="no-referrer"/>
    <title>\(frame.title): \(frame.verdict.headline)</title>
    <style>\(Style.sheet)</style>
    </head>
    <body>
    \(Symbols.definitions)
    <main>
    \(header)
    \(doubles)
    \(findings)
    \(timeline)
    \(latency)
    \(bots)
    \(trades)
    </main>
    </body>
    </html>

    """
  }

  // MARK: The verdict

  private var header: HTML {
    var html: HTML = """
      <header class="\(frame.verdict.kind.name)">
      <p class="title">\(frame.title)</p>
      <h1><span class="sign" aria-hidden="true">\(frame.verdict.kind.sign)</span> \
      \(frame.verdict.headline)</h1>

      """
    for detail in frame.verdict.details { html += "<p>\(detail)</p>\n" }
    html += "<dl>\n"
    for fact in frame.facts {
      html += "<div><dt>\(fact.name)</dt><dd>\(fact.value)</dd></div>\n"
    }
    html += "</dl>\n</header>"
    return html
  }

  // MARK: Double trades

  private var doubles: HTML {
    guard !frame.doubles.isEmpty else { return "" }
    let first = 6
    let figures = builder.zooms.map { ZoomFigure($0, named: builder.named).html }
    var html: HTML = """
      <section aria-labelledby="doubles">
      <h2 id="doubles">\(counted(frame.doubles.count, "double trade"))</h2>
      <p>Two trades of one bot, closer together than its cooldown. Each picture shows the moment, \
      enlarged: <b>A</b> is the trade that came first, and the pale band its cooldown, in which \
      <b>B</b> should have been denied.</p>
      <div class="zooms">
      \(Array(figures.prefix(first)))
      </div>

      """
    if figures.count > first {
      html += """
        <details><summary>\(counted(figures.count - first, "more picture"))</summary>
        <div class="zooms">
        \(Array(figures.dropFirst(first)))
        </div></details>

        """
    }
    let shown = frame.doubles.prefix(Limits.doubles)
    var table = TableMarkup(
      "Every double trade" + (shown.count < frame.doubles.count ? " that is listed" : ""),
      ["bot", "A", "B", "gap", "cooldown", "time of B", "processes"])
    for pair in shown {
      table.add([
        pair.bot, "\(pair.earlier)", "\(pair.later)", pair.distance,
        pair.cooldown.readable, pair.at.description,
        pair.pids.isEmpty ? "-" : pair.pids.map(\.description).joined(separator: ", "),
      ])
    }
    html += table.html(more: frame.doubles.count - shown.count, "double trade", frame.more)
    if shown.count > figures.count {
      html += "<p>Pictures are shown of the first \(figures.count).</p>\n"
    }
    return html + "</section>"
  }

  private var findings: HTML {
    guard !frame.findings.isEmpty else { return "" }
    let shown = frame.findings.prefix(Limits.findings)
    var table = TableMarkup("Other findings", ["check", "bot", "trades", "what"])
    for finding in shown {
      table.add([
        finding.check, finding.bot,
        finding.trades.isEmpty ? "-" : finding.trades.map(\.description).joined(separator: ", "),
        finding.detail,
      ])
    }
    return """
      <section aria-labelledby="findings">
      <h2 id="findings">\(counted(frame.findings.count, "other finding"))</h2>
      \(table.html(more: frame.findings.count - shown.count, "finding", frame.more))</section>
      """
  }

  // MARK: Tables

  private var bots: HTML {
    guard !builder.lanes.isEmpty else { return "" }
    let shown = builder.lanes.prefix(Limits.botRows)
    let knowsState = builder.lanes.contains { $0.bot.state != nil }
    var table = TableMarkup(
      "Bots",
      ["bot", "cooldown"] + (knowsState ? ["now"] : [])
        + ["trades", "filled", "void", "pending", "in doubt", "double"]
        + (frame.knowsDenials ? ["denied"] : []) + ["last trade that counts"])
    for lane in shown {
      var cells = [lane.bot.name, lane.bot.cooldown.readable]
      if knowsState { cells.append(lane.bot.state ?? "-") }
      cells.append(grouped(lane.tradeCount))
      for kind in [MarkKind.filled, .void, .pending, .inDoubt] {
        cells.append(grouped(lane.count(kind)))
      }
      cells.append(grouped(doublesOfBot[lane.bot.name]?.count ?? 0))
      if frame.knowsDenials { cells.append(grouped(lane.count(.denial))) }
      cells.append(lane.lastTradeAt?.description ?? "-")
      table.add(cells)
    }
    return """
      <section aria-labelledby="bots"><h2 id="bots">Bots</h2>
      \(table.html(more: builder.lanes.count - shown.count, "bot", frame.more))</section>
      """
  }

  private var trades: HTML {
    guard builder.tradeCount > 0 else { return "" }
    var roles: [Int64: String] = [:]
    for pair in frame.doubles.prefix(Limits.doubles) { roles[pair.later] = "double" }
    let knowsOrder = builder.newest.contains { $0.order != nil }
    var table = TableMarkup(
      "Trades, newest first",
      ["trade", "bot"] + (knowsOrder ? ["order"] : [])
        + ["status", "created", "filled", "process", "key", "remarks"])
    for trade in builder.newest {
      table.add(
        ["\(trade.id)", trade.bot] + (knowsOrder ? [trade.order ?? "-"] : []) + [
          MarkKind(trade.status).name, trade.createdAt.description,
          trade.filledAt?.description ?? "-", trade.pid?.description ?? "-", trade.key,
          ((roles[trade.id].map { [$0] } ?? []) + trade.remarks).joined(separator: "; "),
        ])
    }
    let more = builder.tradeCount - builder.newest.count
    return """
      <section aria-labelledby="trades"><h2 id="trades">Trades, newest first</h2>
      \(table.html(more: more, "trade", frame.more))</section>
      """
  }
}

extension HTML {
  static func + (left: HTML, right: HTML) -> HTML { "\(left)\(right)" }
}

extension ReportFrame.Verdict.Kind {
  /// The name of its style.
  fileprivate var name: HTML {
    switch self {
    case .holds: "holds"
    case .violated: "violated"
    case .attention: "attention"
    case .noAnswer: "no-answer"
    }
  }

  fileprivate var sign: HTML {
    switch self {
    case .holds: "✓"
    case .violated: "✗"
    case .attention: "!"
    case .noAnswer: "?"
    }
  }
}

/// A table that scrolls by itself where the page is narrow.
struct TableMarkup {
  private let caption: String
  private let headers: [String]
  private var rows: HTML = ""

  init(_ caption: String, _ headers: [String]) {
    self.caption = caption
    self.headers = headers
  }

  mutating func add(_ cells: [String]) {
    precondition(cells.count == headers.count, "a row has a cell for each column")
    var row: HTML = "<tr>"
    for cell in cells { row += "<td>\(cell)</td>" }
    rows += row
    rows += "</tr>\n"
  }

  /// - Parameters:
  ///   - more: how many rows are not shown.
  ///   - how: what to do to see them.
  func html(more: Int, _ what: String, _ how: String) -> HTML {
    var head: HTML = ""
    for header in headers { head += "<th scope=\"col\">\(header)</th>" }
    var html: HTML = """
      <div class="table" role="region" tabindex="0" aria-label="\(caption)"><table>
      <thead><tr>\(head)</tr></thead>
      <tbody>
      \(rows)</tbody></table></div>

      """
    if more > 0 { html += "<p class=\"more\">… \(counted(more, "more " + what)): \(how)</p>\n" }
    return html
  }
}
