import LedgerTestSupport
import Synchronization
import XCTest

@testable import TradeLedger

/// Random histories on two bots and two connections, with clocks that jump and machines that start
/// again. After each operation the ledger's answer is the model's.
final class RandomHistoryTests: XCTestCase {
  func testRandomHistory_answersAsTheModel() async throws {
    var (seed, random) = SeededGenerator.announced("testRandomHistory_answersAsTheModel")
    var operations = 0
    for episode in 0..<20 {
      var history = try await RandomHistory(SeededGenerator(seed: random.next()))
      for _ in 0..<250 {
        operations += 1
        if let difference = try await history.step() {
          let last = history.log.suffix(12).joined(separator: "\n  ")
          return XCTFail("seed \(seed), episode \(episode):\n  \(last)\n\(difference)")
        }
      }
      if let difference = try await history.compareEverything() {
        return XCTFail("seed \(seed), episode \(episode): \(difference)")
      }
      try await history.finish()
    }
    XCTAssertEqual(operations, 5000)
    XCTAssertEqual(
      RandomHistory.reached.subtracting(RandomHistory.seen.withLock { $0 }), [],
      "these answers never came up: the test has become weaker")
  }
}
