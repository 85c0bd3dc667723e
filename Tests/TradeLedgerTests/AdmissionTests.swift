import LedgerTestSupport
import TradeLedger
import XCTest

/// One process, one connection, a clock that the test moves: the order of admission.
final class AdmissionTests: XCTestCase {
  func testReserve_onFreshBot_isAdmittedAndCanBeFilled() async throws {
    let test = try await TestLedger()
    try await test.addBot()
    let (trade, permit) = try await test.admitted()
    XCTAssertEqual(trade.status, .pending)
    XCTAssertEqual(permit.validUntil, trade.createdAt.advanced(by: .seconds(30)))
    test.clock.advance(.seconds(2))
    let outcome = try await test.ledger.fill(
      permit.trade, token: permit.token, Fill(price: Amount("64000.5")))
    guard case .settled(let filled) = outcome else { return XCTFail("\(outcome)") }
    XCTAssertEqual(filled.filledAt, trade.createdAt.advanced(by: .seconds(2)))
    XCTAssertEqual(filled.filledPrice?.description, "64000.5")
    XCTAssertFalse(filled.isLate)
    let read = try await test.ledger.trade(.id(trade.id))
    XCTAssertEqual(read, filled)
    try await test.verify()
  }

  func testReserve_whilePending_isInProgress() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .zero)
    let (trade, _) = try await test.admitted()
    test.clock.advance(.seconds(10))
    let denial = try await test.denied()
    XCTAssertEqual(denial.reason, .inProgress)
    XCTAssertEqual(denial.winner?.id, trade.id)
    XCTAssertEqual(denial.retryAfter, .seconds(20))
    XCTAssertEqual(denial.holder?.pid, getpid())
    XCTAssertTrue(denial.isTransient)
    try await test.verify()
  }

  /// S-13: one microsecond less than the cooldown is refused, the cooldown itself is enough.
  func testReserve_atTheEdgeOfTheCooldown() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(60))
    let (trade, permit) = try await test.admitted()
    _ = try await test.ledger.fill(permit.trade, token: permit.token)
    test.clock.advance(.microseconds(59_999_999))
    let denial = try await test.denied()
    XCTAssertEqual(denial.reason, .cooldown)
    XCTAssertEqual(denial.retryAfter, .microseconds(1))
    XCTAssertEqual(denial.winner?.id, trade.id)
    test.clock.advance(.microseconds(1))
    _ = try await test.admitted()
    try await test.verify()
  }
}
