import LedgerTestSupport
import XCTest

@testable import TradeLedger

/// Settling as a pure rule: every combination of who settles what, how and when (INV-5, INV-6,
/// INV-7, S-09, S-10), against an oracle of its own.
final class SettlingRuleTests: XCTestCase {
  func testDecide_everyCombination() {
    var reached: Set<String> = []
    var count = 0
    for wanted in SettlingCase.all {
      let decision = Settling.decide(
        wanted.settlement, wanted.stored, currentEpoch: wanted.epoch.current, now: SettlingCase.now)
      count += 1
      reached.insert(wanted.expected.name)
      guard wanted.summary(of: decision) == wanted.expected else {
        XCTFail("\(wanted): \(wanted.summary(of: decision)), expected \(wanted.expected)")
        continue
      }
    }
    XCTAssertEqual(count, 3 * 4 * 6 * 3, "a dimension of the table was lost")
    XCTAssertEqual(
      reached,
      ["write", "replay", "wrong_token", "in_progress", "already_settled", "conflict"])
  }

  /// What a fill writes: the exchange's numbers where it gave some, else what was ordered.
  func testDecide_fill_fillsInWhatTheExchangeDidNotSay() throws {
    let order = Order.example(quantity: "0.5", price: "100")
    let stored = SettlingCase.stored(.running, order: order)
    let partial = Fill(quantity: try Amount("0.2"), price: try Amount("99.5"))
    for (fill, quantity, price) in [(Fill(), "0.5", "100"), (partial, "0.2", "99.5")] {
      let settlement = Settlement(
        trade: .id(TradeID(7)), outcome: .filled(fill),
        authority: .token(SettlingCase.token), reason: nil)
      guard
        case .write(let row, false) = Settling.decide(
          settlement, stored, currentEpoch: nil, now: SettlingCase.now)
      else { return XCTFail("not written") }
      XCTAssertEqual(row.quantity?.description, quantity)
      XCTAssertEqual(row.price?.description, price)
      XCTAssertEqual(row.receivedAt, SettlingCase.now.wall)
    }
  }

  /// The same fill again is a replay; a fill that differs in what was said before is not.
  func testDecide_fillAgain_isComparedByWhatWasSaid() throws {
    let at = reading(990).wall
    let stored = SettlingCase.stored(.filled, exchangeAt: at)
    let table: [(Fill, isReplay: Bool)] = [
      (Fill(), true), (Fill(at: at), true), (Fill(quantity: try Amount("0.50"), at: at), true),
      (Fill(at: reading(991).wall), false), (Fill(quantity: try Amount("0.4")), false),
      (Fill(price: try Amount("1")), false),
    ]
    for (fill, isReplay) in table {
      let settlement = Settlement(
        trade: .id(TradeID(7)), outcome: .filled(fill),
        authority: .token(SettlingCase.token), reason: nil)
      let decision = Settling.decide(
        settlement, stored, currentEpoch: nil, now: SettlingCase.now)
      let denial = SettlingDecision.deny(Denial(.alreadySettled, winner: stored.trade))
      XCTAssertEqual(decision, isReplay ? .replay : denial, "\(fill)")
    }
  }
}

private struct SettlingCase: CustomStringConvertible {
  enum Who: CaseIterable { case holder, stranger, `operator` }
  enum What: CaseIterable { case fill, fillOtherQuantity, fillOtherTime, void }
  enum Stored: CaseIterable {
    case running, leaseOver, inDoubt, filled, void, voidOfOperator
  }
  enum Claim: CaseIterable {
    case none, current, old

    /// The trade was reserved under epoch 4, or under no instance.
    var current: Epoch? {
      switch self {
      case .none: nil
      case .current: Epoch(4)
      case .old: Epoch(5)
      }
    }
  }
  let who: Who
  let what: What
  let before: Stored
  let epoch: Claim

  enum Answer: Equatable {
    case write(TradeStatus, throughDoubt: Bool, late: Bool, superseded: Bool, by: String)
    case replay
    case deny(Denial.Reason)
    case conflict

    var name: String {
      switch self {
      case .write: "write"
      case .replay: "replay"
      case .deny(let reason): reason.rawValue
      case .conflict: "conflict"
      }
    }
  }

  static let now = reading(1000, boot: 500)
  static let token = PermitToken(stored: "token-of-the-permit")

  static var all: [SettlingCase] {
    Who.allCases.flatMap { who in
      What.allCases.flatMap { what in
        Stored.allCases.flatMap { before in
          Claim.allCases.map { SettlingCase(who: who, what: what, before: before, epoch: $0) }
        }
      }
    }
  }

  /// From the contract: who may settle, what wins, what the loser learns.
  var expected: Answer {
    if who == .stranger { return .deny(.wrongToken) }
    let isFill = what != .void
    switch before {
    case .running where who == .operator: return .deny(.inProgress)
    case .running, .leaseOver, .inDoubt:
      return .write(
        isFill ? .filled : .void, throughDoubt: who == .operator && before == .leaseOver,
        late: before != .running, superseded: epoch == .old,
        by: who == .operator ? "operator" : Self.token.description)
    case .filled: return what == .fill ? .replay : .deny(.alreadySettled)
    case .void, .voidOfOperator:
      if !isFill { return .replay }
      return who == .holder ? .conflict : .deny(.alreadySettled)
    }
  }

  var settlement: Settlement {
    let outcome: Settlement.Outcome
    switch what {
    case .fill: outcome = .filled(Fill())
    case .fillOtherQuantity: outcome = .filled(Fill(quantity: Amount(stored: "0.1")))
    case .fillOtherTime: outcome = .filled(Fill(at: reading(960).wall))
    case .void: outcome = .void
    }
    let authority: Settlement.Authority
    switch who {
    case .holder: authority = .token(Self.token)
    case .stranger: authority = .token(PermitToken(stored: "token-of-a-stranger"))
    case .operator: authority = .operator
    }
    return Settlement(
      trade: .id(TradeID(7)), outcome: outcome, authority: authority, reason: "looked up")
  }

  var stored: StoredTrade {
    Self.stored(
      before, hasInstance: epoch != .none, exchangeAt: before == .filled ? reading(955).wall : nil)
  }

  static func stored(
    _ before: Stored, order: Order = .example(), hasInstance: Bool = false,
    exchangeAt: Timestamp? = nil
  ) -> StoredTrade {
    let statuses: [Stored: TradeStatus] = [
      .running: .pending, .leaseOver: .pending, .inDoubt: .inDoubt, .filled: .filled,
      .void: .void, .voidOfOperator: .void,
    ]
    let start = before == .running ? 980.0 : 950
    let isFilled = before == .filled
    let trade = Trade(
      id: TradeID(7), key: OrderKey(stored: "key-7"), order: order, origin: .reserve,
      status: statuses[before]!, createdAt: reading(start).wall, cooldown: .seconds(60),
      leaseUntil: reading(start + 30).wall, filledAt: isFilled ? reading(955).wall : nil,
      filledQuantity: isFilled ? order.quantity : nil, filledPrice: isFilled ? order.price : nil,
      exchangeAt: exchangeAt, receivedAt: before == .running ? nil : reading(956).wall,
      isLate: false, isSuperseded: false, isSettledByOperator: before == .voidOfOperator,
      reason: nil, pid: 1,
      instance: hasInstance
        ? InstanceClaim(name: InstanceName(stored: "trading_bot"), epoch: Epoch(4)) : nil)
    return StoredTrade(
      trade: trade, token: token, created: reading(start, boot: start - 500))
  }

  func summary(of decision: SettlingDecision) -> Answer {
    switch decision {
    case .write(let row, let throughDoubt):
      .write(
        row.status, throughDoubt: throughDoubt, late: row.isLate, superseded: row.isSuperseded,
        by: row.settledWith)
    case .replay: .replay
    case .deny(let denial): .deny(denial.reason)
    case .conflict: .conflict
    }
  }

  var description: String { "\(who) says \(what) of \(before), epoch \(epoch)" }
}
