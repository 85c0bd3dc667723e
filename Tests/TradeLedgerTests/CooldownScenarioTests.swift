import LedgerTestSupport
import SQLite
import XCTest

@testable import TradeLedger

/// The cooldown on a real ledger: what counts, from when, and which setting is in force.
class CooldownScenarioTests: PlacedTestCase {
  /// S-11: the base is the last trade in effect, not the one created last; on both clocks, on the
  /// wall clock alone, and after a reboot.
  func testReserve_lateFillAndNewerTrade_countsFromTheLateFill() async throws {
    try await lateFillAndNewerTrade(ManualClock())
    try await lateFillAndNewerTrade(ManualClock(bootID: nil))
    try await lateFillAndNewerTrade(ManualClock(), reboots: true)
  }

  private func lateFillAndNewerTrade(_ clock: ManualClock, reboots: Bool = false) async throws {
    let test = try await newLedger(clock: clock)
    try await test.addBot(cooldown: .seconds(60))
    let ten = test.now()
    func minutes(_ count: Int) -> Timestamp { ten.advanced(by: .seconds(count * 60)) }

    let (first, firstPermit) = try await test.admitted()
    test.clock.advance(.seconds(5 * 60))  // 10:05
    let (second, secondPermit) = try await test.admitted()
    test.clock.advance(.seconds(60))  // 10:06
    try await test.filled(secondPermit)
    test.clock.advance(.seconds(14 * 60))  // 10:20
    let late = try await test.filled(firstPermit)
    XCTAssertTrue(late.isLate)
    XCTAssertEqual(late.filledAt, minutes(20))
    _ = try await test.ledger.changeBot(exampleBot, BotChange(cooldown: .seconds(15 * 60)))
    test.clock.advance(.seconds(5 * 60))  // 10:25
    if reboots { test.clock.reboot("after") }
    let denial = try await test.denied()
    XCTAssertEqual(denial.reason, .cooldown)
    XCTAssertEqual(denial.winner?.id, first.id)
    XCTAssertEqual(denial.winner?.effectiveAt, minutes(20))
    XCTAssertEqual(denial.retryAfter, .seconds(10 * 60))
    XCTAssertGreaterThan(second.id, first.id)
    test.clock.advance(.seconds(10 * 60))
    let (third, _) = try await test.admitted()
    XCTAssertEqual(third.createdAt, minutes(35))
    XCTAssertEqual(third.cooldown, .seconds(15 * 60))
    try await test.verify()
  }

  /// INV-1: a foreign client enters a restore while the ledger is open here. The schema knows at
  /// once; the library learns of it with the first refusal, and denies like any cooldown.
  func testReserve_afterAForeignRestore_isDeniedInWords() async throws {
    let test = try await newLedger()
    try await test.addBot(cooldown: .seconds(60))
    test.clock.advance(.seconds(3600))
    let restored = test.now()
    let entry = "INSERT INTO restores (at) VALUES (\(restored.microseconds))"
    if Self.isOnServer {
      try LedgerCheck.query(test.path, entry)
    } else {
      try test.foreignClient().run(entry)
    }
    test.clock.advance(.seconds(10))
    for _ in 0..<2 {
      let denial = try await test.denied()
      XCTAssertEqual(denial.reason, .cooldown)
      XCTAssertEqual(denial.retryAfter, .seconds(50))
      XCTAssertEqual(denial.restoredAt, restored)
    }
    test.clock.advance(.seconds(50))
    _ = try await test.admitted()
    try await test.verify()
  }

  /// S-12: cooldown zero is respected; one pending at a time all the same (INV-2).
  func testReserve_withCooldownZero_isAdmittedAtOnceButNeverTwice() async throws {
    let test = try await newLedger()
    try await test.addBot(cooldown: .zero)
    for _ in 0..<5 {
      let (trade, permit) = try await test.admitted()
      let denial = try await test.denied()
      XCTAssertEqual(denial.reason, .inProgress)
      XCTAssertEqual(denial.winner?.id, trade.id)
      let recorded = try await test.ledger.record(.example())
      guard case .denied(let other) = recorded else { return XCTFail("\(recorded)") }
      XCTAssertEqual(other.reason, .inProgress)
      try await test.filled(permit)
      try await test.recorded()
    }
    XCTAssertEqual(try test.query("SELECT COUNT(*) FROM trades"), [["10"]])
    try await test.verify()
  }

  /// S-13 through `record`.
  func testRecord_atTheEdgeOfTheCooldown() async throws {
    let test = try await newLedger()
    try await test.addBot(cooldown: .seconds(60))
    try await test.recorded()
    test.clock.advance(.microseconds(59_999_999))
    let denial = try await test.denied()
    XCTAssertEqual(denial.retryAfter, .microseconds(1))
    let refused = try await test.ledger.record(.example())
    guard case .denied(let other) = refused else { return XCTFail("\(refused)") }
    XCTAssertEqual(other, denial)
    test.clock.advance(.microseconds(1))
    let second = try await test.recorded()
    XCTAssertEqual(second.status, .filled)
    XCTAssertEqual(second.filledAt, second.createdAt)
    XCTAssertEqual(second.filledQuantity?.description, "0.5")
    try await test.verify()
  }

  /// S-13: the wall half alone (no boot clock).
  func testReserve_atTheEdge_wallClockAlone() async throws {
    let wallOnly = try await newLedger(clock: ManualClock(bootID: nil))
    try await wallOnly.addBot(cooldown: .seconds(60))
    try await wallOnly.recorded()
    wallOnly.clock.advance(.microseconds(59_999_999))
    let denial = try await wallOnly.denied()
    XCTAssertEqual(denial.retryAfter, .microseconds(1))
    wallOnly.clock.advance(.microseconds(1))
    try await wallOnly.recorded()
    try await wallOnly.verify()
  }

  /// S-14: two trades a second apart over the top of the hour: a sliding window, not a bucket.
  func testReserve_overTheTopOfTheHour_isDenied() async throws {
    let test = try await newLedger()
    try await test.addBot(cooldown: .seconds(3600))
    // The test clock starts at 20:28:53; go to 20:59:59.5.
    test.clock.advance(.seconds(31 * 60 + 6) + .milliseconds(500))
    XCTAssertEqual(test.now().description, "2025-09-07T20:59:59.500000Z")
    try await test.recorded()
    test.clock.advance(.seconds(1))
    XCTAssertEqual(test.now().description, "2025-09-07T21:00:00.500000Z")
    let denial = try await test.denied()
    XCTAssertEqual(denial.reason, .cooldown)
    XCTAssertEqual(denial.retryAfter, .seconds(3599))
    try await test.verify()
  }

  /// S-15: the cooldown is changed from 5 h to 2 h after 3 h: the next attempt uses 2 h.
  func testChangeBot_shorterCooldown_appliesToTheNextAttempt() async throws {
    let test = try await newLedger()
    let hour = Duration.seconds(3600)
    try await test.addBot(cooldown: hour * 5)
    let (old, permit) = try await test.admitted()
    try await test.filled(permit)
    test.clock.advance(hour * 3)
    let denial = try await test.denied()
    XCTAssertEqual(denial.retryAfter, hour * 2)
    let bot = try await test.ledger.changeBot(exampleBot, BotChange(cooldown: hour * 2))
    XCTAssertEqual(bot.settings.cooldown, hour * 2)
    XCTAssertEqual(bot.settings.lease, .seconds(30), "the rest stays")
    let (next, _) = try await test.admitted()
    XCTAssertEqual(next.cooldown, hour * 2)
    let unchanged = try await test.ledger.trade(.id(old.id))
    XCTAssertEqual(unchanged.cooldown, hour * 5, "history is not rewritten")
    XCTAssertEqual(
      try test.query("SELECT cooldown_us FROM settings ORDER BY id"),
      [["18000000000"], ["7200000000"]])
    let doubles = try await test.findings(.doubleTrade)
    XCTAssertEqual(doubles, [], "judged by the cooldown in force when it was admitted")
    try await test.verify()
  }

  /// S-15, the other way: a longer cooldown holds the next attempt back.
  func testChangeBot_longerCooldown_appliesToTheNextAttempt() async throws {
    let test = try await newLedger()
    try await test.addBot(cooldown: .seconds(10))
    try await test.recorded()
    test.clock.advance(.seconds(10))
    _ = try await test.ledger.changeBot(exampleBot, BotChange(cooldown: .seconds(3600)))
    let denial = try await test.denied()
    XCTAssertEqual(denial.retryAfter, .seconds(3590))
    try await test.verify()
  }

  /// S-16: a void trade does not count.
  func testReserve_afterVoid_isAdmittedAtOnce() async throws {
    let test = try await newLedger()
    try await test.addBot()
    let (_, permit) = try await test.admitted()
    let void = try await test.voided(permit)
    XCTAssertNil(void.filledAt)
    XCTAssertNil(void.filledQuantity)
    _ = try await test.admitted()
    try await test.verify()
  }

  /// S-16: after a void the trade before it is the base again.
  func testReserve_afterVoid_countsFromTheTradeBefore() async throws {
    let test = try await newLedger()
    try await test.addBot(cooldown: .seconds(60))
    let first = try await test.recorded()
    test.clock.advance(.seconds(60))
    let (_, permit) = try await test.admitted()
    try await test.voided(permit)
    _ = try await test.ledger.changeBot(exampleBot, BotChange(cooldown: .seconds(100)))
    let denial = try await test.denied()
    XCTAssertEqual(denial.winner?.id, first.id)
    XCTAssertEqual(denial.retryAfter, .seconds(40))
    try await test.verify()
  }

  /// S-16: partly filled and then cancelled counts, as filled with its quantity.
  func testReserve_afterPartialFill_isInsideTheCooldown() async throws {
    let test = try await newLedger()
    try await test.addBot(cooldown: .seconds(60))
    let (trade, permit) = try await test.admitted(.example(quantity: "0.5", price: "64000"))
    test.clock.advance(.seconds(1))
    let partial = try await test.filled(
      permit, Fill(quantity: try Amount("0.125"), price: try Amount("63999.5")))
    XCTAssertEqual(partial.filledQuantity?.description, "0.125")
    XCTAssertEqual(partial.filledPrice?.description, "63999.5")
    XCTAssertEqual(partial.order.quantity.description, "0.5", "the order itself never changes")
    let denial = try await test.denied()
    XCTAssertEqual(denial.winner?.id, trade.id)
    XCTAssertEqual(denial.retryAfter, .seconds(60))
    try await test.verify()
  }

  /// The cooldown runs from the fill, not from the order.
  func testReserve_afterSlowFill_countsFromTheFill() async throws {
    let test = try await newLedger()
    try await test.addBot(cooldown: .seconds(60))
    let (_, permit) = try await test.admitted()
    test.clock.advance(.seconds(20))
    try await test.filled(permit, Fill(at: test.now(.seconds(-5))))
    let denial = try await test.denied()
    XCTAssertEqual(denial.retryAfter, .seconds(55))
    try await test.verify()
  }

  /// One bot's cooldown is nobody else's.
  func testReserve_ofAnotherBot_isNotHeldUp() async throws {
    let test = try await newLedger()
    for name in ["a", "b", "A"] { try await test.addBot(name) }
    for name in ["a", "b", "A"] { _ = try await test.admitted(.example(name)) }
    for name in ["a", "b", "A"] {
      let denial = try await test.denied(.example(name))
      XCTAssertEqual(denial.winner?.bot.description, name)
    }
    try await test.verify()
  }
}

#if PostgreSQL
  /// The same on a server.
  final class PostgreSQLCooldownScenarioTests: CooldownScenarioTests {
    override class var engine: Engine { .server }

    override func testReserve_withCooldownZero_isAdmittedAtOnceButNeverTwice() async throws {
      try await super.testReserve_withCooldownZero_isAdmittedAtOnceButNeverTwice()
    }
  }
#endif
