internal import TradeLedger

/// What came of `execute`.
struct ExecutionResult {
  enum Outcome {
    case denied(Denial)
    /// The key was used before: the command was not run.
    case replayed(Trade)
    case filled(Trade)
    case void(Trade)
    /// The order may have been sent. The error is why even that could not be settled, if it was.
    case inDoubt(Trade, LedgerError?)
  }

  let outcome: Outcome
  /// nil: the command was not to be started.
  let end: CommandEnd?

  var exit: ExitStatus {
    switch outcome {
    case .filled: .yes
    case .denied, .replayed, .void: .no
    case .inDoubt: .internalError
    }
  }

  var json: JSON {
    switch outcome {
    case .denied(let denial): .denial(denial)
    case .replayed(let trade): answer("replayed", trade)
    case .filled(let trade): answer("filled", trade)
    case .void(let trade): answer("void", trade)
    case .inDoubt(let trade, let error):
      answer("in_doubt", trade).with(("error", error.map { Failure($0).json } ?? .null))
    }
  }

  private func answer(_ outcome: String, _ trade: Trade) -> JSON {
    .answer(outcome, trade).with(("command", command))
  }

  private var command: JSON {
    switch end {
    case nil: .null
    case .notStarted(let code):
      ["exit": nil, "signal": nil, "not_started": .string(systemMessage(code))]
    case .exited(let code): ["exit": .int(Int64(code)), "signal": nil, "not_started": nil]
    case .killed(let number): ["exit": nil, "signal": .int(Int64(number)), "not_started": nil]
    }
  }

  /// For people.
  var line: String {
    switch outcome {
    case .denied(let denial):
      "denied: \(denial.reason.readable); the command was not run"
    case .replayed(let trade):
      "replayed: the key belongs to trade \(trade.id) (\(trade.status.readable)); "
        + "the command was not run"
    case .filled(let trade): "filled: \(name(trade))"
    case .void(let trade): "void: \(name(trade)): \(trade.reason ?? "not sent")"
    case .inDoubt(let trade, _): "in doubt: \(name(trade))"
    }
  }

  /// The two lines of a trade that is left in doubt.
  var failure: Failure? {
    guard case .inDoubt(let trade, let error) = outcome else { return nil }
    let ended = end.map { "the command: \($0.readable)" } ?? "the command was not run"
    let why = error.map { ": \($0.message)" } ?? "; the order may have been sent"
    return Failure(
      "in_doubt", .internalError, "\(name(trade)) is in doubt: \(ended)\(why)",
      hint: "look key \(trade.key) up at the exchange, then "
        + "'tradeledger resolve \(trade.id) --filled' or '--void'")
  }

  private func name(_ trade: Trade) -> String {
    "trade \(trade.id) of \(trade.bot), key \(trade.key)"
  }
}

/// Reserve, run the command, settle.
struct Execution {
  let order: Order
  let key: OrderKey?
  let token: PermitToken?
  let claim: InstanceClaim?
  let notSentCode: Int32?
  let command: [String]

  /// - Throws: what `reserve` throws: nothing was run. Later failures are part of the result.
  func run(_ ledger: Ledger) async throws(LedgerError) -> ExecutionResult {
    CommandSignals.takeOver()
    switch try await ledger.reserve(order, key: key, token: token, instance: claim) {
    case .denied(let denial): return ExecutionResult(outcome: .denied(denial), end: nil)
    // Even a permit that came back is not run under: the first run may be at work.
    case .replayed(let trade, _): return ExecutionResult(outcome: .replayed(trade), end: nil)
    case .admitted(let trade, let permit): return await run(ledger, trade, permit)
    }
  }

  private func run(
    _ ledger: Ledger, _ trade: Trade, _ permit: Permit
  ) async -> ExecutionResult {
    guard (try? await ledger.isLive(permit)) == true else {
      let reason = "the permit was no longer good before the command was started"
      return await settle(ledger, trade, permit, nil, voidReason: reason)
    }
    if let signal = CommandSignals.first {
      let reason = "stopped by signal \(signal) before the command was started"
      return await settle(ledger, trade, permit, nil, voidReason: reason)
    }
    let end = ChildCommand.run(command, setting: variables(ledger, permit))
    switch end {
    case .exited(0): return await settle(ledger, trade, permit, end, voidReason: nil)
    case .notStarted:
      return await settle(
        ledger, trade, permit, end, voidReason: "the command \(end.readable)")
    case .exited(let code) where code == notSentCode:
      return await settle(
        ledger, trade, permit, end, voidReason: "the command said not sent (exit code \(code))")
    case .exited, .killed: return await leave(ledger, trade, end)
    }
  }

  private func variables(_ ledger: Ledger, _ permit: Permit) -> [(String, String)] {
    var variables = [
      ("TRADELEDGER_DB", ledger.place), ("TRADELEDGER_TRADE", permit.trade.description),
      ("TRADELEDGER_KEY", permit.key.description),
      ("TRADELEDGER_TOKEN", permit.token.description),
      ("TRADELEDGER_VALID_UNTIL", permit.validUntil.description),
    ]
    if let claim {
      variables.append(("TRADELEDGER_INSTANCE", claim.name.description))
      variables.append(("TRADELEDGER_EPOCH", claim.epoch.description))
    }
    return variables
  }

  /// Settles the trade, unless the command did so itself: a fill of ours on top of its void would
  /// be a conflict.
  private func settle(
    _ ledger: Ledger, _ trade: Trade, _ permit: Permit, _ end: CommandEnd?, voidReason: String?
  ) async -> ExecutionResult {
    do throws(LedgerError) {
      let found = try await ledger.trade(.id(trade.id))
      if let result = final(found, end) { return result }
      let outcome =
        if let voidReason {
          try await ledger.void(trade.id, token: permit.token, reason: voidReason)
        } else {
          try await ledger.fill(trade.id, token: permit.token)
        }
      let settled: Trade? =
        switch outcome {
        case .settled(let trade), .replayed(let trade): trade
        case .denied(let denial): denial.winner
        }
      return settled.flatMap { final($0, end) }
        ?? ExecutionResult(outcome: .inDoubt(found, nil), end: end)
    } catch {
      return ExecutionResult(outcome: .inDoubt(trade, error), end: end)
    }
  }

  /// Leaves the trade as it stands: the command may have sent the order.
  private func leave(
    _ ledger: Ledger, _ trade: Trade, _ end: CommandEnd
  ) async -> ExecutionResult {
    let found = (try? await ledger.trade(.id(trade.id))) ?? trade
    return final(found, end) ?? ExecutionResult(outcome: .inDoubt(found, nil), end: end)
  }

  private func final(_ trade: Trade, _ end: CommandEnd?) -> ExecutionResult? {
    switch trade.status {
    case .filled: ExecutionResult(outcome: .filled(trade), end: end)
    case .void: ExecutionResult(outcome: .void(trade), end: end)
    case .pending, .inDoubt: nil
    }
  }
}
