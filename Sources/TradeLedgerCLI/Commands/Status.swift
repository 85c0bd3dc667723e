internal import ArgumentParser
internal import TradeLedger

struct Status: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Bots, cooldown left, pending and in-doubt trades, instances.",
    discussion: """
      Exit 1 means that somebody has to look: a trade is in doubt, or there is a conflict.

      Examples:
        tradeledger status
        tradeledger status momentum --json
      """)

  @Argument(help: "One bot; all of them where it is missing.", completion: LiveNames.bots)
  var bot: String?
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let bot = try bot.map { text throws(LedgerError) in try BotName(text) }
    let (status, instances) = try await global.withLedger(.readOnly) { ledger in
      (try await ledger.status(bot), try await ledger.instances())
    }
    if global.json {
      try Console.out(
        .status(status).with(("instances", .array(instances.map { .instance($0) }))))
    } else {
      var text = Lines.status(status) + "\n" + Table.status(status.bots).rendered(global.colors)
      if !instances.isEmpty { text += "\n" + Table.instances(instances).rendered(global.colors) }
      try Console.out(text)
    }
    guard status.needsAttention else { return }
    let doubts = status.bots.flatMap(\.inDoubt)
    if !doubts.isEmpty {
      global.hint(
        "look up at the exchange, then 'tradeledger resolve': "
          + doubts.map { "trade \($0.id) (key \($0.key))" }.joined(separator: ", "))
    }
    if status.conflicts > 0 { global.hint("'tradeledger audit' has the conflicts") }
    throw ExitStatus.no
  }
}
