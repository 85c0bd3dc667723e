import Foundation
import LedgerTestSupport
import XCTest

/// The views for people, on rows made by hand.
final class ViewTests: XCTestCase {
  private let start: Int64 = 1_757_276_933_395_950  // 2025-09-07 20:28:53.395950 UTC

  private func ledger(_ statements: [String]) throws -> SchemaDatabase {
    let database = try SchemaDatabase()
    for statement in statements { try database.run(statement) }
    return database
  }

  func testCooldowns_showEachBot() throws {
    let now = Int64(Date().timeIntervalSince1970 * 1_000_000)
    let database = try ledger([
      SQL.record("a", at: "\(now - 1_800_000_000)"),
      SQL.reserve("b", bot: 2, at: "\(start)"), SQL.void(2, at: "\(start)"),
      SQL.past("c", bot: 3, at: "\(start)"),
    ])
    let rows = try database.rows(
      """
      SELECT bot, enabled, CAST(cooldown_s AS INTEGER), COALESCE(last_trade, '-'),
        CAST(remaining_s AS INTEGER) FROM cooldowns ORDER BY bot
      """)
    XCTAssertEqual(rows.map { $0[0] }, ["blocking", "disabled", "eager", "patient"])
    XCTAssertEqual(rows[0], ["blocking", "1", "0", "2025-09-07T20:28:53.396Z", "0"])
    XCTAssertEqual(rows[1], ["disabled", "0", "0", "-", "0"])
    XCTAssertEqual(rows[2], ["eager", "1", "0", "-", "0"], "a void trade is no trade")
    XCTAssertEqual(rows[3][2], "3600")
    let remaining = try XCTUnwrap(Int(rows[3][4]))
    XCTAssertTrue((1_700...1_800).contains(remaining), "\(remaining)")
  }

  /// INV-6: a fill after a void counts at its time.
  func testCooldowns_countConflicts() throws {
    let now = Int64(Date().timeIntervalSince1970 * 1_000_000)
    let database = try ledger([
      SQL.reserve("a", at: "\(start)"), SQL.void(at: "\(start)"),
      SQL.conflict(bot: 1, at: "\(now - 600_000_000)"),
    ])
    let rows = try database.rows(
      "SELECT CAST(remaining_s AS INTEGER) FROM cooldowns WHERE bot = 'patient'")
    let remaining = try XCTUnwrap(Int(rows[0][0]))
    XCTAssertTrue((2_900...3_000).contains(remaining), "\(remaining)")
  }

  func testOpenTrades_showWhatIsNotSettled() throws {
    let database = try ledger([
      SQL.reserve("running", at: SQL.now), SQL.reserve("overdue", bot: 2, at: "\(start)"),
      SQL.reserve("doubted", bot: 3, at: "\(start)"), SQL.doubt(3), SQL.past("done", at: "5"),
    ])
    let rows = try database.rows(
      "SELECT key, bot, status, lease_left_s > 0 FROM open_trades ORDER BY id")
    XCTAssertEqual(
      rows,
      [
        ["running", "patient", "pending", "1"], ["overdue", "eager", "in_doubt", "0"],
        ["doubted", "blocking", "in_doubt", "0"],
      ])
  }

  /// S-25: neighbours in the order of their times, across midnight, several close together; void
  /// trades between them are nothing; each bot for itself.
  func testDoubleTrades_showNeighboursThatAreTooClose() throws {
    let midnight: Int64 = 1_757_289_600_000_000  // 2025-09-08 00:00 UTC
    let database = try ledger([
      SQL.past("k1", at: "\(midnight - 1)"), SQL.past("k2", at: "\(midnight + 1)"),
      SQL.past("k3", at: "\(midnight + 3_600_000_001)"),
      SQL.past("k4", at: "\(midnight + 7_200_000_000)"),
      SQL.past("k5", bot: 2, at: "\(midnight)"), SQL.past("k6", bot: 2, at: "\(midnight)"),
      SQL.past("k0", at: "\(midnight - 2)"),
    ])
    let rows = try database.rows(
      """
      SELECT bot, earlier_id, later_id, printf('%.6f', gap_s), CAST(cooldown_s AS INTEGER), origin
      FROM double_trades ORDER BY bot, later_at, later_id
      """)
    XCTAssertEqual(
      rows,
      [
        ["patient", "7", "1", "0.000001", "3600", "past"],
        ["patient", "1", "2", "0.000002", "3600", "past"],
        ["patient", "3", "4", "3599.999999", "3600", "past"],
      ])
  }

  /// The pairs that the incident reports publish, under a cooldown of 15 minutes.
  func testDoubleTrades_findThePublishedPairs() throws {
    let text = try String(contentsOfFile: ForeignClient.fixture("incidents.csv"), encoding: .utf8)
    let lines = text.split(separator: "\n").dropFirst().map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    XCTAssertEqual(lines.count, 8)
    let database = try SchemaDatabase()
    try database.run(SQL.settings(bot: 1, with: ["cooldown_us": "900000000"]))
    var expected: [[String]] = []
    var first: (pair: String, id: Int)?
    for (offset, fields) in lines.enumerated() {
      let (pair, trade, created, gap) = (fields[0], fields[2], fields[3], fields[4])
      // Where only the gap is known, the pair begins at a time of the test's own, a day apart.
      let day = "\(start + (Int64(pair) ?? 0) * 86_400_000_000)"
      let at =
        created.isEmpty
        ? "\(day) + CAST(ROUND(\(gap) * 1000000) AS INTEGER)"
        : "CAST(strftime('%s', '\(created)') AS INTEGER) * 1000000 + \(created.suffix(6))"
      try database.run(
        SQL.past("report-\(trade)", at: at, with: ["cooldown_us": "900000000"]))
      if let first, first.pair == pair {
        let gap = String(format: "%.6f", Double(gap) ?? -1)
        expected.append(["\(first.id)", "\(offset + 1)", gap])
      }
      first = (pair, offset + 1)
    }
    let found = try database.rows(
      "SELECT earlier_id, later_id, printf('%.6f', gap_s) FROM double_trades ORDER BY later_id")
    XCTAssertEqual(found, expected)
    XCTAssertTrue(found.contains { $0[2] == "0.816543" }, "\(found)")
    XCTAssertEqual(found.count, 4)
  }
}
