import XCTest

@testable import TradeLedger

/// When a fill happened, on both clocks, with every kind of jump between admission and receipt.
final class FillTimeRuleTests: XCTestCase {
  private struct Case {
    let name: String
    /// When the trade was admitted.
    let created: ClockReading
    /// When the outcome reached the ledger.
    let receipt: ClockReading
    /// What the exchange said.
    let exchange: Double?
    let wall: Double
    let boot: Double?
  }

  private let hour = 3600.0

  /// "held between created_at and now": the wall half.
  func testFillTime_isHeldBetweenAdmissionAndReceipt() {
    check([
      Case(
        name: "no exchange time: the receipt", created: reading(1000, boot: 10),
        receipt: reading(1005, boot: 15), exchange: nil, wall: 1005, boot: 15),
      Case(
        name: "in between", created: reading(1000, boot: 10), receipt: reading(1005, boot: 15),
        exchange: 1002, wall: 1002, boot: 12),
      Case(
        name: "before the admission", created: reading(1000, boot: 10),
        receipt: reading(1005, boot: 15), exchange: 900, wall: 1000, boot: 10),
      Case(
        name: "in the future", created: reading(1000, boot: 10),
        receipt: reading(1005, boot: 15), exchange: 9999, wall: 1005, boot: 15),
      Case(
        name: "no boot clock at the receipt", created: reading(1000, boot: 10),
        receipt: reading(1005), exchange: 1002, wall: 1002, boot: nil),
      Case(
        name: "no boot clock at the admission", created: reading(1000),
        receipt: reading(1005, boot: 15), exchange: 1002, wall: 1002, boot: 12),
      Case(
        name: "another boot at the receipt", created: reading(1000, boot: 90_000, id: "old"),
        receipt: reading(1100, boot: 20), exchange: 1090, wall: 1090, boot: 10),
    ])
  }

  /// S-17: the wall clock jumps between admission and receipt.
  func testFillTime_withJumps_isNeverOlderThanTheTruth() {
    check([
      Case(
        name: "ahead, exchange right: the jump is taken out", created: reading(1000, boot: 10),
        receipt: reading(1120 + hour, boot: 130), exchange: 1120, wall: 1120, boot: 130),
      Case(
        name: "ahead after the fill: the true age stays", created: reading(1000, boot: 10),
        receipt: reading(1030 + hour, boot: 40), exchange: 1010, wall: 1010, boot: 20),
      Case(
        name: "ahead before the fill, exchange on the same wrong clock",
        created: reading(1000, boot: 10), receipt: reading(1030 + hour, boot: 40),
        exchange: 1010 + hour, wall: 1010 + hour, boot: 40),
      Case(
        name: "back: held at the admission, boot time of the receipt",
        created: reading(8000, boot: 10), receipt: reading(8120 - hour, boot: 130),
        exchange: 8060 - hour, wall: 8000, boot: 130),
      Case(
        name: "back a little", created: reading(1000, boot: 10),
        receipt: reading(1090, boot: 130), exchange: 1030, wall: 1030, boot: 70),
      Case(
        name: "no exchange time, ahead", created: reading(1000, boot: 10),
        receipt: reading(1001 + hour, boot: 11), exchange: nil, wall: 1001 + hour, boot: 11),
      Case(
        name: "no exchange time, back", created: reading(8000, boot: 10),
        receipt: reading(8001 - hour, boot: 11), exchange: nil, wall: 8000, boot: 11),
    ])
  }

  /// On the boot clock a fill lies between admission and receipt, whatever the wall clock did, and
  /// on the wall clock between `created_at` and the later of the two ends.
  func testFillTime_randomJumps_stayInsideTheInterval() {
    var (seed, random) = SeededGenerator.announced("testFillTime_randomJumps_stayInsideTheInterval")
    for round in 0..<20_000 {
      let created = reading(10_000, boot: 500)
      let passed = Double.random(in: 0...5000, using: &random)
      let jump = Double.random(in: -9000...9000, using: &random)
      let receipt = reading(10_000 + passed + jump, boot: 500 + passed)
      let exchange = Timestamp(microseconds: Int64.random(in: 0...40_000_000_000, using: &random))
      let time = FillTime(exchange: exchange, created: created, receipt: receipt)
      let context = "seed \(seed) round \(round)"
      XCTAssertGreaterThanOrEqual(time.wall, created.wall, context)
      XCTAssertLessThanOrEqual(time.wall, max(created.wall, receipt.wall), context)
      XCTAssertGreaterThanOrEqual(time.boot!.microseconds, created.boot!.microseconds, context)
      XCTAssertLessThanOrEqual(time.boot!.microseconds, receipt.boot!.microseconds, context)
    }
  }

  /// Where the exchange's clock is right and ours was right at admission, a jump ahead afterwards
  /// never makes the fill look older than it is: no cooldown opens early.
  func testFillTime_randomJumpAhead_opensNothingEarly() {
    var (seed, random) = SeededGenerator.announced("testFillTime_randomJumpAhead_opensNothingEarly")
    for round in 0..<20_000 {
      let filledAfter = Double.random(in: 0...100, using: &random)
      let toldAfter = filledAfter + Double.random(in: 0...100, using: &random)
      let jump = Double.random(in: 0...9000, using: &random)
      let time = FillTime(
        exchange: reading(1000 + filledAfter).wall, created: reading(1000, boot: 10),
        receipt: reading(1000 + toldAfter + jump, boot: 10 + toldAfter))
      let truth = reading(0, boot: 10 + filledAfter).boot!.microseconds
      // Two microseconds: each of these readings was rounded.
      XCTAssertGreaterThanOrEqual(
        time.boot!.microseconds, truth - 2, "seed \(seed) round \(round)")
    }
  }

  private func check(_ cases: [Case]) {
    for wanted in cases {
      let time = FillTime(
        exchange: wanted.exchange.map { reading($0).wall }, created: wanted.created,
        receipt: wanted.receipt)
      XCTAssertEqual(time.wall, reading(wanted.wall).wall, wanted.name)
      XCTAssertEqual(
        time.boot, wanted.boot.map { reading(0, boot: $0).boot! }, wanted.name)
    }
  }
}
