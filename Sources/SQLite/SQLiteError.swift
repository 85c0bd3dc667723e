internal import CSQLite

/// What SQLite answered when it did not do what it was asked.
///
/// `code` is the extended result code (https://www.sqlite.org/rescode.html); the low byte is the
/// primary code. Nothing in this module swallows one.
public struct SQLiteError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The extended result code.
  public var code: Int32
  /// SQLite's own words, or this module's where SQLite was not asked.
  public var message: String
  /// What was being done, for example the SQL text.
  public var operation: String

  public init(code: Int32, message: String, operation: String) {
    self.code = code
    self.message = message
    self.operation = operation
  }

  /// The primary result code: the low byte of `code`.
  public var primaryCode: Int32 { code & 0xff }

  public var description: String { "\(message) (SQLite \(code)) in: \(operation)" }

  /// Someone else holds a lock, in any of its forms; nothing was changed and trying again is right.
  public var isBusy: Bool {
    [SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL].contains(primaryCode)
  }

  /// A constraint, CHECK or trigger of the schema refused the statement.
  public var isConstraint: Bool { primaryCode == SQLITE_CONSTRAINT }
  /// The file is not a database, or is damaged.
  public var isNotADatabase: Bool {
    primaryCode == SQLITE_NOTADB || primaryCode == SQLITE_CORRUPT
  }
  /// The file or file system is read-only.
  public var isReadOnly: Bool { primaryCode == SQLITE_READONLY }
  /// A transaction of a crashed writer has to be rolled back, which would change the file.
  public var needsRollback: Bool { code == SQLITE_READONLY | 3 << 8 }
  /// What was asked for is not allowed on this connection.
  public var isForbidden: Bool { primaryCode == SQLITE_AUTH }
  /// The connection was used in a way that cannot work, after a fork for example.
  public var isMisuse: Bool { primaryCode == SQLITE_MISUSE }
  /// There is no room left.
  public var isFull: Bool { primaryCode == SQLITE_FULL }
  /// The file could not be opened.
  public var isCannotOpen: Bool {
    primaryCode == SQLITE_CANTOPEN || primaryCode == SQLITE_PERM || primaryCode == SQLITE_AUTH
  }

  /// A misuse of this module, found before SQLite was called.
  static func misuse(_ message: String, _ operation: String) -> SQLiteError {
    SQLiteError(code: SQLITE_MISUSE, message: message, operation: operation)
  }
}
