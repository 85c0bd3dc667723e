import XCTest

@testable import ForeignAudit

/// The spellings of an instant in files that others made.
final class TimeTests: XCTestCase {
  private let second: Int64 = 1_757_276_933_000_000

  private func read(_ text: String) -> Int64? { TimeParser.parse(Array(text.utf8))?.microseconds }

  func testText_goodTable() {
    let table: [(String, Int64, Bool)] = [
      ("2025-09-07T20:28:53.395950", 395_950, true),
      ("2025-09-07 20:28:53.395950", 395_950, true),
      ("2025-09-07 20:28:53", 0, true), ("2025-09-07 20:28:53.3", 300_000, true),
      ("2025-09-07 20:28:53.000001", 1, true), ("2025-09-07T20:28:53.999999999", 999_999, true),
      ("2025-09-07T20:28:53Z", 0, false), ("2025-09-07t20:28:53z", 0, false),
      ("2025-09-07 20:28:53.39595 UTC", 395_950, false),
      ("2025-09-07 22:28:53.39595+02:00", 395_950, false),
      ("2025-09-07 22:28:53.39595 +0200", 395_950, false),
      ("2025-09-07 22:28:53+02", 0, false), ("2025-09-07T14:58:53-05:30", 0, false),
      ("  2025-09-07 20:28:53\t", 0, true),
      ("1757276933", 0, false), ("1757276933.39595", 395_950, false),
      ("1757276933.3959509", 395_950, false), ("1757276933395", 395_000, false),
      ("1757276933395.95", 395_950, false), ("1757276933395950", 395_950, false),
      ("1757276933395950123", 395_950, false), (" 1757276933 ", 0, false),
    ]
    for (text, offset, lacksZone) in table {
      XCTAssertEqual(
        TimeParser.parse(Array(text.utf8)),
        ForeignTime(microseconds: second + offset, lacksZone: lacksZone), text)
    }
    XCTAssertEqual(read("1970-01-01 00:00:00"), 0)
    XCTAssertEqual(read("9999-12-31T23:59:59.999999Z"), 253_402_300_799_999_999)
    XCTAssertEqual(read("2024-02-29T00:00:00Z"), 1_709_164_800_000_000)
  }

  func testText_badTable() {
    for text in [
      "", " ", "yesterday", "2025-09-07", "2025-09-07 20:28", "2025-13-07 20:28:53",
      "2025-02-29 20:28:53", "2025-09-07 24:00:00", "2025-09-07 20:60:00", "2025-09-07 20:28:60",
      "2025-09-07 20:28:53.", "2025-09-07 20:28:53.1234567890", "2025-09-07 20:28:53,5",
      "2025-09-07 20:28:53 PM", "2025-09-07 20:28:53+2", "2025-09-07 20:28:53+02:60",
      "2025-09-07 20:28:53Zulu", "25-09-07 20:28:53", "1969-12-31 23:59:59",
      "1970-01-01 00:00:00+00:01", "2025-09-07T20:28:5３", "+025-09-07 20:28:53",
      "0", "5", "-1757276933", "20250907", "946684799", "4102444800", "1.7e9", "1757276933.",
      "1757276933.x", "17572769333959501234", "99999999999999999999", "2460926.353", "nan",
    ] { XCTAssertNil(read(text), text) }
  }

  /// Each unit at both ends of the years that are believed, and one beyond them.
  func testNumbers_unitFollowsFromTheSize() {
    for unit: Int64 in [1, 1000, 1_000_000, 1_000_000_000] {
      XCTAssertEqual(
        TimeParser.parse(946_684_800 * unit)?.microseconds, 946_684_800_000_000, "\(unit)")
      XCTAssertNil(TimeParser.parse(946_684_800 * unit - 1), "\(unit)")
      XCTAssertEqual(
        TimeParser.parse(4_102_444_799 * unit)?.microseconds, 4_102_444_799_000_000, "\(unit)")
      XCTAssertNil(TimeParser.parse(4_102_444_800 * unit), "\(unit)")
    }
    for number: Int64 in [.min, -1, 0, .max] { XCTAssertNil(TimeParser.parse(number)) }
    for number in [Double.nan, .infinity, -1, 0, 1e300, -1e300] {
      XCTAssertNil(TimeParser.parse(number), "\(number)")
    }
  }

  /// A floating-point second keeps its six digits, whatever they are.
  func testReal_isRoundedToTheMicrosecond() {
    for step in 0..<100_000 {
      let expected = second + Int64(step) * 9973 % 1_000_000
      let real = Double(expected / 1_000_000) + Double(expected % 1_000_000) / 1_000_000
      XCTAssertEqual(TimeParser.parse(real)?.microseconds, expected)
    }
    XCTAssertEqual(TimeParser.parse(1_757_276_933.395_950_8)?.microseconds, second + 395_951)
    XCTAssertEqual(TimeParser.parse(1_757_276_933_395.95)?.microseconds, second + 395_950)
  }
}
