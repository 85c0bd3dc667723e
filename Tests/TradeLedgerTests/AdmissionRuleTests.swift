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
