import XCTest

@testable import LedgerSimulation

/// What is demanded of a run beyond its history, and how it is told.
final class ResultTests: XCTestCase {
  private var options: SimulationOptions {
    var options = SimulationOptions()
    options.workers = 5
    options.bots = 1
    options.instances = 0
    options.duration = .seconds(1)
    options.seed = 42
    // The busy answer of the sample comes after a millisecond.
    options.lockWait = .milliseconds(1)
    return options
  }

  private func result(
    _ evidence: Evidence, _ options: SimulationOptions, failures: [String] = [],
    faults: InjectedFaults = InjectedFaults(), interruption: Int32? = nil
  ) -> SimulationResult {
    SimulationResult(
      options, evidence: evidence,
      places: Array(repeating: WorkerPlace(), count: options.workers), failures: failures,
      plan: FaultPlan(options), faults: faults, elapsed: .seconds(1), interruption: interruption)
  }

  private func injected(kills: Int = 0, pauses: Int = 0, jumps: Int = 0) -> InjectedFaults {
    var faults = InjectedFaults()
    faults.kills = kills
    faults.pauses = pauses
    faults.jumps = Array(repeating: ClockJump(from: 0, to: 0, offset: 0), count: jumps)
    return faults
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
    XCTAssertEqual(result.replayed, 0)
    XCTAssertEqual(result.inDoubt, 1)
    XCTAssertEqual(result.waits.map(\.time), [1000, 1000, 1000, 1000, 1000])
    XCTAssertEqual(result.waits.first?.outcome, "admitted")
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
    options.chaos = [.kill, .pause, .clock]
    let plan = FaultPlan(options)
    func kinds(_ kills: Int, _ pauses: Int, _ jumps: Int) -> [Violation.Kind] {
      let faults = injected(kills: kills, pauses: pauses, jumps: jumps)
      return result(Sample.good(), options, faults: faults).violations.map(\.kind)
    }
    let kills = FaultPlan.leastInjected(of: plan.kills)
    let pauses = FaultPlan.leastInjected(of: plan.pauses)
    let jumps = FaultPlan.leastInjected(of: plan.jumps.count)
    XCTAssertTrue(kills > 0 && pauses > 0 && jumps > 0)
    XCTAssertEqual(kinds(kills, pauses, jumps), [])
    XCTAssertEqual(kinds(kills - 1, pauses, jumps), [.faultsNotInjected])
    XCTAssertEqual(kinds(kills, pauses - 1, jumps), [.faultsNotInjected])
    XCTAssertEqual(kinds(kills, pauses, jumps - 1), [.faultsNotInjected])
  }

  /// What chaos takes away is not asked of the ledger; everything else is.
  func testMinimum_leavesOutTheTimeWithoutTheLockOrTheClock() {
    var faults = injected()
    faults.lockedOut = 200_000
    faults.jumps = [
      ClockJump(from: 0, to: 10, offset: 5_000_000),
      ClockJump(from: 100_000, to: 100_010, offset: 1_000_000),
      ClockJump(from: 150_000, to: 150_010, offset: 5_000_000),
      ClockJump(from: 900_000, to: 900_010, offset: 9_000_000),
    ]
    XCTAssertEqual(faults.clockBehind, 50_010)
    XCTAssertEqual(faults.usable(of: .seconds(1)), .microseconds(749_990))
    XCTAssertEqual(faults.usable(of: .milliseconds(1)), .zero)
  }

  /// "Busy" is the answer when the wait limit is over, and not before.
  func testBusyAnswer_beforeTheWaitLimit_isFound() {
    var options = options
    options.lockWait = .milliseconds(3)
    var evidence = Sample.good()
    XCTAssertEqual(result(evidence, options).violations.map(\.kind), [.unexpectedError])
    evidence.calls.removeAll { $0.answer == .busy }
    evidence.calls.append(Sample.call("k7", worker: 3, at: 700_000, told: 703_000, .busy))
    XCTAssertEqual(result(evidence, options).violations, [])
    options.strategy = .ttlLock
    options.lockWait = .seconds(5)
    XCTAssertEqual(result(evidence, options).violations, [], "there it means something else")
  }

  /// Where SQLite prevents what the strategy does not, the run says so.
  func testRemark_namesWhatSQLiteRefused() {
    var options = options
    var faults = injected()
    faults.busyErrors = 3
    XCTAssertNil(result(Sample.good(), options, faults: faults).remark)
    options.strategy = .deferred
    XCTAssertEqual(
      result(Sample.good(), options, faults: faults).remark,
      "0 double trades, 3 busy errors: SQLite refused 3 transactions (\"database is locked\")")
    XCTAssertNil(result(Sample.good(), options).remark)
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
