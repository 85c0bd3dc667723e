public import TradeLedger

/// Which file to read facts from, and how. Columns that are not named are guessed from their names.
public struct ForeignFactOptions: Sendable {
  /// Whose file it is: that says which columns there are and what they mean.
  public enum Format: String, Sendable {
    case csv, sqlite, freqtrade, hummingbot, ccxt
    /// What `trades --ndjson` and `export --format ndjson` write.
    case ndjson
  }

  public var table: String?
  public var bot: String?
  public var time: String?
  public var id: String?
  public var status: String?
  /// The column of the client order ids, which become the keys as they are.
  public var key: String?
  public var side: String?
  public var symbol: String?
  public var quantity: String?
  public var price: String?
  /// The bot of every row, instead of a column.
  public var botName: BotName?
  /// What makes the ids of this source different from those of others: the same for each file of
  /// one source.
  public var source: String?
  public var ignoresStatus = false
  public var wait: Duration = .seconds(5)
  /// Nothing later than this has happened.
  public var now: Timestamp

  public init(now: Timestamp) { self.now = now }
}

/// Where a row stands in its file.
public enum ForeignPlace: Hashable, Sendable, CustomStringConvertible {
  /// From 1.
  case line(Int)
  case id(String)

  public var description: String {
    switch self {
    case .line(let line): "line \(line)"
    case .id(let id): "id \(id)"
    }
  }
}

/// A row that is no fact, and why.
public struct RejectedRow: Hashable, Sendable {
  public let place: ForeignPlace
  public let reason: String

  public init(place: ForeignPlace, reason: String) {
    self.place = place
    self.reason = reason
  }
}

/// The executed orders of a foreign file, ready to be entered.
public struct ForeignFacts: Sendable {
  /// The real path of the file.
  public internal(set) var path = ""
  /// What was read for what, as a person can check it.
  public internal(set) var columns: [(what: String, column: String)] = []
  /// In the order of time.
  public internal(set) var facts: [PastFact] = []
  /// For each fact.
  public internal(set) var places: [ForeignPlace] = []
  public internal(set) var rejected: [RejectedRow] = []
  /// Rows of orders that were not executed, by status.
  public internal(set) var notExecuted: [StatusCount] = []
  /// Rows that say what an earlier row has said.
  public internal(set) var repeated = 0
  /// Fills that were put together to orders, and to how many.
  public internal(set) var fills = 0
  public internal(set) var zonelessTimes = 0
  /// Amounts that were stored as floating-point numbers: their shortest exact text was taken.
  public internal(set) var floatingAmounts = 0
  /// Of these, how many had more than 18 digits behind the point.
  public internal(set) var roundedAmounts = 0
  /// Orders whose fills had several prices: their mean was taken.
  public internal(set) var meanPrices = 0
  /// Prices of zero, which say that there is none.
  public internal(set) var zeroPrices = 0
  /// Positions of freqtrade without an executed order.
  public internal(set) var tradesWithoutOrders = 0
}

/// Reads executed orders out of files that are no ledgers. Reads only: no byte of the file is
/// changed and nothing new is left beside it.
public enum ForeignImport {
  /// - Throws: ``ForeignAuditError``; `usage` where nobody says what the ids belong to, or which
  ///   bot has traded.
  ///
  /// **Complexity**: all facts are held in memory, some 300 bytes each.
  public static func read(
    _ path: String, _ format: ForeignFactOptions.Format, _ options: ForeignFactOptions
  ) throws(ForeignAuditError) -> ForeignFacts {
    let collector = FactCollector(options, source: options.source ?? format.ownSource)
    switch format {
    case .csv: try CSVFacts(path, options).read(into: collector)
    case .sqlite: try SQLiteFacts(path, options).read(into: collector)
    case .freqtrade: try FreqtradeFile(path, bot: options.bot, wait: options.wait).read(collector)
    case .hummingbot: try HummingbotFile(path, bot: options.bot, wait: options.wait).read(collector)
    case .ccxt, .ndjson: try JSONFacts(path, format, options).read(into: collector)
    }
    return collector.finish()
  }

  /// What the beginning of the file says.
  public static func format(
    of path: String
  ) throws(ForeignAuditError) -> ForeignFactOptions.Format {
    let file = try ForeignFile(path)
    let head = try ForeignFile.head(of: file.path, count: 100)
    if head.starts(with: "SQLite format 3\0".utf8) { return .sqlite }
    let first = head.first { !" \t\r\n".utf8.contains($0) }
    return first == UInt8(ascii: "{") || first == UInt8(ascii: "[") ? .ndjson : .csv
  }
}

extension ForeignFactOptions.Format {
  /// Where ids are unique in what the peer trades with, nobody has to name a source.
  fileprivate var ownSource: String? {
    switch self {
    case .freqtrade, .hummingbot, .ccxt: rawValue
    case .csv, .sqlite, .ndjson: nil
    }
  }
}
