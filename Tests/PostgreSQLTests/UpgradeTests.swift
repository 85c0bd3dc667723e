#if PostgreSQL
  import Foundation
  import LedgerTestSupport
  import PostgreSQL
  import XCTest

  @testable import TradeLedger

  /// An older ledger on a server becomes one of this version, with every row, while others trade.
  final class UpgradeTests: XCTestCase {
    private func fingerprint(_ url: String) throws -> ServerFingerprint {
      ServerFingerprint(try TestServer.query(url, ServerStatements.fingerprint)[0][0])
    }

    private func upgrade(
      _ url: String, steps: [Int64: String], wait: Duration = .seconds(5)
    ) throws(LedgerError) -> LedgerUpgrade {
      let session = ServerSession(
        try PostgreSQLEngine.address(url), StatementCounter(), OpenedLedger())
      return try ServerUpgrade(
        session: session, wait: WaitLimit(wait), isRepair: false, steps: steps
      ).run()
    }

    /// A layout that never was: without one column, and with one too many.
    private func makeOlder(_ url: String) throws {
      try TestServer.run(
        url,
        script: """
          SET search_path = tradeledger;
          ALTER TABLE trades DROP COLUMN late CASCADE;
          ALTER TABLE bots ADD COLUMN alias text;
          CREATE OR REPLACE FUNCTION layout() RETURNS integer LANGUAGE sql IMMUTABLE
            AS 'SELECT 3';
          """)
    }

    private let step = """
      ALTER TABLE trades ADD COLUMN late smallint NOT NULL DEFAULT 0;
      ALTER TABLE bots DROP COLUMN alias
      """

    func testOlderLayout_isBroughtUpToDate_withItsRows() async throws {
      let test = try await ServerLedger()
      try await test.addBot("a", cooldown: .seconds(900))
      let recorded = try await test.ledger.record(.example("a"), key: OrderKey("signal-1"))
      guard case .recorded(let trade) = recorded else { return XCTFail("\(recorded)") }
      await test.ledger.close()
      try makeOlder(test.url)
      await expectError(.configuration, saying: "older layout 3", "tradeledger init") {
        _ = try await test.another()
      }
      XCTAssertEqual(try upgrade(test.url, steps: [3: step]), .upgraded(from: 3))
      let ledger = try await test.another()
      let replayed = try await ledger.record(.example("a"), key: OrderKey("signal-1"))
      XCTAssertEqual(replayed, .replayed(trade))
      let denied = try await ledger.record(.example("a"))
      guard case .denied(let denial) = denied else { return XCTFail("\(denied)") }
      XCTAssertEqual(denial.reason, .cooldown)
      await ledger.close()
      XCTAssertEqual(try upgrade(test.url, steps: [:]), .current)
    }

    func testStep_thatIsMissingOrWrong_changesNothing() async throws {
      let test = try await ServerLedger()
      await test.ledger.close()
      try makeOlder(test.url)
      let before = try fingerprint(test.url)
      let steps: [(LedgerError.Code, [Int64: String])] = [
        (.configuration, [:]), (.configuration, [2: step]),
        (.schemaAltered, [3: "ALTER TABLE trades ADD COLUMN late smallint"]),
        (.io, [3: step + "; SELECT 1 / 0"]),
      ]
      for (code, steps) in steps {
        await expectError(code) { _ = try self.upgrade(test.url, steps: steps) }
        XCTAssertTrue(try fingerprint(test.url) == before)
      }
    }

    func testLayout_thatIsNewer_isLeftAlone() async throws {
      let test = try await ServerLedger()
      try TestServer.query(
        test.url,
        "CREATE OR REPLACE FUNCTION tradeledger.layout() RETURNS integer LANGUAGE sql AS 'SELECT 99'"
      )
      let before = try fingerprint(test.url)
      await expectError(.newerSchema) {
        _ = try await Ledger.upgrade(test.url, repairing: true)
      }
      XCTAssertTrue(try fingerprint(test.url) == before)
      await expectError(.noLedger) {
        _ = try await Ledger.upgrade(TestServer.orSkip().database(), repairing: true)
      }
      await expectError(.configuration) { _ = try await Ledger.upgrade("ledger.db") }
    }

    func testWhatOthersBuilt_isNotDropped_andTheirGrantsStay() async throws {
      let test = try await ServerLedger()
      let role = "board_" + test.url.suffix(8)
      try TestServer.run(
        test.url,
        script: """
          CREATE ROLE \(role) LOGIN;
          GRANT USAGE ON SCHEMA tradeledger TO \(role);
          GRANT SELECT ON tradeledger.trade_rows TO \(role);
          CREATE VIEW public.mine AS SELECT id FROM tradeledger.trade_rows;
          DROP TRIGGER trade_new ON tradeledger.trades;
          """)
      let before = try fingerprint(test.url)
      await expectError(.configuration, saying: "mine") {
        _ = try await Ledger.upgrade(test.url, repairing: true)
      }
      XCTAssertTrue(try fingerprint(test.url) == before)
      try TestServer.query(test.url, "DROP VIEW public.mine")
      _ = try await Ledger.upgrade(test.url, repairing: true)
      let database = String(test.url.split(separator: "/").last ?? "")
      let board = TestServer.url(test.url, database: database, user: role)
      XCTAssertEqual(try TestServer.query(board, "SELECT * FROM tradeledger.trade_rows").count, 0)
      // Only an operator may.
      try TestServer.query(test.url, "DROP TRIGGER trade_new ON tradeledger.trades")
      await expectError(.permission) { _ = try await Ledger.upgrade(board, repairing: true) }
    }

    /// What was written while a rule was gone counts: the bot does not trade by what it knew before.
    func testWhatAnAdmissionKnew_isForgotten() async throws {
      let test = try await ServerLedger()
      try await test.addBot("a", cooldown: .seconds(1))
      _ = try await test.ledger.record(.example("a"))
      try TestServer.query(test.url, "DROP TRIGGER settings_new ON tradeledger.settings")
      try TestServer.query(
        test.url,
        "INSERT INTO tradeledger.settings (bot_id, cooldown_us, lease_us, in_doubt, enabled, at) "
          + "SELECT id, 900000000, 30000000, 'cooldown', 1, tradeledger.server_now() "
          + "FROM tradeledger.bots")
      _ = try await Ledger.upgrade(test.url, repairing: true)
      XCTAssertEqual(
        try TestServer.query(test.url, "SELECT DISTINCT free_at FROM tradeledger.bots"),
        [["9223372036854775807"]])
    }

    // MARK: Beside others

    /// Whoever opens the ledger just before an upgrade ends sees the new schema, and all of it.
    func testOpening_beforeAnUpgradeEnds_waitsForIt() async throws {
      let test = try await ServerLedger()
      let url = test.url
      await test.ledger.close()
      try makeOlder(url)
      let upgrade = try Connection.open(try Address(url), wait: .seconds(20))
      try upgrade.begin(wait: .seconds(20))
      for script in [
        ServerStatements.beginUpgrade(milliseconds: 500), ServerStatements.dropRules, step,
        String(ServerSchemaText.rules),
      ] {
        try upgrade.run(script: script, wait: .seconds(20))
      }
      let opening = Task { try await test.another { $0.lockWait = .seconds(20) } }
      XCTAssertTrue(
        try eventually {
          try TestServer.query(url, "SELECT 1 FROM pg_locks WHERE NOT granted").count > 0
        })
      try upgrade.commit(wait: .seconds(20))
      let opened = try await opening.value
      await opened.close()
    }

    /// A lock that somebody keeps: who upgrades gives up, having held nobody up for long.
    func testLock_thatSomebodyKeeps_isNotWaitedForTogether() async throws {
      let test = try await ServerLedger { $0.lockWait = .seconds(3) }
      try await test.addBot("a")
      try TestServer.query(test.url, "DROP TRIGGER trade_new ON tradeledger.trades")
      let before = try fingerprint(test.url)
      // It trades no more after that, and so the order of the locks is the worst.
      let keeper = try Connection.open(try Address(test.url), wait: .seconds(20))
      try keeper.begin(wait: .seconds(20))
      _ = try keeper.run(
        Query("LOCK TABLE tradeledger.trades IN ACCESS SHARE MODE"), wait: .seconds(20))
      let url = test.url
      let upgrade = Task {
        var options = Ledger.Options()
        options.lockWait = .seconds(2)
        return try await Ledger.upgrade(url, repairing: true, options: options)
      }
      XCTAssertTrue(
        eventually {
          (try? TestServer.query(
            url,
            "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = "
              + "'tradeledger.trades'::regclass"))?.count == 1
        })
      // Waits for the half second of the upgrade, not for its two.
      let start = ContinuousClock.now
      _ = try await test.ledger.record(.example("a"))
      XCTAssertLessThan(ContinuousClock.now - start, .seconds(1.5))
      await expectError(.busy) { _ = try await upgrade.value }
      XCTAssertTrue(try fingerprint(url) == before)
      _ = try keeper.run(Query("SELECT 1"), wait: .seconds(20))
      try keeper.commit(wait: .seconds(20))
      _ = try await Ledger.upgrade(url, repairing: true)
      try await test.verify()
    }

    func testManyAtOnce_doItOnce() async throws {
      let test = try await ServerLedger()
      try TestServer.query(test.url, "DROP TRIGGER trade_new ON tradeledger.trades")
      let url = test.url
      let done = try await withThrowingTaskGroup(of: LedgerUpgrade.self) { group in
        for _ in 0..<4 {
          group.addTask {
            var options = Ledger.Options()
            options.lockWait = .seconds(30)
            return try await Ledger.upgrade(url, repairing: true, options: options)
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      XCTAssertEqual(done.filter { $0 == .current }.count, 3, "\(done)")
      try await test.verify()
    }

    /// kill -9 of the command, and of its process at the server, where half of it is done.
    func testKill_inTheMiddle_leavesTheOldOneWhole() async throws {
      let test = try await ServerLedger()
      try await test.addBot("a")
      let url = test.url
      // Whoever makes a view waits for the lock that the gate keeps.
      try TestServer.run(
        url,
        script: """
          DROP TRIGGER trade_new ON tradeledger.trades;
          CREATE FUNCTION public.halt() RETURNS event_trigger LANGUAGE plpgsql AS
            'BEGIN PERFORM pg_advisory_xact_lock(4711); END';
          CREATE EVENT TRIGGER halt ON ddl_command_end WHEN TAG IN ('CREATE VIEW')
            EXECUTE FUNCTION public.halt();
          """)
      let before = try fingerprint(url)
      let waiting = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
      for isServerKilled in [false, true] {
        let gate = try Connection.open(try Address(url), wait: .seconds(20))
        _ = try gate.run(Query("SELECT pg_advisory_lock(4711)"), wait: .seconds(20))
        let child = try ChildProcess(BuiltBinary.path, ["init", "--repair", "--db", url])
        func expectHalted() throws -> String {
          XCTAssertTrue(try eventually { try TestServer.query(url, waiting).count == 1 })
          return try TestServer.query(url, waiting).first?[0] ?? "-"
        }
        let pid = try expectHalted()
        if isServerKilled {
          try TestServer.query(url, "SELECT pg_terminate_backend(\(pid))")
          // It begins again.
          XCTAssertTrue(try eventually { try expectHalted() != pid })
        }
        child.signal(SIGKILL)
        _ = child.wait(timeout: 30)
        _ = try gate.run(Query("SELECT pg_advisory_unlock(4711)"), wait: .seconds(20))
        XCTAssertTrue(try eventually { try TestServer.query(url, waiting).isEmpty })
        _ = try await test.ledger.record(.example("a"))
        XCTAssertTrue(try fingerprint(url) == before)
      }
      try TestServer.query(url, "DROP EVENT TRIGGER halt")
      let repaired = BuiltBinary.run(["init", "--repair", "--db", url, "--json"])
      XCTAssertEqual(repaired.status, 0, repaired.stderr)
      XCTAssertTrue(repaired.stdout.contains("\"outcome\":\"repaired\""), repaired.stdout)
      XCTAssertEqual(try test.count(), 2)
      try await test.verify()
    }

    /// Workers of both languages trade while the schema is replaced again and again: they see the
    /// old one or the new one, and what became of it is judged by the simulator.
    func testWorkers_tradeOn() async throws {
      let url = try TestServer.orSkip().database()
      let python = BuiltBinary.run("python3", ["-c", "import psycopg"]).status == 0
      let worker = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../clients/python/tests/simulation_worker.py").path
      let child = try ChildProcess(
        BuiltBinary.path,
        [
          "simulate", "--db", url, "--duration", "8s", "--workers", "8", "--bots", "4",
          "--instances", "0", "--cooldown", "100ms", "--exchange-failures", "0%", "--json",
        ]
          + (python
            ? ["--foreign-workers", "4", "--foreign-command", "python3 -B \(worker)"] : []))
      XCTAssertTrue(
        eventually {
          (try? TestServer.query(url, "SELECT 1 FROM tradeledger.trade_rows LIMIT 1"))?.count == 1
        })
      var options = Ledger.Options()
      options.lockWait = .seconds(20)
      var count = 0
      while kill(child.pid, 0) == 0, count < 40 {
        let before = try Int(TestServer.query(url, "SELECT COUNT(*) FROM tradeledger.trades")[0][0])
        try TestServer.query(
          url, "ALTER FUNCTION tradeledger.refuse SET enable_seqscan = off")
        let done = try await Ledger.upgrade(url, repairing: true, options: options)
        XCTAssertEqual(done, .repaired(["function refuse was changed"]))
        count += 1
        // They go on trading with the new one.
        guard
          eventually(
            within: 5,
            {
              (try? TestServer.query(url, "SELECT COUNT(*) FROM tradeledger.trades"))
                .flatMap { Int($0[0][0]) } ?? 0 > (before ?? 0) + 12
            })
        else { break }
      }
      let status = child.wait(timeout: 120)
      let text = child.standardOutput
      XCTAssertEqual(status, 0, text + child.standardError)
      XCTAssertGreaterThan(count, 2)
      let result = try XCTUnwrap(
        JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
      XCTAssertEqual(result["double_trades"] as? Int, 0)
      XCTAssertEqual(result["unknown"] as? Int, 0)
      // Nobody was told anything but an answer, or "busy".
      let denied = (result["denied"] as? [String: Int] ?? [:]).values.reduce(0, +)
      let answers = ["admitted", "replayed", "busy"].map { result[$0] as? Int ?? 0 }
      XCTAssertEqual(result["attempts"] as? Int, answers.reduce(denied, +), text)
      try TestServer.verify(url)
    }
  }
#endif
