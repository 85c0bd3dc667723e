#if PostgreSQL
  import Foundation
  import LedgerTestSupport
  import PostgreSQL
  import XCTest

  @testable import TradeLedger

  /// What a caller meets when the server is locked, full, too old or out of reach: an answer or an
  /// error in time, and never a second order.
  final class FaultTests: XCTestCase {
    private var proxy: CuttingProxy!

    override func setUpWithError() throws {
      proxy = try CuttingProxy(
        upstream: URLComponents(string: TestServer.orSkip().url)?.port ?? 5432)
    }

    override func tearDown() { proxy?.close() }

    /// With one connection, so that the one that is there is the one that is asked.
    private func opened(
      _ lockWait: Duration = .seconds(20), _ server: TestServer? = nil
    ) async throws -> ServerLedger {
      let test = try await ServerLedger(through: server == nil ? proxy : nil, server: server) {
        $0.lockWait = lockWait
        $0.connectionLimit = 1
      }
      try await test.addBot()
      return test
    }

    /// It fails so within its limit, two seconds for the network, and what a busy machine adds.
    private func expect(
      _ code: LedgerError.Code, within limit: Duration, line: UInt = #line,
      _ body: () async throws -> Void
    ) async {
      let start = ContinuousClock.now
      await expectError(code, line: line, body)
      XCTAssertLessThan(
        ContinuousClock.now - start, limit + .seconds(2) + .milliseconds(700), line: line)
    }

    // MARK: Collisions

    /// So many transactions that write a trade fail at their COMMIT.
    private func collide(_ url: String, _ times: Int) throws {
      try TestServer.run(
        url,
        script: """
          CREATE SEQUENCE collisions;
          CREATE FUNCTION collide() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
          BEGIN
            IF nextval('public.collisions') <= \(times) THEN
              RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001';
            END IF;
            RETURN NULL;
          END $$;
          CREATE CONSTRAINT TRIGGER collide AFTER INSERT ON tradeledger.trades
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION collide();
          """)
    }

    private func collisions(_ url: String) throws -> Int {
      Int(try TestServer.query(url, "SELECT last_value FROM collisions")[0][0]) ?? 0
    }

    func testSerializationFailure_isTriedAgain() async throws {
      let test = try await opened()
      try collide(test.url, 3)
      let outcome = try await test.ledger.reserve(.example())
      XCTAssertNotNil(outcome.permit)
      XCTAssertEqual(try collisions(test.url), 4)
      XCTAssertEqual(try test.count(), 1)
    }

    func testSerializationFailures_withoutEnd_areBusy() async throws {
      let test = try await opened(.milliseconds(500))
      try collide(test.url, 1_000_000)
      await expect(.busy, within: .milliseconds(500)) {
        _ = try await test.ledger.reserve(.example())
      }
      XCTAssertEqual(try test.count(), 0)
      // Again and again, and not as fast as one can.
      XCTAssertTrue((3..<100).contains(try collisions(test.url)))
    }

    /// A caller and an operator's transaction hold a lock each and want the other's. The server ends
    /// the caller's, since the other looks later; then the operator has both, for as long as `while`
    /// it.
    private func deadlock(
      _ test: ServerLedger, while body: (Task<ReserveOutcome, any Error>) async throws -> Void
    ) async throws {
      let acquired = try await test.ledger.acquireInstance(InstanceName("desk"))
      guard case .acquired(let lease) = acquired else { return XCTFail("\(acquired)") }
      let (ledger, claim) = (test.ledger, lease.claim)
      let call: Task<ReserveOutcome, any Error>
      do {
        let other = try Connection.open(try Address(test.url), wait: .seconds(20))
        for sql in [
          "SET deadlock_timeout = '60s'", "BEGIN", "SELECT 1 FROM tradeledger.instances FOR UPDATE",
        ] { _ = try other.run(Query(sql), wait: .seconds(20)) }
        call = Task { try await ledger.reserve(.example(), instance: claim) }
        let isWaiting = try eventually {
          try TestServer.query(
            test.url,
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
              + "AND datname = current_database()") != []
        }
        XCTAssertTrue(isWaiting)
        let lock = Query("SELECT 1 FROM tradeledger.bots FOR UPDATE")
        XCTAssertEqual(try other.run(lock, wait: .seconds(15)).rowCount, 1, "the caller gave way")
        try await body(call)
      }
      // The connection has ended, and its transaction with it.
      _ = await call.result
    }

    func testDeadlock_isTriedAgain() async throws {
      let test = try await opened()
      var call: Task<ReserveOutcome, any Error>?
      try await deadlock(test) { call = $0 }
      let permit = try await call?.value.permit
      XCTAssertNotNil(permit)
      XCTAssertEqual(try test.count(), 1)
    }

    func testDeadlock_thatLasts_isBusy() async throws {
      let test = try await opened(.seconds(2))
      try await deadlock(test) { call in
        await expect(.busy, within: .seconds(2)) { _ = try await call.value }
        XCTAssertEqual(try test.count(), 0)
      }
    }

    // MARK: Places

    func testPlaces_thatAreTaken_areWaitedFor() async throws {
      let test = try await opened()
      let role = "crowd_" + test.url.suffix(8)
      try TestServer.query(
        test.url, "CREATE ROLE \(role) LOGIN CONNECTION LIMIT 2 IN ROLE tradeledger_worker")
      let database = String(test.url.split(separator: "/").last ?? "")
      let url = TestServer.url(test.url, database: database, user: role)
      let through = proxy.url(url)
      // Trades have a connection beside the first.
      let ledger = try await test.another(through) { $0.lockWait = .milliseconds(400) }
      let other = try await test.another(url)
      await expect(.busy, within: .milliseconds(400)) {
        _ = try await ledger.reserve(.example())
      }
      await expectError(.busy, saying: "max_connections") {
        _ = try await test.another(url) { $0.lockWait = .milliseconds(400) }
      }
      XCTAssertEqual(try test.count(), 0)
      await other.close()
      let patient = try await test.another(through)
      let before = proxy.connections
      let call = Task { try await patient.reserve(.example()) }
      XCTAssertTrue(eventually { proxy.connections >= before + 2 })
      await ledger.close()
      let permit = try await call.value.permit
      XCTAssertNotNil(permit)
    }

    // MARK: Stalls

    /// Two trades: from here on the statement is prepared.
    private func connect(_ ledger: Ledger) async throws {
      for _ in 0..<2 { _ = try await ledger.record(.example()) }
    }

    func testStall_ofAQuestion_isUnknownAndTrueAfterwards() async throws {
      let test = try await opened(.milliseconds(400))
      try await connect(test.ledger)
      let key = try OrderKey("stalled")
      proxy.stall()
      await expect(.outcomeUnknown, within: .milliseconds(400)) {
        _ = try await test.ledger.record(.example(), key: key)
      }
      XCTAssertEqual(try test.count(), 2)
      // It may arrive after all.
      proxy.resume()
      _ = try await test.ledger.record(.example(), key: key)
      XCTAssertEqual(try test.count(), 3)
    }

    func testStall_ofAnAnswer_isUnknownAndTrueAfterwards() async throws {
      let test = try await opened(.milliseconds(400))
      try await connect(test.ledger)
      let key = try OrderKey("stalled")
      proxy.stall(questions: false)
      await expect(.outcomeUnknown, within: .milliseconds(400)) {
        _ = try await test.ledger.record(.example(), key: key)
      }
      XCTAssertEqual(try test.count(), 3)
      proxy.resume()
      guard case .replayed = try await test.ledger.record(.example(), key: key) else {
        return XCTFail("recorded twice")
      }
      XCTAssertEqual(try test.count(), 3)
    }

    func testStall_whileItConnects_isUnavailable() async throws {
      let test = try await opened()
      proxy.stall()
      await expect(.unavailable, within: .milliseconds(400)) {
        _ = try await test.another(proxy.url(test.url)) { $0.lockWait = .milliseconds(400) }
      }
      proxy.resume()
      await test.ledger.close()
    }

    /// SIGSTOP in the middle of the operation: under the lock, after the row was written.
    func testStop_ofAProcessOfTheServer_isUnknownAndTrueAfterwards() async throws {
      let test = try await opened(.milliseconds(400))
      try await test.addBot("other")
      try TestServer.run(
        test.url,
        script: """
          CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END $$;
          CREATE TRIGGER linger AFTER INSERT ON tradeledger.trades
            FOR EACH ROW WHEN (NEW.key = 'stopped') EXECUTE FUNCTION linger();
          """)
      let (ledger, key) = (test.ledger, try OrderKey("stopped"))
      let call = Task { try await ledger.record(.example(), key: key) }
      var pid = Int32(0)
      let isLingering = try eventually {
        let found = try TestServer.query(
          test.url,
          "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' "
            + "AND datname = current_database()")
        pid = Int32(found.first?.first ?? "") ?? 0
        return pid > 0
      }
      XCTAssertTrue(isLingering)
      guard kill(pid, SIGSTOP) == 0 else {
        _ = await call.result
        throw XCTSkip("the server's processes are not this user's to stop")
      }
      defer { kill(pid, SIGCONT) }
      await expect(.outcomeUnknown, within: .milliseconds(400)) { _ = try await call.value }
      XCTAssertEqual(try test.count(), 0, "not committed")
      // It has the lock of its bot alone.
      _ = try await ledger.record(.example("other"))
      kill(pid, SIGCONT)
      // The server finds out at COMMIT that nobody listens any more: the row is there.
      XCTAssertTrue(try eventually { try test.count() == 2 })
      guard case .replayed = try await ledger.record(.example(), key: key) else {
        return XCTFail("recorded twice")
      }
      try await test.verify()
    }

    func testStop_ofTheWholeServer_isUnknownAndTrueAfterwards() async throws {
      let server = try TestServer.ownOrSkip()
      defer { server.stop() }
      let test = try await opened(.milliseconds(400), server)
      try await connect(test.ledger)
      let key = try OrderKey("stopped")
      server.pause()
      await expect(.outcomeUnknown, within: .milliseconds(400)) {
        _ = try await test.ledger.record(.example(), key: key)
      }
      await expect(.unavailable, within: .milliseconds(400)) {
        _ = try await test.another { $0.lockWait = .milliseconds(400) }
      }
      server.goOn()
      XCTAssertTrue(try eventually { try test.count() == 3 })
      guard case .replayed = try await test.ledger.record(.example(), key: key) else {
        return XCTFail("recorded twice")
      }
      try await test.verify()
    }

    // MARK: Versions

    func testServer_thatIsTooOld_isAskedNothing() async throws {
      let test = try await opened()
      _ = try await test.ledger.record(.example())
      let asked = proxy.asked
      proxy.pretend(version: "14")
      let url = proxy.url(try TestServer.orSkip().database())
      for place in [proxy.url(test.url), url] {
        await expectError(.configuration, saying: "PostgreSQL 14", "15 or later") {
          _ = try await Ledger.create(place, mode: .live)
        }
      }
      let directory = TemporaryDirectory()
      let file = directory.file("ledger.db")
      try await Ledger.create(file, mode: .live).close()
      await expectError(.configuration, saying: "15 or later") {
        _ = try await Ledger.copy(from: file, to: url)
      }
      let result = BuiltBinary.run(["--db", url, "init"])
      XCTAssertEqual(result.status, 78, result.stderr)
      XCTAssertEqual(proxy.asked, asked)
      // One that the address leads to later on, is too.
      proxy.cut(.question)
      await expectError(.outcomeUnknown) { _ = try await test.ledger.record(.example()) }
      XCTAssertEqual(try test.count(), 1)
      await expectError(.configuration, saying: "15 or later") {
        _ = try await test.ledger.record(.example())
      }
    }

    /// What psql runs by itself looks too, before it makes anything.
    func testSchema_looksAtTheVersionFirst() throws {
      let url = try TestServer.orSkip().database()
      let script = ServerSchemaText.sql.replacingOccurrences(of: "< 150000", with: "< 990000")
      XCTAssertNotEqual(script, ServerSchemaText.sql)
      XCTAssertThrowsError(try TestServer.run(url, script: script)) {
        XCTAssertEqual(($0 as? PostgreSQLError)?.sqlState, "TL001", "\($0)")
      }
      XCTAssertEqual(
        try TestServer.query(url, "SELECT 1 FROM pg_namespace WHERE nspname = 'tradeledger'"), [])
    }
  }
#endif
