internal import ArgumentParser
internal import TradeLedger

struct TradeGroup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trade",
    abstract: "Look at one trade.",
    subcommands: [TradeShow.self])

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    throw Failure.usage(
      "trade needs a command of its own", hint: "see 'tradeledger trade show --help'")
  }
}

struct TradeShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Everything about one trade.",
    discussion: """
      Examples:
        tradeledger trade show 12
        tradeledger trade show --key signal-4711 --json
      """)

  @OptionGroup var which: TradeReferenceOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let reference = try which.reference()
    let trade = try await global.withLedger(.readOnly) { try await $0.trade(reference) }
    if global.json {
      try Console.out(.view(trade))
    } else {
      try Console.out(Lines.details(trade))
    }
  }
}
