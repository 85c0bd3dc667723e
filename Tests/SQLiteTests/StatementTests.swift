import SQLite
import XCTest

/// Values go in and come out as they are, or not at all.
final class StatementTests: XCTestCase {
  func testValues_comeBackAsTheyWentIn() throws {
    let connection = try DatabaseFile().prepared()
    let texts = [
      "", "a", "a\0b", "\0", "naïve 無 🙂", String(repeating: "x", count: 100_000),
      "'; DROP TABLE t;",
      "\u{202e}right to left",
    ]
    for text in texts {
      XCTAssertEqual(try connection.texts("SELECT ?1", [.text(text)]), [text])
      // As SQLite sees it: all of it, not only what stands before a NUL.
      XCTAssertEqual(
        try connection.integers("SELECT length(CAST(?1 AS BLOB))", [.text(text)]),
        [Int64(text.utf8.count)])
    }
    for integer in [0, 1, -1, .min, .max] as [Int64] {
      XCTAssertEqual(try connection.integers("SELECT ?1", [.integer(integer)]), [integer])
    }
  }

  /// A second statement is never dropped in silence.
  func testSecondStatement_isRefused() throws {
    let connection = try DatabaseFile().prepared()
    for sql in ["SELECT 1; SELECT 2", "SELECT 1;\nSELECT 2"] {
      XCTAssertThrowsError(try connection.run(sql)) { error in
        XCTAssertEqual((error as? SQLiteError)?.isMisuse, true, "\(error)")
      }
    }
    XCTAssertThrowsError(try connection.runScript("SELECT 1; SELECT 2;"))
    XCTAssertNoThrow(try connection.run("SELECT 1; -- the end\n"))
  }

  func testEmptyText_isNotNull() throws {
    let connection = try DatabaseFile().prepared()
    try connection.run("INSERT INTO t VALUES (1, ?1), (2, ?2)", ["", .null])
    XCTAssertEqual(try connection.integers("SELECT a FROM t WHERE b IS NULL"), [2])
    XCTAssertEqual(try connection.texts("SELECT b FROM t ORDER BY a"), ["", nil])
    XCTAssertEqual(Value.text(nil as String?), .null)
    XCTAssertEqual(Value.integer(nil as Int64?), .null)
  }

  /// A word never becomes a zero, and a NULL never an empty text.
  func testColumn_ofAnotherType_throws() throws {
    let connection = try DatabaseFile().prepared()
    func reading<T>(
      _ expression: String, _ read: (borrowing Row) throws(SQLiteError) -> T
    ) -> Int32? {
      failure { () throws(SQLiteError) in _ = try connection.rows("SELECT \(expression)", [], read)
      }?
      .primaryCode
    }
    let mismatch: Int32 = 20
    for expression in ["'5'", "5.0", "x'05'", "''"] {
      let code = reading(expression) { row throws(SQLiteError) in try row.optionalInteger(0) }
      XCTAssertEqual(code, mismatch, expression)
    }
    for expression in ["5", "5.0", "x'35'"] {
      let code = reading(expression) { row throws(SQLiteError) in try row.optionalText(0) }
      XCTAssertEqual(code, mismatch, expression)
    }
    XCTAssertEqual(reading("NULL") { row throws(SQLiteError) in try row.integer(0) }, mismatch)
    XCTAssertEqual(reading("NULL") { row throws(SQLiteError) in try row.text(0) }, mismatch)
    XCTAssertNil(reading("NULL") { row throws(SQLiteError) in try row.optionalText(0) })
  }

  func testRow_knowsItsColumns() throws {
    let connection = try DatabaseFile().prepared()
    let names = try connection.firstRow("SELECT 1 AS one, 2 AS two") { row throws(SQLiteError) in
      (0..<row.count).map { row.name($0) }
    }
    XCTAssertEqual(names, ["one", "two"])
    XCTAssertNil(try connection.firstRow("SELECT 1 WHERE 0") { _ throws(SQLiteError) in true })
  }

  func testParameters_ofAnotherNumber_areMisuse() throws {
    let connection = try DatabaseFile().prepared()
    for values in [[], [1], [1, 2, 3]] as [[Value]] {
      let refused = failure { () throws(SQLiteError) in
        try connection.run("INSERT INTO t VALUES (?1, ?2)", values)
      }
      XCTAssertEqual(refused?.primaryCode, 21, "\(values)")
    }
    XCTAssertEqual(try connection.integers("SELECT COUNT(*) FROM t"), [0])
  }

  /// A binding of one call is gone in the next, also after an error.
  func testBindings_doNotOutliveTheCall() throws {
    let connection = try DatabaseFile().prepared(
      "CREATE TABLE u (a INTEGER UNIQUE, b TEXT) STRICT;")
    let insert = "INSERT INTO u VALUES (?1, ?2)"
    try connection.run(insert, [1, "first"])
    XCTAssertEqual(
      failure { () throws(SQLiteError) in try connection.run(insert, [1, "again"]) }?.code, 2067)
    try connection.run(insert, [2, .null])
    XCTAssertEqual(try connection.texts("SELECT b FROM u ORDER BY a"), ["first", nil])
    XCTAssertEqual(connection.changes, 1)
    XCTAssertEqual(connection.lastInsertID, 2)
  }

  /// A row closure that throws ends the statement: no read lock stays behind.
  func testRow_thatThrows_leavesNoStatementRunning() throws {
    let connection = try DatabaseFile().prepared()
    try connection.run("INSERT INTO t VALUES (1, 'x'), (2, 'y')")
    let thrown = failure { () throws(SQLiteError) in
      _ = try connection.rows("SELECT b FROM t") { row throws(SQLiteError) in try row.integer(0) }
    }
    XCTAssertEqual(thrown?.primaryCode, 20)
    try connection.run("DROP TABLE t")  // "database table is locked" while a statement runs
    XCTAssertFalse(connection.isInTransaction)
  }

  func testCache_isBounded_andKeepsWhatWasUsedLast() throws {
    let file = try DatabaseFile()
    let connection = try file.open(capacity: 3)
    for number in 1...20 {
      XCTAssertEqual(try connection.integers("SELECT \(number)"), [Int64(number)])
      // One statement is asked again and again and must survive.
      XCTAssertEqual(try connection.integers("SELECT 0"), [0])
      XCTAssertLessThanOrEqual(connection.cachedStatementCount, 3)
    }
    XCTAssertEqual(connection.cachedStatementCount, 3)
  }

  /// A statement that the cache gives up while it runs still runs to its end.
  func testCache_evictionDuringIteration_isHarmless() throws {
    let connection = try DatabaseFile().open(capacity: 1)
    var seen: [Int64] = []
    let sql = "SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3"
    let numbers = try connection.rows(sql) { row throws(SQLiteError) in
      let number = try row.integer(0)
      seen += try connection.integers("SELECT \(number) * 10").compactMap { $0 }
      return number
    }
    XCTAssertEqual(numbers, [1, 2, 3])
    XCTAssertEqual(seen, [10, 20, 30])
  }

  func testCounters_countEveryStatement() throws {
    let connection = try DatabaseFile().prepared()
    let before = connection.counters.statements
    var texts: [String] = []
    connection.onStatement = { texts.append($0) }
    _ = connection.write(wait: .zero) { () throws(SQLiteError) in
      try connection.run("INSERT INTO t VALUES (1, 'x')")
      return .commit(())
    }
    XCTAssertEqual(texts, ["BEGIN IMMEDIATE", "INSERT INTO t VALUES (1, 'x')", "COMMIT"])
    XCTAssertEqual(connection.counters.statements - before, 3)
  }

  func testErrors_sayWhatAndWhere() throws {
    let connection = try DatabaseFile().prepared()
    let error = failure { () throws(SQLiteError) in try connection.run("SELECT absent FROM t") }
    XCTAssertEqual(error?.message, "no such column: absent")
    XCTAssertEqual(error?.operation, "SELECT absent FROM t")
    XCTAssertEqual(error?.primaryCode, 1)
    XCTAssertEqual(error?.isBusy, false)
    let empty = failure { () throws(SQLiteError) in try connection.run("  -- nothing") }
    XCTAssertEqual(empty?.primaryCode, 21)
  }
}
