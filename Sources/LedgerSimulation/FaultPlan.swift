/// A fault that will be injected.
struct Fault: Equatable, Sendable {
  /// The moment of a worker's life that it strikes.
  enum Moment: String, CaseIterable, Sendable {
    /// Whatever the worker is doing.
    case anytime
    /// Right after it has asked the ledger.
    case asked
    /// The order is on its way; the worker dies before the exchange has decided.
    case orderSent
    /// The exchange has accepted; the worker dies before it hears so.
    case orderAccepted
    /// The worker has heard from the exchange and is about to say so to the ledger.
    case answered

    /// Whether it strikes whoever sends the next order, rather than a worker of its own choice.
    var strikesNextOrder: Bool {
      switch self {
      case .anytime, .asked: false
      case .orderSent, .orderAccepted, .answered: true
      }
    }
  }

  /// From the start of trading; the earliest time at which it strikes.
  let at: Duration
  let chaos: SimulationOptions.Chaos
  let moment: Moment
  /// Which worker, unless the moment chooses.
  let worker: Int
  /// From the moment to the strike, so that it hits different steps of what follows.
  let delay: Duration
}

/// All faults of a run, in order of time. The same seed gives the same plan.
struct FaultPlan: Equatable, Sendable {
  let faults: [Fault]

  init(_ options: SimulationOptions) {
    guard options.chaos.contains(.kill) else {
      faults = []
      return
    }
    var random = SeededRandom(seed: options.seed, stream: 0xfa17)
    var faults: [Fault] = []
    // About three a second, and a first one early enough for the shortest run.
    let first = min(Duration.milliseconds(200), options.duration / 4)
    var at = first
    while at < options.duration {
      faults.append(
        Fault(
          at: at, chaos: .kill,
          moment: Fault.Moment.allCases.randomElement(using: &random) ?? .anytime,
          worker: Int.random(in: 0..<options.workers, using: &random),
          delay: random.duration(in: .zero...(.milliseconds(3)))))
      at += random.duration(in: .milliseconds(150)...(.milliseconds(450)))
    }
    self.faults = faults
  }

  /// How many must have struck for the run to mean something. The last ones may come too late.
  var leastInjected: Int { faults.isEmpty ? 0 : max(1, faults.count / 2) }
}
