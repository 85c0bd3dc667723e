import XCTest

@testable import LedgerSimulation

/// What is demanded of a run beyond its history, and how it is told.
final class ResultTests: XCTestCase {
  private var options: SimulationOptions {
    var options = SimulationOptions()
    options.workers = 5
    options.bots = 1
    options.duration = .seconds(1)
    options.seed = 42
    return options
  }

  private func result(
    _ evidence: Evidence, _ options: SimulationOptions, failures: [String] = [], kills: Int = 0,
    interruption: Int32? = nil
  ) -> SimulationResult {
    var places = Array(repeating: WorkerPlace(), count: options.workers)
    places[0].kills = kills
    return SimulationResult(
      options, evidence: evidence, places: places, failures: failures, plan: FaultPlan(options),
      elapsed: .seconds(1), interruption: interruption)
  }

  func testGoodRun_holds_andEveryAttemptIsInOneClass() {
    let result = result(Sample.good(), options)
    XCTAssertEqual(result.violations, [])
    XCTAssertEqual(result.verdict, .holds)
    XCTAssertEqual(result.attempts, 8)
    XCTAssertEqual(result.admitted, 3)
    XCTAssertEqual(result.denied, ["in_progress": 1, "cooldown": 2])
    XCTAssertEqual(result.busy, 1)
    XCTAssertEqual(result.unknown, 1)
    XCTAssertEqual(result.untold, 1)
    XCTAssertEqual(result.other, 0)
    XCTAssertEqual(result.exchange.accepted, 2)
    XCTAssertEqual(result.exchange.refused, 1)
    XCTAssertEqual(result.workers.map(\.attempts), [1, 3, 2, 2, 0])
    XCTAssertTrue(result.headline.hasPrefix("HOLDS: 0 double trades in 3 trades of 1 bot"))
  }

  func testRunWithoutAdmissions_doesNotHold() {
    var evidence = Sample.good()
    evidence.rows = []
    evidence.orders = []
    evidence.calls = [Sample.call("k6", worker: 2, at: 600_000)]
    let result = result(evidence, options)
    XCTAssertEqual(result.violations.map(\.kind), [.tooFewAdmissions])
    XCTAssertEqual(result.verdict, .violated)
    XCTAssertTrue(result.headline.hasPrefix("VIOLATED: 0 double trades"), result.headline)
  }

  func testRunWithoutTheFaultsAskedFor_doesNotHold() {
    var options = options
    options.chaos = [.kill]
    XCTAssertEqual(
      result(Sample.good(), options).violations.map(\.kind), [.faultsNotInjected])
    let plan = FaultPlan(options)
    XCTAssertGreaterThan(plan.faults.count, 1)
    XCTAssertEqual(
      result(Sample.good(), options, kills: plan.leastInjected - 1).violations.map(\.kind),
      [.faultsNotInjected])
    XCTAssertEqual(result(Sample.good(), options, kills: plan.leastInjected).violations, [])
  }

  func testWorkerThatEndsByItself_isAViolation() {
    XCTAssertEqual(
      result(Sample.good(), options, failures: ["worker 1 ended by itself"]).violations.map(\.kind),
      [.workerFailed])
  }

  func testPartialRun_demandsNoMinimum_andDoesNotSayHolds() {
    var options = options
    options.chaos = [.kill]
    let result = result(Evidence(), options, interruption: 2)
    XCTAssertEqual(result.violations, [])
    XCTAssertTrue(result.isPartial)
    XCTAssertFalse(result.headline.contains("HOLDS"), result.headline)
    XCTAssertTrue(result.headline.contains("partial"), result.headline)
  }

  func testDoubles_areListedWithGapAndProcesses_eachOnce() {
    var evidence = Sample.withoutTrade2()
    evidence.replaceRow(Sample.row(3, "k5", .inDoubt, at: 5812, pid: 102))
    evidence.replaceOrder(Sample.order("k5", pid: 102, executed: 7000))
    let result = result(evidence, options)
    XCTAssertEqual(result.doubleTrades, 1)
    XCTAssertEqual(
      result.violationLines().filter { $0.contains("apart") },
      ["bot-1: trades 1 and 3, 0.005312 s apart, cooldown 500ms, processes 100 and 102"])
  }

  func testLongLists_sayHowManyMore() {
    var evidence = Evidence()
    for index in 0..<9 {
      evidence.calls.append(
        Sample.call("k\(index)", at: Int64(index), told: 900, .failed(code: "io")))
    }
    let lines = result(evidence, options).violationLines(limit: 4)
    XCTAssertEqual(lines.filter { $0.hasPrefix("unexpected-error: bot-1:") }.count, 4)
    XCTAssertTrue(lines.contains("... 5 more unexpected-error; --json has them all"), "\(lines)")
  }
}
