#if PostgreSQL
  import Foundation
  import LedgerTestSupport
  import Synchronization
  import XCTest

  @testable import TradeLedger

  /// A copy is whole and verified, or it is none; and nothing is traded behind its back.
  final class CopyFaultTests: XCTestCase {
    private var proxy: CuttingProxy?

    override func setUpWithError() throws {
      let server = try TestServer.orSkip()
      proxy = try CuttingProxy(upstream: URLComponents(string: server.url)?.port ?? 5432)
    }

    override func tearDown() { proxy?.close() }

    /// A ledger in a file with rows in every table that matters here.
    private func file() async throws -> TestLedger {
      let test = try await TestLedger(mode: .live)
      try await test.addBot("a", cooldown: .zero)
      for number in 0..<3 {
        _ = try await test.ledger.record(.example("a"), key: OrderKey("key-\(number)"))
      }
      await test.ledger.close()
      return test
    }

    private func server(_ test: TestLedger) async throws -> String {
      let url = try TestServer.orSkip().database()
      _ = try await Ledger.copy(from: test.path, to: url)
      return url
    }

    private static func trade(_ place: String) {
      let result = BuiltBinary.run([
        "--db", place, "reserve", "a", "--side", "buy", "--symbol", "BTC-USD", "--quantity", "1",
      ])
      XCTAssertEqual(result.status, 0, result.stderr)
    }

    // MARK: kill -9

    /// Ends the copying process when it is about to say each of `texts` in turn, the last of them.
    private func copy(
      from source: String, to target: String, killedAt texts: [String], _ cut: CuttingProxy.Cut
    ) throws {
      let proxy = try XCTUnwrap(proxy)
      let process = Mutex<ChildProcess?>(nil)
      for text in texts.dropLast() { proxy.trap(text) }
      let last = try XCTUnwrap(texts.last)
      proxy.trap(last, cut) {
        // The lock is had once the process is known.
        process.withLock { $0?.signal(SIGKILL) }
      }
      let child = try process.withLock { process in
        let child = try ChildProcess(
          BuiltBinary.path, ["copy", "--from", source, "--to", target])
        process = child
        return child
      }
      XCTAssertEqual(child.wait(timeout: 60), 128 + SIGKILL, "\(texts): \(child.standardError)")
      XCTAssertTrue(proxy.isDone, "\(texts)")
    }

    func testKill_beforeTheCommit_leavesNoLedgerOnTheServer() async throws {
      let test = try await file()
      let proxy = try XCTUnwrap(proxy)
      for phase in [
        ["CREATE SCHEMA tradeledger"], ["tradeledger.copy_begins"], ["INTO tradeledger.ledger"],
        ["INTO tradeledger.trades"], ["tradeledger.copy_ends"],
        ["tradeledger.copy_ends", "FROM tradeledger.restores"],
        ["FROM tradeledger.restores", "COMMIT"],
      ] {
        let url = try TestServer.orSkip().database()
        try copy(from: test.path, to: proxy.url(url), killedAt: phase, .question)
        await expectError(.noLedger) { _ = try await Ledger.open(url) }
        // And is in nobody's way.
        let move = try await Ledger.copy(from: test.path, to: url)
        XCTAssertEqual(move.rows["trades"], 3, "\(phase)")
        XCTAssertEqual(BuiltBinary.run(["--db", url, "audit"]).status, 0)
      }
    }

    func testKill_afterTheCommit_leavesTheWholeLedgerOnTheServer() async throws {
      let test = try await file()
      let proxy = try XCTUnwrap(proxy)
      let url = try TestServer.orSkip().database()
      try copy(
        from: test.path, to: proxy.url(url), killedAt: ["FROM tradeledger.restores", "COMMIT"],
        .answer)
      let ledger = try await Ledger.open(url)
      let status = try await ledger.status()
      XCTAssertEqual(status.trades, 3)
      await ledger.close()
      await expectError(.cannotCreate) { _ = try await Ledger.copy(from: test.path, to: url) }
      CopyFaultTests.trade(url)
    }

    func testKill_leavesNoFile() async throws {
      let test = try await file()
      let proxy = try XCTUnwrap(proxy)
      let url = try await server(test)
      let directory = TemporaryDirectory()
      let last = "FROM tradeledger.restores"
      for phase in [["FROM tradeledger.ledger"], [last], [last, last]] {
        let target = directory.file("back.db")
        try copy(from: proxy.url(url), to: target, killedAt: phase, .question)
        XCTAssertFalse(FileManager.default.fileExists(atPath: target), "\(phase)")
        let others = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        XCTAssertTrue(others.allSatisfy { $0.contains(".partial") }, "\(others)")
      }
      let move = try await Ledger.copy(from: url, to: directory.file("back.db"))
      XCTAssertEqual(move.rows["trades"], 3)
      try LedgerFileCheck.verify(directory.file("back.db"))
    }

    /// The answer to COMMIT is lost: that is said, and not that it failed.
    func testCommit_whoseAnswerIsLost_isUnknown() async throws {
      let test = try await file()
      let proxy = try XCTUnwrap(proxy)
      let url = try TestServer.orSkip().database()
      proxy.trap("FROM tradeledger.restores")
      proxy.trap("COMMIT", .answer)
      await expectError(.outcomeUnknown, saying: "status") {
        _ = try await Ledger.copy(from: test.path, to: proxy.url(url))
      }
      XCTAssertTrue(proxy.isDone)
    }

    /// What is there by then is not what was written: a schema of other doings.
    func testCopy_thatArrivesOtherwise_isNone() async throws {
      let test = try await file()
      let url = try TestServer.orSkip().database()
      try TestServer.run(url, script: Ledger.serverSchemaSQL)
      try TestServer.run(
        url,
        script: """
          ALTER FUNCTION tradeledger.copy_ends() RENAME TO ended;
          CREATE FUNCTION tradeledger.copy_ends() RETURNS void LANGUAGE sql AS $$
            UPDATE tradeledger.trades SET quantity = '7' WHERE id = 2;
            SELECT tradeledger.ended()
          $$
          """)
      await expectError(.internalError, saying: "read back") {
        _ = try await Ledger.copy(from: test.path, to: url)
      }
      XCTAssertEqual(try TestServer.query(url, "SELECT count(*) FROM tradeledger.ledger"), [["0"]])
    }

    /// Of two copies to one place, the second finds what the first has made.
    func testCopies_atOnce_makeOneLedger() async throws {
      let test = try await file()
      let proxy = try XCTUnwrap(proxy)
      let url = try TestServer.orSkip().database()
      let second = Mutex<Task<Void, any Error>?>(nil)
      proxy.trap("tradeledger.copy_ends") { [path = test.path] in
        second.withLock {
          $0 = Task { _ = try await Ledger.copy(from: path, to: url) }
        }
        let waiting = """
          SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
            AND wait_event_type = 'Lock' AND query LIKE '%copy_begins%'
          """
        XCTAssertTrue(eventually { (try? TestServer.query(url, waiting))?.isEmpty == false })
      }
      _ = try await Ledger.copy(from: test.path, to: proxy.url(url))
      let other = second.withLock { $0 }
      await expectError(.cannotCreate, saying: "empty") { try await other?.value }
      let ledger = try await Ledger.open(url)
      let status = try await ledger.status()
      XCTAssertEqual(status.trades, 3)
      await ledger.close()
    }

    // MARK: Traders

    /// Somebody trades after the snapshot was taken: what they do would be in no copy.
    func testFile_thatIsTradedOn_isNotCopied() async throws {
      let test = try await file()
      let proxy = try XCTUnwrap(proxy)
      let url = try TestServer.orSkip().database()
      proxy.trap("tradeledger.copy_ends") { [path = test.path] in CopyFaultTests.trade(path) }
      await expectError(.busy, saying: "stop the bots") {
        _ = try await Ledger.copy(from: test.path, to: proxy.url(url))
      }
      XCTAssertTrue(proxy.isDone)
      await expectError(.noLedger) { _ = try await Ledger.open(url) }
    }

    func testServer_thatIsTradedOn_isNotCopied() async throws {
      let test = try await file()
      let proxy = try XCTUnwrap(proxy)
      let url = try await server(test)
      let directory = TemporaryDirectory()
      proxy.trap("FROM tradeledger.restores") { CopyFaultTests.trade(url) }
      await expectError(.busy, saying: "stop the bots") {
        _ = try await Ledger.copy(from: proxy.url(url), to: directory.file("back.db"))
      }
      XCTAssertTrue(proxy.isDone)
      XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: directory.path), [])
      // A trade that is pending is seen in the rows themselves.
      await expectError(.busy, saying: "trade 4 is being worked on") {
        _ = try await Ledger.copy(from: url, to: directory.file("back.db"))
      }
    }

    // MARK: Texts

    /// Whatever a text can be, it arrives as it is, or is refused.
    func testTexts_arriveAsTheyAre() async throws {
      let test = try await file()
      let text = "'\"\\\\u0000 \\u0041 {\u{1F600}} \u{7F}\u{2028}\n\te\u{301} $1 \u{FFFF}"
      try insertInstance(test, "X'\(text.utf8.map { String(format: "%02x", $0) }.joined())'")
      let url = try TestServer.orSkip().database()
      _ = try await Ledger.copy(from: test.path, to: url)
      XCTAssertEqual(
        try TestServer.query(url, "SELECT command FROM tradeledger.instance_rows"), [[text]])
    }

    func testText_withANUL_isRefused() async throws {
      let test = try await file()
      try insertInstance(test, "X'610062'")
      let url = try TestServer.orSkip().database()
      await expectError(.invalidInput, saying: "instances", "command") {
        _ = try await Ledger.copy(from: test.path, to: url)
      }
      await expectError(.noLedger) { _ = try await Ledger.open(url) }
    }

    /// Bytes of a foreign writer that are no text would be others in the copy.
    func testText_thatIsNone_isRefused() async throws {
      let test = try await file()
      try insertInstance(test, "X'61ff62'")
      let url = try TestServer.orSkip().database()
      do {
        _ = try await Ledger.copy(from: test.path, to: url)
        XCTFail("copied")
      } catch { XCTAssertTrue("\(error)".contains("command is not UTF-8"), "\(error)") }
      await expectError(.noLedger) { _ = try await Ledger.open(url) }
    }

    private func insertInstance(_ test: TestLedger, _ command: String) throws {
      let statement = """
        INSERT INTO instances (name, epoch, pid, command, since)
        VALUES ('i', 1, 7, CAST(\(command) AS TEXT), 1)
        """
      let result = BuiltBinary.run("sqlite3", [test.path, statement])
      XCTAssertEqual(result.status, 0, result.stderr)
    }

    // MARK: The audit

    /// Both engines find the same, in the same order.
    func testAudit_ofACopy_isThatOfTheOriginal() async throws {
      let test = try await TestLedger(mode: .live)
      let ledger = test.ledger
      try await test.addBot("a", cooldown: .seconds(60), lease: .milliseconds(1))
      try await test.addBot("b", cooldown: .zero, lease: .milliseconds(1))
      let facts = try (0..<6).map { number in
        PastFact(
          order: .example(number % 2 == 0 ? "a" : "b"), key: try OrderKey("fact-\(number)"),
          at: Timestamp(microseconds: 1_600_000_000_000_000 + Int64(number / 2) * 1_000_000))
      }
      _ = try await ledger.enter(facts.reversed())
      for bot in ["b", "a", "b"] {
        guard let permit = try await ledger.reserve(.example(bot)).permit else {
          return XCTFail("denied")
        }
        XCTAssertTrue(
          eventually { SystemClock().now().wall > permit.validUntil.advanced(by: .milliseconds(5)) }
        )
        // Late, and by a clock of the exchange that is not to be believed.
        _ = try await ledger.fill(
          permit.trade, token: permit.token, Fill(at: Timestamp(microseconds: 1_000_000)))
      }
      let permit = try await ledger.reserve(.example("b")).permit
      let given = try XCTUnwrap(permit)
      _ = try await ledger.void(given.trade, token: given.token, reason: "not sent")
      _ = try await ledger.fill(given.trade, token: given.token)
      _ = try await ledger.reserve(.example("b"))
      XCTAssertTrue(
        eventually {
          (try? test.query("SELECT MAX(lease_until) FROM trades"))
            .flatMap { Int64($0[0][0]) }.map { $0 < SystemClock().now().wall.microseconds } ?? false
        })
      let original = try await ledger.audit()
      await ledger.close()
      let url = try TestServer.orSkip().database()
      let move = try await Ledger.copy(from: test.path, to: url)
      XCTAssertEqual(move.findings, original.findings.count)
      let copy = try await Ledger.open(url)
      let there = try await copy.audit()
      XCTAssertEqual(there, original)
      XCTAssertGreaterThan(Set(there.findings.map(\.check)).count, 4)
      for bot in ["a", "b"] {
        let some = try await copy.audit(
          TradeQuery(bot: BotName(bot), since: Timestamp(microseconds: 1_600_000_001_000_000)))
        let same = try await Ledger.open(test.path).audit(
          TradeQuery(bot: BotName(bot), since: Timestamp(microseconds: 1_600_000_001_000_000)))
        XCTAssertEqual(some, same)
      }
      await copy.close()
    }
  }
#endif
