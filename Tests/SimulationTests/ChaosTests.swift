import Foundation
import LedgerTestSupport
import XCTest

/// The built binary under faults: what must hold, and what must not.
final class ChaosTests: SimulationTestCase {
  /// A run of the ledger that must hold.
  private func holds(
    _ arguments: [String], file: StaticString = #filePath, line: UInt = #line
  ) throws -> [String: Any] {
    let directory = TemporaryDirectory()
    let run = simulate(arguments, in: directory)
    XCTAssertEqual(run.status, 0, run.stdout + run.stderr, file: file, line: line)
    XCTAssertEqual(try leftovers(directory), [], file: file, line: line)
    XCTAssertEqual(workers(of: directory), [], file: file, line: line)
    let result = try json(run.stdout)
    XCTAssertEqual(result["verdict"] as? String, "holds", run.stdout, file: file, line: line)
    XCTAssertEqual(result["double_trades"] as? Int, 0, file: file, line: line)
    return result
  }

  /// A run of a bug, or of a world that no ledger can save: it must trade twice.
  private func doubles(
    _ arguments: [String], file: StaticString = #filePath, line: UInt = #line
  ) throws -> [String: Any] {
    let directory = TemporaryDirectory()
    let run = simulate(arguments, in: directory)
    XCTAssertEqual(run.status, 1, run.stdout + run.stderr, file: file, line: line)
    XCTAssertEqual(try leftovers(directory), [], file: file, line: line)
    let result = try json(run.stdout)
    XCTAssertEqual(result["verdict"] as? String, "violated", file: file, line: line)
    XCTAssertGreaterThan(try count("double_trades", result), 0, file: file, line: line)
    return result
  }

  // MARK: Bugs

  /// S-01: a transaction around look and insert does not help whoever retries the insert alone.
  func testDeferred_retriesTheInsert_andTradesTwice() throws {
    let result = try doubles(["--strategy", "deferred", "--duration", "2s", "--seed", "11"])
    XCTAssertGreaterThan(try count("busy_errors", result), 0, "SQLite did refuse")
  }

  /// S-01: a lock that ends before the exchange answers lets the next one in.
  func testTTLLock_endsBeforeTheAnswer_andTradesTwice() throws {
    let result = try doubles(["--strategy", "ttl-lock", "--duration", "3s", "--seed", "11"])
    XCTAssertGreaterThan(try count("busy", result), 0, "somebody did wait for the lock")
  }

  /// The second incident: the files say that the name is free while its holder trades.
  func testPIDFile_afterACleanup_letsTwoInstancesTradeTwice() throws {
    let result = try doubles([
      "--strategy", "pid-file", "--duration", "3s", "--cooldown", "200ms", "--seed", "11",
    ])
    XCTAssertGreaterThan(try count("second_instances", result), 0)
    XCTAssertGreaterThan(try count("names_held", result), 0, "the lock does hold, until then")
    XCTAssertGreaterThan(try count("files_deleted", result), 0)
    let violations = try XCTUnwrap(result["violations"] as? [[String: Any]])
    let two = try XCTUnwrap(violations.first { $0["kind"] as? String == "two-instances" })
    XCTAssertEqual(Set(try XCTUnwrap(two["pids"] as? [Int])).count, 2)
    XCTAssertNotNil(two["instance"] as? String)
    // Whoever traded twice was one of two instances.
    let pairs = violations.filter { $0["kind"] as? String == "two-instances" }
      .compactMap { ($0["pids"] as? [Int]).map(Set.init) }
    let doubles = violations.filter { $0["kind"] as? String == "double-trade" }
    XCTAssertFalse(doubles.isEmpty)
    for double in doubles {
      XCTAssertTrue(pairs.contains(Set(try XCTUnwrap(double["pids"] as? [Int]))), "\(double)")
    }
  }

  /// The table of these knows the wall clock alone.
  func testClockChaos_withABug_isRefused() throws {
    let directory = TemporaryDirectory()
    let run = simulate(["--strategy", "naive", "--chaos", "all"], in: directory)
    XCTAssertEqual(run.status, 65, run.stdout)
    XCTAssertTrue(run.stdout.contains("kill,pause"), run.stdout)
  }

  // MARK: The ledger

  /// INV-1, INV-6: workers stand still at every step, for less than their lease and for more.
  func testLedger_underPauses_holds() throws {
    let result = try holds(
      ["--duration", "4s", "--cooldown", "200ms", "--chaos", "pause", "--seed", "11"])
    XCTAssertGreaterThan(try count("pauses", result), 2)
    XCTAssertEqual(try count("kills", result), 0)
    XCTAssertEqual(try count("clock_jumps", result), 0)
  }

  /// INV-1, INV-8: the wall clock of all workers jumps ahead and back.
  func testLedger_underJumpsOfTheClock_holds() throws {
    let elsewhere = TemporaryDirectory()
    let path = elsewhere.file("simulation.db")
    let result = try holds([
      "--duration", "4s", "--cooldown", "200ms", "--chaos", "clock", "--seed", "11", "--db", path,
    ])
    XCTAssertGreaterThan(try count("clock_jumps", result), 5)
    XCTAssertEqual(try count("pauses", result), 0)
    let span = try LedgerFileCheck.query(
      path,
      """
      SELECT MAX(created_at - created_boot_us) - MIN(created_at - created_boot_us) > 1000000
      FROM trades
      """)
    XCTAssertEqual(span, [["1"]], "the wall clock did jump, the boot clock did not")
  }

  /// S-33: nothing that a cleanup script can delete is what keeps instances apart (INV-7).
  func testLedger_underCleanups_holds() throws {
    for bystanders in [[], ["notes.log", "live.db.lock"]] {
      let elsewhere = TemporaryDirectory()
      let path = elsewhere.file("simulation.db")
      for name in bystanders {
        try Data("x".utf8).write(to: URL(fileURLWithPath: elsewhere.file(name)))
      }
      let litter = ["simulation.db.lock", "simulation.db-pid", "simulation.db.tmp"]
      for name in litter {
        try Data("x".utf8).write(to: URL(fileURLWithPath: elsewhere.file(name)))
      }
      let result = try holds([
        "--duration", "3s", "--cooldown", "200ms", "--chaos", "cleanup,kill", "--seed", "11",
        "--db", path,
      ])
      XCTAssertGreaterThan(try count("cleanups", result), 15)
      XCTAssertGreaterThan(try count("files_deleted", result), 30)
      XCTAssertEqual(try count("instances", result), 6)
      XCTAssertEqual(try count("second_instances", result), 0)
      XCTAssertGreaterThan(try count("names_taken", result), 12, "names change hands")
      XCTAssertGreaterThan(try count("names_held", result), 0, "names are contended")
      let left = try FileManager.default.contentsOfDirectory(atPath: elsewhere.path)
      XCTAssertEqual(
        Set(left).subtracting(["-wal", "-shm", "-synced"].map { "simulation.db" + $0 }),
        Set(["simulation.db"] + bystanders), "what belongs to others stays")
      try LedgerFileCheck.verify(path)
      let unfenced = try LedgerFileCheck.query(
        path, "SELECT COUNT(*) FROM trades WHERE instance IS NULL")
      XCTAssertEqual(unfenced, [["0"]], "each trade is fenced by its epoch")
    }
  }

  /// One name for all: never two of them, and always one.
  func testLedger_withOneNameForAllWorkers_holds() throws {
    let result = try holds([
      "--duration", "3s", "--cooldown", "200ms", "--bots", "1", "--instances", "1", "--chaos",
      "kill,pause,cleanup", "--seed", "11",
    ])
    XCTAssertEqual(try count("instances", result), 1)
    XCTAssertGreaterThan(try count("names_taken", result), 2)
    XCTAssertGreaterThan(try count("names_held", result), 20)
  }

  /// Everything at once.
  func testLedger_underAllChaosAndABadExchange_holds() throws {
    let result = try holds([
      "--duration", "5s", "--cooldown", "200ms", "--chaos", "all", "--exchange-failures", "20%",
      "--seed", "12",
    ])
    for key in [
      "kills", "pauses", "clock_jumps", "in_doubt", "late_fills", "cleanups", "files_deleted",
    ] {
      XCTAssertGreaterThan(try count(key, result), 0, key)
    }
  }

  /// S-06, INV-6: an answer that is lost leaves the trade in doubt, one that comes late is taken,
  /// and a task that is delivered again is not traded again (INV-3).
  func testLedger_withLostAndLateAnswers_holds() throws {
    let result = try holds([
      "--duration", "4s", "--cooldown", "200ms", "--exchange-failures", "100%", "--seed", "3",
    ])
    let exchange = try XCTUnwrap(result["exchange"] as? [String: Int])
    XCTAssertGreaterThan(exchange["refused"] ?? 0, 0)
    XCTAssertEqual(exchange["repeated"], 0)
    XCTAssertGreaterThan(try count("in_doubt", result), 0)
    XCTAssertGreaterThan(try count("late_fills", result), 0)
    XCTAssertGreaterThanOrEqual(
      try count("replayed", result), try count("in_doubt", result) - 8,
      "each task in doubt is delivered again, but for the last ones")
    let inTime =
      (exchange["accepted"] ?? 0) - (try count("in_doubt", result))
      - (try count("late_fills", result))
    // At the end the answers under way come at once, one for each worker at most.
    XCTAssertTrue((0...8).contains(inTime), "what is executed is in doubt or late: \(inTime)")
  }

  /// No ledger can prevent it: a worker is stopped after its last look at the lease, and the
  /// exchange takes the order however late it comes. A careful exchange refuses it.
  func testPauses_withACarelessExchange_tradeTwice() throws {
    let arguments = ["--duration", "4s", "--cooldown", "200ms", "--chaos", "pause", "--seed", "11"]
    let result = try doubles(arguments + ["--exchange-careless"])
    let violations = try XCTUnwrap(result["violations"] as? [[String: Any]])
    XCTAssertEqual(Set(violations.map { $0["kind"] as? String }), ["double-order"])
    let exchange = try XCTUnwrap(result["exchange"] as? [String: Int])
    XCTAssertEqual(exchange["expired"], 0)
  }

  // MARK: The end

  func testInterrupted_whileAWorkerIsStopped_leavesNothingBehind() throws {
    let directory = TemporaryDirectory()
    let child = try stoppedRun(in: directory)
    child.signal(SIGINT)
    XCTAssertEqual(child.wait(timeout: 30), 130, child.standardError)
    let result = try json(child.standardOutput)
    XCTAssertEqual(result["partial"] as? Bool, true)
    XCTAssertGreaterThan(try count("pauses", result), 0)
    XCTAssertEqual(try leftovers(directory), [])
    XCTAssertEqual(workers(of: directory), [])
  }

  /// Not even where the supervisor cannot continue them any more.
  func testSupervisorKilled_whileAWorkerIsStopped_leavesNoProcessBehind() throws {
    let directory = TemporaryDirectory()
    let child = try stoppedRun(in: directory)
    child.signal(SIGKILL)
    XCTAssertTrue(eventually { workers(of: directory).isEmpty }, "the workers end")
  }

  /// A long run with pauses of up to a minute, at a moment at which a worker is stopped.
  private func stoppedRun(in directory: TemporaryDirectory) throws -> ChildProcess {
    let child = try ChildProcess(
      BuiltBinary.path,
      [
        "simulate", "--json", "--duration", "600s", "--cooldown", "60s", "--workers", "4",
        "--chaos", "all", "--seed", "5",
      ], environment: ["TMPDIR": directory.path, "TRADELEDGER_DB": ""])
    XCTAssertTrue(
      eventually { isAnyStopped(workers(of: directory)) }, "a worker is stopped")
    return child
  }

  // MARK: Keys

  /// The keys are a promise.
  func testJSON_hasAllKeys() throws {
    let result = try holds(["--duration", "500ms", "--cooldown", "100ms", "--seed", "1"])
    XCTAssertEqual(
      Set(result.keys),
      [
        "schema", "verdict", "partial", "strategy", "seed", "workers", "bots", "duration_us",
        "attempts", "admitted", "denied", "unknown", "busy", "replayed", "kills", "pauses",
        "clock_jumps", "busy_errors", "late_fills", "in_doubt", "trades", "double_trades",
        "violations", "per_worker", "latency_us", "fairness", "waits", "exchange", "cleanups",
        "files_deleted", "instances", "names_taken", "names_held", "second_instances",
      ])
    let waits = try XCTUnwrap(result["waits"] as? [[String: Any]])
    XCTAssertEqual(waits.count, 5)
    XCTAssertEqual(Set(waits[0].keys), ["worker", "bot", "wait_us", "outcome"])
    XCTAssertNotNil(result["fairness"] as? String)
  }
}
