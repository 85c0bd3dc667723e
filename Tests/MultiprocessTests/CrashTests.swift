import LedgerTestSupport
import TradeLedger
import XCTest

/// Processes that are killed, stopped or slow between the two phases.
class CrashTests: PlacedTestCase {
  private var path = ""

  override func setUp() async throws {
    path = try newPlace()
    XCTAssertEqual(try LedgerWorker(path).ask("create live"), "ok")
  }

  override func tearDown() async throws {
    if !path.isEmpty { try LedgerCheck.verify(path) }
    try await super.tearDown()
  }

  private func worker(wait: String = "10s") throws -> LedgerWorker {
    let worker = try LedgerWorker(path, wait: wait)
    XCTAssertEqual(worker.ask("open"), "ok")
    return worker
  }

  private func kill(_ worker: LedgerWorker) {
    worker.process.signal(SIGKILL)
    XCTAssertEqual(worker.process.wait(), 128 + SIGKILL)
  }

  private func rows() throws -> [[String]] {
    try LedgerCheck.query(path, "SELECT id, status FROM trades ORDER BY id")
  }

  /// S-05: kill -9 after reserve, before the exchange call. The bot is held by the lease and by the
  /// cooldown; then the trade is in doubt, and an operator can declare it void. INV-6, INV-8.
  func testKill_beforeTheExchangeCall_holdsTheCooldown() async throws {
    let other = try worker()
    other.ask("bot b 1500ms 300ms cooldown")
    let start = LedgerWorker.bootNow()
    let victim = try worker()
    XCTAssertTrue(victim.ask("trade b").hasPrefix("sending "))
    kill(victim)
    XCTAssertEqual(other.ask("reserve b"), "denied in_progress 1")
    var answers: [String] = []
    let isAdmitted = eventually {
      answers.append(other.ask("reserve b"))
      return answers.last?.hasPrefix("admitted ") ?? false
    }
    XCTAssertTrue(isAdmitted, "\(answers.last ?? "")")
    // The lease ended after 300 ms, the cooldown not before 1,500 ms.
    XCTAssertGreaterThanOrEqual(LedgerWorker.bootNow() - start, 1_500_000)
    XCTAssertTrue(answers.contains("denied cooldown 1"))
    XCTAssertEqual(try rows(), [["1", "in_doubt"], ["2", "pending"]])
    let ledger = try await Ledger.open(path)
    let outcome = try await ledger.resolve(.id(TradeID(1)), fill: nil, reason: "never sent")
    guard case .settled(let trade) = outcome else { return XCTFail("\(outcome)") }
    XCTAssertEqual(trade.status, .void)
    await ledger.close()
  }

  /// S-06: kill -9 after the exchange accepted, before fill: the same row in doubt, no second
  /// order, and the key finds the order at the exchange.
  func testKill_afterTheExchangeAccepted_leavesTheRowInDoubt() async throws {
    let other = try worker()
    other.ask("bot b 1h 200ms cooldown")
    let victim = try worker()
    let sending = victim.ask("trade b")
    let acceptedKey = String(sending.dropFirst("sending ".count))
    kill(victim)
    XCTAssertTrue(eventually { other.ask("reserve b") == "denied cooldown 1" })
    XCTAssertEqual(try rows(), [["1", "in_doubt"]])
    let ledger = try await Ledger.open(path)
    let found = try await ledger.trade(.key(OrderKey(acceptedKey)))
    XCTAssertEqual(found.status, .inDoubt)
    let outcome = try await ledger.resolve(
      .key(OrderKey(acceptedKey)), fill: Fill(price: Amount("2")), reason: "found there")
    guard case .settled(let trade) = outcome else { return XCTFail("\(outcome)") }
    XCTAssertTrue(trade.isLate && trade.status == .filled)
    await ledger.close()
  }

  /// S-07 and S-18 between processes: a holder is stopped over the end of its lease; another asks
  /// and is refused by the cooldown; the holder goes on and its fill is recorded as late.
  func testStop_overTheLease_fillIsLateAndNobodyElseTraded() throws {
    let other = try worker()
    other.ask("bot b 1h 300ms cooldown")
    let holder = try worker()
    XCTAssertTrue(holder.ask("trade b").hasPrefix("sending "))
    holder.process.signal(SIGSTOP)
    XCTAssertEqual(other.ask("reserve b"), "denied in_progress 1")
    XCTAssertTrue(eventually { other.ask("reserve b") == "denied cooldown 1" })
    holder.process.signal(SIGCONT)
    XCTAssertEqual(holder.ask("ok"), "filled 1 late")
    XCTAssertEqual(try rows(), [["1", "filled"]])
  }

  /// S-08 under `block`: after the lease nobody trades until somebody settles.
  func testStop_overTheLeaseUnderBlock_blocksUntilSettled() throws {
    let other = try worker()
    other.ask("bot b 0s 200ms block")
    let holder = try worker()
    XCTAssertTrue(holder.ask("trade b").hasPrefix("sending "))
    XCTAssertTrue(eventually { other.ask("reserve b") == "denied in_doubt 1" })
    XCTAssertEqual(holder.ask("fail"), "indoubt 1")
    XCTAssertEqual(other.ask("reserve b"), "denied in_doubt 1")
  }

  /// INV-9: while one bot's exchange call hangs, the others trade.
  func testSlowExchange_delaysNoOtherBot() throws {
    let slow = try worker()
    let fast = try worker()
    for bot in ["slow", "fast"] { fast.ask("bot \(bot) 0s 1h cooldown") }
    XCTAssertTrue(slow.ask("trade slow").hasPrefix("sending "))
    for _ in 0..<20 {
      XCTAssertTrue(fast.ask("trade fast").hasPrefix("sending "))
      XCTAssertTrue(fast.ask("ok").hasPrefix("filled "))
    }
    XCTAssertTrue(slow.ask("refuse").hasPrefix("void "))
  }

  /// A storm: eight workers trade on two bots and are killed at random moments by SIGKILL; what
  /// each was told is compared with the rows. INV-1, INV-2, INV-4.
  func testKillStorm_everyAnswerIsOnRecord() throws {
    let setup = try worker()
    for bot in ["b0", "b1"] { setup.ask("bot \(bot) 20ms 40ms cooldown") }
    var told: [String: String] = [:]
    var kills = 0
    var crowd = try (0..<6).map { _ in try worker() }
    let rounds = Self.isOnServer ? 40 : 120
    for round in 0..<rounds {
      for (index, worker) in crowd.enumerated() {
        worker.send("reserve b\(index % 2) key-\(round)-\(index) token-of-round-\(round)-\(index)")
      }
      let victim = round % crowd.count
      crowd[victim].process.signal(SIGKILL)
      for (index, worker) in crowd.enumerated() {
        let answer = worker.process.readLine(timeout: 30) ?? ""
        XCTAssertFalse(answer.hasPrefix("error"), answer)
        let words = answer.split(separator: " ").map(String.init)
        guard words.first == "admitted" else { continue }
        told["key-\(round)-\(index)"] = words[1]
        if index != victim { worker.ask("fill \(words[1]) \(words[2])") }
      }
      _ = crowd[victim].process.wait()
      crowd[victim] = try worker()
      kills += 1
    }
    let stored = try LedgerCheck.query(path, "SELECT key, id FROM trades")
    let ids = Dictionary(uniqueKeysWithValues: stored.map { ($0[0], $0[1]) })
    for (key, id) in told { XCTAssertEqual(ids[key], id, "an answer that is not on record") }
    XCTAssertGreaterThan(told.count, 20)
    XCTAssertEqual(kills, rounds)
  }
}

#if PostgreSQL
  /// The same on a server.
  final class PostgreSQLCrashTests: CrashTests {
    override class var engine: Engine { .server }

    /// S-04: the server dies between the two phases. The caller learns that the order was sent and
    /// must be looked up; the pending row stands, and later the same fill is taken.
    func testFill_whileTheServerIsDown_keepsThePendingRow() throws {
      guard ProcessInfo.processInfo.environment["TRADELEDGER_TEST_POSTGRES"] == nil else {
        throw XCTSkip("needs a server of its own")
      }
      let server = try TestServer.ownOrSkip()
      defer { server.stop() }
      let url = try server.database()
      let holder = try LedgerWorker(url, wait: "500ms")
      XCTAssertEqual(holder.ask("create live"), "ok")
      holder.ask("bot b 15m 30s cooldown")
      XCTAssertTrue(holder.ask("trade b").hasPrefix("sending "))
      server.kill()
      let answer = holder.ask("ok")
      XCTAssertTrue(answer.contains(" check_first the order was sent"), answer)
      server.restart()
      let other = try LedgerWorker(url)
      XCTAssertEqual(other.ask("open"), "ok")
      XCTAssertEqual(other.ask("reserve b"), "denied in_progress 1")
      let token = try LedgerCheck.query(url, "SELECT token FROM trades")[0][0]
      XCTAssertEqual(holder.ask("fill 1 \(token)"), "settled filled ontime")
      XCTAssertEqual(other.ask("reserve b"), "denied cooldown 1")
      try LedgerCheck.verify(url)
    }
  }
#endif
