/// A fault that will be injected into one worker.
struct Fault: Equatable, Sendable {
  /// The moment of a worker's life that it strikes.
  enum Moment: String, CaseIterable, Sendable {
    /// Whatever the worker is doing.
    case anytime
    /// Right after it has asked the ledger.
    case asked
    /// It has a permit and has looked at its lease for the last time, but the order has not left
    /// yet. It leaves when the worker goes on; one that is killed never sends it.
    case permitted
    /// The order is on its way; the exchange has not decided.
    case orderSent
    /// The exchange has accepted; the worker has not heard so.
    case orderAccepted
    /// The worker has heard from the exchange and is about to say so to the ledger.
    case answered
  }

  /// What happens to the worker.
  enum Blow: Equatable, Sendable {
    /// `kill -9`.
    case kill
    /// SIGSTOP, and SIGCONT after so long.
    case pause(Duration)
  }

  /// From the start of trading; the earliest time at which it strikes.
  let at: Duration
  let blow: Blow
  let moment: Moment
  /// Which worker, unless the moment chooses.
  let worker: Int
  /// From the moment to the strike, so that it hits different steps of what follows.
  let delay: Duration
}

/// From `at` on, measured from the start of trading, the workers' wall clock is `offset` ahead of
/// the true one.
struct PlannedJump: Equatable, Sendable {
  let at: Duration
  let offset: Duration
}

/// All faults of a run, in order of time. The same seed gives the same plan.
struct FaultPlan: Equatable, Sendable {
  private(set) var faults: [Fault] = []
  private(set) var jumps: [PlannedJump] = []
  /// When the cleanup script runs.
  private(set) var cleanups: [Duration] = []

  init(_ options: SimulationOptions) {
    if options.chaos.contains(.kill) { faults += FaultPlan.kills(options) }
    if options.chaos.contains(.pause) { faults += FaultPlan.pauses(options) }
    if options.chaos.contains(.clock) { jumps = FaultPlan.jumps(options) }
    if options.isCleanedUp {
      cleanups = FaultPlan.times(
        options, 0xc1ea, every: .milliseconds(50)...(.milliseconds(150)))
    }
    faults.sort { $0.at < $1.at }
  }

  var kills: Int { faults.count { $0.blow == .kill } }
  var pauses: Int { faults.count - kills }

  /// How many of `planned` must have struck for the run to mean something. The last ones may come
  /// too late.
  static func leastInjected(of planned: Int) -> Int { planned == 0 ? 0 : max(1, planned / 2) }

  /// About three a second.
  private static func kills(_ options: SimulationOptions) -> [Fault] {
    var random = SeededRandom(seed: options.seed, stream: 0xfa17)
    return times(options, 0xfa17, every: .milliseconds(150)...(.milliseconds(450))).map {
      FaultPlan.fault(.kill, at: $0, options, &random)
    }
  }

  /// Nearly two a second: half of them for less than the lease, the others for more, but none for
  /// more than half of the run. With a careless exchange these are the kind that hurts: between
  /// the last look and the send, until somebody else has traded.
  private static func pauses(_ options: SimulationOptions) -> [Fault] {
    var random = SeededRandom(seed: options.seed, stream: 0x9a05e)
    let lease = options.lease
    let successor = max(options.cooldown, lease)
    return times(options, 0x9a05e, every: .milliseconds(300)...(.milliseconds(900))).map { at in
      let isLong = Bool.random(using: &random)
      let hurts = isLong && options.isExchangeCareless
      let usual = isLong ? lease * 11 / 10...(lease * 3) : lease / 10...(lease * 4 / 5)
      let length = random.duration(in: hurts ? successor * 11 / 10...(successor * 14 / 10) : usual)
      return FaultPlan.fault(
        .pause(min(length, options.duration / 2)), at: at, moment: hurts ? .permitted : nil,
        options, &random)
    }
  }

  /// - Parameter moment: nil for any.
  private static func fault(
    _ blow: Fault.Blow, at: Duration, moment: Fault.Moment? = nil, _ options: SimulationOptions,
    _ random: inout SeededRandom
  ) -> Fault {
    let any = Fault.Moment.allCases.randomElement(using: &random)
    return Fault(
      at: at, blow: blow, moment: moment ?? any ?? .anytime,
      worker: Int.random(in: 0..<options.workers, using: &random),
      delay: random.duration(in: .zero...(.milliseconds(3))))
  }

  /// Ahead, or back and ahead again.
  ///
  /// A ledger whose clock is back makes everybody wait until it has caught up. So what goes back
  /// stays there for a short time only, a tenth of the cooldown at most, and what goes ahead stays:
  /// in the end the clock is hours ahead.
  private static func jumps(_ options: SimulationOptions) -> [PlannedJump] {
    var random = SeededRandom(seed: options.seed, stream: 0xc10c)
    let longest = max(.milliseconds(10), min(.milliseconds(200), options.cooldown / 10))
    var jumps: [PlannedJump] = []
    var offset = Duration.zero
    for at in times(options, 0xc10c, every: .milliseconds(300)...(.milliseconds(900))) {
      if Bool.random(using: &random) {
        jumps.append(PlannedJump(at: at, offset: offset - distance(&random)))
        // Before the next one comes: those are 300 ms apart.
        let until = at + random.duration(in: .milliseconds(5)...longest)
        jumps.append(PlannedJump(at: until, offset: offset))
      } else {
        offset += distance(&random)
        jumps.append(PlannedJump(at: at, offset: offset))
      }
    }
    return jumps
  }

  /// A second, some seconds, minutes, or up to an hour.
  private static func distance(_ random: inout SeededRandom) -> Duration {
    let longest = [Duration.seconds(2), .seconds(30), .seconds(600), .seconds(3600)]
    return random.duration(
      in: .seconds(1)...(longest.randomElement(using: &random) ?? .seconds(3600)))
  }

  /// Times within the run that are `every` apart, with a first one early enough for the shortest.
  private static func times(
    _ options: SimulationOptions, _ stream: UInt64, every: ClosedRange<Duration>
  ) -> [Duration] {
    var random = SeededRandom(seed: options.seed, stream: stream, 1)
    var times: [Duration] = []
    var at = min(.milliseconds(200), options.duration / 4)
    while at < options.duration {
      times.append(at)
      at += random.duration(in: every)
    }
    return times
  }
}
