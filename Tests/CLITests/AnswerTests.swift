internal import Foundation
internal import LedgerTestSupport
internal import XCTest

/// Exit codes and JSON of the commands that ask and settle.
final class AnswerTests: CommandLineTestCase {
  private static let tradeKeys = [
    "id", "bot", "key", "side", "symbol", "quantity", "price", "status", "created_at",
    "filled_at", "cooldown_us", "lease_until", "late", "instance", "epoch",
  ]

  private func expectTrade(
    _ result: BuiltBinary.Result, _ outcome: String, _ status: String,
    file: StaticString = #filePath, line: UInt = #line
  ) {
    let answer = json(result, file: file, line: line)
    XCTAssertEqual(answer["schema"] as? String, "tradeledger.trade/1", file: file, line: line)
    XCTAssertEqual(answer["outcome"] as? String, outcome, file: file, line: line)
    XCTAssertNotNil(answer["permit"], file: file, line: line)
    let trade = answer["trade"] as? [String: Any] ?? [:]
    XCTAssertEqual(trade["status"] as? String, status, file: file, line: line)
    for key in Self.tradeKeys { XCTAssertNotNil(trade[key], key, file: file, line: line) }
  }

  private func expectDenial(
    _ result: BuiltBinary.Result, _ reason: String, transient: Bool,
    file: StaticString = #filePath, line: UInt = #line
  ) {
    expect(result, 1, reason, file: file, line: line)
    let denial = json(result, file: file, line: line)
    XCTAssertEqual(denial["schema"] as? String, "tradeledger.denial/1", file: file, line: line)
    XCTAssertEqual(denial["outcome"] as? String, "denied", file: file, line: line)
    XCTAssertEqual(denial["reason"] as? String, reason, file: file, line: line)
    XCTAssertEqual(denial["transient"] as? Bool, transient, file: file, line: line)
    for key in ["retry_after_us", "winner", "holder", "clock_behind_us"] {
      XCTAssertNotNil(denial[key], key, file: file, line: line)
    }
  }

  func testInit_isRepeatable_andTheModeStays() {
    let first = run(["init", "--mode", "paper", "--json"])
    expect(first, 0)
    XCTAssertEqual(json(first)["outcome"] as? String, "created")
    XCTAssertEqual(json(first)["mode"] as? String, "paper")
    for arguments in [["init", "--json"], ["init", "--mode", "paper", "--json"]] {
      let again = run(arguments)
      expect(again, 0)
      XCTAssertEqual(json(again)["outcome"] as? String, "current")
    }
    assertUnchanged { expectError(["init", "--mode", "live"], 78) }
    let mode = (try? FileManager.default.attributesOfItem(atPath: ledger))?[.posixPermissions]
    XCTAssertEqual(mode as? Int, 0o600)
  }

  /// S-24: many processes open a ledger that does not exist yet.
  func testInit_byManyAtOnce_worksForAll() throws {
    for round in 0..<5 {
      let path = directory.file("ledger-\(round).db")
      // Each waits for its standard input to end, so that all of them start together.
      let script = "read line; exec \"$0\" --db \"$1\" init --mode paper"
      let starters = try (0..<8).map { _ in
        try ChildProcess("sh", ["-c", script, BuiltBinary.path, path])
      }
      for starter in starters { starter.closeInput() }
      for starter in starters {
        XCTAssertEqual(starter.wait(timeout: 30), 0, starter.standardError)
      }
      XCTAssertEqual(try LedgerFileCheck.query(path, "SELECT count(*) FROM ledger"), [["1"]])
    }
  }

  func testBots_areAddedOnceAndChangedExplicitly() {
    makeLedger(cooldown: "15m")
    let same = run(["bot", "add", "m", "--cooldown", "900s", "--json"])
    expect(same, 0)
    XCTAssertEqual(json(same)["outcome"] as? String, "same")
    let differs = run(["bot", "add", "m", "--cooldown", "1s", "--json"])
    expect(differs, 1)
    XCTAssertEqual(json(differs)["outcome"] as? String, "differs")
    let bot = json(run(["bot", "show", "m", "--json"]))["bot"] as? [String: Any]
    XCTAssertEqual(bot?["cooldown_us"] as? Int, 900_000_000, "a refused add changed the bot")
    expect(run(["bot", "set", "m", "--cooldown", "2h", "--in-doubt", "block"]), 0)
    let list = json(run(["bot", "list", "--json"]))["bots"] as? [[String: Any]]
    XCTAssertEqual(list?.count, 1)
    XCTAssertEqual(list?.first?["cooldown_us"] as? Int, 7_200_000_000)
    XCTAssertEqual(list?.first?["in_doubt"] as? String, "block")
    XCTAssertEqual(list?.first?["lease_us"] as? Int, 30_000_000)
    for arguments in [
      ["bot", "show", "nobody"], ["bot", "set", "nobody", "--cooldown", "1s"],
      ["bot", "enable", "nobody"], ["bot", "disable", "nobody"], ["check", "nobody"],
      ["status", "nobody"], ["reserve", "nobody"] + Self.order,
    ] { expectError(arguments, 66) }
  }

  func testReserve_answersByExitCodeAndJSON() {
    makeLedger()
    let admitted = run(
      ["reserve", "m", "--json", "--price", "60000.50", "--key", "k1"] + Self.order)
    expect(admitted, 0)
    expectTrade(admitted, "admitted", "pending")
    XCTAssertTrue(
      admitted.stdout.contains(#""quantity":"0.5","price":"60000.5""#),
      "amounts are exact decimal strings: \(admitted.stdout)")
    let permit = json(admitted)["permit"] as? [String: Any]
    XCTAssertNotNil(permit?["valid_until"] as? String)

    let refused = run(["reserve", "m", "--json"] + Self.order)
    expectDenial(refused, "in_progress", transient: true)
    let winner = json(refused)["winner"] as? [String: Any]
    XCTAssertEqual(winner?["key"] as? String, "k1")
    XCTAssertGreaterThan(json(refused)["retry_after_us"] as? Int ?? 0, 0)
    XCTAssertFalse(refused.stdout.contains("\"token\""), "a token was given to a stranger")

    expectDenial(
      run(["reserve", "m", "--json", "--key", "k1"] + Self.order), "key_conflict",
      transient: false)
    expect(run(["bot", "disable", "m"]), 0)
    expectDenial(run(["reserve", "m", "--json"] + Self.order), "disabled", transient: false)
  }

  /// S-19: the permit comes back to the same token alone; a replay without it is exit 1.
  func testReserve_withTheSameKey_needsTheSameTokenForAPermit() {
    makeLedger()
    let asked = ["reserve", "m", "--json", "--key", "k1"] + Self.order
    let token = ["--token", "0123456789abcdef"]
    let first = run(asked + token)
    expect(first, 0)
    let again = run(asked + token)
    expect(again, 0)
    expectTrade(again, "replayed", "pending")
    XCTAssertEqual(
      (json(again)["permit"] as? [String: Any])?["token"] as? String, "0123456789abcdef")
    for more in [[], ["--token", "fedcba9876543210"]] {
      let stranger = run(asked + more)
      expect(stranger, 1)
      expectTrade(stranger, "replayed", "pending")
      XCTAssertTrue(json(stranger)["permit"] is NSNull)
    }
  }

  func testReserve_forPeople_hasPlainLines() {
    makeLedger()
    let result = run(["reserve", "m", "--key", "k1", "--token", "0123456789abcdef"] + Self.order)
    expect(result, 0)
    for line in ["outcome: admitted", "trade: 1", "key: k1", "token: 0123456789abcdef"] {
      XCTAssertTrue(result.stdout.contains(line + "\n"), result.stdout)
    }
    XCTAssertTrue(result.stdout.contains("\nvalid until: 20"), result.stdout)
    XCTAssertEqual(result.stderr, "")
  }

  /// S-09, S-10: the token settles, exactly one outcome stands, and the loser learns which.
  func testFillAndVoid_answerByExitCodeAndJSON() {
    makeLedger()
    let trade = reserve()
    assertUnchanged {
      expectDenial(
        run(["fill", trade.id, "--json", "--token", "0123456789abcdef"]), "wrong_token",
        transient: false)
      expectError(["fill", "99", "--token", trade.token], 66)
    }
    let fill = ["fill", trade.id, "--json", "--price", "17", "--token", trade.token]
    let filled = run(fill)
    expect(filled, 0)
    expectTrade(filled, "filled", "filled")
    assertUnchanged {
      let again = run(fill)
      expect(again, 0)
      expectTrade(again, "replayed", "filled")
      expectDenial(
        run(["void", trade.id, "--json", "--token", trade.token, "--reason", "no"]),
        "already_settled", transient: false)
    }
    expectDenial(run(["reserve", "m", "--json"] + Self.order), "cooldown", transient: true)
    expectDenial(run(["check", "m", "--json"]), "cooldown", transient: true)
  }

  func testVoid_freesTheBot() {
    makeLedger()
    let trade = reserve()
    let voided = run(
      ["void", trade.id, "--json", "--reason", "refused: no funds"],
      environment: ["TRADELEDGER_TOKEN": trade.token])
    expect(voided, 0)
    expectTrade(voided, "void", "void")
    let check = run(["check", "m", "--json"])
    expect(check, 0)
    XCTAssertEqual(json(check)["outcome"] as? String, "admissible")
  }

  func testToken_byStandardInput_isTaken() {
    makeLedger()
    let trade = reserve()
    expect(run(["fill", trade.id, "--token-stdin"], stdin: trade.token + "\n"), 0)
  }

  func testRecord_answersByExitCodeAndJSON() {
    makeLedger()
    let recorded = run(["record", "m", "--json", "--key", "k1"] + Self.order)
    expect(recorded, 0)
    expectTrade(recorded, "recorded", "filled")
    let again = run(["record", "m", "--json", "--key", "k1"] + Self.order)
    expect(again, 0)
    expectTrade(again, "replayed", "filled")
    expectDenial(run(["record", "m", "--json"] + Self.order), "cooldown", transient: true)
    // A fact of the past has happened, whatever its neighbours.
    let past = ["record", "m", "--json", "--filled-at", "2025-09-07T20:28:53.395950Z"]
    expect(run(past + Self.order), 0)
  }

  func testResolve_settlesATradeInDoubt() {
    makeLedger(cooldown: "0s", lease: "1ms", inDoubt: "block")
    let trade = reserve(["--key", "k1"])
    let status = run(["status", "--json"])
    expect(status, 1, "a trade in doubt needs attention")
    XCTAssertEqual(json(status)["needs_attention"] as? Bool, true)
    expectDenial(run(["reserve", "m", "--json"] + Self.order), "in_doubt", transient: false)
    let resolved = run(["resolve", "--key", "k1", "--filled", "--json", "--reason", "found"])
    expect(resolved, 0)
    expectTrade(resolved, "filled", "filled")
    XCTAssertTrue(resolved.stdout.contains(#""late":true"#))
    expectDenial(
      run(["resolve", trade.id, "--void", "--json", "--reason", "no"]), "already_settled",
      transient: false)
    expect(run(["status"]), 0)
    expectError(["resolve", "99", "--void", "--reason", "no"], 66)
  }

  /// S-03, INV-8: while somebody holds the write lock the answer is "try again", in time.
  func testReserve_whileTheLockIsHeld_isBusyInTime() throws {
    makeLedger()
    let holder = try LockHolder(ledger)
    let start = Date()
    assertUnchanged {
      expectError(["reserve", "m", "--lock-wait", "200ms"] + Self.order, 75)
    }
    XCTAssertLessThan(Date().timeIntervalSince(start), 10)
    holder.release()
    expect(run(["reserve", "m"] + Self.order), 0)
  }
}
