import LedgerTestSupport
import SQLite
import Synchronization
import XCTest

@testable import TradeLedger

/// Many tasks in one process: one "yes" for each bot, and nobody waits for a stranger.
final class ConcurrencyTests: XCTestCase {
  private enum Answer: Hashable {
    case admitted(Int64)
    case denied(Denial.Reason, Int64?)
    case other

    init(_ outcome: ReserveOutcome) {
      switch outcome {
      case .admitted(let trade, _): self = .admitted(trade.id.value)
      case .denied(let denial): self = .denied(denial.reason, denial.winner?.id.value)
      case .replayed: self = .other
      }
    }
  }

  /// S-01 in one process: 64 tasks on one ledger, one bot: exactly one is admitted, the others are
  /// told who was.
  func testReserve_by64Tasks_admitsExactlyOne() async throws {
    let test = try await TestLedger()
    try await test.addBot()
    let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
      for _ in 0..<64 {
        group.addTask { Answer(try await test.ledger.reserve(.example())) }
      }
      return try await group.reduce(into: [Answer]()) { $0.append($1) }
    }
    XCTAssertEqual(answers.filter { $0 == .admitted(1) }.count, 1)
    XCTAssertEqual(answers.filter { $0 == .denied(.inProgress, 1) }.count, 63)
    try await test.verify()
  }

  /// The same through several connections, for several bots, with fills in between.
  func testReserve_byManyTasksOnManyLedgers_admitsOneForEachBot() async throws {
    let test = try await TestLedger()
    let bots = (0..<6).map { "bot-\($0)" }
    for bot in bots { try await test.addBot(bot, cooldown: .seconds(60)) }
    var ledgers = [test.ledger]
    for _ in 0..<3 { ledgers.append(try await test.another()) }
    for round in 1...3 {
      let permits = try await withThrowingTaskGroup(of: Permit?.self) { group in
        for ledger in ledgers {
          for bot in bots + bots + bots {
            group.addTask { try await ledger.reserve(.example(bot)).permit }
          }
        }
        return try await group.reduce(into: [Permit]()) { if let permit = $1 { $0.append(permit) } }
      }
      XCTAssertEqual(permits.map(\.bot.description).sorted(), bots, "round \(round)")
      XCTAssertEqual(Set(permits.map(\.token)).count, bots.count)
      // All settle at once, each on another connection than the one it reserved on.
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (offset, permit) in permits.enumerated() {
          let ledger = ledgers[offset % ledgers.count]
          group.addTask {
            guard case .settled = try await ledger.fill(permit.trade, token: permit.token) else {
              throw Unexpected(permit)
            }
          }
        }
        try await group.waitForAll()
      }
      test.clock.advance(.seconds(60))
    }
    XCTAssertEqual(try test.query("SELECT COUNT(*) FROM trades"), [["18"]])
    for ledger in ledgers.dropFirst() { await ledger.close() }
    try await test.verify()
  }

  /// S-09: fill and void of one trade at the same time, many times: exactly one wins each time.
  func testSettle_fillAndVoidAtOnce_exactlyOneWins() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .zero)
    let second = try await test.another()
    for round in 0..<25 {
      let (_, permit) = try await test.admitted()
      async let filling = test.ledger.fill(permit.trade, token: permit.token)
      async let voiding = second.void(permit.trade, token: permit.token, reason: "rejected")
      let (filled, voided) = try await (filling, voiding)
      switch (filled, voided) {
      case (.settled(let winner), .denied(let loser)):
        XCTAssertEqual(loser.reason, .alreadySettled, "round \(round)")
        XCTAssertEqual(loser.winner, winner)
      case (.denied(let loser), .settled(let winner)):
        XCTAssertEqual(loser.reason, .alreadySettled, "round \(round)")
        XCTAssertEqual(loser.winner, winner)
      default: XCTFail("round \(round): \(filled) \(voided)")
      }
    }
    await second.close()
    try await test.verify()
  }

  /// INV-9: a slow exchange call of one bot delays no other bot, on the same connection and on
  /// another.
  func testWithTrade_slowExchange_delaysNoOtherBot() async throws {
    let test = try await TestLedger()
    for bot in ["slow", "quick"] { try await test.addBot(bot, cooldown: .zero) }
    let second = try await test.another()
    for ledger in [test.ledger, second] {
      let called = Signal()
      let done = Signal()
      async let slow = test.ledger.withTrade(.example("slow")) { _ in
        called.fire()
        await done.wait()
        return Fill()
      }
      await called.wait()
      let quick = try await ledger.withTrade(.example("quick")) { _ in Fill() }
      guard case .filled = quick else { return XCTFail("\(quick)") }
      done.fire()
      guard case .filled(let trade) = try await slow else { return XCTFail("slow") }
      guard case .filled(let other) = quick else { return }
      XCTAssertLessThan(trade.id, other.id, "the slow one began first")
    }
    await second.close()
    try await test.verify()
  }

  /// While another connection holds the write lock, blocked reservations block threads of their own:
  /// other async work of the process goes on.
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

  /// Both looked before the lock and found the bot free. The look under the lock decides: one "yes",
  /// one "no", and no error of the schema.
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

  /// The clock is read after the write lock is held, never before the wait: what waited ten seconds
  /// for the lock is ten seconds younger.
  func testWrite_afterWaitingForTheLock_hasTheTimeOfTheLock() async throws {
    let test = try await TestLedger(lockWait: .seconds(60))
    try await test.addBot()
    let waiting = Signal()
    await test.ledger.sqlite.record(
      in: StatementRecorder { if $0 == "BEGIN IMMEDIATE" { waiting.fire() } })
    let holder = try test.foreignClient()
    func whileLocked<T: Sendable>(_ write: @escaping @Sendable () async throws -> T) async throws -> T {
      try holder.run("BEGIN IMMEDIATE")
      let writing = Task { try await write() }
      await waiting.wait()
      test.clock.advance(.seconds(10))
      try holder.run("ROLLBACK")
      return try await writing.value
    }
    let start = test.now()
    let outcome = try await whileLocked { try await test.ledger.reserve(.example()) }
    guard case .admitted(let trade, let permit) = outcome else { return XCTFail("\(outcome)") }
    XCTAssertEqual(trade.createdAt, start.advanced(by: .seconds(10)))
    XCTAssertEqual(permit.validUntil, start.advanced(by: .seconds(40)))
    let filled = try await whileLocked {
      try await test.ledger.fill(permit.trade, token: permit.token)
    }
    guard case .settled(let settled) = filled else { return XCTFail("\(filled)") }
    XCTAssertEqual(settled.filledAt, start.advanced(by: .seconds(20)))
    // A lease that runs out while the caller waits for the lock has run out.
    test.clock.advance(.seconds(900))
    let (late, latePermit) = try await test.admitted()
    await waiting.wait()
    test.clock.advance(.seconds(25))
    let answer = try await whileLocked {
      try await test.ledger.void(late.id, token: latePermit.token, reason: "rejected")
    }
    guard case .settled(let void) = answer else { return XCTFail("\(answer)") }
    XCTAssertTrue(void.isLate)
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

  /// Readers and writers of one process do not hold each other up: a long read ends, and what it saw
  /// was one moment.
  func testAudit_whileOthersTrade_seesOneMoment() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .zero)
    let reader = try await test.another(.readOnly)
    let isDone = Mutex(false)
    async let reading: Int = {
      var looks = 0
      while !isDone.withLock({ $0 }) {
        let status = try await reader.status()
        let page = try await reader.trades()
        XCTAssertGreaterThanOrEqual(page.total, status.trades)
        XCTAssertEqual(page.trades.count, page.total)
        let report = try await reader.audit()
        XCTAssertEqual(report.findings, [])
        looks += 1
      }
      return looks
    }()
    for _ in 0..<60 {
      try await test.recorded()
      test.clock.advance(.milliseconds(1))
    }
    isDone.withLock { $0 = true }
    let looks = try await reading
    XCTAssertGreaterThan(looks, 0)
    await reader.close()
    try await test.verify()
  }
}
