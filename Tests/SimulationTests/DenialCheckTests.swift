import XCTest

@testable import LedgerSimulation

/// A denial must have had a reason between the question and the answer: to the microsecond.
final class DenialCheckTests: XCTestCase {
  private func kinds(_ evidence: Evidence) -> [Violation.Kind] {
    Checker(evidence).violations().map(\.kind)
  }

  private func with(
    _ evidence: Evidence, _ reason: String, winner: Int64?,
    from called: Int64, to told: Int64, key: String = "k9", bot: String = "bot-1"
  ) -> [Violation.Kind] {
    var evidence = evidence
    evidence.calls.append(
      Sample.call(
        key, worker: 4, bot: bot, at: called, told: told, .denied(reason: reason, winner: winner)))
    return kinds(evidence)
  }

  private func with(
    _ reason: String, winner: Int64?, from called: Int64, to told: Int64, key: String = "k9",
    bot: String = "bot-1"
  ) -> [Violation.Kind] {
    with(Sample.trade1(), reason, winner: winner, from: called, to: told, key: key, bot: bot)
  }

  func testCooldownDenial_afterTheCooldown_isFound() {
    XCTAssertEqual(with("cooldown", winner: 1, from: 504_999, to: 600_000), [])
    XCTAssertEqual(
      with("cooldown", winner: 1, from: 505_000, to: 600_000), [.denialWithoutReason])
    XCTAssertEqual(
      with("cooldown", winner: nil, from: 505_000, to: 600_000), [.denialWithoutReason])
  }

  func testCooldownDenial_beforeThereWasATrade_isFound() {
    XCTAssertEqual(with("cooldown", winner: nil, from: 100, to: 500), [])
    XCTAssertEqual(with("cooldown", winner: nil, from: 100, to: 499), [.denialWithoutReason])
  }

  /// The cooldown runs from the fill, as soon as that can be on record.
  func testCooldownDenial_countsFromTheFill() {
    var evidence = Sample.trade1()
    evidence.put(1, "k1", .filled, worker: 0, at: 500, executed: 100_000, received: 550_000)
    XCTAssertEqual(with(evidence, "cooldown", winner: 1, from: 500_499, to: 500_600), [])
    XCTAssertEqual(with(evidence, "cooldown", winner: 1, from: 599_999, to: 600_600), [])
    XCTAssertEqual(
      with(evidence, "cooldown", winner: 1, from: 600_000, to: 600_600), [.denialWithoutReason])
    // Executed, but not yet on record: nobody can know.
    evidence.replaceOrder(Sample.order("k1", executed: 540_000))
    evidence.rows[0].filledAt = Sample.moment(540_000).wall
    evidence.rows[0].filledBoot = Sample.moment(540_000).boot
    XCTAssertEqual(
      with(evidence, "cooldown", winner: 1, from: 500_500, to: 539_999), [.denialWithoutReason])
  }

  func testCooldownDenial_byATradeThatIsVoid_isFound() {
    var evidence = Sample.trade1()
    evidence.put(2, "k2", .void, at: 505_200, executed: 507_000, received: 510_000)
    XCTAssertEqual(with(evidence, "cooldown", winner: 2, from: 510_050, to: 600_000), [])
    XCTAssertEqual(
      with(evidence, "cooldown", winner: 2, from: 510_051, to: 600_000), [.denialWithoutReason])
  }

  /// After a backward jump a bot waits longer by the jump, and a denial for that is right.
  func testCooldownDenial_afterABackwardJump_isRightForThatMuchLonger() {
    var evidence = Sample.trade1()
    evidence.clockJumps = [
      ClockJump(
        from: Sample.moment(20_000).boot, to: Sample.moment(20_010).boot, offset: -30_000_000),
      ClockJump(
        from: Sample.moment(40_000_000).boot, to: Sample.moment(40_000_010).boot, offset: 0),
    ]
    XCTAssertEqual(with(evidence, "cooldown", winner: 1, from: 30_504_999, to: 30_600_000), [])
    XCTAssertEqual(
      with(evidence, "cooldown", winner: 1, from: 30_505_000, to: 30_600_000),
      [.denialWithoutReason])
    evidence.clockJumps[1] = ClockJump(
      from: Sample.moment(25_000_000).boot, to: Sample.moment(25_000_010).boot, offset: 0)
    // While the clock is being set back right, either may have been read.
    XCTAssertEqual(with(evidence, "cooldown", winner: 1, from: 25_000_010, to: 26_000_000), [])
    XCTAssertEqual(
      with(evidence, "cooldown", winner: 1, from: 25_000_011, to: 26_000_000),
      [.denialWithoutReason])
    evidence.clockJumps = []
    XCTAssertEqual(
      with(evidence, "cooldown", winner: 1, from: 20_000_000, to: 20_600_000),
      [.denialWithoutReason])
  }

  /// The wall clock is read after the boot clock: a process that is stopped in between writes a row
  /// that is younger by one clock than by the other.
  func testCooldownDenial_byTheWallClockOfTheRow_isRight() {
    var evidence = Sample.trade1()
    evidence.put(1, "k1", .inDoubt, worker: 0, at: 500, wall: 3000)
    XCTAssertEqual(with(evidence, "cooldown", winner: 1, from: 503_499, to: 503_600), [])
    XCTAssertEqual(
      with(evidence, "cooldown", winner: 1, from: 503_500, to: 503_600), [.denialWithoutReason])
  }

  func testInProgressDenial_afterTheTradeWasSettled_isFound() {
    XCTAssertEqual(with("in_progress", winner: 1, from: 10_000, to: 11_000), [])
    XCTAssertEqual(
      with("in_progress", winner: 1, from: 10_001, to: 11_000), [.denialWithoutReason])
  }

  func testInProgressDenial_afterTheLease_isFound() {
    var evidence = Sample.trade1()
    evidence.put(1, "k1", .inDoubt, worker: 0, at: 500)
    XCTAssertEqual(with(evidence, "in_progress", winner: 1, from: 250_499, to: 260_000), [])
    XCTAssertEqual(
      with(evidence, "in_progress", winner: 1, from: 250_500, to: 260_000), [.denialWithoutReason])
    // Where nobody came back, nobody knows when it was settled.
    evidence.put(1, "k1", .filled, worker: 0, at: 500)
    evidence.calls[0].told = nil
    evidence.calls[0].answer = nil
    XCTAssertEqual(with(evidence, "in_progress", winner: 1, from: 250_499, to: 260_000), [])
  }

  func testInDoubtDenial_needsThePolicyAndTheTrade() {
    var evidence = Sample.trade1()
    evidence.put(2, "k2", .inDoubt, at: 600_000)
    XCTAssertEqual(
      with(evidence, "in_doubt", winner: 2, from: 900_000, to: 900_100), [.denialWithoutReason])
    evidence.bots[0].blocks = true
    XCTAssertEqual(with(evidence, "in_doubt", winner: 2, from: 849_000, to: 850_000), [])
    XCTAssertEqual(
      with(evidence, "in_doubt", winner: 2, from: 849_000, to: 849_999), [.denialWithoutReason])
    XCTAssertEqual(
      with(evidence, "in_doubt", winner: 1, from: 900_000, to: 900_100), [.denialWithoutReason])
  }

  func testDisabledDenial_needsABotThatIsDisabled() {
    var evidence = Sample.trade1()
    evidence.bots.append(Sample.bot("bot-3", isEnabled: false))
    XCTAssertEqual(with(evidence, "disabled", winner: nil, from: 0, to: 10, bot: "bot-3"), [])
    XCTAssertEqual(
      with(evidence, "disabled", winner: nil, from: 0, to: 10), [.denialWithoutReason])
  }

  func testKeyConflictDenial_needsARowOfAnotherOrder() {
    XCTAssertEqual(
      with("key_conflict", winner: 1, from: 400, to: 500, key: "k1", bot: "bot-2"), [])
    XCTAssertEqual(
      with("key_conflict", winner: 1, from: 400, to: 499, key: "k1", bot: "bot-2"),
      [.denialWithoutReason])
    XCTAssertEqual(
      with("key_conflict", winner: 1, from: 400, to: 500, key: "k1"), [.denialWithoutReason])
  }

  /// A key on record is answered with its trade, whatever the cooldown says.
  func testDenial_ofAKeyThatIsOnRecord_isFound() {
    XCTAssertEqual(with("cooldown", winner: 1, from: 1000, to: 2000, key: "k1"), [])
    XCTAssertEqual(
      with("cooldown", winner: 1, from: 1001, to: 2000, key: "k1"), [.denialWithoutReason])
  }

  func testDenial_byATradeOfAnotherBot_isFound() {
    var evidence = Sample.trade1()
    evidence.put(2, "k2", .inDoubt, bot: "bot-2", at: 600)
    XCTAssertEqual(
      with(evidence, "cooldown", winner: 2, from: 1000, to: 2000), [.denialWithoutReason])
    XCTAssertEqual(
      with(evidence, "cooldown", winner: 7, from: 1000, to: 2000), [.denialWithoutReason])
  }

  func testDenial_forAReasonThatNothingHereCanGive_isFound() {
    for reason in ["superseded", "held", "already_settled", "wrong_token", "no such reason"] {
      XCTAssertEqual(with(reason, winner: 1, from: 1000, to: 2000), [.denialWithoutReason])
    }
  }

  /// The holder came too late, because somebody had declared the trade void by hand.
  func testAlreadySettledDenial_needsAHandFromOutside() {
    var evidence = Sample.trade1()
    evidence.put(1, "k1", .void, worker: 0, at: 500)
    evidence.calls[0].answer = .denied(reason: "already_settled", winner: 1)
    XCTAssertEqual(kinds(evidence), [.denialWithoutReason])
    evidence.rows[0].settledBy = .operator
    XCTAssertEqual(kinds(evidence), [])
  }
}
