import XCTest

@testable import LedgerSimulation

/// Each kind of violation has a history that shows it and nothing else.
final class CheckerTests: XCTestCase {
  private func kinds(_ evidence: Evidence) -> [Violation.Kind] {
    Checker(evidence).violations().map(\.kind)
  }

  func testCheck_ofAGoodHistory_findsNothing() {
    XCTAssertEqual(Checker(Sample.good()).violations(), [])
    XCTAssertEqual(kinds(Sample.withoutTrade2()), [])
    XCTAssertEqual(kinds(Sample.trade1()), [])
    XCTAssertEqual(kinds(Evidence()), [])
  }

  // MARK: INV-1

  /// S-13: elapsed equals the cooldown is admitted, one microsecond less is a double trade.
  func testDoubleTrade_isFoundToTheMicrosecond() {
    var evidence = Sample.trade1()
    evidence.put(2, "k2", .inDoubt, worker: 2, at: 505_000)
    XCTAssertEqual(kinds(evidence), [])
    evidence.put(2, "k2", .inDoubt, worker: 2, at: 504_999)
    let found = Checker(evidence).violations()
    XCTAssertEqual(found.map(\.kind), [.doubleTrade])
    XCTAssertEqual(found.first?.trades, [1, 2])
    XCTAssertEqual(found.first?.gap, 499_999)
    XCTAssertEqual(found.first?.pids, [100, 102])
    XCTAssertEqual(Checker.doubleCount(found), 1)
  }

  /// S-11: a fill that was not on record yet does not count at its own time.
  func testDoubleTrade_isJudgedByWhatWasOnRecord() {
    var evidence = Sample.trade1()
    evidence.put(1, "k1", .filled, at: 500, executed: 5000, received: 600_000)
    evidence.put(2, "k2", .inDoubt, at: 500_500)
    XCTAssertEqual(kinds(evidence), [])
    evidence.put(2, "k2", .inDoubt, at: 500_499)
    XCTAssertEqual(kinds(evidence), [.doubleTrade])
  }

  /// The base is the latest time of all earlier trades, not of the last row.
  func testDoubleTrade_isFoundBehindAnEarlierNeighbour() {
    var evidence = Sample.trade1()
    evidence.put(1, "k1", .filled, at: 500, executed: 240_000, received: 900_100)
    evidence.put(2, "k2", .inDoubt, at: 745_000)
    XCTAssertEqual(kinds(evidence), [])
    // Trade 1 has been executed late and written even later: after trade 2 was admitted.
    evidence.put(1, "k1", .filled, at: 500, executed: 900_000, received: 900_100)
    evidence.put(3, "k3", .pending, at: 1_300_000)
    let found = Checker(evidence).violations().filter { $0.kind == .doubleTrade }
    XCTAssertEqual(found.map(\.trades), [[1, 3]])
  }

  func testDoubleTrade_withSeveralNeighbours_countsOncePerTrade() {
    var evidence = Sample.trade1()
    evidence.put(2, "k2", .filled, worker: 1, at: 8500)
    evidence.put(3, "k3", .filled, worker: 2, at: 12_500)
    let found = Checker(evidence).violations()
    XCTAssertEqual(Checker.doubleCount(found), 2)
    XCTAssertTrue(found.contains { $0.kind == .doubleOrder })
    XCTAssertTrue(found.allSatisfy(\.isDouble), "\(found)")
  }

  func testDoubleTrades_ofDifferentBots_areNone() {
    var evidence = Sample.good()
    evidence.put(4, "k9", .filled, bot: "bot-2", at: 520_000)
    XCTAssertEqual(kinds(evidence), [])
  }

  /// The boot clock opens nothing early, whatever the wall clock says, and the other way round.
  func testAdmission_mustBeRightOnBothClocks() {
    var evidence = Sample.trade1()
    // Where the fill is not on record the wall clock alone cannot tell.
    evidence.clockJumps = [
      ClockJump(
        from: Sample.moment(20_000).boot, to: Sample.moment(20_001).boot, offset: 3_600_000_000)
    ]
    evidence.put(2, "k2", .inDoubt, at: 505_000, wall: 3_600_000_000)
    XCTAssertEqual(kinds(evidence), [])
    evidence.put(2, "k2", .inDoubt, at: 504_999, wall: 3_600_000_000)
    XCTAssertEqual(kinds(evidence), [.doubleTrade])
    evidence.put(2, "k2", .inDoubt, at: 905_000, wall: -400_000)
    XCTAssertEqual(kinds(evidence), [])
    evidence.put(2, "k2", .inDoubt, at: 905_000, wall: -400_001)
    XCTAssertEqual(kinds(evidence), [.earlyAdmission])
  }

  func testEarlyAdmission_ofATradeThatBecameVoid_isFound() {
    var evidence = Sample.trade1()
    evidence.put(2, "k2", .void, at: 504_999)
    let found = Checker(evidence).violations()
    XCTAssertEqual(found.map(\.kind), [.earlyAdmission])
    XCTAssertEqual(Checker.doubleCount(found), 0)
  }

  func testEarlyAdmission_whileTheOtherWasNotVoidYet_isFound() {
    var evidence = Sample.good()
    evidence.put(2, "k4", .void, at: 200, executed: 300, received: 400)
    evidence.remove("k1")
    evidence.calls.removeAll { $0.key == "k2" || $0.key == "k3" }
    evidence.put(3, "k5", .inDoubt, at: 460_000)
    XCTAssertEqual(kinds(evidence), [])
    evidence.put(2, "k4", .void, at: 200, executed: 300, received: 460_001)
    XCTAssertEqual(kinds(evidence), [.earlyAdmission])
  }

  func testDoubleOrder_isFoundFromTheExchangeAlone() {
    var evidence = Sample.trade1()
    evidence.put(1, "k1", .filled, at: 500, executed: 200_000, received: 600_000)
    evidence.put(2, "k2", .inDoubt, at: 501_000, executed: 505_000)
    XCTAssertEqual(kinds(evidence), [])
    // On record before the second one was admitted: that one is too early, and both sources say so.
    evidence.put(1, "k1", .filled, at: 500, executed: 200_000, received: 300_000)
    XCTAssertEqual(kinds(evidence), [.doubleTrade, .doubleOrder])
    XCTAssertEqual(Checker.doubleCount(Checker(evidence).violations()), 1)
  }

  /// Where the earlier fill was not on record, the lease is what the gap may lose.
  func testDoubleOrder_withoutTheFillOnRecord_allowsForTheLease() {
    var evidence = Sample.trade1()
    evidence.put(1, "k1", .inDoubt, at: 500, executed: 250_500)
    evidence.put(2, "k2", .inDoubt, worker: 2, at: 500_500, executed: 500_600)
    XCTAssertEqual(kinds(evidence), [])
    evidence.replaceOrder(Sample.order("k1", pid: 105, executed: 250_601))
    let found = Checker(evidence).violations()
    XCTAssertEqual(found.map(\.kind), [.doubleOrder])
    XCTAssertEqual(found.first?.gap, 249_999)
    XCTAssertEqual(found.first?.pids, [105, 102])
    XCTAssertEqual(Checker.doubleCount(found), 1)
    // The one admitted first was executed last: its permit was used after its lease.
    evidence.replaceOrder(Sample.order("k1", pid: 105, executed: 600_000))
    XCTAssertEqual(kinds(evidence), [.doubleOrder])
  }

  // MARK: Rows

  /// INV-2
  func testTwoPending_areFound() {
    var evidence = Sample.trade1()
    evidence.put(2, "k2", .pending, at: 512_100)
    XCTAssertEqual(kinds(evidence), [])
    evidence.put(3, "k3", .pending, at: 1_012_100)
    XCTAssertEqual(kinds(evidence), [.twoPending])
  }

  /// INV-2, where the lease is longer than the cooldown.
  func testOverlap_withARunningLease_isFound() {
    var evidence = Sample.trade1()
    evidence.bots[0].lease = 900_000
    evidence.rows[0].leaseUntil = evidence.rows[0].createdAt + 900_000
    evidence.rows[0].receivedAt = Sample.moment(850_000).wall
    evidence.calls[0].told = Sample.moment(850_100)
    evidence.put(2, "k2", .inDoubt, at: 900_500, executed: 900_700)
    evidence.rows[1].leaseUntil = evidence.rows[1].createdAt + 900_000
    XCTAssertEqual(kinds(evidence), [])
    evidence.rows[0].receivedAt = Sample.moment(1_000_000).wall
    evidence.calls[0].told = Sample.moment(1_000_100)
    XCTAssertEqual(kinds(evidence), [])
    evidence.put(2, "k2", .inDoubt, at: 900_499, executed: 900_700)
    evidence.rows[1].leaseUntil = evidence.rows[1].createdAt + 900_000
    XCTAssertEqual(kinds(evidence), [.overlap])
  }

  func testAdmission_whileInDoubtStopsTheBot_isFound() {
    var evidence = Sample.trade1()
    evidence.put(2, "k2", .inDoubt, at: 600_000)
    evidence.put(3, "k3", .inDoubt, at: 1_200_000)
    XCTAssertEqual(kinds(evidence), [])
    evidence.bots[0].blocks = true
    XCTAssertEqual(kinds(evidence), [.overlap])
  }

  /// INV-3
  func testReusedKey_isFound() {
    var evidence = Sample.good()
    for (id, at) in [(4, 600_100), (5, 1_300_100)] as [(Int64, Int64)] {
      evidence.calls.append(Sample.call("k9", worker: 4, bot: "bot-2", at: at - 100))
      evidence.rows.append(Sample.row(id, "k9", .inDoubt, bot: "bot-2", at: at, pid: 104))
      XCTAssertEqual(kinds(evidence), id == 4 ? [] : [.keyReused])
    }
    XCTAssertEqual(kinds(evidence), [.keyReused])
  }

  func testRowWithoutCall_isFound() {
    var evidence = Sample.good()
    evidence.remove("k5")
    evidence.calls.removeAll { $0.key == "k7" }
    evidence.rows.append(Sample.row(3, "k5", .inDoubt, at: 512_100))
    XCTAssertEqual(kinds(evidence), [.rowWithoutCall])
  }

  func testRowOfAnotherBotThanAskedFor_isFound() {
    var evidence = Sample.good()
    evidence.rows.append(Sample.row(4, "k6", .inDoubt, bot: "bot-2", at: 600_100, pid: 102))
    XCTAssertEqual(kinds(evidence), [.rowWithoutCall])
  }

  func testRowOfAnotherMomentOrProcessThanItsCall_isFound() {
    var evidence = Sample.good()
    evidence.replaceRow(Sample.row(3, "k5", .inDoubt, at: 511_999, pid: 102))
    XCTAssertEqual(kinds(evidence), [.rowWithoutCall])
    evidence.replaceRow(Sample.row(3, "k5", .inDoubt, at: 513_001, pid: 102))
    XCTAssertEqual(kinds(evidence), [.rowWithoutCall])
    evidence.replaceRow(Sample.row(3, "k5", .inDoubt, at: 512_100, pid: 103))
    XCTAssertEqual(kinds(evidence), [.rowWithoutCall])
  }

  /// A call that was denied has no row.
  func testRowOfACallThatWasDenied_isFound() {
    var evidence = Sample.good()
    evidence.rows.append(Sample.row(4, "k8", .inDoubt, bot: "bot-2", at: 700_100, pid: 104))
    evidence.calls.append(
      Sample.call(
        "k8", worker: 4, bot: "bot-2", at: 700_000, told: 700_200,
        .denied(reason: "cooldown", winner: 4)))
    XCTAssertEqual(kinds(evidence), [.rowWithoutCall])
  }

  /// The clock was read before the lock was held.
  func testRowsOutOfOrder_areFound() {
    var evidence = Sample.good()
    evidence.put(4, "k9", .inDoubt, bot: "bot-2", at: 512_100)
    XCTAssertEqual(kinds(evidence), [])
    evidence.put(4, "k9", .inDoubt, bot: "bot-2", at: 512_099)
    XCTAssertEqual(kinds(evidence), [.rowsOutOfOrder])
    // On a server each bot has an order of its own.
    evidence.isSerial = false
    XCTAssertEqual(kinds(evidence), [])
    evidence.put(5, "k10", .inDoubt, bot: "bot-2", at: 512_098)
    XCTAssertTrue(kinds(evidence).contains(.rowsOutOfOrder))
  }

  func testOtherTerms_areFound() {
    for change in [
      { $0.bots[0] = BotTerms(name: "bot-1", cooldown: 499_999, lease: Sample.lease) },
      { $0.bots[0].lease = 250_001 }, { $0.bots[0].isEnabled = false },
      { $0.bots.removeFirst() },
    ] as [(inout Evidence) -> Void] {
      var evidence = Sample.trade1()
      change(&evidence)
      XCTAssertEqual(kinds(evidence), [.otherTerms])
    }
  }

  /// INV-5
  func testSettlementByAStranger_isFound() {
    var evidence = Sample.trade1()
    evidence.rows[0].settledBy = .stranger
    XCTAssertEqual(kinds(evidence), [.settledByStranger])
    evidence.rows[0].settledBy = nil
    XCTAssertEqual(kinds(evidence), [.settledByStranger])
  }

  /// INV-6
  func testConflict_thatNobodyProvoked_isFound() {
    var evidence = Sample.good()
    evidence.conflicts = [ConflictRow(bot: "bot-1", trade: 2)]
    XCTAssertEqual(kinds(evidence), [.conflict])
  }

  func testWrongFillTime_isFoundToTheMicrosecond() {
    for shift: Int64 in [-1, 1] {
      var evidence = Sample.trade1()
      evidence.rows[0].filledAt = Sample.moment(5000 + shift).wall
      XCTAssertEqual(kinds(evidence), [.wrongFillTime])
    }
    var evidence = Sample.trade1()
    evidence.rows[0].filledBoot = Sample.moment(499).boot
    XCTAssertEqual(kinds(evidence), [.wrongFillTime])
    evidence.rows[0].filledBoot = Sample.moment(10_001).boot
    XCTAssertEqual(kinds(evidence), [.wrongFillTime])
  }

  // MARK: Exchange

  func testKeySentTwice_isFound_alsoWhereTheExchangeRefusesIt() {
    var evidence = Sample.good()
    evidence.orders.append(Sample.order("k1", at: 6000, .repeated))
    XCTAssertEqual(kinds(evidence), [.keySentTwice])
  }

  func testOrderWithoutCall_isFound() {
    var evidence = Sample.good()
    evidence.orders.append(Sample.order("k6", pid: 102, at: 2_000_000, .refused))
    XCTAssertEqual(kinds(evidence), [.orderWithoutCall])
    evidence = Sample.good()
    evidence.replaceOrder(Sample.order("k5", pid: 102, executed: 512_999))
    XCTAssertEqual(kinds(evidence), [.orderWithoutCall])
    evidence.replaceOrder(Sample.order("k5", pid: 103, executed: 515_000))
    XCTAssertEqual(kinds(evidence), [.orderWithoutCall])
  }

  func testOrderNotCounted_isFound() {
    var evidence = Sample.good()
    evidence.orders.removeAll { $0.key == "k5" }
    XCTAssertEqual(kinds(evidence), [.orderNotCounted])
  }

  func testOrderWithoutRow_isFound() {
    var evidence = Sample.good()
    evidence.replaceCall(
      Sample.call("k6", worker: 2, at: 1_600_000, ordered: 1_600_100, trade: 4))
    evidence.orders.append(Sample.order("k6", pid: 102, executed: 2_000_000))
    XCTAssertEqual(kinds(evidence), [.orderWithoutRow, .answerWithoutRow])
  }

  func testOrderOfAVoidTrade_isFound() {
    var evidence = Sample.good()
    evidence.remove("k5")
    evidence.calls.removeAll { $0.key == "k7" }
    evidence.replaceOrder(Sample.order("k4", pid: 101, executed: 507_000))
    XCTAssertEqual(kinds(evidence), [.orderWithoutRow])
  }

  func testFillWithoutOrder_isFound() {
    var evidence = Sample.good()
    evidence.orders.removeAll { $0.key == "k1" }
    XCTAssertEqual(kinds(evidence), [.fillWithoutOrder])
    evidence.orders.append(Sample.order("k1", at: 5000, .expired))
    XCTAssertEqual(kinds(evidence), [.fillWithoutOrder])
  }
}
