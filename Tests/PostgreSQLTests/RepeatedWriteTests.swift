#if PostgreSQL
  import Foundation
  import LedgerTestSupport
  import XCTest

  @testable import TradeLedger

  /// What operators ask for is carried out, and told, as if its first answer had come.
  final class RepeatedWriteTests: XCTestCase {
    private var proxy: CuttingProxy?

    override func setUpWithError() throws {
      let server = try TestServer.orSkip()
      proxy = try CuttingProxy(upstream: URLComponents(string: server.url)?.port ?? 5432)
    }

    override func tearDown() { proxy?.close() }

    private func opened() async throws -> (ServerLedger, CuttingProxy) {
      let proxy = try XCTUnwrap(proxy)
      return (try await ServerLedger(through: proxy), proxy)
    }

    // MARK: Evictions

    private static let name = "desk"

    /// Some process of some host takes the name.
    private static func take(_ url: String, pid: Int) -> String {
      let rows = try? TestServer.query(
        url,
        """
        SELECT outcome, epoch FROM tradeledger.acquire('\(name)', 'boot', 1, 2, \(pid), 5, 'north',
          'bot', NULL, NULL, 1000)
        """)
      return rows?[0].joined(separator: " ") ?? ""
    }

    private func holder(_ url: String) throws -> [String] {
      try TestServer.query(url, "SELECT epoch, pid FROM tradeledger.instance_rows")[0]
    }

    func testEviction_whoseAnswerIsLost_leavesTheNextHolderAlone() async throws {
      let (test, proxy) = try await opened()
      XCTAssertEqual(RepeatedWriteTests.take(test.url, pid: 10), "taken 1")
      proxy.trap("tradeledger.evict(", .answer) { [url = test.url] in
        XCTAssertEqual(RepeatedWriteTests.take(url, pid: 20), "taken 3")
      }
      let eviction = try await test.ledger.evictInstance(InstanceName(RepeatedWriteTests.name))
      XCTAssertTrue(proxy.isDone)
      XCTAssertEqual(try holder(test.url), ["3", "20"])
      guard case .evicted(let evicted, let claim) = eviction else { return XCTFail("\(eviction)") }
      XCTAssertEqual(evicted.pid, 10)
      XCTAssertEqual(claim.epoch, Epoch(3))
    }

    func testEviction_whoseAnswerIsLost_isToldAsOne() async throws {
      let (test, proxy) = try await opened()
      _ = RepeatedWriteTests.take(test.url, pid: 10)
      proxy.trap("tradeledger.evict(", .answer)
      let eviction = try await test.ledger.evictInstance(InstanceName(RepeatedWriteTests.name))
      guard case .evicted(let evicted, let claim) = eviction else { return XCTFail("\(eviction)") }
      XCTAssertEqual(evicted.pid, 10)
      XCTAssertEqual(claim.epoch, Epoch(2))
      XCTAssertEqual(try holder(test.url), ["2", "NULL"])
      // By the program, too.
      XCTAssertEqual(RepeatedWriteTests.take(test.url, pid: 20), "taken 3")
      proxy.trap("tradeledger.evict(", .answer)
      let result = BuiltBinary.run(
        ["--db", proxy.url(test.url), "instances", "evict", RepeatedWriteTests.name])
      XCTAssertEqual(result.status, 0, result.stderr)
      XCTAssertTrue(proxy.isDone)
      XCTAssertEqual(try holder(test.url), ["4", "NULL"])
    }

    /// The holder lets go by itself before the second try.
    func testEviction_ofAHolderThatLetsGo_findsTheNameFree() async throws {
      let (test, proxy) = try await opened()
      _ = RepeatedWriteTests.take(test.url, pid: 10)
      proxy.trap("tradeledger.evict(", .question) { [url = test.url] in
        let name = RepeatedWriteTests.name
        _ = try? TestServer.query(url, "SELECT tradeledger.release('\(name)', 1)")
      }
      let eviction = try await test.ledger.evictInstance(InstanceName(RepeatedWriteTests.name))
      guard case .free(let claim) = eviction else { return XCTFail("\(eviction)") }
      XCTAssertEqual(claim.epoch, Epoch(1))
    }

    // MARK: Bots and facts

    func testBot_thatWasThere_isNotAddedBySayingItTwice() async throws {
      let (test, proxy) = try await opened()
      let bot = Bot(name: try BotName("a"), settings: try BotSettings(cooldown: .seconds(1)))
      proxy.trap("tradeledger.add_bot(", .answer)
      let first = try await test.ledger.addBot(bot.name, bot.settings)
      XCTAssertEqual(first, .added(bot))
      // (Of the same connection it would be prepared by now.)
      let other = try await test.another(proxy.url(test.url))
      proxy.trap("tradeledger.add_bot(", .answer)
      let second = try await other.addBot(bot.name, bot.settings)
      XCTAssertEqual(second, .same(bot))
      XCTAssertTrue(proxy.isDone)
    }

    func testFacts_thatWereThere_areNotCounted() async throws {
      let (test, proxy) = try await opened()
      try await test.addBot()
      let facts = try [0, 1, 2, 1].map { number in
        PastFact(
          order: .example(), key: try OrderKey("fact-\(number)"),
          at: Timestamp(microseconds: 1_600_000_000_000_000 + Int64(number)))
      }
      let first = try await test.ledger.enter([facts[2]])
      XCTAssertEqual(first, 1)
      proxy.trap("tradeledger.enter(", .answer)
      let second = try await test.ledger.enter(facts)
      XCTAssertEqual(second, 2)
      proxy.trap("tradeledger.enter(", .question)
      let third = try await test.ledger.enter(facts)
      XCTAssertEqual(third, 0)
      XCTAssertTrue(proxy.isDone)
      XCTAssertEqual(try test.count(), 3)
    }

    /// More than go over in one text: still one transaction.
    func testFacts_inPieces_areAllOrNone() async throws {
      let test = try await ServerLedger()
      try await test.addBot()
      let facts = try (0..<2003).map { number in
        PastFact(
          order: .example(), key: try OrderKey("fact-\(number)"),
          at: Timestamp(microseconds: 1_600_000_000_000_000 + Int64(number)))
      }
      let future = PastFact(
        order: .example(), key: try OrderKey("future"),
        at: Timestamp(microseconds: 4_000_000_000_000_000))
      await expectError(.invalidInput, saying: "future") {
        _ = try await test.ledger.enter(facts + [future])
      }
      XCTAssertEqual(try test.count(), 0)
      let bot = "SELECT ctid FROM tradeledger.bots"
      let before = try TestServer.query(test.url, bot)
      let entered = try await test.ledger.enter(facts)
      // No version of the bot's row for each fact: all of them would be gone through each time.
      XCTAssertEqual(try TestServer.query(test.url, bot), before)
      XCTAssertEqual(entered, facts.count)
      XCTAssertEqual(try test.count(), facts.count)
      let nothing = try await test.ledger.enter([])
      XCTAssertEqual(nothing, 0)
    }

    // MARK: The row of the ledger

    /// What an error says is not what it is: the name of a database may be anything.
    func testMaking_isRefused_whateverTheDatabaseIsCalled() async throws {
      let server = try TestServer.orSkip()
      let suffix = UUID().uuidString.lowercased().prefix(8)
      let (database, role) = ("TL150_\(suffix)", "w_\(suffix)")
      try TestServer.query(server.url, "CREATE DATABASE \"\(database)\"")
      let url = TestServer.url(server.url, database: database)
      try TestServer.run(url, script: Ledger.serverSchemaSQL)
      try TestServer.run(
        url, script: "CREATE ROLE \(role) LOGIN; GRANT tradeledger_worker TO \(role)")
      defer {
        _ = try? TestServer.query(server.url, "DROP DATABASE \"\(database)\" WITH (FORCE)")
        _ = try? TestServer.query(server.url, "DROP ROLE \(role)")
      }
      await expectError(.permission) {
        _ = try await Ledger.create(
          TestServer.url(server.url, database: database, user: role), mode: .live)
      }
    }

    func testMaking_whoseAnswerIsLost_isDoneOnce() async throws {
      let proxy = try XCTUnwrap(proxy)
      let url = proxy.url(try TestServer.orSkip().database())
      proxy.trap("tradeledger.make_ledger(", .answer)
      let ledger = try await Ledger.create(url, mode: .paper)
      XCTAssertTrue(proxy.isDone)
      XCTAssertEqual(ledger.mode, .paper)
      await ledger.close()
    }
  }
#endif
