internal import TradeLedger

/// An exchange that executes nothing and forgets nothing.
///
/// Like a real one it takes a key once, refuses an order that comes after its `valid_until` (by the
/// boot clock: its own time is always right), fails now and then, takes its time, and executes an
/// order whether or not anybody waits for the answer. A careless one refuses nothing but what
/// fails.
actor PaperExchange {
  private let options: SimulationOptions
  private let clock = MomentClock()
  private var keys: Set<String> = []
  private(set) var orders: [ExchangeOrder] = []

  init(_ options: SimulationOptions) { self.options = options }

  struct Incoming: Sendable {
    let key: String
    let bot: String
    let pid: Int32
    /// Microseconds since boot; nil where the worker knows no leases.
    let validUntil: Int64?
    /// Makes latency and failure of this order the same in each run of a seed.
    let stream: (worker: Int, incarnation: Int, number: Int)
  }

  /// What goes wrong with an order.
  enum Failure: CaseIterable {
    case refused
    /// Executed, and the worker never hears of it.
    case answerLost
    /// Executed, and the worker hears of it after its lease.
    case slow
  }

  /// Takes an order, thinks about it, and decides.
  /// - Returns: the decision, the time that the answer still takes, and whether it arrives.
  func execute(
    _ order: Incoming
  ) async -> (decision: ExchangeDecision, delay: Duration, isAnswerLost: Bool) {
    var random = SeededRandom(
      seed: options.seed, stream: 0xe8c4, UInt64(order.stream.worker),
      UInt64(order.stream.incarnation), UInt64(order.stream.number))
    let latency = random.duration(in: options.exchangeLatency)
    let failure =
      random.chance(perMillion: options.failuresPerMillion)
      ? Failure.allCases.randomElement(using: &random) : nil
    let slowness = random.duration(in: options.lease...(options.lease * 2))
    let isNew = keys.insert(order.key).inserted
    try? await Task.sleep(for: latency / 2, tolerance: .zero)
    let at = clock.now()
    let now = at.wall
    let decision: ExchangeDecision
    if !isNew && !options.isExchangeCareless {
      decision = .repeated
    } else if let validUntil = order.validUntil, at.boot > validUntil, !options.isExchangeCareless {
      decision = .expired
    } else if failure == .refused {
      decision = .refused
    } else {
      decision = .accepted(at: now)
    }
    orders.append(
      ExchangeOrder(
        key: order.key, bot: order.bot, pid: order.pid, decision: decision, at: at))
    guard case .accepted = decision else { return (decision, latency / 2, false) }
    return (decision, failure == .slow ? slowness : latency / 2, failure == .answerLost)
  }
}
