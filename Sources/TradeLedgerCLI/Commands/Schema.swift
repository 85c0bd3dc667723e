internal import ArgumentParser
internal import TradeLedger

struct SchemaCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract: "Print the schema of a ledger: its specification in SQL.",
    discussion: """
      Needs no ledger.

      Examples:
        tradeledger schema | less
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    if global.json {
      try Console.out(
        ["schema": "tradeledger.schema/1", "sql": .string(Ledger.schemaSQL)])
    } else {
      try Console.out(Ledger.schemaSQL)
    }
  }
}
