internal import ArgumentParser
internal import TradeLedger

struct Export: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write all trades, oldest first, for other programs.",
    discussion: """
      csv: safe to open in a spreadsheet, and read back by 'import'. json: one object. ndjson: an \
      object on each line, read back by 'import'. hledger: a journal of what was executed, for \
      hledger check --strict. chrome-trace: for Perfetto (ui.perfetto.dev), a lane per bot.

      Reads only, in pieces: a trade is told as it stood when its piece was read, and what comes \
      in meanwhile is left out. An older export of the format is replaced, anything else is not. \
      Exit 0: written whole. 66: no such bot. 73, 74: not written; an older file stands as it was. \
      With --json: {"schema": "tradeledger.export/1", "format", "output", "trades"}.

      Examples:
        tradeledger export --format csv -o trades.csv
        tradeledger export --format ndjson --since 30d | gzip > trades.gz
        tradeledger export --format hledger -o t.journal && hledger -f t.journal bal
        tradeledger export --format chrome-trace -o trace.json
      """)

  @Option(help: "How it is written.")
  var format: ExportFormat

  @Option(
    name: .shortAndLong, parsing: .unconditional,
    help: ArgumentHelp("Where it goes; - for standard output.", valueName: "file"),
    completion: .file())
  var output = "-"

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Of this bot alone.", valueName: "name"),
    completion: LiveNames.bots)
  var bot: String?

  @OptionGroup var range: RangeOptions

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    guard !(global.json && output == "-") else {
      throw Failure.usage(
        "--json is for an export to a file",
        hint: "name the file with -o; for trades as JSON there is --format json")
    }
    let since = try range.start()
    let bot = try bot.map { text throws(LedgerError) in try BotName(text) }
    let file = try PageFile(output, format.kind)
    let count = try await global.withLedger(.readOnly) { ledger in
      let trades = TradeStream(
        ledger: ledger, through: try await ledger.lastTrade(), bot: bot, since: since)
      var count = 0
      try await file.write { write in
        count = try await format.write(trades, of: ledger, write)
      }
      return count
    }
    if global.json {
      try Console.out([
        "schema": "tradeledger.export/1", "format": .string(format.rawValue),
        "output": .string(output), "trades": .int(Int64(count)),
      ])
    }
  }
}

enum ExportFormat: String, CaseIterable, ExpressibleByArgument {
  case csv, json, ndjson, hledger
  case chromeTrace = "chrome-trace"

  /// How a file of this format begins: an older one is told by it.
  var kind: PageFile.Kind {
    switch self {
    case .csv:
      PageFile.Kind(
        name: "a CSV export", beginning: "id,bot,key,side,symbol,", example: "trades.csv")
    case .json:
      PageFile.Kind(
        name: "a JSON export", beginning: "{\"schema\":\"tradeledger.trades/1\"",
        example: "trades.json")
    case .ndjson:
      PageFile.Kind(
        name: "an NDJSON export", beginning: "{\"schema\":\"tradeledger.trade/1\"",
        example: "trades.ndjson")
    case .hledger:
      PageFile.Kind(
        name: "an exported journal", beginning: HledgerJournal.beginning,
        example: "trades.journal")
    case .chromeTrace:
      PageFile.Kind(
        name: "an exported trace", beginning: ChromeTrace.beginning,
        example: "trace.json")
    }
  }

  /// - Returns: how many trades were written.
  func write(
    _ trades: TradeStream, of ledger: Ledger, _ write: (String) throws(Failure) -> Void
  ) async throws -> Int {
    switch self {
    case .csv:
      try write(CSV.tradeHeader)
      return try await trades.forEachPiece { piece in try write(CSV.rows(piece)) }
    case .ndjson:
      return try await trades.forEachPiece { piece in
        try write(piece.map { JSON.view($0).rendered + "\n" }.joined())
      }
    case .json:
      try write("{\"schema\":\"tradeledger.trades/1\",\"trades\":[")
      var isFirst = true
      let count = try await trades.forEachPiece { piece in
        try write(
          (isFirst ? "" : ",") + piece.map { JSON.trade($0).rendered }.joined(separator: ","))
        isFirst = false
      }
      try write("],\"total\":\(count),\"shown\":\(count)}\n")
      return count
    case .hledger:
      var journal = HledgerJournal()
      try write(HledgerJournal.beginning + journal.introduction)
      let count = try await trades.forEachPiece { piece in
        try write(piece.map { journal.entry($0) }.joined())
      }
      try write(journal.end(count))
      return count
    case .chromeTrace:
      return try await ChromeTrace().write(trades, of: ledger, write)
    }
  }
}

/// The trades of a ledger, piece by piece: the memory that it takes does not grow with them.
struct TradeStream {
  let ledger: Ledger
  let through: TradeID
  let bot: BotName?
  let since: Timestamp?

  /// By number, oldest first. - Returns: how many there were.
  func forEachPiece(
    status: TradeStatus? = nil, _ body: ([Trade]) throws -> Void
  ) async throws -> Int {
    var last = TradeID(0)
    var count = 0
    while true {
      let piece = TradePiece(
        .byNumber(after: last, status: status), through: through, bot: bot, since: since)
      let trades = try await ledger.trades(piece)
      guard let end = trades.last else { return count }
      try body(trades)
      last = end.id
      count += trades.count
    }
  }

  /// Those of `bot` that count, in the order of their effective times.
  func forEachInTime(of bot: BotName, _ body: (Trade) throws -> Void) async throws {
    var last: Trade?
    while true {
      let piece = TradePiece(.inTime(after: last), through: through, bot: bot, since: since)
      let trades = try await ledger.trades(piece)
      guard let end = trades.last else { return }
      for trade in trades { try body(trade) }
      last = end
    }
  }
}
