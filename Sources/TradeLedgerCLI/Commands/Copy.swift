internal import ArgumentParser
internal import TradeLedger

struct CopyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "copy",
    abstract: "Copy a ledger from a file to a PostgreSQL server, or back.",
    discussion: """
      Stop the bots first: what they trade afterwards is not in the copy. The target
      must be empty. Every row goes over as it is, in one transaction, and is read back
      and compared. Instance names have no holder in the copy, and the next epoch.

      With --json: {"schema": "tradeledger.copy/1", "rows": {TABLE: N, ...}, "digest":
      HEX, ...}.

      Examples:
        tradeledger copy --from ledger.db --to postgresql://owner@db.example/bots
        tradeledger copy --from postgresql://owner@db.example/bots --to ledger.db
      """)

  @Option(
    name: .customLong("from"), parsing: .unconditional,
    help: ArgumentHelp("The ledger: a path or a URL.", valueName: "ledger"))
  var source: String

  @Option(
    name: .customLong("to"), parsing: .unconditional,
    help: ArgumentHelp(
      "Where nothing is yet: a path, or the URL of a database, as its owner.", valueName: "ledger"))
  var target: String

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let move = try await Ledger.copy(
      from: source, to: target, options: global.ledgerOptions(.readWrite))
    if global.json {
      try Console.out(.move(move))
    } else {
      try Console.out(Lines.move(move))
    }
    if move.findings > 0 { global.hint("an audit of it has \(move.findings) findings") }
    global.hint("point the bots at the copy, and nobody at \(move.source) any more")
  }
}
