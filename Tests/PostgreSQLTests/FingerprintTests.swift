#if PostgreSQL
  import LedgerTestSupport
  import PostgreSQL
  import XCTest

  @testable import TradeLedger

  /// What somebody changed of the schema on a server is refused when the ledger is opened, and named.
  final class FingerprintTests: XCTestCase {
    private func fingerprint(_ url: String) throws -> ServerFingerprint {
      ServerFingerprint(try TestServer.query(url, ServerStatements.fingerprint)[0][0])
    }

    func testShippedFingerprint_isThatOfAFreshLedger() async throws {
      let test = try await ServerLedger()
      let found = try fingerprint(test.url)
      XCTAssertEqual(
        found.alterations, [],
        "after a change of schema.postgres.sql: scripts/postgres --only fingerprint")
      XCTAssertTrue(found.has("function attempt"))
      XCTAssertEqual(
        Set(ServerSchemaText.indexes.keys.map { "index \($0)" }).subtracting(["index "])
          .filter { !found.has($0) }, [])
    }

    /// What it says does not depend on who asks.
    func testFingerprint_isTheSameForWorkers_andForAnySettings() async throws {
      let test = try await ServerLedger()
      let role = "odd_" + test.url.suffix(8)
      try TestServer.run(
        test.url,
        script: """
          CREATE ROLE \(role) LOGIN IN ROLE tradeledger_worker;
          ALTER ROLE \(role) SET search_path = tradeledger;
          ALTER ROLE \(role) SET extra_float_digits = -5;
          CREATE SCHEMA other;
          CREATE TABLE other.trades (id bigint);
          CREATE FUNCTION other.attempt() RETURNS integer LANGUAGE sql AS 'SELECT 1';
          CREATE ROLE board_\(role);
          GRANT USAGE ON SCHEMA tradeledger TO board_\(role);
          GRANT SELECT ON tradeledger.trade_rows TO board_\(role);
          """)
      let database = String(test.url.split(separator: "/").last ?? "")
      let worker = try await test.another(
        TestServer.url(test.url, database: database, user: role))
      await worker.close()
    }

    func testDump_thatIsRestored_isTheSame() async throws {
      let test = try await ServerLedger()
      try await test.addBot("a")
      await test.ledger.close()
      let version = try TestServer.query(test.url, "SHOW server_version")[0][0].prefix(2)
      guard BuiltBinary.run("pg_dump", ["--version"]).stdout.contains(" \(version).") else {
        throw XCTSkip("there is no pg_dump of this server's version")
      }
      let copy = try TestServer.orSkip().database()
      let result = BuiltBinary.run(
        "bash",
        [
          "-c", "set -o pipefail; pg_dump \"$0\" | psql -q -v ON_ERROR_STOP=1 \"$1\"", test.url,
          copy,
        ])
      XCTAssertEqual(result.status, 0, result.stderr)
      let opened = try await Ledger.open(copy)
      let status = try await opened.status()
      XCTAssertEqual(status.bots.map(\.bot.name.description), ["a"])
      await opened.close()
    }

    /// What was done, in which words it is said, and that `init --repair` undoes it.
    private static let repairable: [(sql: String, words: String)] = [
      ("DROP TRIGGER trade_new ON trades", "trigger trade_new on trades is missing"),
      ("ALTER TABLE trades DISABLE TRIGGER trade_new", "trigger trade_new on trades was changed"),
      (
        "CREATE OR REPLACE FUNCTION is_now(p_at bigint) RETURNS boolean LANGUAGE sql AS "
          + "'SELECT true'", "function is_now was changed"
      ),
      ("ALTER FUNCTION release SET enable_seqscan = on", "function release was changed"),
      ("ALTER FUNCTION release SECURITY INVOKER", "function release was changed"),
      ("ALTER FUNCTION release OWNER TO CURRENT_USER", "function release was changed"),
      (
        "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "function mine does not belong"
      ),
      (
        "CREATE TRIGGER mine BEFORE INSERT ON bots FOR EACH ROW WHEN (NEW.id > 5) "
          + "EXECUTE FUNCTION refuse('TL999', 'no')", "trigger mine on bots does not belong"
      ),
      (
        "DROP TRIGGER trade_change ON trades; CREATE TRIGGER trade_change BEFORE UPDATE ON trades "
          + "FOR EACH ROW WHEN (current_user = 'somebody') EXECUTE FUNCTION trade_change()",
        "trigger trade_change on trades was changed"
      ),
      (
        "DROP TRIGGER bot_fixed ON bots; CREATE TRIGGER bot_fixed BEFORE UPDATE OF id ON bots FOR "
          + "EACH ROW EXECUTE FUNCTION refuse('TL132', 'bots never change; settings do')",
        "trigger bot_fixed on bots was changed"
      ),
      (
        "CREATE RULE mine AS ON INSERT TO conflicts DO INSTEAD NOTHING",
        "rule mine on conflicts does not belong"
      ),
      ("GRANT INSERT ON trades TO tradeledger_worker", "table trades was changed"),
      ("GRANT SELECT (token) ON trades TO tradeledger_worker", "table trades was changed"),
      ("GRANT EXECUTE ON FUNCTION resolve TO PUBLIC", "function resolve was changed"),
      ("GRANT UPDATE ON SEQUENCE trades_id_seq TO PUBLIC", "sequence trades_id_seq was changed"),
      ("GRANT CREATE ON SCHEMA tradeledger TO PUBLIC", "schema tradeledger was changed"),
      (
        "REVOKE EXECUTE ON FUNCTION attempt FROM tradeledger_worker",
        "function attempt was changed"
      ),
      ("DROP INDEX one_pending", "index one_pending is missing"),
      (
        "DROP INDEX last_trade; CREATE INDEX last_trade ON trades (bot_id)",
        "index last_trade was changed"
      ),
      ("CREATE UNIQUE INDEX mine ON trades (symbol)", "index mine does not belong"),
      (
        "CREATE OR REPLACE VIEW occupying_trades AS SELECT * FROM trade_rows WHERE status = 'void'",
        "text of view occupying_trades was changed"
      ),
      ("DROP FUNCTION layout", "function layout is missing"),
      ("DROP VIEW ledger_row", "view ledger_row is missing"),
    ]

    func testAlteration_isRefused_isNamed_andIsRepaired() async throws {
      let test = try await ServerLedger()
      try await test.addBot("a")
      _ = try await test.ledger.record(.example("a"))
      let fresh = try fingerprint(test.url)
      for (sql, words) in Self.repairable {
        try TestServer.run(test.url, script: "SET search_path = tradeledger; \(sql)")
        await expectError(.schemaAltered, saying: words, "init --repair") {
          let ledger = try await test.another()
          await ledger.close()
          XCTFail(sql)
        }
        await expectError(.schemaAltered, saying: words) {
          _ = try await Ledger.upgrade(test.url)
        }
        guard case .repaired(let found) = try await Ledger.upgrade(test.url, repairing: true)
        else { return XCTFail(sql) }
        XCTAssertTrue(found.contains { $0.hasPrefix(words) }, "\(sql): \(found)")
        XCTAssertTrue(try fingerprint(test.url) == fresh, sql)
      }
      let again = try await Ledger.upgrade(test.url, repairing: true)
      XCTAssertEqual(again, .current)
      // The one that was open all the time goes on.
      _ = try await test.ledger.record(.example("a"))
      XCTAssertEqual(try test.count(), 2)
      try await test.verify()
    }

    /// What only its owner can put right is left as it is, whole.
    func testAlteration_ofTables_isNamed_andLeftToPeople() async throws {
      let test = try await ServerLedger()
      let altered = [
        ("ALTER TABLE settings DROP CONSTRAINT settings_enabled_check", "settings_enabled_check"),
        ("ALTER TABLE conflicts DISABLE TRIGGER ALL", "constraint conflicts_bot_id_fkey"),
        ("ALTER TABLE trades ADD COLUMN mine text", "table trades was changed"),
        ("ALTER TABLE trades ALTER COLUMN late SET DEFAULT 1", "table trades was changed"),
        ("ALTER TABLE conflicts ALTER COLUMN token TYPE varchar", "table conflicts was changed"),
        ("ALTER TABLE trades ALTER COLUMN symbol DROP NOT NULL", "table trades was changed"),
        ("ALTER TABLE trades ENABLE ROW LEVEL SECURITY", "table trades was changed"),
        ("ALTER TABLE restores SET UNLOGGED", "table restores was changed"),
        ("CREATE TABLE mine (id bigint)", "table mine does not belong"),
        ("CREATE TABLE public.mine () INHERITS (trades)", "table trades was changed"),
        ("ALTER SEQUENCE trades_id_seq CACHE 50", "sequence trades_id_seq was changed"),
        (
          "CREATE OPERATOR === (FUNCTION = int8eq, LEFTARG = int8, RIGHTARG = int8)",
          "operator === does not belong"
        ),
        ("GRANT tradeledger_owner TO tradeledger_worker", "role tradeledger_worker was changed"),
        ("GRANT pg_write_all_data TO tradeledger_worker", "role tradeledger_worker was changed"),
        ("ALTER ROLE tradeledger_worker SUPERUSER", "role tradeledger_worker was changed"),
      ]
      for (sql, words) in altered {
        // Undone with the connection: a role belongs to all ledgers of the server.
        let connection = try Connection.open(try Address(test.url), wait: .seconds(20))
        try connection.begin(wait: .seconds(20))
        try connection.run(
          script: "SET LOCAL search_path = tradeledger; \(sql)", wait: .seconds(20))
        let answer = try connection.run(Query(ServerStatements.fingerprint), wait: .seconds(20))
        let found = ServerFingerprint(answer.text(0, 0) ?? "").alterations
        XCTAssertTrue(found.contains { $0.contains(words) }, "\(sql): \(found)")
      }
      try TestServer.query(test.url, "ALTER TABLE tradeledger.trades ADD COLUMN mine text")
      try TestServer.query(test.url, "DROP TRIGGER trade_new ON tradeledger.trades")
      let before = try fingerprint(test.url)
      await expectError(.schemaAltered, saying: "table trades was changed", "by hand") {
        _ = try await Ledger.upgrade(test.url, repairing: true)
      }
      XCTAssertTrue(try fingerprint(test.url) == before)
    }

    /// A server later than the last that was tried says nothing of the texts of views.
    func testText_thatIsLeftOut_isNoAlteration() throws {
      let shipped = String(
        decoding: PackageResources.schema_postgres_fingerprint, as: UTF8.self)
      let lines = shipped.split(separator: "\n")
      let without = lines.filter { !$0.hasPrefix("text of ") }
      XCTAssertLessThan(without.count, lines.count)
      XCTAssertEqual(ServerFingerprint(without.joined(separator: "\n")).alterations, [])
      XCTAssertEqual(
        ServerFingerprint(lines.dropLast().joined(separator: "\n")).alterations.count, 1)
      XCTAssertEqual(
        ServerFingerprint(shipped + "view \u{1b}[31m\t1").alterations,
        ["view \\u{1b}[31m does not belong to it"])
    }
  }
#endif
