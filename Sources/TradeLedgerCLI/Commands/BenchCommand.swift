public import ArgumentParser
public import LedgerSimulation
internal import TradeLedger

extension BenchCase: ExpressibleByArgument {}

/// Measures the ledger on this machine.
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure throughput, waits and fairness with real worker processes.",
    discussion: """
      Each case runs in a new ledger of mode simulation, in a temporary directory, or with --db \
      postgresql://... in one on that server; with --ceiling in turns with the same work in plain \
      C (scripts/bench builds that program). Medians of rounds. Exit 0: measured. 1: a ratio to \
      the ceiling is below --require.

      Examples:
        tradeledger bench --case accept --processes 1,8
        tradeledger bench --case accept --processes 8 --rate 1000 --json
        tradeledger bench --case growth --trades 1000000 --dir .
        tradeledger bench --ceiling Benchmarks/.build/release/CostInC --require 0.4
      """)

  @Option(
    name: .customLong("case"),
    help: ArgumentHelp(
      """
      accept: record, one durable transaction; two-phase: reserve and fill; deny: a bot in its \
      cooldown; hot-bot: all ask for one bot; guard: take an instance name and let go of it; \
      batch: accept by 64 concurrent callers in a process; growth: accept in a large ledger and \
      in a small one. May be repeated; all where it is missing.
      """, valueName: "name"))
  var cases: [BenchCase] = []

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Worker processes; 1,2,4,8,16,32, or 1 for batch and growth, where it is missing.",
      valueName: "numbers"))
  var processes: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How long a round takes, on each side.", valueName: "duration"))
  var duration = "1s"

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How often product and ceilings take turns.", valueName: "number"))
  var rounds = 5

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      """
      Operations a second, all processes together; waits then count from the moment at which an \
      operation was due. Without it, as many as there can be.
      """, valueName: "number"))
  var rate: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Trades in the large ledger of growth.", valueName: "number"))
  var trades = 100_000

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Where the ledgers lie: on the disk that is to be measured. Without it, TMPDIR or /tmp.",
      valueName: "directory"),
    completion: .directory)
  var dir: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The program that measures the ceilings.", valueName: "path"),
    completion: .file())
  var ceiling: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The least ratio to the ceiling; needs --ceiling.", valueName: "ratio"))
  var require: Double?

  @Option(
    help: ArgumentHelp(
      "What an answer survives: full, a power cut; normal, the end of every process.",
      valueName: "full|normal"))
  var durability = Ledger.Options.Durability.full

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func validate() throws {
    if let require {
      guard require > 0, require.isFinite else {
        throw ValidationError("--require is a ratio above 0, such as 0.8")
      }
      if ceiling == nil { throw ValidationError("--require needs --ceiling PATH") }
    }
  }

  func run() async throws {
    let options = try benchOptions()
    var isBelow = false
    var hasHeadline = global.json
    let signal = try await Bench.run(options) { result in
      if !hasHeadline {
        let headline = BenchRendering.headline(withCeiling: !result.ceilings.isEmpty)
        try Console.out(headline + "\n")
        hasHeadline = true
      }
      if global.json {
        try Console.out(.bench(result))
      } else {
        try Console.out(BenchRendering.line(result) + "\n")
      }
      if let require, let ceiling = result.ceiling, ceiling.ratio.median < require {
        isBelow = true
        global.note(
          "\(result.benchCase.rawValue) with \(result.processes) processes is below \(require)")
      }
    }
    if let signal { throw ExitCode(128 + signal) }
    if isBelow { throw ExitStatus.no }
  }

  private func benchOptions() throws -> BenchOptions {
    var options = BenchOptions()
    if let place = global.database, Ledger.isServer(place) { options.server = place }
    if !cases.isEmpty {
      options.cases = cases
    } else if options.server != nil {
      options.cases.removeAll { $0 == .growth }
    }
    options.processes = try processes.map { text throws(LedgerError) in
      try BenchOptions.processes(text)
    }
    options.duration = try Duration(interval: duration)
    options.rounds = rounds
    options.rate = rate
    options.trades = trades
    options.directory = dir
    options.ceiling = ceiling
    options.durability = durability
    options.lockWait = try Duration(interval: global.lockWait)
    try options.validate()
    return options
  }
}
