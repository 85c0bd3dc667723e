import LedgerTestSupport
import XCTest

@testable import TradeLedger

/// S-25: histories entered as facts of the past, and the double trades that the audit finds there.
class HistoryTests: PlacedTestCase {
  /// Enters each instant as a fact of the past, in the order given.
  private func enter(_ times: [Timestamp], _ test: TestLedger) async throws -> [Int64: Timestamp] {
    var entered: [Int64: Timestamp] = [:]
    for time in times {
      let trade = try await test.recorded(at: time)
      XCTAssertEqual(trade.origin, .past)
      XCTAssertEqual(trade.status, .filled)
      XCTAssertEqual(trade.effectiveAt, time)
      entered[trade.id.value] = time
    }
    return entered
  }

  /// Neighbours in time that are closer than `cooldown`, worked out without the ledger.
  private func closePairs(_ entered: [Int64: Timestamp], _ cooldown: Duration) -> [[Int64]] {
    let inOrder = entered.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
    return zip(inOrder, inOrder.dropFirst())
      .filter { $1.value.elapsed(since: $0.value) < cooldown }
      .map { [$0.key, $1.key] }
  }

  /// Pairs over midnight, among 40 trades of a day, and three within a second: every neighbour pair
  /// is found, in whatever order the history was entered.
  func testAudit_ofImportedBurst_findsEveryNeighbourPair() async throws {
    var (seed, random) = SeededGenerator.announced("testAudit_ofImportedBurst")
    let test = try await newLedger()
    let cooldown = Duration.seconds(900)
    try await test.addBot(cooldown: cooldown)
    let midnight = try Timestamp("2025-09-06T00:00:00Z")
    func at(_ seconds: Double) -> Timestamp {
      midnight.advanced(by: .microseconds(Int64((seconds * 1_000_000).rounded())))
    }
    // 40 trades of one day, half an hour apart, each late by a few seconds.
    var times = (0..<40).map { at(Double($0) * 1800 + 2000 + Double($0 % 7)) }
    times += [at(-0.4), at(0.416543)]  // a pair over midnight
    times += [at(5 * 1800 + 2000 + 5 + 0.82)]  // a pair among the forty
    times += [at(80_000), at(80_000.3), at(80_000.99)]  // three within a second
    times += [at(84_000), at(84_900)]  // exactly the cooldown apart: no pair
    let entered = try await enter(times.shuffled(using: &random), test)
    let expected = closePairs(entered, cooldown)
    XCTAssertGreaterThanOrEqual(expected.count, 4)
    let report = try await test.ledger.audit()
    XCTAssertEqual(report.examined, times.count)
    XCTAssertEqual(report.from, times.min())
    XCTAssertEqual(report.to, times.max())
    let doubles = report.findings.filter { $0.check == .doubleTrade }
    XCTAssertEqual(doubles.map(\.trades), expected, "seed \(seed)")
    XCTAssertEqual(report.findings.count, doubles.count, "\(report.findings)")
    for finding in doubles {
      XCTAssertEqual(
        finding.gap, entered[finding.trades[1]]!.elapsed(since: entered[finding.trades[0]]!))
      XCTAssertEqual(finding.at, entered[finding.trades[1]])
      XCTAssertEqual(finding.cooldown, cooldown)
      XCTAssertTrue(finding.involvesPast)
      XCTAssertEqual(finding.pids, [getpid(), getpid()])
    }
    // A range that begins between the two of a pair still shows the pair.
    let since = try await test.ledger.audit(TradeQuery(since: midnight))
    XCTAssertEqual(
      since.findings.map(\.trades),
      expected.filter { entered[$0[1]]! >= midnight }, "the pair over midnight is among them")
    let overMidnight = expected.first { entered[$0[0]]! < midnight && entered[$0[1]]! >= midnight }
    XCTAssertNotNil(overMidnight)
    try await test.verify()
  }

  /// The pairs of both incident reports. Pair 2 is found as exactly 0.816543 s.
  func testAudit_ofPublishedIncidents_findsEveryPair() async throws {
    let test = try await newLedger()
    let cooldown = Duration.seconds(900)
    try await test.addBot(cooldown: cooldown)
    test.clock.advance(.seconds(86_400))
    var pairs: [[Int64]] = []
    for pair in PublishedIncidents.pairs {
      var ids: [Int64] = []
      for trade in [pair.first, pair.second] {
        ids.append(
          try await test.recorded(at: trade.at, key: "published-\(trade.id)").id.value)
      }
      pairs.append(ids)
    }
    let doubles = try await test.findings(.doubleTrade)
    XCTAssertEqual(Set(doubles.map(\.trades)), Set(pairs))
    XCTAssertEqual(doubles.count, pairs.count)
    let gaps = Dictionary(uniqueKeysWithValues: doubles.map { ($0.trades, $0.gap!) })
    XCTAssertEqual(
      pairs.map { gaps[$0] }, PublishedIncidents.pairs.map { $0.gap })
    let second = try await test.ledger.trade(.key(try OrderKey("published-2944")))
    let finding = try XCTUnwrap(doubles.first { $0.trades[1] == second.id.value })
    XCTAssertEqual(finding.gap, .microseconds(816_543))
    XCTAssertEqual(finding.at.description, "2025-09-07T20:28:54.212493Z")
    // The view for people tells the same.
    XCTAssertEqual(
      try test.query("SELECT later_id FROM double_trades ORDER BY later_id").count, pairs.count)
    try await test.verify()
  }

  /// The same pair, had it been asked for: one "yes" and one "no".
  func testReserve_atThePublishedTimes_isAdmittedOnce() async throws {
    let pair = PublishedIncidents.pairs[1]
    let test = try await newLedger()
    try await test.addBot(cooldown: .seconds(900))
    test.clock.advance(pair.first.at.elapsed(since: test.now()))
    XCTAssertEqual(test.now(), pair.first.at)
    try await test.recorded()
    test.clock.advance(pair.gap)
    let denial = try await test.denied()
    XCTAssertEqual(denial.reason, .cooldown)
    XCTAssertEqual(denial.retryAfter, .seconds(900) - pair.gap)
    try await test.verify()
  }

  /// Each bot's trades are neighbours among themselves alone, and a range without trades says so.
  func testAudit_ofOneBotAndOfEmptyRange() async throws {
    let test = try await newLedger()
    for name in ["a", "b"] { try await test.addBot(name, cooldown: .seconds(60)) }
    for name in ["a", "b", "a"] {
      try await test.recorded(.example(name), at: test.now(.seconds(-100)))
    }
    let all = try await test.ledger.audit()
    XCTAssertEqual(all.findings.map(\.bot), ["a"])
    let quiet = try await test.ledger.audit(TradeQuery(bot: try BotName("b")))
    XCTAssertEqual(quiet.findings, [])
    XCTAssertEqual(quiet.examined, 1)
    let empty = try await test.ledger.audit(TradeQuery(since: test.now()))
    XCTAssertEqual(empty.examined, 0)
    XCTAssertNil(empty.from)
    XCTAssertNil(empty.to)
    await assertFails(.noSuchBot) {
      try await test.ledger.audit(TradeQuery(bot: BotName("nobody")))
    }
    try await test.verify()
  }

  /// An unsettled trade overlaps with its neighbour. Those after that are not named: a trade that
  /// is in doubt for a week would otherwise fill the report, and `in-doubt` names it anyway.
  func testAudit_ofTradesAfterAnUnsettledOne_showsOneOverlap() async throws {
    let test = try await newLedger()
    try await test.addBot(cooldown: .seconds(10))
    let (open, _) = try await test.admitted()
    for _ in 0..<2 {
      test.clock.advance(.seconds(40))
      let (_, permit) = try await test.admitted()
      try await test.filled(permit)
    }
    let overlaps = try await test.findings(.overlap)
    XCTAssertEqual(overlaps.map(\.trades), [[open.id.value, open.id.value + 1]])
    let doubts = try await test.findings(.inDoubt)
    XCTAssertEqual(doubts.map(\.trades), [[open.id.value]])
    try await test.verify()
  }
}

#if PostgreSQL
  /// The same on a server.
  final class PostgreSQLHistoryTests: HistoryTests {
    override class var engine: Engine { .server }

    override func testAudit_ofOneBotAndOfEmptyRange() async throws {
      try await super.testAudit_ofOneBotAndOfEmptyRange()
    }
  }
#endif

/// The double trades that two incident reports publish. Where a report gives no times but only the
/// gap, the first trade of the pair is put on a day of its own.
enum PublishedIncidents {
  struct Fact {
    let id: Int64
    let at: Timestamp
  }
  struct Pair {
    let first: Fact
    let second: Fact
    var gap: Duration { second.at.elapsed(since: first.at) }
  }

  static let pairs = [
    pair(2941, 2942, day: 1, gap: 380_000),
    Pair(
      first: Fact(id: 2943, at: Timestamp(microseconds: 1_757_276_933_395_950)),
      second: Fact(id: 2944, at: Timestamp(microseconds: 1_757_276_934_212_493))),
    pair(2945, 2946, day: 3, gap: 820_000),
    pair(2948, 2949, day: 4, gap: 90_000),
  ]

  private static func pair(_ first: Int64, _ second: Int64, day: Int64, gap: Int64) -> Pair {
    let start = 1_756_684_800_000_000 + day * 86_400_000_000
    return Pair(
      first: Fact(id: first, at: Timestamp(microseconds: start)),
      second: Fact(id: second, at: Timestamp(microseconds: start + gap)))
  }
}
