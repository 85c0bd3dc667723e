import XCTest

@testable import TradeLedger

/// INV-7: who counts as dead. The whole table: every combination of what can be known, against the
/// sentence of the contract.
final class HolderRuleTests: XCTestCase {
  private let observer = ProcessIdentity(
    bootID: "boot", pidNamespace: 1, timeNamespace: 2, pid: 10, startTicks: 100)

  private func holder(
    boot: String? = "boot", pidNamespace: Int64 = 1, timeNamespace: Int64 = 2, ticks: Int64? = 500,
    heartbeat: Int64? = nil
  ) -> InstanceHolder {
    InstanceHolder(
      pid: 77, bootID: boot,
      identity: ticks.flatMap { ticks in
        boot.map {
          ProcessIdentity(
            bootID: $0, pidNamespace: pidNamespace, timeNamespace: timeNamespace, pid: 77,
            startTicks: ticks)
        }
      }, host: "h", command: "c", since: nil, heartbeatUntil: heartbeat)
  }

  private struct Facts {
    let holder: InstanceHolder
    let answer: ProcessSighting.Answer
    let details: ProcessDetails?
    let machineTime: Int64?

    func judged(by observer: ProcessIdentity) -> HolderState {
      HolderRule.judge(
        holder, from: observer, sighting: ProcessSighting(answer: answer, details: details),
        machineTime: machineTime)
    }

    /// The contract, in its own order.
    func expected(by observer: ProcessIdentity) -> HolderState {
      if let boot = holder.bootID, boot != observer.bootID { return .dead(.rebooted) }
      let isProbed =
        holder.identity?.pidNamespace == observer.pidNamespace
        && holder.identity?.timeNamespace == observer.timeNamespace
      if !isProbed {
        guard let end = holder.heartbeatUntil, let now = machineTime, holder.bootID != nil else {
          return .unseen(remaining: nil)
        }
        return now < end ? .unseen(remaining: .microseconds(end - now)) : .dead(.silent)
      }
      if answer == .noSuchProcess { return .dead(.gone) }
      if let details {
        if details.startTicks != holder.identity?.startTicks { return .dead(.pidReused) }
        if "ZX".contains(details.state) && details.threads < 2 { return .dead(.zombie) }
      }
      return .alive
    }
  }

  func testJudge_everyCombination_isThatOfTheContract() {
    var details: [ProcessDetails?] = [nil]
    for ticks in [500, 501] as [Int64] {
      for state in "RSDTtZX" {
        for threads in 0...2 {
          details.append(ProcessDetails(startTicks: ticks, state: state, threads: threads))
        }
      }
    }
    var count = 0
    var seen: [HolderState: Int] = [:]
    for boot in ["boot", "earlier", nil] {
      for (pidNamespace, timeNamespace) in [(1, 2), (9, 2), (1, 9), (9, 9)] as [(Int64, Int64)] {
        for ticks in [500, nil] as [Int64?] {
          for heartbeat in [nil, 999, 1000, 1001] as [Int64?] {
            let holder = holder(
              boot: boot, pidNamespace: pidNamespace, timeNamespace: timeNamespace, ticks: ticks,
              heartbeat: heartbeat)
            for answer in ProcessSighting.Answer.allCases {
              for details in details {
                for time in [1000, nil] as [Int64?] {
                  let facts = Facts(
                    holder: holder, answer: answer, details: details, machineTime: time)
                  let state = facts.judged(by: observer)
                  XCTAssertEqual(state, facts.expected(by: observer), "\(facts)")
                  seen[state, default: 0] += 1
                  count += 1
                }
              }
            }
          }
        }
      }
    }
    XCTAssertEqual(count, 3 * 4 * 2 * 4 * 3 * 43 * 2)
    for proof in ProofOfDeath.allCases {
      XCTAssertNotNil(seen[.dead(proof)], "the table never proves \(proof)")
    }
    XCTAssertNotNil(seen[.alive])
    XCTAssertNotNil(seen[.unseen(remaining: .microseconds(1))])
  }

  /// What must never be proof, said once more without an oracle.
  func testJudge_whatProvesNothing_isAlive() {
    let sleeping = ProcessDetails(startTicks: 500, state: "S", threads: 1)
    for (what, answer, details) in [
      ("EPERM", .forbidden, nil), ("EPERM, and /proc shows it", .forbidden, sleeping),
      ("no /proc entry", .permitted, nil),
      ("stopped", .permitted, ProcessDetails(startTicks: 500, state: "T", threads: 1)),
      ("first thread ended", .permitted, ProcessDetails(startTicks: 500, state: "Z", threads: 2)),
    ] as [(String, ProcessSighting.Answer, ProcessDetails?)] {
      let facts = Facts(
        holder: holder(heartbeat: 1), answer: answer, details: details, machineTime: 1000)
      XCTAssertEqual(facts.judged(by: observer), .alive, "\(what), its heartbeat over")
    }
    let foreign = Facts(
      holder: holder(pidNamespace: 9), answer: .noSuchProcess, details: nil, machineTime: 1000)
    XCTAssertEqual(foreign.judged(by: observer), .unseen(remaining: nil), "a pid of elsewhere")
  }

  /// A pid of another namespace is not even looked at.
  func testJudge_ofAnotherNamespace_looksAtNoProcess() {
    var looks = 0
    func look() -> ProcessSighting {
      looks += 1
      return ProcessSighting(answer: .noSuchProcess, details: nil)
    }
    for holder in [holder(pidNamespace: 9), holder(timeNamespace: 9), holder(boot: "x")] {
      _ = HolderRule.judge(holder, from: observer, sighting: look(), machineTime: nil)
    }
    XCTAssertEqual(looks, 0)
  }

  /// /proc/PID/stat, whatever a process calls itself.
  func testDetails_areParsedAfterTheLastParenthesis() {
    let rest = "S 1 1 1 0 -1 4194560 9 0 0 0 1 2 0 0 20 0 3 0 4711 12345 67 1844"
    for name in ["bash", "a b", ") R 1 (", "x) Z 1 1 1", "((", "))", "(a) S 1) T", "\n", ""] {
      XCTAssertEqual(
        ProcessDetails(stat: "77 (\(name)) \(rest)\n"),
        ProcessDetails(startTicks: 4711, state: "S", threads: 3), name)
    }
    let cutShort = "S 1 1 1 0 -1 4194560 9 0 0 0 1 2 0 0 20 0 3 0 47"
    for line in [
      "", "77", "77 (bash", "77 (bash) ", "77 (bash) \(cutShort)", "77 (bash) S 1 1",
      "77 (bash) " + rest.replacingOccurrences(of: "4711", with: "-1"),
      "77 (bash) " + rest.replacingOccurrences(of: "4711", with: "x"),
      "77 (bash) " + rest.replacingOccurrences(of: "S", with: "SS"),
    ] {
      XCTAssertNil(ProcessDetails(stat: line), line)
    }
  }

  /// The machine itself: this process lives, by every look at it, and has one identity.
  func testSystemProcesses_seeThisProcess() throws {
    let processes = SystemProcesses()
    let identity = try XCTUnwrap(processes.identity(of: nil))
    XCTAssertEqual(identity, processes.identity(of: getpid()))
    XCTAssertEqual(identity.pid, getpid())
    let sighting = processes.sighting(of: getpid())
    XCTAssertEqual(sighting.answer, .permitted)
    XCTAssertEqual(sighting.details?.startTicks, identity.startTicks)
    XCTAssertEqual(processes.bootClockOffset, 0)
    XCTAssertNotNil(processes.command(of: nil))
    // Process 0 is the sender's own group, 2^31-1 beyond every limit.
    XCTAssertEqual(processes.sighting(of: .max).answer, .noSuchProcess)
  }

  func testHeartbeat_itEndsByItselfBeforeOthersMayTakeOver() throws {
    for lease in [Duration.milliseconds(100), .seconds(2), .seconds(30), .seconds(86_400)] {
      let heartbeat = try Heartbeat(lease: lease)
      XCTAssertLessThan(heartbeat.renewEvery * 2, heartbeat.giveUpAfter)
      XCTAssertLessThan(heartbeat.giveUpAfter + heartbeat.grace, lease)
    }
    for lease in [Duration.zero, .milliseconds(99), .seconds(86_401), .seconds(-1)] {
      assertRefused(.invalidInput) { try Heartbeat(lease: lease) }
    }
  }
}
