import Foundation
import LedgerTestSupport
import XCTest

/// A rule that nobody would miss is not a rule: each trigger, taken out alone, lets something
/// through that the corpus knows.
final class MutationTests: XCTestCase {
  func testTrigger_takenOutAlone_letsAnAttackThrough() throws {
    let directory = TemporaryDirectory()
    let path = try CorpusFile().write(into: directory)
    let found = try ForeignClient.python(
      "foreign_client.py", ["mutate", path], as: [String: String?].self)
    XCTAssertEqual(
      found.count, ForeignClient.schema.components(separatedBy: "\nCREATE TRIGGER ").count - 1)
    for (trigger, attack) in found {
      XCTAssertNotNil(attack, "without \(trigger) every attack is refused all the same")
    }
  }
}
