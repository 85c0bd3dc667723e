import LedgerTestSupport
import TradeLedger
import XCTest

/// The cases of Tests/Conformance. The Python client passes the same ones
/// (clients/python/tests/test_conformance.py), row for row.
final class ConformanceTests: XCTestCase {
  func testCases_areAnsweredAsWritten() async throws {
    let cases = try Case.all()
    XCTAssertGreaterThanOrEqual(cases.count, 60, "cases have vanished")
    for (file, played) in cases { try await play(played, "\(file), \(played.name)") }
  }

  private func play(_ played: Case, _ place: String) async throws {
    let run = try await CaseRun()
    for (number, step) in played.steps.enumerated() {
      let told = try await run.perform(number, step)
      XCTAssertEqual(told == nil, step.expect == nil, "\(place), step \(number)")
      for (name, expected) in step.expect ?? [:] {
        let seen = told?.words[name] ?? .nothing
        XCTAssertEqual(seen, expected, "\(place), step \(number), \(name): \(told?.words ?? [:])")
      }
    }
    let sql = try String(
      contentsOf: Case.folder.appendingPathComponent("rows.sql"), encoding: .utf8)
    let rows = try run.test.query(sql).map { $0.joined(separator: "|") }
    XCTAssertEqual(rows, played.rows, "\(place): the rows")
    try await run.test.verify()
  }
}
