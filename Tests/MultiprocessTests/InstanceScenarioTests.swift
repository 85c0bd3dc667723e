import Foundation
import LedgerTestSupport
import XCTest

/// Real namespaces, real users, real zombies, and the reproduction of the second report.
class InstanceScenarioTests: GuardCase {
  /// The reproduction of the report: start two, only one may live. With a Python script that knows
  /// nothing of the ledger, one after the other and both at once.
  func testPythonBot_startedTwice_livesOnce() throws {
    let script = directory.file("main.py")
    let source = """
      import os, sys
      print("trading", os.getpid(), flush=True)
      sys.stdin.readline()
      """
    try source.write(toFile: script, atomically: true, encoding: .utf8)
    let command = guarding([], ["python3", script])
    let (first, line) = try start(command)
    XCTAssertTrue(line.hasPrefix("trading "), line)
    let late = run(command)
    XCTAssertEqual(late.status, 75)
    XCTAssertEqual(late.stdout, "")
    XCTAssertTrue(late.stderr.contains("python3 \(script)"), late.stderr)
    first.closeInput()
    XCTAssertEqual(first.wait(), 0)

    for _ in 0..<10 {
      let bots = try (0..<2).map { _ in try ChildProcess(command[0], Array(command.dropFirst())) }
      let isDecided = eventually {
        let lines = bots.filter { $0.standardOutput.contains("trading") }
        return lines.count == 1 && bots.contains { $0.standardError.contains("is held by") }
      }
      XCTAssertTrue(isDecided, "\(bots.map { $0.standardOutput + $0.standardError })")
      for bot in bots { bot.closeInput() }
      XCTAssertEqual(bots.map { $0.wait() ?? -1 }.sorted(), [0, 75])
    }
  }

  /// S-44: a child that the bot leaves behind does not keep the name.
  func testGrandchild_doesNotKeepTheName() throws {
    let ways = Self.isOnServer ? ["--supervise"] : ["--no-supervise", "--supervise"]
    for (number, way) in ways.enumerated() {
      let script = "sleep 60 > /dev/null 2>&1 < /dev/null & echo $!"
      let result = run(guarding([way], ["sh", "-c", script]))
      XCTAssertEqual(result.status, 0, result.stderr)
      let grandchild = try XCTUnwrap(Int32(result.stdout.dropLast()))
      defer { kill(grandchild, SIGKILL) }
      XCTAssertTrue(lives(grandchild))
      XCTAssertEqual(second().status, 0)
      XCTAssertEqual(try row()[0], "\(number * 2 + 2)")
      XCTAssertTrue(lives(grandchild), "it outlived all of that")
    }
  }

  /// S-36: after kill -9 of the holder the first attempt gets the name, with no timeout in it. The
  /// time is printed, not judged.
  func testKilledHolder_isSucceededAtTheFirstAttempt() throws {
    var times: [Duration] = []
    for round in 1...10 {
      let (holder, pid) = try start(guarding([], echoPid))
      try killAll(holder, pid)
      let start = ContinuousClock.now
      let next = second()
      times.append(.now - start)
      XCTAssertEqual(next.status, 0, next.stderr)
      XCTAssertEqual(next.stdout, "mine\n")
      XCTAssertEqual(try row().first, "\(round * 2)", "epoch + 1 with each start")
    }
    print("start after kill -9, through guard: median \(times.sorted()[5]), max \(times.max()!)")
  }

  /// S-41: a process whose first thread has ended shows Z as well, and lives.
  func testProcessWithoutItsFirstThread_isAlive() throws {
    let script = """
      import ctypes, os, sys, threading
      def work():
          while open("/proc/self/stat").read().rpartition(")")[2].split()[0] != "Z": pass
          print(os.getpid(), flush=True)
          sys.stdin.readline()
          os._exit(0)
      threading.Thread(target=work).start()
      ctypes.CDLL(None).pthread_exit(None)
      """
    let (bot, line) = try start(guarding([alone], ["python3", "-c", script]))
    let pid = try XCTUnwrap(Int32(line))
    XCTAssertEqual(state(pid), "Z")
    XCTAssertEqual(second().status, 75)
    bot.closeInput()
    XCTAssertEqual(bot.wait(), 0)
    XCTAssertEqual(second().status, 0)
  }

  /// S-40: the holder is another user's process, which a signal may not reach: alive. Where /proc
  /// hides it, too.
  func testHolderOfAnotherUser_isAlive() throws {
    try XCTSkipIf(geteuid() != 0, "only root can be two users")
    let ledger = try Self.isOnServer ? path : sharedLedger()
    func command(_ words: [String]) -> [String] {
      [BuiltBinary.path, "--db", ledger, "guard", "desk", alone, "--"] + words
    }
    let nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    let probe = run(nobody + [BuiltBinary.path, "--version"])
    try XCTSkipIf(probe.status != 0, "another user cannot run it: \(probe.stderr)")
    let (holder, line) = try start(command(echoPid))
    let refused = run(nobody + command(["true"]))
    XCTAssertEqual(refused.status, 75, refused.stderr)
    XCTAssertTrue(refused.stderr.contains("process \(line) "), refused.stderr)
    let signalled = run(nobody + ["sh", "-c", "kill -0 \(line)"])
    XCTAssertTrue(
      signalled.stderr.contains("not permitted"), "it was EPERM: \(signalled)")
    // hidepid: /proc/PID is not there for strangers.
    let hidden = run(
      [
        "unshare", "--mount", "sh", "-c", "mount -t proc -o hidepid=2 proc /proc && exec \"$@\"",
        "sh",
      ]
        + nobody + command(["true"]))
    if !hidden.stderr.contains("mount") { XCTAssertEqual(hidden.status, 75, hidden.stderr) }
    try killAll(holder, line)
    XCTAssertEqual(run(nobody + command(["true"])).status, 0)
  }

  /// A ledger for the group of nobody.
  private func sharedLedger() throws -> String {
    let shared = directory.file("shared")
    XCTAssertEqual(mkdir(shared, 0o770), 0)
    for folder in [directory.path, shared] { chmod(folder, 0o770) }
    let ledger = shared + "/ledger.db"
    let made = BuiltBinary.run(["--db", ledger, "init", "--mode", "paper", "--shared-group"])
    XCTAssertEqual(made.status, 0, made.stderr)
    for file in [directory.path, shared, ledger, ledger + "-wal", ledger + "-shm"] {
      chown(file, 0, 65534)
      if file.contains("ledger.db") { chmod(file, 0o660) }
    }
    return ledger
  }

  /// S-41: a zombie is dead. Its supervisor, here, is stopped before it can ask for its exit code.
  func testZombie_ofAStoppedSupervisor_isDead() throws {
    let (supervisor, line) = try start(guarding(["--supervise"], echoPid))
    let zombie = try XCTUnwrap(Int32(line))
    supervisor.signal(SIGSTOP)
    kill(zombie, SIGKILL)
    XCTAssertTrue(eventually { state(zombie) == "Z" })
    XCTAssertEqual(kill(zombie, 0), 0, "a zombie still takes signals")
    XCTAssertEqual(second().status, 0)
    XCTAssertEqual(try row()[0], "2")
    supervisor.signal(SIGCONT)
    XCTAssertEqual(supervisor.wait(timeout: 20), 128 + SIGKILL)
  }

  /// S-37: the pid is reused by another program. In a PID namespace of its own, where the next pid
  /// can be chosen.
  func testReusedPid_isTakenOver() throws {
    try needNamespaces(["--pid", "--fork", "--mount-proc"])
    let script = """
      "$@" > first & guard=$!
      until grep -q . first; do sleep 0.01; done
      read -r holder epoch < first
      kill -9 $guard; kill -9 "$holder" 2> /dev/null
      while [ -d "/proc/$holder" ]; do wait; sleep 0.01; done
      n=0
      until [ "$reused" = "$holder" ] || [ $n = 50 ]; do
        echo $((holder - 1)) > /proc/sys/kernel/ns_last_pid
        sleep 60 & reused=$!; n=$((n + 1))
      done
      [ "$reused" = "$holder" ] || { echo "not reused: $reused $holder"; exit 99; }
      "$@"
      """
    let words = guarding([alone], ["sh", "-c", "echo $$ $TRADELEDGER_EPOCH; exec sleep 1"])
    let result = run(
      container + ["sh", "-c", "cd '\(directory.path)'; " + script, "sh"] + words)
    XCTAssertEqual(result.status, 0, result.stdout + result.stderr)
    XCTAssertTrue(result.stdout.hasSuffix(" 2\n"), result.stdout)
  }

  /// S-38, S-39: a container is supervised by itself. From another one, with the same host name and
  /// the same pids, it cannot be looked at, and it is not stolen from. When it is killed and starts
  /// again, again with pid 1, the new one waits at most the heartbeat.
  func testContainer_isNotStolenFrom_andRestartsAfterItsHeartbeat() throws {
    try needNamespaces(["--pid", "--fork", "--mount-proc"])
    let inside =
      container + guarding(["--heartbeat", "2s"], ["sh", "-c", "echo $$; exec sleep 60"])
    let (first, pid) = try start(inside)
    XCTAssertEqual(try row(), ["1", pid], "the row holds the command, not its supervisor")
    XCTAssertEqual(run(container + guarding([], ["echo", "mine"])).status, 75)
    let refused = second(["--json"])
    XCTAssertEqual(refused.status, 75)
    let retry = try XCTUnwrap(refused.stderr.firstMatch(of: /"retry_after_us":(\d+)/)?.1)
    XCTAssertLessThanOrEqual(try XCTUnwrap(Int(retry)), 2_000_000, "the rest of its heartbeat")
    // Longer than the heartbeat: it is renewed.
    XCTAssertEqual(second(["--wait", "3s"]).status, 75)
    first.signal(SIGKILL)
    _ = first.wait()
    let killed = LedgerWorker.bootNow()
    let again = container + guarding(["--heartbeat", "2s", "--wait", "30s"], ["echo", "mine"])
    let restarted = run(again)
    XCTAssertEqual(restarted.stdout, "mine\n", restarted.stderr)
    XCTAssertLessThan(LedgerWorker.bootNow() - killed, 10_000_000)
    XCTAssertEqual(try row()[0], "2")
  }
}

#if PostgreSQL
  /// The same on a server.
  final class PostgreSQLInstanceScenarioTests: InstanceScenarioTests {
    override class var engine: Engine { .server }

    /// S-31: a second start is refused with exit 75, the pid of the holder and since when it runs.
    func testSecondStart_isToldOfTheHolder() throws {
      let (first, pid) = try start(guarding([], ["sh", "-c", "echo $$; read line"]))
      let since = try LedgerCheck.query(path, "SELECT rfc3339(since) FROM instances")[0][0]
      let refused = second()
      XCTAssertEqual(refused.status, 75)
      XCTAssertEqual(refused.stdout, "")
      for part in ["process \(pid) ", String(since.prefix(19)), "sh -c echo"] {
        XCTAssertTrue(refused.stderr.contains(part), "\(part): \(refused.stderr)")
      }
      XCTAssertEqual(try row(), ["1", pid])
      first.closeInput()
      XCTAssertEqual(first.wait(timeout: 20), 1, first.standardError)
      XCTAssertEqual(second().stdout, "mine\n")
      XCTAssertEqual(try row()[0], "2")
    }

    /// S-46: after a reboot of its machine the holder of the earlier boot is dead. Nobody can see
    /// that from a server, where another boot may be another machine: it is followed after its
    /// heartbeat.
    func testHolderOfAnEarlierBoot_isFollowedAfterItsHeartbeat() throws {
      let (holder, pid) = try start(guarding(["--heartbeat", "2s"], echoPid))
      holder.signal(SIGSTOP)
      kill(try XCTUnwrap(Int32(pid)), SIGSTOP)
      try TestServer.run(
        path,
        script: """
          SET session_replication_role = replica;
          UPDATE tradeledger.instances SET boot_id = '00000000-0000-4000-8000-000000000000'
          """)
      let began = LedgerWorker.bootNow()
      XCTAssertEqual(second(["--wait", "20s"]).stdout, "mine\n")
      XCTAssertLessThan(LedgerWorker.bootNow() - began, 6_000_000)
      XCTAssertEqual(try row()[0], "2")
      try killAll(holder, pid)
    }
  }
#endif
