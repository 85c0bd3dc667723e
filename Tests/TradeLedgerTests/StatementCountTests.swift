import LedgerTestSupport
import SQLite
import XCTest

@testable import TradeLedger

/// How many statements each operation costs, exactly. A gate: a change of these numbers is a change
/// of the cost of every trade, and of the doc comments that state them.
final class StatementCountTests: XCTestCase {
  private struct Probe {
    let test: TestLedger
    let recorder = StatementRecorder()

    init() async throws {
      test = try await TestLedger()
      try await test.addBot(cooldown: .seconds(60))
      await test.ledger.sqlite.record(in: recorder)
      // The first operation prepares; what is counted is what is stepped.
      _ = try await test.ledger.check(exampleBot)
      _ = recorder.take()
    }

    /// First word or two of each statement.
    func taken() -> [String] {
      recorder.take().map { text in
        switch text {
        case Statements.admission: "look"
        case Statements.tradeByID: "trade"
        case Statements.insertTrade: "insert"
        case Statements.settle: "settle"
        case Statements.expire: "expire"
        case Statements.insertConflict: "conflict"
        case Statements.hasConflict: "has conflict"
        case Statements.currentEpoch: "epoch"
        default: text
        }
      }
    }
  }

  private let begin = ["BEGIN IMMEDIATE", "PRAGMA schema_version"]

  func testReserve_costsSixStatements() async throws {
    let probe = try await Probe()
    _ = try await probe.test.admitted()
    XCTAssertEqual(probe.taken(), ["look"] + begin + ["look", "insert", "COMMIT"])
    try await probe.test.verify()
  }

  func testRecord_costsSixStatements() async throws {
    let probe = try await Probe()
    try await probe.test.recorded()
    XCTAssertEqual(probe.taken(), ["look"] + begin + ["look", "insert", "COMMIT"])
    try await probe.test.verify()
  }

  func testFillAndVoid_costFiveStatements() async throws {
    let probe = try await Probe()
    let (_, permit) = try await probe.test.admitted()
    _ = probe.taken()
    try await probe.test.voided(permit)
    XCTAssertEqual(probe.taken(), begin + ["trade", "settle", "COMMIT"])
    let (_, second) = try await probe.test.admitted()
    _ = probe.taken()
    try await probe.test.filled(second)
    XCTAssertEqual(probe.taken(), begin + ["trade", "settle", "COMMIT"])
    // The same again writes nothing.
    _ = try await probe.test.ledger.fill(second.trade, token: second.token)
    XCTAssertEqual(probe.taken(), begin + ["trade", "ROLLBACK"])
    try await probe.test.verify()
  }

  /// A denial takes no lock: the look, and one statement to read the trade that caused it.
  func testDenial_costsTwoStatementsAndNoLock() async throws {
    let probe = try await Probe()
    let (_, permit) = try await probe.test.admitted()
    _ = probe.taken()
    let inProgress = try await probe.test.denied()
    XCTAssertEqual(inProgress.reason, .inProgress)
    XCTAssertEqual(probe.taken(), ["look", "trade"])
    try await probe.test.filled(permit)
    _ = probe.taken()
    let cooldown = try await probe.test.denied()
    XCTAssertEqual(cooldown.reason, .cooldown)
    XCTAssertEqual(probe.taken(), ["look", "trade"])
    _ = try await probe.test.ledger.changeBot(exampleBot, BotChange(isEnabled: false))
    _ = probe.taken()
    let disabled = try await probe.test.denied()
    XCTAssertEqual(disabled.reason, .disabled)
    XCTAssertEqual(probe.taken(), ["look"])
    try await probe.test.verify()
  }

  func testReplay_costsThreeStatementsAndNoLock() async throws {
    let probe = try await Probe()
    let key = try OrderKey("task-1")
    let token = PermitToken.random()
    _ = try await probe.test.ledger.reserve(.example(), key: key, token: token)
    _ = probe.taken()
    let again = try await probe.test.ledger.reserve(.example(), key: key, token: token)
    XCTAssertNotNil(again.permit)
    XCTAssertEqual(probe.taken(), ["look", "trade", "trade"], "by its key, and as the pending one")
    try await probe.test.verify()
  }

  /// The step to in doubt is written by the denied attempt that finds it: once.
  func testDenial_thatFindsAnExpiredLease_writesOnce() async throws {
    let probe = try await Probe()
    _ = try await probe.test.admitted()
    probe.test.clock.advance(.seconds(30))
    _ = probe.taken()
    let denial = try await probe.test.denied()
    XCTAssertEqual(denial.reason, .cooldown)
    let taken = probe.taken()
    XCTAssertEqual(taken.filter { $0 == "expire" }.count, 1)
    XCTAssertEqual(taken.last, "COMMIT")
    XCTAssertLessThanOrEqual(taken.count, 9)
    _ = try await probe.test.denied()
    XCTAssertEqual(probe.taken(), ["look", "trade"])
    try await probe.test.verify()
  }

  /// With an instance its epoch is compared: within the same look, and with one statement more when
  /// settling.
  func testInstance_costsOneStatementWhenSettling() async throws {
    let probe = try await Probe()
    try probe.test.foreignClient().run(
      "INSERT INTO instances (name, epoch, pid) VALUES ('trading_bot', 1, 1)")
    let claim = InstanceClaim(name: InstanceName(stored: "trading_bot"), epoch: Epoch(1))
    let outcome = try await probe.test.ledger.reserve(.example(), instance: claim)
    guard let permit = outcome.permit else { return XCTFail("\(outcome)") }
    XCTAssertEqual(probe.taken(), ["look"] + begin + ["look", "insert", "COMMIT"])
    let isLive = try await probe.test.ledger.isLive(permit)
    XCTAssertTrue(isLive)
    XCTAssertEqual(
      probe.taken(), ["BEGIN DEFERRED", "PRAGMA schema_version", "epoch", "ROLLBACK"])
    try await probe.test.filled(permit)
    XCTAssertEqual(probe.taken(), begin + ["trade", "epoch", "settle", "COMMIT"])
    try await probe.test.verify()
  }

  /// Without an instance the look before the call is a look at the clock.
  func testIsLive_withoutInstance_costsNothing() async throws {
    let probe = try await Probe()
    let (_, permit) = try await probe.test.admitted()
    _ = probe.taken()
    _ = try await probe.test.ledger.isLive(permit)
    XCTAssertEqual(probe.taken(), [])
    try await probe.test.verify()
  }

  /// Nothing stays open after an operation, whatever its answer.
  func testEveryOperation_leavesNoTransactionOpen() async throws {
    let probe = try await Probe()
    let test = probe.test
    let (trade, permit) = try await test.admitted()
    _ = try await test.denied()
    _ = try await test.ledger.fill(trade.id, token: .random())
    _ = try? await test.ledger.fill(TradeID(99), token: .random())
    _ = try? await test.ledger.changeBot(BotName("nobody"), BotChange())
    _ = try? await test.ledger.record(.example(), fill: Fill(at: test.now(.seconds(5))))
    _ = try await test.ledger.audit()
    _ = try await test.ledger.status()
    _ = try await test.ledger.diagnosis()
    try await test.filled(permit)
    let isOpen = await test.ledger.sqlite.isInTransaction()
    XCTAssertFalse(isOpen)
    let opened = probe.recorder.take()
    XCTAssertEqual(
      opened.filter { $0.hasPrefix("BEGIN") }.count,
      opened.filter { $0 == "COMMIT" || $0 == "ROLLBACK" }.count)
    try await test.verify()
  }

  /// The log does not grow for ever: the ledger copies it into the main file by itself.
  func testManyTrades_keepTheLogBounded() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .zero)
    var largest: Int64 = 0
    for _ in 0..<400 {
      try await test.recorded()
      largest = max(largest, try await test.ledger.status().walBytes)
    }
    // Twice the frames after which a checkpoint is due, with their headers, and some slack.
    XCTAssertLessThan(largest, Int64(SQLiteEngine.checkpointFrames * 2 * (4096 + 24)))
    let counters = await test.ledger.sqlite.counters()
    XCTAssertLessThan(counters.walFrames, SQLiteEngine.checkpointFrames * 2)
    try await test.verify()
  }
}
