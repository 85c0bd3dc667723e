import Foundation
import LedgerTestSupport
import SQLite

/// A file in a directory of its own that connections of a test open.
final class DatabaseFile: Sendable {
  let directory = TemporaryDirectory()
  var path: String { directory.file("test.db") }

  /// An empty file: what SQLite calls an empty database.
  init() throws { try Data().write(to: URL(fileURLWithPath: directory.file("test.db"))) }

  func open(
    _ purpose: OpenOptions.Purpose = .writing, wait: Duration = .seconds(5), capacity: Int = 48
  ) throws(SQLiteError) -> Connection {
    try Connection.open(
      path, options: OpenOptions(purpose: purpose, wait: wait, cacheCapacity: capacity))
  }

  /// A connection to a WAL database with `tables`.
  func prepared(_ tables: String = "CREATE TABLE t (a INTEGER, b TEXT) STRICT;") throws(SQLiteError)
    -> Connection
  {
    let connection = try open()
    try connection.switchToWAL(wait: .seconds(5))
    try connection.runScript(tables)
    return connection
  }
}

extension Connection {
  func integers(_ sql: String, _ values: [Value] = []) throws(SQLiteError) -> [Int64?] {
    try rows(sql, values) { row throws(SQLiteError) in try row.optionalInteger(0) }
  }

  func texts(_ sql: String, _ values: [Value] = []) throws(SQLiteError) -> [String?] {
    try rows(sql, values) { row throws(SQLiteError) in try row.optionalText(0) }
  }
}

/// The error that `body` throws, or nil.
func failure(_ body: () throws(SQLiteError) -> Void) -> SQLiteError? {
  do throws(SQLiteError) {
    try body()
    return nil
  } catch {
    return error
  }
}
