public import TradeLedger

/// What a report says before any trade is read: where it comes from, the verdict, double trades.
public struct ReportFrame: Sendable {
  /// The verdict in words, and how it is to be taken.
  public struct Verdict: Sendable {
    public enum Kind: Sendable {
      case holds
      case violated
      /// No double trade, but something that somebody has to look at.
      case attention
      /// Nothing was examined, or not all of it: never a pass.
      case noAnswer
    }
    public let kind: Kind
    public let headline: String
    /// Sentences that explain it.
    public let details: [String]

    public init(_ kind: Kind, _ headline: String, details: [String] = []) {
      self.kind = kind
      self.headline = headline
      self.details = details
    }
  }

  /// What the time axis counts.
  public enum Axis: Sendable {
    /// The time of day, in UTC.
    case clock
    /// Seconds since the beginning of the range.
    case elapsed
  }

  /// Another finding of the audit or the checker, ready to be read.
  public struct Finding: Sendable {
    public let check: String
    public let bot: String
    public let trades: [Int64]
    public let detail: String

    public init(check: String, bot: String, trades: [Int64], detail: String) {
      self.check = check
      self.bot = bot
      self.trades = trades
      self.detail = detail
    }
  }

  /// A named value of the page's head.
  public struct Fact: Sendable {
    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  public var title: String
  public var verdict: Verdict
  public var facts: [Fact] = []
  /// The first and the last instant of the timeline.
  public var range: ClosedRange<Timestamp>
  public var axis = Axis.clock
  /// All bots, in the order in which they are shown.
  public var bots: [ReportBot] = []
  /// All double trades.
  public var doubles: [DoubleTrade] = []
  /// What else was found.
  public var findings: [Finding] = []
  /// Whether denials are known. A ledger stores none.
  public var knowsDenials = false
  /// What the latencies measure.
  public var latencyName: String
  /// How to get everything that the page leaves out.
  public var more: String

  public init(
    title: String, verdict: Verdict, range: ClosedRange<Timestamp>, latencyName: String,
    more: String
  ) {
    self.title = title
    self.verdict = verdict
    self.range = range
    self.latencyName = latencyName
    self.more = more
  }
}

/// A bot, as far as it is known without its trades.
public struct ReportBot: Sendable {
  public let name: String
  /// The cooldown in force now.
  public let cooldown: Duration
  /// Where it stands now: `ready`, `cooldown 3m`. nil where the report is of a run that is over.
  public let state: String?

  public init(name: String, cooldown: Duration, state: String? = nil) {
    self.name = name
    self.cooldown = cooldown
    self.state = state
  }
}

/// Two trades of a bot that are closer together than the cooldown.
public struct DoubleTrade: Sendable {
  public let bot: String
  public let earlier: Int64
  public let later: Int64
  /// When the later one was.
  public let at: Timestamp
  /// From the earlier one to this one. Negative where the clock went back in between.
  public let gap: Duration
  /// The cooldown of the later one.
  public let cooldown: Duration
  /// The processes that asked, earlier first, where both are known.
  public let pids: [Int32]
  /// What else is to be said about it, as a sentence.
  public let remark: String?

  public init(
    bot: String, earlier: Int64, later: Int64, at: Timestamp, gap: Duration, cooldown: Duration,
    pids: [Int32] = [], remark: String? = nil
  ) {
    self.bot = bot
    self.earlier = earlier
    self.later = later
    self.at = at
    self.gap = gap
    self.cooldown = cooldown
    self.pids = pids
    self.remark = remark
  }

  /// When the earlier one was.
  var earlierAt: Timestamp { at.advanced(by: .zero - gap) }

  /// How far apart, whichever was first: `0.816543 s`.
  var distance: String { (gap < .zero ? .zero - gap : gap).exactSeconds + " s" }

  /// One second around the two, or two, or more where the gap asks for it.
  var zoom: ClosedRange<Timestamp> {
    let gap = abs(gap.wholeMicroseconds)
    let span = gap <= 500_000 ? 1_000_000 : gap <= 1_500_000 ? 2_000_000 : gap + gap / 3
    let start = Timestamp(microseconds: min(at, earlierAt).microseconds - (span - gap) / 2)
    return start...start.advanced(by: .microseconds(span))
  }
}

/// A trade as the report shows it.
public struct ReportTrade: Sendable {
  public let id: Int64
  public let bot: String
  public let key: String
  public let status: TradeStatus
  /// What was ordered, in words: `buy 0.25 BTC-USD`. nil where that is not known.
  public var order: String?
  public let createdAt: Timestamp
  public let filledAt: Timestamp?
  /// In force at admission.
  public let cooldown: Duration
  public let pid: Int32?
  /// Further words: `late`, `past`, a reason.
  public var remarks: [String] = []

  public init(
    id: Int64, bot: String, key: String, status: TradeStatus, createdAt: Timestamp,
    filledAt: Timestamp?, cooldown: Duration, pid: Int32?
  ) {
    self.id = id
    self.bot = bot
    self.key = key
    self.status = status
    self.createdAt = createdAt
    self.filledAt = filledAt
    self.cooldown = cooldown
    self.pid = pid
  }

  /// The time that counts for the cooldown.
  var at: Timestamp { filledAt ?? createdAt }
  /// Where its cooldown ends.
  var cooldownEnd: Timestamp { at.advanced(by: cooldown) }
}

/// Something that was done to the processes: a kill, for example.
public struct ReportEvent: Sendable {
  /// One letter that marks it on the page.
  public let letter: Character
  /// What it is: `kill -9`.
  public let name: String
  public let at: Timestamp
  /// To whom: `worker 3, process 4711`.
  public let target: String

  public init(letter: Character, name: String, at: Timestamp, target: String) {
    self.letter = letter
    self.name = name
    self.at = at
    self.target = target
  }
}

/// How much a page shows one by one. What goes beyond is binned or counted, and the page says so.
enum Limits {
  /// Lanes that are drawn.
  static let lanes = 60
  /// Columns of a lane that is binned.
  static let columns = 240
  /// Marks of a lane that are drawn one by one, and of all lanes together.
  static let marksOfLane = 150
  static let marksOfPage = 3000
  static let denialsOfLane = 400
  static let denialsOfPage = 8000
  static let events = 300
  /// Double trades with a picture of their own, and those in the table.
  static let zooms = 100
  static let doubles = 1000
  static let neighbours = 30
  static let findings = 300
  static let botRows = 500
  static let tradeRows = 1000
}
