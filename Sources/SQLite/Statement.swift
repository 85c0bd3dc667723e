internal import CSQLite

/// A prepared statement. It belongs to one connection and lives in its cache.
///
/// The handle is never null and is finalized by `deinit` alone; that is why the class is `@safe`.
@safe
final class Statement {
  let sql: String
  private let handle: OpaquePointer
  var lastUse: UInt64 = 0

  init(_ sql: String, database: OpaquePointer) throws(SQLiteError) {
    var prepared: OpaquePointer?
    let (code, rest) = unsafe sql.withCString { text in
      var tail: UnsafePointer<CChar>?
      let code = unsafe sqlite3_prepare_v3(
        database, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, &tail)
      return (code, unsafe tail.map { unsafe String(cString: $0) } ?? "")
    }
    guard code == SQLITE_OK else { throw unsafe SQLiteError(code, database: database, sql) }
    guard let handle = unsafe prepared else { throw .misuse("empty statement", sql) }
    guard SQLScript.isEmpty(rest) else {
      unsafe _ = sqlite3_finalize(handle)
      throw .misuse("more than one statement", sql)
    }
    self.sql = sql
    unsafe self.handle = handle
  }

  deinit { unsafe _ = sqlite3_finalize(handle) }

  /// Binds `values`, steps to the end and gives each row to `body`. The statement is reset
  /// whatever happens, so that no read lock outlives the call.
  ///
  /// Never inlined: the optimizer of Swift 6.3 aborts where it inlines a noncopyable `Row` that is
  /// handed to a closure with typed throws.
  @inline(never)
  func forEachRow(
    _ values: [Value], database: OpaquePointer, _ body: (borrowing Row) throws(SQLiteError) -> Void
  ) throws(SQLiteError) {
    defer { unsafe _ = sqlite3_reset(handle) }
    guard unsafe values.count == Int(sqlite3_bind_parameter_count(handle)) else {
      throw .misuse("\(values.count) values for another number of parameters", sql)
    }
    for (offset, value) in values.enumerated() {
      let code = bind(value, at: Int32(offset + 1))
      guard code == SQLITE_OK else { throw unsafe SQLiteError(code, database: database, sql) }
    }
    while true {
      let code = unsafe sqlite3_step(handle)
      switch code {
      case SQLITE_ROW: try body(unsafe Row(handle: handle, sql: sql))
      case SQLITE_DONE: return
      default: throw unsafe SQLiteError(code, database: database, sql)
      }
    }
  }

  private func bind(_ value: Value, at index: Int32) -> Int32 {
    switch value {
    case .null: return unsafe sqlite3_bind_null(handle, index)
    case .integer(let integer): return unsafe sqlite3_bind_int64(handle, index, integer)
    case .text(var text):
      return text.withUTF8 { bytes in
        unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
          // An empty string may have no base address, and a null pointer would bind NULL.
          guard let base = characters.baseAddress else {
            return unsafe tl_sqlite3_bind_text_copy(handle, index, "", 0)
          }
          return unsafe tl_sqlite3_bind_text_copy(handle, index, base, Int32(characters.count))
        }
      }
    }
  }
}

/// One row of a result, valid only inside the closure that receives it.
@safe
public struct Row: ~Copyable {
  private let handle: OpaquePointer
  private let sql: String

  init(handle: OpaquePointer, sql: String) {
    unsafe self.handle = handle
    self.sql = sql
  }

  /// The number of columns.
  public var count: Int { unsafe Int(sqlite3_column_count(handle)) }

  /// The name of column `index` (from 0).
  public func name(_ index: Int) -> String {
    guard let name = unsafe sqlite3_column_name(handle, Int32(index)) else { return "" }
    return unsafe String(cString: name)
  }

  /// The integer in column `index` (from 0), or nil where the column is NULL. Anything else throws:
  /// a typed column never turns a word into a zero.
  public func optionalInteger(_ index: Int) throws(SQLiteError) -> Int64? {
    switch unsafe sqlite3_column_type(handle, Int32(index)) {
    case SQLITE_NULL: return nil
    case SQLITE_INTEGER: return unsafe sqlite3_column_int64(handle, Int32(index))
    default: throw mismatch(index, "an integer")
    }
  }

  /// The text in column `index` (from 0), or nil where the column is NULL.
  public func optionalText(_ index: Int) throws(SQLiteError) -> String? {
    switch unsafe sqlite3_column_type(handle, Int32(index)) {
    case SQLITE_NULL: return nil
    case SQLITE_TEXT:
      guard let bytes = unsafe sqlite3_column_text(handle, Int32(index)) else { return nil }
      let count = unsafe Int(sqlite3_column_bytes(handle, Int32(index)))
      return unsafe String(
        decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    default: throw mismatch(index, "text")
    }
  }

  public func integer(_ index: Int) throws(SQLiteError) -> Int64 {
    guard let value = try optionalInteger(index) else { throw mismatch(index, "an integer") }
    return value
  }

  public func text(_ index: Int) throws(SQLiteError) -> String {
    guard let value = try optionalText(index) else { throw mismatch(index, "text") }
    return value
  }

  /// Whatever stands in column `index` (from 0). The bytes of a text or blob replace `bytes`; for
  /// the other kinds `bytes` is left empty. For files that others made.
  public func stored(_ index: Int, bytes: inout [UInt8]) -> StoredValue {
    bytes.removeAll(keepingCapacity: true)
    let column = Int32(index)
    let kind = unsafe sqlite3_column_type(handle, column)
    switch kind {
    case SQLITE_NULL: return .null
    case SQLITE_INTEGER: return .integer(unsafe sqlite3_column_int64(handle, column))
    case SQLITE_FLOAT: return .real(unsafe sqlite3_column_double(handle, column))
    default:
      // Text of a UTF-16 database comes as UTF-8; asked for first, so that the size is of that.
      let start =
        unsafe kind == SQLITE_TEXT
        ? UnsafeRawPointer(sqlite3_column_text(handle, column))
        : sqlite3_column_blob(handle, column)
      let count = unsafe Int(sqlite3_column_bytes(handle, column))
      unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(start: start, count: count))
      return kind == SQLITE_TEXT ? .text : .blob
    }
  }

  private func mismatch(_ index: Int, _ wanted: String) -> SQLiteError {
    SQLiteError(
      code: SQLITE_MISMATCH, message: "column \(index) is not \(wanted)", operation: sql)
  }
}

extension SQLiteError {
  /// The error that `database` holds after `code`.
  init(_ code: Int32, database: OpaquePointer?, _ operation: String) {
    var message = unsafe String(cString: sqlite3_errstr(code))
    if let database = unsafe database, unsafe sqlite3_errcode(database) & 0xff == code & 0xff {
      message = unsafe String(cString: sqlite3_errmsg(database))
    }
    self.init(code: code, message: message, operation: operation)
  }
}
