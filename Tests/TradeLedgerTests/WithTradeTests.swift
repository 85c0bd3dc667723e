import LedgerTestSupport
import SQLite
import Synchronization
import XCTest

@testable import TradeLedger

/// `withTrade`: reserve, call the exchange with no lock held, settle by what it said.
final class WithTradeTests: XCTestCase {
  private struct NetworkFailure: Error {}

  func testWithTrade_filled_isOnRecord() async throws {
    let test = try await TestLedger()
    try await test.addBot()
    let price = try Amount("64000.5")
    let seen = Mutex<Permit?>(nil)
    let outcome = try await test.ledger.withTrade(.example()) { permit in
      seen.withLock { $0 = permit }
      test.clock.advance(.seconds(2))
      return Fill(price: price, at: test.now(.seconds(-1)))
    }
    guard case .filled(let trade) = outcome else { return XCTFail("\(outcome)") }
    XCTAssertEqual(seen.withLock { $0 }?.trade, trade.id)
    XCTAssertEqual(seen.withLock { $0 }?.key, trade.key)
    XCTAssertEqual(seen.withLock { $0 }?.validUntil, trade.leaseUntil)
    XCTAssertEqual(trade.filledAt, trade.createdAt.advanced(by: .seconds(1)))
    XCTAssertEqual(trade.filledPrice, price)
    XCTAssertFalse(trade.isLate)
    let read = try await test.ledger.trade(.id(trade.id))
    XCTAssertEqual(read, trade)
    try await test.verify()
  }

  func testWithTrade_orderNotSent_isVoid() async throws {
    let test = try await TestLedger()
    try await test.addBot()
    for (reason, kept) in [
      ("below the tick size", "below the tick size"), ("", "not sent"), ("two\nlines", "not sent"),
      (String(repeating: "x", count: 1000), "not sent"),
    ] {
      let outcome = try await test.ledger.withTrade(.example()) { _ in throw OrderNotSent(reason) }
      guard case .void(let trade) = outcome else { return XCTFail("\(outcome)") }
      XCTAssertEqual(trade.status, .void)
      XCTAssertEqual(trade.reason, kept)
    }
    _ = try await test.admitted()
    try await test.verify()
  }

  /// Any other error may have sent the order: it stays on record, and counts, until somebody looks.
  func testWithTrade_otherError_staysInDoubtUntilResolved() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(10))
    for error in [NetworkFailure() as any Error, CancellationError()] {
      let outcome = try await test.ledger.withTrade(.example()) { _ in throw error }
      guard case .inDoubt(let trade, let cause) = outcome else { return XCTFail("\(outcome)") }
      XCTAssertEqual(String(describing: cause), String(describing: error))
      let denial = try await test.denied()
      XCTAssertEqual(denial.reason, .inProgress)
      let early = try await test.ledger.resolve(.id(trade.id), fill: Fill(), reason: "found")
      XCTAssertEqual(try test.refused(early).reason, .inProgress)
      test.clock.advance(.seconds(30))
      let resolved = try test.settled(
        try await test.ledger.resolve(
          .key(trade.key), fill: Fill(at: trade.createdAt.advanced(by: .seconds(1))),
          reason: "found by its key"))
      XCTAssertEqual(resolved.status, .filled)
      XCTAssertEqual(resolved.filledAt, trade.createdAt.advanced(by: .seconds(1)))
    }
    try await test.verify()
  }

  /// A denial is a value, and nothing is sent.
  func testWithTrade_denied_doesNotCallTheExchange() async throws {
    let test = try await TestLedger()
    try await test.addBot()
    try await test.recorded()
    let outcome = try await test.ledger.withTrade(.example()) { _ in
      XCTFail("sent in spite of the denial")
      return Fill()
    }
    guard case .denied(let denial) = outcome else { return XCTFail("\(outcome)") }
    XCTAssertEqual(denial.reason, .cooldown)
    await assertFails(.noSuchBot) {
      try await test.ledger.withTrade(.example("nobody")) { _ in
        XCTFail("sent for a bot that is not there")
        return Fill()
      }
    }
    try await test.verify()
  }

  /// The lease is over before the exchange call, because the process stood still in between: the
  /// order is certainly not sent.
  func testWithTrade_leaseOverBeforeTheCall_isVoid() async throws {
    let test = try await TestLedger()
    try await test.addBot()
    let (ledger, clock) = try await test.scripted()
    let readings = try await test.readingsOfReserve(ledger, clock)
    clock.before(readings + 1) { test.clock.advance(.seconds(30)) }
    let outcome = try await ledger.withTrade(.example()) { _ in
      XCTFail("sent after the lease")
      return Fill()
    }
    guard case .void(let trade) = outcome else { return XCTFail("\(outcome)") }
    XCTAssertTrue(trade.isLate)
    XCTAssertEqual(trade.reason, "the lease was over before the exchange call")
    _ = try await test.admitted()
    try await test.verify()
  }

  /// A microsecond before the lease's end the order is still sent.
  func testWithTrade_atTheVeryEndOfTheLease_isSent() async throws {
    let test = try await TestLedger()
    try await test.addBot()
    let (ledger, clock) = try await test.scripted()
    let readings = try await test.readingsOfReserve(ledger, clock)
    clock.before(readings + 1) { test.clock.advance(.microseconds(29_999_999)) }
    let outcome = try await ledger.withTrade(.example()) { _ in Fill() }
    guard case .filled(let trade) = outcome else { return XCTFail("\(outcome)") }
    XCTAssertFalse(trade.isLate)
    try await test.verify()
  }

  /// S-07 through `withTrade`: an exchange that answers after the lease. The fill is kept, late.
  func testWithTrade_slowExchange_isFilledLate() async throws {
    let test = try await TestLedger()
    try await test.addBot()
    let outcome = try await test.ledger.withTrade(.example()) { _ in
      test.clock.advance(.seconds(40))
      let denial = try await test.denied()
      XCTAssertEqual(denial.reason, .cooldown)
      return Fill()
    }
    guard case .filled(let trade) = outcome else { return XCTFail("\(outcome)") }
    XCTAssertTrue(trade.isLate)
    try await test.verify()
  }

  /// An operator declared the trade void while the exchange was still at it: the fill is kept as a
  /// conflict, and the caller is not told that all is well.
  func testWithTrade_filledAfterAnOperatorsVoid_isConflict() async throws {
    let test = try await TestLedger()
    try await test.addBot()
    let outcome = try await test.ledger.withTrade(.example()) { permit in
      test.clock.advance(.seconds(31))
      _ = try test.settled(
        try await test.ledger.resolve(.id(permit.trade), fill: nil, reason: "looks lost"))
      return Fill()
    }
    guard case .denied(let denial) = outcome else { return XCTFail("\(outcome)") }
    XCTAssertEqual(denial.reason, .alreadySettled)
    XCTAssertEqual(denial.winner?.status, .void)
    XCTAssertEqual(try test.query("SELECT COUNT(*) FROM conflicts"), [["1"]])
    let next = try await test.denied()
    XCTAssertEqual(next.reason, .cooldown)
    try await test.verify()
  }

  /// The order was sent, but its fill could not be written: the error says to look first, and the
  /// row stands.
  func testWithTrade_ledgerGoneAfterSending_saysCheckFirst() async throws {
    let test = try await TestLedger()
    try await test.addBot()
    let away = test.path + ".moved"
    let error = await assertFails(.ledgerMoved) {
      try await test.ledger.withTrade(.example()) { _ in
        try FileManager.default.moveItem(atPath: test.path, toPath: away)
        return Fill()
      }
    }
    XCTAssertEqual(error?.retry, .checkFirst)
    XCTAssertTrue(error?.message.contains("the order was sent") ?? false, "\(error as Any)")
    try FileManager.default.moveItem(atPath: away, toPath: test.path)
    XCTAssertEqual(try test.query("SELECT id, status FROM trades"), [["1", "pending"]])
    try await test.verify()
  }

  /// The look right before the call fails: nothing is sent, and the row stands for an operator.
  func testWithTrade_lookBeforeTheCallFails_doesNotSend() async throws {
    let test = try await TestLedger()
    try await test.addBot()
    let other = try test.foreignClient()
    try other.run("INSERT INTO instances (name, epoch, pid) VALUES ('trading_bot', 1, 1)")
    let (ledger, clock) = try await test.scripted()
    let readings = try await test.readingsOfReserve(ledger, clock)
    clock.before(readings + 1) { try? test.foreignClient().run("DROP TRIGGER trade_kept") }
    let claim = InstanceClaim(name: InstanceName(stored: "trading_bot"), epoch: Epoch(1))
    await assertFails(.schemaAltered) {
      try await ledger.withTrade(.example(), instance: claim) { _ in
        XCTFail("sent without the look")
        return Fill()
      }
    }
    XCTAssertEqual(
      try test.query("SELECT status FROM trades ORDER BY id"), [["void"], ["pending"]])
    try await test.verify()
  }

  /// The closure's caller may live on the main actor.
  @MainActor
  func testWithTrade_fromTheMainActor_runsTheClosureThere() async throws {
    let test = try await TestLedger()
    try await test.addBot()
    var sent = 0
    let outcome = try await test.ledger.withTrade(.example()) { _ in
      MainActor.assertIsolated()
      sent += 1
      return Fill()
    }
    guard case .filled = outcome else { return XCTFail("\(outcome)") }
    XCTAssertEqual(sent, 1)
    try await test.verify()
  }
}
