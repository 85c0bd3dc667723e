import Foundation
import LedgerTestSupport
import SQLite
import XCTest

/// A file made from `schema.sql` alone, without the library.
final class SchemaDatabase {
  let directory = TemporaryDirectory()
  let connection: Connection
  var path: String { directory.file("ledger.db") }

  /// - Parameter mode: nil leaves out the row of the ledger and everything else.
  init(mode: String? = "simulation") throws {
    let path = directory.file("ledger.db")
    try Data().write(to: URL(fileURLWithPath: path))
    connection = try Connection.open(
      path, options: OpenOptions(purpose: .writing, wait: .seconds(5)))
    try connection.switchToWAL(wait: .seconds(5))
    try connection.runScript(ForeignClient.schema)
    guard let mode else { return }
    for statement in Corpus.base {
      try connection.run(statement.replacingOccurrences(of: "MODE", with: mode))
    }
  }

  func run(_ sql: String) throws { try connection.run(sql) }

  /// Each row as its texts; NULL as "NULL".
  func rows(_ sql: String) throws -> [[String]] { try LedgerFileCheck.query(path, sql) }

  /// What EXPLAIN QUERY PLAN says, line by line.
  func plan(_ sql: String) throws -> [String] {
    try rows("EXPLAIN QUERY PLAN " + sql).map { $0.last ?? "" }
  }

  /// The message with which `sql` is refused, or nil where it is done.
  func refusal(_ sql: String) -> String? {
    do throws(SQLiteError) {
      try connection.run(sql)
      return nil
    } catch {
      return error.message
    }
  }
}
