#if PostgreSQL
  import LedgerTestSupport
  import Synchronization
  import XCTest

  @testable import TradeLedger

  /// A live ledger in a database of its own.
  struct ServerLedger {
    let url: String
    let ledger: Ledger

    init(
      mode: LedgerMode = .live, through proxy: CuttingProxy? = nil, server: TestServer? = nil,
      configure: (inout Ledger.Options) -> Void = { _ in }
    ) async throws {
      url = try (server ?? TestServer.orSkip()).database()
      var options = Ledger.Options()
      configure(&options)
      let place = proxy?.url(url) ?? url
      ledger = try await Ledger.create(place, mode: mode, options: options)
    }

    func another(
      _ url: String? = nil, configure: (inout Ledger.Options) -> Void = { _ in }
    ) async throws -> Ledger {
      var options = Ledger.Options()
      configure(&options)
      return try await Ledger.open(url ?? self.url, options: options)
    }

    func addBot(
      _ name: String = "momentum/BTC-USD", cooldown: Duration = .zero,
      lease: Duration = .seconds(30)
    ) async throws {
      _ = try await ledger.addBot(
        BotName(name), BotSettings(cooldown: cooldown, lease: lease))
    }

    func count(_ what: String = "trade_rows") throws -> Int {
      Int(try TestServer.query(url, "SELECT COUNT(*) FROM tradeledger.\(what)")[0][0]) ?? -1
    }

    func verify(file: StaticString = #filePath, line: UInt = #line) async throws {
      await ledger.close()
      try TestServer.verify(url, file: file, line: line)
    }
  }

  extension Ledger {
    /// Asks again with the same key and token while the outcome is unknown.
    func permit(_ order: Order) async throws(LedgerError) -> Permit? {
      let key = OrderKey.random(at: Timestamp(microseconds: 0))
      let token = PermitToken.random()
      while true {
        do throws(LedgerError) {
          return try await reserve(order, key: key, token: token).permit
        } catch {
          guard error.code == .outcomeUnknown else { throw error }
        }
      }
    }
  }

  /// A process of a host of the test's making.
  final class FakeHost: ProcessTable {
    let identityOfProcess: ProcessIdentity
    private let dead = Mutex<Set<Int32>>([])

    init(_ host: String, pid: Int32) {
      identityOfProcess = ProcessIdentity(
        bootID: "boot-of-" + host, pidNamespace: 1, timeNamespace: 2, pid: pid, startTicks: 500)
      self.host = host
    }

    func end(_ pid: Int32) { dead.withLock { _ = $0.insert(pid) } }
    func identity(of pid: Int32?) -> ProcessIdentity? { identityOfProcess }
    func sighting(of pid: Int32) -> ProcessSighting {
      dead.withLock { $0.contains(pid) }
        ? ProcessSighting(answer: .noSuchProcess, details: nil)
        : ProcessSighting(
          answer: .permitted, details: ProcessDetails(startTicks: 500, state: "S", threads: 1))
    }
    var bootClockOffset: Int64? { nil }
    func command(of pid: Int32?) -> String? { "python3 main.py" }
    let host: String?
    var isContainer: Bool { false }
  }

  func expectError(
    _ code: LedgerError.Code, saying words: String..., file: StaticString = #filePath,
    line: UInt = #line, _ body: () async throws -> Void
  ) async {
    do {
      try await body()
      XCTFail("no error", file: file, line: line)
    } catch let error as LedgerError {
      XCTAssertEqual(error.code, code, "\(error)", file: file, line: line)
      for word in words {
        XCTAssertTrue("\(error)".contains(word), "\(error)", file: file, line: line)
      }
      XCTAssertFalse("\(error)".contains("s3cret"), "\(error)", file: file, line: line)
    } catch { XCTFail("\(error)", file: file, line: line) }
  }
#endif
