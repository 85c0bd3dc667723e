internal import TradeLedger

/// One bot's lane: double trades on top, trades on their cooldowns, what is open, denials below.
struct LaneFigure {
  private let lane: Lane
  private let axis: TimeAxis
  private let number: Int
  /// Those that are marked.
  private let doubles: ArraySlice<DoubleTrade>
  private let doubleCount: Int
  private let knowsDenials: Bool

  init(
    _ lane: Lane, _ axis: TimeAxis, number: Int, doubles: [DoubleTrade], doubleLimit: Int,
    knowsDenials: Bool
  ) {
    self.lane = lane
    self.axis = axis
    self.number = number
    self.doubles = doubles.prefix(doubleLimit)
    doubleCount = doubles.count
    self.knowsDenials = knowsDenials
  }

  // The picture from top to bottom, in pixels.
  private static let tradesTop = 16
  private static let tradesHeight = 28
  private static let openTop = 52
  private static let denialsTop = 60
  private var height: Int {
    let isOpen = lane.count(.pending) + lane.count(.inDoubt) > 0
    return knowsDenials ? 76 : isOpen && lane.trades != nil ? 60 : 50
  }

  var html: HTML {
    """
    <div class="lane"><div class="name"><b>\(lane.bot.name)</b><br/>\(summary)</div>
    <svg role="img" aria-labelledby="l\(number)t l\(number)d" height="\(height)">\
    <title id="l\(number)t">\(lane.bot.name): \(summary)</title>\
    <desc id="l\(number)d">\(description)</desc>\
    <rect class="ground" width="100%" height="\(height)"/>\(axis.grid(from: 0, to: height))
    \(lane.trades == nil ? density : marks)
    \(knowsDenials ? denials : "")\(flags)</svg></div>

    """
  }

  private var summary: String {
    let parts = MarkKind.allCases.compactMap { kind -> String? in
      let count = lane.count(kind)
      return count > 0 ? "\(grouped(count)) \(kind.name)" : nil
    }
    let words = parts.isEmpty ? "no trades" : parts.joined(separator: ", ")
    return doubleCount > 0 ? counted(doubleCount, "double trade") + "; " + words : words
  }

  private var description: String {
    guard lane.trades == nil else {
      return "Cooldown windows are pale bands, trades are marks at their time."
    }
    let highest = (0..<Limits.columns).map(stacked).max() ?? 0
    return "\(counted(lane.tradeCount, "trade")) are too many to be drawn one by one: the columns "
      + "count them, \(axis.columns.width.readable) each, the highest \(grouped(highest))."
  }

  // MARK: One by one

  private var marks: HTML {
    var bands: HTML = ""
    var open: HTML = ""
    var filled: HTML = ""
    // Above the filled ones, so that none of them is hidden.
    var others: HTML = ""
    for trade in (lane.trades ?? []).reversed() {
      let share = axis.columns.share(trade.at)
      if trade.status.counts && trade.cooldown > .zero {
        let end = min(1, axis.columns.share(trade.cooldownEnd))
        bands += """
          <rect class="band" x="\(share: share)" width="\(share: max(0, end - share))" \
          y="\(Self.tradesTop)" height="\(Self.tradesHeight)"/>
          """
      }
      if trade.status == .pending || trade.status == .inDoubt {
        let style: HTML = trade.status == .pending ? "open pending" : "open doubt"
        open += """
          <line class="\(style)" x1="\(share: share)" x2="100%" y1="\(Self.openTop)" \
          y2="\(Self.openTop)"/>\
          <line class="\(style) drop" x1="\(share: share)" x2="\(share: share)" \
          y1="\(Self.tradesTop + Self.tradesHeight / 2)" y2="\(Self.openTop)"/>
          """
      }
      let mark: HTML = """
        <use href="#\(trade.status.symbol)" x="\(share: share)" \
        y="\(Self.tradesTop + Self.tradesHeight / 2)"><title>\(tip(trade))</title></use>
        """
      if trade.status == .filled { filled += mark } else { others += mark }
    }
    let arrow: HTML =
      open.text.isEmpty ? "" : "<use href=\"#arrow\" x=\"100%\" y=\"\(Self.openTop)\"/>"
    return "\(bands)\(open)\(arrow)\(filled)\(others)"
  }

  private func tip(_ trade: ReportTrade) -> String {
    let words = [trade.order, MarkKind(trade.status).name, trade.at.description].compactMap { $0 }
    return "trade \(trade.id): " + (words + trade.remarks).joined(separator: ", ")
  }

  // MARK: Counted

  private static let stack = [MarkKind.filled, .inDoubt, .pending, .void]

  private func stacked(_ column: Int) -> Int {
    Self.stack.reduce(0) { $0 + lane.bins[$1.rawValue][column] }
  }

  /// Columns from the bottom up, the kinds of trades on top of each other.
  private var density: HTML {
    let highest = max(1, (0..<Limits.columns).map(stacked).max() ?? 0)
    var bands: HTML = ""
    for run in lane.bands {
      bands += """
        <rect class="band" x="\(run.lowerBound)" width="\(run.count)" y="0" height="100"/>
        """
    }
    var paths: HTML = ""
    var below = [Double](repeating: 0, count: Limits.columns)
    for kind in Self.stack {
      let counts = lane.bins[kind.rawValue]
      var path: HTML = ""
      for (column, count) in counts.enumerated() where count > 0 {
        // What is there can be seen, however little it is.
        let height = max(4, Double(count) / Double(highest) * 100)
        let base = 100 - below[column]
        path += "M\(column) \(length: base)v-\(length: min(height, base))h1V\(length: base)z"
        below[column] = min(100, below[column] + height)
      }
      if !path.text.isEmpty { paths += "<path class=\"\(kind.style)\" d=\"\(path)\"/>" }
    }
    return """
      <svg y="\(Self.tradesTop)" width="100%" height="\(Self.tradesHeight)" \
      viewBox="0 0 \(Limits.columns) 100" preserveAspectRatio="none">\(bands)\(paths)</svg>
      """
  }

  // MARK: Denials and double trades

  private var denials: HTML {
    var path: HTML = ""
    guard let denials = lane.denials else {
      let counts = lane.bins[MarkKind.denial.rawValue]
      let highest = Double(max(1, counts.max() ?? 0))
      for (column, count) in counts.enumerated() where count > 0 {
        path += "M\(column) 100v-\(length: max(8, Double(count) / highest * 100))h1V100z"
      }
      return """
        <svg y="\(Self.denialsTop)" width="100%" height="12" \
        viewBox="0 0 \(Limits.columns) 100" preserveAspectRatio="none">\
        <path class="denial" d="\(path)"/></svg>
        """
    }
    for denial in denials {
      path += "M\(length: axis.columns.share(denial) * 10_000) 0v1"
    }
    return """
      <svg y="\(Self.denialsTop)" width="100%" height="12" viewBox="0 0 10000 1" \
      preserveAspectRatio="none"><path class="ticks" d="\(path)"/></svg>
      """
  }

  private var flags: HTML {
    var flags: HTML = ""
    for pair in doubles {
      flags += """
        <use href="#double" x="\(share: axis.columns.share(pair.at))" y="7">\
        <title>double trade: \(pair.earlier) and \(pair.later), \(pair.distance) apart\
        </title></use>
        """
    }
    return flags
  }
}

extension TradeStatus {
  /// The symbol that marks it.
  fileprivate var symbol: HTML {
    switch self {
    case .filled: "filled"
    case .void: "void"
    case .pending: "pending"
    case .inDoubt: "doubt"
    }
  }
}

extension MarkKind {
  fileprivate var style: HTML {
    switch self {
    case .filled: "filled"
    case .void: "void"
    case .pending: "pending"
    case .inDoubt: "doubt"
    case .denial: "denial"
    }
  }
}
