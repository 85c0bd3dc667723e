internal import TradeLedger

/// Trades through the ledger, as its users do.
final class LedgerStrategy: WorkerStrategy {
  private let ledger: Ledger
  /// nil: it trades without one.
  private let name: InstanceName?
  private var lease: InstanceLease?
  private let litter: Litter?

  init(_ configuration: WorkerConfiguration) async throws(LedgerError) {
    name = try configuration.instance.map { text throws(LedgerError) in try InstanceName(text) }
    litter = name == nil ? nil : Litter(configuration)
    var options = Ledger.Options()
    options.lockWait = configuration.lockWait
    if let path = configuration.clockPath { options.clock = try JumpingClock(path) }
    // A short wait limit is for attempts; that a worker gets in at all is not at stake here.
    let deadline = ContinuousClock.now + .seconds(30)
    while true {
      do throws(LedgerError) {
        ledger = try await Ledger.open(configuration.path, options: options)
        return
      } catch {
        guard error.code == .busy, .now < deadline else { throw error }
        try? await Task.sleep(for: .milliseconds(5))
      }
    }
  }

  nonisolated(nonsending) func attempt(
    _ order: Order, key: OrderKey, token: PermitToken, send: SendOrder
  ) async -> Attempted {
    var wasSent = false
    litter?.drop()
    do throws(LedgerError) {
      let outcome = try await ledger.withTrade(
        order, key: key, token: token, instance: lease?.claim
      ) {
        permit in
        wasSent = true
        let executedAt = try await send(
          Ticket(
            trade: permit.trade.value, key: permit.key.description,
            validUntil: (permit.bootValidUntil?.microseconds ?? permit.validUntil.microseconds)))
        return Fill(at: Timestamp(microseconds: executedAt))
      }
      return LedgerStrategy.attempted(outcome)
    } catch {
      return Attempted(answer: LedgerStrategy.answer(error, wasSent: wasSent))
    }
  }

  nonisolated(nonsending) func claim() async -> NameAnswer {
    guard let name else { return .failed(code: "no_instances") }
    do throws(LedgerError) {
      switch try await ledger.acquireInstance(name) {
      case .denied: return .held
      case .acquired(let lease):
        self.lease = lease
        litter?.drop()
        return .taken(epoch: lease.epoch.value)
      }
    } catch {
      return error.code == .busy ? .busy : .failed(code: error.code.description)
    }
  }

  /// Whoever is told "busy" still has the name, and tries again.
  nonisolated(nonsending) func leave() async throws {
    guard let lease else { return }
    let deadline = ContinuousClock.now + .seconds(30)
    while true {
      do throws(LedgerError) {
        // Whether it still had the name is for the checker to say.
        try await lease.release()
        self.lease = nil
        return
      } catch {
        guard error.code == .busy, .now < deadline else { throw error }
      }
    }
  }

  nonisolated(nonsending) func close() async { await ledger.close() }

  private static func attempted(_ outcome: TradeOutcome) -> Attempted {
    switch outcome {
    case .filled(let trade): Attempted(answer: .filled(trade: trade.id.value))
    case .void(let trade): Attempted(answer: .void(trade: trade.id.value))
    case .replayed(let trade): Attempted(answer: .replayed(trade: trade.id.value))
    case .inDoubt(let trade, _): Attempted(answer: .inDoubt(trade: trade.id.value))
    case .denied(let denial):
      Attempted(
        answer: .denied(
          reason: denial.reason.rawValue, winner: denial.winner.map { $0.id.value }),
        retryAfter: denial.retryAfter)
    }
  }

  private static func answer(_ error: LedgerError, wasSent: Bool) -> Answer {
    switch error.code {
    case .busy where !wasSent && error.retry == .safe: .busy
    case .busy, .outcomeUnknown: .unknown(code: error.code.description)
    default: .failed(code: error.code.description)
    }
  }
}

/// A ledger of mode `simulation`.
struct LedgerStore: StrategyStore {
  let path: String
  let bots: [String]
  let names: [String]
  private let options: SimulationOptions

  init(_ options: SimulationOptions, run: String, directory: String) {
    self.options = options
    path = options.ledgerPath ?? directory + "/ledger.db"
    // Bots of a ledger that stays must not meet those of an earlier run.
    let prefix = options.ledgerPath == nil ? "" : "run-\(run)/"
    bots = (1...options.bots).map { "\(prefix)bot-\($0)" }
    names = (0..<options.instanceNames).map { "\(prefix)instance-\($0 + 1)" }
  }

  func prepare() async throws {
    var opening = Ledger.Options()
    opening.lockWait = options.lockWait
    let ledger = try await Ledger.create(path, mode: .simulation, options: opening)
    do throws(LedgerError) {
      let settings = try BotSettings(cooldown: options.cooldown, lease: options.lease)
      for bot in bots { _ = try await ledger.addBot(try BotName(bot), settings) }
    } catch {
      await ledger.close()
      throw error
    }
    await ledger.close()
  }

  func rows() async throws -> StoredRows { try LedgerRows.read(path, bots: Set(bots)) }
}
