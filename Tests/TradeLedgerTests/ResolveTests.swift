import LedgerTestSupport
import XCTest

@testable import TradeLedger

/// Operators and conflicts: what happens to trades that nobody settled, or that two settled.
final class ResolveTests: XCTestCase {
  private func doubtful(
    _ cooldown: Duration = .seconds(60)
  ) async throws -> (TestLedger, Trade, Permit) {
    let test = try await TestLedger()
    try await test.addBot(cooldown: cooldown)
    let (trade, permit) = try await test.admitted()
    test.clock.advance(.seconds(30))
    return (test, trade, permit)
  }

  func testResolve_whileTheLeaseRuns_isInProgress() async throws {
    let test = try await TestLedger()
    try await test.addBot()
    let (trade, permit) = try await test.admitted()
    test.clock.advance(.microseconds(29_999_999))
    for fill in [Fill(), nil] {
      let outcome = try await test.ledger.resolve(.id(trade.id), fill: fill, reason: "impatient")
      let denial = try test.refused(outcome)
      XCTAssertEqual(denial.reason, .inProgress)
      XCTAssertEqual(denial.retryAfter, .microseconds(1))
      XCTAssertEqual(denial.holder?.pid, getpid())
    }
    try await test.filled(permit)
    try await test.verify()
  }

  /// S-05: an operator may void what never reached the exchange; it then counts for nothing.
  func testResolve_asVoid_opensTheCooldown() async throws {
    let (test, trade, _) = try await doubtful()
    let resolved = try test.settled(
      try await test.ledger.resolve(.key(trade.key), fill: nil, reason: "not at the exchange"))
    XCTAssertEqual(resolved.status, .void)
    XCTAssertTrue(resolved.isSettledByOperator)
    XCTAssertTrue(resolved.isLate)
    XCTAssertEqual(resolved.reason, "not at the exchange")
    let read = try await test.ledger.trade(.id(trade.id))
    XCTAssertEqual(read, resolved)
    _ = try await test.admitted()
    try await test.verify()
  }

  /// S-06: an operator who found the order at the exchange fills it with the exchange's facts.
  func testResolve_asFilled_countsAtTheExchangesTime() async throws {
    let (test, trade, permit) = try await doubtful()
    test.clock.advance(.seconds(30))
    let fill = Fill(
      quantity: try Amount("0.4"), price: try Amount("64000"), at: test.now(.seconds(-50)))
    let resolved = try test.settled(
      try await test.ledger.resolve(.id(trade.id), fill: fill, reason: "found it"))
    XCTAssertEqual(resolved.status, .filled)
    XCTAssertEqual(resolved.filledAt, trade.createdAt.advanced(by: .seconds(10)))
    XCTAssertEqual(resolved.filledQuantity?.description, "0.4")
    XCTAssertTrue(resolved.isSettledByOperator)
    let denial = try await test.denied()
    XCTAssertEqual(denial.retryAfter, .seconds(10))
    // The holder, who says the same a moment later, hears that it is on record.
    let holder = try await test.ledger.fill(trade.id, token: permit.token, fill)
    XCTAssertEqual(holder, .replayed(resolved))
    try await test.verify()
  }

  func testResolve_again_isReplayedOrLearnsWhich() async throws {
    let (test, trade, _) = try await doubtful()
    let resolved = try test.settled(
      try await test.ledger.resolve(.id(trade.id), fill: Fill(), reason: "found it"))
    let same = try await test.ledger.resolve(.id(trade.id), fill: Fill(), reason: "twice")
    XCTAssertEqual(same, .replayed(resolved))
    let other = try await test.ledger.resolve(.id(trade.id), fill: nil, reason: "or not")
    XCTAssertEqual(try test.refused(other).reason, .alreadySettled)
    XCTAssertEqual(try test.refused(other).winner?.status, .filled)
    XCTAssertEqual(try test.query("SELECT COUNT(*) FROM conflicts"), [["0"]])
    try await test.verify()
  }

  /// An operator does not fill what is void: only the holder of the permit knows better.
  func testResolve_filledAfterVoid_isRefusedWithoutConflict() async throws {
    let (test, trade, _) = try await doubtful()
    _ = try test.settled(
      try await test.ledger.resolve(.id(trade.id), fill: nil, reason: "not there"))
    let outcome = try await test.ledger.resolve(.id(trade.id), fill: Fill(), reason: "it is")
    XCTAssertEqual(try test.refused(outcome).reason, .alreadySettled)
    XCTAssertEqual(try test.query("SELECT COUNT(*) FROM conflicts"), [["0"]])
    try await test.verify()
  }

  func testResolve_withBadReasonOrUnknownTrade_fails() async throws {
    let (test, trade, _) = try await doubtful()
    for reason in ["", "a\nb", String(repeating: "x", count: 257)] {
      await assertFails(.invalidInput) {
        try await test.ledger.resolve(.id(trade.id), fill: nil, reason: reason)
      }
    }
    await assertFails(.noSuchTrade) {
      try await test.ledger.resolve(.id(TradeID(99)), fill: nil, reason: "x")
    }
    await assertFails(.noSuchTrade) {
      try await test.ledger.fill(TradeID(-1), token: .random())
    }
    await assertFails(.noSuchTrade) {
      try await test.ledger.resolve(.key(OrderKey("no-such-key")), fill: nil, reason: "x")
    }
    XCTAssertEqual(try test.query("SELECT status FROM trades"), [["pending"]])
    try await test.verify()
  }

  // MARK: Conflicts

  /// INV-6: a fill after the holder's own void, and one after an operator's, is denied, kept once,
  /// counts for the cooldown at its time, and is found by the audit.
  func testFill_afterVoid_isKeptAsConflict() async throws {
    for byOperator in [false, true] {
      let (test, trade, permit) = try await doubtful(.seconds(600))
      if byOperator {
        _ = try test.settled(
          try await test.ledger.resolve(.id(trade.id), fill: nil, reason: "not there"))
      } else {
        try await test.voided(permit)
      }
      let open = try await test.ledger.check(exampleBot)
      XCTAssertEqual(open, .admissible)
      test.clock.advance(.seconds(10))
      let fill = Fill(price: try Amount("64000"), at: test.now(.seconds(-4)))
      for attempt in 1...3 {
        let outcome = try await test.ledger.fill(trade.id, token: permit.token, fill)
        let denial = try test.refused(outcome)
        XCTAssertEqual(denial.reason, .alreadySettled)
        XCTAssertEqual(denial.winner?.status, .void)
        XCTAssertEqual(
          try test.query("SELECT COUNT(*) FROM conflicts"), [["1"]], "attempt \(attempt)")
      }
      XCTAssertEqual(
        try test.query("SELECT status FROM trades"), [["void"]], "the void stands")
      let cooldown = try await test.denied()
      XCTAssertEqual(cooldown.reason, .cooldown)
      XCTAssertEqual(cooldown.winner?.id, trade.id)
      XCTAssertEqual(cooldown.retryAfter, .seconds(596), "from the exchange's time on")
      let findings = try await test.findings(.conflict)
      XCTAssertEqual(findings.map(\.trades), [[trade.id.value]])
      XCTAssertEqual(findings.first?.at, fill.at)
      XCTAssertEqual(findings.first?.filledQuantity, try Amount("0.5"), "as it was ordered")
      XCTAssertEqual(findings.first?.filledPrice, try Amount("64000"))
      let status = try await test.ledger.status()
      XCTAssertEqual(status.conflicts, 1)
      XCTAssertTrue(status.needsAttention)
      XCTAssertEqual(status.bots[0].lastTradeAt, fill.at)
      test.clock.advance(.seconds(596))
      _ = try await test.admitted()
      try await test.verify()
    }
  }

  /// Another fill of the same void trade is another fact; it is kept too, and the later one counts.
  func testFill_afterVoid_withOtherFacts_isAnotherConflict() async throws {
    let (test, trade, permit) = try await doubtful(.seconds(600))
    try await test.voided(permit)
    for (quantity, seconds) in [("0.1", 0), ("0.2", 5), ("0.2", 6)] {
      test.clock.advance(.seconds(seconds))
      _ = try test.refused(
        try await test.ledger.fill(
          trade.id, token: permit.token, Fill(quantity: try Amount(quantity))))
    }
    XCTAssertEqual(
      try test.query("SELECT quantity FROM conflicts ORDER BY id"), [["0.1"], ["0.2"]])
    let denial = try await test.denied()
    XCTAssertEqual(denial.retryAfter, .seconds(594), "the repeat at six seconds changed nothing")
    try await test.verify()
  }

  /// A stranger's token leaves no conflict behind.
  func testFill_afterVoid_withWrongToken_leavesNothing() async throws {
    let (test, trade, permit) = try await doubtful()
    try await test.voided(permit)
    let outcome = try await test.ledger.fill(trade.id, token: .random())
    XCTAssertEqual(try test.refused(outcome).reason, .wrongToken)
    XCTAssertEqual(try test.query("SELECT COUNT(*) FROM conflicts"), [["0"]])
    _ = try await test.admitted()
    try await test.verify()
  }
}
