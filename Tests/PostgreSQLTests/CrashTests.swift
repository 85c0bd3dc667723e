#if PostgreSQL
  import Foundation
  import LedgerTestSupport
  import Synchronization
  import XCTest

  @testable import TradeLedger

  /// kill -9 of the whole server under load: nothing that was answered is lost, nothing is doubled.
  final class CrashTests: XCTestCase {
    func testServer_thatIsKilledUnderLoad() async throws {
      let server = try TestServer.ownOrSkip(settings: ["fsync = on"])
      defer { server.stop() }
      let test = try await ServerLedger(server: server) { $0.lockWait = .seconds(20) }
      let bots = (0..<4).map { "bot-\($0)" }
      for bot in bots { try await test.addBot(bot) }
      let ledger = test.ledger
      let flag = Flag()
      let traded = Task {
        try await withThrowingTaskGroup(of: [TradeID: TradeStatus].self) { group in
          for caller in 0..<8 {
            let order = Order.example(bots[caller % bots.count])
            group.addTask {
              var known: [TradeID: TradeStatus] = [:]
              while !flag.isSet {
                guard let permit = try await ledger.permit(order) else { continue }
                known[permit.trade] = .pending
                switch try await ledger.fill(permit.trade, token: permit.token) {
                case .settled(let trade), .replayed(let trade): known[permit.trade] = trade.status
                case .denied(let denial): XCTFail("\(denial)")
                }
              }
              return known
            }
          }
          return try await group.reduce(into: [:]) { all, known in
            // No permit was given to two callers.
            all.merge(known) { first, _ in
              XCTFail("one trade, two callers")
              return first
            }
          }
        }
      }
      for _ in 0..<5 {
        let before = try test.count()
        XCTAssertTrue(eventually { ((try? test.count()) ?? 0) > before + 20 })
        server.crash()
      }
      flag.set()
      let known = try await traded.value
      let rows = try TestServer.query(test.url, "SELECT id, status FROM tradeledger.trades")
      let stored = Dictionary(
        uniqueKeysWithValues: rows.map {
          (TradeID(Int64($0[0]) ?? 0), TradeStatus(rawValue: $0[1]))
        })
      for (id, status) in known { XCTAssertEqual(stored[id], status, "trade \(id)") }
      XCTAssertEqual(stored.count, known.count, "a row that nobody was told of")
      XCTAssertGreaterThan(known.count, 100)
      try await test.verify()
    }
  }

  private final class Flag: Sendable {
    private let value = Mutex(false)
    var isSet: Bool { value.withLock { $0 } }
    func set() { value.withLock { $0 = true } }
  }
#endif
