#if PostgreSQL
  import LedgerTestSupport
  import PostgreSQL
  import XCTest

  @testable import TradeLedger

  /// Many callers, bots that do not wait for each other, and what is seen of a ledger on a server.
  final class EngineTests: XCTestCase {
    /// Without `close`, which only somebody who still has it could call.
    func testLedger_thatIsDropped_leavesNoConnection() async throws {
      let url = try await ServerLedger().url
      for number in 0..<3 {
        let ledger = try await Ledger.open(url)
        _ = try await ledger.addBot(BotName("bot-\(number)"), BotSettings(cooldown: .zero))
        async let one = ledger.reserve(.example("bot-\(number)"))
        async let other = ledger.check(BotName("bot-\(number)"))
        _ = try await (one, other)
      }
      let others = """
        SELECT 1 FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND datname = current_database()
        """
      XCTAssertTrue(eventually { (try? TestServer.query(url, others))?.isEmpty == true })
    }

    func testCallers_whoComeTogether_shareTransactions() async throws {
      let test = try await ServerLedger()
      let bots = try (0..<20).map { try BotName("bot-\($0)") }
      for bot in bots {
        _ = try await test.ledger.addBot(bot, BotSettings(cooldown: .seconds(900)))
      }
      let ledger = test.ledger
      let admitted = try await withThrowingTaskGroup(of: TradeID?.self) { group in
        for caller in 0..<400 {
          group.addTask {
            let order = Order.example(bots[caller % bots.count].description)
            guard case .admitted(let trade, let permit) = try await ledger.reserve(order) else {
              return nil
            }
            guard case .settled = try await ledger.fill(trade.id, token: permit.token) else {
              XCTFail("not filled")
              return nil
            }
            return trade.id
          }
        }
        return try await group.reduce(into: []) { $0 += $1.map { [$0] } ?? [] }
      }
      // One for each bot: all others came inside its cooldown, or while it was at work.
      XCTAssertEqual(admitted.count, bots.count)
      XCTAssertEqual(try test.count(), bots.count)
      let transactions = try TestServer.query(
        test.url, "SELECT COUNT(DISTINCT xmin::text) FROM tradeledger.trades")
      XCTAssertLessThanOrEqual(Int(transactions[0][0]) ?? 99, bots.count)
      let statements = await ledger.work().statements
      XCTAssertLessThan(statements, 400, "each caller had a statement of its own")
      try await test.verify()
    }

    /// An error of one caller is no other's, also in company.
    func testError_inCompany_isItsOwn() async throws {
      let test = try await ServerLedger()
      try await test.addBot("a")
      let ledger = test.ledger
      let nobody = Order.example("nobody")
      let results = await withTaskGroup(of: String.self) { group in
        for caller in 0..<60 {
          group.addTask {
            do throws(LedgerError) {
              if caller % 3 == 0 {
                _ = try await ledger.reserve(nobody)
                return "admitted"
              }
              _ = try await ledger.fill(TradeID(77), token: .random())
              return "settled"
            } catch { return error.code.description }
          }
        }
        return await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
      }
      XCTAssertEqual(results, ["no_such_bot": 20, "no_such_trade": 40])
    }

    /// INV-9: while somebody holds the lock of one bot, no call of another bot waits for it, not even
    /// behind callers of this process who do.
    func testBots_doNotWaitForEachOther() async throws {
      let test = try await ServerLedger { $0.lockWait = .milliseconds(1500) }
      for bot in ["a", "b"] { try await test.addBot(bot) }
      let holder = try Connection.open(try Address(test.url), wait: .seconds(10))
      try holder.run(
        script: "BEGIN; SELECT 1 FROM tradeledger.bots WHERE name = 'a' FOR UPDATE",
        wait: .seconds(10))
      let ledger = test.ledger
      let start = ContinuousClock.now
      let blocked = Task {
        await withTaskGroup(of: LedgerError.Code?.self) { group in
          for _ in 0..<10 {
            group.addTask {
              do throws(LedgerError) {
                _ = try await ledger.reserve(.example("a"))
                return nil
              } catch { return error.code }
            }
          }
          return await group.reduce(into: []) { $0.append($1) }
        }
      }
      var slowest = Duration.zero
      var count = 0
      while ContinuousClock.now - start < .milliseconds(1200) {
        let begin = ContinuousClock.now
        let outcome = try await ledger.reserve(.example("b"))
        let permit = try XCTUnwrap(outcome.permit)
        _ = try await ledger.fill(permit.trade, token: permit.token)
        slowest = max(slowest, ContinuousClock.now - begin)
        count += 1
      }
      XCTAssertGreaterThan(count, 20)
      XCTAssertLessThan(slowest, .milliseconds(500))
      let codes = await blocked.value
      XCTAssertEqual(codes, Array(repeating: LedgerError.Code.busy, count: 10))
      // INV-8.
      XCTAssertLessThan(ContinuousClock.now - start, .seconds(4))
      try holder.run(script: "ROLLBACK", wait: .seconds(10))
      let after = try await ledger.reserve(.example("a"))
      XCTAssertNotNil(after.permit)
      try await test.verify()
    }

    /// Two processes' worth of ledgers, one bot: one "yes" at a time, whoever asks.
    func testLedgers_thatRace_admitOne() async throws {
      let test = try await ServerLedger()
      try await test.addBot("a", cooldown: .seconds(900))
      var ledgers: [Ledger] = []
      for _ in 0..<8 { ledgers.append(try await test.another()) }
      let admitted = try await withThrowingTaskGroup(of: Int.self) { group in
        for ledger in ledgers {
          group.addTask {
            var admitted = 0
            for _ in 0..<20 {
              if try await ledger.reserve(.example("a")).permit != nil { admitted += 1 }
            }
            return admitted
          }
        }
        return try await group.reduce(0, +)
      }
      XCTAssertEqual(admitted, 1)
      for ledger in ledgers { await ledger.close() }
      try await test.verify()
    }

    func testLooking_isThatOfAnyLedger() async throws {
      let test = try await ServerLedger(mode: .paper)
      try await test.addBot("a", cooldown: .seconds(900))
      try await test.addBot("b", lease: .milliseconds(1))
      let filled = try await test.ledger.record(.example("a", price: "101.5"))
      guard case .recorded(let trade) = filled else { return XCTFail("\(filled)") }
      let reserved = try await test.ledger.reserve(.example("b"), key: OrderKey("k"))
      let permit = try XCTUnwrap(reserved.permit)
      XCTAssertTrue(
        eventually { SystemClock().now().wall > permit.validUntil.advanced(by: .milliseconds(50)) })
      let status = try await test.ledger.status()
      XCTAssertEqual(status.mode, .paper)
      XCTAssertEqual(status.trades, 2)
      XCTAssertEqual(status.bots.map(\.bot.name.description), ["a", "b"])
      XCTAssertEqual(status.bots[0].lastTradeAt, trade.filledAt)
      guard case .denied(let denial) = status.bots[0].check else { return XCTFail("admissible") }
      XCTAssertEqual(denial.reason, .cooldown)
      XCTAssertEqual(denial.winner, trade)
      XCTAssertEqual(status.bots[1].inDoubt.map(\.id), [permit.trade])
      XCTAssertNotNil(status.serverVersion)
      let page = try await test.ledger.trades(TradeQuery(limit: 1))
      XCTAssertEqual(page.total, 2)
      XCTAssertEqual(page.trades.map(\.id), [permit.trade])
      let doubts = try await test.ledger.trades(TradeQuery(status: .inDoubt))
      XCTAssertEqual(doubts.trades.map(\.id), [permit.trade])
      let byKey = try await test.ledger.trade(.key(OrderKey("k")))
      XCTAssertEqual(byKey.status, .inDoubt)
      let audit = try await test.ledger.audit()
      XCTAssertEqual(audit.examined, 2)
      XCTAssertEqual(audit.findings.map(\.check), [.inDoubt])
      let figures = try await test.ledger.figures()
      XCTAssertEqual(figures.trades[try BotName("a")], [.filled: 1])
      let resolved = try await test.ledger.resolve(
        .key(OrderKey("k")), fill: nil, reason: "never sent")
      guard case .settled(let settled) = resolved else { return XCTFail("\(resolved)") }
      XCTAssertTrue(settled.isSettledByOperator)
      let all = try await test.ledger.trades(
        TradePiece(.byNumber(after: TradeID(0)), through: TradeID(9)))
      XCTAssertEqual(all.map(\.status), [.filled, .void])
      let diagnosis = try await test.ledger.diagnosis()
      XCTAssertEqual(diagnosis.server?.isStandby, false)
      await expectError(.noSuchBot) { _ = try await test.ledger.status(BotName("c")) }
      await expectError(.noSuchTrade) { _ = try await test.ledger.trade(.id(TradeID(9))) }
      let directory = TemporaryDirectory()
      await expectError(.configuration, saying: "pg_dump") {
        _ = try await test.ledger.backUp(to: directory.file("b.db"))
      }
      try await test.verify()
    }

    func testFacts_areReviewedAndEnteredOnce() async throws {
      let test = try await ServerLedger()
      try await test.addBot("a", cooldown: .seconds(60))
      let day = Timestamp(microseconds: 1_757_276_933_000_000)
      let facts = try (0..<500).map { number in
        PastFact(
          order: .example("a"), key: try OrderKey("fact-\(number)"),
          at: day.advanced(by: .seconds(number == 7 ? 6 * 100 + 30 : number * 100)))
      }
      let before = try await test.ledger.review(facts)
      XCTAssertEqual(Set(before.standings), [.new])
      XCTAssertEqual(before.closePairCount, 1)
      let entered = try await test.ledger.enter(facts)
      XCTAssertEqual(entered, 500)
      let again = try await test.ledger.enter(facts)
      XCTAssertEqual(again, 0)
      let after = try await test.ledger.review(facts)
      XCTAssertEqual(Set(after.standings), [.known])
      XCTAssertEqual(after.closePairCount, 0)
      let other = PastFact(order: .example("a", side: .sell), key: facts[3].key, at: facts[3].at)
      await expectError(.invalidInput, saying: "fact-3") {
        _ = try await test.ledger.enter([other])
      }
      let late = PastFact(
        order: .example("a"), key: try OrderKey("x"),
        at: Timestamp(microseconds: 4_000_000_000_000_000))
      await expectError(.invalidInput) { _ = try await test.ledger.enter([late]) }
      await expectError(.noSuchBot) {
        _ = try await test.ledger.enter([
          PastFact(order: .example("c"), key: OrderKey("y"), at: day)
        ])
      }
      let audit = try await test.ledger.audit()
      XCTAssertEqual(audit.findings.map(\.check), [.doubleTrade])
      XCTAssertTrue(audit.findings.allSatisfy(\.involvesPast))
    }

    func testAccess_readOnly_writesNothing() async throws {
      let test = try await ServerLedger()
      try await test.addBot("a")
      let reader = try await test.another { $0.access = .readOnly }
      await expectError(.configuration) { _ = try await reader.reserve(.example("a")) }
      await expectError(.configuration) {
        _ = try await reader.addBot(BotName("b"), BotSettings(cooldown: .zero))
      }
      let check = try await reader.check(BotName("a"))
      XCTAssertEqual(check, .admissible)
      await reader.close()
      await expectError(.configuration) { _ = try await reader.status() }
      await expectError(.configuration) { _ = try await reader.reserve(.example("a")) }
    }
  }
#endif
