internal import ArgumentParser
internal import TradeLedger

struct Audit: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look for double trades and everything else one should know about.",
    discussion: """
      Reads only. Exit 0 without findings, 1 with findings. An empty range is no pass.

      Examples:
        tradeledger audit
        tradeledger audit --bot momentum --since 7d --fail-on-empty --json
      """)

  @Option(parsing: .unconditional, help: ArgumentHelp("Of this bot alone.", valueName: "name"))
  var bot: String?

  @OptionGroup var range: RangeOptions

  @Flag(name: .customLong("fail-on-empty"), help: "Exit 66 where there is nothing to examine.")
  var failsOnEmpty = false

  @Flag(name: .customLong("exit-zero"), help: "Exit 0 with findings too.")
  var exitsZero = false

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    var query = TradeQuery(since: try range.start())
    query.bot = try bot.map { text throws(LedgerError) in try BotName(text) }
    let report = try await global.withLedger(.readOnly) { [query] in try await $0.audit(query) }
    if report.examined == 0 && failsOnEmpty {
      throw Failure(
        "nothing_to_examine", .noInput, "nothing examined: the range is empty",
        hint: "widen --since or --from, or name another --bot")
    }
    if global.json {
      try Console.out(.audit(report))
    } else {
      let table =
        report.findings.isEmpty
        ? "" : "\n" + Table.findings(report.findings).rendered(global.colors)
      try Console.out(escaped(report.verdict) + "\n" + table)
    }
    if !report.findings.isEmpty && !exitsZero { throw ExitStatus.no }
  }
}
