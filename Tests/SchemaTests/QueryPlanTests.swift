import XCTest

/// The look at the last trade costs the same in a ledger of any size: an index serves it.
final class QueryPlanTests: XCTestCase {
  func testLastTrade_isServedByItsIndex() throws {
    let database = try SchemaDatabase()
    for sql in [
      "SELECT MAX(effective_at) FROM counted_trades WHERE bot_id = 1",
      "SELECT * FROM counted_trades WHERE bot_id = 1 ORDER BY effective_at DESC LIMIT 1",
      "SELECT id FROM counted_trades WHERE bot_id = 1 ORDER BY effective_at DESC LIMIT 1",
    ] {
      let plan = try database.plan(sql)
      XCTAssertEqual(plan.count, 1, "\(plan)")
      XCTAssertTrue(
        plan[0].contains("SEARCH") && plan[0].contains("INDEX last_trade (bot_id=?)"), "\(plan)")
    }
  }

  func testOtherLooks_areServedByTheirIndexes() throws {
    let database = try SchemaDatabase()
    for (sql, index) in [
      (
        "SELECT MAX(effective_boot_us) FROM counted_trades WHERE bot_id = 1 "
          + "AND effective_boot_id = 'boot'",
        "last_trade_of_boot (bot_id=? AND effective_boot_id=?)"
      ),
      ("SELECT id FROM occupying_trades WHERE bot_id = 1", "one_pending (bot_id=?)"),
      ("SELECT 1 FROM trades WHERE bot_id = 1 AND status = 'in_doubt'", "doubted (bot_id=?)"),
      ("SELECT MAX(at) FROM conflicts WHERE bot_id = 1", "last_conflict (bot_id=?)"),
      ("SELECT 1 FROM conflicts WHERE trade_id = 1", "conflicts_of_trade (trade_id=?)"),
      ("SELECT MAX(id) FROM settings WHERE bot_id = 1", "settings_of_bot (bot_id=?)"),
    ] {
      let plan = try database.plan(sql)
      XCTAssertTrue(plan.allSatisfy { $0.contains("INDEX \(index)") }, "\(sql): \(plan)")
    }
  }

  /// Nothing that admission asks reads a whole table of trades, in a ledger with many of them.
  func testAdmission_readsNoWholeTable() throws {
    let database = try SchemaDatabase()
    let plan = try database.plan("SELECT * FROM current_settings WHERE bot_id = 1")
    XCTAssertTrue(plan.allSatisfy { !$0.contains("SCAN") }, "\(plan)")
  }
}
