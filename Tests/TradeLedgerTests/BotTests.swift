import LedgerTestSupport
import XCTest

@testable import TradeLedger

/// Bots and their settings.
final class BotTests: XCTestCase {
  func testAddBot_again_isSameOrDiffers() async throws {
    let test = try await TestLedger()
    let settings = try BotSettings(cooldown: .nanoseconds(1500), lease: .seconds(2.3))
    let added = try await test.ledger.addBot(exampleBot, settings)
    XCTAssertEqual(added, .added(Bot(name: exampleBot, settings: settings)))
    let same = try await test.ledger.addBot(exampleBot, settings)
    XCTAssertEqual(same, .same(Bot(name: exampleBot, settings: settings)))
    let other = try BotSettings(cooldown: .seconds(1))
    let differs = try await test.ledger.addBot(exampleBot, other)
    XCTAssertEqual(differs, .differs(Bot(name: exampleBot, settings: settings)))
    XCTAssertEqual(try test.query("SELECT COUNT(*) FROM settings"), [["1"]])
    try await test.verify()
  }

  func testChangeBot_toTheSame_writesNothing() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(60))
    let bot = try await test.ledger.changeBot(
      exampleBot, BotChange(cooldown: .seconds(60), inDoubt: .cooldown))
    XCTAssertEqual(bot.settings.cooldown, .seconds(60))
    XCTAssertEqual(try test.query("SELECT COUNT(*) FROM settings"), [["1"]])
    await assertFails(.invalidInput) {
      try await test.ledger.changeBot(exampleBot, BotChange(cooldown: .seconds(-1)))
    }
    await assertFails(.noSuchBot) {
      try await test.ledger.changeBot(BotName("nobody"), BotChange(isEnabled: false))
    }
    try await test.verify()
  }

  /// A disabled bot is refused every new trade; what is under way may still be settled.
  func testDisable_refusesNewTradesAndSettlesOld() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .zero)
    let (_, permit) = try await test.admitted()
    _ = try await test.ledger.changeBot(exampleBot, BotChange(isEnabled: false))
    let denial = try await test.denied()
    XCTAssertEqual(denial, Denial(.disabled))
    XCTAssertFalse(denial.isTransient)
    let recorded = try await test.ledger.record(.example())
    XCTAssertEqual(recorded, .denied(Denial(.disabled)))
    let check = try await test.ledger.check(exampleBot)
    XCTAssertEqual(check, .denied(Denial(.disabled)))
    let isLive = try await test.ledger.isLive(permit)
    XCTAssertTrue(isLive)
    try await test.filled(permit)
    _ = try await test.ledger.changeBot(exampleBot, BotChange(isEnabled: true))
    _ = try await test.admitted()
    XCTAssertEqual(
      try test.query("SELECT enabled FROM settings ORDER BY id"), [["1"], ["0"], ["1"]])
    try await test.verify()
  }

  /// A changed lease applies to the next trade; the one under way keeps its own.
  func testChangeBot_lease_appliesToTheNextTrade() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .zero)
    let (first, permit) = try await test.admitted()
    _ = try await test.ledger.changeBot(exampleBot, BotChange(lease: .seconds(1)))
    test.clock.advance(.seconds(29))
    let denial = try await test.denied()
    XCTAssertEqual(denial.reason, .inProgress)
    XCTAssertEqual(denial.retryAfter, .seconds(1))
    try await test.filled(permit)
    let (second, _) = try await test.admitted()
    XCTAssertEqual(first.leaseUntil, first.createdAt.advanced(by: .seconds(30)))
    XCTAssertEqual(second.leaseUntil, second.createdAt.advanced(by: .seconds(1)))
    try await test.verify()
  }

  /// A policy that is changed to `block` looks at doubts that are there already.
  func testChangeBot_toBlock_appliesToOldDoubts() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(1))
    let (first, _) = try await test.admitted()
    test.clock.advance(.seconds(30))
    let (_, permit) = try await test.admitted()
    try await test.filled(permit)
    test.clock.advance(.seconds(30))
    _ = try await test.ledger.changeBot(exampleBot, BotChange(inDoubt: .block))
    let denial = try await test.denied()
    XCTAssertEqual(denial.reason, .inDoubt)
    XCTAssertEqual(denial.winner?.id, first.id)
    _ = try await test.ledger.changeBot(exampleBot, BotChange(inDoubt: .cooldown))
    _ = try await test.admitted()
    try await test.verify()
  }

  func testEverything_ofUnknownBot_fails() async throws {
    let test = try await TestLedger()
    let nobody = Order.example("nobody")
    await assertFails(.noSuchBot) { try await test.ledger.reserve(nobody) }
    await assertFails(.noSuchBot) { try await test.ledger.record(nobody) }
    await assertFails(.noSuchBot) { try await test.ledger.check(nobody.bot) }
    await assertFails(.noSuchBot) { try await test.ledger.status(nobody.bot) }
    await assertFails(.noSuchBot) { try await test.ledger.trades(TradeQuery(bot: nobody.bot)) }
    try await test.verify()
  }

  /// `check` tells what `reserve` would, and writes nothing.
  func testCheck_tellsWhatReserveWould() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(60))
    let before = try await test.ledger.check(exampleBot)
    XCTAssertEqual(before, .admissible)
    let (_, permit) = try await test.admitted()
    let pending = try await test.ledger.check(exampleBot)
    let inProgress = try await test.denied()
    XCTAssertEqual(pending, .denied(inProgress))
    try await test.filled(permit)
    let inside = try await test.ledger.check(exampleBot)
    let cooldown = try await test.denied()
    XCTAssertEqual(inside, .denied(cooldown))
    test.clock.advance(.seconds(60))
    let after = try await test.ledger.check(exampleBot)
    XCTAssertEqual(after, .admissible)
    XCTAssertEqual(try test.query("SELECT COUNT(*) FROM trades"), [["1"]])
    try await test.verify()
  }

  /// Pages say how many there are beyond their limit.
  func testTrades_withLimit_saysTheTotal() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .zero)
    for _ in 0..<7 { try await test.recorded() }
    let (pending, _) = try await test.admitted()
    let page = try await test.ledger.trades(TradeQuery(limit: 3))
    XCTAssertEqual(page.trades.map(\.id.value), [8, 7, 6])
    XCTAssertEqual(page.total, 8)
    let filled = try await test.ledger.trades(TradeQuery(status: .filled, limit: 2))
    XCTAssertEqual(filled.trades.map(\.id.value), [7, 6])
    XCTAssertEqual(filled.total, 7)
    let next = try await test.ledger.trades(TradeQuery(before: TradeID(6), limit: 3))
    XCTAssertEqual(next.trades.map(\.id.value), [5, 4, 3], "where the first page ended")
    XCTAssertEqual(next.total, 5)
    let before = try await test.ledger.trades(TradeQuery(status: .pending, before: pending.id))
    XCTAssertEqual(before.total, 0)
    let open = try await test.ledger.trades(TradeQuery(status: .pending))
    XCTAssertEqual(open.trades, [pending])
    let since = try await test.ledger.trades(TradeQuery(since: test.now(.microseconds(1))))
    XCTAssertEqual(since.total, 0)
    try await test.verify()
  }
}
