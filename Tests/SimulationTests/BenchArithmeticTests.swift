import TradeLedger
import XCTest

@testable import LedgerSimulation

/// The figures of `bench`, without a measurement.
final class BenchArithmeticTests: XCTestCase {
  // MARK: Open loop

  func testDue_isSpreadOverTheProcesses() {
    let loops = (0..<2).map { worker in
      OpenLoop(rate: 1000, processes: 2, worker: worker, length: .milliseconds(5))
    }
    XCTAssertEqual(
      due(loops[0]), [.zero, .milliseconds(2), .milliseconds(4)])
    XCTAssertEqual(due(loops[1]), [.milliseconds(1), .milliseconds(3)])
  }

  /// A stall of 10 ms delays what was due in it, and each operation says by how much.
  func testWaits_countFromTheMomentAtWhichAnOperationWasDue() {
    let loop = OpenLoop(rate: 500, processes: 1, worker: 0, length: .milliseconds(100))
    XCTAssertEqual(
      loop.waits(from: 1, at: .milliseconds(10)),
      [8, 6, 4, 2, 0].map { .milliseconds($0) })
    XCTAssertEqual(loop.waits(from: 6, at: .milliseconds(10)), [])
    XCTAssertEqual(loop.waits(from: 49, at: .seconds(1)), [.milliseconds(902)])
  }

  /// One operation that takes 30 ms: the ones behind it, due every 10 ms, waited for it.
  func testRun_measuresFromTheMomentAtWhichAnOperationWasDue() async throws {
    let loop = OpenLoop(rate: 100, processes: 1, worker: 0, length: .milliseconds(40))
    let report = try await loop.run(from: .now) { number in
      if number == 0 { try await Task.sleep(for: .milliseconds(30)) }
      return true
    }
    XCTAssertEqual(report.operations, 4)
    let waits = try waits(report)
    XCTAssertEqual(waits.count, 4)
    XCTAssertGreaterThanOrEqual(waits.filter { $0 > 9_900_000 }.count, 3, "\(waits)")
    XCTAssertGreaterThanOrEqual(waits.filter { $0 > 19_900_000 }.count, 2, "\(waits)")
  }

  /// An operation takes all the time there is: those behind it are not begun, and not forgotten.
  func testRun_countsWhatItCouldNotBegin() async throws {
    let loop = OpenLoop(rate: 100, processes: 1, worker: 0, length: .milliseconds(30))
    let report = try await loop.run(from: .now) { _ in
      try await Task.sleep(for: .milliseconds(70))
      return true
    }
    XCTAssertEqual(report.operations, 1)
    XCTAssertEqual(report.unanswered, 2)
    XCTAssertEqual(try waits(report).filter { $0 > 49_900_000 }.count, 3)
  }

  /// All waits of a report, in nanoseconds.
  private func waits(_ report: BenchReport) throws -> [Double] {
    try report.text.split(separator: " ").dropFirst(6).flatMap { word in
      let parts = word.split(separator: ":")
      let count = try XCTUnwrap(Int(parts[1]))
      return Array(repeating: try XCTUnwrap(Double(parts[0])), count: count)
    }
  }

  private func due(_ loop: OpenLoop) -> [Duration] {
    var moments: [Duration] = []
    while let moment = loop.due(moments.count) { moments.append(moment) }
    return moments
  }

  // MARK: Shares and rates

  func testFairness_isTheSmallestShareOfTheLargest() {
    XCTAssertEqual(fairShare([50, 100, 75]), 0.5)
    XCTAssertEqual(fairShare([7]), 1)
    XCTAssertEqual(fairShare([0, 9]), 0)
    XCTAssertEqual(fairShare([0, 0]), 0)
    XCTAssertEqual(fairShare([]), 0)
  }

  func testRate_isOfTheSlowestProcess() {
    let round = BenchRound(
      reports: [report(100, .seconds(1)), report(300, .seconds(2))], walBytes: 0)
    XCTAssertEqual(round.perSecond, 200)
    XCTAssertEqual(round.fairness, 1.0 / 3)
    XCTAssertEqual(rate(5, .zero), 0)
  }

  func testSpread_hasTheMedianOfTheRounds() {
    XCTAssertEqual(BenchSpread([3, 1, 2])?.median, 2)
    XCTAssertEqual(BenchSpread([4, 1, 2, 3])?.median, 2.5)
    XCTAssertEqual(BenchSpread([4, 1, 2])?.most, 4)
    XCTAssertEqual(BenchSpread([4, 1, 2])?.least, 1)
    XCTAssertNil(BenchSpread([]))
  }

  /// What is measured is the product over `bare`, whatever else was run.
  func testCeiling_isBareWithOneProcess() {
    for benchCase in BenchCase.allCases {
      let designs = CeilingProgram.designs(benchCase, processes: 8)
      XCTAssertEqual(
        designs.first { $0.name.hasPrefix("bare-") }?.processes,
        benchCase == .guard ? nil : 1, benchCase.rawValue)
      XCTAssertEqual(Set(designs).count, designs.count)
    }
  }

  // MARK: Lines between processes

  func testReport_comesOutOfItsLine() throws {
    var sent = report(3, .microseconds(1500))
    sent.unanswered = 2
    for wait in [1, 10, 100_000] { sent.record(.microseconds(wait)) }
    let heard = try XCTUnwrap(BenchReport(sent.text))
    XCTAssertEqual(heard.operations, 3)
    XCTAssertEqual(heard.unanswered, 2)
    XCTAssertEqual(heard.elapsed, .microseconds(1500))
    XCTAssertEqual(heard.text, sent.text)
    let words = sent.text.split(separator: " ")
    XCTAssertEqual(words.prefix(6), ["done", "3", "2", "1500000", "-", "-"])
    let waits = try waits(sent)
    XCTAssertEqual(waits.count, 3)
    // Nanoseconds, to three digits.
    for (wait, expected) in zip(waits, [1000.0, 10_000, 100_000_000]) {
      XCTAssertEqual(wait, expected, accuracy: expected / 500)
    }
    XCTAssertNil(heard.statements)
    for line in ["", "done", "done 1 2", "done 1 2 3 - - 4", "done 1 2 3 - - x:1", "ready"] {
      XCTAssertNil(BenchReport(line), line)
    }
  }

  func testConfiguration_comesOutOfItsArguments() {
    for rate in [nil, 250] {
      let sent = BenchConfiguration(
        benchCase: .hotBot, path: "a b", run: "bench-1", worker: 3, processes: 4,
        duration: .milliseconds(70), rate: rate, lockWait: .seconds(1),
        durability: rate == nil ? .full : .normal)
      XCTAssertEqual(BenchConfiguration(sent.arguments), sent)
    }
    for words in [
      [], ["accept", "p", "r", "4", "4", "1", "-", "1", "full"],
      ["x", "p", "r", "0", "1", "1", "-", "1", "full"],
      ["accept", "p", "r", "0", "1", "1", "-", "1", "none"],
    ] {
      XCTAssertNil(BenchConfiguration(words), "\(words)")
    }
  }

  func testCeilingRound_isReadFromItsLine() throws {
    let round = try XCTUnwrap(
      CeilingProgram.Round("1000 500000 1000 2000 3000 9000000 20 80\n"))
    XCTAssertEqual(round.perSecond, 2000)
    XCTAssertEqual(round.longest, 9000)
    XCTAssertEqual(round.fairness, 0.25)
    for text in ["", "1 2 3", "1000 0 1 2 3 4 5 6", "a 1 1 1 1 1 1 1", "1 1 1 1 1 1 1 1 1"] {
      XCTAssertNil(CeilingProgram.Round(text), text)
    }
  }

  private func report(_ operations: Int, _ elapsed: Duration) -> BenchReport {
    var report = BenchReport()
    report.operations = operations
    report.elapsed = elapsed
    return report
  }
}
