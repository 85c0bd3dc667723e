internal import Logging

/// Runs operations and reports them: one place for log lines and metrics.
extension Ledger {
  func measured(_ attempt: Attempt) async throws(LedgerError) -> AttemptOutcome {
    let start = ContinuousClock.now
    let outcome: AttemptOutcome
    do throws(LedgerError) {
      outcome = try await engine.attempt(attempt, wait: WaitLimit(options.lockWait))
    } catch {
      metrics.count(
        "attempts", bot: error.code == .noSuchBot ? nil : attempt.order.bot, outcome: "error",
        reason: error.code.description)
      throw error
    }
    metrics.attemptTook(ContinuousClock.now - start)
    report(outcome, of: attempt)
    return outcome
  }

  func settle(_ settlement: Settlement) async throws(LedgerError) -> SettleOutcome {
    let outcome: SettleOutcome
    do throws(LedgerError) {
      outcome = try await engine.settle(settlement, wait: WaitLimit(options.lockWait))
    } catch {
      metrics.count("settled", bot: nil, outcome: "error", reason: error.code.description)
      throw error
    }
    if case .settled(let trade) = outcome {
      metrics.count("settled", bot: trade.bot, outcome: trade.status.rawValue)
      options.logger.info(
        LogMessage.tradeSettled,
        metadata: [
          "bot": "\(trade.bot)", "trade": "\(trade.id)", "status": "\(trade.status.rawValue)",
          "late": "\(trade.isLate)",
        ])
    }
    return outcome
  }

  private func report(_ outcome: AttemptOutcome, of attempt: Attempt) {
    let bot = attempt.order.bot
    switch outcome {
    case .admitted(let trade, _):
      metrics.count("attempts", bot: bot, outcome: "admitted")
      options.logger.info(
        LogMessage.tradeLockAcquired,
        metadata: ["bot": "\(bot)", "trade": "\(trade.id)", "key": "\(trade.key)"])
    case .replayed: metrics.count("attempts", bot: bot, outcome: "replayed")
    case .denied(let denial):
      metrics.count("attempts", bot: bot, outcome: "denied", reason: denial.reason.rawValue)
      let isCooldown = denial.reason == .cooldown
      options.logger.info(
        isCooldown ? LogMessage.cooldownRemaining : LogMessage.tradeDenied,
        metadata: [
          "bot": "\(bot)", "reason": "\(denial.reason.rawValue)",
          "remaining": "\(denial.retryAfter?.readable ?? "-")",
          "winner": "\(denial.winner.map { $0.id.description } ?? "-")",
        ])
    }
  }
}
