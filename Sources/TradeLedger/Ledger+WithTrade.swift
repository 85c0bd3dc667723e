internal import Logging

extension Ledger {
  /// Reserves, calls `exchange` with the permit while no lock is held, and settles by its result.
  ///
  /// - Parameters:
  ///   - order: what to trade, for which bot.
  ///   - exchange: sends the order and returns what the exchange said. It is called at most once,
  ///     and only if the lease still runs right before the call. If it throws ``OrderNotSent`` the
  ///     trade becomes void; if it throws anything else the order may have been sent, and the trade
  ///     stays on record until somebody settles it.
  ///   - key: as for ``reserve(_:key:token:instance:)``. On a replay `exchange` is not called.
  ///   - token: as for `reserve`.
  ///   - instance: as for `reserve`.
  /// - Throws: as `reserve` (nothing was sent). An error of the second phase has
  ///   `retry == .checkFirst`: the order *was* sent and its row stands; look the key up.
  ///
  /// **Lock**: none while `exchange` runs, so a slow exchange call delays no other bot (INV-9).
  public nonisolated(nonsending) func withTrade(
    _ order: Order, key: OrderKey? = nil, token: PermitToken? = nil,
    instance: InstanceClaim? = nil,
    exchange: nonisolated(nonsending) (Permit) async throws -> Fill
  ) async throws(LedgerError) -> TradeOutcome {
    let trade: Trade
    let permit: Permit
    switch try await reserve(order, key: key, token: token, instance: instance) {
    case .denied(let denial): return .denied(denial)
    case .replayed(let trade, _): return .replayed(trade)
    case .admitted(let admitted, let granted):
      trade = admitted
      permit = granted
    }
    let isLive: Bool
    do throws(LedgerError) { isLive = try await self.isLive(permit) } catch {
      throw error.beforeSending(trade)
    }
    guard isLive else {
      return try await settleAsVoid(trade, permit, "the lease was over before the exchange call")
    }
    let filled: Fill
    do {
      filled = try await exchange(permit)
    } catch let error as OrderNotSent {
      return try await settleAsVoid(trade, permit, error.reason)
    } catch {
      metrics.count("settled", bot: trade.bot, outcome: "in_doubt")
      options.logger.warning(
        LogMessage.tradeInDoubt,
        metadata: ["bot": "\(trade.bot)", "trade": "\(trade.id)", "key": "\(trade.key)"])
      return .inDoubt(trade, error)
    }
    do throws(LedgerError) {
      return outcome(of: try await fill(permit.trade, token: permit.token, filled))
    } catch {
      throw error.afterSending(trade)
    }
  }

  private func settleAsVoid(
    _ trade: Trade, _ permit: Permit, _ reason: String
  ) async throws(LedgerError) -> TradeOutcome {
    // A reason that the ledger would refuse must not keep a trade in doubt that was never sent.
    let text = (try? checkedReason(reason)) ?? "not sent"
    do throws(LedgerError) {
      return outcome(of: try await void(permit.trade, token: permit.token, reason: text))
    } catch {
      throw error.beforeSending(trade)
    }
  }

  private func outcome(of settled: SettleOutcome) -> TradeOutcome {
    switch settled {
    case .settled(let trade), .replayed(let trade):
      return trade.status == .void ? .void(trade) : .filled(trade)
    case .denied(let denial): return .denied(denial)
    }
  }
}

extension LedgerError {
  /// The same failure, met after the order was sent.
  fileprivate func afterSending(_ trade: Trade) -> LedgerError {
    LedgerError(
      code, "the order was sent, but its fill is not on record: \(message)",
      hint: "trade \(trade.id) of \(trade.bot) stands and counts; look key \(trade.key) up at the "
        + "exchange, then call fill again or resolve it",
      retry: .checkFirst)
  }

  /// The same failure, met when the row stood and the order was certainly not sent.
  fileprivate func beforeSending(_ trade: Trade) -> LedgerError {
    LedgerError(
      code, "the order was not sent, but its row stands: \(message)",
      hint:
        "trade \(trade.id) of \(trade.bot) counts until it is void; call void again, or resolve "
        + "it once its lease is over",
      retry: .checkFirst)
  }

  /// A state that the code excludes.
  static func bug(_ message: String) -> LedgerError {
    LedgerError(
      .internalError, message, hint: "this is a bug of TradeLedger; please report it")
  }
}
