import LedgerTestSupport
import TradeLedger

/// One case on a ledger of its own, by the public face of the library.
final class CaseRun {
  let test: TestLedger
  private var permits: [String: Permit] = [:]
  private var leases: [InstanceLease] = []

  init(at place: String? = nil) async throws { test = try await TestLedger(at: place) }

  /// What is answered; nil where nothing is asked.
  func perform(_ number: Int, _ step: Step) async throws -> Told? {
    let ledger = test.ledger
    switch step.do {
    case "bot":
      try await test.addBot(
        step.bot ?? "momentum", cooldown: .microseconds(step.cooldown ?? -1),
        lease: .microseconds(step.lease ?? -1),
        inDoubt: step.inDoubt.flatMap(InDoubtPolicy.init(rawValue:)) ?? .cooldown)
    case "set":
      _ = try await ledger.changeBot(
        BotName(step.bot ?? "momentum"),
        BotChange(
          cooldown: step.cooldown.map { .microseconds($0) },
          inDoubt: step.inDoubt.flatMap(InDoubtPolicy.init(rawValue:)), isEnabled: step.enabled))
    case "advance": test.clock.advance(.microseconds(step.us ?? 0))
    case "jump": test.clock.jumpWall(.microseconds(step.us ?? 0))
    case "reboot": test.clock.reboot(step.boot ?? "")
    case "take":
      let outcome = try await ledger.acquireInstance(InstanceName(step.instance ?? ""))
      guard case .acquired(let lease) = outcome else { throw NotPlayable("\(outcome)") }
      leases.append(lease)
    case "evict": _ = try await ledger.evictInstance(InstanceName(step.instance ?? ""))
    default:
      do throws(LedgerError) { return try await answer(number, step) } catch {
        return Told(error)
      }
    }
    return nil
  }

  struct NotPlayable: Error {
    let why: String
    init(_ why: String) { self.why = why }
  }

  private func answer(_ number: Int, _ step: Step) async throws(LedgerError) -> Told {
    let digits = String(String(10_000 + number).suffix(4))
    switch step.do {
    case "reserve": return try await reserve(step, digits)
    case "record": return try await record(step, digits)
    case "check":
      switch try await test.ledger.check(BotName(step.bot ?? "momentum")) {
      case .admissible: return .admissible
      case .denied(let denial): return Told(denial)
      }
    case "fill", "void": return try await settle(step)
    default:
      throw LedgerError(.internalError, "no such step: \(step.do)", hint: "look at the case")
    }
  }

  private func reserve(_ step: Step, _ digits: String) async throws(LedgerError) -> Told {
    let outcome = try await test.ledger.reserve(
      try order(step), key: OrderKey(step.key ?? "key-of-step-\(digits)"),
      token: PermitToken(step.token ?? "token-of-step-\(digits)"), instance: try claim(step))
    if let permit = outcome.permit { permits[step.as ?? ""] = permit }
    let more: [String: Word] = [
      "permit": .bool(outcome.permit != nil),
      "valid_until": Told.sinceStart(outcome.permit?.validUntil),
    ]
    switch outcome {
    case .admitted(let trade, _): return Told("admitted", trade, more)
    case .replayed(let trade, _): return Told("replayed", trade, more)
    case .denied(let denial): return Told(denial)
    }
  }

  private func record(_ step: Step, _ digits: String) async throws(LedgerError) -> Told {
    let fill = Fill(
      quantity: try amount(step.filledQuantity), price: try amount(step.filledPrice),
      at: at(step))
    let outcome = try await test.ledger.record(
      try order(step), fill: fill, key: OrderKey(step.key ?? "key-of-step-\(digits)"),
      instance: try claim(step))
    switch outcome {
    case .recorded(let trade): return Told("recorded", trade)
    case .replayed(let trade): return Told("replayed", trade)
    case .denied(let denial): return Told(denial)
    }
  }

  private func settle(_ step: Step) async throws(LedgerError) -> Told {
    let permit = permits[step.of ?? ""]
    let trade = step.trade.map { TradeID($0) } ?? permit?.trade ?? TradeID(0)
    let token = try PermitToken(step.token ?? permit?.token.description ?? "")
    let outcome =
      step.do == "void"
      ? try await test.ledger.void(trade, token: token, reason: step.reason ?? "not sent")
      : try await test.ledger.fill(
        trade, token: token,
        Fill(quantity: try amount(step.quantity), price: try amount(step.price), at: at(step)))
    switch outcome {
    case .settled(let trade): return Told("settled", trade)
    case .replayed(let trade): return Told("replayed", trade)
    case .denied(let denial): return Told(denial)
    }
  }

  private func order(_ step: Step) throws(LedgerError) -> Order {
    Order(
      bot: try BotName(step.bot ?? "momentum"), side: step.side == "sell" ? .sell : .buy,
      symbol: try Symbol(step.symbol ?? "BTC-USD"), quantity: try Amount(step.quantity ?? "1"),
      price: try amount(step.price))
  }

  private func amount(_ text: String?) throws(LedgerError) -> Amount? {
    guard let text else { return nil }
    return try Amount(text)
  }

  private func at(_ step: Step) -> Timestamp? {
    step.at.map { Timestamp(microseconds: Told.start.microseconds + $0) }
  }

  private func claim(_ step: Step) throws(LedgerError) -> InstanceClaim? {
    guard let name = step.instance, let epoch = step.epoch else { return nil }
    return InstanceClaim(name: try InstanceName(name), epoch: Epoch(epoch))
  }
}
