#if PostgreSQL
  import Foundation
  import LedgerTestSupport
  import XCTest

  /// The same command line on a server.
  final class CommandTests: XCTestCase {
    private var url = ""

    override func setUpWithError() throws {
      unsetenv("TRADELEDGER_DB")
      url = try TestServer.orSkip().database()
    }

    @discardableResult
    private func run(
      _ arguments: [String], _ status: Int32, environment: [String: String] = [:],
      file: StaticString = #filePath, line: UInt = #line
    ) -> String {
      let result = BuiltBinary.run(
        ["--db", url] + arguments, environment: environment, timeout: 60)
      XCTAssertEqual(
        result.status, status, "\(arguments)\n\(result.stdout)\(result.stderr)", file: file,
        line: line)
      return result.stdout + result.stderr
    }

    private func json(_ arguments: [String], _ status: Int32) -> [String: Any] {
      let text = run(arguments + ["--json", "--quiet"], status)
      let value = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
      return value ?? [:]
    }

    func testCommands_answerAsOnAFile() throws {
      run(["status"], 66)
      run(["init", "--mode", "live"], 0)
      XCTAssertTrue(run(["init"], 0).contains("current"))
      run(["init", "--mode", "paper"], 78)
      run(["bot", "add", "m", "--cooldown", "15m"], 0)
      run(["bot", "add", "m", "--cooldown", "15m"], 0)
      run(["bot", "add", "m", "--cooldown", "16m"], 1)
      run(["bot", "set", "m", "--lease", "20s"], 0)
      run(["bot", "list"], 0)
      run(["check", "m"], 0)
      let order = ["--side", "buy", "--symbol", "BTC-USD", "--quantity", "0.5"]
      let admitted = json(["reserve", "m"] + order, 0)
      let trade = admitted["trade"] as? [String: Any]
      let permit = admitted["permit"] as? [String: Any]
      let id = "\(trade?["id"] ?? "?")"
      let denied = json(["reserve", "m"] + order, 1)
      XCTAssertEqual(denied["reason"] as? String, "in_progress")
      run(["fill", id, "--token", "not-the-token-at-all"], 1)
      run(["fill", id, "--token", permit?["token"] as? String ?? ""], 0)
      XCTAssertEqual(json(["check", "m"], 1)["reason"] as? String, "cooldown")
      run(["trade", "show", id], 0)
      run(["trades"], 0)
      run(["reserve", "nobody"] + order, 66)
      run(["status"], 0)
      run(["audit"], 0)
      run(["metrics"], 0)
      run(["export", "--format", "csv"], 0)
      run(["instances"], 0)
      run(["doctor"], 1)  // the test's server runs without fsync
      run(["backup", "-o", TemporaryDirectory().file("x.db")], 73)
      run(["restore", "x.db"], 78)
      run(["simulate"], 78)
    }

    func testExecute_andGuard_runCommands() throws {
      run(["init"], 0)
      run(["bot", "add", "m", "--cooldown", "0s"], 0)
      let order = ["--side", "buy", "--symbol", "BTC-USD", "--quantity", "0.5"]
      // The command gets what it needs to settle by itself.
      let settled = run(
        ["execute", "m"] + order + [
          "--", BuiltBinary.path, "fill", "1", "--price", "100",
        ], 0)
      XCTAssertTrue(settled.contains("filled"), settled)
      run(["execute", "m"] + order + ["--not-sent-code", "3", "--", "sh", "-c", "exit 3"], 1)
      let held = run(
        [
          "guard", "bot", "--", "sh", "-c",
          "echo epoch $TRADELEDGER_EPOCH; \(BuiltBinary.path) guard bot -- true; echo inner $?",
        ], 0)
      XCTAssertTrue(held.contains("epoch 1"), held)
      XCTAssertTrue(held.contains("inner 75"), held)
      XCTAssertTrue(
        run(["guard", "bot", "--", "sh", "-c", "echo epoch $TRADELEDGER_EPOCH"], 0)
          .contains("epoch 2"))
      run(["guard", "bot", "--no-supervise", "--", "true"], 64)
      run(["instances", "evict", "bot"], 1)
      run(["instances", "evict", "nobody"], 66)
    }

    func testCopy_saysWhatWent() throws {
      run(["init"], 0)
      run(["bot", "add", "m", "--cooldown", "0s"], 0)
      let directory = TemporaryDirectory()
      let file = directory.file("ledger.db")
      let result = BuiltBinary.run(["copy", "--from", url, "--to", file, "--json"])
      XCTAssertEqual(result.status, 0, result.stderr)
      XCTAssertTrue(result.stdout.contains("\"bots\":1"), result.stdout)
      XCTAssertEqual(BuiltBinary.run(["--db", file, "check", "m"]).status, 0)
      XCTAssertEqual(BuiltBinary.run(["copy", "--from", url, "--to", file]).status, 73)
    }

    func testAlteration_isNamedByDoctor_andRepairedByInit() throws {
      run(["init"], 0)
      try TestServer.query(url, "DROP TRIGGER trade_new ON tradeledger.trades")
      try TestServer.query(url, "DROP INDEX tradeledger.last_trade")
      let words = ["trigger trade_new on trades is missing", "index last_trade is missing"]
      let said = run(["doctor"], 1) + run(["init"], 65) + run(["status"], 65)
      for word in words { XCTAssertEqual(said.ranges(of: word).count, 3, said) }
      XCTAssertEqual(json(["init", "--repair"], 0)["outcome"] as? String, "repaired")
      XCTAssertEqual(json(["init", "--repair"], 0)["outcome"] as? String, "current")
      run(["status"], 0)
      let file = TemporaryDirectory().file("ledger.db")
      XCTAssertEqual(BuiltBinary.run(["init", "--db", file, "--repair"]).status, 78)
    }

    func testPassword_isNeverShown() throws {
      let place = "://ann:s3cret@127.0.0.1:1/bots"
      for scheme in ["postgresql", "postgre", "POSTGRESQL"] {
        for arguments in [
          ["status"], ["doctor"], ["metrics"], ["guard", "b", "--", "true"],
          ["backup", "-o", "x.db"],
          ["restore", "x.db"], ["simulate"], ["init"], ["report", "-o", "r.html"],
        ] {
          let result = BuiltBinary.run(
            ["--db", scheme + place, "--lock-wait", "100ms"] + arguments)
          XCTAssertGreaterThan(result.status, 0)
          XCTAssertFalse(
            (result.stdout + result.stderr).contains("s3cret"), "\(scheme) \(arguments)")
        }
      }
    }
  }
#endif
