#if PostgreSQL
  import Foundation
  import LedgerTestSupport
  import PostgreSQL
  import XCTest

  @testable import TradeLedger

  /// INV-8 over a network: whatever the server, the network or the resolver does, a call has its
  /// answer within its limit and two seconds.
  final class WaitTests: XCTestCase {
    private var proxy: CuttingProxy?

    override func setUpWithError() throws {
      proxy = try CuttingProxy(upstream: WaitTests.serverPort())
    }

    override func tearDown() { proxy?.close() }

    private static func serverPort() throws -> Int {
      URLComponents(string: try TestServer.orSkip().url)?.port ?? 5432
    }

    private func opened(lockWait: Duration) async throws -> (ServerLedger, CuttingProxy) {
      let proxy = try XCTUnwrap(proxy)
      let test = try await ServerLedger(through: proxy) {
        $0.lockWait = lockWait
        $0.connectionLimit = 1
      }
      try await test.addBot()
      // From here on there is a connection to be cut.
      _ = try await test.ledger.record(.example())
      return (test, proxy)
    }

    /// Whoever waits behind a call that hangs is told at its own limit, and is not carried out
    /// afterwards. A task that was cancelled is no exception.
    func testCallers_behindOneThatHangs_areBusyAtTheirLimit() async throws {
      let limit = Duration.milliseconds(400)
      let (test, proxy) = try await opened(lockWait: limit)
      let ledger = test.ledger
      proxy.cut(.stall)
      let hanging = Task { try? await ledger.reserve(.example()) }
      XCTAssertTrue(eventually { proxy.isDone })
      let queued = (0..<3).map { number in
        Task {
          await timed {
            _ = try await ledger.record(.example(), key: OrderKey("queued-\(number)"))
          }
        }
      }
      queued[1].cancel()
      for caller in queued {
        let (took, error) = await caller.value
        XCTAssertEqual(error?.code, .busy)
        XCTAssertEqual(error?.retry, .safe)
        XCTAssertGreaterThanOrEqual(took, limit)
        XCTAssertLessThan(took, limit + .milliseconds(800))
      }
      // The one that hung found out by its key what became of it.
      let outcome = await hanging.value
      let permit = try XCTUnwrap(outcome?.permit)
      // What follows an order is written, also by a task that was cancelled.
      let filling = Task { try await ledger.fill(permit.trade, token: permit.token) }
      filling.cancel()
      guard case .settled = try await filling.value else { return XCTFail("not settled") }
      XCTAssertEqual(
        try TestServer.query(
          test.url, "SELECT count(*) FROM tradeledger.trades WHERE key LIKE 'queued-%'"), [["0"]])
    }

    /// The answer is lost and nobody answers any more: one limit holds for all tries together.
    func testUnknownOutcome_isToldInTime() async throws {
      let limit = Duration.milliseconds(300)
      let (test, proxy) = try await opened(lockWait: limit)
      let ledger = test.ledger
      proxy.cut(.answer)
      proxy.silence()
      let (took, error) = await timed { _ = try await ledger.reserve(.example()) }
      XCTAssertEqual(error?.code, .outcomeUnknown)
      XCTAssertLessThan(took, limit + .milliseconds(2600))
    }

    /// What is undone after an error has no limit of its own.
    func testRollback_thatIsNotAnswered_keepsNobodyWaiting() throws {
      let proxy = try XCTUnwrap(proxy)
      let url = try TestServer.orSkip().database()
      let connection = try Connection.open(try Address(proxy.url(url)), wait: .seconds(10))
      proxy.trap("ROLLBACK", .stall)
      let start = ContinuousClock.now
      XCTAssertThrowsError(
        try connection.run(
          inOneSnapshot: [Query("SELECT pg_sleep(1.5)"), Query("SELECT 1 / 0")], wait: .seconds(2))
      ) { XCTAssertEqual(($0 as? PostgreSQLError)?.sqlState, "22012") }
      XCTAssertLessThan(ContinuousClock.now - start, .seconds(3))
      XCTAssertTrue(proxy.isDone)
    }

    func testWait_withoutEnd_isAWait() async throws {
      let (test, _) = try await opened(lockWait: .seconds(Int64.max))
      let outcome = try await test.ledger.reserve(.example())
      XCTAssertNotNil(outcome.permit)
    }

    /// A connection that swallows what it is sent leaves time to look the answer up by another.
    func testConnection_thatSwallowsTheQuestion_isReplacedInTime() async throws {
      let (test, proxy) = try await opened(lockWait: .milliseconds(300))
      proxy.cut(.stall)
      let outcome = try await test.ledger.reserve(.example())
      XCTAssertNotNil(outcome.permit)
      XCTAssertEqual(try test.count(), 2)
    }

    /// A look at everything takes as long as it takes. A question that comes behind it is told that
    /// it was too late.
    func testAudit_isNotCutShort() async throws {
      let (test, _) = try await opened(lockWait: .milliseconds(50))
      let holder = try Connection.open(try Address(test.url), wait: .seconds(10))
      try holder.run(script: "BEGIN; LOCK TABLE tradeledger.trades", wait: .seconds(10))
      let ledger = test.ledger
      let audit = Task { try await ledger.audit() }
      let waiting = """
        SELECT 1 FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
        """
      XCTAssertTrue(eventually { (try? TestServer.query(test.url, waiting))?.isEmpty == false })
      let status = Task { try await ledger.status() }
      let figures = Task { try await ledger.figures() }
      try holder.run(script: "SELECT pg_sleep(3); ROLLBACK", wait: .seconds(10))
      let report = try await audit.value
      XCTAssertEqual(report.examined, 1)
      await expectError(.busy) { _ = try await status.value }
      let found = try await figures.value
      XCTAssertEqual(found.trades.count, 1)
    }

    /// A server that reads no more does not keep the client when it lets go.
    func testGoodbye_waitsForNobody() throws {
      let server = try DeafServer()
      defer { server.close() }
      let url = "postgresql://a@127.0.0.1:\(server.port)/b?sslmode=disable&gssencmode=disable"
      let query = Query("SELECT $1", [String(repeating: "x", count: 50_000_000)])
      let start = ContinuousClock.now
      XCTAssertThrowsError(
        try Connection.open(try Address(url), wait: .seconds(5)).run(
          query, wait: .milliseconds(300))
      ) { XCTAssertEqual(($0 as? PostgreSQLError)?.message, "no answer from the server in time") }
      XCTAssertLessThan(ContinuousClock.now - start, .seconds(4))
    }

    // MARK: Names of hosts

    /// Runs `tradeledger` where two files of /etc are others.
    private func run(
      hosts: String = "127.0.0.1 localhost\n", resolver: String = "", _ arguments: [String],
      environment: [String: String] = [:]
    ) throws -> (took: Duration, result: BuiltBinary.Result) {
      let probe = BuiltBinary.run("unshare", ["--mount", "true"], timeout: 10)
      guard probe.status == 0 else { throw XCTSkip("may make no mount namespace") }
      let directory = TemporaryDirectory()
      let places = [("hosts", hosts), ("resolv.conf", resolver)].map { name, text in
        let path = directory.file(name)
        XCTAssertTrue(FileManager.default.createFile(atPath: path, contents: Data(text.utf8)))
        return path
      }
      let script = """
        mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/resolv.conf && shift 2 && exec "$@"
        """
      let start = ContinuousClock.now
      let result = BuiltBinary.run(
        "unshare", ["--mount", "sh", "-c", script, "sh"] + places + [BuiltBinary.path] + arguments,
        environment: environment, timeout: 60)
      return (ContinuousClock.now - start, result)
    }

    /// A name server that does not answer holds nobody longer than a server that does not.
    func testResolver_thatDoesNotAnswer_isNotWaitedFor() throws {
      // Nobody reads from it. A resolver waits for five seconds, twice.
      let silent = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
      defer { close(silent) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = inet_addr("127.0.0.77")
      address.sin_port = UInt16(53).bigEndian
      let code = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(silent, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      guard code == 0 else { throw XCTSkip("may not be a name server") }
      for (url, environment) in [
        ("postgresql://a@db.example/b", [:]), ("postgresql://a@/b", ["PGHOST": "db.example"]),
      ] {
        let (took, result) = try run(
          resolver: "nameserver 127.0.0.77\n",
          ["--db", url, "--lock-wait", "300ms", "status"], environment: environment)
        XCTAssertEqual(result.status, 69, result.stderr)
        XCTAssertTrue(result.stderr.contains("db.example"), result.stderr)
        XCTAssertLessThan(took, .seconds(4), url)
      }
    }

    /// Each address of a name gets its share of the wait.
    func testName_withAnAddressThatIsSilent_leadsToTheOther() throws {
      let url = try TestServer.orSkip().database()
      let silent = try CuttingProxy(upstream: WaitTests.serverPort())
      defer { silent.close() }
      silent.silence()
      let good = try CuttingProxy(
        upstream: WaitTests.serverPort(), host: "127.0.0.2", port: silent.port)
      defer { good.close() }
      var parts = try XCTUnwrap(URLComponents(string: silent.url(url)))
      parts.host = "db.example"
      let place = try XCTUnwrap(parts.string)
      for hosts in [["127.0.0.1", "127.0.0.2"], ["127.0.0.2", "127.0.0.1"]] {
        let (_, result) = try run(
          hosts: hosts.map { "\($0) db.example\n" }.joined(),
          ["--db", place, "--lock-wait", "2s", "init"])
        XCTAssertEqual(result.status, 0, result.stderr)
      }
    }
  }

  private func timed(
    _ body: () async throws -> Void
  ) async -> (took: Duration, error: LedgerError?) {
    let start = ContinuousClock.now
    do {
      try await body()
      return (ContinuousClock.now - start, nil)
    } catch { return (ContinuousClock.now - start, error as? LedgerError) }
  }

  /// Lets one client log in and reads nothing any more.
  private final class DeafServer: Sendable {
    private let listener: Int32
    let port: Int

    init() throws {
      listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = inet_addr("127.0.0.1")
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let listener = listener
      let code = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(listener, $0, length) == 0 && listen(listener, 1) == 0
            ? getsockname(listener, $0, &length) : -1
        }
      }
      guard code == 0 else { throw POSIXError(.EADDRINUSE) }
      port = Int(UInt16(bigEndian: address.sin_port))
      Thread.detachNewThread {
        let client = accept(listener, nil, nil)
        var startup = [UInt8](repeating: 0, count: 1024)
        _ = read(client, &startup, startup.count)
        let welcome: [UInt8] =
          [UInt8(ascii: "R"), 0, 0, 0, 8, 0, 0, 0, 0]
          + [UInt8(ascii: "Z"), 0, 0, 0, 5, UInt8(ascii: "I")]
        _ = send(client, welcome, welcome.count, Int32(MSG_NOSIGNAL))
      }
    }

    func close() { Glibc.close(listener) }
  }
#endif
