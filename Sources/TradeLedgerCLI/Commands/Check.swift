internal import ArgumentParser
internal import TradeLedger

struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Would a reserve be admitted now?",
    discussion: """
      Reads only. Another process can change the answer at any time: only reserve is binding.

      Examples:
        tradeledger check momentum && echo "may trade"
      """)

  @Argument(help: "The bot's name.", completion: LiveNames.bots) var bot: String
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let bot = try BotName(bot)
    switch try await global.withLedger(.readOnly, do: { try await $0.check(bot) }) {
    case .admissible:
      if global.json {
        try Console.out(
          ["schema": "tradeledger.check/1", "outcome": "admissible", "bot": .text(bot)])
      } else {
        var lines = Lines()
        lines.add("outcome", "admissible")
        lines.add("bot", bot)
        try Console.out(lines.text)
      }
    case .denied(let denial): throw try global.answer(denial)
    }
  }
}
