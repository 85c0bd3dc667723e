import XCTest

@testable import LedgerSimulation

/// What the workers were told, against what is on record.
final class AnswerCheckTests: XCTestCase {
  private func kinds(_ evidence: Evidence) -> [Violation.Kind] {
    Checker(evidence).violations().map(\.kind)
  }

  /// INV-4: an answer that was given stays true.
  func testFilledAnswer_withoutAFilledRow_isFound() {
    var evidence = Sample.good()
    evidence.replaceRow(Sample.row(1, "k1", .inDoubt, at: 500))
    XCTAssertEqual(kinds(evidence), [.answerWithoutRow])
  }

  func testVoidAnswer_withoutARow_isFound() {
    var evidence = Sample.good()
    evidence.rows.removeAll { $0.id == 2 }
    XCTAssertEqual(kinds(evidence), [.answerWithoutRow])
  }

  func testAnswer_thatNamesAnotherTrade_isFound() {
    var evidence = Sample.good()
    evidence.replaceCall(
      Sample.call("k1", at: 0, ordered: 1000, trade: 7, told: 10_000, .filled(trade: 7)))
    XCTAssertEqual(kinds(evidence), [.answerWithoutRow])
    evidence.replaceCall(
      Sample.call("k1", at: 0, ordered: 1000, trade: 7, told: 10_000, .filled(trade: 1)))
    XCTAssertEqual(kinds(evidence), [.answerWithoutRow])
  }

  func testPermit_withoutARow_isFound_alsoWhereTheWorkerWasKilled() {
    var evidence = Sample.good()
    evidence.rows.removeAll { $0.id == 3 }
    evidence.replaceOrder(Sample.order("k5", pid: 102, at: 515_000, .refused))
    // Denied because of that very row.
    evidence.calls.removeAll { $0.key == "k7" }
    XCTAssertEqual(kinds(evidence), [.answerWithoutRow])
  }

  /// What is in doubt may be settled later, but only by hand as not sent.
  func testInDoubtAnswer_ofAVoidTrade_isFound() {
    var evidence = Sample.good()
    evidence.calls[3].answer = .inDoubt(trade: 2)
    XCTAssertEqual(kinds(evidence), [.answerWithoutRow])
    evidence.remove("k5")
    evidence.calls.removeAll { $0.key == "k7" }
    evidence.rows[1].settledBy = .operator
    XCTAssertEqual(kinds(evidence), [])
  }

  func testInDoubtAnswer_ofATradeFilledLater_isFine() {
    var evidence = Sample.good()
    evidence.calls[0].answer = .inDoubt(trade: 1)
    XCTAssertEqual(kinds(evidence), [])
  }

  func testUnknownAnswer_promisesNothing() {
    var evidence = Sample.good()
    evidence.replaceCall(
      Sample.call(
        "k6", worker: 2, at: 1_600_000, told: 1_601_000, .unknown(code: "outcome_unknown")))
    XCTAssertEqual(kinds(evidence), [])
    evidence.rows.append(Sample.row(4, "k6", .inDoubt, at: 1_600_100, pid: 102))
    XCTAssertEqual(kinds(evidence), [])
  }

  /// "Busy" says that nothing was written.
  func testBusyAnswer_withARow_isFound() {
    var evidence = Sample.good()
    evidence.calls.removeAll { $0.key == "k7" }
    evidence.calls.append(Sample.call("k7", worker: 3, at: 1_100_000, told: 1_101_000, .busy))
    XCTAssertEqual(kinds(evidence), [])
    evidence.rows.append(Sample.row(4, "k7", .inDoubt, at: 1_100_500, pid: 103))
    XCTAssertEqual(kinds(evidence), [.busyButWritten])
  }

  func testBusyAnswer_thenAdmitted_isFine() {
    var evidence = Sample.good()
    evidence.calls.removeAll { $0.key == "k7" }
    evidence.calls.append(Sample.call("k7", worker: 3, at: 1_100_000, told: 1_101_000, .busy))
    evidence.calls.append(Sample.call("k7", worker: 3, at: 1_102_000))
    evidence.rows.append(Sample.row(4, "k7", .inDoubt, at: 1_102_500, pid: 103))
    XCTAssertEqual(kinds(evidence), [])
  }

  func testReplayedAnswer_needsARowOfBefore() {
    var evidence = Sample.good()
    evidence.calls.append(
      Sample.call("k1", worker: 4, at: 300, told: 500, .replayed(trade: 1)))
    XCTAssertEqual(kinds(evidence), [])
    evidence.calls[evidence.calls.count - 1].told = Sample.moment(499)
    XCTAssertEqual(kinds(evidence), [.answerWithoutRow])
  }

  /// INV-5: a redelivered task gets no second permit.
  func testPermitTwice_isFound() {
    var evidence = Sample.good()
    evidence.calls.append(
      Sample.call(
        "k1", worker: 4, at: 20_000, ordered: 20_100, trade: 1, told: 20_200, .inDoubt(trade: 1)))
    XCTAssertEqual(kinds(evidence), [.permitTwice])
  }

  func testContradiction_isFound() {
    func check(_ change: (inout Call) -> Void, line: UInt = #line) {
      var evidence = Sample.good()
      change(&evidence.calls[0])
      XCTAssertEqual(kinds(evidence), [.contradiction], line: line)
    }
    check { $0.answer = nil }
    check {
      $0.told = Sample.moment(999)
      $0.answer = .unknown(code: "outcome_unknown")
    }
    check { $0.answer = .replayed(trade: 1) }
    // A denial of the fill is one, a denial of the admission is none after the order.
    check { $0.answer = .denied(reason: "cooldown", winner: 1) }
  }

  /// INV-4: the first incident's fix sends the order before there is any row.
  func testOrderBeforeItsRow_isFound() {
    var evidence = Sample.good()
    evidence.calls[0].trade = nil
    XCTAssertEqual(kinds(evidence), [.orderBeforeRow])
  }

  func testUnexpectedError_isFound() {
    var evidence = Sample.good()
    evidence.replaceCall(
      Sample.call("k6", worker: 2, at: 600_000, told: 601_000, .failed(code: "io")))
    XCTAssertEqual(kinds(evidence), [.unexpectedError])
  }

  // MARK: Every kind

  /// The files of checker tests, and `ResultTests`, name every kind.
  func testEveryKind_hasATest() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let names = [
      "CheckerTests", "AnswerCheckTests", "DenialCheckTests", "InstanceCheckTests", "ResultTests",
    ]
    let text = try names.map { name in
      try String(contentsOf: folder.appendingPathComponent(name + ".swift"), encoding: .utf8)
    }.joined()
    for kind in Violation.Kind.allCases {
      XCTAssertTrue(text.contains("[.\(kind)"), "no test finds \(kind.rawValue) alone")
    }
  }
}
