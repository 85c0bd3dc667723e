import Foundation
import LedgerTestSupport
import XCTest

/// Random statements by a Python client, judged by rows alone (INV-1 to INV-3, INV-5 to INV-7).
final class FuzzTests: XCTestCase {
  private struct Result: Decodable {
    struct Violation: Decodable {
      let what: String
      let statements: [String]
    }
    let tried: Int
    let taken: [String: Int]
    let violation: Violation?
  }

  private func fuzz(_ schema: String, seed: UInt32, statements: Int) throws -> Result {
    try ForeignClient.python("fuzz.py", [schema, "\(seed)", "\(statements)"])
  }

  func testFuzz_randomStatements_breakNoInvariant() throws {
    let seed = UInt32.random(in: 0...UInt32.max)
    let result = try fuzz(ForeignClient.schemaPath, seed: seed, statements: 4000)
    if let violation = result.violation {
      XCTFail(
        """
        \(violation.what)
        \(violation.statements.joined(separator: "\n"))
        again: python3 Tests/SchemaTests/Fixtures/fuzz.py schema.sql \(seed) 4000
        """)
    }
    // A run in which nothing got through would prove nothing.
    for kind in ["reserve", "record", "past", "settle", "doubt", "trigger"] {
      XCTAssertGreaterThan(result.taken[kind] ?? 0, 5, "\(kind), seed \(seed)")
    }
  }

  /// The judge has eyes: without the rule that it knows it finds the breach.
  func testFuzz_withoutARule_findsTheBreach() throws {
    let directory = TemporaryDirectory()
    for rule in ["trade_cooldown", "trade_token", "trade_immutable", "trade_kept"] {
      let path = directory.file("\(rule).sql")
      try "\(ForeignClient.schema)\nDROP TRIGGER \(rule);\n"
        .write(toFile: path, atomically: true, encoding: .utf8)
      let result = try fuzz(path, seed: 1, statements: 4000)
      XCTAssertNotNil(result.violation, "without \(rule)")
    }
  }
}
