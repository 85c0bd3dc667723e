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
        tradeledger schema --postgresql
      """)

  @Flag(name: .customLong("postgresql"), help: "That of a ledger on a PostgreSQL server.")
  var isForServer = false

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let sql = isForServer ? Ledger.serverSchemaSQL : Ledger.schemaSQL
    if global.json {
      try Console.out(
        ["schema": "tradeledger.schema/1", "sql": .string(sql)])
    } else {
      try Console.out(sql)
    }
  }
}
