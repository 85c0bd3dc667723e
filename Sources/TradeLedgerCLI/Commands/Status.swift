internal import ArgumentParser
internal import TradeLedger

struct Status: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Bots, cooldown left, pending and in-doubt trades, instances.",
    discussion: """
      Exit 1 means that somebody has to look: a trade is in doubt, or there is a conflict.

      --watch looks again and again, on a terminal as one screen that q or ^C ends; elsewhere, and \
      with --json, each look is printed after the one before.

      Examples:
        tradeledger status
        tradeledger status --watch --interval 5s
        tradeledger status momentum --json
      """)

  @Argument(help: "One bot; all of them where it is missing.", completion: LiveNames.bots)
  var bot: String?
  @Flag(help: "Look again and again.") var watch = false
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("With --watch: how often; 2s without it.", valueName: "duration"))
  var interval: String?
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let bot = try bot.map { text throws(LedgerError) in try BotName(text) }
    guard watch || interval == nil else {
      throw Failure.usage("--interval needs --watch", hint: "give both, or neither")
    }
    if watch {
      let interval = try duration(interval) ?? .seconds(2)
      guard interval >= .milliseconds(100) else {
        throw Failure.invalid("an interval below 100ms", hint: "nobody reads that fast")
      }
      return try await StatusWatch(bot: bot, interval: interval, global: global).run()
    }
    let (status, instances) = try await global.withLedger(.readOnly) { ledger in
      (try await ledger.status(bot), try await ledger.instances())
    }
    if global.json {
      try Console.out(Status.json(status, instances))
    } else {
      try Console.out(Lines.status(status) + "\n" + tables(status, instances))
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

  private func tables(_ status: LedgerStatus, _ instances: [Instance]) -> String {
    let bots = Table.status(status.bots)
    if let columns = Console.columns, !bots.fits(columns) {
      let look = StatusWatch.Look(status: status, instances: instances)
      return StatusFrame.tables(look, columns: columns, global.colors)
    }
    let holders = Table.instances(instances).rendered(global.colors)
    return bots.rendered(global.colors) + (instances.isEmpty ? "" : "\n" + holders)
  }

  static func json(_ status: LedgerStatus, _ instances: [Instance]) -> JSON {
    .status(status).with(("instances", .array(instances.map { .instance($0) })))
  }
}
