internal import TradeLedger

/// The moment of one double trade, enlarged.
struct ZoomFigure {
  private let zoom: Zoom
  private let named: [Int64: ReportTrade]

  init(_ zoom: Zoom, named: [Int64: ReportTrade]) {
    self.zoom = zoom
    self.named = named
  }

  private var pair: DoubleTrade { zoom.pair }

  private var finding: String {
    "\(pair.bot): trades \(pair.earlier) and \(pair.later), \(pair.distance) apart; "
      + "the cooldown is \(pair.cooldown.readable)"
  }

  var html: HTML {
    """
    <figure class="zoom">
    <figcaption><b>\(finding).</b> \(pair.remark ?? "")</figcaption>
    \(picture)
    \(words("A", pair.earlier, pair.earlierAt, pair.pids.first))
    \(words("B", pair.later, pair.at, pair.pids.count == 2 ? pair.pids[1] : nil))
    \(neighbours)</figure>

    """
  }

  /// A row for A with its cooldown, one for B, and one for the bot's other trades.
  private var picture: HTML {
    let axis = TimeAxis(zoom.range, from: pair.earlierAt)
    let earlier = axis.columns.share(pair.earlierAt)
    let later = axis.columns.share(pair.at)
    let end = min(1, axis.columns.share(pair.earlierAt.advanced(by: pair.cooldown)))
    let id = "z\(pair.earlier)-\(pair.later)"
    var others: HTML = ""
    for trade in zoom.neighbours {
      others += "<use href=\"#other\" x=\"\(share: axis.columns.share(trade.at))\" y=\"74\"/>"
    }
    return """
      <svg class="zoom" role="img" aria-labelledby="\(id)t \(id)d" height="104">\
      <title id="\(id)t">\(finding)</title>\
      <desc id="\(id)d">Trade \(pair.later) lies inside the cooldown of trade \(pair.earlier). \
      The picture is \(zoom.span.readable) wide.</desc>\
      <rect class="ground" width="100%" height="88"/>\(axis.grid(from: 0, to: 88))\
      <rect class="band" x="\(share: earlier)" width="\(share: end - earlier)" y="6" height="58"/>\
      <line class="gap" x1="\(share: earlier)" x2="\(share: later)" y1="48" y2="48"/>\
      <line class="gap" x1="\(share: earlier)" x2="\(share: earlier)" y1="20" y2="52"/>\
      \(others)<use href="#a" x="\(share: earlier)" y="20"/>\
      <use href="#b" x="\(share: later)" y="48"/>\(axis.labels(y: 101))</svg>
      """
  }

  private func words(_ letter: HTML, _ id: Int64, _ at: Timestamp, _ pid: Int32?) -> HTML {
    let process = pid.map { ", process \($0)" } ?? ""
    guard let trade = named[id] else {
      return "<p class=\"trade\"><b>\(letter)</b> trade \(id) at \(at.description)\(process)</p>"
    }
    let order = trade.order.map { ", \($0)" } ?? ""
    let remarks = trade.remarks.isEmpty ? "" : " (\(trade.remarks.joined(separator: "; ")))"
    return """
      <p class="trade"><b>\(letter)</b> trade \(id) at \(at.description)\(order), \
      \(MarkKind(trade.status).name)\(remarks)\(process), key \(trade.key)</p>
      """
  }

  private var neighbours: HTML {
    guard zoom.neighbourCount > 0 else { return "" }
    let shown = zoom.neighbours.count
    let note = shown < zoom.neighbourCount ? ", of which \(shown) are drawn" : ""
    return """
      <p class="trade">The small marks below: \
      \(counted(zoom.neighbourCount, "other trade")) of this bot\(note).</p>

      """
  }
}

extension Zoom {
  fileprivate var span: Duration { range.upperBound.elapsed(since: range.lowerBound) }
}
