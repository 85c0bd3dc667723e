import LedgerTestSupport
import SQLite
import XCTest

@testable import TradeLedger

/// What callers wait for while somebody holds the write lock, and what they do not wait for.
final class LockWaitTests: XCTestCase {
  /// While another connection holds the write lock, blocked reservations block threads of their
  /// own: other async work of the process goes on.
  func testReserve_waitingForTheLock_doesNotBlockTheCooperativePool() async throws {
    let count = 2 * ProcessInfo.processInfo.activeProcessorCount
    let test = try await TestLedger(lockWait: .seconds(60))
    for number in 0..<count { try await test.addBot("bot-\(number)") }
    var options = Ledger.Options()
    options.clock = test.clock
    options.lockWait = .seconds(60)
    let waiting = Signal()
    let recorder = StatementRecorder { if $0 == "BEGIN IMMEDIATE" { waiting.fire() } }
    var ledgers: [Ledger] = []
    for _ in 0..<count {
      let ledger = try await Ledger.open(test.path, options: options)
      await ledger.sqlite.record(in: recorder)
      ledgers.append(ledger)
    }
    let holder = try test.foreignClient()
    try holder.run("BEGIN IMMEDIATE")
    let reserving = ledgers.enumerated().map { number, ledger in
      Task { try await ledger.reserve(.example("bot-\(number)")) }
    }
    await waiting.wait(count)
    // All are blocked. Work that needs every thread of the pool still finishes.
    let finished = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<count {
        group.addTask {
          for _ in 0..<100 { await Task.yield() }
          return 1
        }
      }
      return await group.reduce(0, +)
    }
    XCTAssertEqual(finished, count)
    XCTAssertEqual(try test.query("SELECT COUNT(*) FROM trades"), [["0"]], "still blocked")
    try holder.run("ROLLBACK")
    for task in reserving {
      let outcome = try await task.value
      XCTAssertNotNil(outcome.permit, "\(outcome)")
    }
    for ledger in ledgers { await ledger.close() }
    try await test.verify()
  }

  /// INV-8: time spent behind other callers of the same ledger is part of the wait. Twenty callers
  /// on one locked ledger are told "busy" after about one limit, not after twenty.
  func testReserve_byManyTasksOnALockedLedger_waitsOneLimit() async throws {
    let limit = Duration.milliseconds(400)
    let test = try await TestLedger(lockWait: limit)
    try await test.addBot()
    let holder = try test.foreignClient()
    try holder.run("BEGIN IMMEDIATE")
    let waits = await withTaskGroup(of: Duration?.self) { group in
      for _ in 0..<20 {
        group.addTask {
          let start = ContinuousClock.now
          do {
            _ = try await test.ledger.reserve(.example())
            return nil
          } catch {
            guard (error as? LedgerError)?.code == .busy else { return nil }
            XCTAssertEqual((error as? LedgerError)?.retry, .safe)
            return ContinuousClock.now - start
          }
        }
      }
      return await group.reduce(into: [Duration?]()) { $0.append($1) }
    }
    try holder.run("ROLLBACK")
    XCTAssertEqual(waits.compactMap { $0 }.count, 20, "every caller was told busy")
    for wait in waits.compactMap({ $0 }) {
      XCTAssertGreaterThanOrEqual(wait, limit)
      XCTAssertLessThan(wait, limit * 10)
    }
    XCTAssertEqual(try test.query("SELECT COUNT(*) FROM trades"), [["0"]])
    // Busy is no denial: the same call is admitted once the lock is free.
    _ = try await test.admitted()
    try await test.verify()
  }

  /// Both looked before the lock and found the bot free. The look under the lock decides: one
  /// "yes", one "no", and no error of the schema.
  func testReserve_byTwoThatBothFoundTheBotFree_admitsOne() async throws {
    let test = try await TestLedger(lockWait: .seconds(60))
    try await test.addBot()
    let second = try await test.another()
    let waiting = Signal()
    let recorder = StatementRecorder { if $0 == "BEGIN IMMEDIATE" { waiting.fire() } }
    for ledger in [test.ledger, second] { await ledger.sqlite.record(in: recorder) }
    let holder = try test.foreignClient()
    try holder.run("BEGIN IMMEDIATE")
    async let one = test.ledger.reserve(.example())
    async let other = second.record(.example())
    await waiting.wait(2)
    try holder.run("ROLLBACK")
    switch try await (one, other) {
    case (.admitted(let trade, _), .denied(let denial)):
      XCTAssertEqual(denial.reason, .inProgress)
      XCTAssertEqual(denial.winner, trade)
    case (.denied(let denial), .recorded(let trade)):
      XCTAssertEqual(denial.reason, .cooldown)
      XCTAssertEqual(denial.winner, trade)
    case let answers: XCTFail("\(answers)")
    }
    await second.close()
    try await test.verify()
  }

  /// A lease that runs out while its holder waits for the lock has run out.
  func testVoid_whoseLeaseEndsDuringTheWait_isLate() async throws {
    let test = try await TestLedger(lockWait: .seconds(60))
    try await test.addBot()
    let (_, permit) = try await test.admitted()
    test.clock.advance(.seconds(25))
    let isWaiting = Signal()
    await test.ledger.sqlite.record(
      in: StatementRecorder { if $0 == "BEGIN IMMEDIATE" { isWaiting.fire() } })
    let holder = try test.foreignClient()
    try holder.run("BEGIN IMMEDIATE")
    async let voiding = test.ledger.void(permit.trade, token: permit.token, reason: "rejected")
    await isWaiting.wait()
    test.clock.advance(.seconds(5))
    try holder.run("ROLLBACK")
    let trade = try test.settled(try await voiding)
    XCTAssertTrue(trade.isLate)
    try await test.verify()
  }

  /// A "no" that the committed state justifies needs no write lock: it is given at once while
  /// another connection holds it.
  func testDenial_whileAnotherHoldsTheWriteLock_comesAtOnce() async throws {
    let test = try await TestLedger(lockWait: .seconds(60))
    for bot in ["cooling", "pending", "off"] { try await test.addBot(bot) }
    try await test.recorded(.example("cooling"), key: "task-1")
    _ = try await test.admitted(.example("pending"))
    _ = try await test.ledger.changeBot(BotName("off"), BotChange(isEnabled: false))
    let recorder = StatementRecorder()
    await test.ledger.sqlite.record(in: recorder)
    let holder = try test.foreignClient()
    try holder.run("BEGIN IMMEDIATE")
    for (bot, reason) in [
      ("cooling", Denial.Reason.cooldown), ("pending", .inProgress), ("off", .disabled),
    ] {
      let denial = try await test.denied(.example(bot))
      XCTAssertEqual(denial.reason, reason)
      let recorded = try await test.ledger.record(.example(bot))
      XCTAssertEqual(recorded, .denied(denial))
    }
    let key = try OrderKey("task-1")
    let replay = try await test.ledger.reserve(.example("cooling"), key: key)
    guard case .replayed(_, nil) = replay else { return XCTFail("\(replay)") }
    let conflict = try await test.ledger.reserve(.example("pending"), key: key)
    guard case .denied(let denial) = conflict else { return XCTFail("\(conflict)") }
    XCTAssertEqual(denial.reason, .keyConflict)
    XCTAssertFalse(recorder.take().contains { $0.hasPrefix("BEGIN") })
    try holder.run("ROLLBACK")
    try await test.verify()
  }
}
