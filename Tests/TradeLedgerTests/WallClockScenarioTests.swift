import LedgerTestSupport
import XCTest

@testable import TradeLedger

/// The cooldown where only the wall clock can be asked: no boot clock, or another boot. What the
/// boot clock would have noticed as well must be noticed without it.
final class WallClockScenarioTests: XCTestCase {
  /// S-11 on a machine that has no boot clock.
  func testReserve_lateFillWithoutABootClock_countsFromTheLateFill() async throws {
    let test = try await TestLedger(clock: ManualClock(bootID: nil))
    try await lateFillBehindANewerTrade(test)
    test.clock.advance(.seconds(5 * 60))  // 10:25
    try await expectDenialUntilThirtyFivePastTen(test)
  }

  /// S-11, and the machine starts again between the late fill and the next attempt.
  func testReserve_lateFillBeforeAReboot_countsFromTheLateFill() async throws {
    let test = try await TestLedger()
    try await lateFillBehindANewerTrade(test)
    test.clock.advance(.seconds(5 * 60))  // 10:25
    test.clock.reboot("the boot after")
    try await expectDenialUntilThirtyFivePastTen(test)
  }

  /// Trade 1 created 10:00 and filled late at 10:20; trade 2 created 10:05, filled 10:06.
  private func lateFillBehindANewerTrade(_ test: TestLedger) async throws {
    try await test.addBot(cooldown: .seconds(60))
    let (_, firstPermit) = try await test.admitted()
    test.clock.advance(.seconds(5 * 60))
    let (_, secondPermit) = try await test.admitted()
    test.clock.advance(.seconds(60))
    try await test.filled(secondPermit)
    test.clock.advance(.seconds(14 * 60))
    let late = try await test.filled(firstPermit)
    XCTAssertTrue(late.isLate)
    _ = try await test.ledger.changeBot(exampleBot, BotChange(cooldown: .seconds(15 * 60)))
  }

  private func expectDenialUntilThirtyFivePastTen(_ test: TestLedger) async throws {
    let denial = try await test.denied()
    XCTAssertEqual(denial.reason, .cooldown)
    XCTAssertEqual(denial.winner?.id, TradeID(1))
    XCTAssertEqual(denial.retryAfter, .seconds(10 * 60))
    test.clock.advance(.seconds(10 * 60))
    _ = try await test.admitted()
    try await test.verify()
  }
}
