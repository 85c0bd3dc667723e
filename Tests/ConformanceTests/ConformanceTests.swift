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

  #if PostgreSQL
    /// A server has one clock. What the cases ask of a second one, after the first was set or the
    /// machine was started anew, is not asked here.
    func testCases_areAnsweredByAServerAsWritten() async throws {
      let server = try TestServer.orSkip()
      let cases = try Case.all().filter { file, played in
        played.steps.allSatisfy { !["jump", "reboot"].contains($0.do) }
      }
      XCTAssertGreaterThanOrEqual(cases.count, 50, "cases have vanished")
      for (file, played) in cases {
        try await play(played, "server, \(file), \(played.name)", at: try server.database())
      }
    }
  #endif

  /// - Parameter url: of an empty database; nil: in a file.
  private func play(_ played: Case, _ place: String, at url: String? = nil) async throws {
    let run = try await CaseRun(at: url)
    for (number, step) in played.steps.enumerated() {
      let told = try await run.perform(number, step)
      XCTAssertEqual(told == nil, step.expect == nil, "\(place), step \(number)")
      for (name, expected) in step.expect ?? [:] {
        let seen = told?.words[name] ?? .nothing
        XCTAssertEqual(seen, expected, "\(place), step \(number), \(name): \(told?.words ?? [:])")
      }
    }
    let sql = try String(
      contentsOf: Case.folder.appendingPathComponent(url == nil ? "rows.sql" : "rows.postgres.sql"),
      encoding: .utf8)
    let rows = try run.test.query(sql).map { $0.joined(separator: "|") }
    let expected = url == nil ? played.rows : played.rows.map(withoutBootClock)
    XCTAssertEqual(rows, expected, "\(place): the rows")
    try await run.test.verify()
  }

  private func withoutBootClock(_ row: String) -> String {
    var columns = row.split(separator: "|", omittingEmptySubsequences: false)
    for column in [14, 15, 22, 23] { columns[column] = "NULL" }
    return columns.joined(separator: "|")
  }
}
