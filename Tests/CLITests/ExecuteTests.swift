internal import Foundation
internal import LedgerTestSupport
internal import XCTest

/// `execute`: the permit reaches the command, and its end settles the trade.
final class ExecuteTests: CommandLineTestCase {
  private func execute(_ options: [String] = [], _ script: String) -> BuiltBinary.Result {
    run(["execute", "m", "--json"] + Self.order + options + ["--", "sh", "-c", script])
  }

  /// The result, which is the last line on stderr.
  private func result(
    _ run: BuiltBinary.Result, file: StaticString = #filePath, line: UInt = #line
  ) -> [String: Any] {
    let last = run.stderr.split(separator: "\n").last.map { String($0) + "\n" } ?? ""
    return object(last, file: file, line: line)
  }

  private func expectOutcome(
    _ run: BuiltBinary.Result, _ status: Int32, _ outcome: String, _ tradeStatus: String,
    file: StaticString = #filePath, line: UInt = #line
  ) {
    expect(run, status, outcome, file: file, line: line)
    let answer = result(run, file: file, line: line)
    XCTAssertEqual(answer["outcome"] as? String, outcome, file: file, line: line)
    let trade = answer["trade"] as? [String: Any]
    XCTAssertEqual(trade?["status"] as? String, tradeStatus, file: file, line: line)
    XCTAssertEqual(storedStatus(), tradeStatus, file: file, line: line)
  }

  /// Where the newest trade stands.
  private func storedStatus() -> String? {
    let page = json(run(["trades", "--limit", "1", "--json"]))["trades"] as? [[String: Any]]
    return page?.first?["status"] as? String
  }

  private func command(_ run: BuiltBinary.Result) -> [String: Any] {
    result(run)["command"] as? [String: Any] ?? [:]
  }

  func testExit0_fillsAsOrdered_andStdoutBelongsToTheCommand() {
    makeLedger()
    let run = execute([], "echo sent")
    XCTAssertEqual(run.stdout, "sent\n")
    expectOutcome(run, 0, "filled", "filled")
    XCTAssertEqual(command(run)["exit"] as? Int, 0)
  }

  func testCommand_getsThePermitAndItsArgumentsUntouched() {
    makeLedger()
    let options = ["--key", "k1", "--token", "0123456789abcdef"]
    let script = """
      echo "$TRADELEDGER_DB|$TRADELEDGER_TRADE|$TRADELEDGER_KEY|$TRADELEDGER_TOKEN|$KEPT"
      echo "$TRADELEDGER_VALID_UNTIL"; echo "$@"
      """
    let result = run(
      ["execute", "m"] + Self.order + options
        + ["--", "sh", "-c", script, "sh", "--json", "--db", "x", "--help", "--", ""],
      environment: ["TRADELEDGER_TOKEN": "of the caller", "KEPT": "a b"])
    expect(result, 0)
    let lines = result.stdout.split(separator: "\n").map(String.init)
    let path = (ledger as NSString).resolvingSymlinksInPath
    XCTAssertEqual(lines.first, "\(path)|1|k1|0123456789abcdef|a b")
    XCTAssertTrue(lines[1].hasSuffix("Z"), result.stdout)
    XCTAssertEqual(lines[2].trimmingCharacters(in: .whitespaces), "--json --db x --help --")
  }

  func testNotSentCode_voids_andFreesTheBot() {
    makeLedger()
    let run = execute(["--not-sent-code", "3"], "exit 3")
    expectOutcome(run, 1, "void", "void")
    expect(self.run(["check", "m"]), 0)
  }

  /// S-06: anything else may have sent the order.
  func testOtherEnds_leaveTheTradeInDoubt() {
    // Long enough for a busy machine to start the command within it.
    makeLedger(cooldown: "0s", lease: "1s")
    for (script, exit, signal) in [
      ("exit 3", 3, nil), ("exit 1", 1, nil), ("kill -9 $$", nil, 9),
      // The command starts with the default handling of what this program ignores.
      ("kill -PIPE $$; exit 0", nil, 13), ("kill -XFSZ $$; exit 0", nil, 25),
    ] as [(String, Int?, Int?)] {
      waitUntil("the bot is free") { self.run(["check", "m"]).status == 0 }
      let run = execute(["--not-sent-code", "4"], script)
      expect(run, 70, script)
      XCTAssertEqual(result(run)["outcome"] as? String, "in_doubt", script)
      XCTAssertEqual(command(run)["exit"] as? Int, exit, script)
      XCTAssertEqual(command(run)["signal"] as? Int, signal, script)
    }
    waitUntil("all are in doubt") {
      json(run(["trades", "--status", "in_doubt", "--json"]))["total"] as? Int == 5
    }
  }

  func testCommandThatCannotStart_voids() {
    makeLedger()
    let folder = directory.file("folder")
    mkdir(folder, 0o700)
    for program in ["no-such-program-anywhere", folder, directory.file("nothing")] {
      let run = self.run(["execute", "m", "--json"] + Self.order + ["--", program])
      expectOutcome(run, 1, "void", "void")
      XCTAssertNotNil(command(run)["not_started"] as? String)
    }
    expect(run(["check", "m"]), 0)
  }

  func testDenied_theCommandIsNotRun() {
    makeLedger()
    expect(run(["record", "m"] + Self.order), 0)
    let marker = directory.file("was-run")
    let run = execute([], "touch \(marker)")
    expect(run, 1)
    XCTAssertEqual(result(run)["reason"] as? String, "cooldown")
    XCTAssertFalse(FileManager.default.fileExists(atPath: marker))
  }

  /// S-19: the caller's code never runs on a replay, not even with the right token.
  func testReplayed_theCommandIsNotRun() {
    makeLedger()
    let options = ["--key", "k1", "--token", "0123456789abcdef"]
    _ = reserve(options)
    let marker = directory.file("was-run")
    let run = execute(options, "touch \(marker)")
    expectOutcome(run, 1, "replayed", "pending")
    XCTAssertFalse(FileManager.default.fileExists(atPath: marker))
  }

  func testTradeThatTheCommandSettled_staysSo() {
    makeLedger(cooldown: "0s")
    let binary = BuiltBinary.path
    let fill = "\(binary) fill $TRADELEDGER_TRADE --price 17 >&2"
    let void = "\(binary) void $TRADELEDGER_TRADE --reason 'no funds' >&2"
    for (script, status, outcome) in [
      (fill, 0, "filled"), (fill + "; exit 3", 0, "filled"), (fill + "; exit 9", 0, "filled"),
      (void, 1, "void"), (void + "; exit 9", 1, "void"),
    ] as [(String, Int32, String)] {
      let run = execute(["--not-sent-code", "3"], script)
      expectOutcome(run, status, outcome, outcome)
      if outcome == "filled" { XCTAssertTrue(run.stderr.contains(#""filled_price":"17""#)) }
    }
    // A fill of ours on top of its void would have been a conflict.
    XCTAssertEqual(json(run(["status", "--json"]))["conflicts"] as? Int, 0)
  }

  func testResultFile_isNewPrivateAndHoldsTheResult() throws {
    makeLedger(cooldown: "0s")
    let path = directory.file("result.json")
    let options = ["--result-file", path]
    expect(execute(options, "true"), 0)
    let text = try XCTUnwrap(FileManager.default.contents(atPath: path))
    let answer = object(String(decoding: text, as: UTF8.self))
    XCTAssertEqual(answer["outcome"] as? String, "filled")
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    XCTAssertEqual(attributes[.posixPermissions] as? Int, 0o600)

    let marker = directory.file("was-run")
    symlink(directory.file("elsewhere"), directory.file("link"))
    try assertUnchanged {
      for name in ["result.json", "link", "no/such/directory"] {
        let run = execute(["--result-file", directory.file(name)], "touch \(marker)")
        expect(run, 73, name)
        XCTAssertEqual(result(run)["exit"] as? Int, 73)
      }
      expect(execute(["--result-file", ledger + "-journal"], "touch \(marker)"), 64)
      XCTAssertEqual(FileManager.default.contents(atPath: path), text, "it was overwritten")
      let names = try FileManager.default.contentsOfDirectory(
        atPath: (ledger as NSString).deletingLastPathComponent)
      XCTAssertFalse(names.contains("elsewhere"))
    }
    XCTAssertFalse(FileManager.default.fileExists(atPath: marker))
  }

  func testResultFile_holdsErrorsToo() throws {
    makeLedger()
    let path = directory.file("result.json")
    let run = self.run(
      ["execute", "nobody", "--result-file", path] + Self.order + ["--", "true"])
    expect(run, 66)
    let text = try XCTUnwrap(FileManager.default.contents(atPath: path))
    XCTAssertEqual(object(String(decoding: text, as: UTF8.self))["exit"] as? Int, 66)
  }

  func testUsage_isCheckedBeforeAnythingIsReserved() {
    makeLedger()
    assertUnchanged {
      for (options, status) in [
        (["--not-sent-code", "0"], 65), (["--not-sent-code", "256"], 65),
        (["--not-sent-code", "x"], 65), (["--price", "NaN"], 65), (["--frobnicate"], 64),
      ] as [([String], Int32)] {
        let run = execute(options, "true")
        expect(run, status, "\(options)")
        XCTAssertEqual(run.stdout, "", "stdout belongs to the command")
        XCTAssertEqual(result(run)["exit"] as? Int32, status)
      }
      expect(run(["execute", "m"] + Self.order), 64)
      expect(run(["execute", "m"] + Self.order + ["--"]), 64)
      expect(run(["execute", "m"] + Self.order + ["--", ""]), 64)
    }
  }
}
