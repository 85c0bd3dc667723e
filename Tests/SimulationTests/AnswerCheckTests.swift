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
  }

  func testPermit_withoutARow_isFound_alsoWhereTheWorkerWasKilled() {
    var evidence = Sample.good()
    evidence.rows.removeAll { $0.id == 3 }
    evidence.orders.removeAll { $0.key == "k5" }
    // Denied because of that very row.
    evidence.calls.removeAll { $0.key == "k7" }
    XCTAssertEqual(kinds(evidence), [.answerWithoutRow])
  }

  func testInDoubtAnswer_ofAVoidTrade_isFound() {
    var evidence = Sample.good()
    evidence.replaceCall(
      Sample.call(
        "k4", worker: 1, at: 505_100, ordered: 506_000, trade: 2, told: 511_000,
        .inDoubt(trade: 2)))
    XCTAssertEqual(kinds(evidence), [.answerWithoutRow])
  }

  func testUnknownAnswer_promisesNothing() {
    var evidence = Sample.good()
    evidence.replaceCall(
      Sample.call("k6", worker: 2, at: 600_000, told: 601_000, .unknown(code: "outcome_unknown")))
    XCTAssertEqual(kinds(evidence), [])
    evidence.rows.append(Sample.row(4, "k6", .inDoubt, at: 1_012_100))
    XCTAssertEqual(kinds(evidence), [])
  }

  /// "Busy" says that nothing was written.
  func testBusyAnswer_withARow_isFound() {
    var evidence = Sample.good()
    evidence.calls.removeAll { $0.key == "k7" }
    evidence.calls.append(Sample.call("k7", worker: 3, at: 1_100_000, told: 1_101_000, .busy))
    XCTAssertEqual(kinds(evidence), [])
    evidence.rows.append(Sample.row(4, "k7", .inDoubt, at: 1_100_500))
    XCTAssertEqual(kinds(evidence), [.busyButWritten])
  }

  func testBusyAnswer_thenAdmitted_isFine() {
    var evidence = Sample.good()
    evidence.calls.removeAll { $0.key == "k7" }
    evidence.calls.append(Sample.call("k7", worker: 3, at: 1_100_000, told: 1_101_000, .busy))
    evidence.calls.append(Sample.call("k7", worker: 3, at: 1_102_000))
    evidence.rows.append(Sample.row(4, "k7", .inDoubt, at: 1_102_500))
    XCTAssertEqual(kinds(evidence), [])
  }

  func testUnexpectedError_isFound() {
    var evidence = Sample.good()
    evidence.replaceCall(
      Sample.call("k6", worker: 2, at: 600_000, told: 601_000, .failed(code: "io")))
    XCTAssertEqual(kinds(evidence), [.unexpectedError])
  }

  // MARK: Denials

  private func withDenial(_ reason: String, winner: Int64?, at called: Int64) -> Evidence {
    var evidence = Sample.good()
    evidence.calls.append(
      Sample.call(
        "k9", worker: 4, at: called, told: called + 1000, .denied(reason: reason, winner: winner)))
    return evidence
  }

  func testCooldownDenial_afterTheCooldown_isFound() {
    XCTAssertEqual(kinds(withDenial("cooldown", winner: 1, at: 504_000)), [])
    XCTAssertEqual(kinds(withDenial("cooldown", winner: 1, at: 540_000)), [.denialWithoutReason])
    XCTAssertEqual(
      kinds(withDenial("cooldown", winner: nil, at: 1_040_000)), [.denialWithoutReason])
  }

  /// The cooldown runs from the fill, as soon as that is on record.
  func testCooldownDenial_countsFromTheFill() {
    var evidence = withDenial("cooldown", winner: 1, at: 590_000)
    evidence.calls.removeAll { ["k4", "k5", "k7"].contains($0.key) }
    evidence.rows.removeAll { $0.id != 1 }
    evidence.orders.removeAll { $0.key != "k1" }
    evidence.replaceCall(
      Sample.call("k1", at: 0, ordered: 1000, trade: 1, told: 120_000, .filled(trade: 1)))
    evidence.replaceOrder(Sample.order("k1", executed: 100_000))
    evidence.replaceRow(Sample.row(1, "k1", .filled, at: 500, filled: 100_000, received: 110_000))
    XCTAssertEqual(kinds(evidence), [])
    evidence.replaceRow(Sample.row(1, "k1", .filled, at: 500, filled: 70_000, received: 110_000))
    XCTAssertEqual(kinds(evidence), [.denialWithoutReason])
  }

  func testCooldownDenial_beforeThereWasATrade_isFound() {
    XCTAssertEqual(
      kinds(withDenial("cooldown", winner: nil, at: -20_000)), [.denialWithoutReason])
  }

  func testCooldownDenial_byATradeThatIsVoid_isFound() {
    XCTAssertEqual(kinds(withDenial("cooldown", winner: 2, at: 508_000)), [])
    XCTAssertEqual(kinds(withDenial("cooldown", winner: 2, at: 600_000)), [.denialWithoutReason])
  }

  func testInProgressDenial_afterTheTradeWasSettled_isFound() {
    XCTAssertEqual(kinds(withDenial("in_progress", winner: 1, at: 9000)), [])
    XCTAssertEqual(
      kinds(withDenial("in_progress", winner: 1, at: 30_000)), [.denialWithoutReason])
  }

  func testInProgressDenial_afterTheLease_isFound() {
    XCTAssertEqual(kinds(withDenial("in_progress", winner: 3, at: 760_000)), [])
    XCTAssertEqual(
      kinds(withDenial("in_progress", winner: 3, at: 800_000)), [.denialWithoutReason])
  }

  func testDenial_byATradeOfAnotherBot_isFound() {
    var evidence = withDenial("cooldown", winner: 5, at: 1000)
    evidence.rows.append(Sample.row(5, "k10", .inDoubt, bot: "bot-2", at: 500))
    evidence.calls.append(Sample.call("k10", bot: "bot-2", at: 400))
    XCTAssertEqual(kinds(evidence), [.denialWithoutReason])
  }

  func testDenial_forAReasonThatNothingHereCanGive_isFound() {
    for reason in ["key_conflict", "disabled", "superseded", "in_doubt", "already_settled"] {
      XCTAssertEqual(kinds(withDenial(reason, winner: 1, at: 1000)), [.denialWithoutReason])
    }
  }

  // MARK: Every kind

  /// The two files of checker tests, and `ResultTests`, name every kind.
  func testEveryKind_hasATest() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let text = try ["CheckerTests", "AnswerCheckTests", "ResultTests"].map { name in
      try String(contentsOf: folder.appendingPathComponent(name + ".swift"), encoding: .utf8)
    }.joined()
    for kind in Violation.Kind.allCases {
      XCTAssertTrue(text.contains("[.\(kind)"), "no test finds \(kind.rawValue) alone")
    }
  }
}
