#if PostgreSQL
  import Foundation
  import LedgerTestSupport
  import PostgreSQL
  import XCTest

  @testable import TradeLedger

  /// Whatever is wrong with the server, the role or the URL, is said with what to do, and without
  /// the password.
  final class RefusalTests: XCTestCase {
    /// A connection that breaks off while it is encrypted is tried again; a refusal is not.
    func testEncryption_thatBreaksOffIsNoRefusal() {
      func passes(_ message: String) -> Bool {
        PostgreSQLError(message: message, isConnectionLost: true).mayPass(severalHosts: false)
      }
      XCTAssertTrue(passes("SSL SYSCALL error: EOF detected"))
      XCTAssertTrue(passes("SSL connection has been closed unexpectedly"))
      XCTAssertFalse(passes("server does not support SSL, but SSL was required"))
      XCTAssertFalse(passes("SSL error: certificate verify failed"))
      XCTAssertFalse(passes("fe_sendauth: no password supplied"))
      XCTAssertFalse(passes("invalid sslmode value: \"verifyfull\""))
    }

    private func open(
      _ url: String, lockWait: Duration = .milliseconds(300)
    ) async throws -> Ledger {
      var options = Ledger.Options()
      options.lockWait = lockWait
      return try await Ledger.open(url, options: options)
    }

    func testWorker_trades_andCannotRewriteHistory() async throws {
      let test = try await ServerLedger()
      try await test.addBot("a")
      let url = try TestServer.worker(test.url, "worker")
      let worker = try await open(url)
      let outcome = try await worker.reserve(.example("a"))
      let permit = try XCTUnwrap(outcome.permit)
      _ = try await worker.fill(permit.trade, token: permit.token)
      _ = try await worker.status()
      _ = try await worker.audit()
      await expectError(.permission, saying: "tradeledger_owner") {
        _ = try await worker.addBot(BotName("b"), BotSettings(cooldown: .zero))
      }
      for sql in [
        "UPDATE tradeledger.trades SET created_at = 0", "DELETE FROM tradeledger.trades",
        "SELECT token FROM tradeledger.trades", "SELECT tradeledger.restored()",
      ] {
        XCTAssertThrowsError(try TestServer.query(url, sql), sql)
      }
    }

    /// S-55: whatever else answers at that address is refused with the reason.
    func testPlaces_withoutALedger() async throws {
      let server = try TestServer.orSkip()
      let empty = try server.database()
      await expectError(.noLedger, saying: "init") { _ = try await self.open(empty) }
      await expectError(.noLedger, saying: "createdb") {
        _ = try await self.open(TestServer.url(server.url, database: "no_such_database"))
      }
      await expectError(.unavailable) {
        _ = try await self.open("postgresql://ann:s3cret@127.0.0.1:1/bots")
      }
      await expectError(.invalidInput, saying: "postgresql://") {
        _ = try await self.open("postgresql://ann:s3cret/x@127.0.0.1/bots")
      }
      await expectError(.configuration, saying: "live") {
        let test = try await ServerLedger(mode: .live)
        _ = try await Ledger.create(test.url, mode: .paper)
      }
      let python = """
        import socket, sys
        server = socket.create_server(('127.0.0.1', 0))
        print(server.getsockname()[1], flush=True)
        while True:
            client, _ = server.accept()
            client.recv(8)
            client.sendall(b'HTTP/1.1 400 Bad Request\\r\\n\\r\\n')
            client.close()
        """
      let stranger = try ChildProcess("python3", ["-c", python])
      defer { stranger.signal(SIGKILL) }
      let port = try XCTUnwrap(stranger.readLine(), stranger.standardError)
      await expectError(.unavailable, saying: "authentication request") {
        _ = try await self.open("postgresql://ann@127.0.0.1:\(port)/bots?sslmode=disable")
      }
    }

    func testInit_byManyAtOnce_makesOne() async throws {
      let url = try TestServer.orSkip().database()
      let modes = try await withThrowingTaskGroup(of: LedgerMode.self) { group in
        for _ in 0..<6 {
          group.addTask {
            let ledger = try await Ledger.create(url, mode: .paper)
            let mode = ledger.mode
            await ledger.close()
            return mode
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      XCTAssertEqual(modes, Array(repeating: .paper, count: 6))
    }

    /// S-56: a newer layout is refused, by whoever opens the ledger, and not touched.
    func testLayout_thatIsNewer_isRefused() async throws {
      let test = try await ServerLedger()
      try TestServer.query(
        test.url,
        "CREATE OR REPLACE FUNCTION tradeledger.layout() RETURNS integer LANGUAGE sql AS 'SELECT 99'"
      )
      for _ in 0..<2 {
        await expectError(.newerSchema) { _ = try await self.open(test.url) }
        await expectError(.newerSchema) { _ = try await Ledger.create(test.url, mode: .live) }
      }
      XCTAssertEqual(try TestServer.query(test.url, "SELECT tradeledger.layout()"), [["99"]])
    }

    /// S-54: as on a standby.
    func testServer_thatTakesNoWrites() async throws {
      let test = try await ServerLedger()
      try await test.addBot("a")
      let url = try TestServer.worker(test.url, "reader", "SET default_transaction_read_only = on")
      let ledger = try await open(url)
      await expectError(.configuration, saying: "standby") {
        _ = try await ledger.reserve(.example("a"))
      }
      let check = try await ledger.check(BotName("a"))
      XCTAssertEqual(check, .admissible)
    }

    /// S-54: a role that may read, and nothing else.
    func testReader_looksAndIsToldWhyItMayNotWrite() async throws {
      let test = try await ServerLedger()
      try await test.addBot("a")
      let role = "reader_" + test.url.suffix(8)
      try TestServer.run(
        test.url,
        script: """
          CREATE ROLE \(role) LOGIN;
          GRANT USAGE ON SCHEMA tradeledger TO \(role);
          GRANT SELECT ON tradeledger.ledger_row, tradeledger.bot_rows, tradeledger.trade_rows,
            tradeledger.counted_trades, tradeledger.conflict_rows, tradeledger.restore_rows
            TO \(role);
          GRANT EXECUTE ON FUNCTION tradeledger.layout, tradeledger.server_now,
            tradeledger.check_bot, tradeledger.status TO \(role)
          """)
      let database = String(test.url.split(separator: "/").last ?? "")
      let reader = try await open(TestServer.url(test.url, database: database, user: role))
      let check = try await reader.check(BotName("a"))
      XCTAssertEqual(check, .admissible)
      let status = try await reader.status()
      XCTAssertEqual(status.bots.count, 1)
      let audit = try await reader.audit()
      XCTAssertEqual(audit.examined, 0)
      await expectError(.permission, saying: "worker") {
        _ = try await reader.reserve(.example("a"))
      }
      XCTAssertEqual(try test.count(), 0)
    }

    func testIsolation_ofAnotherKind_isRefused() async throws {
      let test = try await ServerLedger()
      try await test.addBot("a")
      let url = try TestServer.worker(
        test.url, "strict", "SET default_transaction_isolation = 'serializable'")
      let ledger = try await open(url)
      await expectError(.configuration, saying: "read committed") {
        _ = try await ledger.reserve(.example("a"))
      }
    }

    /// By a warning alone a client hears that a standby may lack what was committed.
    func testClient_thatWouldNotBeWarned_writesNothing() async throws {
      let test = try await ServerLedger()
      try await test.addBot("a")
      let url = try TestServer.worker(test.url, "deaf", "SET client_min_messages = error")
      let ledger = try await open(url)
      await expectError(.configuration, saying: "client_min_messages") {
        _ = try await ledger.reserve(.example("a"))
      }
      XCTAssertEqual(try test.count(), 0)
    }
  }
#endif
