internal import ArgumentParser
internal import TradeLedger

struct InstancesGroup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "instances",
    abstract: "Who holds which instance name, and whether it lives.",
    discussion: """
      Examples:
        tradeledger instances
        tradeledger instances --json
        tradeledger instances evict trading_bot
      """,
    subcommands: [InstancesList.self, InstancesEvict.self],
    defaultSubcommand: InstancesList.self)
}

struct InstancesList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "All instance names.",
    discussion: """
      alive: its process runs, or nothing proves that it does not. dead: the next start takes over \
      at once. unseen: it runs in another container; only its heartbeat, or an operator, ends it.

      Examples:
        tradeledger instances
        tradeledger instances --json
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let instances = try await global.withLedger(.readOnly) { try await $0.instances() }
    if global.json {
      return try Console.out(
        [
          "schema": "tradeledger.instances/1",
          "instances": .array(instances.map { .instance($0) }),
        ])
    }
    try Console.out(Table.instances(instances).rendered(global.colors))
    if instances.isEmpty { global.hint("'tradeledger guard NAME -- COMMAND' takes one") }
  }
}

struct InstancesEvict: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evict",
    abstract: "Take a name from its holder.",
    discussion: """
      The epoch goes up: the holder's next reserve, record or look before the exchange call is \
      refused, and what it has sent may still be settled. The process itself is not ended, except \
      under guard --supervise. Exit 1 where nobody has the name.

      Examples:
        tradeledger instances evict trading_bot
      """)

  @Argument(help: "The instance name.", completion: LiveNames.instances) var name: String
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let name = try InstanceName(name)
    let eviction = try await global.withLedger { try await $0.evictInstance(name) }
    if global.json {
      try Console.out(.eviction(eviction))
    } else {
      try Console.out(Lines.eviction(eviction))
    }
    guard case .evicted(let holder, _) = eviction else { throw ExitStatus.no }
    global.hint("process \(holder.pid) itself still runs, unless it listens: end it")
  }
}
