internal import TradeLedger

/// How far a simulation is.
public struct SimulationProgress: Sendable {
  public let elapsed: Duration
  public let duration: Duration
  public let admitted: Int
  public let denied: Int
  public let kills: Int
  public let pauses: Int
}

/// Runs worker processes against each other and judges what came of it.
public struct Simulation: Sendable {
  private let options: SimulationOptions
  private let store: any StrategyStore
  private let run: String
  private let plan: FaultPlan
  private let exchange: PaperExchange
  private let floor: Floor
  /// nil where no clock is to be moved.
  private let clock: ClockSetter?
  private let directory: String
  private let cleaner: CleanupScript

  /// Runs a simulation to its end, or to SIGINT, SIGTERM or SIGHUP.
  ///
  /// Whatever happens, no worker and no temporary directory is left behind. (If this very process
  /// is killed the workers end by themselves, and the directory stays.)
  ///
  /// - Parameters:
  ///   - history: keeps all the evidence, for ``History/judge(path:)``.
  ///   - progress: called a few times a second.
  /// - Throws: `invalidInput`; ``HistoryError`` where `history` cannot be written;
  ///   `configuration` where `ledgerPath` is a ledger of another mode;
  ///   whatever opening a ledger throws; `internal` where workers cannot be started.
  public static func run(
    _ options: SimulationOptions, history: HistoryFile? = nil,
    progress: @escaping @Sendable (SimulationProgress) -> Void
  ) async throws -> SimulationResult {
    try options.validate()
    Interruption.takeOver()
    let scratch = try ScratchDirectory("simulation")
    defer { scratch.remove() }
    if options.strategy != .ledger, let path = options.ledgerPath {
      try await refuseForeignLedger(path)
    }
    let simulation = try Simulation(options, directory: scratch.path)
    try await simulation.store.prepare()
    let found = try await simulation.simulate(progress)
    try history?.keep(found)
    return found.result()
  }

  private init(_ options: SimulationOptions, directory: String) throws(LedgerError) {
    self.options = options
    run = String(UInt32.random(in: 0...UInt32.max), radix: 36)
    store = options.strategy.store(options, run: run, directory: directory)
    plan = FaultPlan(options)
    exchange = PaperExchange(options)
    floor = Floor(options, bots: store.bots, names: store.names, exchange: exchange)
    self.directory = directory
    cleaner = CleanupScript(run: directory, ledger: store.path)
    clock = options.chaos.contains(.clock) ? try ClockSetter(directory + "/clock") : nil
  }

  /// A strategy that keeps its trades elsewhere does not touch the ledger that is named; naming
  /// anything but a simulation is refused all the same.
  private static func refuseForeignLedger(_ path: String) async throws(LedgerError) {
    var opening = Ledger.Options()
    opening.access = .readOnly
    let ledger: Ledger
    do throws(LedgerError) {
      ledger = try await Ledger.open(path, options: opening)
    } catch {
      if error.code == .noLedger { return }
      throw error
    }
    await ledger.close()
    guard ledger.mode == .simulation else {
      throw LedgerError(
        .configuration, "\(escaped(path)) is a \(ledger.mode.rawValue) ledger",
        hint: "simulate on a ledger of mode simulation, or without --db")
    }
  }

  private func simulate(
    _ progress: @escaping @Sendable (SimulationProgress) -> Void
  ) async throws -> History {
    let trading = try await withThrowingTaskGroup(of: Void.self) { group in
      for worker in 0..<options.workers {
        group.addTask { await keepFilled(worker) }
      }
      let trading = await conduct(progress)
      await stopWorkers()
      try await group.waitForAll()
      return trading
    }
    await floor.waitForExchange()
    let jumps = trading.jumps
    if let failure = await floor.startFailure, Interruption.signal == nil {
      throw LedgerError(
        .internalError, "the workers cannot work: \(failure)",
        hint: "run with --verbose, or try the same command on its own: tradeledger doctor")
    }
    let stored = try await store.rows()
    let evidence = Evidence(
      isSerial: !Ledger.isServer(store.path), calls: await floor.calls, rows: stored.rows,
      orders: await exchange.orders, bots: stored.bots, conflicts: stored.conflicts,
      clockJumps: jumps, strikes: await floor.strikes, tenures: await floor.tenures)
    var faults = await floor.faults
    faults.cleanups = trading.cleanups
    faults.filesDeleted = trading.filesDeleted
    return History(
      options: options, elapsed: trading.elapsed, interruption: Interruption.signal,
      failures: await floor.failures, kills: await floor.places.map(\.kills),
      faults: faults, evidence: evidence)
  }

  /// Starts one process after the other in a worker's place.
  private func keepFilled(_ worker: Int) async {
    while let incarnation = await floor.nextIncarnation(worker) {
      let configuration = WorkerConfiguration(
        strategy: options.strategy, path: store.path, bots: store.bots, worker: worker,
        incarnation: incarnation, seed: options.seed, run: run, cooldown: options.cooldown,
        lockWait: options.lockWait, exchangeLatency: options.exchangeLatency,
        clockPath: clock?.path, directory: directory,
        instance: store.names.isEmpty ? nil : store.names[worker % store.names.count],
        instances: store.names.count)
      do {
        let status = try await runWorkerProcess(
          configuration, command: options.command(of: worker),
          started: { await floor.started(worker, $0) },
          heard: { await floor.hear($0, from: worker) })
        await floor.ended(worker, status)
      } catch {
        await floor.couldNotStart("worker \(worker) could not be started: \(error)")
        return
      }
    }
  }

  /// Opens the barrier when all workers are there, and lets them trade while faults strike.
  /// - Returns: how long they traded, and what was done to clock and files meanwhile.
  private func conduct(
    _ progress: @Sendable (SimulationProgress) -> Void
  ) async -> Trading {
    var trading = Trading()
    let begin = ContinuousClock.now
    while await !floor.areAllReady {
      if .now - begin > .seconds(60) { await floor.couldNotStart("not ready after a minute") }
      if await shouldGiveUp() { return trading }
      await tick()
    }
    await floor.go()
    let start = ContinuousClock.now
    var pending = plan.faults[...]
    var pendingJumps = plan.jumps[...]
    var pendingCleanups = plan.cleanups[...]
    var shown = start
    while .now - start < options.duration {
      if await shouldGiveUp() { break }
      while let fault = pending.first, .now - start >= fault.at {
        pending.removeFirst()
        await floor.arm(fault)
      }
      while let jump = pendingJumps.first, .now - start >= jump.at {
        pendingJumps.removeFirst()
        if let jump = clock?.set(jump.offset) { trading.jumps.append(jump) }
      }
      if let at = pendingCleanups.first, .now - start >= at {
        pendingCleanups.removeFirst()
        trading.filesDeleted += cleaner.run()
        trading.cleanups += 1
      }
      if .now - shown >= .milliseconds(100) {
        shown = .now
        await show(progress, elapsed: .now - start)
      }
      await tick()
    }
    trading.elapsed = min(.now - start, options.duration)
    return trading
  }

  /// How long the workers traded, and what was done to all of them meanwhile.
  private struct Trading {
    var elapsed = Duration.zero
    var jumps: [ClockJump] = []
    var cleanups = 0
    var filesDeleted = 0
  }

  private func show(
    _ progress: @Sendable (SimulationProgress) -> Void, elapsed: Duration
  ) async {
    let counts = await floor.counts
    progress(
      SimulationProgress(
        elapsed: min(elapsed, options.duration), duration: options.duration,
        admitted: counts.admitted, denied: counts.denied, kills: counts.faults.kills,
        pauses: counts.faults.pauses))
  }

  private func shouldGiveUp() async -> Bool {
    if Interruption.signal != nil { return true }
    return await floor.startFailure != nil
  }

  /// Lets the attempts under way end, but does not wait for ever.
  private func stopWorkers() async {
    await floor.stop()
    let patience = options.lockWait * 2 + options.exchangeLatency.upperBound + .seconds(5)
    let begin = ContinuousClock.now
    while await !floor.areAllGone {
      let isHasty = Interruption.signal != nil
      if .now - begin > (isHasty ? .seconds(1) : patience) {
        await floor.killStragglers(isFailure: !isHasty)
      }
      await tick()
    }
  }

  private func tick() async { try? await Task.sleep(for: .milliseconds(10), tolerance: .zero) }
}
