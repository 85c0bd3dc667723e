internal import ArgumentParser
internal import TradeLedger

struct Trades: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trades, newest first.",
    discussion: """
      Shows 50 and says how many more there are; --all shows every one.

      Examples:
        tradeledger trades --bot momentum --since 24h
        tradeledger trades --status in_doubt
        tradeledger trades --all --csv > trades.csv
      """)

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Of this bot alone.", valueName: "name"),
    completion: LiveNames.bots)
  var bot: String?

  @Option(help: "That stand so.")
  var status: TradeStatus?

  @OptionGroup var range: RangeOptions

  @Option(
    parsing: .unconditional, help: ArgumentHelp("At most so many. Default: 50.", valueName: "count")
  )
  var limit: String?

  @Flag(help: "No limit.")
  var all = false

  @Flag(help: "One JSON object per line.")
  var ndjson = false

  @Flag(help: "Comma-separated values, safe to open in a spreadsheet.")
  var csv = false

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    guard !all || limit == nil else {
      throw Failure.usage("--all and --limit exclude each other", hint: "give one of them")
    }
    guard !csv || !(ndjson || global.json) else {
      throw Failure.usage("--csv excludes --json and --ndjson", hint: "give one of them")
    }
    var query = TradeQuery(status: status, since: try range.start())
    query.bot = try bot.map { text throws(LedgerError) in try BotName(text) }
    if !all {
      query.limit = try limit.map { text throws(Failure) in
        Int(try positiveNumber(text, "a limit"))
      }
      query.limit = query.limit ?? 50
    }
    let page = try await global.withLedger(.readOnly) { [query] in try await $0.trades(query) }
    try show(page)
  }

  private func show(_ page: TradePage) throws(Failure) {
    let missing = page.total - page.trades.count
    let more = missing > 0 ? "... \(missing) more, --all\n" : ""
    if ndjson {
      for trade in page.trades { try Console.out(.view(trade)) }
      Console.error(more)
    } else if csv {
      try Console.out(CSV.trades(page.trades))
      Console.error(more)
    } else if global.json {
      try Console.out(.page(page))
    } else {
      try Console.out(Table.trades(page.trades).rendered(global.colors) + more)
    }
  }
}
