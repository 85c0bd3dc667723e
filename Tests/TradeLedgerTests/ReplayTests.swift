import LedgerTestSupport
import XCTest

@testable import TradeLedger

/// S-19 and S-20: the same key again, from the same caller and from another.
class ReplayTests: PlacedTestCase {
  private let key = OrderKey(stored: "celery-task-4711")
  private let token = PermitToken(stored: "token-of-first-delivery")

  private func reserve(
    _ test: TestLedger, _ order: Order = .example(), token: PermitToken? = nil
  ) async throws -> ReserveOutcome {
    try await test.ledger.reserve(order, key: key, token: token)
  }

  private func started() async throws -> (TestLedger, Trade, Permit) {
    let test = try await newLedger()
    try await test.addBot(cooldown: .seconds(60))
    let outcome = try await reserve(test, token: token)
    guard case .admitted(let trade, let permit) = outcome else { throw Unexpected(outcome) }
    return (test, trade, permit)
  }

  /// S-19: a retry after a lost answer, same key and token: the first trade and the same permit.
  func testReserve_again_withSameToken_givesTheSamePermit() async throws {
    let (test, trade, permit) = try await started()
    for _ in 0..<3 {
      test.clock.advance(.seconds(9))
      let again = try await reserve(test, token: token)
      XCTAssertEqual(again, .replayed(trade, permit))
      XCTAssertEqual(again.permit, permit)
    }
    XCTAssertEqual(try test.query("SELECT COUNT(*) FROM trades"), [["1"]])
    let isLive = try await test.ledger.isLive(permit)
    XCTAssertTrue(isLive)
    try await test.verify()
  }

  /// S-19: a task redelivered to another worker while the first still works: no permit.
  func testReserve_again_withOtherToken_givesNoPermit() async throws {
    let (test, trade, permit) = try await started()
    for other in [PermitToken.random(), nil] {
      let again = try await reserve(test, token: other)
      XCTAssertEqual(again, .replayed(trade, nil))
      XCTAssertNil(again.permit)
    }
    let filled = try await test.filled(permit)
    let late = try await reserve(test, token: .random())
    XCTAssertEqual(late, .replayed(filled, nil))
    try await test.verify()
  }

  /// S-19: once the lease is over, and once the trade is settled, the same token gets no permit.
  func testReserve_again_afterLeaseOrSettling_givesNoPermit() async throws {
    let (test, trade, permit) = try await started()
    test.clock.advance(.seconds(30))
    var again = try await reserve(test, token: token)
    guard case .replayed(let seen, nil) = again else { return XCTFail("\(again)") }
    XCTAssertEqual(seen.id, trade.id)
    XCTAssertEqual(seen.status, .inDoubt)
    let filled = try await test.filled(permit)
    again = try await reserve(test, token: token)
    XCTAssertEqual(again, .replayed(filled, nil))
    XCTAssertEqual(try test.query("SELECT COUNT(*) FROM trades"), [["1"]])
    try await test.verify()

    let (other, _, voidable) = try await started()
    let void = try await other.voided(voidable)
    let replay = try await reserve(other, token: token)
    XCTAssertEqual(replay, .replayed(void, nil), "a void key is used up: send a new one")
    try await other.verify()
  }

  /// S-20: other content under the same key: `key_conflict`, whoever asks and with which token.
  func testReserve_again_withOtherContent_isKeyConflict() async throws {
    let (test, trade, permit) = try await started()
    try await test.addBot("other")
    let others: [Order] = [
      .example(side: .sell), .example(quantity: "0.6"), .example(price: "1"), .example("other"),
    ]
    for order in others {
      let outcome = try await reserve(test, order, token: token)
      guard case .denied(let denial) = outcome else { return XCTFail("\(outcome)") }
      XCTAssertEqual(denial.reason, .keyConflict)
      XCTAssertEqual(denial.winner, trade)
      XCTAssertFalse(denial.isTransient)
      let recorded = try await test.ledger.record(order, key: key)
      guard case .denied(let other) = recorded else { return XCTFail("\(recorded)") }
      XCTAssertEqual(other.reason, .keyConflict)
    }
    try await test.filled(permit)
    XCTAssertEqual(try test.query("SELECT COUNT(*) FROM trades"), [["1"]])
    try await test.verify()
  }

  /// The same content in another spelling is the same content.
  func testReserve_again_withOtherSpelling_isReplayed() async throws {
    let (test, trade, permit) = try await started()
    let again = try await reserve(test, .example(quantity: "00.500"), token: token)
    XCTAssertEqual(again, .replayed(trade, permit))
    try await test.verify()
  }

  /// A denial burns no key: the same key is admitted when the time has come.
  func testReserve_againAfterDenial_isAdmittedUnderTheSameKey() async throws {
    let test = try await newLedger()
    try await test.addBot(cooldown: .seconds(60))
    try await test.recorded()
    let denied = try await reserve(test)
    guard case .denied(let denial) = denied else { return XCTFail("\(denied)") }
    XCTAssertEqual(try test.query("SELECT COUNT(*) FROM trades"), [["1"]])
    test.clock.advance(denial.retryAfter!)
    let outcome = try await reserve(test)
    guard case .admitted(let trade, _) = outcome else { return XCTFail("\(outcome)") }
    XCTAssertEqual(trade.key, key)
    try await test.verify()
  }

  /// A replay comes before every other "no": disabled, in progress, cooldown.
  func testReserve_again_whileDisabled_isReplayed() async throws {
    let (test, trade, permit) = try await started()
    _ = try await test.ledger.changeBot(exampleBot, BotChange(isEnabled: false))
    let again = try await reserve(test, token: token)
    XCTAssertEqual(again, .replayed(trade, permit))
    let other = try await test.denied()
    XCTAssertEqual(other.reason, .disabled)
    try await test.verify()
  }

  /// Key and content for `record`: the first row, no second one; and across the two ways in.
  func testRecord_again_isReplayed() async throws {
    let test = try await newLedger()
    try await test.addBot(cooldown: .seconds(60))
    let first = try await test.recorded(key: "k-1")
    let again = try await test.ledger.record(.example(), key: try OrderKey("k-1"))
    XCTAssertEqual(again, .replayed(first))
    let reserved = try await test.ledger.reserve(.example(), key: try OrderKey("k-1"))
    XCTAssertEqual(reserved, .replayed(first, nil))
    test.clock.advance(.seconds(60))
    let (pending, _) = try await test.admitted(key: "k-2")
    let recorded = try await test.ledger.record(.example(), key: try OrderKey("k-2"))
    XCTAssertEqual(recorded, .replayed(pending))
    let past = Fill(at: test.now(.seconds(-500)))
    let fact = try await test.recorded(at: past.at, key: "k-3")
    let sameFact = try await test.ledger.record(.example(), fill: past, key: try OrderKey("k-3"))
    XCTAssertEqual(sameFact, .replayed(fact))
    let moved = try await test.ledger.record(
      .example(), fill: Fill(at: test.now(.seconds(-501))), key: try OrderKey("k-3"))
    guard case .denied(let denial) = moved else { return XCTFail("\(moved)") }
    XCTAssertEqual(denial.reason, .keyConflict, "another time is another fact")
    XCTAssertEqual(try test.query("SELECT COUNT(*) FROM trades"), [["3"]])
    try await test.verify()
  }

  /// S-19: the caller's code never runs on a replay, not even with the right token.
  func testWithTrade_onReplay_doesNotCallTheExchange() async throws {
    let (test, trade, permit) = try await started()
    for token in [token, .random()] {
      let outcome = try await test.ledger.withTrade(.example(), key: key, token: token) { _ in
        XCTFail("the exchange was called on a replay")
        return Fill()
      }
      guard case .replayed(let seen) = outcome else { return XCTFail("\(outcome)") }
      XCTAssertEqual(seen, trade)
    }
    try await test.filled(permit)
    try await test.verify()
  }
}

#if PostgreSQL
  /// The same on a server.
  final class PostgreSQLReplayTests: ReplayTests {
    override class var engine: Engine { .server }

    override func testReserve_again_whileDisabled_isReplayed() async throws {
      try await super.testReserve_again_whileDisabled_isReplayed()
    }
  }
#endif
