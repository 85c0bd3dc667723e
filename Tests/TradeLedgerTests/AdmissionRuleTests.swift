import LedgerTestSupport
import XCTest

@testable import TradeLedger

/// Admission as a pure rule: every combination of small facts, against an oracle that is written
/// from the contract's list and shares nothing with the library but its types.
final class AdmissionRuleTests: XCTestCase {
  func testDecide_everyCombination_followsThePrecedence() {
    var reached: Set<String> = []
    var count = 0
    for facts in AdmissionCase.all {
      let decision = Admission.decide(facts.attempt, facts: facts.facts, now: AdmissionCase.now)
      let expected = facts.expected
      count += 1
      reached.insert(expected.name)
      guard facts.summary(of: decision) == expected else {
        XCTFail("\(facts): \(facts.summary(of: decision)), expected \(expected)")
        continue
      }
    }
    XCTAssertEqual(count, 18_360, "a dimension of the table was lost")
    XCTAssertEqual(
      reached,
      [
        "admit", "replay with permit", "replay", "superseded", "key_conflict", "disabled",
        "in_progress", "in_doubt", "cooldown",
      ], "an answer that the table never reaches is not tested")
  }

  /// INV-7: the denial names the epoch that is current now.
  func testDecide_superseded_namesTheCurrentEpoch() throws {
    let claim = InstanceClaim(name: try InstanceName("trading_bot"), epoch: Epoch(3))
    var facts = AdmissionCase.openFacts
    facts.currentEpoch = Epoch(4)
    let decision = Admission.decide(
      AdmissionCase.attempt(.reserve(token: AdmissionCase.token), claim), facts: facts,
      now: AdmissionCase.now)
    guard case .deny(let denial, nil) = decision.verdict else { return XCTFail("\(decision)") }
    XCTAssertEqual(denial.reason, .superseded)
    XCTAssertEqual(
      denial.holder?.instance, InstanceClaim(name: claim.name, epoch: Epoch(4)))
    XCTAssertFalse(denial.isTransient)
    XCTAssertNil(denial.retryAfter)
  }

  /// The longer of two waits is the answer, whichever caused it.
  func testDecide_tradeAndConflictBothInsideTheCooldown_waitsForTheLater() {
    for (trade, conflict, winner) in [(90.0, 40.0, 1), (40.0, 90.0, 2), (60.0, 60.0, 1)] {
      var facts = AdmissionCase.openFacts
      facts.lastTrades = [.init(id: TradeID(1), at: reading(1000 - 100 + trade))]
      facts.lastConflicts = [.init(id: TradeID(2), at: reading(1000 - 100 + conflict))]
      let decision = Admission.decide(nil, facts: facts, now: reading(1000))
      guard case .deny(let denial, let id) = decision.verdict else {
        XCTFail("\(decision)")
        continue
      }
      XCTAssertEqual(id, TradeID(Int64(winner)))
      XCTAssertEqual(denial.retryAfter, .seconds(max(trade, conflict)))
    }
  }

  /// After a jump the last trade by the wall clock is another one than the last by the boot clock.
  /// Each holds the bot up.
  func testDecide_lastByWallAndLastByBoot_bothHoldTheBotUp() {
    let table: [(now: ClockReading, wait: Double, winner: Int64)] = [
      (reading(5000, boot: 520), 80, 2), (reading(4020, boot: 700), 80, 1),
      (reading(4090, boot: 590), 10, 1), (reading(4095, boot: 590), 10, 2),
    ]
    var facts = AdmissionCase.openFacts
    facts.lastTrades = [
      .init(id: TradeID(1), at: reading(4000, boot: 100)),
      .init(id: TradeID(2), at: reading(900, boot: 500)),
    ]
    for row in table {
      let decision = Admission.decide(nil, facts: facts, now: row.now)
      guard case .deny(let denial, let winner) = decision.verdict else {
        XCTFail("\(row) \(decision)")
        continue
      }
      XCTAssertEqual(winner, TradeID(row.winner), "\(row)")
      XCTAssertEqual(denial.retryAfter, .seconds(row.wait), "\(row)")
    }
    let open = Admission.decide(nil, facts: facts, now: reading(4100, boot: 600))
    XCTAssertEqual(open.verdict, .admit)
  }

  /// Each field of an order is content: another value under the same key is another order (S-20).
  func testDecide_sameKey_eachFieldOfTheOrderIsContent() throws {
    let base = Order.example(price: "100")
    let others = [
      Order.example("other/BTC-USD", price: "100"), .example(side: .sell, price: "100"),
      .example(quantity: "0.51", price: "100"), .example(price: "100.01"), .example(),
      Order(
        bot: base.bot, side: base.side, symbol: try Symbol("ETH-USD"), quantity: base.quantity,
        price: base.price),
    ]
    for (order, isSame) in others.map({ ($0, false) })
      + [(base, true), (.example(quantity: "0.500", price: "0100.0"), true)]
    {
      var facts = AdmissionCase.openFacts
      facts.sameKey = AdmissionCase.stored(id: 7, order: base, status: .pending, leaseLeft: 5)
      let attempt = Attempt(
        order: order, key: AdmissionCase.key, kind: .reserve(token: AdmissionCase.token),
        instance: nil)
      let verdict = Admission.decide(attempt, facts: facts, now: AdmissionCase.now).verdict
      if isSame {
        XCTAssertEqual(verdict, .replay(withPermit: true), "\(order)")
      } else {
        guard case .deny(let denial, _) = verdict else { return XCTFail("\(order) \(verdict)") }
        XCTAssertEqual(denial.reason, .keyConflict, "\(order)")
        XCTAssertEqual(denial.winner?.id, TradeID(7))
      }
    }
  }
}

/// One combination of facts, with what the contract says about it.
private struct AdmissionCase: CustomStringConvertible {
  enum Claim: CaseIterable { case none, current, old, unknownName }
  enum Kind: CaseIterable { case check, reserve, record, past }
  enum SameKey: CaseIterable {
    case none, liveSameToken, liveOtherToken, leaseOver, filled, void, otherContent
  }
  enum Pending: CaseIterable { case none, leaseRuns, leaseOver }
  enum Before: CaseIterable { case none, inside, atTheEdge }

  let claim: Claim
  let kind: Kind
  let sameKey: SameKey
  let isEnabled: Bool
  let pending: Pending
  let hasDoubtful: Bool
  let policy: InDoubtPolicy
  let lastTrade: Before
  let lastConflict: Before

  /// What came out, in a form in which both sides can say it.
  enum Answer: Equatable {
    case admit(expired: Bool)
    case replay(withPermit: Bool)
    case deny(Denial.Reason, winner: Int64?, wait: Duration?, expired: Bool)

    var name: String {
      switch self {
      case .admit: "admit"
      case .replay(let withPermit): withPermit ? "replay with permit" : "replay"
      case .deny(let reason, _, _, _): reason.rawValue
      }
    }
  }

  static let now = reading(1000, boot: 500)
  static let token = PermitToken(stored: "token-of-the-caller")
  static let key = OrderKey(stored: "key-1")
  static let cooldown = Duration.seconds(100)

  static var all: [AdmissionCase] {
    var result: [AdmissionCase] = []
    for kind in Kind.allCases {
      for claim in Claim.allCases where kind != .check || claim == .none {
        for sameKey in SameKey.allCases where kind != .check || sameKey == .none {
          result += neighbours(claim, kind, sameKey)
        }
      }
    }
    return result
  }

  private static func neighbours(
    _ claim: Claim, _ kind: Kind, _ sameKey: SameKey
  ) -> [AdmissionCase] {
    var result: [AdmissionCase] = []
    for isEnabled in [true, false] {
      for pending in Pending.allCases {
        for hasDoubtful in [true, false] {
          for policy in InDoubtPolicy.allCases {
            for lastTrade in Before.allCases {
              for lastConflict in Before.allCases {
                result.append(
                  AdmissionCase(
                    claim: claim, kind: kind, sameKey: sameKey, isEnabled: isEnabled,
                    pending: pending, hasDoubtful: hasDoubtful, policy: policy,
                    lastTrade: lastTrade, lastConflict: lastConflict))
              }
            }
          }
        }
      }
    }
    return result
  }

  // MARK: What the contract says, as a list in its order

  var expected: Answer {
    let asksToTradeNow = kind != .past
    let expires = asksToTradeNow && isEnabled && pending == .leaseOver
    let questions: [(applies: Bool, answer: Answer)] = [
      // 2. the caller's epoch is not current
      (
        claim == .old || claim == .unknownName,
        .deny(.superseded, winner: nil, wait: nil, expired: false)
      ),
      // 3. the key names a trade
      (
        sameKey == .otherContent,
        .deny(.keyConflict, winner: 70, wait: nil, expired: false)
      ),
      (
        sameKey != .none,
        .replay(withPermit: kind == .reserve && sameKey == .liveSameToken)
      ),
      // a fact of the past is never denied for its neighbours
      (kind == .past, .admit(expired: false)),
      // 4.
      (!isEnabled, .deny(.disabled, winner: nil, wait: nil, expired: false)),
      // 5.
      (
        pending == .leaseRuns,
        .deny(.inProgress, winner: 50, wait: .seconds(12), expired: false)
      ),
      // 6. (the older doubt is named)
      (
        policy == .block && hasDoubtful,
        .deny(.inDoubt, winner: 20, wait: nil, expired: expires)
      ),
      (policy == .block && expires, .deny(.inDoubt, winner: 50, wait: nil, expired: true)),
      // 7. the trade was 40 s ago, the conflict 30 s ago
      (
        lastConflict == .inside,
        .deny(.cooldown, winner: 90, wait: .seconds(70), expired: expires)
      ),
      (
        lastTrade == .inside,
        .deny(.cooldown, winner: 80, wait: .seconds(60), expired: expires)
      ),
      // 8.
      (true, .admit(expired: expires)),
    ]
    return questions.first { $0.applies }!.answer
  }

  // MARK: The same facts for the library

  var attempt: Attempt? {
    let claims: [Claim: Int64] = [.current: 4, .old: 3, .unknownName: 1]
    let named = claims[claim].map {
      InstanceClaim(name: InstanceName(stored: "trading_bot"), epoch: Epoch($0))
    }
    switch kind {
    case .check: return nil
    case .reserve: return Self.attempt(.reserve(token: Self.token), named)
    case .record: return Self.attempt(.record(Fill()), named)
    case .past: return Self.attempt(.past(Fill(), at: reading(5).wall), named)
    }
  }

  static func attempt(_ kind: Attempt.Kind, _ claim: InstanceClaim?) -> Attempt {
    Attempt(order: .example(), key: key, kind: kind, instance: claim)
  }

  static var openFacts: AdmissionFacts {
    AdmissionFacts(
      settings: BotSettings(
        storedCooldown: cooldown, lease: .seconds(30), inDoubt: .cooldown, isEnabled: true))
  }

  var facts: AdmissionFacts {
    AdmissionFacts(
      settings: BotSettings(
        storedCooldown: Self.cooldown, lease: .seconds(30), inDoubt: policy, isEnabled: isEnabled),
      currentEpoch: claim == .unknownName ? nil : Epoch(4), sameKey: storedSameKey,
      pending: pending == .none
        ? nil
        : Self.stored(id: 50, status: .pending, leaseLeft: pending == .leaseRuns ? 12 : 0),
      inDoubt: hasDoubtful ? TradeID(20) : nil, lastTrades: Self.last(lastTrade, 80, ago: 40),
      lastConflicts: Self.last(lastConflict, 90, ago: 30))
  }

  private var storedSameKey: StoredTrade? {
    let other = PermitToken(stored: "token-of-another")
    switch sameKey {
    case .none: return nil
    case .liveSameToken: return Self.stored(id: 70, status: .pending, leaseLeft: 5)
    case .liveOtherToken:
      return Self.stored(id: 70, status: .pending, leaseLeft: 5, token: other)
    case .leaseOver: return Self.stored(id: 70, status: .pending, leaseLeft: -1)
    case .filled: return Self.stored(id: 70, status: .filled, leaseLeft: 5)
    case .void: return Self.stored(id: 70, status: .void, leaseLeft: 5)
    case .otherContent:
      return Self.stored(
        id: 70, order: .example(quantity: "0.75"), status: .pending, leaseLeft: 5)
    }
  }

  private static func last(
    _ before: Before, _ id: Int64, ago seconds: Double
  ) -> [AdmissionFacts.LastTrade] {
    switch before {
    case .none: []
    case .inside: [.init(id: TradeID(id), at: reading(1000 - seconds, boot: 500 - seconds))]
    case .atTheEdge: [.init(id: TradeID(id), at: reading(900, boot: 400))]
    }
  }

  /// A trade that was admitted so that its lease of 30 s ends `leaseLeft` seconds from now.
  static func stored(
    id: Int64, order: Order = .example(), status: TradeStatus, leaseLeft: Double,
    token: PermitToken = token
  ) -> StoredTrade {
    let created = reading(970 + leaseLeft, boot: 470 + leaseLeft)
    let isFilled = status == .filled
    let trade = Trade(
      id: TradeID(id), key: key, order: order, origin: .reserve, status: status,
      createdAt: created.wall, cooldown: cooldown, leaseUntil: reading(1000 + leaseLeft).wall,
      filledAt: isFilled ? created.wall : nil, filledQuantity: isFilled ? order.quantity : nil,
      filledPrice: nil, exchangeAt: nil, receivedAt: isFilled ? created.wall : nil, isLate: false,
      isSuperseded: false, isSettledByOperator: false, reason: nil, pid: 1, instance: nil)
    return StoredTrade(trade: trade, token: token, created: created)
  }

  func summary(of decision: AdmissionDecision) -> Answer {
    switch decision.verdict {
    case .admit: .admit(expired: decision.expired != nil)
    case .replay(let withPermit): .replay(withPermit: withPermit)
    case .deny(let denial, let winner):
      .deny(
        denial.reason, winner: winner?.value ?? denial.winner?.id.value, wait: denial.retryAfter,
        expired: decision.expired != nil)
    }
  }

  var description: String {
    "\(kind) claim \(claim), key \(sameKey), enabled \(isEnabled), pending \(pending), "
      + "doubt \(hasDoubtful) \(policy), trade \(lastTrade), conflict \(lastConflict)"
  }
}
