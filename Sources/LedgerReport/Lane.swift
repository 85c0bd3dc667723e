internal import TradeLedger

/// What can be seen in a lane.
enum MarkKind: Int, CaseIterable {
  case filled, void, pending, inDoubt, denial

  init(_ status: TradeStatus) {
    switch status {
    case .filled: self = .filled
    case .void: self = .void
    case .pending: self = .pending
    case .inDoubt: self = .inDoubt
    }
  }

  var name: String {
    switch self {
    case .filled: "filled"
    case .void: "void"
    case .pending: "pending"
    case .inDoubt: "in doubt"
    case .denial: "denied"
    }
  }
}

/// A stretch of time cut into columns of equal width.
struct Columns {
  let range: ClosedRange<Timestamp>
  let count: Int

  private var span: Double {
    max(1, Double(range.upperBound.microseconds - range.lowerBound.microseconds))
  }

  /// The column that an instant falls into; the first or the last one for what lies outside.
  func index(_ instant: Timestamp) -> Int {
    min(max(Int(share(instant) * Double(count)), 0), count - 1)
  }

  /// Where an instant lies, from 0 to 1; outside of that where it lies outside.
  func share(_ instant: Timestamp) -> Double {
    Double(instant.microseconds - range.lowerBound.microseconds) / span
  }

  /// How long a column is.
  var width: Duration { .microseconds(Int64(span / Double(count))) }
}

/// One bot's history: every mark by itself while there are few, and always the counts by column.
struct Lane {
  let bot: ReportBot
  private let columns: Columns
  private let markLimit: Int
  private let denialLimit: Int
  /// By kind, then by column.
  private(set) var bins: [[Int]]
  /// How many cooldown windows begin and end in a column.
  private var bandStarts: [Int]
  private var bandEnds: [Int]
  /// One by one; nil once there are too many.
  private(set) var trades: [ReportTrade]? = []
  private(set) var denials: [Timestamp]? = []
  private(set) var lastTradeAt: Timestamp?

  init(_ bot: ReportBot, _ columns: Columns, markLimit: Int, denialLimit: Int) {
    self.bot = bot
    self.columns = columns
    self.markLimit = markLimit
    self.denialLimit = denialLimit
    let empty = [Int](repeating: 0, count: columns.count)
    bins = Array(repeating: empty, count: MarkKind.allCases.count)
    bandStarts = empty
    bandEnds = empty
  }

  mutating func add(_ trade: ReportTrade) {
    bins[MarkKind(trade.status).rawValue][columns.index(trade.at)] += 1
    if trade.status.counts {
      bandStarts[columns.index(trade.at)] += 1
      bandEnds[columns.index(trade.cooldownEnd)] += 1
      lastTradeAt = max(lastTradeAt ?? trade.at, trade.at)
    }
    if let count = trades?.count {
      if count < markLimit { trades?.append(trade) } else { trades = nil }
    }
  }

  mutating func addDenial(at instant: Timestamp) {
    bins[MarkKind.denial.rawValue][columns.index(instant)] += 1
    if let count = denials?.count {
      if count < denialLimit { denials?.append(instant) } else { denials = nil }
    }
  }

  func count(_ kind: MarkKind) -> Int { bins[kind.rawValue].reduce(0, +) }

  /// Trades of whatever status.
  var tradeCount: Int { MarkKind.allCases.reduce(0) { $0 + ($1 == .denial ? 0 : count($1)) } }

  /// The columns that a cooldown touches, as runs.
  var bands: [Range<Int>] {
    var runs: [Range<Int>] = []
    var open = 0
    for column in 0..<columns.count {
      open += bandStarts[column]
      if open > 0 {
        if let last = runs.last, last.upperBound == column {
          runs[runs.count - 1] = last.lowerBound..<column + 1
        } else {
          runs.append(column..<column + 1)
        }
      }
      open -= bandEnds[column]
    }
    return runs
  }
}
