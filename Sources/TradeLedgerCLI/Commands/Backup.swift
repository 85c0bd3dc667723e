internal import ArgumentParser
internal import TradeLedger

struct BackupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Copy the ledger into one file, while bots go on trading.",
    discussion: """
      The copy gets its name when it is whole, was opened and checked, and is on the disk. It is a \
      single file: move it or copy it wherever you like. An older file is kept, unless --force is \
      given; a ledger in use is never replaced. Exit 65: the copy is damaged, because the ledger \
      is.

      With --json: {"schema": "tradeledger.backup/1", "output": PATH, "trades": N, ...}.

      Examples:
        tradeledger backup -o ledger-$(date +%F).db
        tradeledger backup -o latest.db --force --json
      """)

  @Option(
    name: .shortAndLong, parsing: .unconditional,
    help: ArgumentHelp(
      "The new file, in a directory that others cannot write to.", valueName: "file"),
    completion: .file())
  var output: String

  @Flag(help: "Replace an older file.")
  var force = false

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let backup = try await global.withLedger(.readOnly) { ledger in
      try await ledger.backUp(to: output, replacing: force)
    }
    if global.json {
      try Console.out(.backup(backup))
    } else {
      try Console.out(Lines.backup(backup))
    }
    if backup.findings > 0 { global.hint("an audit of it has \(backup.findings) findings") }
  }
}
