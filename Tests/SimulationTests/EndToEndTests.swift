import Foundation
import LedgerTestSupport
import XCTest

/// The built binary, with real processes.
final class EndToEndTests: SimulationTestCase {
  /// S-05, S-06: workers die at every step, and nothing is traded twice (INV-1 to INV-4).
  func testSimulate_ledgerUnderKills_holds() throws {
    let directory = TemporaryDirectory()
    let run = simulate(
      [
        "--duration", "3s", "--workers", "6", "--bots", "3", "--cooldown", "200ms", "--chaos",
        "kill", "--seed", "11",
      ], in: directory)
    XCTAssertEqual(run.status, 0, run.stdout + run.stderr)
    let result = try json(run.stdout)
    XCTAssertEqual(result["schema"] as? String, "tradeledger.simulation/1")
    XCTAssertEqual(result["verdict"] as? String, "holds", run.stdout)
    XCTAssertEqual(result["partial"] as? Bool, false)
    XCTAssertEqual(result["double_trades"] as? Int, 0)
    XCTAssertEqual((result["violations"] as? [Any])?.count, 0)
    XCTAssertGreaterThan(try XCTUnwrap(result["kills"] as? Int), 0)
    XCTAssertGreaterThan(try XCTUnwrap(result["admitted"] as? Int), 10)
    let denied = try XCTUnwrap(result["denied"] as? [String: Int])
    XCTAssertGreaterThan(denied["cooldown"] ?? 0, 0, "nobody asked too early: no contention")
    let classes =
      denied.values.reduce(0, +)
      + ["admitted", "unknown", "busy", "replayed"].compactMap { result[$0] as? Int }.reduce(0, +)
    XCTAssertEqual(classes, result["attempts"] as? Int, "every attempt is accounted for")
    for key in ["strategy", "seed", "workers", "bots", "duration_us", "per_worker", "latency_us"] {
      XCTAssertNotNil(result[key], key)
    }
    XCTAssertEqual(try leftovers(directory), [])
    XCTAssertEqual(workers(of: directory), [])
  }

  /// The first incident happens again, and the same checker sees it.
  func testSimulate_naive_tradesTwice() throws {
    let directory = TemporaryDirectory()
    let run = simulate(
      ["--strategy", "naive", "--duration", "2s", "--cooldown", "200ms", "--seed", "11"],
      in: directory)
    XCTAssertEqual(run.status, 1, run.stdout + run.stderr)
    let result = try json(run.stdout)
    XCTAssertEqual(result["verdict"] as? String, "violated")
    XCTAssertGreaterThan(try XCTUnwrap(result["double_trades"] as? Int), 0)
    let violations = try XCTUnwrap(result["violations"] as? [[String: Any]])
    XCTAssertTrue(violations.contains { $0["kind"] as? String == "double-trade" })
    XCTAssertEqual(try leftovers(directory), [])
    XCTAssertEqual(workers(of: directory), [])
  }

  func testSimulate_verdictComesFirst_andAFailingRunNamesItsReplay() {
    let directory = TemporaryDirectory()
    let run = BuiltBinary.run(
      [
        "simulate", "--strategy", "naive", "--duration", "1s", "--cooldown", "100ms", "--seed", "5",
      ],
      environment: ["TMPDIR": directory.path, "TRADELEDGER_DB": ""])
    XCTAssertEqual(run.status, 1, run.stderr)
    XCTAssertTrue(run.stdout.hasPrefix("VIOLATED: "), run.stdout)
    XCTAssertTrue(run.stdout.contains("tradeledger simulate --strategy naive"), run.stdout)
    XCTAssertTrue(run.stdout.contains("--seed 5"), run.stdout)
    XCTAssertEqual(run.stderr, "", "no progress bar where there is no terminal")
  }

  func testSimulate_interrupted_isPartialAndLeavesNothingBehind() throws {
    let directory = TemporaryDirectory()
    let child = try ChildProcess(
      BuiltBinary.path, ["simulate", "--json", "--duration", "60s", "--workers", "4"],
      environment: ["TMPDIR": directory.path, "TRADELEDGER_DB": ""])
    XCTAssertTrue(eventually { workers(of: directory).count == 4 }, "the workers start")
    child.signal(SIGINT)
    XCTAssertEqual(child.wait(timeout: 30), 130, child.standardError)
    let result = try json(child.standardOutput)
    XCTAssertEqual(result["partial"] as? Bool, true)
    XCTAssertEqual(try leftovers(directory), [])
    XCTAssertEqual(workers(of: directory), [])
  }

  /// Whatever happens to the supervisor: its workers do not trade on without it.
  func testWorkers_whoseSupervisorIsKilled_end() throws {
    let directory = TemporaryDirectory()
    let child = try ChildProcess(
      BuiltBinary.path, ["simulate", "--duration", "60s", "--workers", "4"],
      environment: ["TMPDIR": directory.path, "TRADELEDGER_DB": ""])
    XCTAssertTrue(eventually { workers(of: directory).count == 4 }, "the workers start")
    child.signal(SIGKILL)
    XCTAssertTrue(eventually { workers(of: directory).isEmpty }, "the workers end")
  }

  /// Test trades never leak into a ledger of another mode.
  func testSimulate_onALiveLedger_isRefused() throws {
    let directory = TemporaryDirectory()
    let path = directory.file("live.db")
    XCTAssertEqual(BuiltBinary.run(["init", "--mode", "live", "--db", path]).status, 0)
    for strategy in ["ledger", "naive"] {
      let run = simulate(
        ["--db", path, "--duration", "1s", "--strategy", strategy], in: directory)
      XCTAssertEqual(run.status, 78, run.stdout + run.stderr)
      XCTAssertEqual(try json(run.stdout)["code"] as? String, "configuration")
    }
    let trades = try LedgerFileCheck.query(path, "SELECT COUNT(*) FROM trades")
    let bots = try LedgerFileCheck.query(path, "SELECT COUNT(*) FROM bots")
    XCTAssertEqual(trades + bots, [["0"], ["0"]])
  }

  /// A ledger that is named stays, with the trades of each run.
  func testSimulate_onANamedLedger_keepsIt() throws {
    let directory = TemporaryDirectory()
    let path = directory.file("simulation.db")
    for _ in 1...2 {
      let run = simulate(
        ["--db", path, "--duration", "500ms", "--cooldown", "100ms", "--seed", "3"], in: directory)
      XCTAssertEqual(run.status, 0, run.stdout + run.stderr)
    }
    try LedgerFileCheck.verify(path)
    XCTAssertEqual(
      try LedgerFileCheck.query(path, "SELECT COUNT(*), MIN(mode) FROM bots, ledger"),
      [["8", "simulation"]])
  }

  func testWorkerCommand_withoutASupervisor_isAUsageError() {
    XCTAssertEqual(BuiltBinary.run(["simulate-worker"]).status, 64)
    XCTAssertEqual(BuiltBinary.run(["simulate-worker", "--", "a", "b"]).status, 64)
    XCTAssertFalse(BuiltBinary.run(["--help"]).stdout.contains("simulate-worker"))
  }
}
