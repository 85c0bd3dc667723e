import LedgerTestSupport
import SQLite
import XCTest

@testable import TradeLedger

/// INV-7: fencing by the epoch of an instance name. Who takes names is the subject of InstanceTests;
/// here the rows are written by hand.
final class InstanceFenceTests: XCTestCase {
  private let instanceName = InstanceName(stored: "trading_bot")
  private func claim(_ epoch: Int64) -> InstanceClaim {
    InstanceClaim(name: instanceName, epoch: Epoch(epoch))
  }

  private func started() async throws -> (TestLedger, Connection) {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .zero)
    let other = try test.foreignClient()
    try other.run("INSERT INTO instances (name, epoch, pid) VALUES ('trading_bot', 1, 1)")
    return (test, other)
  }

  private func raise(_ other: Connection) throws {
    try other.run("UPDATE instances SET epoch = epoch + 1 WHERE name = 'trading_bot'")
  }

  func testReserve_withCurrentEpoch_isAdmittedAndCarriesIt() async throws {
    let (test, _) = try await started()
    let outcome = try await test.ledger.reserve(.example(), instance: claim(1))
    guard case .admitted(let trade, let permit) = outcome else { return XCTFail("\(outcome)") }
    XCTAssertEqual(trade.instance, claim(1))
    XCTAssertEqual(permit.instance, claim(1))
    let isLive = try await test.ledger.isLive(permit)
    XCTAssertTrue(isLive)
    let read = try await test.ledger.trade(.id(trade.id))
    XCTAssertEqual(read, trade)
    let denial = try await test.denied()
    XCTAssertEqual(denial.holder?.instance, claim(1))
    let filled = try await test.filled(permit)
    XCTAssertFalse(filled.isSuperseded)
    try await test.verify()
  }

  /// An old epoch, one that was never given, and a name that nobody holds are refused before
  /// anything else is looked at, for `reserve` and `record`, facts of the past included.
  func testReserve_withOtherEpoch_isSuperseded() async throws {
    let (test, other) = try await started()
    try raise(other)
    for epoch in [1, 3, 0, -1, Int64.max] {
      let outcome = try await test.ledger.reserve(.example(), instance: claim(epoch))
      guard case .denied(let denial) = outcome else { return XCTFail("\(outcome)") }
      XCTAssertEqual(denial.reason, .superseded)
      XCTAssertEqual(denial.holder?.instance, claim(2))
      for fill in [Fill(), Fill(at: test.now())] {
        let recorded = try await test.ledger.record(
          .example(), fill: fill, instance: claim(epoch))
        XCTAssertEqual(recorded, .denied(denial))
      }
    }
    let unknown = InstanceClaim(name: InstanceName(stored: "nobody"), epoch: Epoch(1))
    let outcome = try await test.ledger.reserve(.example(), instance: unknown)
    XCTAssertEqual(outcome, .denied(Denial(.superseded)))
    XCTAssertEqual(try test.query("SELECT COUNT(*) FROM trades"), [["0"]])
    try await test.verify()
  }

  /// S-42: a holder that was evicted while its order was under way. Its permit is dead, its fill is
  /// taken and flagged, its next reserve is refused, and the audit finds it.
  func testFill_afterEviction_isTakenAndFlagged() async throws {
    let (test, other) = try await started()
    let outcome = try await test.ledger.reserve(.example(), instance: claim(1))
    guard case .admitted(let trade, let permit) = outcome else { return XCTFail("\(outcome)") }
    try raise(other)
    let isLive = try await test.ledger.isLive(permit)
    XCTAssertFalse(isLive)
    let filled = try await test.filled(permit)
    XCTAssertTrue(filled.isSuperseded)
    XCTAssertEqual(filled.status, .filled)
    let next = try await test.ledger.reserve(.example(), instance: claim(1))
    guard case .denied(let denial) = next else { return XCTFail("\(next)") }
    XCTAssertEqual(denial.reason, .superseded)
    let findings = try await test.findings(.epoch)
    XCTAssertEqual(findings.map(\.trades), [[trade.id.value]])
    let read = try await test.ledger.trade(.id(trade.id))
    XCTAssertTrue(read.isSuperseded)
    try await test.verify()
  }

  /// A void by the evicted holder is taken and flagged too, and found.
  func testVoid_afterEviction_isTakenAndFlagged() async throws {
    let (test, other) = try await started()
    let outcome = try await test.ledger.reserve(.example(), instance: claim(1))
    guard case .admitted(let trade, let permit) = outcome else { return XCTFail("\(outcome)") }
    try raise(other)
    let void = try await test.voided(permit)
    XCTAssertTrue(void.isSuperseded)
    let findings = try await test.findings(.epoch)
    XCTAssertEqual(findings.map(\.trades), [[trade.id.value]])
    try await test.verify()
  }

  /// The pre-send check of `withTrade` is refused too: the order is not sent.
  func testWithTrade_evictedBeforeTheCall_isVoid() async throws {
    let (test, _) = try await started()
    let (ledger, clock) = try await test.scripted()
    let readings = try await test.readingsOfReserve(ledger, clock)
    // The name is taken over between the reservation and the look right before the call.
    clock.before(readings + 1) {
      let taker = try? test.foreignClient()
      try? taker?.run("UPDATE instances SET epoch = epoch + 1 WHERE name = 'trading_bot'")
    }
    let outcome = try await ledger.withTrade(.example(), instance: claim(1)) { _ in
      XCTFail("sent by an evicted process")
      return Fill()
    }
    guard case .void(let trade) = outcome else { return XCTFail("\(outcome)") }
    XCTAssertTrue(trade.isSuperseded)
    try await test.verify()
  }

  /// A replay under an old epoch gives no permit either: superseded is looked at first.
  func testReserve_replayUnderOldEpoch_isSuperseded() async throws {
    let (test, other) = try await started()
    let key = try OrderKey("task-1")
    let token = PermitToken.random()
    _ = try await test.ledger.reserve(.example(), key: key, token: token, instance: claim(1))
    try raise(other)
    let again = try await test.ledger.reserve(
      .example(), key: key, token: token, instance: claim(1))
    guard case .denied(let denial) = again else { return XCTFail("\(again)") }
    XCTAssertEqual(denial.reason, .superseded)
    try await test.verify()
  }

  /// The epoch is compared under the lock: it is raised between the look and the lock.
  func testReserve_evictedBetweenLookAndLock_isSuperseded() async throws {
    let (test, _) = try await started()
    let path = test.path
    let recorder = StatementRecorder { text in
      guard text == "BEGIN IMMEDIATE" else { return }
      let other = try? Connection.open(
        path, options: OpenOptions(purpose: .writing, wait: .seconds(5)))
      try? other?.run("UPDATE instances SET epoch = epoch + 1 WHERE name = 'trading_bot'")
    }
    await test.ledger.sqlite.record(in: recorder)
    let outcome = try await test.ledger.reserve(.example(), instance: claim(1))
    guard case .denied(let denial) = outcome else { return XCTFail("\(outcome)") }
    XCTAssertEqual(denial.reason, .superseded)
    XCTAssertEqual(denial.holder?.instance, claim(2))
    try await test.verify()
  }
}
