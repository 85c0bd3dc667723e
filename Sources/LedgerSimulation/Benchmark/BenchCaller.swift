internal import TradeLedger

/// One of the callers in a worker process: asks, waits for the answer, asks again.
struct BenchCaller: Sendable {
  private let benchCase: BenchCase
  private let ledger: Ledger
  private let orders: [Order]
  private let instance: InstanceName

  static func all(
    _ configuration: BenchConfiguration, _ ledger: Ledger
  ) throws(LedgerError) -> [BenchCaller] {
    let worker = configuration.worker
    let benchCase = configuration.benchCase
    let all = BenchBots(run: configuration.run)
    let bots: [[String]]
    switch benchCase {
    case .deny: bots = [[all.denied(worker)]]
    case .hotBot: bots = [[all.hot]]
    case .batch: bots = all.of(worker, benchCase).map { [$0] }
    default: bots = [all.of(worker, benchCase)]
    }
    var callers: [BenchCaller] = []
    for names in bots {
      var orders: [Order] = []
      for name in names {
        orders.append(
          Order(
            bot: try BotName(name), side: .buy, symbol: try Symbol("BTC-USD"),
            quantity: try Amount("0.25")))
      }
      callers.append(
        BenchCaller(
          benchCase: benchCase, ledger: ledger, orders: orders,
          instance: try InstanceName("\(configuration.run)/desk-\(worker)")))
    }
    return callers
  }

  /// Asks as often as answers come.
  func saturate(
    from start: ContinuousClock.Instant, for duration: Duration
  ) async throws -> BenchReport {
    var report = BenchReport()
    let end = start + duration
    var before = ContinuousClock.now
    var number = 0
    while before < end {
      let isAnswered = try await operate(number)
      let after = ContinuousClock.now
      report.record(after - before)
      if isAnswered { report.operations += 1 } else { report.unanswered += 1 }
      number += 1
      before = after
    }
    report.elapsed = before - start
    return report
  }

  /// Asks at a rate.
  func keep(_ pace: OpenLoop, from start: ContinuousClock.Instant) async throws -> BenchReport {
    try await pace.run(from: start) { number in try await operate(number) }
  }

  /// - Returns: whether there was an answer. (`busy` is none, and nothing was written.)
  /// - Throws: whatever else may go wrong, and an answer that the case does not expect.
  private func operate(_ number: Int) async throws(LedgerError) -> Bool {
    let order = orders[number % orders.count]
    do throws(LedgerError) {
      switch benchCase {
      case .accept, .batch, .growth:
        guard case .recorded = try await ledger.record(order) else { throw unexpected() }
      case .twoPhase: try await trade(order)
      case .deny:
        guard case .denied = try await ledger.reserve(order) else { throw unexpected() }
      case .hotBot:
        switch try await ledger.record(order) {
        case .recorded, .denied: break
        case .replayed: throw unexpected()
        }
      case .guard:
        guard case .acquired(let lease) = try await ledger.acquireInstance(instance) else {
          throw unexpected()
        }
        try await lease.release()
      }
      return true
    } catch {
      guard error.code == .busy else { throw error }
      return false
    }
  }

  private func trade(_ order: Order) async throws(LedgerError) {
    guard case .admitted(let trade, let permit) = try await ledger.reserve(order) else {
      throw unexpected()
    }
    while true {
      do throws(LedgerError) {
        guard case .settled = try await ledger.fill(trade.id, token: permit.token) else {
          throw unexpected()
        }
        return
      } catch {
        // The row stands and occupies the bot until it is settled.
        guard error.code == .busy else { throw error }
      }
    }
  }

  private func unexpected() -> LedgerError {
    LedgerError(
      .internalError, "an answer that the case \(benchCase.rawValue) does not expect",
      hint: "is somebody else at work on this ledger?")
  }
}
