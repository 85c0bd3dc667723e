internal import Foundation
internal import LedgerTestSupport
internal import XCTest

/// What is printed where: lists, help, colours, logs, and streams that cannot be written.
final class OutputTests: CommandLineTestCase {
  private func makeTrades(_ count: Int) {
    makeLedger(cooldown: "0s")
    for _ in 0..<count { expect(run(["record", "m"] + Self.order), 0) }
  }

  func testGlobalOptions_areTakenBeforeAndAfterTheCommand() {
    makeLedger()
    for arguments in [
      ["--db", ledger, "--json", "status", "m"], ["status", "--db", ledger, "--json", "m"],
      ["status", "m", "--json", "--db=\(ledger)"], ["--json", "status", "m", "--db", ledger],
    ] {
      let result = BuiltBinary.run(arguments)
      expect(result, 0, "\(arguments)")
      XCTAssertEqual(json(result)["schema"] as? String, "tradeledger.status/1")
    }
    expect(BuiltBinary.run(["status"], environment: ["TRADELEDGER_DB": ledger]), 0)
    let elsewhere = directory.file("none.db")
    expect(run(["status"], environment: ["TRADELEDGER_DB": elsewhere]), 0, "--db goes first")
    expect(BuiltBinary.run(["status"], environment: ["TRADELEDGER_DB": ""]), 64)
  }

  func testTrades_aLimitIsNeverSilent() {
    makeTrades(53)
    let table = run(["trades"])
    expect(table, 0)
    XCTAssertEqual(table.stdout.split(separator: "\n").count, 52, "header, 50 trades, the rest")
    XCTAssertTrue(table.stdout.hasSuffix("... 3 more, --all\n"), table.stdout)
    XCTAssertEqual(run(["trades", "--all"]).stdout.split(separator: "\n").count, 54)

    let lines = run(["trades", "--ndjson", "--limit", "2"])
    XCTAssertEqual(lines.stderr, "... 51 more, --all\n")
    let objects = lines.stdout.split(separator: "\n").map { object(String($0) + "\n") }
    XCTAssertEqual(objects.count, 2)
    let newest = objects.first?["trade"] as? [String: Any]
    XCTAssertEqual(newest?["id"] as? Int, 53, "newest first")

    let page = json(run(["trades", "--json", "--limit", "2"]))
    XCTAssertEqual(page["total"] as? Int, 53)
    XCTAssertEqual((page["trades"] as? [Any])?.count, 2)
    XCTAssertEqual(json(run(["trades", "--json", "--status", "void"]))["total"] as? Int, 0)
    XCTAssertEqual(json(run(["trades", "--json", "--since", "1h"]))["total"] as? Int, 53)
    XCTAssertEqual(
      json(run(["trades", "--json", "--from", "2999-01-01T00:00:00Z"]))["total"] as? Int, 0)
  }

  func testTradesAsCSV_areQuotedAndStartNoFormula() {
    makeLedger(cooldown: "0s")
    expect(run(["bot", "add", "=cmd", "--cooldown", "0s"]), 0)
    expect(
      run(
        ["record", "=cmd", "--key", "+1+1", "--symbol", "@SUM"] + Self.order.dropLast(4)
          + ["--quantity", "1"]), 0)
    let trade = reserve()
    expect(
      run(["void", trade.id, "--token", trade.token, "--reason", "said \"no, never\""]), 0)
    let result = run(["trades", "--csv"])
    expect(result, 0)
    let rows = result.stdout.components(separatedBy: "\r\n")
    XCTAssertEqual(rows.count, 4)
    XCTAssertTrue(rows[0].hasPrefix("id,bot,key,side,symbol,quantity,price,status,"), rows[0])
    XCTAssertTrue(rows[1].hasSuffix(",\"said \"\"no, never\"\"\""), rows[1])
    XCTAssertTrue(rows[2].hasPrefix("1,'=cmd,'+1+1,buy,'@SUM,1,,filled,"), rows[2])
  }

  func testTradeShow_hasEverything() {
    makeTrades(1)
    let result = run(["trade", "show", "1", "--json"])
    expect(result, 0)
    let answer = json(result)
    XCTAssertEqual(answer["outcome"] as? String, "filled")
    let key = (answer["trade"] as? [String: Any])?["key"] as? String ?? "?"
    let byKey = run(["trade", "show", "--key", key])
    expect(byKey, 0)
    XCTAssertTrue(byKey.stdout.contains("trade: 1\n"))
    expectError(["trade", "show", "2"], 66)
    expectError(["trade", "show", "--key", "unknown"], 66)
  }

  func testAudit_emptyCleanAndWithFindings() {
    makeLedger()
    let empty = run(["audit", "--json"])
    expect(empty, 0)
    XCTAssertEqual(json(empty)["examined"] as? Int, 0)
    XCTAssertTrue(run(["audit"]).stdout.contains("not a pass"), "an empty range is no pass")
    expectError(["audit", "--fail-on-empty"], 66)
    let past = ["record", "m"] + Self.order + ["--filled-at"]
    expect(run(past + ["2025-09-07T20:28:53.395950Z"]), 0)
    expect(run(["audit", "--fail-on-empty"]), 0)
    expect(run(past + ["2025-09-07T20:28:54.212493Z"]), 0)
    let result = run(["audit", "--json"])
    expect(result, 1)
    let findings = json(result)["findings"] as? [[String: Any]]
    XCTAssertEqual(findings?.count, 1)
    XCTAssertEqual(findings?.first?["check"] as? String, "double-trade")
    XCTAssertEqual(findings?.first?["gap_us"] as? Int, 816_543)
    XCTAssertEqual(findings?.first?["cooldown_us"] as? Int, 900_000_000)
    XCTAssertEqual(findings?.first?["trades"] as? [Int], [1, 2])
    XCTAssertTrue(run(["audit"]).stdout.contains(" 0.816543s "), "all digits of the gap")
    expect(run(["audit", "--exit-zero"]), 0)
    expect(run(["audit", "--from", "2025-09-08T00:00:00Z"]), 0)
    expectError(["audit", "--from", "2025-09-08T00:00:00Z", "--fail-on-empty"], 66)
    expectError(["audit", "--bot", "nobody"], 66)
  }

  /// Whoever corrects a position has to know what was filled.
  func testAudit_ofAConflict_saysWhatWasFilled() {
    makeLedger()
    let trade = reserve()
    expect(run(["void", trade.id, "--token", trade.token, "--reason", "x"]), 0)
    expect(
      run(["fill", trade.id, "--token", trade.token, "--quantity", "0.1", "--price", "7.5"]), 1)
    let findings = json(run(["audit", "--json"]))["findings"] as? [[String: Any]]
    XCTAssertEqual(findings?.map { $0["check"] as? String }, ["conflict"])
    XCTAssertEqual(findings?.first?["filled_quantity"] as? String, "0.1")
    XCTAssertEqual(findings?.first?["filled_price"] as? String, "7.5")
    XCTAssertTrue(run(["audit"]).stdout.contains("  0.1 at 7.5\n"))
    XCTAssertTrue(run(["report", "-o", "-"]).stdout.contains("a fill of 0.1 at 7.5 arrived"))
  }

  func testDoctorAndSchema_areReadable() throws {
    makeLedger()
    let doctor = run(["doctor", "--json"])
    expect(doctor, 0)
    XCTAssertEqual(json(doctor)["integrity"] as? String, "ok")
    XCTAssertNotNil(json(doctor)["sqlite_version"] as? String)
    expect(run(["doctor"]), 0)
    let schema = BuiltBinary.run(["schema"])
    expect(schema, 0)
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let file = try String(contentsOf: root.appendingPathComponent("schema.sql"), encoding: .utf8)
    XCTAssertEqual(schema.stdout, file, "the embedded schema is the one in the repository")
    XCTAssertEqual(json(BuiltBinary.run(["schema", "--json"]))["sql"] as? String, file)
  }

  /// INV-10: looking changes no byte and leaves nothing new beside the file.
  func testLooking_changesNothing() throws {
    makeTrades(2)
    let folder = (ledger as NSString).deletingLastPathComponent
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    assertUnchanged {
      for arguments in [
        ["status"], ["audit", "--exit-zero"], ["trades"], ["trade", "show", "1"], ["check", "m"],
        ["bot", "list"], ["bot", "show", "m"], ["doctor"],
      ] { expect(run(arguments), 0, "\(arguments)") }
    }
    XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder).sorted(), names)
  }

  func testHelp_hasExamplesForEveryCommand() {
    for words in [
      ["init"], ["bot", "add"], ["bot", "list"], ["bot", "show"], ["bot", "set"],
      ["bot", "enable"], ["bot", "disable"], ["reserve"], ["fill"], ["void"], ["record"],
      ["execute"], ["check"], ["trades"], ["trade", "show"], ["resolve"], ["status"], ["audit"],
      ["schema"], ["doctor"],
    ] {
      let help = BuiltBinary.run(words + ["--help"])
      expect(help, 0, "\(words)")
      XCTAssertTrue(
        help.stdout.contains("Examples:\n  tradeledger \(words[0])")
          || help.stdout.contains("| tradeledger \(words[0])"), help.stdout)
      XCTAssertEqual(help.stderr, "")
    }
    for (topic, word) in [("exit-codes", "75"), ("environment", "TRADELEDGER_TOKEN")] {
      let page = BuiltBinary.run(["help", topic])
      expect(page, 0, topic)
      XCTAssertTrue(page.stdout.contains(word), page.stdout)
    }
    for arguments in [["--version"], ["status", "--version"]] {
      let version = BuiltBinary.run(arguments)
      expect(version, 0)
      XCTAssertTrue(version.stdout.allSatisfy { $0.isNumber || $0 == "." || $0 == "\n" })
    }
  }

  func testColors_onlyWhereAsked() {
    makeTrades(1)
    XCTAssertFalse(run(["trades"]).stdout.contains("\u{1b}"), "not a terminal")
    XCTAssertTrue(run(["trades", "--color", "always"]).stdout.contains("\u{1b}[1mTRADE"))
    XCTAssertFalse(run(["trades", "--color", "never"]).stdout.contains("\u{1b}"))
    XCTAssertTrue(
      run(["check", "x", "--color", "always"]).stderr.hasPrefix("\u{1b}[1;31merror:\u{1b}[0m "))
  }

  func testQuietAndVerbose_areAboutStandardError() {
    makeLedger()
    let verbose = run(["reserve", "m", "--verbose"] + Self.order)
    expect(verbose, 0)
    XCTAssertTrue(verbose.stderr.hasPrefix("info: trade lock acquired "), verbose.stderr)
    let trade = json(run(["trades", "--json"]))["trades"] as? [[String: Any]]
    XCTAssertEqual(trade?.count, 1)
    let denied = run(["reserve", "m"] + Self.order)
    XCTAssertTrue(denied.stderr.hasPrefix("hint: "), denied.stderr)
    XCTAssertEqual(run(["reserve", "m", "--quiet"] + Self.order).stderr, "")
    let error = run(["check", "nobody", "--quiet"]).stderr
    XCTAssertTrue(error.hasPrefix("error: ") && !error.contains("hint:"), error)
  }

  func testErrors_withoutJSON_leaveStandardOutputEmpty() {
    makeLedger()
    for (arguments, status) in [
      (["check", "nobody"], 66), (["check", "a b"], 65), (["frobnicate"], 64), ([], 64),
    ] as [([String], Int32)] {
      let result = run(arguments)
      expect(result, status, "\(arguments)")
      XCTAssertEqual(result.stdout, "")
      XCTAssertTrue(result.stderr.hasPrefix("error: "), result.stderr)
      XCTAssertTrue(result.stderr.contains("\nhint: "), result.stderr)
    }
  }

  func testCooldown_isLogged() {
    makeLedger()
    expect(run(["record", "m"] + Self.order), 0)
    let denied = run(["reserve", "m", "--verbose"] + Self.order)
    expect(denied, 1)
    XCTAssertTrue(denied.stderr.hasPrefix("info: cooldown remaining "), denied.stderr)
  }

  /// No circumstance makes an error look like "no", or like "yes".
  func testStrangeCircumstances_areErrorsOfTheirOwn() {
    makeLedger()
    let reserve = "\"$0\" --db \"$1\" reserve m --side buy --symbol B --quantity 1"
    for (script, status) in [
      ("\(reserve) > /dev/full", 74), ("\(reserve) >&-", 74), ("\(reserve) --json >&-", 74),
      ("\(reserve) --json --frobnicate > /dev/full", 64), ("\(reserve) --frobnicate 2>&-", 64),
      ("exec <&- >&- 2>&-; \"$0\" --db \"$1\" status", 74),
      ("\"$0\" --help > /dev/full", 74), ("\"$0\" schema | head -c 1 > /dev/null", 0),
      ("\"$0\" --db \"$1\" fill 1 --token-stdin <&-", 74),
      ("mkdir gone; cd gone; rmdir ../gone; \"$0\" --db ledger.db status", 66),
    ] {
      let text = "cd \"$(dirname \"$1\")\"; \(script)"
      let result = BuiltBinary.run("sh", ["-c", text, BuiltBinary.path, ledger])
      expect(result, Int32(status), script)
    }
  }

  /// A file size limit is an error of a write, not the end of the process (S-52).
  func testFileSizeLimit_isAnErrorWithoutATrade() {
    makeLedger()
    assertUnchanged {
      let script = "ulimit -f 0; \"$0\" --db \"$1\" reserve m --side buy --symbol B --quantity 1"
      let result = BuiltBinary.run("sh", ["-c", script, BuiltBinary.path, ledger])
      XCTAssertTrue([70, 74].contains(result.status), "\(result)")
      XCTAssertTrue(result.stderr.hasPrefix("error: "), result.stderr)
      XCTAssertEqual(result.stdout, "")
    }
  }
}
