import Foundation
import LedgerTestSupport
import XCTest

/// A directory for foreign files, and the built `tradeledger` to examine them with.
class ForeignFileTestCase: XCTestCase {
  private(set) var directory = TemporaryDirectory()
  var database: String { directory.file("bots.db") }

  static let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures/incidents.sql").path

  override func setUp() { directory = TemporaryDirectory() }

  /// Runs the `sqlite3` shell.
  @discardableResult
  func shell(_ path: String, _ sql: String) throws -> String {
    let result = BuiltBinary.run("sqlite3", ["-batch", path], stdin: sql)
    if result.status == 127 { throw XCTSkip("the sqlite3 shell is not installed") }
    XCTAssertEqual(result.status, 0, result.stderr)
    return result.stdout
  }

  /// The tables of the first report with the published pairs.
  func makeIncidents(_ more: String = "") throws {
    try shell(database, try String(contentsOfFile: Self.fixture, encoding: .utf8) + more)
  }

  func write(_ name: String, _ content: Data) throws -> String {
    try content.write(to: URL(fileURLWithPath: directory.file(name)))
    return directory.file(name)
  }

  func write(_ name: String, _ content: String) throws -> String {
    try write(name, Data(content.utf8))
  }

  /// Runs `tradeledger audit ARGUMENTS --json`.
  func audit(_ arguments: [String], timeout: TimeInterval = 60) -> BuiltBinary.Result {
    BuiltBinary.run(["audit"] + arguments + ["--json"], timeout: timeout)
  }

  /// The one JSON object on stdout, after an audit that ended with `status`.
  func report(
    _ arguments: [String], _ status: Int32, file: StaticString = #filePath, line: UInt = #line
  ) throws -> [String: Any] {
    let result = audit(arguments)
    XCTAssertEqual(
      result.status, status, "\(arguments)\n\(result.stdout)\(result.stderr)", file: file,
      line: line)
    let object = try JSONSerialization.jsonObject(with: Data(result.stdout.utf8))
    return try XCTUnwrap(object as? [String: Any], file: file, line: line)
  }

  /// The refusal: exit code, two lines, nothing that drives a terminal. Gives what it said.
  @discardableResult
  func refusal(
    _ arguments: [String], _ status: Int32, file: StaticString = #filePath, line: UInt = #line
  ) throws -> String {
    let error = try report(arguments, status, file: file, line: line)
    XCTAssertEqual(error["schema"] as? String, "tradeledger.error/1", file: file, line: line)
    XCTAssertFalse((error["hint"] as? String ?? "").isEmpty, file: file, line: line)
    return "\(error["message"] ?? "") \(error["hint"] ?? "")"
  }

  func findings(_ report: [String: Any]) -> [[String: Any]] {
    report["findings"] as? [[String: Any]] ?? []
  }

  /// The command that shows the two trades of a finding.
  func next(_ findings: [[String: Any]], _ index: Int = 0) throws -> String {
    try XCTUnwrap(findings.dropFirst(index).first?["next"] as? String, "no such finding")
  }

  /// The names in the directory and the bytes of the main file.
  func snapshot(_ path: String? = nil) throws -> (names: [String], bytes: Data) {
    (
      try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted(),
      try Data(contentsOf: URL(fileURLWithPath: path ?? database))
    )
  }

  /// Fails where `body` changes the main file or leaves or takes away a file beside it.
  func assertUntouched(
    _ path: String? = nil, file: StaticString = #filePath, line: UInt = #line,
    _ body: () throws -> Void
  ) throws {
    let before = try snapshot(path)
    try body()
    let after = try snapshot(path)
    XCTAssertEqual(after.names, before.names, file: file, line: line)
    XCTAssertEqual(after.bytes, before.bytes, "the file was changed", file: file, line: line)
  }

  /// Another client of the file, in a process of its own: it has run `sql` and waits.
  func holder(_ path: String, _ sql: String) throws -> ChildProcess {
    let process: ChildProcess
    do { process = try ChildProcess("sqlite3", [path]) } catch {
      throw XCTSkip("the sqlite3 shell is not installed")
    }
    process.write(".output stdout\n\(sql)\nSELECT 'ready';\n")
    while let line = process.readLine(timeout: 20) { if line == "ready" { return process } }
    XCTFail("the client ended: \(process.standardError)")
    return process
  }
}
