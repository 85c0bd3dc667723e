internal import Foundation
internal import LedgerTestSupport
internal import XCTest

/// A directory, a ledger in it, and the built `tradeledger` to use it with.
class CommandLineTestCase: XCTestCase {
  private(set) var directory = TemporaryDirectory()
  var ledger: String { directory.file("ledger.db") }
  static let order = ["--side", "buy", "--symbol", "BTC-USD", "--quantity", "0.5"]

  override func setUp() {
    directory = TemporaryDirectory()
    // A program that refuses its input early must not end the tests.
    signal(SIGPIPE, SIG_IGN)
    // What the developer has set must not leak into the tests.
    unsetenv("TRADELEDGER_DB")
    unsetenv("TRADELEDGER_TOKEN")
  }

  /// Runs `tradeledger --db LEDGER ARGUMENTS`.
  @discardableResult
  func run(
    _ arguments: [String], db: String? = nil, environment: [String: String] = [:],
    stdin: String? = nil
  ) -> BuiltBinary.Result {
    BuiltBinary.run(
      ["--db", db ?? ledger] + arguments, environment: environment, stdin: stdin, timeout: 30)
  }

  /// A live ledger with the bot `m`.
  func makeLedger(cooldown: String = "15m", lease: String = "30s", inDoubt: String = "cooldown") {
    expect(run(["init", "--mode", "live"]), 0)
    expect(
      run([
        "bot", "add", "m", "--cooldown", cooldown, "--lease", lease, "--in-doubt", inDoubt,
      ]), 0)
  }

  func expect(
    _ result: BuiltBinary.Result, _ status: Int32, _ what: String = "",
    file: StaticString = #filePath, line: UInt = #line
  ) {
    XCTAssertEqual(
      result.status, status, "\(what)\n\(result.stdout)\(result.stderr)", file: file, line: line)
  }

  /// The one JSON object on stdout.
  func json(
    _ result: BuiltBinary.Result, file: StaticString = #filePath, line: UInt = #line
  ) -> [String: Any] {
    object(result.stdout, file: file, line: line)
  }

  func object(
    _ text: String, file: StaticString = #filePath, line: UInt = #line
  ) -> [String: Any] {
    XCTAssertTrue(text.hasSuffix("}\n"), "not one line: \(text)", file: file, line: line)
    XCTAssertEqual(
      text.filter { $0 == "\n" }.count, 1, "not one line: \(text)", file: file, line: line)
    let value = try? JSONSerialization.jsonObject(with: Data(text.utf8))
    guard let object = value as? [String: Any] else {
      XCTFail("not a JSON object: \(text)", file: file, line: line)
      return [:]
    }
    return object
  }

  /// Reserves with `--json` and insists on a permit.
  /// - Returns: number, key and token of the trade.
  func reserve(
    _ more: [String] = [], file: StaticString = #filePath, line: UInt = #line
  ) -> (id: String, key: String, token: String) {
    let result = run(["reserve", "m", "--json"] + Self.order + more)
    expect(result, 0, "reserve", file: file, line: line)
    let answer = json(result, file: file, line: line)
    let trade = answer["trade"] as? [String: Any] ?? [:]
    let permit = answer["permit"] as? [String: Any] ?? [:]
    return (
      "\(trade["id"] ?? "?")", trade["key"] as? String ?? "?", permit["token"] as? String ?? "?"
    )
  }

  /// An error is said three times alike: exit code, two lines on stderr, JSON on stdout.
  func expectError(
    _ arguments: [String], _ status: Int32, db: String? = nil,
    environment: [String: String] = [:], stdin: String? = nil,
    file: StaticString = #filePath, line: UInt = #line
  ) {
    let what = String("\(arguments)".prefix(300))
    let result = BuiltBinary.run(
      ["--json", "--db", db ?? ledger] + arguments, environment: environment, stdin: stdin,
      timeout: 30)
    expect(result, status, what, file: file, line: line)
    let lines = result.stderr.split(separator: "\n")
    XCTAssertEqual(lines.count, 2, "\(what)\n\(result.stderr)", file: file, line: line)
    XCTAssertTrue(
      lines.first?.hasPrefix("error: ") == true && lines.last?.hasPrefix("hint: ") == true,
      "\(what)\n\(result.stderr)", file: file, line: line)
    expectHarmless(result.stderr, what, file: file, line: line)

    let error = json(result, file: file, line: line)
    expectHarmless(result.stdout, what, file: file, line: line)
    XCTAssertEqual(error["schema"] as? String, "tradeledger.error/1", what, file: file, line: line)
    XCTAssertEqual(error["exit"] as? Int, Int(status), what, file: file, line: line)
    for key in ["code", "message", "hint"] {
      let text = error[key] as? String
      XCTAssertFalse(text?.isEmpty ?? true, "\(what): \(key)", file: file, line: line)
    }
  }

  /// Nothing in it drives a terminal, ends a line early or turns the direction of writing.
  func expectHarmless(
    _ text: String, _ what: String, file: StaticString = #filePath, line: UInt = #line
  ) {
    let bad = text.unicodeScalars.first { scalar in
      scalar != "\n"
        && [.control, .format, .lineSeparator, .paragraphSeparator]
          .contains(scalar.properties.generalCategory)
    }
    XCTAssertNil(bad, "\(what)\n\(text.debugDescription)", file: file, line: line)
  }

  /// What is on record: the bytes of the main file, and each row as another client sees it.
  func snapshot(_ path: String? = nil) -> Snapshot {
    let path = path ?? ledger
    let tables = ["ledger", "bots", "settings", "instances", "trades", "conflicts", "restores"]
    let rows = tables.map { table in
      (try? LedgerFileCheck.query(path, "SELECT * FROM \(table)")) ?? [["unreadable"]]
    }
    return Snapshot(bytes: FileManager.default.contents(atPath: path), rows: rows)
  }

  struct Snapshot: Equatable {
    let bytes: Data?
    let rows: [[[String]]]
  }

  /// Fails where a `body` of refused calls left a trace.
  func assertUnchanged(
    file: StaticString = #filePath, line: UInt = #line, _ body: () throws -> Void
  ) rethrows {
    let before = snapshot()
    XCTAssertNotEqual(before.rows[0], [["unreadable"]], file: file, line: line)
    try body()
    XCTAssertEqual(snapshot(), before, "the ledger was changed", file: file, line: line)
  }

  /// Asks again and again until it is so, or the deadline is over.
  func waitUntil(
    _ what: String, timeout: TimeInterval = 20, file: StaticString = #filePath,
    line: UInt = #line, _ condition: () -> Bool
  ) {
    let deadline = Date().addingTimeInterval(timeout)
    while !condition() {
      if Date() > deadline { return XCTFail("never: \(what)", file: file, line: line) }
      usleep(5000)
    }
  }
}
