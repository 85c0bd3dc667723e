import LedgerTestSupport
import XCTest

@testable import TradeLedger

/// S-17 and S-46 on a real file: wall clocks that jump, machines that start again.
final class ClockScenarioTests: XCTestCase {
  private let hour = Duration.seconds(3600)

  /// S-13: each half of the clock in the way of the other.
  func testReserve_atTheEdge_eachClockInTheWayOfTheOther() async throws {
    for (jump, wait) in [(Duration.seconds(5), 5), (.seconds(-5), 5)] {
      let test = try await TestLedger()
      try await test.addBot(cooldown: .seconds(60))
      try await test.recorded()
      test.clock.jumpWall(jump)
      // Ahead: the boot clock has 60 s to go. Back: the wall clock has 65.
      let total = jump < .zero ? 60 + wait : 60
      test.clock.advance(.seconds(total) - .microseconds(1))
      let denial = try await test.denied()
      XCTAssertEqual(denial.retryAfter, .microseconds(1), "\(jump)")
      test.clock.advance(.microseconds(1))
      try await test.recorded()
      try await test.verify()
    }
  }

  /// S-17: wall clock back one hour: the denial says so, and the wait grows by the jump at most.
  func testReserve_afterWallClockWentBack_saysClockBehind() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(900))
    let trade = try await test.recorded()
    test.clock.advance(.seconds(60))
    test.clock.jumpWall(.zero - hour)
    let denial = try await test.denied()
    XCTAssertEqual(denial.reason, .cooldown)
    XCTAssertEqual(denial.winner?.id, trade.id)
    XCTAssertEqual(denial.clockBehind, hour)
    XCTAssertEqual(denial.retryAfter, .seconds(840) + hour)
    // When the true cooldown is over, it is still refused: never early ...
    test.clock.advance(.seconds(840))
    let later = try await test.denied()
    XCTAssertEqual(later.retryAfter, hour)
    // ... and exactly the jump later it is open: longer at most by the jump.
    test.clock.advance(hour)
    _ = try await test.admitted()
    try await test.verify()
  }

  /// S-17: once the wall clock is right again, nothing is left of the wait for it.
  func testReserve_afterWallClockIsCorrected_waitsNoLonger() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(900))
    try await test.recorded()
    test.clock.jumpWall(.zero - hour)
    test.clock.advance(.seconds(900))
    _ = try await test.denied()
    test.clock.jumpWall(hour)
    _ = try await test.admitted()
    try await test.verify()
  }

  /// S-17: an adjustment of up to a second is not worth a word.
  func testReserve_afterSmallAdjustment_doesNotSayClockBehind() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(900))
    try await test.recorded()
    test.clock.jumpWall(.seconds(-1))
    let denial = try await test.denied()
    XCTAssertNil(denial.clockBehind)
    XCTAssertEqual(denial.retryAfter, .seconds(901))
    try await test.verify()
  }

  /// S-17: wall clock ahead one hour: neither the cooldown nor the lease is over early.
  func testReserve_afterWallClockWentAhead_opensNothingEarly() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(900))
    let (trade, permit) = try await test.admitted()
    test.clock.advance(.seconds(10))
    test.clock.jumpWall(hour)
    let pending = try await test.denied()
    XCTAssertEqual(pending.reason, .inProgress, "the lease still runs on the boot clock")
    XCTAssertEqual(pending.retryAfter, .seconds(20))
    XCTAssertEqual(pending.winner?.id, trade.id)
    let isLive = try await test.ledger.isLive(permit)
    XCTAssertTrue(isLive)
    let seen = try await test.ledger.trade(.id(trade.id))
    XCTAssertEqual(seen.status, .pending)
    let doubts = try await test.findings(.inDoubt)
    XCTAssertEqual(doubts, [], "the audit and the status tell the same")
    let filled = try await test.filled(permit)
    XCTAssertFalse(filled.isLate)
    test.clock.advance(.seconds(900) - .microseconds(1))
    let denial = try await test.denied()
    XCTAssertEqual(denial.reason, .cooldown)
    XCTAssertEqual(denial.retryAfter, .microseconds(1))
    XCTAssertNil(denial.clockBehind)
    test.clock.advance(.microseconds(1))
    _ = try await test.admitted()
    try await test.verify()
  }

  /// S-17: a fill whose exchange time is right while the wall clock is an hour ahead. The age that
  /// the wrong clock suggests opens nothing, and the audit names the clock.
  func testFill_withRightExchangeTimeOnWrongClock_opensNothingEarly() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(900))
    let (trade, permit) = try await test.admitted()
    test.clock.advance(.seconds(10))
    let truth = test.now()
    test.clock.jumpWall(hour)
    test.clock.advance(.seconds(2))
    let filled = try await test.filled(permit, Fill(at: truth))
    XCTAssertEqual(filled.filledAt, truth)
    // By the wall clock this fill is an hour old. The true cooldown ends 900 s after the receipt
    // at the latest, and not before 900 s after the fill.
    test.clock.advance(.seconds(897))
    let denial = try await test.denied()
    XCTAssertEqual(denial.reason, .cooldown)
    XCTAssertEqual(denial.winner?.id, trade.id)
    XCTAssertLessThanOrEqual(denial.retryAfter!, .seconds(3))
    test.clock.advance(denial.retryAfter!)
    _ = try await test.admitted()
    try await test.verify()
  }

  /// S-17: the wall clock was an hour ahead already when the trade was reserved: the exchange's
  /// right time lies before `created_at`. It is corrected, and the audit finds `clock`.
  func testFill_withExchangeTimeBeforeTheAdmission_isHeldAndFound() async throws {
    for (offset, isFound) in [(-3600.0, true), (-1.000001, true), (-1, false), (3600, true)] {
      let test = try await TestLedger()
      try await test.addBot(cooldown: .seconds(900))
      let (trade, permit) = try await test.admitted()
      test.clock.advance(.seconds(5))
      let base = offset < 0 ? trade.createdAt : test.now()
      let exchange = base.advanced(by: .microseconds(Int64((offset * 1_000_000).rounded())))
      let filled = try await test.filled(permit, Fill(at: exchange))
      XCTAssertEqual(filled.filledAt, base, "\(offset)")
      XCTAssertEqual(filled.exchangeAt, exchange, "\(offset)")
      let findings = try await test.findings(.clock)
      XCTAssertEqual(findings.map(\.trades), isFound ? [[trade.id.value]] : [], "\(offset)")
      if isFound {
        XCTAssertEqual(findings.first?.gap, exchange.elapsed(since: base), "\(offset)")
      }
      try await test.verify()
    }
  }

  /// No fill is refused for its time, however absurd, and the audit can still be read afterwards.
  func testFill_withAbsurdExchangeTime_isTakenAndTheAuditSurvives() async throws {
    for absurd in [Int64.min, .min + 1, -1, 0, Timestamp.latest.microseconds, .max - 1, .max] {
      let test = try await TestLedger()
      try await test.addBot(cooldown: .seconds(900))
      let (trade, permit) = try await test.admitted()
      test.clock.advance(.seconds(1))
      let exchange = Timestamp(microseconds: absurd)
      let filled = try await test.filled(permit, Fill(at: exchange))
      let kept = min(max(absurd, 0), Timestamp.latest.microseconds)
      XCTAssertEqual(filled.exchangeAt, Timestamp(microseconds: kept), "the nearest instant")
      let again = try await test.ledger.fill(
        trade.id, token: permit.token, Fill(at: exchange))
      XCTAssertEqual(again, .replayed(filled))
      XCTAssertTrue([trade.createdAt, test.now()].contains(filled.filledAt), "\(absurd)")
      let findings = try await test.findings(.clock)
      XCTAssertEqual(findings.map(\.trades), [[trade.id.value]], "\(absurd)")
      _ = try await test.denied()
      try await test.verify()
    }
  }

  /// S-17: back one hour between admission and fill: nothing opens early, and the fill is taken.
  func testFill_afterWallClockWentBack_countsFromTheAdmission() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(900))
    let (trade, permit) = try await test.admitted()
    test.clock.advance(.seconds(10))
    test.clock.jumpWall(.zero - hour)
    let filled = try await test.filled(permit)
    XCTAssertEqual(filled.filledAt, trade.createdAt, "never before the order")
    XCTAssertLessThan(filled.receivedAt!, trade.createdAt)
    let denial = try await test.denied()
    XCTAssertEqual(denial.retryAfter, .seconds(900 - 10) + hour)
    XCTAssertEqual(denial.clockBehind, hour - .seconds(10))
    test.clock.jumpWall(hour)
    let right = try await test.denied()
    XCTAssertEqual(right.retryAfter, .seconds(900), "from the receipt, on the boot clock")
    try await test.verify()
  }

  /// S-46: after a reboot only the wall clock counts.
  func testReserve_afterReboot_isJudgedByTheWallClock() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(900))
    let (trade, permit) = try await test.admitted()
    test.clock.advance(.seconds(10))
    test.clock.reboot("second-boot")
    let running = try await test.denied()
    XCTAssertEqual(running.reason, .inProgress)
    XCTAssertEqual(running.retryAfter, .seconds(20))
    test.clock.advance(.seconds(20))
    let denial = try await test.denied()
    XCTAssertEqual(denial.reason, .cooldown)
    XCTAssertEqual(denial.retryAfter, .seconds(870))
    let late = try await test.filled(permit, Fill(at: trade.createdAt.advanced(by: .seconds(5))))
    XCTAssertTrue(late.isLate)
    let after = try await test.denied()
    XCTAssertEqual(after.retryAfter, .seconds(875))
    test.clock.advance(.seconds(875))
    _ = try await test.admitted()
    try await test.verify()
  }

  /// S-18: ten minutes asleep with a pending trade. Both clocks count them: the lease is over on
  /// wake, the permit is dead, the fill is late.
  func testLease_afterSuspend_isOver() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(900))
    let (_, permit) = try await test.admitted()
    test.clock.advance(.seconds(600))
    let isLive = try await test.ledger.isLive(permit)
    XCTAssertFalse(isLive)
    let denial = try await test.denied()
    XCTAssertEqual(denial.reason, .cooldown)
    let filled = try await test.filled(permit)
    XCTAssertTrue(filled.isLate)
    try await test.verify()
  }

  /// S-17: a late fill after a wall clock that ran ahead for a while, which then runs ahead again.
  /// By the wall clock the late fill is not the last trade; by the boot clock it is, and it counts.
  func testReserve_lateFillBehindAJump_isHeldByTheBootClock() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(300))
    let (late, latePermit) = try await test.admitted()
    test.clock.advance(.seconds(400))
    let (_, permit) = try await test.admitted()
    test.clock.jumpWall(hour)
    try await test.filled(permit)  // an hour ahead of the truth
    test.clock.jumpWall(.zero - hour)
    test.clock.advance(.seconds(600))
    try await test.filled(latePermit)  // now, in truth
    test.clock.jumpWall(hour + .seconds(1200))
    test.clock.advance(.seconds(60))
    let denial = try await test.denied()
    XCTAssertEqual(denial.reason, .cooldown)
    XCTAssertEqual(denial.winner?.id, late.id)
    XCTAssertEqual(denial.retryAfter, .seconds(240))
    test.clock.advance(.seconds(240))
    _ = try await test.admitted()
    try await test.verify()
  }

  /// The look right before the exchange call is at the boot clock: a wall clock that went back
  /// makes others wait longer, but gives the holder no longer permit.
  func testIsLive_isJudgedByTheBootClock() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(900))
    let (_, permit) = try await test.admitted()
    test.clock.jumpWall(.zero - hour)
    test.clock.advance(.seconds(30) - .microseconds(1))
    let before = try await test.ledger.isLive(permit)
    XCTAssertTrue(before)
    test.clock.advance(.microseconds(1))
    let after = try await test.ledger.isLive(permit)
    XCTAssertFalse(after)
    let denial = try await test.denied()
    XCTAssertEqual(denial.reason, .inProgress, "others wait for both clocks")
    XCTAssertEqual(denial.retryAfter, hour)
    try await test.verify()
  }
}
