import LedgerTestSupport
import XCTest

@testable import TradeLedger

/// Leases that run out, late fills, and operators who settle what is left.
class LeaseScenarioTests: PlacedTestCase {
  /// S-07: a holder sleeps 40 s over a 30 s lease, another asks at 31 s, the first fills at 40 s.
  func testReserve_afterLeaseInsideCooldown_isDeniedAndTheFillIsLate() async throws {
    let test = try await newLedger()
    try await test.addBot(cooldown: .seconds(900))
    let (trade, permit) = try await test.admitted()
    test.clock.advance(.seconds(31))
    let denial = try await test.denied()
    XCTAssertEqual(denial.reason, .cooldown)
    XCTAssertEqual(denial.retryAfter, .seconds(869))
    XCTAssertEqual(denial.winner?.id, trade.id)
    XCTAssertEqual(denial.winner?.status, .inDoubt)
    // The step to in doubt is committed although the attempt that found it was denied.
    XCTAssertEqual(try test.query("SELECT status FROM trades"), [["in_doubt"]])
    test.clock.advance(.seconds(9))
    let late = try await test.filled(permit)
    XCTAssertTrue(late.isLate)
    XCTAssertEqual(late.filledAt, trade.createdAt.advanced(by: .seconds(40)))
    let findings = try await test.findings(.lateFill)
    XCTAssertEqual(findings.map(\.trades), [[trade.id.value]])
    XCTAssertEqual(findings.first?.gap, .seconds(10))
    // From now on the late fill is what counts.
    let next = try await test.denied()
    XCTAssertEqual(next.retryAfter, .seconds(900))
    try await test.verify()
  }

  /// S-08, policy `cooldown`: a cooldown shorter than the lease. The second is admitted after the
  /// lease, the first is filled late, and the audit shows both.
  func testReserve_cooldownShorterThanLease_isAdmittedAfterTheLease() async throws {
    let test = try await newLedger()
    try await test.addBot(cooldown: .seconds(10))
    let (first, permit) = try await test.admitted()
    test.clock.advance(.seconds(29))
    let early = try await test.denied()
    XCTAssertEqual(early.reason, .inProgress, "the cooldown is over, the lease is not")
    XCTAssertEqual(early.retryAfter, .seconds(1))
    test.clock.advance(.seconds(2))
    let (second, secondPermit) = try await test.admitted()
    test.clock.advance(.seconds(5))
    _ = try await test.filled(permit)
    try await test.filled(secondPermit)
    let late = try await test.findings(.lateFill)
    XCTAssertEqual(late.map(\.trades), [[first.id.value]])
    let overlap = try await test.findings(.overlap)
    XCTAssertEqual(overlap.map(\.trades), [[first.id.value, second.id.value]])
    XCTAssertEqual(overlap.first?.gap, .seconds(31))
    let doubles = try await test.findings(.doubleTrade)
    XCTAssertEqual(doubles.map(\.trades), [[first.id.value, second.id.value]])
    XCTAssertEqual(doubles.first?.gap, .zero)
    try await test.verify()
  }

  /// S-08, policy `block`: nobody trades until somebody has settled the first.
  func testReserve_underBlock_isDeniedUntilTheDoubtIsSettled() async throws {
    let test = try await newLedger()
    try await test.addBot(cooldown: .seconds(10), inDoubt: .block)
    let (first, _) = try await test.admitted()
    test.clock.advance(.seconds(31))
    for wait in [0, 100, 100_000] {
      test.clock.advance(.seconds(wait))
      let denial = try await test.denied()
      XCTAssertEqual(denial.reason, .inDoubt)
      XCTAssertEqual(denial.winner?.id, first.id)
      XCTAssertNil(denial.retryAfter, "waiting does not help")
      XCTAssertFalse(denial.isTransient)
    }
    let checked = try await test.ledger.check(exampleBot)
    guard case .denied(let denial) = checked else { return XCTFail("\(checked)") }
    XCTAssertEqual(denial.reason, .inDoubt)
    _ = try test.settled(
      try await test.ledger.resolve(.id(first.id), fill: nil, reason: "exchange never got it"))
    _ = try await test.admitted()
    try await test.verify()
  }

  /// Under `block` the first reserve that finds the lease over is denied already, and writes why.
  func testReserve_underBlock_firstLookAfterTheLease_isDeniedInDoubt() async throws {
    let test = try await newLedger()
    try await test.addBot(cooldown: .zero, inDoubt: .block)
    let (first, permit) = try await test.admitted()
    test.clock.advance(.seconds(30))
    let denial = try await test.denied()
    XCTAssertEqual(denial.reason, .inDoubt)
    XCTAssertEqual(denial.winner?.id, first.id)
    XCTAssertEqual(denial.winner?.status, .inDoubt)
    try await test.filled(permit)
    _ = try await test.admitted()
    try await test.verify()
  }

  /// S-10: the wrong token, and the token of an earlier permit, change nothing.
  func testSettle_withWrongOrOldToken_isRefusedAndChangesNothing() async throws {
    let test = try await newLedger()
    try await test.addBot(cooldown: .seconds(1))
    let (old, oldPermit) = try await test.admitted()
    try await test.filled(oldPermit)
    test.clock.advance(.seconds(1))
    let (trade, permit) = try await test.admitted()
    let before = try test.query("SELECT * FROM trades")
    for token in [PermitToken.random(), oldPermit.token, PermitToken(stored: "operator")] {
      for outcome in [
        try await test.ledger.fill(trade.id, token: token),
        try await test.ledger.void(trade.id, token: token, reason: "no"),
      ] {
        let denial = try test.refused(outcome)
        XCTAssertEqual(denial.reason, .wrongToken)
        XCTAssertEqual(denial.winner?.id, trade.id)
      }
    }
    // Nor does the right token of one trade settle another.
    let crossed = try await test.ledger.fill(old.id, token: permit.token)
    XCTAssertEqual(try test.refused(crossed).reason, .wrongToken)
    XCTAssertEqual(try test.query("SELECT * FROM trades"), before)
    try await test.filled(permit)
    try await test.verify()
  }

  /// S-09 in one process: exactly one outcome wins, the other call learns which.
  func testSettle_twice_firstWinsAndTheOtherLearnsWhich() async throws {
    let test = try await newLedger()
    try await test.addBot(cooldown: .zero)
    let (_, filled) = try await test.admitted()
    let stored = try await test.filled(filled, Fill(price: try Amount("100")))
    let again = try await test.ledger.fill(
      filled.trade, token: filled.token, Fill(price: try Amount("100.0")))
    XCTAssertEqual(again, .replayed(stored))
    let void = try await test.ledger.void(filled.trade, token: filled.token, reason: "late")
    XCTAssertEqual(try test.refused(void).reason, .alreadySettled)
    XCTAssertEqual(try test.refused(void).winner, stored)
    let other = try await test.ledger.fill(
      filled.trade, token: filled.token, Fill(price: try Amount("101")))
    XCTAssertEqual(try test.refused(other).reason, .alreadySettled)

    let (_, voided) = try await test.admitted()
    let kept = try await test.voided(voided)
    let repeated = try await test.ledger.void(voided.trade, token: voided.token, reason: "again")
    XCTAssertEqual(repeated, .replayed(kept))
    XCTAssertEqual(kept.reason, "rejected")
    try await test.verify()
  }

  /// A trade is in doubt from the moment its lease is over, written or not, wherever one looks.
  func testStatus_ofUnsettledTrade_changesWithTheLease() async throws {
    let test = try await newLedger()
    try await test.addBot(cooldown: .seconds(5))
    let (trade, permit) = try await test.admitted()
    test.clock.advance(.microseconds(29_999_999))
    var status = try await test.ledger.status(exampleBot).bots[0]
    XCTAssertEqual(status.pending?.id, trade.id)
    XCTAssertEqual(status.inDoubt, [])
    test.clock.advance(.microseconds(1))
    status = try await test.ledger.status(exampleBot).bots[0]
    XCTAssertNil(status.pending)
    XCTAssertEqual(status.inDoubt.map(\.id), [trade.id])
    let looked = try await test.ledger.trade(.key(trade.key))
    XCTAssertEqual(looked.status, .inDoubt)
    let doubtful = try await test.ledger.trades(TradeQuery(status: .inDoubt))
    XCTAssertEqual(doubtful.trades.map(\.id), [trade.id])
    let pending = try await test.ledger.trades(TradeQuery(status: .pending))
    XCTAssertEqual(pending.total, 0)
    let findings = try await test.findings(.inDoubt)
    XCTAssertEqual(findings.map(\.trades), [[trade.id.value]])
    let needsAttention = try await test.ledger.status().needsAttention
    XCTAssertTrue(needsAttention)
    let isLive = try await test.ledger.isLive(permit)
    XCTAssertFalse(isLive)
    XCTAssertEqual(try test.query("SELECT status FROM trades"), [["pending"]], "nobody wrote")
    try await test.verify()
  }

  /// A fill before the lease's end is not late, at its end it is, whoever looked in between.
  func testFill_atTheLeasesEnd_isLate() async throws {
    for (wait, looks, isLate) in [
      (29_999_999, false, false), (30_000_000, false, true), (30_000_000, true, true),
    ] {
      let test = try await newLedger()
      try await test.addBot(cooldown: .seconds(60))
      let (_, permit) = try await test.admitted()
      test.clock.advance(.microseconds(wait))
      if looks { _ = try await test.denied() }
      let trade = try await test.filled(permit)
      XCTAssertEqual(trade.isLate, isLate, "\(wait) \(looks)")
      try await test.verify()
    }
  }
}

#if PostgreSQL
  /// The same on a server.
  final class PostgreSQLLeaseScenarioTests: LeaseScenarioTests {
    override class var engine: Engine { .server }

    override func testFill_atTheLeasesEnd_isLate() async throws {
      try await super.testFill_atTheLeasesEnd_isLate()
    }
  }
#endif
