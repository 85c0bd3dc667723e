public import TradeLedger

/// Two trades of one bot that are closer together than its cooldown.
public struct ForeignFinding: Equatable, Sendable {
  /// One of the two.
  public struct Trade: Equatable, Sendable {
    /// As it is stored; a line number where a CSV file has no ids.
    public let id: String
    /// The id is a whole number.
    public let isNumber: Bool
    public let at: Timestamp
  }
  /// The bot's name, or what stands in the trades where it has none.
  public let bot: String
  public let earlier: Trade
  public let later: Trade
  /// From the earlier to the later one.
  public let gap: Duration
  public let cooldown: Duration
  /// The shell command that shows the two rows.
  public let next: String
}

/// A bot whose cooldown nobody says, so that its trades were not judged.
public struct UnjudgedBot: Equatable, Sendable {
  public let bot: String
  public internal(set) var trades: Int
}

/// Which table and columns were read, as expressions a person can check.
public struct ExaminedColumns: Equatable, Sendable {
  /// The table; nil for a CSV file.
  public internal(set) var table: String?
  public internal(set) var bot: String
  /// Where the bots' names come from.
  public internal(set) var botName: String?
  public internal(set) var time: String
  /// nil: rows are told apart by their place.
  public internal(set) var id: String?
  public internal(set) var status: String?
  /// The column of the cooldown; nil where it was given.
  public internal(set) var cooldown: String?
}

/// What was examined in a foreign file, and what was found.
///
/// The findings are made when they are asked for: there can be as many as there are trades.
public struct ForeignReport {
  /// The real path of the file.
  public let path: String
  public let columns: ExaminedColumns
  /// How many trades were compared. Zero is not a pass.
  public var examined: Int { collector.entries.count }
  public let from: Timestamp?
  public let to: Timestamp?
  public let bots: Int
  /// Empty where there is no column for it.
  public let statuses: [StatusCount]
  /// Rows that count and have no time that can be read.
  public var withoutTime: SkippedRows { collector.withoutTime }
  public var withoutBot: SkippedRows { collector.withoutBot }
  /// Lines of a CSV file with another number of fields than its header.
  public var malformed: SkippedRows { collector.malformed }
  /// Times without a zone, which were read as UTC, and all others.
  public var zonelessTimes: Int { collector.zonelessTimes }
  public var otherTimes: Int { collector.otherTimes }
  public let unjudged: [UnjudgedBot]
  public var findingCount: Int { later.count }

  private let collector: TradeCollector
  private let judge: CooldownJudge
  private let names: [String: String]
  private let look: LookCommand
  /// The places of the later trades of each pair; the earlier one stands right before it.
  private let later: [UInt32]

  init(
    path: String, columns: ExaminedColumns, collector: TradeCollector, judge: CooldownJudge,
    names: [String: String], look: LookCommand
  ) {
    collector.sort()
    self.path = path
    self.columns = columns
    self.collector = collector
    self.judge = judge
    self.names = names
    self.look = look
    statuses = columns.status == nil ? [] : collector.statusSummary
    bots = collector.bots.texts.count
    var later: [UInt32] = []
    var unjudged: [UInt32: Int] = [:]
    var range: (Int64, Int64)?
    var previous: TradeCollector.Entry?
    for (place, entry) in collector.entries.enumerated() {
      range = (min(range?.0 ?? entry.time, entry.time), max(range?.1 ?? entry.time, entry.time))
      if let cooldown = judge.cooldown(of: entry) {
        if let previous, previous.bot == entry.bot, entry.time - previous.time < cooldown {
          later.append(UInt32(place))
        }
      } else {
        unjudged[entry.bot, default: 0] += 1
      }
      previous = entry
    }
    self.later = later
    from = range.map { Timestamp(microseconds: $0.0) }
    to = range.map { Timestamp(microseconds: $0.1) }
    self.unjudged = unjudged.sorted { $0.key < $1.key }.map { bot, trades in
      UnjudgedBot(bot: ForeignReport.name(bot, collector, names), trades: trades)
    }
  }

  /// Finding `index`, from 0: bot by bot, each bot's in the order of time.
  public func finding(_ index: Int) -> ForeignFinding {
    let place = Int(later[index])
    let (earlier, later) = (collector.entries[place - 1], collector.entries[place])
    return ForeignFinding(
      bot: ForeignReport.name(later.bot, collector, names), earlier: trade(earlier),
      later: trade(later), gap: .microseconds(later.time - earlier.time),
      cooldown: .microseconds(judge.cooldown(of: later) ?? 0),
      next: look.command(for: [stored(earlier), stored(later)]))
  }

  private func trade(_ entry: TradeCollector.Entry) -> ForeignFinding.Trade {
    ForeignFinding.Trade(
      id: id(entry), isNumber: entry.kind == .integer, at: Timestamp(microseconds: entry.time))
  }

  private func stored(_ entry: TradeCollector.Entry) -> LookCommand.Row {
    let row = Int(entry.row)
    return LookCommand.Row(
      id: id(entry), kind: entry.kind,
      line: row < collector.lines.count ? Int(collector.lines[row]) : 0)
  }

  private func id(_ entry: TradeCollector.Entry) -> String {
    entry.kind == .integer ? String(entry.id) : collector.ids.text(entry.id)
  }

  private static func name(
    _ bot: UInt32, _ collector: TradeCollector, _ names: [String: String]
  ) -> String {
    let key = String(decoding: collector.bots.texts[Int(bot)], as: UTF8.self)
    return names[key] ?? key
  }
}

/// The cooldown in force for a trade: the one that was given, else the trade's own, else its bot's.
struct CooldownJudge {
  private let given: Int64?
  private let byRow: [Int64]
  private let byBot: [Int64?]

  init(given: Duration?, collector: TradeCollector, bots: [String: Int64]) {
    self.given = given?.wholeMicroseconds
    byRow = collector.cooldowns
    byBot = collector.bots.texts.map { bots[String(decoding: $0, as: UTF8.self)] }
  }

  /// Microseconds; nil where nobody says.
  func cooldown(of entry: TradeCollector.Entry) -> Int64? {
    if let given { return given }
    if !byRow.isEmpty {
      let own = byRow[Int(entry.row)]
      return own < 0 ? nil : own
    }
    return byBot[Int(entry.bot)]
  }
}
