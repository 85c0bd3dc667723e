import Foundation
import LedgerTestSupport
import XCTest

/// `audit --csv`, and the corners of RFC 4180.
final class CSVAuditTests: ForeignFileTestCase {
  private func report(
    _ content: String, _ status: Int32, _ more: [String] = [], line: UInt = #line
  ) throws -> [String: Any] {
    try report(
      ["--csv", try write("x.csv", content), "--cooldown", "15m"] + more, status, line: line)
  }

  func testPlainFile_idsAreLines_andTheNextCommandShowsThem() throws {
    let report = try report(
      "bot,filled_at\nm,2025-09-07T20:28:53.395950\nn,2025-09-07T20:28:54\n"
        + "m,2025-09-07T20:28:54.212493\n", 1)
    let found = findings(report)
    XCTAssertEqual(found.map { $0["trades"] as? [Int] }, [[2, 4]])
    XCTAssertEqual(found.map { $0["gap_us"] as? Int }, [816_543])
    let rows = BuiltBinary.run("bash", ["-c", try next(found)])
    XCTAssertEqual(
      rows.stdout,
      "bot,filled_at\nm,2025-09-07T20:28:53.395950\nm,2025-09-07T20:28:54.212493\n")
  }

  func testCorners_areReadAlike() throws {
    let header = "id,bot,ts,note"
    let rows = ["1,m,1757276933,x", "2,m,1757276934,y"]
    let plain = ([header] + rows).joined(separator: "\n")
    let quotes =
      "\"id\",\"bot\",\"ts\",\"note\"\r\n\"1\",\"m\",\"1757276933\",\"\"\r\n"
      + "\"2\",\"m\",\"1757276934\",\"a \"\"b\"\", c\r\nd\"\r\n"
    let files: [(String, String)] = [
      ("LF", plain + "\n"), ("no last line end", plain), ("BOM", "\u{feff}" + plain),
      ("CRLF", plain.replacing("\n", with: "\r\n") + "\r\n"), ("quotes", quotes),
      ("empty lines", "\n\n" + plain.replacing("\n", with: "\n\n") + "\n\n"),
      ("blanks", "id , bot, ts ,note\n1,m, 1757276933 ,\n2,m,1757276934\t,\n"),
      ("semicolons", plain.replacing(",", with: ";")), ("tabs", plain.replacing(",", with: "\t")),
    ]
    for (what, content) in files {
      let report = try report(content, 1)
      XCTAssertEqual(report["examined"] as? Int, 2, what)
      XCTAssertEqual(findings(report).map { $0["trades"] as? [String] }, [["1", "2"]], what)
      XCTAssertEqual((report["malformed_rows"] as? [String: Any])?["count"] as? Int, 0, what)
    }
  }

  /// A quoted line end does not make the line numbers wrong.
  func testLineNumbers_countQuotedLineEnds() throws {
    let found = findings(
      try report("note,bot,ts\n\"a\nb\",m,1757276933\nx,m,1757276934\n", 1))
    XCTAssertEqual(found.map { $0["trades"] as? [Int] }, [[2, 4]])
  }

  func testRowsOfAnotherShape_areSaid() throws {
    let report = try report("bot,ts\nm,1757276933\nm\nm,1757276934,more\nm,soon\n", 0)
    let malformed = report["malformed_rows"] as? [String: Any]
    XCTAssertEqual(malformed?["first_ids"] as? [String], ["line 3", "line 4"])
    let times = report["rows_without_time"] as? [String: Any]
    XCTAssertEqual(times?["first_ids"] as? [String], ["line 5"])
  }

  /// What `trades --csv` writes is read back, with the cooldown of each trade.
  func testOwnExport_isReadBack() throws {
    let path = try write(
      "own.csv",
      "id,bot,status,created_at,filled_at,cooldown_us\r\n"
        + "1,m,filled,2025-09-07T20:28:53.000000Z,2025-09-07T20:28:53.395950Z,900000000\r\n"
        + "2,m,void,2025-09-07T20:28:54.000000Z,,900000000\r\n"
        + "3,m,pending,2025-09-07T20:28:54.212493Z,,816544\r\n"
        + "4,m,filled,2025-09-07T20:28:54.212493Z,,0\r\n")
    let report = try report(["--csv", path], 1)
    XCTAssertEqual(findings(report).map { $0["trades"] as? [String] }, [["1", "3"]])
    XCTAssertEqual(findings(report).map { $0["cooldown_us"] as? Int }, [816_544])
  }

  func testBadFiles_areRefused() throws {
    for (content, status, word) in [
      ("bot,ts\n\"m,1\n2\n", 65, "line 2"), ("a,b\n1,2\n", 65, "--bot"), ("\n\n", 66, "no lines"),
      ("", 66, "empty"), ("bot,ts,bot\n1,2,3\n", 65, "two columns"),
      ("bot,ts\n\(String(repeating: "x", count: 1 << 20))x,1\n", 65, "line 2"),
    ] as [(String, Int32, String)] {
      let path = try write("bad.csv", content)
      let said = try refusal(["--csv", path, "--cooldown", "1s"], status)
      XCTAssertTrue(said.contains(word), said)
    }
    let wide = try write("wide.csv", Data([0xFF, 0xFE, 0x62, 0x00]))
    XCTAssertTrue(try refusal(["--csv", wide, "--cooldown", "1s"], 65).contains("iconv"))
    XCTAssertTrue(
      try refusal(["--csv", try write("x.csv", "bot,ts\nm,1757276933\n")], 64)
        .contains("--cooldown"))
    try refusal(["--csv", directory.path], 65)
    try refusal(["--csv", directory.file("missing")], 66)
  }
}
