internal import ArgumentParser
internal import TradeLedger

struct RestoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Put a backup into the place of the ledger.",
    discussion: """
      Nobody may use the ledger meanwhile: exit 75 names the process, the instance or the trade \
      that is in the way, and nothing has changed. The replaced ledger is kept beside it. \
      Afterwards every bot waits one whole cooldown, because what it traded since the backup is \
      not in it, and processes from before have lost their instance names.

      With --json: {"schema": "tradeledger.restore/1", "replaced": PATH, "restored_at": ..., ...}.

      Examples:
        tradeledger restore ledger-2026-11-24.db --db /var/lib/bots/ledger.db
      """)

  @Argument(help: "The backup.", completion: .file()) var backup: String

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let restoration = try await Ledger.restore(
      backup,
      to: try global.filePath(
        "restore",
        instead: "put the database back with the tools of its server, then call "
          + "tradeledger.restored() as its owner"), options: try global.ledgerOptions(.readWrite))
    if global.json {
      try Console.out(.restoration(restoration))
    } else {
      try Console.out(Lines.restoration(restoration))
    }
    for path in restoration.leftovers { global.note("left by an interrupted restore: \(path)") }
    global.hint(restoration.advice)
  }
}
