#if PostgreSQL
  import Foundation
  import LedgerTestSupport
  import XCTest

  @testable import TradeLedger

  /// Who may come in: passwords and certificates, on a server that asks for them.
  final class LoginTests: XCTestCase {
    /// `bob` comes with a password, `tls` with a password and over TLS alone.
    private struct Guarded {
      let server: TestServer
      let url: String
      let authority: String

      init() async throws {
        server = try TestServer.ownOrSkip()
        let test = try await ServerLedger(server: server)
        try await test.addBot()
        await test.ledger.close()
        url = test.url
        let folder = server.directory + "/data/"
        authority = folder + "ca.crt"
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        let made = BuiltBinary.run(
          "/bin/sh",
          [
            "-ec",
            """
            cd "$1"
            openssl req -x509 \(key) -days 2 -subj /CN=authority -keyout ca.key -out ca.crt
            openssl req \(key) -subj /CN=db.example -keyout server.key -out server.csr
            openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 \
              -out server.crt
            chown --reference=. server.key
            printf '%s\\n' 'host all owner all trust' 'hostssl all tls all scram-sha-256' \
              'host all bob all scram-sha-256' >pg_hba.conf
            """, "sh", folder,
          ])
        XCTAssertEqual(made.status, 0, made.stderr)
        for role in ["bob", "tls"] {
          try TestServer.query(
            url, "CREATE ROLE \(role) LOGIN PASSWORD 's3cret' IN ROLE tradeledger_worker")
        }
        try TestServer.query(url, "ALTER SYSTEM SET ssl = on")
        try TestServer.query(url, "SELECT pg_reload_conf()")
        let plain = address("tls", "s3cret", "sslmode=disable")
        // The server reads both in a moment, one after the other.
        let isReady = eventually {
          (try? TestServer.query(url, "SHOW ssl")) == [["on"]]
            && (try? TestServer.query(plain, "SELECT 1")) == nil
        }
        XCTAssertTrue(isReady)
      }

      func address(
        _ role: String, _ password: String?, _ options: String = "",
        host: String = "127.0.0.1"
      ) -> String {
        let account = role + (password.map { ":" + $0 } ?? "")
        let database = url.split(separator: "/").last ?? ""
        return "postgresql://\(account)@\(host):\(server.port)/\(database)?\(options)"
      }
    }

    /// At once, however long one would wait, in the library and in the program.
    private func expectRefusal(
      _ url: String, _ code: LedgerError.Code, _ exit: Int32, saying word: String,
      line: UInt = #line
    ) async {
      let start = ContinuousClock.now
      var options = Ledger.Options()
      options.lockWait = .seconds(60)
      await expectError(code, saying: word, line: line) {
        _ = try await Ledger.open(url, options: options)
      }
      let order = ["--side", "buy", "--symbol", "BTC-USD", "--quantity", "0.5"]
      let result = BuiltBinary.run(
        ["--db", url, "--lock-wait", "60s", "--json", "reserve", "momentum/BTC-USD"] + order)
      XCTAssertLessThan(ContinuousClock.now - start, .seconds(20), line: line)
      XCTAssertEqual(result.status, exit, result.stderr, line: line)
      let said = result.stdout + result.stderr
      XCTAssertTrue(said.contains("\"code\":\"\(code)\"") && said.contains(word), said, line: line)
      XCTAssertFalse(said.contains("s3cret"), said, line: line)
    }

    func testLogin_thatIsRefused_saysWhatIsAskedForAndNoPassword() async throws {
      let guarded = try await Guarded()
      defer { guarded.server.stop() }
      let password = "right password"
      await expectRefusal(guarded.address("bob", "s3cret-no"), .permission, 77, saying: password)
      await expectRefusal(guarded.address("bob", nil), .permission, 77, saying: password)
      // libpq then tries without encryption too, and is told that this is not allowed.
      await expectRefusal(guarded.address("tls", "s3cret-no"), .permission, 77, saying: password)
      await expectRefusal(
        guarded.address("tls", "s3cret-no", "sslmode=allow"), .permission, 77, saying: password)
      await expectRefusal(guarded.address("tls", nil), .permission, 77, saying: password)
      await expectRefusal(guarded.address("nobody", "s3cret"), .permission, 77, saying: "pg_hba")
      let plain = guarded.address("tls", "s3cret", "sslmode=disable")
      await expectRefusal(plain, .permission, 77, saying: "wants TLS")
      let trusted = "hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert=\(guarded.authority)"
      for (host, options) in [
        ("other.example", trusted),
        ("db.example", "hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert=/nowhere"),
      ] {
        await expectRefusal(
          guarded.address("tls", "s3cret", options, host: host), .configuration, 78,
          saying: "sslmode")
      }
      // Whoever is who it should be, comes in.
      for url in [
        guarded.address("tls", "s3cret", trusted, host: "db.example"),
        guarded.address("tls", "s3cret", "sslmode=require"), guarded.address("bob", "s3cret"),
      ] {
        let ledger = try await Ledger.open(url)
        XCTAssertFalse(ledger.path.contains("s3cret"))
        let encryption = try await ledger.diagnosis().server?.encryption
        XCTAssertEqual(encryption?.hasPrefix("TLS"), true)
        guard case .recorded = try await ledger.record(.example()) else {
          return XCTFail("not recorded")
        }
        await ledger.close()
      }
    }

    func testServer_withoutTLS_whereItIsAskedFor() async throws {
      let server = try TestServer.orSkip()
      for mode in ["require", "required"] {
        await expectRefusal(
          server.url + "?sslmode=\(mode)", .configuration, 78, saying: "sslmode")
      }
    }
  }
#endif
