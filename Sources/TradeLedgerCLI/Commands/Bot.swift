internal import ArgumentParser
internal import TradeLedger

struct BotGroup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bot",
    abstract: "Add bots, look at them, change their settings.",
    discussion: """
      A bot is a named strategy that trades: the unit of cooldown.
      """,
    subcommands: [
      BotAdd.self, BotList.self, BotShow.self, BotSet.self, BotEnable.self, BotDisable.self,
    ])

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    throw Failure.usage(
      "bot needs a command of its own", hint: "see 'tradeledger bot --help'")
  }
}

struct BotAdd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add",
    abstract: "Add a bot.",
    discussion: """
      Adding it again with the same settings changes nothing; with other settings: exit 1.

      Examples:
        tradeledger bot add momentum --cooldown 15m
        tradeledger bot add momentum/BTC-USD --cooldown 5m --in-doubt block
      """)

  @Argument(help: "The bot's name.") var name: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The least time between two trades, such as 15m.", valueName: "duration"))
  var cooldown: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How long a permit is good for sending.", valueName: "duration"))
  var lease = "30s"

  @Option(
    name: .customLong("in-doubt"),
    help: ArgumentHelp("What the bot does while a trade is in doubt.", valueName: "rule"))
  var inDoubt = InDoubtPolicy.cooldown

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let name = try BotName(name)
    let settings = try BotSettings(
      cooldown: Duration(interval: cooldown), lease: Duration(interval: lease), inDoubt: inDoubt)
    switch try await global.withLedger(do: { try await $0.addBot(name, settings) }) {
    case .added(let bot): try global.show("added", bot)
    case .same(let bot): try global.show("same", bot)
    case .differs(let bot):
      try global.show("differs", bot)
      global.hint("nothing was changed; 'tradeledger bot set \(bot.name)' changes settings")
      throw ExitStatus.no
    }
  }
}

struct BotList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "All bots and their settings.",
    discussion: """
      Examples:
        tradeledger bot list
        tradeledger bot list --json
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let bots = try await global.withLedger(.readOnly) { try await $0.status().bots.map(\.bot) }
    if global.json {
      return try Console.out(
        ["schema": "tradeledger.bots/1", "bots": .array(bots.map { .bot($0) })])
    }
    try Console.out(Table.bots(bots).rendered(global.colors))
    if bots.isEmpty { global.hint("'tradeledger bot add NAME --cooldown 15m' adds one") }
  }
}

struct BotShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "One bot and its settings.",
    discussion: """
      Examples:
        tradeledger bot show momentum
      """)

  @Argument(help: "The bot's name.", completion: LiveNames.bots) var name: String
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let name = try BotName(name)
    let status = try await global.withLedger(.readOnly) { try await $0.status(name) }
    guard let bot = status.bots.first?.bot else {
      throw Failure(
        LedgerError(
          .noSuchBot, "there is no bot named \(name)",
          hint: "'tradeledger bot list' has the names"))
    }
    try global.show("found", bot)
  }
}

struct BotSet: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set",
    abstract: "Change the settings of a bot, from its next attempt on.",
    discussion: """
      What is not given stays as it is. History keeps the cooldown that was in force.

      Examples:
        tradeledger bot set momentum --cooldown 2h
        tradeledger bot set momentum --in-doubt block
      """)

  @Argument(help: "The bot's name.", completion: LiveNames.bots) var name: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The least time between two trades.", valueName: "duration"))
  var cooldown: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How long a permit is good for sending.", valueName: "duration"))
  var lease: String?

  @Option(
    name: .customLong("in-doubt"),
    help: ArgumentHelp("What the bot does while a trade is in doubt.", valueName: "rule"))
  var inDoubt: InDoubtPolicy?

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    guard cooldown != nil || lease != nil || inDoubt != nil else {
      throw Failure.usage(
        "no setting is given", hint: "give --cooldown, --lease or --in-doubt")
    }
    let change = BotChange(
      cooldown: try duration(cooldown), lease: try duration(lease), inDoubt: inDoubt)
    try await global.change(try BotName(name), change, "changed")
  }
}

struct BotEnable: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enable",
    abstract: "Let a bot trade again.",
    discussion: """
      Examples:
        tradeledger bot enable momentum
      """)

  @Argument(help: "The bot's name.", completion: LiveNames.bots) var name: String
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    try await global.change(try BotName(name), BotChange(isEnabled: true), "enabled")
  }
}

struct BotDisable: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "disable",
    abstract: "Refuse a bot every new trade.",
    discussion: """
      What is under way may still be settled.

      Examples:
        tradeledger bot disable momentum
      """)

  @Argument(help: "The bot's name.", completion: LiveNames.bots) var name: String
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    try await global.change(try BotName(name), BotChange(isEnabled: false), "disabled")
  }
}

extension GlobalOptions {
  fileprivate func show(_ outcome: String, _ bot: Bot) throws {
    if json {
      try Console.out(.botAnswer(outcome, bot))
    } else {
      try Console.out(Lines.bot(outcome, bot))
    }
  }

  fileprivate func change(
    _ name: BotName, _ change: BotChange, _ outcome: String
  ) async throws {
    try show(outcome, try await withLedger { try await $0.changeBot(name, change) })
  }
}
