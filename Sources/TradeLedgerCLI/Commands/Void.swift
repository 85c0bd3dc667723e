internal import ArgumentParser
internal import TradeLedger

struct VoidCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "void",
    abstract: "Phase 2: the order was proven not sent.",
    discussion: """
      Say so only on proof: a void trade does not count for the cooldown.

      Examples:
        tradeledger void 12 --token 0123456789abcdef --reason "refused: no funds"
      """)

  @Argument(help: "The trade's number.") var trade: String
  @OptionGroup var permit: TokenOptions

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Why, in 1 to 256 bytes on one line.", valueName: "text"))
  var reason: String

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let trade = try tradeID(trade)
    let token = try permit.permitToken()
    try global.answer(
      try await global.withLedger { try await $0.void(trade, token: token, reason: reason) })
  }
}
