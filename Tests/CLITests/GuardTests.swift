internal import Foundation
internal import LedgerTestSupport
internal import TradeLedger
internal import XCTest

/// `guard`: a command as the only instance of a name. Both ways, becoming the command and
/// supervising it, unless a test is about one of them.
final class GuardTests: CommandLineTestCase {
  private let ways = ["--no-supervise", "--supervise"]
  private let waitForInput = "echo ready $$; read line"

  override func setUp() {
    super.setUp()
    for name in ["TRADELEDGER_INSTANCE", "TRADELEDGER_EPOCH"] { unsetenv(name) }
  }

  /// Starts `guard bot` and waits for the first line of its command.
  private func start(_ options: [String], _ command: [String]) throws -> (ChildProcess, String) {
    let child = try ChildProcess(
      BuiltBinary.path, ["--db", ledger, "guard", "bot"] + options + ["--"] + command)
    let line = try XCTUnwrap(child.readLine(timeout: 30), child.standardError)
    return (child, line)
  }

  private func guarded(_ options: [String], _ script: String) -> BuiltBinary.Result {
    run(["guard", "bot"] + options + ["--", "sh", "-c", script])
  }

  private func instance() -> [String: Any] {
    let all = json(run(["instances", "--json"]))["instances"] as? [[String: Any]]
    return all?.first ?? [:]
  }

  private func holder() -> [String: Any] { instance()["holder"] as? [String: Any] ?? [:] }

  /// S-31: a second start is refused with exit 75 and the holder, and changes nothing; the first
  /// one's end frees the name.
  func testGuard_secondStart_isRefusedWithTheHolder() throws {
    makeLedger()
    for (number, way) in ways.enumerated() {
      let (first, ready) = try start([way], ["sh", "-c", waitForInput])
      let pid = String(ready.split(separator: " ")[1])
      XCTAssertEqual(holder()["pid"] as? Int, Int(pid))
      XCTAssertEqual(instance()["state"] as? String, "alive")
      if way == "--no-supervise" { XCTAssertEqual(pid, "\(first.pid)", "it became the command") }
      let since = try XCTUnwrap(holder()["since"] as? String)
      assertUnchanged {
        for other in ways {
          let second = guarded([other], "echo started")
          expect(second, 75)
          XCTAssertEqual(second.stdout, "")
          for part in ["process \(pid) ", since, "sh -c \(waitForInput)"] {
            XCTAssertTrue(second.stderr.contains(part), second.stderr)
          }
          expect(guarded([other, "--conflict-exit-code", "9"], "echo started"), 9)
        }
      }
      first.closeInput()
      XCTAssertEqual(first.wait(timeout: 20), 1, first.standardError)
      let next = guarded([way], "echo $TRADELEDGER_EPOCH")
      XCTAssertEqual(next.stdout, "\(number * 2 + 2)\n", next.stderr)
    }
  }

  /// What guard has to say as JSON goes to stderr; stdout belongs to the command.
  func testGuard_json_isOnStandardErrorAlone() throws {
    makeLedger()
    let (first, ready) = try start([], ["sh", "-c", waitForInput])
    let second = guarded(["--json"], "echo started")
    expect(second, 75)
    XCTAssertEqual(second.stdout, "")
    let denial = object(second.stderr)
    XCTAssertEqual(denial["reason"] as? String, "held")
    let holder = denial["holder"] as? [String: Any]
    XCTAssertEqual(holder?["pid"] as? Int, Int(ready.split(separator: " ")[1]))
    XCTAssertEqual(holder?["epoch"] as? Int, 1)
    XCTAssertEqual(holder?["command"] as? String, "sh -c \(waitForInput)")
    first.closeInput()
    _ = first.wait(timeout: 20)
    let run = guarded(["--json"], "echo data; echo note >&2; exit 3")
    expect(run, 3)
    XCTAssertEqual(run.stdout, "data\n")
    XCTAssertEqual(run.stderr, "note\n")
  }

  /// The command finds ledger, instance and epoch; its arguments and its exit code are its own.
  func testGuard_commandIsItself() throws {
    makeLedger()
    let path = (ledger as NSString).resolvingSymlinksInPath
    let script = """
      echo "$TRADELEDGER_DB|$TRADELEDGER_INSTANCE|$TRADELEDGER_EPOCH|$KEPT|$#|$1|$4"
      exit 7
      """
    for (number, way) in ways.enumerated() {
      let result = run(
        ["guard", "bot", way, "--", "sh", "-c", script, "sh", "--json", "--", "--db", ""],
        environment: ["KEPT": "a b", "TRADELEDGER_EPOCH": "99", "TRADELEDGER_INSTANCE": "x"])
      expect(result, 7, way)
      XCTAssertEqual(result.stdout, "\(path)|bot|\(number + 1)|a b|4|--json|\n")
      let killed = run(
        ["guard", "other", way, "--", "sh", "-c", "kill -9 $$"])
      expect(killed, 137, way)
    }
  }

  /// Default signal handling, an empty mask, and no descriptor that it would not have without guard.
  func testGuard_commandStartsClean() throws {
    makeLedger()
    for way in ways {
      let status = run(["guard", "bot", way, "--", "cat", "/proc/self/status"]).stdout
      for field in ["SigBlk", "SigIgn", "SigCgt"] {
        let line = status.split(separator: "\n").first { $0.hasPrefix(field) } ?? ""
        let bits = try XCTUnwrap(UInt64(line.split(separator: "\t").last ?? "", radix: 16))
        // Signals 32 and 33 are the C library's own; whoever starts the tests decides on them.
        XCTAssertEqual(bits & ~0x1_8000_0000, 0, "\(way) \(line)")
      }
      // The tests themselves may leave some open, and others after a moment.
      func list(_ words: [String]) -> Set<Substring> {
        Set(BuiltBinary.run(words[0], Array(words.dropFirst())).stdout.split(separator: "\n"))
      }
      let listing = ["ls", "/proc/self/fd"]
      let before = list(listing)
      let guarded = list([BuiltBinary.path, "--db", ledger, "guard", "bot", way, "--"] + listing)
      XCTAssertTrue(guarded.isSuperset(of: ["0", "1", "2"]), "\(way) \(guarded)")
      XCTAssertEqual(guarded.subtracting(before.union(list(listing))), [], way)
      let links = run(["guard", "bot", way, "--", "ls", "-l", "/proc/self/fd"]).stdout
      XCTAssertFalse(links.contains("ledger.db"), links)
    }
  }

  /// Bad input: nothing is run, no name is taken.
  func testGuard_commandThatCannotRun_takesNoName() throws {
    makeLedger()
    let folder = directory.file("folder")
    mkdir(folder, 0o700)
    let plain = directory.file("plain")
    try "echo hello\n".write(toFile: plain, atomically: true, encoding: .utf8)
    let orphan = directory.file("orphan")
    try "#!/no/such/interpreter\n".write(toFile: orphan, atomically: true, encoding: .utf8)
    chmod(orphan, 0o700)
    for way in ways {
      for (program, status) in [
        ("no-such-program-anywhere", 127), (directory.file("nothing"), 127), (folder, 126),
        (plain, 126), (plain + "/below", 127), ("", 64),
      ] as [(String, Int32)] {
        assertUnchanged { expectGuardError([way, "--", program], status) }
      }
      for options in [["--"], [], ["--wait", "x", "--", "true"], ["--frobnicate", "--", "true"]] {
        assertUnchanged { expectGuardError([way] + options, options.contains("x") ? 65 : 64) }
      }
      // Its interpreter is missing, which only exec finds out: the name is let go of.
      expectGuardError([way, "--", orphan], 127)
      XCTAssertEqual(instance()["state"] as? String, "free", way)
    }
    for code in ["0", "256", "x", "-1"] {
      assertUnchanged { expectGuardError(["--conflict-exit-code", code, "--", "true"], 65) }
    }
    for heartbeat in ["1ms", "2d", "x"] {
      assertUnchanged {
        expectGuardError(["--supervise", "--heartbeat", heartbeat, "--", "true"], 65)
      }
    }
    assertUnchanged { expectGuardError(["--no-supervise", "--heartbeat", "5s", "--", "true"], 64) }
    for name in ["", "-x", "a b", "é", String(repeating: "x", count: 65), "a\u{1b}[2J", "a'b"] {
      let result = run(["guard", "--json", "--", name])
      XCTAssertEqual(result.status, 64, "no name at all")
      expect(run(["guard", name, "--", "true"]), name.hasPrefix("-") ? 64 : 65, name)
    }
    let gone = run(["guard", "bot", "--", "true"], db: directory.file("no.db"))
    expect(gone, 66)
  }

  private func expectGuardError(
    _ arguments: [String], _ status: Int32, file: StaticString = #filePath, line: UInt = #line
  ) {
    let result = run(["guard", "bot", "--json"] + arguments)
    expect(result, status, "\(arguments)", file: file, line: line)
    XCTAssertEqual(result.stdout, "", "stdout is the command's", file: file, line: line)
    let first = result.stderr.split(separator: "\n").first ?? ""
    XCTAssertEqual(
      object(String(first) + "\n")["exit"] as? Int32, status, "\(arguments)", file: file,
      line: line)
  }

  /// `--wait` gets the name as soon as its holder ends, and gives up at its limit.
  func testWait_getsTheNameWhenItIsFree() throws {
    makeLedger()
    let (first, _) = try start([], ["sh", "-c", waitForInput])
    let begin = Date()
    expect(guarded(["--wait", "300ms"], "true"), 75)
    XCTAssertGreaterThanOrEqual(Date().timeIntervalSince(begin), 0.3)
    for way in ways {
      let second = try ChildProcess(
        BuiltBinary.path,
        ["--db", ledger, "guard", "later", "--wait", "60s", way, "--", "echo", "mine"])
      XCTAssertEqual(second.readLine(timeout: 20), "mine", "nobody has that name")
      XCTAssertEqual(second.wait(timeout: 20), 0)
    }
    let waiting = try ChildProcess(
      BuiltBinary.path, ["--db", ledger, "guard", "bot", "--wait", "60s", "--", "echo", "mine"])
    first.signal(SIGKILL)
    XCTAssertEqual(waiting.readLine(timeout: 30), "mine", waiting.standardError)
    XCTAssertEqual(waiting.wait(timeout: 20), 0)
  }

  /// S-42: an evicted command is refused at its next reserve although it knows nothing of instances:
  /// guard has told `reserve` by the environment. What it sent is taken and flagged.
  func testEviction_refusesTheNextReserve_andTakesTheFill() throws {
    makeLedger(cooldown: "0s")
    let order = Self.order.joined(separator: " ")
    let script = """
      set -e
      t="$0 --db $TRADELEDGER_DB"
      $t reserve m \(order) --token 0123456789abcdef > /dev/null; echo reserved; read line
      $t fill 1 --token 0123456789abcdef --json; set +e
      $t reserve m \(order) --json; exit $?
      """
    let (child, _) = try start(["--no-supervise"], ["sh", "-c", script, BuiltBinary.path])
    let evicted = run(["instances", "evict", "bot", "--json"])
    expect(evicted, 0)
    XCTAssertEqual(json(evicted)["outcome"] as? String, "evicted")
    XCTAssertEqual(json(evicted)["epoch"] as? Int, 2)
    child.write("go\n")
    XCTAssertEqual(child.wait(timeout: 30), 1, child.standardError)
    let lines = child.standardOutput.split(separator: "\n").map(String.init)
    let trade = object(lines[1] + "\n")["trade"] as? [String: Any]
    XCTAssertEqual(trade?["instance"] as? String, "bot")
    XCTAssertEqual(trade?["epoch"] as? Int, 1)
    XCTAssertEqual(trade?["superseded"] as? Bool, true)
    XCTAssertEqual(object(lines[2] + "\n")["reason"] as? String, "superseded")
    expect(run(["instances", "evict", "bot"]), 1, "nobody has it now")
    expectError(["instances", "evict", "nobody"], 66)
    expectError(["instances", "evict", "a b"], 65)
  }

  /// An instance without its epoch, or the other way round, is no instance.
  func testReserve_withHalfAnInstance_isUsage() {
    makeLedger()
    for name in ["TRADELEDGER_INSTANCE", "TRADELEDGER_EPOCH"] {
      expectError(["reserve", "m"] + Self.order, 64, environment: [name: "1"])
    }
    expectError(
      ["reserve", "m"] + Self.order, 65,
      environment: ["TRADELEDGER_INSTANCE": "bot", "TRADELEDGER_EPOCH": "x"])
  }

  /// `status` shows instances, and so does the list; names and commands of holders are harmless.
  func testInstances_areShown_andHarmless() throws {
    makeLedger()
    let list = run(["instances"])
    expect(list, 0)
    XCTAssertEqual(list.stdout, "INSTANCE  EPOCH  STATE  PID  HOST  SINCE  COMMAND\n")
    XCTAssertFalse(run(["status"]).stdout.contains("INSTANCE"))
    let (child, _) = try start([], ["sh", "-c", waitForInput, "\u{1b}[2J\u{202e}"])
    for arguments in [["instances"], ["status"]] {
      let result = run(arguments)
      expect(result, 0)
      XCTAssertTrue(result.stdout.contains("sh -c \(waitForInput)"), result.stdout)
      expectHarmless(result.stdout, "\(arguments)")
    }
    expectHarmless(guarded([], "true").stderr, "held")
    let status = json(run(["status", "--json"]))["instances"] as? [[String: Any]]
    XCTAssertEqual(status?.first?["name"] as? String, "bot")
    child.signal(SIGKILL)
    _ = child.wait(timeout: 20)
    XCTAssertEqual(instance()["state"] as? String, "dead")
    XCTAssertEqual(instance()["proof"] as? String, "gone")
  }
}
