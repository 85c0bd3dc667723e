internal import Histogram
internal import Subprocess
internal import TradeLedger

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// The trading floor: the workers, what they said, and the faults that are due.
actor Floor {
  private let options: SimulationOptions
  private let bots: [String]
  private let exchange: PaperExchange
  private(set) var places: [WorkerPlace]
  private(set) var calls: [Call] = []
  private(set) var failures: [String] = []
  private(set) var strikes: [Strike] = []
  private let clock = MomentClock()
  /// Why no worker could begin.
  private(set) var startFailure: String?
  /// Faults that strike whoever sends the next order.
  private var armedForNextOrder: [Fault] = []
  private var ordersUnderWay: [Task<Void, Never>] = []
  private var orderCount = 0
  private var isTrading = false
  private var isStopping = false

  init(_ options: SimulationOptions, bots: [String], exchange: PaperExchange) {
    self.options = options
    self.bots = bots
    self.exchange = exchange
    places = Array(repeating: WorkerPlace(), count: options.workers)
  }

  var areAllReady: Bool { places.allSatisfy(\.isReady) }
  var areAllGone: Bool { places.allSatisfy { $0.handle == nil } }
  var counts: (attempts: Int, orders: Int, kills: Int) {
    (calls.count, orderCount, places.reduce(0) { $0 + $1.kills })
  }

  /// Opens the barrier.
  func go() async {
    isTrading = true
    for place in places { await place.handle?.say(.go) }
  }

  /// Lets each worker end after its attempt, and starts no other.
  func stop() async {
    isStopping = true
    for place in places { await place.handle?.say(.stop) }
  }

  /// Ends those who did not stop in time.
  func killStragglers(isFailure: Bool) {
    for (worker, place) in places.enumerated() where place.handle != nil {
      if isFailure { failures.append("worker \(worker) did not stop in time") }
      strike(worker, place.incarnation)
    }
  }

  /// Waits until the exchange has dealt with everything that was sent; if need be without its
  /// usual slowness.
  func waitForExchange(isHasty: Bool) async {
    for order in ordersUnderWay {
      if isHasty { order.cancel() }
      await order.value
    }
  }
}

// MARK: - Workers come and go

extension Floor {
  /// What the next process in a place is started with; nil where nobody is to be started any more.
  func nextIncarnation(_ worker: Int) -> Int? {
    isStopping || startFailure != nil ? nil : places[worker].incarnation
  }

  func started(_ worker: Int, _ handle: WorkerHandle) async {
    places[worker].handle = handle
    if isStopping { await handle.say(.stop) }
  }

  func ended(_ worker: Int, _ status: TerminationStatus) {
    let place = places[worker]
    places[worker] = WorkerPlace()
    places[worker].incarnation = place.incarnation + 1
    places[worker].kills = place.kills
    places[worker].latency = place.latency
    switch status {
    case .exited(0) where isStopping: return
    case .signaled(SIGKILL) where place.wasKilled: places[worker].kills += 1
    default:
      // A signal to the whole group, ^C for example, also reaches the workers.
      if Interruption.signal != nil { return }
      failures.append("worker \(worker) ended by itself: \(status)")
      if !place.isReady { startFailure = startFailure ?? failures.last }
    }
  }

  func couldNotStart(_ why: String) { startFailure = startFailure ?? why }
}

// MARK: - Faults

extension Floor {
  /// A fault is due: strikes now, or waits for its moment.
  func arm(_ fault: Fault) {
    switch fault.moment {
    case .anytime where places[fault.worker].isReady:
      strike(fault.worker, places[fault.worker].incarnation)
    case .anytime, .asked: places[fault.worker].armed.append(fault)
    case .orderSent, .orderAccepted, .answered: armedForNextOrder.append(fault)
    }
  }

  private func strike(_ worker: Int, _ incarnation: Int) {
    guard places[worker].incarnation == incarnation, let handle = places[worker].handle else {
      return
    }
    places[worker].wasKilled = true
    strikes.append(Strike(kind: .kill, worker: worker, pid: handle.pid, at: clock.now().boot))
    handle.kill()
  }

  private func strike(_ worker: Int, _ incarnation: Int, after delay: Duration) async {
    try? await Task.sleep(for: delay, tolerance: .zero)
    strike(worker, incarnation)
  }
}

// MARK: - What workers say

extension Floor {
  func hear(_ lines: [WorkerLine?], from worker: Int) async {
    for line in lines {
      switch line {
      case .ready:
        places[worker].isReady = true
        if isTrading { await places[worker].handle?.say(isStopping ? .stop : .go) }
      case .call(_, let bot, let key, let at): called(worker, bot, key, at)
      case .order(let number, let trade, let key, let validUntil, let at):
        ordered(worker, number, trade, key, validUntil, at)
      case .told(_, let answer, let at): told(worker, answer, at)
      case .failed(let why):
        startFailure = startFailure ?? "worker \(worker): \(why)"
      case nil: failures.append("worker \(worker) said something that makes no sense")
      }
    }
  }

  private func called(_ worker: Int, _ bot: Int, _ key: String, _ at: Moment) {
    guard bots.indices.contains(bot), let handle = places[worker].handle else {
      failures.append("worker \(worker) asked for a bot that does not exist")
      return
    }
    places[worker].openCall = calls.count
    calls.append(Call(worker: worker, pid: handle.pid, bot: bots[bot], key: key, called: at))
    guard !places[worker].armed.isEmpty else { return }
    let fault = places[worker].armed.removeFirst()
    let incarnation = places[worker].incarnation
    Task { await strike(worker, incarnation, after: fault.delay) }
  }

  private func ordered(
    _ worker: Int, _ number: Int, _ trade: Int64, _ key: String, _ validUntil: Int64?,
    _ at: Moment
  ) {
    guard let open = places[worker].openCall, let handle = places[worker].handle else {
      failures.append("worker \(worker) sent an order without having asked")
      return
    }
    calls[open].ordered = at
    calls[open].trade = trade
    orderCount += 1
    places[worker].record(from: calls[open].called, to: at)
    let incarnation = places[worker].incarnation
    let fault = armedForNextOrder.isEmpty ? nil : armedForNextOrder.removeFirst()
    let order = PaperExchange.Incoming(
      key: key, bot: calls[open].bot, pid: handle.pid, validUntil: validUntil,
      stream: (worker, incarnation, number))
    ordersUnderWay.append(
      Task {
        // Whatever happens to the worker now: the order is on its way.
        if fault?.moment == .orderSent { strike(worker, incarnation) }
        let (decision, delay) = await exchange.execute(order)
        if fault?.moment == .orderAccepted { strike(worker, incarnation) }
        try? await Task.sleep(for: delay, tolerance: .zero)
        await handle.say(.reply(number: number, decision))
        if let fault, fault.moment == .answered {
          await strike(worker, incarnation, after: fault.delay)
        }
      })
  }

  private func told(_ worker: Int, _ answer: Answer, _ at: Moment) {
    guard let open = places[worker].openCall else {
      failures.append("worker \(worker) was told something without having asked")
      return
    }
    calls[open].told = at
    calls[open].answer = answer
    if calls[open].ordered == nil { places[worker].record(from: calls[open].called, to: at) }
    places[worker].openCall = nil
  }
}
