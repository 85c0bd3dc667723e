internal import ArgumentParser
internal import TradeLedger

struct Report: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw the ledger: one HTML page with the verdict, pictures and tables.",
    discussion: """
      Reads only. The page needs no network and no scripts. An older page is replaced, anything \
      else is not. Exit 0: the page is written, whatever it says; 'audit' answers yes or no.

      With --json: {"schema": "tradeledger.report/1", "output": PATH}.

      Examples:
        tradeledger report -o report.html
        tradeledger report --bot momentum --since 7d -o momentum.html
      """)

  @Option(
    name: .shortAndLong, parsing: .unconditional,
    help: ArgumentHelp("Where the page goes; - for standard output.", valueName: "file.html"),
    completion: .file())
  var output: String

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Of this bot alone.", valueName: "name"),
    completion: LiveNames.bots)
  var bot: String?

  @OptionGroup var range: RangeOptions

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    guard !(global.json && output == "-") else {
      throw Failure.usage(
        "--json and -o - exclude each other", hint: "write the page to a file")
    }
    var query = TradeQuery(since: try range.start())
    query.bot = try bot.map { text throws(LedgerError) in try BotName(text) }
    let file = try PageFile(output)
    let page = try await global.withLedger(.readOnly) { [query] ledger in
      try await LedgerPage.page(of: ledger, query)
    }
    try file.write(page)
    if global.json {
      try Console.out(["schema": "tradeledger.report/1", "output": .string(output)])
    }
  }
}
