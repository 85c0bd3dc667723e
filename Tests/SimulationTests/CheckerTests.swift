import XCTest

@testable import LedgerSimulation

/// Each kind of violation has a history that shows it and nothing else.
final class CheckerTests: XCTestCase {
  private func kinds(_ evidence: Evidence) -> [Violation.Kind] {
    Checker(evidence).violations().map(\.kind)
  }

  func testCheck_ofAGoodHistory_findsNothing() {
    XCTAssertEqual(kinds(Sample.good()), [])
    XCTAssertEqual(kinds(Sample.withoutTrade2()), [])
    XCTAssertEqual(kinds(Evidence()), [])
  }

  // MARK: INV-1

  /// S-13: elapsed equals the cooldown is admitted, one microsecond less is a double trade.
  func testDoubleTrade_isFoundToTheMicrosecond() {
    var evidence = Sample.withoutTrade2()
    evidence.replaceRow(Sample.row(3, "k5", .inDoubt, at: 505_000))
    XCTAssertEqual(kinds(evidence), [])
    evidence.replaceRow(Sample.row(3, "k5", .inDoubt, at: 504_999, pid: 102))
    let found = Checker(evidence).violations()
    XCTAssertEqual(found.map(\.kind), [.doubleTrade])
    XCTAssertEqual(found.first?.trades, [1, 3])
    XCTAssertEqual(found.first?.gap, 499_999)
    XCTAssertEqual(found.first?.pids, [100, 102])
    XCTAssertEqual(Checker.doubleCount(found), 1)
  }

  /// S-11: a fill that was not on record yet does not count at its own time.
  func testDoubleTrade_isJudgedByWhatWasOnRecord() {
    var evidence = Sample.withoutTrade2()
    evidence.replaceRow(Sample.row(1, "k1", .filled, at: 500, filled: 5000, received: 600_000))
    evidence.replaceRow(Sample.row(3, "k5", .inDoubt, at: 500_500))
    XCTAssertEqual(kinds(evidence), [])
    evidence.replaceRow(Sample.row(3, "k5", .inDoubt, at: 500_499))
    XCTAssertEqual(kinds(evidence), [.doubleTrade])
  }

  /// The base is the latest time of all earlier trades, not of the last row.
  func testDoubleTrade_isFoundBehindAnEarlierNeighbour() {
    var evidence = Sample.withoutTrade2()
    // Trade 1 was filled long after it was admitted, and trade 2 in between.
    evidence.replaceRow(Sample.row(1, "k1", .filled, at: 500, filled: 900_000, received: 900_100))
    evidence.replaceRow(Sample.row(3, "k5", .inDoubt, at: 512_100))
    evidence.replaceCall(
      Sample.call(
        "k1", at: 0, ordered: 1000, trade: 1, told: 901_000, .filled(trade: 1)))
    evidence.replaceOrder(Sample.order("k1", executed: 900_000))
    evidence.rows.append(Sample.row(4, "k8", .pending, at: 1_100_000))
    evidence.calls.append(Sample.call("k8", at: 1_099_000))
    // The executions of 1 and 3 are not what this test is about.
    evidence.replaceOrder(Sample.order("k5", executed: 762_000))
    let found = Checker(evidence).violations().filter { $0.kind == .doubleTrade }
    XCTAssertEqual(found.map(\.trades), [[1, 4]])
  }

  func testDoubleTrades_areCountedOncePerLaterTrade() {
    var evidence = Evidence()
    for (index, offset) in [Int64(0), 100, 200].enumerated() {
      let key = "k\(index)"
      let id = Int64(index + 1)
      evidence.calls.append(
        Sample.call(
          key, worker: index, at: offset, ordered: offset, trade: id, told: offset + 1000,
          .filled(trade: id)))
      evidence.rows.append(
        Sample.row(id, key, .filled, at: offset, filled: offset + 300, received: offset + 400))
      evidence.orders.append(Sample.order(key, executed: offset + 300))
    }
    let found = Checker(evidence).violations()
    XCTAssertEqual(Checker.doubleCount(found), 2)
    XCTAssertTrue(found.allSatisfy(\.isDouble), "\(found)")
  }

  func testDoubleTrades_ofDifferentBots_areNone() {
    var evidence = Sample.good()
    evidence.rows.append(
      Sample.row(4, "k9", .filled, bot: "bot-2", at: 1000, filled: 1100, received: 1200))
    evidence.calls.append(
      Sample.call(
        "k9", bot: "bot-2", at: 900, ordered: 1000, trade: 4, told: 1300, .filled(trade: 4)))
    evidence.orders.append(Sample.order("k9", bot: "bot-2", executed: 1100))
    XCTAssertEqual(kinds(evidence), [])
  }

  func testEarlyAdmission_ofATradeThatBecameVoid_isFound() {
    var evidence = Sample.good()
    evidence.replaceRow(Sample.row(2, "k4", .void, at: 504_999, received: 510_000))
    let found = Checker(evidence).violations()
    XCTAssertEqual(found.map(\.kind), [.earlyAdmission])
    XCTAssertEqual(Checker.doubleCount(found), 0)
  }

  func testEarlyAdmission_whileTheOtherWasNotVoidYet_isFound() {
    var evidence = Sample.good()
    evidence.replaceRow(Sample.row(2, "k4", .void, at: 505_200, received: 513_000))
    XCTAssertEqual(kinds(evidence), [.earlyAdmission])
  }

  func testDoubleOrder_isFoundFromTheExchangeAlone() {
    var evidence = Sample.withoutTrade2()
    evidence.replaceOrder(Sample.order("k5", executed: 505_000))
    XCTAssertEqual(kinds(evidence), [])
    evidence.replaceOrder(Sample.order("k5", pid: 102, executed: 504_999))
    let found = Checker(evidence).violations()
    XCTAssertEqual(found.map(\.kind), [.doubleOrder])
    XCTAssertEqual(found.first?.gap, 499_999)
    XCTAssertEqual(found.first?.pids, [100, 102])
    XCTAssertEqual(Checker.doubleCount(found), 1)
  }

  /// Where the earlier fill was not on record, the lease is what the gap may lose.
  func testDoubleOrder_withoutTheFillOnRecord_allowsForTheLease() {
    var evidence = Sample.withoutTrade2()
    evidence.replaceRow(Sample.row(1, "k1", .inDoubt, at: 500))
    evidence.replaceCall(Sample.call("k1", at: 0, ordered: 1000, trade: 1))
    evidence.replaceOrder(Sample.order("k1", executed: 250_500))
    evidence.replaceRow(Sample.row(3, "k5", .inDoubt, at: 500_500))
    evidence.replaceOrder(Sample.order("k5", executed: 500_500))
    XCTAssertEqual(kinds(evidence), [])
    evidence.replaceOrder(Sample.order("k1", executed: 250_501))
    XCTAssertEqual(kinds(evidence), [.doubleOrder])
  }

  // MARK: Rows

  /// INV-2
  func testTwoPending_areFound() {
    var evidence = Sample.good()
    evidence.replaceRow(Sample.row(3, "k5", .pending, at: 512_100))
    XCTAssertEqual(kinds(evidence), [])
    evidence.rows.append(Sample.row(4, "k8", .pending, at: 1_012_100))
    evidence.calls.append(Sample.call("k8", at: 1_012_000))
    XCTAssertEqual(kinds(evidence), [.twoPending])
  }

  /// INV-3
  func testReusedKey_isFound() {
    var evidence = Sample.good()
    evidence.rows.append(Sample.row(4, "k1", .inDoubt, at: 9_000_000))
    XCTAssertEqual(kinds(evidence), [.keyReused])
  }

  func testRowWithoutCall_isFound() {
    var evidence = Sample.good()
    evidence.calls.removeAll { $0.key == "k5" }
    XCTAssertEqual(kinds(evidence), [.rowWithoutCall])
  }

  func testRowOfAnotherBotThanAskedFor_isFound() {
    var evidence = Sample.good()
    evidence.rows.append(Sample.row(4, "k6", .inDoubt, bot: "bot-2", at: 600_100))
    XCTAssertEqual(kinds(evidence), [.rowWithoutCall])
  }

  // MARK: Exchange

  func testKeySentTwice_isFound_alsoWhereTheExchangeRefusesIt() {
    var evidence = Sample.good()
    evidence.orders.append(Sample.order("k1", .repeated))
    XCTAssertEqual(kinds(evidence), [.keySentTwice])
  }

  func testOrderWithoutRow_isFound() {
    var evidence = Sample.good()
    evidence.orders.append(Sample.order("k6", executed: 2_000_000))
    XCTAssertEqual(kinds(evidence), [.orderWithoutRow])
  }

  func testOrderOfAVoidTrade_isFound() {
    var evidence = Sample.good()
    evidence.replaceRow(Sample.row(2, "k4", .void, at: 505_200, received: 510_000, lease: nil))
    evidence.replaceOrder(Sample.order("k4", executed: 507_000))
    XCTAssertEqual(kinds(evidence), [.orderWithoutRow])
  }

  func testFillWithoutOrder_isFound() {
    var evidence = Sample.good()
    evidence.orders.removeAll { $0.key == "k1" }
    XCTAssertEqual(kinds(evidence), [.fillWithoutOrder])
    evidence.orders.append(Sample.order("k1", .expired))
    XCTAssertEqual(kinds(evidence), [.fillWithoutOrder])
  }
}
