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

  /// Readers and writers of one process do not hold each other up: a long read ends, and it saw one
  /// moment.
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
