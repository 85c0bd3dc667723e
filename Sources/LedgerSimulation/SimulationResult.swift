internal import Histogram
internal import TradeLedger

/// What came of a simulation.
public struct SimulationResult: Sendable {
  public enum Verdict: String, Sendable {
    case holds
    case violated
  }

  public struct Worker: Equatable, Sendable {
    public var worker: Int
    public var attempts = 0
    public var admitted = 0
    public var denied = 0
    public var kills = 0
    /// Median time to the answer, in microseconds.
    public var medianLatency: UInt64 = 0
  }

  /// Times to the answer, in microseconds, the exchange not included.
  public struct Latency: Equatable, Sendable {
    public var p50: UInt64 = 0
    public var p90: UInt64 = 0
    public var p99: UInt64 = 0
    public var p999: UInt64 = 0
    public var max: UInt64 = 0
  }

  /// A long wait for an answer.
  public struct Wait: Equatable, Sendable {
    public let worker: Int
    public let bot: String
    /// In microseconds, the exchange not included. A worker that was stopped waited that long, too.
    public let time: Int64
    /// What it was told: `admitted`, the reason of the denial, `busy`, ...
    public let outcome: String
  }

  /// What the exchange did with the orders that reached it.
  public struct Exchange: Equatable, Sendable {
    public var accepted = 0
    public var refused = 0
    public var expired = 0
    public var repeated = 0
  }

  public let options: SimulationOptions
  /// How long the workers traded.
  public let elapsed: Duration
  /// The signal that ended the run early, if one did.
  public let interruption: Int32?
  public let verdict: Verdict
  public let violations: [Violation]
  public let doubleTrades: Int
  /// Rows on record.
  public let trades: Int
  /// Each attempt is in exactly one of the following.
  public let attempts: Int
  public let admitted: Int
  public let denied: [String: Int]
  public let busy: Int
  /// Tasks delivered a second time, which must not be traded again.
  public let replayed: Int
  /// Nobody knows what came of it, those who were killed included.
  public let unknown: Int
  /// Killed before it was told.
  public let untold: Int
  public let other: Int
  public let kills: Int
  public let pauses: Int
  public let clockJumps: Int
  /// How often the cleanup script ran, and how many files it deleted.
  public let cleanups: Int
  public let filesDeleted: Int
  /// Instance names, how often they were taken, how often held, and how often a second process
  /// became an instance of a name that had one.
  public let instances: Int
  public let namesTaken: Int
  public let namesHeld: Int
  public let secondInstances: Int
  /// How often SQLite said "database is locked", where the strategy takes that for bad luck.
  public let busyErrors: Int
  /// Fills that were reported after the lease.
  public let lateFills: Int
  /// Rows that nobody had settled at the end.
  public let inDoubt: Int
  /// The longest ones, longest first.
  public let waits: [Wait]
  public let workers: [Worker]
  public let latency: Latency
  public let exchange: Exchange
  public let history: SimulationHistory

  public var isPartial: Bool { interruption != nil }

  /// The smallest worker's share of the admissions, divided by the largest one's: `0.00` to `1.00`.
  public var fairness: String? {
    let shares = workers.map(\.admitted)
    guard let least = shares.min(), let most = shares.max(), most > 0 else { return nil }
    let hundredths = least * 100 / most
    return "\(hundredths / 100).\(String(100 + hundredths % 100).suffix(2))"
  }
}

extension SimulationResult {
  init(
    _ options: SimulationOptions, evidence: Evidence, places: [WorkerPlace], failures: [String],
    plan: FaultPlan, faults: InjectedFaults, elapsed: Duration, interruption: Int32?
  ) {
    let found = Checker(evidence).violations()
    var demands = SimulationResult.hastyAnswers(options, evidence.calls)
    if interruption == nil {
      demands += SimulationResult.minimum(
        options, trades: evidence.rows.count, in: faults.usable(of: elapsed))
      demands += plan.missing(faults, hasInstances: options.instanceNames > 0)
      demands += SimulationResult.namesNeverTaken(options, evidence.tenures)
    }
    self.options = options
    self.elapsed = elapsed
    self.interruption = interruption
    violations =
      found + failures.map { Violation(.workerFailed, $0) } + demands
    verdict = violations.isEmpty ? .holds : .violated
    doubleTrades = Checker.doubleCount(found)
    trades = evidence.rows.count
    kills = faults.kills
    pauses = faults.pauses
    clockJumps = faults.jumps.count
    cleanups = faults.cleanups
    filesDeleted = faults.filesDeleted
    instances = options.instanceNames
    namesTaken = evidence.tenures.count { $0.isTaken }
    namesHeld = evidence.tenures.count { $0.answer == .held }
    secondInstances = found.count { $0.kind == .twoInstances }
    busyErrors = faults.busyErrors
    lateFills = faults.lateFills
    inDoubt = evidence.rows.count { $0.status == .pending || $0.status == .inDoubt }
    waits = evidence.calls.compactMap(Wait.init).sorted { $0.time > $1.time }.prefix(5).map { $0 }

    let tally = Tally(evidence.calls, workers: options.workers)
    attempts = evidence.calls.count
    admitted = tally.admitted
    denied = tally.denied
    busy = tally.busy
    replayed = tally.replayed
    unknown = tally.unknown + tally.untold
    untold = tally.untold
    other = tally.other
    var all = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
    workers = tally.workers.enumerated().map { index, worker in
      var worker = worker
      worker.kills = places[index].kills
      worker.medianLatency = places[index].latency.valueAtPercentile(50)
      all.add(places[index].latency)
      return worker
    }
    latency = Latency(
      p50: all.valueAtPercentile(50), p90: all.valueAtPercentile(90),
      p99: all.valueAtPercentile(99), p999: all.valueAtPercentile(99.9), max: all.maxRecorded)
    var exchange = Exchange()
    for order in evidence.orders {
      switch order.decision {
      case .accepted: exchange.accepted += 1
      case .refused: exchange.refused += 1
      case .expired: exchange.expired += 1
      case .repeated: exchange.repeated += 1
      }
    }
    self.exchange = exchange
    history = SimulationHistory(evidence)
  }

  /// A ledger that denies everything does not hold.
  static func minimum(
    _ options: SimulationOptions, trades: Int, in usable: Duration
  ) -> [Violation] {
    let least = options.leastAdmissions(in: usable)
    guard trades < least else { return [] }
    return [
      Violation(
        .tooFewAdmissions,
        "\(trades) admissions, but cooldown and duration allow for twice \(least); a ledger that "
          + "denies everything does not hold")
    ]
  }

  /// A guard that lets nobody in does not hold.
  static func namesNeverTaken(
    _ options: SimulationOptions, _ tenures: [Tenure]
  ) -> [Violation] {
    let taken = Set(tenures.filter(\.isTaken).map(\.name)).count
    guard taken < options.instanceNames else { return [] }
    return [
      Violation(
        .nameNotGiven, "\(taken) of \(options.instanceNames) instance names were ever taken")
    ]
  }

  /// "Busy" means that the wait limit is over: the ledger has nothing to say before that. One that
  /// gives up at once lets a bot trade by luck.
  static func hastyAnswers(_ options: SimulationOptions, _ calls: [Call]) -> [Violation] {
    guard options.strategy == .ledger else { return [] }
    return calls.compactMap { call in
      guard call.answer == .busy, let told = call.told else { return nil }
      let waited = Duration.microseconds(told.boot - call.called.boot)
      // The wait is measured by another clock than this, to the microsecond.
      guard waited < options.lockWait - .milliseconds(1) else { return nil }
      return Violation(
        .unexpectedError, bot: call.bot,
        "worker \(call.worker) was told busy after \(waited.readable), with a wait limit of "
          + options.lockWait.readable)
    }
  }
}

extension SimulationResult.Wait {
  /// nil where the worker was killed before it heard anything.
  fileprivate init?(_ call: Call) {
    guard let end = call.ordered ?? call.told else { return nil }
    worker = call.worker
    bot = call.bot
    time = end.boot - call.called.boot
    outcome =
      switch call.answer {
      case _ where call.ordered != nil: "admitted"
      case .denied(let reason, _): reason
      case .busy: "busy"
      case .replayed: "replayed"
      case .failed(let code): code
      default: "unknown"
      }
  }
}

/// Puts each attempt into exactly one class.
private struct Tally {
  var workers: [SimulationResult.Worker]
  var admitted = 0
  var denied: [String: Int] = [:]
  var busy = 0
  var replayed = 0
  var unknown = 0
  var untold = 0
  var other = 0

  init(_ calls: [Call], workers count: Int) {
    workers = (0..<count).map { SimulationResult.Worker(worker: $0) }
    for call in calls {
      workers[call.worker].attempts += 1
      switch call.answer {
      case .filled, .void, .inDoubt: admit(call)
      case .denied(let reason, _):
        denied[reason, default: 0] += 1
        workers[call.worker].denied += 1
      case .busy: busy += 1
      case .unknown: unknown += 1
      case .replayed: replayed += 1
      case .failed: other += 1
      // Killed with the permit in hand, or before it was told anything.
      case nil: if call.ordered == nil { untold += 1 } else { admit(call) }
      }
    }
  }

  private mutating func admit(_ call: Call) {
    admitted += 1
    workers[call.worker].admitted += 1
  }
}
