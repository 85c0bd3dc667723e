import Foundation
import LedgerTestSupport
import XCTest

/// `guard --supervise`: signals, ends, and what happens when one of the two is killed.
final class SupervisionTests: GuardCase {
  private let catcher = """
    import os, signal, sys
    def note(number, frame):
        print(number, flush=True)
    for number in map(int, sys.argv[1].split()):
        signal.signal(number, note)
    print(os.getpid(), flush=True)
    while True:
        signal.pause()
    """

  private func supervised(
    _ command: [String], _ options: [String] = []
  ) throws -> (supervisor: ChildProcess, pid: Int32) {
    let (child, line) = try start(guarding(["--supervise"] + options, command))
    return (child, try XCTUnwrap(Int32(line), line))
  }

  /// Every signal that a handler can have, once, whoever sends it, and its exit code comes back.
  func testSignals_reachTheCommand() throws {
    let numbers = (1...64).map { Int32($0) }.filter {
      ![SIGKILL, SIGSTOP, SIGCHLD, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, 32, 33]
        .contains($0)
    }
    let list = numbers.map { String($0) }.joined(separator: " ")
    let (supervisor, pid) = try supervised(["python3", "-c", catcher, list])
    for number in numbers {
      supervisor.signal(number)
      XCTAssertEqual(supervisor.readLine(timeout: 20), "\(number)")
    }
    XCTAssertTrue(lives(pid))
    kill(pid, SIGKILL)
    XCTAssertEqual(supervisor.wait(timeout: 20), 137)
    XCTAssertEqual(try row(), ["1", "NULL"], "its name is free")
  }

  /// After a kill -9 of the supervisor its command lives on, is the holder, and stays alone.
  func testKillOfTheSupervisor_leavesTheNameToTheCommand() throws {
    let (supervisor, pid) = try supervised(["sh", "-c", "echo $$; exec sleep 60"])
    supervisor.signal(SIGKILL)
    XCTAssertTrue(eventually { !lives(supervisor.pid) })
    for _ in 0..<5 {
      XCTAssertEqual(second().status, 75)
      XCTAssertTrue(lives(pid))
    }
    XCTAssertEqual(try row(), ["1", "\(pid)"])
    kill(pid, SIGKILL)
    XCTAssertTrue(eventually { second().status == 0 })
  }

  /// Where a heartbeat is the judge, nobody could renew it: the command dies with its supervisor,
  /// long before another container may take the name.
  func testKillOfTheSupervisor_withHeartbeat_endsTheCommand() throws {
    let (supervisor, pid) = try supervised(
      ["sh", "-c", "echo $$; exec sleep 60"], ["--heartbeat", "60s"])
    supervisor.signal(SIGKILL)
    XCTAssertTrue(eventually(within: 10) { !lives(pid) })
    XCTAssertTrue(eventually { second().status == 0 })
  }

  /// An evicted command is ended, by SIGKILL if it does not listen, and guard says so: exit 75.
  func testEviction_endsTheCommand() throws {
    for (number, trap) in ["exit 3", "echo no"].enumerated() {
      let (supervisor, pid) = try supervised(
        ["sh", "-c", "trap '\(trap)' TERM; echo $$; while :; do sleep 0.02; done"],
        ["--heartbeat", "3s", "--conflict-exit-code", "\(80 + number)"])
      // Stopped or not makes no difference.
      if number == 1 { kill(pid, SIGSTOP) }
      let evicted = BuiltBinary.run(["--db", path, "instances", "evict", "desk"])
      XCTAssertEqual(evicted.status, 0, evicted.stderr)
      XCTAssertEqual(supervisor.wait(timeout: 30), Int32(80 + number), supervisor.standardError)
      XCTAssertTrue(supervisor.standardError.contains("evicted"), supervisor.standardError)
      XCTAssertFalse(lives(pid))
    }
  }

  /// S-34: the ledger is moved away under it: the command is ended, since nobody can tell any more
  /// who else runs.
  func testMovedLedger_endsTheCommand() throws {
    let (supervisor, pid) = try supervised(["sh", "-c", "echo $$; exec sleep 60"])
    XCTAssertEqual(rename(path, directory.file("moved.db")), 0)
    XCTAssertEqual(supervisor.wait(timeout: 30), 74, supervisor.standardError)
    XCTAssertFalse(lives(pid))
    XCTAssertTrue(supervisor.standardError.contains("its command ended"), supervisor.standardError)
    XCTAssertEqual(rename(directory.file("moved.db"), path), 0)
  }

  /// A supervisor that is killed while it waits leaves no child behind, and no name.
  func testKill_whileItWaits_leavesNothing() throws {
    let (holder, _) = try supervised(["sh", "-c", "echo $$; exec sleep 60"])
    let words = guarding(["--supervise", "--wait", "60s"], ["touch", directory.file("was-run")])
    let waiting = try ChildProcess(words[0], Array(words.dropFirst()))
    let children = "/proc/\(waiting.pid)/task"
    var child: Int32 = 0
    XCTAssertTrue(
      eventually {
        for task in (try? FileManager.default.contentsOfDirectory(atPath: children)) ?? [] {
          let list = try? String(contentsOfFile: "\(children)/\(task)/children", encoding: .utf8)
          child = list.flatMap { Int32($0.split(separator: " ").first ?? "") } ?? child
        }
        return child != 0
      })
    waiting.signal(SIGTERM)
    XCTAssertEqual(waiting.wait(timeout: 20), 128 + SIGTERM)
    XCTAssertTrue(eventually { !lives(child) })
    holder.signal(SIGTERM)
    XCTAssertEqual(holder.wait(timeout: 20), 128 + SIGTERM)
    XCTAssertFalse(FileManager.default.fileExists(atPath: directory.file("was-run")))
    XCTAssertEqual(second().status, 0)
  }

  /// One processor is enough: nothing waits for a thread that is blocked.
  func testSupervise_onOneProcessor_works() throws {
    try XCTSkipIf(run(["taskset", "-c", "0", "true"]).status != 0, "there is no taskset")
    let words = ["taskset", "-c", "0"] + guarding(["--supervise", "--heartbeat", "1s"], [])
    let (supervisor, line) = try start(words + ["sh", "-c", "echo $$; exec sleep 60"])
    XCTAssertEqual(try row(), ["1", line])
    let before = try LedgerFileCheck.query(path, "SELECT heartbeat_until FROM instances")
    XCTAssertTrue(
      try eventually {
        try LedgerFileCheck.query(path, "SELECT heartbeat_until FROM instances") != before
      })
    supervisor.signal(SIGTERM)
    XCTAssertEqual(supervisor.wait(timeout: 20), 128 + SIGTERM)
  }
}
