import LedgerTestSupport
import XCTest

@testable import TradeLedger

/// Facts of the past: never denied for their neighbours, because they have happened.
final class PastFactTests: XCTestCase {
  /// Neither a pending trade, a doubt, the cooldown nor a disabled bot stands in the way.
  func testRecord_ofThePast_isNeverDeniedForItsNeighbours() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(900), inDoubt: .block)
    let (open, _) = try await test.admitted()
    try await test.recorded(at: test.now())
    try await test.recorded(at: test.now())
    test.clock.advance(.seconds(31))
    let denial = try await test.denied()
    XCTAssertEqual(denial.reason, .inDoubt)
    XCTAssertEqual(denial.winner?.id, open.id)
    try await test.recorded(at: test.now(.seconds(-1)))
    _ = try await test.ledger.changeBot(exampleBot, BotChange(isEnabled: false))
    let fact = try await test.recorded(at: test.now())
    XCTAssertEqual(fact.origin, .past)
    XCTAssertEqual(fact.exchangeAt, fact.filledAt)
    XCTAssertEqual(fact.receivedAt, test.now())
    try await test.verify()
  }

  /// From now on it counts for the cooldown, at its own time.
  func testRecord_ofThePast_countsForTheCooldown() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(900))
    let fact = try await test.recorded(at: test.now(.seconds(-100)))
    let denial = try await test.denied()
    XCTAssertEqual(denial.reason, .cooldown)
    XCTAssertEqual(denial.winner?.id, fact.id)
    XCTAssertEqual(denial.retryAfter, .seconds(800))
    // An older fact, entered later, is not the base.
    try await test.recorded(at: test.now(.seconds(-500)))
    let same = try await test.denied()
    XCTAssertEqual(same, denial)
    test.clock.advance(.seconds(800))
    _ = try await test.admitted()
    try await test.verify()
  }

  /// On the boot clock a fact of the past happened as long ago as on the wall clock: a jump ahead
  /// afterwards opens nothing (S-17).
  func testRecord_ofThePast_thenWallClockAhead_opensNothingEarly() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(900))
    try await test.recorded(at: test.now(.seconds(-100)))
    test.clock.jumpWall(.seconds(7200))
    let denial = try await test.denied()
    XCTAssertEqual(denial.retryAfter, .seconds(800))
    try await test.verify()
  }

  func testRecord_ofTheFutureOrBefore1970_fails() async throws {
    let test = try await TestLedger()
    try await test.addBot()
    for bad in [
      test.now(.microseconds(1)), test.now(.seconds(3600)), .latest,
      Timestamp(microseconds: .max), Timestamp(microseconds: -1),
      Timestamp(microseconds: .min),
    ] {
      await assertFails(.invalidInput) {
        try await test.ledger.record(.example(), fill: Fill(at: bad))
      }
    }
    XCTAssertEqual(try test.query("SELECT COUNT(*) FROM trades"), [["0"]])
    try await test.recorded(at: Timestamp(microseconds: 0))
    try await test.recorded(at: test.now())
    try await test.verify()
  }

  /// The audit reports what a fact of the past violates, and says that one was involved.
  func testAudit_ofFactBesideAnAdmittedTrade_namesBoth() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(900))
    let admitted = try await test.recorded()
    test.clock.advance(.seconds(1000))
    let fact = try await test.recorded(at: test.now(.seconds(-999)))
    let doubles = try await test.findings(.doubleTrade)
    XCTAssertEqual(doubles.map(\.trades), [[admitted.id.value, fact.id.value]])
    XCTAssertEqual(doubles.first?.gap, .seconds(1))
    XCTAssertEqual(doubles.first?.involvesPast, true)
    let overlaps = try await test.findings(.overlap)
    XCTAssertEqual(overlaps, [], "a fact of the past began nothing")
    try await test.verify()
  }

  /// A fact of the past cannot be settled by anybody: it has no permit.
  func testSettle_ofRecordedTrade_isRefused() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .zero)
    for at in [nil, test.now(.seconds(-5))] {
      let trade = try await test.recorded(at: at)
      let byToken = try await test.ledger.void(trade.id, token: .random(), reason: "undo")
      XCTAssertEqual(try test.refused(byToken).reason, .wrongToken)
      let byOperator = try await test.ledger.resolve(.id(trade.id), fill: nil, reason: "undo")
      XCTAssertEqual(try test.refused(byOperator).reason, .alreadySettled)
    }
    try await test.verify()
  }
}
