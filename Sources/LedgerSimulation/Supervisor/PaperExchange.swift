internal import TradeLedger

/// An exchange that executes nothing and forgets nothing.
///
/// Like a real one it takes a key once, refuses an order that comes after its `valid_until`, fails
/// now and then, takes its time, and executes an order whether or not anybody waits for the answer.
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
    let validUntil: Int64?
    /// Makes latency and failure of this order the same in each run of a seed.
    let stream: (worker: Int, incarnation: Int, number: Int)
  }

  /// Takes an order, thinks about it, and decides.
  /// - Returns: the decision, and the time that the answer still takes.
  func execute(_ order: Incoming) async -> (decision: ExchangeDecision, delay: Duration) {
    var random = SeededRandom(
      seed: options.seed, stream: 0xe8c4, UInt64(order.stream.worker),
      UInt64(order.stream.incarnation), UInt64(order.stream.number))
    let latency = random.duration(in: options.exchangeLatency)
    let isRefused = random.chance(perMillion: options.refusedPerMillion)
    let isNew = keys.insert(order.key).inserted
    try? await Task.sleep(for: latency / 2, tolerance: .zero)
    let at = clock.now()
    let now = at.wall
    let decision: ExchangeDecision
    if !isNew {
      decision = .repeated
    } else if let validUntil = order.validUntil, now > validUntil {
      decision = .expired
    } else if isRefused {
      decision = .refused
    } else {
      decision = .accepted(at: now)
    }
    orders.append(
      ExchangeOrder(
        key: order.key, bot: order.bot, pid: order.pid, decision: decision, at: at))
    return (decision, latency / 2)
  }
}
