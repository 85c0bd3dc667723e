internal import Histogram

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
  /// Nobody knows what came of it, those who were killed included.
  public let unknown: Int
  /// Killed before it was told.
  public let untold: Int
  public let other: Int
  public let kills: Int
  public let workers: [Worker]
  public let latency: Latency
  public let exchange: Exchange
  public let history: SimulationHistory

  public var isPartial: Bool { interruption != nil }

  /// The smallest worker's share of the admissions, divided by the largest one's.
  public var fairness: Double? {
    let shares = workers.map(\.admitted)
    guard let least = shares.min(), let most = shares.max(), most > 0 else { return nil }
    return Double(least) / Double(most)
  }
}

extension SimulationResult {
  init(
    _ options: SimulationOptions, evidence: Evidence, places: [WorkerPlace], failures: [String],
    plan: FaultPlan, elapsed: Duration, interruption: Int32?
  ) {
    let found = Checker(evidence).violations()
    let kills = places.reduce(0) { $0 + $1.kills }
    let demands = SimulationResult.demands(
      options, trades: evidence.rows.count, kills: kills, plan: plan, elapsed: elapsed,
      isPartial: interruption != nil)
    self.options = options
    self.elapsed = elapsed
    self.interruption = interruption
    violations =
      found + failures.map { Violation(.workerFailed, $0) } + demands
    verdict = violations.isEmpty ? .holds : .violated
    doubleTrades = Checker.doubleCount(found)
    trades = evidence.rows.count
    self.kills = kills

    let tally = Tally(evidence.calls, workers: options.workers)
    attempts = evidence.calls.count
    admitted = tally.admitted
    denied = tally.denied
    busy = tally.busy
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

  /// What a run must contain to mean anything.
  static func demands(
    _ options: SimulationOptions, trades: Int, kills: Int, plan: FaultPlan, elapsed: Duration,
    isPartial: Bool
  ) -> [Violation] {
    guard !isPartial else { return [] }
    var found: [Violation] = []
    let least = options.leastAdmissions(in: elapsed)
    if trades < least {
      found.append(
        Violation(
          .tooFewAdmissions,
          "\(trades) admissions, but cooldown and duration allow for twice \(least); a ledger that "
            + "denies everything does not hold"))
    }
    if kills < plan.leastInjected {
      found.append(
        Violation(
          .faultsNotInjected,
          "\(kills) workers were killed, at least \(plan.leastInjected) should "
            + "have been"))
    }
    return found
  }
}

/// Puts each attempt into exactly one class.
private struct Tally {
  var workers: [SimulationResult.Worker]
  var admitted = 0
  var denied: [String: Int] = [:]
  var busy = 0
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
      case .replayed, .failed: other += 1
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
