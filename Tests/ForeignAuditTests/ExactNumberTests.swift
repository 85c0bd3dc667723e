import XCTest

@testable import ForeignAudit

/// Decimals that never pass through a floating-point number.
final class ExactNumberTests: XCTestCase {
  private func number(_ text: String) -> ExactNumber? { ExactNumber(Array(text.utf8)) }

  func testParsing_keepsEveryDigit() {
    for (text, plain) in [
      ("0.250", "0.25"), ("1e-05", "0.00001"), ("1.5E+3", "1500"), ("-0.5", "-0.5"),
      (" 7\t", "7"), (".5", "0.5"), ("0", "0"), ("100", "100"),
      ("123456789012345678.123456789012345678", "123456789012345678.123456789012345678"),
      ("9007199254740993", "9007199254740993"), ("0.1000000000000000055", "0.1000000000000000055"),
    ] { XCTAssertEqual(number(text)?.plain, plain, text) }
    for bad in [
      "", ".", "-", "1,5", "12abc", "0x10", "1e", "1e5.5", "nan", "inf", "1 2", "1..2",
      "1e99999", "1e39", "340282366920938463463374607431768211456",
    ] { XCTAssertNil(number(bad), bad) }
  }

  func testRounding_andMeans() throws {
    XCTAssertEqual(
      number("0.0000000000000000015")?.rounded(places: 18).plain, "0.000000000000000002")
    XCTAssertEqual(
      number("0.0000000000000000014")?.rounded(places: 18).plain, "0.000000000000000001")
    XCTAssertEqual(number("5e-30")?.rounded(places: 18).plain, "0")
    let value = try XCTUnwrap(
      XCTUnwrap(XCTUnwrap(number("64000.1")) * XCTUnwrap(number("0.3")))
        + XCTUnwrap(XCTUnwrap(number("64000.2")) * XCTUnwrap(number("0.1"))))
    XCTAssertEqual(try value.divided(by: XCTUnwrap(number("0.4")), places: 18)?.plain, "64000.125")
    let third = try XCTUnwrap(number("1")).divided(by: XCTUnwrap(number("3")), places: 18)
    XCTAssertEqual(third?.plain, "0.333333333333333333")
    let large = try XCTUnwrap(number("99999999999999999999999999999999999999"))
    XCTAssertNil(large * large)
    XCTAssertNil(try large.divided(by: XCTUnwrap(number("0.1")), places: 18))
  }

  func testUnguarding_undoesTheGuardAlone() {
    for (text, plain) in [
      ("'=k", "=k"), ("''=k", "'=k"), ("'k", "'k"), ("'", "'"), ("''", "''"), ("=k", "=k"),
      ("'-1", "-1"), ("", ""),
    ] {
      var row = RowFields()
      row.set(.key, text: text)
      row.unguard(.key)
      XCTAssertEqual(row[.key].text, plain)
    }
  }
}
