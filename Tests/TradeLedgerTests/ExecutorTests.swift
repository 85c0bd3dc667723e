import Foundation
import LedgerTestSupport
import XCTest

@testable import TradeLedger

final class ExecutorTests: XCTestCase {
  /// A loop on the ledger's executor stays on one thread, the ledger's, through calls and returns;
  /// what it awaits does not keep other callers out.
  func testCalls_onTheLedgersExecutor_stayOnItsThread() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .zero)
    let ledger = test.ledger
    let elsewhere = pthread_self()
    let threads = try await withTaskExecutorPreference(ledger.executor) {
      var threads: Set<pthread_t> = [pthread_self()]
      for _ in 0..<3 {
        let outcome = try await ledger.withTrade(.example()) { _ in
          // Another task gets its answer while this one is in the middle of a trade.
          _ = try await Task.detached(executorPreference: globalConcurrentExecutor) {
            try await ledger.check(exampleBot)
          }.value
          return Fill()
        }
        guard case .filled = outcome else { return XCTFail("\(outcome)") as Any as! Set<pthread_t> }
        threads.insert(pthread_self())
      }
      return threads
    }
    XCTAssertEqual(threads.count, 1)
    XCTAssertFalse(threads.contains(elsewhere))
    try await test.verify()
  }
}
