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
  private let names: [String]
  private let exchange: PaperExchange
  private let clock = MomentClock()
  private(set) var places: [WorkerPlace]
  private(set) var calls: [Call] = []
  private(set) var strikes: [Strike] = []
  private(set) var tenures: [Tenure] = []
  private var admitted = 0
  private var denied = 0
  private(set) var failures: [String] = []
  /// Why no worker could begin.
  private(set) var startFailure: String?
  /// Faults that strike whoever sends the next order.
  private var armedForNextOrder: [Fault] = []
  /// Orders at the exchange, and faults that wait for their delay or their end.
  private var underWay: [Task<Void, Never>] = []
  /// How long stopped workers may have kept the write lock from everybody else.
  private var lockHolders = Stretches()
  private var busyErrors = 0
  private var lateFills = 0
  private var isTrading = false
  private var isStopping = false

  init(
    _ options: SimulationOptions, bots: [String], names: [String], exchange: PaperExchange
  ) {
    self.options = options
    self.bots = bots
    self.names = names
    self.exchange = exchange
    places = Array(repeating: WorkerPlace(), count: options.workers)
  }

  /// What has been done to the workers so far, and what came of it; the clock is not set from here.
  var faults: InjectedFaults {
    InjectedFaults(
      kills: places.reduce(0) { $0 + $1.kills }, pauses: places.reduce(0) { $0 + $1.pauses },
      busyErrors: busyErrors, lateFills: lateFills, lockedOut: lockHolders.total)
  }

  var counts: (admitted: Int, denied: Int, faults: InjectedFaults) { (admitted, denied, faults) }
  var areAllReady: Bool { places.allSatisfy(\.isReady) }
  var areAllGone: Bool { places.allSatisfy { $0.handle == nil } }

  /// Opens the barrier.
  func go() async {
    isTrading = true
    for place in places { await place.handle?.say(.go) }
  }

  /// Lets each worker end after its attempt, and starts no other. Nobody stays stopped, and
  /// nothing is slow any more.
  func stop() async {
    isStopping = true
    for worker in places.indices { resume(worker, places[worker].incarnation) }
    for task in underWay { task.cancel() }
    for place in places { await place.handle?.say(.stop) }
  }

  /// Ends those who did not stop in time.
  func killStragglers(isFailure: Bool) {
    for (worker, place) in places.enumerated() where place.handle != nil {
      if isFailure { failures.append("worker \(worker) did not stop in time") }
      kill(worker, place.incarnation)
    }
  }

  /// Waits until the exchange has dealt with everything that was sent.
  func waitForExchange() async {
    for task in underWay { await task.value }
  }
}

/// The length of stretches of time that may overlap; no instant counts twice.
struct Stretches: Equatable, Sendable {
  private(set) var total: Int64 = 0
  private var open = 0
  private var start: Int64 = 0

  mutating func begin(at now: Int64) {
    if open == 0 { start = now }
    open += 1
  }

  mutating func end(at now: Int64) {
    open -= 1
    if open == 0 { total += now - start }
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
    endPause(worker)
    let place = places[worker]
    if let open = place.openTenure { tenures[open].gone = clock.now().boot }
    places[worker] = WorkerPlace()
    places[worker].incarnation = place.incarnation + 1
    places[worker].kills = place.kills
    places[worker].pauses = place.pauses
    places[worker].latency = place.latency
    // What was meant for this worker meets its successor.
    places[worker].armed = place.armed
    switch status {
    case .exited(0) where isStopping: return
    case .signaled(SIGKILL) where place.wasKilled:
      places[worker].kills += 1
    default:
      // A signal to the whole session also reaches the workers.
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
      strike(fault, fault.worker)
    case .anytime, .asked: places[fault.worker].armed.append(fault)
    case .permitted, .orderSent, .orderAccepted, .answered: armedForNextOrder.append(fault)
    }
  }

  /// Strikes the process that is in the place now, after the delay of the fault.
  private func strike(_ fault: Fault, _ worker: Int) {
    let incarnation = places[worker].incarnation
    keep(
      Task {
        try? await Task.sleep(for: fault.delay, tolerance: .zero)
        strike(fault, worker, incarnation)
      })
  }

  private func strike(_ fault: Fault, _ worker: Int, _ incarnation: Int) {
    switch fault.blow {
    case .kill: kill(worker, incarnation)
    case .pause(let length):
      guard pause(worker, incarnation) else { return }
      keep(
        Task {
          try? await Task.sleep(for: length, tolerance: .zero)
          resume(worker, incarnation)
        })
    }
  }

  private func kill(_ worker: Int, _ incarnation: Int) {
    guard let handle = handle(worker, incarnation) else { return }
    places[worker].wasKilled = true
    // Noted first: who dies of it may be heard of at once.
    note(.kill, worker, handle.pid)
    if let open = places[worker].openTenure, tenures[open].killed == nil {
      tenures[open].killed = strikes.last?.at
    }
    _ = handle.signal(.kill)
  }

  /// - Returns: whether the worker stands still now and was not stopped before.
  private func pause(_ worker: Int, _ incarnation: Int) -> Bool {
    guard !isStopping, let handle = handle(worker, incarnation), !places[worker].isPaused,
      handle.signal(.suspend)
    else { return false }
    places[worker].isPaused = true
    places[worker].mayHoldLock =
      places[worker].isAtName || places[worker].openCall != nil && !places[worker].isAtExchange
    if places[worker].mayHoldLock { lockHolders.begin(at: clock.now().boot) }
    places[worker].pauses += 1
    note(.pause, worker, handle.pid)
    return true
  }

  private func resume(_ worker: Int, _ incarnation: Int) {
    guard let handle = handle(worker, incarnation), places[worker].isPaused else { return }
    note(.resume, worker, handle.pid)
    _ = handle.signal(.resume)
    endPause(worker)
  }

  private func endPause(_ worker: Int) {
    if places[worker].mayHoldLock { lockHolders.end(at: clock.now().boot) }
    places[worker].isPaused = false
    places[worker].mayHoldLock = false
  }

  private func handle(_ worker: Int, _ incarnation: Int) -> WorkerHandle? {
    places[worker].incarnation == incarnation ? places[worker].handle : nil
  }

  private func note(_ kind: Strike.Kind, _ worker: Int, _ pid: Int32) {
    strikes.append(Strike(kind: kind, worker: worker, pid: pid, at: clock.now().boot))
  }

  private func keep(_ task: Task<Void, Never>) {
    underWay.append(task)
    if isStopping { task.cancel() }
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
      case .told(_, let answer, let busyErrors, let at): told(worker, answer, busyErrors, at)
      case .claim(let at): claims(worker, at)
      case .claimed(let answer, let at):
        change(worker, isOver: !answer.isTaken) {
          $0.told = at
          $0.answer = answer
        }
      case .leaving(let at):
        change(worker, isOver: false) { $0.leaving = at }
        places[worker].isAtName = true
      case .left(let at): change(worker, isOver: true) { $0.left = at }
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
    places[worker].validUntil = nil
    calls.append(Call(worker: worker, pid: handle.pid, bot: bots[bot], key: key, called: at))
    strikeWhoAsks(worker)
  }

  private func strikeWhoAsks(_ worker: Int) {
    if !places[worker].armed.isEmpty { strike(places[worker].armed.removeFirst(), worker) }
  }

  private func claims(_ worker: Int, _ at: Moment) {
    guard !names.isEmpty, let handle = places[worker].handle else {
      failures.append("worker \(worker) asked for a name that does not exist")
      return
    }
    places[worker].openTenure = tenures.count
    places[worker].isAtName = true
    let name = names[worker % names.count]
    tenures.append(Tenure(worker: worker, pid: handle.pid, name: name, asked: at))
    strikeWhoAsks(worker)
  }

  private func change(_ worker: Int, isOver: Bool, _ change: (inout Tenure) -> Void) {
    guard let open = places[worker].openTenure else {
      failures.append("worker \(worker) was told of a name without having asked")
      return
    }
    change(&tenures[open])
    places[worker].isAtName = false
    if isOver { places[worker].openTenure = nil }
  }

  private func ordered(
    _ worker: Int, _ number: Int, _ trade: Int64?, _ key: String, _ validUntil: Int64?,
    _ at: Moment
  ) {
    guard let open = places[worker].openCall, let handle = places[worker].handle else {
      failures.append("worker \(worker) sent an order without having asked")
      return
    }
    calls[open].ordered = at
    calls[open].trade = trade
    places[worker].validUntil = validUntil
    places[worker].isAtExchange = true
    admitted += 1
    places[worker].record(from: calls[open].called, to: at)
    let incarnation = places[worker].incarnation
    let fault = armedForNextOrder.isEmpty ? nil : armedForNextOrder.removeFirst()
    let order = PaperExchange.Incoming(
      key: key, bot: calls[open].bot, pid: handle.pid, validUntil: validUntil,
      stream: (worker, incarnation, number))
    keep(Task { await carry(order, of: worker, incarnation, call: open, fault) })
  }

  /// Takes an order to the exchange and the answer back, through the faults that wait for it.
  private func carry(
    _ order: PaperExchange.Incoming, of worker: Int, _ incarnation: Int, call: Int, _ fault: Fault?
  ) async {
    if let fault, fault.moment == .permitted {
      strike(fault, worker, incarnation)
      if case .pause(let length) = fault.blow {
        try? await Task.sleep(for: length, tolerance: .zero)
        resume(worker, incarnation)
      }
      // The order had not left yet, and the dead send nothing.
      guard handle(worker, incarnation) != nil, !places[worker].wasKilled else {
        calls[call].ordered = nil
        calls[call].trade = nil
        return
      }
    }
    // Whatever happens to the worker from here on: the order is on its way.
    if let fault, fault.moment == .orderSent { strike(fault, worker, incarnation) }
    let (decision, delay, isLost) = await exchange.execute(order)
    if let fault, fault.moment == .orderAccepted { strike(fault, worker, incarnation) }
    try? await Task.sleep(for: delay, tolerance: .zero)
    guard let handle = handle(worker, incarnation) else { return }
    places[worker].isAtExchange = false
    await handle.say(.reply(number: order.stream.number, isLost ? nil : decision))
    if let fault, fault.moment == .answered {
      try? await Task.sleep(for: fault.delay, tolerance: .zero)
      strike(fault, worker, incarnation)
    }
  }

  private func told(_ worker: Int, _ answer: Answer, _ busyErrors: Int, _ at: Moment) {
    guard let open = places[worker].openCall else {
      failures.append("worker \(worker) was told something without having asked")
      return
    }
    calls[open].told = at
    calls[open].answer = answer
    if calls[open].ordered == nil { places[worker].record(from: calls[open].called, to: at) }
    places[worker].openCall = nil
    self.busyErrors += busyErrors
    if case .denied = answer { denied += 1 }
    if case .filled = answer, let until = places[worker].validUntil, at.boot > until {
      lateFills += 1
    }
  }
}
