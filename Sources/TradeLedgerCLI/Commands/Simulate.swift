public import ArgumentParser
public import LedgerSimulation
internal import TradeLedger

extension SimulationOptions.Strategy: ExpressibleByArgument {}

/// Proves the ledger, or shows a bug, with real processes.
struct Simulate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prove the ledger with real worker processes.",
    discussion: """
      Workers trade on one ledger with a paper exchange; an independent checker judges.

      The ledger is a new one, in a temporary directory, whatever TRADELEDGER_DB says; with --db \
      it is one of mode simulation, and stays.

      Exit 0: every invariant holds. 1: violated. 130: interrupted, the result is partial.

      Examples:
        tradeledger simulate
        tradeledger simulate --workers 8 --bots 4 --duration 20s --chaos all
        tradeledger simulate --strategy naive
        tradeledger simulate --strategy pid-file
        tradeledger simulate --chaos pause --exchange-careless
        tradeledger simulate --history run.ndjson
        tradeledger simulate --check run.ndjson
      """)

  @Option(
    help: """
      ledger; or a bug: naive looks, decides, then inserts; deferred does so in one transaction, \
      and inserts again when the database is locked; ttl-lock takes a lock with a time limit; \
      pid-file lets one instance of a name trade, by lock file and pid file, and a cleanup script \
      deletes both.
      """)
  var strategy = SimulationOptions.Strategy.ledger

  @Option(help: ArgumentHelp("Worker processes.", valueName: "number"))
  var workers = 8

  @Option(help: ArgumentHelp("Bots that they all trade for.", valueName: "number"))
  var bots = 4

  @Option(
    help: ArgumentHelp(
      """
      Names that they take turns in, through the ledger or by lock file; whoever has not got its \
      name does not trade. Usually three for four workers; 0 for none.
      """, valueName: "number"))
  var instances: Int?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("How long they trade.", valueName: "duration"))
  var duration = "10s"

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The least time between two trades of a bot.", valueName: "duration"))
  var cooldown = "500ms"

  @Option(
    name: .customLong("exchange-latency"), parsing: .unconditional,
    help: ArgumentHelp("How long the exchange takes, from..to.", valueName: "range"))
  var exchangeLatency = "1ms..20ms"

  @Option(
    name: .customLong("exchange-failures"), parsing: .unconditional,
    help: ArgumentHelp(
      """
      With how many orders something goes wrong: a third of them are refused, a third executed and \
      the answer lost, a third executed and answered after the lease.
      """, valueName: "percent"))
  var exchangeFailures = "1%"

  @Flag(
    help: """
      The exchange takes orders after valid_until, and a key more than once. With --chaos pause \
      this shows the double trade that no ledger can prevent: a worker that is stopped between its \
      last look at the lease and the send.
      """)
  var exchangeCareless = false

  @Option(
    help: ArgumentHelp(
      """
      What is done to the workers meanwhile, with commas: kill (-9), pause (for less and for more \
      than the lease), clock (their wall clock jumps by a second to an hour), cleanup (what is \
      named like a lock, pid, tmp or log file is deleted), all.
      """, valueName: "kinds"))
  var chaos: ChaosList?

  @Option(help: ArgumentHelp("Repeats the faults of an earlier run.", valueName: "number"))
  var seed: UInt64?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Draw the run.", valueName: "file.html"),
    completion: .file())
  var report: String?

  @OptionGroup var foreign: ForeignWorkerOptions

  @OptionGroup var kept: HistoryOptions

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    if let result = try kept.judged() { return try tell(result) }
    let options = try simulationOptions()
    let page = try report.map { path throws(Failure) in try PageFile(path) }
    let history = try kept.file()
    let bar = ProgressBar(isShown: !global.quiet && Console.isTerminal(2))
    let result: SimulationResult
    do {
      result = try await Simulation.run(options, history: history) { bar.show($0) }
      bar.clear()
    } catch {
      bar.clear()
      throw error
    }
    if options.strategy != .ledger && options.ledgerPath != nil {
      global.note(
        "the strategy \(options.strategy.rawValue) keeps its trades elsewhere: nothing "
          + "was written to the ledger")
    }
    try page?.write(SimulationReport.page(result))
    try tell(result)
  }

  private func tell(_ result: SimulationResult) throws {
    if global.json {
      try Console.out(.simulation(result))
    } else {
      try Console.out(Lines.simulation(result, isQuiet: global.quiet, colors: global.colors))
    }
    if let signal = result.interruption { throw ExitCode(128 + signal) }
    if result.verdict == .violated { throw ExitStatus.no }
  }

  private func simulationOptions() throws -> SimulationOptions {
    var options = SimulationOptions()
    options.strategy = strategy
    options.workers = workers
    options.bots = bots
    options.instances = instances
    options.duration = try Duration(interval: duration)
    options.cooldown = try Duration(interval: cooldown)
    options.exchangeLatency = try SimulationOptions.latency(exchangeLatency)
    options.isExchangeCareless = exchangeCareless
    options.failuresPerMillion = try SimulationOptions.perMillion(exchangeFailures)
    options.chaos = chaos?.kinds ?? []
    options.seed = seed ?? UInt64(UInt32.random(in: 0...UInt32.max))
    options.foreignWorkers = foreign.workers
    options.foreignCommand = foreign.command.split(separator: " ").map(String.init)
    options.lockWait = try Duration(interval: global.lockWait)
    // The ledger that somebody has exported is not what this is about.
    if global.database != nil { options.ledgerPath = try global.path() }
    try options.validate()
    return options
  }
}

/// `kill,pause`, or `all`.
struct ChaosList: ExpressibleByArgument {
  let kinds: Set<SimulationOptions.Chaos>

  init?(argument: String) {
    guard let kinds = SimulationOptions.chaos(argument) else { return nil }
    self.kinds = kinds
  }

  static var allValueStrings: [String] {
    SimulationOptions.Chaos.allCases.map(\.rawValue) + ["all"]
  }
}

/// One line on stderr that is written over and over.
private struct ProgressBar: Sendable {
  let isShown: Bool

  func show(_ progress: SimulationProgress) {
    guard isShown else { return }
    let share = min(
      1,
      Double(progress.elapsed.wholeMicroseconds)
        / Double(max(1, progress.duration.wholeMicroseconds)))
    let filled = Int(share * 20)
    let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: 20 - filled)
    let elapsed = Duration.seconds(progress.elapsed.components.seconds)
    let left = Duration.seconds((progress.duration - elapsed).components.seconds)
    Console.error(
      "\r[\(bar)] \(elapsed.readable), \(left.readable) left: \(progress.admitted) admitted, "
        + "\(progress.denied) denied, \(progress.kills) kills, \(progress.pauses) pauses\u{1b}[K")
  }

  func clear() {
    if isShown { Console.error("\r\u{1b}[K") }
  }
}

extension Lines {
  fileprivate static func simulation(
    _ result: SimulationResult, isQuiet: Bool, colors: Colors
  ) -> String {
    let headline =
      result.verdict == .holds ? colors.good(result.headline) : colors.bad(result.headline)
    var lines = [headline] + result.violationLines().map { "  " + folded($0, indent: 4) }
    if isQuiet { return lines.map { $0 + "\n" }.joined() }
    if let remark = result.remark { lines.append("  " + folded(remark, indent: 4)) }
    let width = result.figures.map(\.name.count).max() ?? 0
    lines.append("")
    lines += result.figures.map { figure in
      figure.name.padded(to: width + 2) + folded(figure.value, indent: width + 2)
    }
    if result.verdict == .violated {
      lines += ["", "again: " + result.options.replayCommand]
    }
    return lines.map { $0 + "\n" }.joined()
  }
}

extension JSON {
  fileprivate static func simulation(_ result: SimulationResult) -> JSON {
    [
      "schema": "tradeledger.simulation/1",
      "verdict": .string(result.verdict.rawValue),
      "partial": .bool(result.isPartial),
      "strategy": .string(result.options.strategy.rawValue),
      "seed": .int(Int64(result.options.seed)),
      "workers": .number(result.options.workers),
      "bots": .number(result.options.bots),
      "duration_us": .int(result.elapsed.wholeMicroseconds),
      "attempts": .number(result.attempts),
      "admitted": .number(result.admitted),
      "denied": .object(
        result.denied.sorted { $0.key < $1.key }
          .map { Member(key: $0.key, value: .number($0.value)) }),
      "unknown": .number(result.unknown),
      "busy": .number(result.busy),
      "replayed": .number(result.replayed),
      "kills": .number(result.kills),
      "pauses": .number(result.pauses),
      "clock_jumps": .number(result.clockJumps),
      "cleanups": .number(result.cleanups),
      "files_deleted": .number(result.filesDeleted),
      "instances": .number(result.instances),
      "names_taken": .number(result.namesTaken),
      "names_held": .number(result.namesHeld),
      "second_instances": .number(result.secondInstances),
      "busy_errors": .number(result.busyErrors),
      "late_fills": .number(result.lateFills),
      "in_doubt": .number(result.inDoubt),
      "trades": .number(result.trades),
      "double_trades": .number(result.doubleTrades),
      "violations": .array(result.violations.map(violation)),
      "per_worker": .array(
        result.workers.map { worker in
          [
            "worker": .number(worker.worker), "attempts": .number(worker.attempts),
            "admitted": .number(worker.admitted), "denied": .number(worker.denied),
            "kills": .number(worker.kills), "p50_us": .number(worker.medianLatency),
          ]
        }),
      "latency_us": [
        "p50": .number(result.latency.p50), "p90": .number(result.latency.p90),
        "p99": .number(result.latency.p99), "p999": .number(result.latency.p999),
        "max": .number(result.latency.max),
      ],
      "fairness": .text(result.fairness),
      "waits": .array(
        result.waits.map { wait in
          [
            "worker": .number(wait.worker), "bot": .string(wait.bot),
            "wait_us": .int(wait.time), "outcome": .string(wait.outcome),
          ]
        }),
      "exchange": [
        "accepted": .number(result.exchange.accepted),
        "refused": .number(result.exchange.refused),
        "expired": .number(result.exchange.expired),
        "repeated": .number(result.exchange.repeated),
      ],
    ]
  }

  private static func violation(_ violation: Violation) -> JSON {
    [
      "kind": .string(violation.kind.rawValue), "bot": .text(violation.bot),
      "instance": .text(violation.instance),
      "trades": .array(violation.trades.map { .int($0) }),
      "keys": .array(violation.keys.map { .string($0) }),
      "gap_us": .number(violation.gap), "cooldown_us": .number(violation.cooldown),
      "pids": .array(violation.pids.map { .number($0) }),
      "detail": .string(violation.detail),
    ]
  }
}
