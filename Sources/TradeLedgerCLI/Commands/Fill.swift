internal import ArgumentParser
internal import TradeLedger

struct FillCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fill",
    abstract: "Phase 2: the order was executed.",
    discussion: """
      No fill is refused for its time. The same fill again is no error.

      Examples:
        tradeledger fill 12 --token 0123456789abcdef --price 60010.5
        echo "$TOKEN" | tradeledger fill 12 --token-stdin --price 60010.5
      """)

  @Argument(help: "The trade's number.") var trade: String
  @OptionGroup var permit: TokenOptions
  @OptionGroup var said: FillOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let trade = try tradeID(trade)
    let fill = try said.fill()
    let token = try permit.permitToken()
    try global.answer(
      try await global.withLedger { try await $0.fill(trade, token: token, fill) },
      whereVoid: "the fill is kept as a conflict and counts; 'tradeledger audit' has it")
  }
}
