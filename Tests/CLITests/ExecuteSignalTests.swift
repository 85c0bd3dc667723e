internal import Foundation
internal import LedgerTestSupport
internal import XCTest

/// Signals to `execute`: none of them ends it between the two phases of a trade.
final class ExecuteSignalTests: CommandLineTestCase {
  private func start(_ options: [String] = [], _ script: String) throws -> ChildProcess {
    try ChildProcess(
      BuiltBinary.path,
      ["--db", ledger, "execute", "m", "--json"] + Self.order + options
        + ["--", "sh", "-c", script])
  }

  private func outcome(_ child: ChildProcess) -> String? {
    let last = child.standardError.split(separator: "\n").last ?? ""
    return object(String(last) + "\n")["outcome"] as? String
  }

  func testSIGTERMAndSIGHUP_reachTheCommand_andItsEndSettles() throws {
    makeLedger(cooldown: "0s")
    for (number, name) in [(SIGTERM, "TERM"), (SIGHUP, "HUP")] {
      let child = try start(
        ["--not-sent-code", "3"],
        "trap 'exit 3' \(name); echo ready; while :; do sleep 0.02; done")
      XCTAssertEqual(child.readLine(timeout: 20), "ready")
      child.signal(number)
      XCTAssertEqual(child.wait(timeout: 20), 1, child.standardError)
      XCTAssertEqual(outcome(child), "void")
    }
  }

  /// S-06: a command that a forwarded signal ends may have sent the order.
  func testSIGTERM_thatEndsTheCommand_leavesTheTradeInDoubt() throws {
    makeLedger()
    let child = try start([], "echo ready; exec sleep 60")
    XCTAssertEqual(child.readLine(timeout: 20), "ready")
    child.signal(SIGTERM)
    XCTAssertEqual(child.wait(timeout: 20), 70, child.standardError)
    XCTAssertEqual(outcome(child), "in_doubt")
  }

  func testSIGINTAndSIGQUIT_areLeftToTheCommand() throws {
    makeLedger()
    let child = try start([], "echo ready; read line; echo \"$line\"")
    XCTAssertEqual(child.readLine(timeout: 20), "ready")
    child.signal(SIGINT)
    child.signal(SIGQUIT)
    child.write("go\n")
    XCTAssertEqual(child.readLine(timeout: 20), "go")
    XCTAssertEqual(child.wait(timeout: 20), 0, child.standardError)
    XCTAssertEqual(outcome(child), "filled")
  }

  /// A signal that comes before the command: the order was certainly not sent.
  func testSignal_beforeTheCommandStarts_voidsTheTrade() throws {
    for number in [SIGTERM, SIGINT, SIGHUP, SIGQUIT] {
      setUp()
      makeLedger()
      let marker = directory.file("was-run")
      let holder = try LockHolder(ledger)
      let child = try start(["--lock-wait", "20s"], "touch \(marker)")
      // SIGHUP is the last that it takes over. (Swift's runtime catches SIGQUIT by itself.)
      waitUntil("it takes signals over") { catches(SIGHUP, child.pid) }
      child.signal(number)
      waitUntil("the signal has arrived") { !isPending(number, child.pid) }
      holder.release()
      XCTAssertEqual(child.wait(timeout: 30), 1, "signal \(number)\n\(child.standardError)")
      XCTAssertEqual(outcome(child), "void")
      XCTAssertFalse(FileManager.default.fileExists(atPath: marker))
      expect(run(["check", "m"]), 0)
    }
  }

  /// `nohup tradeledger execute ...` keeps its meaning.
  func testIgnoredSignals_stayIgnored() throws {
    makeLedger()
    let script = """
      trap '' HUP; exec "$0" --db "$1" execute m --side buy --symbol B --quantity 1 \
        -- sh -c 'kill -HUP $$; echo survived'
      """
    let result = BuiltBinary.run("sh", ["-c", script, BuiltBinary.path, ledger])
    expect(result, 0)
    XCTAssertEqual(result.stdout, "survived\n")
  }

  /// A parent that ignores SIGCHLD must not cost us the command's exit code.
  func testParentThatIgnoresSIGCHLD_changesNothing() throws {
    makeLedger()
    let script = """
      import os, signal, sys
      signal.signal(signal.SIGCHLD, signal.SIG_IGN)
      os.execv(sys.argv[1], sys.argv[1:])
      """
    let result = BuiltBinary.run(
      "python3",
      ["-c", script, BuiltBinary.path, "--db", ledger, "execute", "m", "--not-sent-code", "7"]
        + Self.order + ["--", "sh", "-c", "exit 7"])
    if result.status == 127 { throw XCTSkip("python3 is not installed") }
    expect(result, 1)
    XCTAssertTrue(result.stderr.hasPrefix("void: "), result.stderr)
  }

  private func signals(_ field: String, _ pid: pid_t) -> UInt64 {
    let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix(field + ":") } ?? ""
    return UInt64(line.dropFirst(field.count + 1).drop { $0 == "\t" }, radix: 16) ?? 0
  }

  private func catches(_ number: Int32, _ pid: pid_t) -> Bool {
    signals("SigCgt", pid) & (1 << UInt64(number - 1)) != 0
  }

  private func isPending(_ number: Int32, _ pid: pid_t) -> Bool {
    signals("ShdPnd", pid) & (1 << UInt64(number - 1)) != 0
  }
}
