import LedgerTestSupport
import Synchronization

@testable import TradeLedger

/// A machine whose processes the test makes and ends.
final class FakeProcesses: ProcessTable {
  struct Machine {
    var identity: ProcessIdentity?
    /// By pid. A pid that is missing belongs to nobody.
    var sightings: [Int32: ProcessSighting] = [:]
    var offset: Int64? = 0
  }
  private let machine: Mutex<Machine>

  /// Sees itself alive, as pid `pid` that was started at tick 500.
  init(pid: Int32 = 10, pidNamespace: Int64 = 1, bootID: String = "boot") {
    machine = Mutex(
      Machine(
        identity: ProcessIdentity(
          bootID: bootID, pidNamespace: pidNamespace, timeNamespace: 2, pid: pid, startTicks: 500)))
  }

  func change(_ body: (inout Machine) -> Void) { machine.withLock { body(&$0) } }

  /// `pid` runs, as the one that was started at `ticks`.
  func run(_ pid: Int32, ticks: Int64 = 500, _ answer: ProcessSighting.Answer = .permitted) {
    change {
      $0.sightings[pid] = ProcessSighting(
        answer: answer,
        details: answer == .forbidden
          ? nil : ProcessDetails(startTicks: ticks, state: "S", threads: 1))
    }
  }

  func end(_ pid: Int32) { change { $0.sightings[pid] = nil } }

  func identity(of pid: Int32?) -> ProcessIdentity? { machine.withLock { $0.identity } }
  func sighting(of pid: Int32) -> ProcessSighting {
    machine.withLock {
      $0.sightings[pid] ?? ProcessSighting(answer: .noSuchProcess, details: nil)
    }
  }
  var bootClockOffset: Int64? { machine.withLock { $0.offset } }
  func command(of pid: Int32?) -> String? { "python3 main.py" }
  var host: String? { "desk" }
  var isContainer: Bool { false }
}

extension TestLedger {
  /// The same ledger, opened by another process of the test's making.
  func opened(by processes: any ProcessTable) async throws -> Ledger {
    var options = Ledger.Options()
    options.clock = clock
    options.processes = processes
    return try await Ledger.open(path, options: options)
  }
}

extension Ledger {
  func acquired(
    _ name: String = "trading_bot", heartbeat: Duration? = nil
  ) async throws -> InstanceLease {
    var options = InstanceOptions()
    options.heartbeat = heartbeat
    let outcome = try await acquireInstance(try InstanceName(name), options)
    guard case .acquired(let lease) = outcome else { throw Unexpected(outcome) }
    return lease
  }

  func held(_ name: String = "trading_bot") async throws -> Denial {
    let outcome = try await acquireInstance(try InstanceName(name))
    guard case .denied(let denial) = outcome else { throw Unexpected(outcome) }
    return denial
  }
}
