internal import ArgumentParser

/// `tradeledger`: the command line of the ledger.
struct Root: AsyncParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "tradeledger",
    abstract: "A trade ledger that any number of processes share.",
    discussion: """
      Two bots that ask for the same trade at the same time get one yes and one no.

      Exit codes: 0 yes, 1 no, 64 and above no answer. Trade on 0 and on nothing else.

      Examples:
        export TRADELEDGER_DB=/var/lib/bots/ledger.db
        tradeledger init --mode live
        tradeledger bot add momentum --cooldown 15m
        tradeledger reserve momentum --side buy --symbol BTC-USD --quantity 0.25
        tradeledger status

      See also: tradeledger help exit-codes, tradeledger help environment
      """,
    version: version,
    groupedSubcommands: [
      CommandGroup(name: "Set up", subcommands: [Init.self, BotGroup.self, Import.self]),
      CommandGroup(
        name: "Trade",
        subcommands: [
          Reserve.self, FillCommand.self, VoidCommand.self, Record.self, Execute.self,
        ]),
      CommandGroup(name: "Run", subcommands: [GuardCommand.self]),
      CommandGroup(
        name: "Look",
        subcommands: [
          Check.self, Trades.self, TradeGroup.self, Status.self, InstancesGroup.self, Audit.self,
          Report.self, Export.self, Doctor.self, MetricsCommand.self, SchemaCommand.self,
        ]),
      CommandGroup(name: "Put right", subcommands: [Resolve.self]),
      CommandGroup(
        name: "Keep", subcommands: [BackupCommand.self, RestoreCommand.self, CopyCommand.self]),
      CommandGroup(
        name: "Prove",
        subcommands: [
          Simulate.self, SimulateWorker.self, BenchCommand.self, BenchWorkerCommand.self,
          AnswerWorker.self,
        ]),
    ])

  @OptionGroup(title: "Global options") var global: GlobalOptions

  /// A command line without a command is no "yes", so it is not answered with help and 0.
  func run() async throws {
    throw Failure.usage("no command is given", hint: "see 'tradeledger --help'")
  }
}
