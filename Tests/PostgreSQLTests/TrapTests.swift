#if PostgreSQL
  import LedgerTestSupport
  import XCTest

  @testable import TradeLedger

  /// Where a worker may make objects in a schema on the search path of an operator, as everybody
  /// could in `public` before PostgreSQL 15, none of them runs with the rights of the operator.
  final class TrapTests: XCTestCase {
    /// Each fits better than the server's own, which takes any type or would have to convert.
    private static let traps =
      [
        "next(bigint, bigint) RETURNS bigint", "next(integer, integer) RETURNS integer",
        "next(text, text) RETURNS text", "pg_has_role(name, text, text) RETURNS boolean",
        "concat(text, name) RETURNS text", "concat(text, text) RETURNS text",
        "same(oid, regnamespace) RETURNS boolean",
        "jsonb_populate_recordset(tradeledger.bots, jsonb) RETURNS SETOF tradeledger.bots",
        "jsonb_populate_recordset(tradeledger.trades, jsonb) RETURNS SETOF tradeledger.trades",
      ].map {
        "CREATE FUNCTION public.\($0) LANGUAGE plpgsql AS 'BEGIN RAISE ''trapped''; END';\n"
      }.joined()
      + ["bigint", "integer", "text"].map {
        "CREATE AGGREGATE public.lag(\($0)) (SFUNC = public.next, STYPE = \($0));\n"
      }.joined()
      + "CREATE OPERATOR public.= (LEFTARG = oid, RIGHTARG = regnamespace, FUNCTION = public.same);"

    func testTraps_ofAWorker_catchNoOperator() async throws {
      let test = try await ServerLedger()
      try await test.addBot("a")
      for _ in 1...2 { _ = try await test.ledger.record(.example("a")) }
      try TestServer.run(test.url, script: Self.traps)
      XCTAssertThrowsError(
        try TestServer.query(test.url, "SELECT lag(id) OVER () FROM tradeledger.trade_rows"))
      let ledger = try await test.another()
      let report = try await ledger.audit()
      XCTAssertEqual(report.examined, 2)
      let figures = try await ledger.figures()
      XCTAssertEqual(figures.trades[try BotName("a")]?[.filled], 2)
      let diagnosis = try await ledger.diagnosis()
      XCTAssertEqual(diagnosis.server?.isOwner, true)
      await ledger.close()
      let upgrade = try await Ledger.upgrade(test.url)
      XCTAssertEqual(upgrade, .current)
    }

    func testTraps_ofAWorker_catchNoCopy() async throws {
      let file = try await TestLedger(mode: .live)
      try await file.addBot("a")
      _ = try await file.ledger.record(.example("a"))
      let url = try TestServer.orSkip().database()
      try TestServer.run(url, script: ServerSchemaText.sql)
      try TestServer.run(url, script: Self.traps)
      let report = try await Ledger.copy(from: file.path, to: url)
      XCTAssertEqual(report.rows["trades"], 1)
    }
  }
#endif
