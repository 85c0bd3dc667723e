#if PostgreSQL
  import Foundation
  import LedgerTestSupport
  import XCTest

  @testable import TradeLedger

  /// A server whose log has no room: nothing that was answered is lost, and it works again when
  /// there is room.
  final class RoomTests: XCTestCase {
    private func opened(_ server: TestServer) async throws -> ServerLedger {
      let test = try await ServerLedger(server: server) { $0.lockWait = .seconds(1) }
      try await test.addBot()
      return test
    }

    /// A file of all the room that there is.
    private func fill(_ place: String) throws -> String {
      let filler = place + "/filler"
      XCTAssertTrue(FileManager.default.createFile(atPath: filler, contents: nil))
      let file = try XCTUnwrap(FileHandle(forWritingAtPath: filler))
      defer { try? file.close() }
      let block = Data(count: 4096)
      while (try? file.write(contentsOf: block)) != nil {}
      return filler
    }

    /// Trades until it fails: what was answered, what was not, and why.
    private func exhaust(
      _ ledger: Ledger
    ) async throws -> (answered: [OrderKey], last: OrderKey, error: LedgerError) {
      var answered: [OrderKey] = []
      while true {
        let key = try OrderKey("key-\(answered.count)")
        do throws(LedgerError) {
          guard case .recorded = try await ledger.record(.example(), key: key) else {
            throw .bug("not recorded")
          }
          answered.append(key)
        } catch { return (answered, key, error) }
      }
    }

    private func expectAll(_ keys: [OrderKey], _ test: ServerLedger) throws {
      let found = try TestServer.query(test.url, "SELECT key FROM tradeledger.trades")
      XCTAssertEqual(Set(found.map { $0[0] }), Set(keys.map(\.description)))
      XCTAssertEqual(found.count, keys.count)
    }

    /// The server ends itself then, and comes back when there is room.
    func testLog_withoutRoom() async throws {
      // Each segment takes room of its own.
      let server = try TestServer.ownOrSkip(
        settings: ["min_wal_size = 2MB", "wal_keep_size = 90MB"], isSmall: true)
      defer { server.stop() }
      let test = try await opened(server)
      let filler = try fill(server.directory + "/wal")
      let (answered, last, error) = try await exhaust(test.ledger)
      XCTAssertTrue([.outcomeUnknown, .unavailable].contains(error.code), "\(error)")
      try FileManager.default.removeItem(atPath: filler)
      server.crash()
      _ = try await test.ledger.record(.example(), key: last)
      try expectAll(answered + [last], test)
      XCTAssertGreaterThan(answered.count, 10)
      try await test.verify()
    }
  }
#endif
