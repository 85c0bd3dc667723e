internal import ArgumentParser
internal import TradeLedger

struct MetricsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics",
    abstract: "The ledger in numbers, as Prometheus reads them.",
    discussion: """
      From the database alone, so it works while no bot runs. Written whole or not at all, for the \
      textfile collector of node_exporter; run it from a timer. Where the ledger cannot be read, \
      the file says tradeledger_up 0, and the exit code says why.

      Examples:
        tradeledger metrics
        tradeledger metrics -o /var/lib/node_exporter/tradeledger.prom
      """)

  @Option(
    name: .shortAndLong, parsing: .unconditional,
    help: ArgumentHelp("Where the metrics go; - for standard output.", valueName: "file.prom"),
    completion: .file())
  var output = "-"

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    guard !(global.json && output == "-") else {
      throw Failure.usage("--json and -o - exclude each other", hint: "write to a file")
    }
    let file = try PageFile(output, .metrics)
    let path = Ledger.displayName(of: try global.path())
    do {
      let text = try await global.withLedger(.readOnly) { ledger in
        MetricsText.of(
          try await ledger.status(), try await ledger.figures(), try await ledger.instances())
      }
      try file.write(text)
    } catch let error as LedgerError {
      try file.write(MetricsText.unreadable(path))
      throw error
    }
    if global.json {
      try Console.out(["schema": "tradeledger.metrics/1", "output": .string(output)])
    }
  }
}
