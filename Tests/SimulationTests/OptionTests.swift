import TradeLedger
import XCTest

@testable import LedgerSimulation

final class OptionTests: XCTestCase {
  func testLatency_parsesARangeOrOneValue() throws {
    XCTAssertEqual(
      try SimulationOptions.latency("1ms..20ms"), .milliseconds(1)...(.milliseconds(20)))
    XCTAssertEqual(try SimulationOptions.latency("5ms"), .milliseconds(5)...(.milliseconds(5)))
    XCTAssertEqual(try SimulationOptions.latency("0s..1.5s"), .zero...(.milliseconds(1500)))
    for text in ["", "..", "1ms..", "..1ms", "20ms..1ms", "1..20", "1ms...20ms", "1ms..2ms..3ms"] {
      XCTAssertThrowsError(try SimulationOptions.latency(text), text) { error in
        XCTAssertEqual((error as? LedgerError)?.code, .invalidInput)
      }
    }
  }

  func testShare_parsesAPercentage() throws {
    XCTAssertEqual(try SimulationOptions.perMillion("1%"), 10_000)
    XCTAssertEqual(try SimulationOptions.perMillion("0%"), 0)
    XCTAssertEqual(try SimulationOptions.perMillion("100%"), 1_000_000)
    XCTAssertEqual(try SimulationOptions.perMillion("0.5%"), 5000)
    XCTAssertEqual(try SimulationOptions.perMillion("0.0001%"), 1)
    for text in [
      "", "%", "1", "-1%", "101%", "100.0001%", "1.00001%", ".5%", "1.%", "1,5%", "1e1%", "٣%",
      "9999999999999999999999%",
    ] {
      XCTAssertThrowsError(try SimulationOptions.perMillion(text), text) { error in
        XCTAssertEqual((error as? LedgerError)?.code, .invalidInput)
      }
    }
  }

  func testChaos_parsesNames() {
    XCTAssertEqual(SimulationOptions.chaos("kill"), [.kill])
    XCTAssertEqual(SimulationOptions.chaos("kill,kill"), [.kill])
    XCTAssertEqual(SimulationOptions.chaos("pause,kill"), [.kill, .pause])
    XCTAssertEqual(SimulationOptions.chaos("all"), [.kill, .pause, .clock, .cleanup])
    XCTAssertEqual(SimulationOptions.chaos("clock,all"), Set(SimulationOptions.Chaos.allCases))
    for text in ["", "kill,", ",kill", "KILL", "meteor", "kill meteor"] {
      XCTAssertNil(SimulationOptions.chaos(text), text)
    }
  }

  func testValidation_namesWhatIsOutOfRange() {
    func refused(_ change: (inout SimulationOptions) -> Void) -> Bool {
      var options = SimulationOptions()
      change(&options)
      do {
        try options.validate()
        return false
      } catch { return (error as LedgerError).code == .invalidInput }
    }
    XCTAssertFalse(refused { _ in })
    XCTAssertTrue(refused { $0.workers = 0 })
    XCTAssertTrue(refused { $0.workers = 257 })
    func foreign(_ workers: Int, _ instances: Int?, _ command: [String]) -> Bool {
      refused { options in
        options.foreignWorkers = workers
        options.foreignCommand = command
        options.instances = instances
      }
    }
    XCTAssertFalse(foreign(8, 0, ["python3", "worker.py"]))
    XCTAssertTrue(foreign(9, 0, ["python3"]))
    XCTAssertTrue(foreign(-1, 0, ["python3"]))
    XCTAssertTrue(foreign(0, 0, ["python3"]))
    XCTAssertTrue(foreign(4, 0, []))
    XCTAssertTrue(foreign(4, nil, ["python3"]), "they know no instance names")
    XCTAssertTrue(refused { $0.bots = 0 })
    XCTAssertTrue(refused { $0.duration = .zero })
    XCTAssertTrue(refused { $0.cooldown = .seconds(-1) })
    XCTAssertTrue(refused { $0.exchangeLatency = .zero...(.seconds(7200)) })
    XCTAssertTrue(refused { $0.failuresPerMillion = 1_000_001 })
    XCTAssertFalse(refused { $0.chaos = [.kill, .pause, .clock] })
    XCTAssertFalse(
      refused {
        $0.strategy = .ttlLock
        $0.chaos = [.kill, .pause]
      })
    XCTAssertTrue(
      refused {
        $0.strategy = .deferred
        $0.chaos = [.clock]
      }, "its table knows no boot clock")
    XCTAssertTrue(refused { $0.seed = SimulationOptions.largestSeed + 1 })
  }

  func testLease_isHalfTheCooldown_butLongEnoughForTheExchange() {
    var options = SimulationOptions()
    XCTAssertEqual(options.lease, .milliseconds(250))
    options.exchangeLatency = .zero...(.milliseconds(200))
    XCTAssertEqual(options.lease, .milliseconds(600))
    options.cooldown = .seconds(3600)
    XCTAssertEqual(options.lease, .seconds(30))
    options.exchangeLatency = .zero...(.zero)
    options.cooldown = .zero
    XCTAssertEqual(options.lease, .milliseconds(20))
  }

  func testLeastAdmissions_isHalfOfWhatTimeAllows() {
    var options = SimulationOptions()
    options.exchangeLatency = .zero...(.zero)
    XCTAssertEqual(options.leastAdmissions(in: .seconds(20)), 80)
    XCTAssertEqual(options.leastAdmissions(in: .milliseconds(499)), 1)
    options.cooldown = .zero
    XCTAssertEqual(options.leastAdmissions(in: .seconds(20)), 500)
    options.workers = 3
    XCTAssertEqual(options.leastAdmissions(in: .seconds(20)), 1, "fewer workers than bots")
  }

  /// A worker that is struck leaves its bot occupied until the lease is over.
  func testLeastAdmissions_underChaos_allowsForTheLease() {
    var options = SimulationOptions()
    options.exchangeLatency = .zero...(.milliseconds(300))
    options.failuresPerMillion = 0
    XCTAssertEqual(options.lease, .milliseconds(900))
    XCTAssertEqual(options.leastAdmissions(in: .seconds(24)), 60)
    options.chaos = [.kill]
    XCTAssertEqual(options.leastAdmissions(in: .seconds(24)), 40)
    options.chaos = []
    options.failuresPerMillion = 1
    XCTAssertEqual(options.leastAdmissions(in: .seconds(24)), 40)
  }

  func testReplayCommand_namesEverythingThatMatters() {
    var options = SimulationOptions()
    options.chaos = [.kill]
    options.duration = .seconds(90)
    options.cooldown = .microseconds(1500)
    options.failuresPerMillion = 5000
    options.isExchangeCareless = true
    options.seed = 7
    XCTAssertEqual(
      options.replayCommand,
      "tradeledger simulate --strategy ledger --workers 8 --bots 4 --duration 90s "
        + "--cooldown 1500us --exchange-latency 1ms..20ms --exchange-failures 0.5000% "
        + "--chaos kill --exchange-careless --seed 7")
    options.instances = 3
    XCTAssertTrue(options.replayCommand.contains(" --instances 3 --chaos kill"))
    options.foreignWorkers = 4
    options.foreignCommand = ["python3", "worker.py"]
    let foreign = " --foreign-workers 4 --foreign-command 'python3 worker.py' --seed 7"
    XCTAssertTrue(options.replayCommand.hasSuffix(foreign), options.replayCommand)
  }

  func testInstances_usually() {
    func names(_ strategy: SimulationOptions.Strategy, workers: Int, bots: Int = 4) -> Int {
      var options = SimulationOptions()
      options.strategy = strategy
      options.workers = workers
      options.bots = bots
      return options.instanceNames
    }
    XCTAssertEqual([1, 2, 4, 8, 12].map { names(.ledger, workers: $0) }, [1, 2, 3, 6, 9])
    XCTAssertEqual([1, 2, 8, 20].map { names(.pidFile, workers: $0) }, [1, 1, 4, 4])
    for strategy in [SimulationOptions.Strategy.naive, .deferred, .ttlLock] {
      XCTAssertEqual(names(strategy, workers: 8), 0)
    }
  }

  func testInstances_outOfRange_orUnknownToTheStrategy_areRefused() {
    func isFine(_ strategy: SimulationOptions.Strategy, _ instances: Int) -> Bool {
      var options = SimulationOptions()
      options.strategy = strategy
      options.instances = instances
      return (try? options.validate()) != nil
    }
    for (strategy, fine) in [(.ledger, 0...8), (.pidFile, 1...8), (.naive, 0...0)]
      as [(SimulationOptions.Strategy, ClosedRange<Int>)]
    {
      for instances in -1...9 {
        XCTAssertEqual(isFine(strategy, instances), fine.contains(instances), "\(instances)")
      }
    }
  }
}

final class FaultPlanTests: XCTestCase {
  private func plan(_ seed: UInt64, _ change: (inout SimulationOptions) -> Void = { _ in })
    -> FaultPlan
  {
    var options = SimulationOptions()
    options.seed = seed
    options.chaos = [.kill]
    options.duration = .seconds(20)
    change(&options)
    return FaultPlan(options)
  }

  func testPlan_isTheSameForTheSameSeed() {
    XCTAssertEqual(plan(7), plan(7))
    XCTAssertNotEqual(plan(7), plan(8))
    XCTAssertEqual(
      plan(7).faults.prefix(5), plan(7) { $0.duration = .seconds(10) }.faults.prefix(5))
  }

  func testPlan_withoutChaos_isEmpty() {
    XCTAssertEqual(plan(7) { $0.chaos = [] }.faults, [])
    XCTAssertEqual(FaultPlan.leastInjected(of: 0), 0)
    XCTAssertEqual(FaultPlan.leastInjected(of: 1), 1)
    XCTAssertEqual(FaultPlan.leastInjected(of: 9), 4)
  }

  func testPlan_strikesOftenEnough_everywhere_inOrder() {
    let faults = plan(7).faults
    XCTAssertGreaterThanOrEqual(faults.count, 40)
    XCTAssertEqual(faults.map(\.at), faults.map(\.at).sorted())
    XCTAssertTrue(faults.allSatisfy { (.zero..<Duration.seconds(20)).contains($0.at) })
    XCTAssertEqual(Set(faults.map(\.moment)), Set(Fault.Moment.allCases))
    XCTAssertEqual(Set(faults.map(\.worker)), Set(0..<8))
    XCTAssertEqual(plan(7) { $0.duration = .milliseconds(100) }.kills, 1)
  }

  /// The plan of one kind does not depend on which other kinds there are.
  func testPlan_ofSeveralKinds_isTheirSum() {
    let kills = plan(7)
    let pauses = plan(7) { $0.chaos = [.pause] }
    let clock = plan(7) { $0.chaos = [.clock] }
    let all = plan(7) { $0.chaos = [.kill, .pause, .clock] }
    XCTAssertEqual(all.faults.filter { $0.blow == .kill }, kills.faults)
    XCTAssertEqual(all.faults.filter { $0.blow != .kill }, pauses.faults)
    XCTAssertEqual(all.faults.map(\.at), all.faults.map(\.at).sorted())
    XCTAssertEqual(all.jumps, clock.jumps)
    XCTAssertEqual(
      [kills.pauses, kills.jumps.count, pauses.kills, clock.faults.count], [0, 0, 0, 0])
  }

  /// S-33: the cleanup script is a part of the second incident, whether it is asked for or not.
  func testCleanups_runAllTheTime() {
    XCTAssertEqual(plan(7).cleanups, [])
    let cleanups = plan(7) { $0.chaos = [.cleanup] }
    XCTAssertEqual(cleanups.faults, [])
    XCTAssertGreaterThan(cleanups.cleanups.count, 130)
    XCTAssertEqual(
      cleanups.cleanups, plan(7) { $0.chaos = Set(SimulationOptions.Chaos.allCases) }.cleanups)
    XCTAssertEqual(cleanups.cleanups, plan(7) { $0.strategy = .pidFile }.cleanups)
  }

  /// A run in which they did not happen, or found nothing, means nothing.
  func testCleanups_thatDidNotHappen_areDemanded() {
    let plan = plan(7) { $0.chaos = [.cleanup] }
    func missing(_ cleanups: Int, _ files: Int, _ hasInstances: Bool = true) -> Int {
      var faults = InjectedFaults()
      faults.cleanups = cleanups
      faults.filesDeleted = files
      return plan.missing(faults, hasInstances: hasInstances).count
    }
    XCTAssertEqual(missing(plan.cleanups.count, 1), 0)
    XCTAssertEqual(missing(plan.cleanups.count / 2, 1), 0)
    XCTAssertEqual(missing(plan.cleanups.count / 2 - 1, 1), 1)
    XCTAssertEqual(missing(plan.cleanups.count, 0), 1)
    XCTAssertEqual(missing(plan.cleanups.count, 0, false), 0)
  }

  func testPauses_areShorterAndLongerThanTheLease_atEveryMoment() {
    let lease = SimulationOptions().lease
    let pauses = plan(7) {
      $0.chaos = [.pause]
      $0.duration = .seconds(60)
    }
    let lengths = pauses.faults.compactMap { fault -> Duration? in
      if case .pause(let length) = fault.blow { return length }
      return nil
    }
    XCTAssertGreaterThan(lengths.count { $0 < lease }, 20)
    XCTAssertGreaterThan(lengths.count { $0 > lease }, 20)
    XCTAssertEqual(Set(pauses.faults.map(\.moment)), Set(Fault.Moment.allCases))
    let brief = plan(7) {
      $0.chaos = [.pause]
      $0.cooldown = .seconds(3600)
      $0.duration = .seconds(1)
    }
    XCTAssertFalse(brief.faults.isEmpty)
    XCTAssertTrue(brief.faults.allSatisfy { $0.blow == .pause(.milliseconds(500)) })
  }

  /// Ahead for good, back for a moment: a ledger admits next to nothing while its clock is back.
  func testJumps_goBackForAMomentOnly() {
    let jumps = plan(7) {
      $0.chaos = [.clock]
      $0.duration = .seconds(120)
    }.jumps
    XCTAssertEqual(jumps.map(\.at), jumps.map(\.at).sorted())
    var highest = Duration.zero
    var back = 0
    for (jump, next) in zip(jumps, jumps.dropFirst()) {
      if jump.offset < highest {
        back += 1
        XCTAssertEqual(next.offset, highest)
        XCTAssertLessThanOrEqual(next.at - jump.at, .milliseconds(50))
      }
      highest = max(highest, jump.offset)
      XCTAssertTrue((.zero...Duration.seconds(3600)).contains(highest - jump.offset))
    }
    XCTAssertGreaterThan(back, 40)
    XCTAssertGreaterThan(highest, .seconds(3600))
  }

  func testSeededRandom_repeats_andStreamsDiffer() {
    func draw(_ seed: UInt64, _ stream: UInt64) -> [UInt64] {
      var random = SeededRandom(seed: seed, stream: stream)
      return (0..<4).map { _ in random.next() }
    }
    XCTAssertEqual(draw(1, 2), draw(1, 2))
    XCTAssertNotEqual(draw(1, 2), draw(2, 2))
    XCTAssertNotEqual(draw(1, 2), draw(1, 3))
    XCTAssertNotEqual(draw(1, 2), draw(2, 1))
  }
}
