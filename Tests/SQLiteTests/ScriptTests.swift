import Foundation
import SQLite
import XCTest

/// Scripts are split as SQLite itself reads them.
final class ScriptTests: XCTestCase {
  func testStatements_semicolonsInsideDoNotEndThem() {
    let trigger = """
      CREATE TRIGGER kept BEFORE DELETE ON t
      -- Rows stay; always.
      WHEN OLD.a > 1
      BEGIN
        SELECT RAISE(ABORT, 'no; never');
        SELECT 1;
      END;
      """
    let text = "INSERT INTO t VALUES (1, 'one;\n;\ntwo''; ');"
    let comment = "SELECT 1 /* ; */ -- ; and so on\n  + 2;"
    let name = "SELECT 1 AS \"a;b\", 2 AS [c;\nd], 3 AS `e;`;"
    for statement in [trigger, text, comment, name] {
      XCTAssertEqual(SQLScript.statements(of: statement), [statement])
    }
    XCTAssertEqual(
      SQLScript.statements(of: [trigger, text, comment, name].joined(separator: "\n")),
      [trigger, text, comment, name])
  }

  func testStatements_leadingCommentsAndBlankLinesAreLeftOut() {
    let script = "-- A header; with a semicolon.\n\n   -- another\nSELECT 1;\n\n\n-- the end\n"
    XCTAssertEqual(SQLScript.statements(of: script), ["SELECT 1;"])
    XCTAssertEqual(SQLScript.statements(of: ""), [])
    XCTAssertEqual(SQLScript.statements(of: "-- only words\n"), [])
  }

  func testStoredText_isWhatSQLiteStores() throws {
    let connection = try DatabaseFile().prepared(
      """
      CREATE TABLE a (
        -- A comment inside.
        x INTEGER -- and one behind
      ) STRICT; -- and one after the end
      CREATE INDEX i ON a (x)
        WHERE x > 1; -- the same
      CREATE VIEW v AS
        -- What it shows.
        SELECT ';' AS semicolon FROM a;
      """)
    let stored = try connection.texts("SELECT sql FROM sqlite_schema ORDER BY rowid")
    XCTAssertEqual(stored.count, 3)
    XCTAssertEqual(stored[0]?.hasSuffix(") STRICT"), true)
    XCTAssertEqual(stored[1]?.hasSuffix("WHERE x > 1"), true)
  }

  /// The fingerprint of a ledger rests on this: what SQLite stores for each object of schema.sql is
  /// its text, letter for letter.
  func testStoredText_ofEveryObjectOfTheSchema() throws {
    let path =
      (0..<3).reduce(#filePath) { path, _ in (path as NSString).deletingLastPathComponent }
      + "/schema.sql"
    let script = try String(contentsOfFile: path, encoding: .utf8)
    let connection = try DatabaseFile().prepared(script)
    let stored = try connection.texts(
      "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")
    let expected = SQLScript.statements(of: script).filter { $0.hasPrefix("CREATE") }
      .map { SQLScript.storedText(of: $0) }
    XCTAssertGreaterThan(expected.count, 50)
    XCTAssertEqual(stored.compactMap { $0 }, expected)
  }

  func testRunScript_stopsAtTheFirstError() throws {
    let connection = try DatabaseFile().prepared()
    let error = failure { () throws(SQLiteError) in
      try connection.runScript(
        "INSERT INTO t VALUES (1, 'x');\nINSERT INTO nowhere VALUES (1);\nDELETE FROM t;")
    }
    XCTAssertEqual(error?.operation, "INSERT INTO nowhere VALUES (1);")
    XCTAssertEqual(try connection.integers("SELECT a FROM t"), [1])
  }

  func testStatements_withoutALastSemicolon_areKept() {
    XCTAssertEqual(SQLScript.statements(of: "SELECT 1;\nSELECT 2"), ["SELECT 1;", "SELECT 2"])
    XCTAssertEqual(SQLScript.statements(of: "SELECT 1;\n  \n"), ["SELECT 1;"])
  }
}
