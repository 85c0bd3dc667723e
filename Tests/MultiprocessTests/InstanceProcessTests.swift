import Foundation
import LedgerTestSupport
import XCTest

/// Names that are judged by the process alone, without a heartbeat: in a file.
final class InstanceProcessTests: GuardCase {
  /// S-41: a zombie is dead. Its parent, here, never asks for its exit code.
  func testZombie_isDead() throws {
    let script = """
      import os, signal, subprocess, sys
      child = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)
      child.stdout.readline()
      os.kill(child.pid, signal.SIGKILL)
      os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
      print(child.pid, flush=True)
      sys.stdin.readline()
      """
    let (parent, line) = try start(
      ["python3", "-c", script] + guarding(["--no-supervise"], echoPid))
    let zombie = try XCTUnwrap(Int32(line))
    XCTAssertEqual(state(zombie), "Z")
    XCTAssertEqual(kill(zombie, 0), 0, "a zombie still takes signals")
    XCTAssertEqual(second().status, 0)
    XCTAssertEqual(try row()[0], "2")
    parent.closeInput()
    _ = parent.wait()
  }

  /// S-46: after a reboot the holders of the earlier boot are dead, even where their pids are in use.
  func testHolderOfAnEarlierBoot_isDead() throws {
    let (holder, _) = try start(guarding(["--no-supervise"], echoPid))
    XCTAssertEqual(second().status, 75)
    let edit = """
      UPDATE instances SET epoch = epoch + 1, boot_id = '00000000-0000-4000-8000-000000000000'
      """
    let shell = BuiltBinary.run("sqlite3", [path, edit])
    XCTAssertEqual(shell.status, 0, shell.stderr)
    XCTAssertEqual(second().status, 0)
    XCTAssertEqual(try row()[0], "3")
    holder.signal(SIGKILL)
  }

  /// Another time namespace shifts start times: such a holder is not looked at, and lives.
  func testHolderOfAnotherTimeNamespace_isAlive() throws {
    try needNamespaces(["--time", "--boottime", "100000", "--fork"])
    let (holder, _) = try start(guarding(["--no-supervise"], echoPid))
    let shifted = ["unshare", "--time", "--boottime", "100000", "--fork"]
    XCTAssertEqual(run(shifted + guarding(["--no-supervise"], ["true"])).status, 75)
    holder.signal(SIGKILL)
    _ = holder.wait()
    // The boot clock there is a day ahead; the heartbeat of a living one is not over for that.
    let options = ["--supervise", "--heartbeat", "2s"]
    let (beating, _) = try start(guarding(options, echoPid))
    XCTAssertEqual(run(shifted + guarding(["--no-supervise"], ["true"])).status, 75)
    beating.signal(SIGKILL)
    _ = beating.wait()
    let next = run(shifted + guarding(["--no-supervise", "--wait", "30s"], ["echo", "mine"]))
    XCTAssertEqual(next.stdout, "mine\n", next.stderr)
  }

  /// A PID namespace with the /proc of another one: pids there mean nothing, so that only what the
  /// kernel itself says proves a death. (The thread pool of Swift's runtime does not bear such a
  /// /proc and ends a program at times, with signal 4: such a run is made again.)
  func testForeignProc_provesNothing() throws {
    try needNamespaces(["--pid", "--fork"])
    let script = """
      again() { "$@"; code=$?; [ $code != 132 ] || again "$@"; }
      "$@" > first & holder=$!
      until grep -q . first; do
        kill -0 $holder 2> /dev/null || { "$@" > first & holder=$!; }
        sleep 0.01
      done
      again "$@"; echo $code
      kill -9 $holder; wait $holder 2> /dev/null
      again "$@"
      """
    let command = ["sh", "-c", "echo $TRADELEDGER_EPOCH; exec sleep 5"]
    let result = BuiltBinary.run(
      "unshare",
      ["--pid", "--fork", "--kill-child", "sh", "-c", "cd '\(directory.path)'; " + script, "sh"]
        + guarding(["--no-supervise"], command), environment: ["SWIFT_BACKTRACE": "enable=no"])
    XCTAssertEqual(result.stdout.prefix(3), "75\n", result.stderr)
    XCTAssertEqual(result.stdout.split(separator: "\n").count, 2, result.stdout)
  }
}
