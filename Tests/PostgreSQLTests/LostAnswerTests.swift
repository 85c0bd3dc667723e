#if PostgreSQL
  import LedgerTestSupport
  import XCTest

  @testable import TradeLedger

  /// INV-4 over a network: an answer that does not come is fetched by the key, and never by a second
  /// order.
  final class LostAnswerTests: XCTestCase {
    private var proxy: CuttingProxy?

    override func setUpWithError() throws {
      let server = try TestServer.orSkip()
      let port = URLComponents(string: server.url)?.port ?? 5432
      proxy = try CuttingProxy(upstream: port)
    }

    override func tearDown() { proxy?.close() }

    /// With one connection, which is there: the next question on it is the test's own.
    private func opened(
      lockWait: Duration = .seconds(5), connections: Int = 1
    ) async throws -> (ServerLedger, CuttingProxy) {
      let proxy = try XCTUnwrap(proxy)
      let test = try await ServerLedger(through: proxy) {
        $0.lockWait = lockWait
        $0.connectionLimit = connections
      }
      try await test.addBot()
      return (test, proxy)
    }

    /// The row was written and its answer lost: whoever alone can have asked for it gets its permit.
    func testReserve_whoseAnswerIsLost_isAdmittedOnce() async throws {
      let (test, proxy) = try await opened()
      let own: [(String?, String?)] = [(nil, nil), ("key-1", nil), (nil, "token-of-mine-01")]
      for (number, (key, token)) in own.enumerated() {
        proxy.cut(.answer)
        let outcome = try await test.ledger.reserve(
          .example(), key: key.map { try OrderKey($0) }, token: token.map { try PermitToken($0) })
        guard case .admitted(let trade, let permit) = outcome else { return XCTFail("\(outcome)") }
        XCTAssertEqual(try test.count(), number + 1)
        let isLive = try await test.ledger.isLive(permit)
        XCTAssertTrue(isLive)
        _ = try await test.ledger.fill(trade.id, token: permit.token)
      }
      XCTAssertEqual(proxy.cutsDone, own.count)
      try await test.verify()
    }

    /// With a key and a token of the caller's, an earlier call of the caller's may have done it: the
    /// permit comes back as that of a replay.
    func testReserve_withKeyAndToken_isReplayedWithItsPermit() async throws {
      let (test, proxy) = try await opened()
      proxy.cut(.answer)
      let outcome = try await test.ledger.reserve(
        .example(), key: OrderKey("key-1"), token: PermitToken("token-of-mine-01"))
      guard case .replayed(_, let permit?) = outcome else { return XCTFail("\(outcome)") }
      XCTAssertEqual(permit.token.description, "token-of-mine-01")
      XCTAssertEqual(try test.count(), 1)
    }

    func testReserve_thatNeverArrived_isAskedAgain() async throws {
      let (test, proxy) = try await opened()
      proxy.cut(.question, .question, .answer)
      let outcome = try await test.ledger.reserve(.example())
      guard case .admitted = outcome else { return XCTFail("\(outcome)") }
      XCTAssertEqual(try test.count(), 1)
      XCTAssertEqual(proxy.cutsDone, 3)
    }

    /// A permit that comes on the second try is no longer good than one on the first: its lease
    /// ends on this machine when it ends at the server.
    func testPermit_ofASecondTry_endsWithTheServersLease() async throws {
      let (test, proxy) = try await opened()
      _ = try await test.ledger.changeBot(
        BotName("momentum/BTC-USD"), BotChange(lease: .milliseconds(400)))
      proxy.cut(.answer)
      let outcome = try await test.ledger.reserve(.example())
      let permit = try XCTUnwrap(outcome.permit)
      let end = try XCTUnwrap(permit.bootValidUntil)
      _ = eventuallyIsOver(end)
      let isLive = try await test.ledger.isLive(permit)
      XCTAssertFalse(isLive)
      let now = Int64(try TestServer.query(test.url, "SELECT tradeledger.server_now()")[0][0]) ?? 0
      XCTAssertLessThanOrEqual(now - permit.validUntil.microseconds, 300_000)
    }

    private func eventuallyIsOver(_ end: BootInstant) -> Bool {
      eventually { (SystemClock().now().boot?.elapsed(since: end) ?? .zero) >= .zero }
    }

    func testFill_whoseAnswerIsLost_isSettledOnce() async throws {
      let (test, proxy) = try await opened()
      let outcome = try await test.ledger.reserve(.example())
      let permit = try XCTUnwrap(outcome.permit)
      proxy.cut(.answer)
      let settled = try await test.ledger.fill(permit.trade, token: permit.token)
      guard case .replayed(let trade) = settled else { return XCTFail("\(settled)") }
      XCTAssertEqual(trade.status, .filled)
      XCTAssertFalse(trade.isLate)
    }

    /// A first try may still be on its way: that the second was denied does not say that it will be.
    func testDenial_afterALostTry_isUnknown() async throws {
      let (test, proxy) = try await opened()
      _ = try await test.ledger.changeBot(
        BotName("momentum/BTC-USD"), BotChange(cooldown: .seconds(900)))
      _ = try await test.ledger.record(.example(), key: OrderKey("first"))
      proxy.cut(.question)
      await expectError(.outcomeUnknown, saying: "cooldown") {
        _ = try await test.ledger.reserve(.example())
      }
      // That a key names another order is so for good.
      proxy.cut(.question)
      let outcome = try await test.ledger.reserve(.example(side: .sell), key: OrderKey("first"))
      guard case .denied(let denial) = outcome else { return XCTFail("\(outcome)") }
      XCTAssertEqual(denial.reason, .keyConflict)
    }

    func testRecord_whoseAnswerIsLost_isRecordedOnce() async throws {
      let (test, proxy) = try await opened()
      proxy.cut(.answer)
      guard case .recorded = try await test.ledger.record(.example()) else {
        return XCTFail("not recorded")
      }
      XCTAssertEqual(try test.count(), 1)
    }

    func testWrites_ofOtherKinds_areDoneOnce() async throws {
      let (test, proxy) = try await opened()
      proxy.cut(.answer)
      let bot = Bot(name: try BotName("b"), settings: try BotSettings(cooldown: .seconds(1)))
      let added = try await test.ledger.addBot(bot.name, bot.settings)
      XCTAssertEqual(added, .added(bot))
      proxy.cut(.answer)
      let changed = try await test.ledger.changeBot(bot.name, BotChange(cooldown: .seconds(2)))
      XCTAssertEqual(changed.settings.cooldown, .seconds(2))
      proxy.cut(.answer)
      let fact = PastFact(
        order: .example(), key: try OrderKey("fact"), at: Timestamp(microseconds: 1_000_000))
      let entered = try await test.ledger.enter([fact])
      XCTAssertEqual(entered, 1)
      // Names have a connection of their own.
      _ = try await test.ledger.acquireInstance(InstanceName("other"))
      proxy.cut(.answer)
      let outcome = try await test.ledger.acquireInstance(InstanceName("bot"))
      guard case .acquired(let lease) = outcome else { return XCTFail("\(outcome)") }
      XCTAssertEqual(lease.epoch, Epoch(1))
      // A second time it is this very process that has it.
      let again = try await test.ledger.acquireInstance(InstanceName("bot"))
      guard case .denied(let denial) = again else { return XCTFail("\(again)") }
      XCTAssertEqual(denial.reason, .held)
      proxy.cut(.answer)
      let released = try await lease.release()
      XCTAssertTrue(released)
      XCTAssertEqual(try test.count("trade_rows"), 1)
    }

    /// The process has the name already, through another `Ledger`: a lost answer is no reason to
    /// take it for the work of the lost try.
    func testName_thatTheProcessHasElsewhere_isHeld() async throws {
      let (test, proxy) = try await opened()
      let other = try await test.another()
      guard case .acquired(let lease) = try await other.acquireInstance(InstanceName("bot")) else {
        return XCTFail("not acquired")
      }
      // Names have a connection of their own.
      _ = try await test.ledger.acquireInstance(InstanceName("mine"))
      proxy.cut(.answer)
      let outcome = try await test.ledger.acquireInstance(InstanceName("bot"))
      guard case .denied(let denial) = outcome else { return XCTFail("\(outcome)") }
      XCTAssertEqual(denial.reason, .held)
      XCTAssertTrue(proxy.isDone)
      _ = try await lease.release()
      await other.close()
    }

    /// Nothing was sent: it is certain that nothing was written.
    func testServer_thatIsGone_isUnavailable() async throws {
      let (test, proxy) = try await opened(lockWait: .milliseconds(300))
      _ = try await test.ledger.record(.example())
      proxy.refuse(true)
      proxy.cut(.question)
      let start = ContinuousClock.now
      // The first one may be on its way when the connection ends.
      for code in [LedgerError.Code.outcomeUnknown, .unavailable] {
        await expectError(code) { _ = try await test.ledger.reserve(.example()) }
      }
      await expectError(.unavailable) { _ = try await test.ledger.status() }
      XCTAssertLessThan(ContinuousClock.now - start, .seconds(20))
      proxy.refuse(false)
      let outcome = try await test.ledger.reserve(.example())
      XCTAssertNotNil(outcome.permit)
      XCTAssertEqual(try test.count(), 2)
    }

    func testAnswer_thatCannotBeFetched_isUnknown() async throws {
      let (test, proxy) = try await opened(lockWait: .milliseconds(300))
      _ = try await test.ledger.record(.example())
      proxy.cut(.answer)
      proxy.refuse(true)
      let key = try OrderKey("key-1")
      do {
        _ = try await test.ledger.reserve(.example(), key: key)
        XCTFail("answered")
      } catch {
        XCTAssertEqual(error.code, .outcomeUnknown)
        XCTAssertEqual(error.retry, .checkFirst)
      }
      proxy.refuse(false)
      // It was written. The same key again is told so, and gets no permit that it could trade with.
      let again = try await test.ledger.reserve(.example(), key: key)
      guard case .replayed(let trade, nil) = again else { return XCTFail("\(again)") }
      XCTAssertEqual(trade.key, key)
      XCTAssertEqual(try test.count(), 2)
    }

    /// Cuts at every place while eight callers trade: each answer is true, and no order is doubled.
    func testCuts_underLoad() async throws {
      let (test, proxy) = try await opened(lockWait: .seconds(10), connections: 4)
      let bots = try (0..<4).map { try BotName("bot-\($0)") }
      for bot in bots { _ = try await test.ledger.addBot(bot, BotSettings(cooldown: .zero)) }
      let ledger = test.ledger
      let filled = try await withThrowingTaskGroup(of: [TradeID].self) { group in
        for caller in 0..<8 {
          group.addTask {
            var filled: [TradeID] = []
            for round in 0..<25 {
              if (caller + round) % 3 == 0 { proxy.cut(round % 2 == 0 ? .answer : .question) }
              let order = Order.example(bots[caller % 4].description)
              guard let permit = try await ledger.permit(order) else { continue }
              switch try await ledger.fill(permit.trade, token: permit.token) {
              case .settled(let trade), .replayed(let trade): filled.append(trade.id)
              case .denied(let denial): XCTFail("\(denial)")
              }
            }
            return filled
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      XCTAssertEqual(filled.count, Set(filled).count)
      XCTAssertGreaterThan(filled.count, 40)
      XCTAssertEqual(try test.count(), filled.count, "a row that nobody was told of")
      let pending = try TestServer.query(
        test.url, "SELECT COUNT(*) FROM tradeledger.occupying_trades")
      XCTAssertEqual(pending, [["0"]])
      XCTAssertGreaterThan(proxy.cutsDone, 40)
      try await test.verify()
    }
  }
#endif
