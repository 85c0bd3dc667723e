import Foundation
import LedgerTestSupport
import XCTest

/// S-55: mutants of good ledgers, in a process of their own. `scripts/fuzz` has ten thousand more,
/// under the address sanitizer.
final class MutantTests: XCTestCase {
  func testMutants_areRefusedOrAnsweredTruthfully() throws {
    let directory = TemporaryDirectory()
    let folder = (BuiltBinary.path as NSString).deletingLastPathComponent
    let environment = ProcessInfo.processInfo.environment
    let seed = environment["TRADELEDGER_TEST_SEED"] ?? "\(UInt32.random(in: 0...(.max)))"
    let result = BuiltBinary.run(
      folder + "/LedgerTestFuzzer", [directory.path, "--seed", seed, "--files", "500"],
      environment: ["SWIFT_BACKTRACE": "enable=no"], timeout: 300)
    let last = FileManager.default.contents(atPath: directory.file("seed")) ?? Data()
    XCTAssertEqual(
      result.status, 0,
      """
      from seed \(seed) on, last \(String(decoding: last, as: UTF8.self))
      again: scripts/fuzz --seed \(seed) --files 500
      \(result.stdout.suffix(4000))\(result.stderr.suffix(4000))
      """)
    // A run in which nothing was refused, or nothing else, has tested nothing.
    for kind in ["files: 500", "refused: not_a_ledger: ", "the known answers: "] {
      XCTAssertTrue(result.stdout.contains(kind), "no '\(kind)' in:\n\(result.stdout)")
    }
  }
}
