import Logging
import ServiceLifecycle
import TradeLedger

/// Where orders go. Yours has a network in it.
protocol Exchange: Sendable {
  /// - Throws: `OrderNotSent` where the order cannot have arrived. Any other error leaves the trade
  ///   in doubt.
  func send(_ order: Order, clientOrderID: String, validUntil: Timestamp) async throws -> Amount
}

struct PaperExchange: Exchange {
  func send(_ order: Order, clientOrderID: String, validUntil: Timestamp) async throws -> Amount {
    try await Task.sleep(for: .milliseconds(20))
    return try Amount("64250.10")
  }
}

/// Trades one bot as often as its cooldown allows.
struct Trader: Service {
  let ledger: Ledger
  let name: LedgerService
  let bot: BotName
  let exchange: any Exchange
  let logger: Logger

  func run() async throws {
    let claim = try await name.claim()
    logger.info("trading", metadata: ["bot": "\(bot)", "epoch": "\(claim.epoch)"])
    // Asked between two trades: one that is begun is settled first.
    while !Task.isShuttingDownGracefully {
      try Task.checkCancellation()
      try await pause(try await trade(claim))
    }
  }

  /// One signal. Yours brings its own key, so that it becomes one order however often it comes.
  /// - Returns: how long there is nothing to do.
  private func trade(_ claim: InstanceClaim) async throws -> Duration {
    let order = Order(
      bot: bot, side: .buy, symbol: try Symbol("BTC-USD"), quantity: try Amount("0.25"))
    let outcome = try await ledger.withTrade(order, instance: claim) { permit in
      let price = try await exchange.send(
        order, clientOrderID: permit.key.description, validUntil: permit.validUntil)
      return Fill(price: price)
    }
    switch outcome {
    case .filled(let trade):
      logger.info("filled", metadata: ["trade": "\(trade.id)"])
    case .denied(let denial) where denial.reason.isTransient:
      return denial.retryAfter ?? .seconds(1)
    case .denied(let denial):
      logger.warning("denied", metadata: ["reason": "\(denial.reason.rawValue)"])
      return .seconds(1)
    case .replayed, .void: break
    case .inDoubt(let trade, let error):
      logger.error("look it up", metadata: ["key": "\(trade.key)", "error": "\(error)"])
    }
    return .zero
  }

  /// Waits, but no shutdown does.
  private func pause(_ time: Duration) async throws {
    do {
      try await cancelWhenGracefulShutdown { try await Task.sleep(for: time) }
    } catch is CancellationError where Task.isShuttingDownGracefully {}
  }
}
