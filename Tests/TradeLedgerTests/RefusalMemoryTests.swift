import LedgerTestSupport
import SQLite
import XCTest

@testable import TradeLedger

/// A refusal that is given again without reading its reasons again.
final class RefusalMemoryTests: XCTestCase {
  private func statements(
    _ test: TestLedger, _ body: () async throws -> Void
  ) async throws -> [String] {
    let recorder = StatementRecorder()
    await test.ledger.sqlite.record(in: recorder)
    try await body()
    return recorder.take()
  }

  /// While nothing changes, no statement; the same answer but for what time does to it.
  func testDenial_again_costsNoStatementAndCountsDown() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(60))
    try await test.recorded()
    let first = try await test.denied()
    test.clock.advance(.seconds(10))
    var second: Denial?
    let ran = try await statements(test) { second = try await test.denied() }
    XCTAssertEqual(ran, [])
    XCTAssertEqual(second?.winner, first.winner)
    XCTAssertEqual(second?.reason, first.reason)
    XCTAssertEqual(second?.retryAfter, first.retryAfter.map { $0 - .seconds(10) })
    test.clock.advance(.seconds(50))
    _ = try await test.admitted()
    try await test.verify()
  }

  /// Whoever commits something, this connection, another one or a foreign client: it is looked anew.
  func testDenial_afterACommitOfAnybody_isReadAnew() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .zero)
    let (_, permit) = try await test.admitted()
    let other = try await test.another()
    _ = try await test.denied()
    _ = try await test.denied()
    _ = try await other.void(permit.trade, token: permit.token, reason: "by another")
    let (_, mine) = try await test.admitted()
    _ = try await test.denied()
    try await test.voided(mine)
    _ = try await test.admitted()
    _ = try await test.denied()
    try test.foreignClient().run(
      """
      UPDATE trades SET status = 'filled', filled_at = created_at, received_at = created_at,
        filled_quantity = quantity, settled_with = token WHERE status = 'pending'
      """)
    _ = try await test.admitted()
    await other.close()
    try await test.verify()
  }

  /// A key that the caller brings is looked up each time: its trade comes before any cooldown. So is
  /// the epoch of an instance.
  func testReplay_amongDenials_isFound() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(60))
    _ = try await test.admitted(key: "signal-1")
    _ = try await test.denied()
    _ = try await test.denied()
    let outcome = try await test.ledger.reserve(.example(), key: OrderKey("signal-1"))
    guard case .replayed(let trade, nil) = outcome else { return XCTFail("\(outcome)") }
    XCTAssertEqual(trade.id, TradeID(1))
    let claim = InstanceClaim(name: try InstanceName("desk"), epoch: Epoch(3))
    let fenced = try await test.ledger.reserve(.example(), instance: claim)
    guard case .denied(let denial) = fenced else { return XCTFail("\(fenced)") }
    XCTAssertEqual(denial.reason, .superseded)
    try await test.verify()
  }

  /// Settings are part of what is remembered: a change applies to the next attempt.
  func testDenial_afterAChangeOfSettings_usesTheNewOnes() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(60))
    try await test.recorded()
    test.clock.advance(.seconds(10))
    _ = try await test.denied()
    _ = try await test.denied()
    let other = try await test.another()
    _ = try await other.changeBot(exampleBot, BotChange(cooldown: .seconds(5)))
    _ = try await test.admitted()
    await other.close()
    try await test.verify()
  }
}
