internal import Foundation
internal import LedgerTestSupport
internal import XCTest

/// Files of others, and a ledger to import them into.
class ImportTestCase: CommandLineTestCase {
  func write(_ name: String, _ content: String) throws -> String {
    try content.write(toFile: directory.file(name), atomically: true, encoding: .utf8)
    return directory.file(name)
  }

  /// A database that the `sqlite3` shell has made.
  func database(_ name: String, _ sql: String) throws -> String {
    let result = BuiltBinary.run("sqlite3", ["-batch", directory.file(name)], stdin: sql)
    if result.status == 127 { throw XCTSkip("the sqlite3 shell is not installed") }
    XCTAssertEqual(result.status, 0, result.stderr)
    return directory.file(name)
  }

  /// The answer to `import ARGUMENTS --json`, which ends with `status`.
  func imported(
    _ arguments: [String], _ status: Int32 = 0, db: String? = nil, file: StaticString = #filePath,
    line: UInt = #line
  ) -> [String: Any] {
    let result = run(["import", "--json"] + arguments, db: db)
    expect(result, status, "\(arguments)", file: file, line: line)
    let answer = json(result, file: file, line: line)
    XCTAssertEqual(
      answer["schema"] as? String, "tradeledger.import/1", result.stdout, file: file, line: line)
    return answer
  }

  /// What was refused, as `place: reason`.
  func rejected(_ answer: [String: Any]) -> [String] {
    (answer["rejected"] as? [[String: Any]] ?? []).map { row in
      "\(row["line"] ?? row["id"] ?? "?"): \(row["reason"] ?? "")"
    }
  }

  /// The facts on record, in the order of their keys: everything that a round trip keeps.
  func facts(_ db: String? = nil) throws -> [[String]] {
    try LedgerFileCheck.query(
      db ?? ledger,
      """
      SELECT b.name, t.key, t.side, t.symbol, COALESCE(t.filled_quantity, t.quantity),
        COALESCE(t.filled_price, t.price), t.effective_at
      FROM trades AS t JOIN bots AS b ON b.id = t.bot_id WHERE t.status = 'filled' ORDER BY t.key
      """)
  }
}
