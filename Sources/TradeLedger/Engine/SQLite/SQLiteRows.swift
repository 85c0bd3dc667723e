internal import SQLite

/// The rows of a ledger in a file.
struct SQLiteRows: RowReader {
  let path: String
  let wait: Duration
  let clock: any LedgerClock

  func inSnapshot(
    _ body: (NextRows, ClockReading) throws(LedgerError) -> Void
  ) throws(LedgerError) {
    let keepsLog = NewLedgerFile.exists(path + "-wal")
    let database = try SQLiteRows.connect(path, .reading(keepsLog: keepsLog), wait)
    let ending = database.connection.read(wait: wait) { () throws(LedgerError) in
      // The snapshot begins with the first look. What is over now was not admitted later.
      let now = clock.now()
      try body(
        { (table, after) throws(LedgerError) in
          try SQLiteRows.rows(database, table, after)
        }, now)
    }
    try SQLiteRows.finish(ending, database)
  }

  fileprivate static func rows(
    _ database: LedgerDatabase, _ table: LedgerTable, _ after: String?
  ) throws(LedgerError) -> [StoredRow] {
    try database.rows(
      Statements.rows(of: table),
      [value(after, table.columns[0]), .integer(Int64(RowCopy.pieceSize))]
    ) { row throws(SQLiteError) in try read(row, table) }
  }

  private static func read(
    _ row: borrowing Row, _ table: LedgerTable
  ) throws(SQLiteError) -> StoredRow {
    var values: StoredRow = []
    values.reserveCapacity(table.columns.count)
    for (index, column) in table.columns.enumerated() {
      values.append(
        column.isInteger
          ? try row.optionalInteger(index).map { String($0) } : try text(row, index, table))
    }
    return values
  }

  /// - Throws: for bytes that are no text, which a copy would mend and so change.
  private static func text(
    _ row: borrowing Row, _ index: Int, _ table: LedgerTable
  ) throws(SQLiteError) -> String? {
    let text = try row.optionalText(index)
    guard let text, text.unicodeScalars.contains("\u{FFFD}") else { return text }
    var bytes: [UInt8] = []
    _ = row.stored(index, bytes: &bytes)
    guard text.utf8.elementsEqual(bytes) else {
      throw SQLiteError(
        code: 20, message: "the column \(table.columns[index].name) is not UTF-8",
        operation: "reading \(table.name)")
    }
    return text
  }

  fileprivate static func value(_ text: String?, _ column: LedgerTable.Column) -> Value {
    column.isInteger ? .integer(text.flatMap { Int64($0) }) : .text(text)
  }

  fileprivate static func connect(
    _ path: String, _ purpose: OpenOptions.Purpose, _ wait: Duration
  ) throws(LedgerError) -> LedgerDatabase {
    do throws(SQLiteError) {
      return LedgerDatabase(
        connection: try Connection.open(path, options: OpenOptions(purpose: purpose, wait: wait)))
    } catch { throw LedgerError(error, path: path) }
  }

  fileprivate static func finish<Success>(
    _ ending: TransactionEnding<Success, LedgerError>, _ database: LedgerDatabase
  ) throws(LedgerError) {
    switch ending {
    case .committed, .rolledBack: return
    case .bodyFailed(let error, _): throw error
    case .notBegun(let error), .commitUnknown(_, let error): throw database.translate(error)
    }
  }
}

/// A new file that is filled with rows: tables first, then the rows, then the rules, which refuse
/// rows that are not of now.
struct NewSQLiteRows: RowWriter {
  let new: NewLedgerFile
  let wait: Duration

  func fill(
    _ body: (RowWriter.Insert) throws(LedgerError) -> Void,
    verify: (NextRows) throws(LedgerError) -> Void
  ) throws(LedgerError) {
    let database = try SQLiteRows.connect(new.file.path, .writing, wait)
    let ending = database.connection.write(wait: wait) { () throws(LedgerError) in
      try SchemaInstaller.makeTables(database)
      try body { (table, rows) throws(LedgerError) in
        let insert = Statements.insertRow(into: table)
        for row in rows {
          try database.run(insert, zip(row, table.columns).map { SQLiteRows.value($0, $1) })
        }
      }
      try SchemaInstaller.makeRules(database)
      try SchemaInstaller.verify(database)
      try Integrity.expectSound(database)
      try verify { (table, after) throws(LedgerError) in
        try SQLiteRows.rows(database, table, after)
      }
      return TransactionDecision.commit(())
    }
    try SQLiteRows.finish(ending, database)
    // Last, so that no log has anything in it that the file has not.
    do throws(SQLiteError) { try database.connection.switchToWAL(wait: wait) } catch {
      throw database.translate(error)
    }
  }
}
