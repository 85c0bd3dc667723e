import XCTest

@testable import TradeLedger

/// What callers may write, and the much larger set of what they may not.
final class ParserTests: XCTestCase {
  private static let hostile = [
    "", " ", "\n", "\0", "a\0b", "\u{1b}[31mred", "'; DROP TABLE trades; --", "\"", "'", "`",
    "\u{202e}evil", "\u{200b}", "\u{feff}x", "x y", "x\ty", "ünïcode", "а",  // a Cyrillic one
    String(repeating: "x", count: 300), "-x", "--help", "a,b", "a;b", "a(b)", "a\\b", "a%b", "a*b",
  ]

  // MARK: Names

  func testName_table() throws {
    let longest = String(repeating: "x", count: 64)
    for good in ["a", "momentum/BTC-USD", "A.b_c/d:e@f+g=h^i#j-k", longest] {
      XCTAssertEqual(try BotName(good).description, good)
      XCTAssertEqual(try Symbol(good).description, good)
      XCTAssertEqual(try InstanceName(good).description, good)
    }
    for bad in Self.hostile + [longest + "x", String(repeating: "é", count: 33)] {
      let error = assertRefused(.invalidInput, bad) { try BotName(bad) }
      XCTAssertEqual(error?.retry, .never)
      assertSafeToShow(error)
    }
  }

  // MARK: Keys and tokens

  func testKeyAndToken_table() throws {
    for good in ["a", "';DROP/**/TABLE/**/trades;--", String(repeating: "~", count: 128)] {
      XCTAssertEqual(try OrderKey(good).description, good)
    }
    XCTAssertEqual(
      try PermitToken(String(repeating: "!", count: 16)).description,
      String(repeating: "!", count: 16))
    let mega = String(repeating: "k", count: 1_000_000)
    for bad in ["", " ", "a b", "a\n", "\u{7f}", "é", String(repeating: "x", count: 129), mega] {
      assertSafeToShow(assertRefused(.invalidInput) { try OrderKey(bad) })
      assertRefused(.invalidInput) { try PermitToken(bad) }
    }
    assertRefused(.invalidInput) { try PermitToken(String(repeating: "x", count: 15)) }
    assertRefused(.invalidInput) { try PermitToken(String(repeating: "x", count: 129)) }
  }

  /// A key of the ledger's own is a UUID of version 7 that says when it was made.
  func testRandomKey_isUUIDv7() throws {
    let now = try Timestamp("2025-09-07T20:28:53.395950Z")
    for _ in 0..<1000 {
      let text = OrderKey.random(at: now).description
      XCTAssertEqual(try OrderKey(text).description, text)
      let parts = text.split(separator: "-")
      XCTAssertEqual(parts.map(\.count), [8, 4, 4, 4, 12], text)
      XCTAssertNotNil(UUID(uuidString: text), text)
      XCTAssertTrue(text.allSatisfy { $0.isHexDigit && !$0.isUppercase || $0 == "-" }, text)
      XCTAssertEqual(parts[2].first, "7", text)
      XCTAssertTrue("89ab".contains(parts[3].first!), text)
      let milliseconds = Int64(parts[0] + parts[1], radix: 16)
      XCTAssertEqual(milliseconds, now.microseconds / 1000)
    }
  }

  /// A later millisecond gives a greater key: the index grows at one end. No two are equal.
  func testRandomKey_growsWithTimeAndNeverRepeats() {
    var last = ""
    var seen: Set<String> = []
    for step in 0..<5000 {
      let at = Timestamp(microseconds: 1_757_276_933_000_000 + Int64(step) * 1000)
      let key = OrderKey.random(at: at).description
      XCTAssertGreaterThan(key, last)
      last = key
      seen.insert(key)
      seen.insert(OrderKey.random(at: at).description)
    }
    XCTAssertEqual(seen.count, 10_000)
  }

  func testRandomToken_isLongAndNeverRepeats() throws {
    let tokens = (0..<2000).map { _ in PermitToken.random().description }
    XCTAssertEqual(Set(tokens).count, tokens.count)
    for token in tokens {
      XCTAssertEqual(token.utf8.count, 32)
      XCTAssertEqual(try PermitToken(token).description, token)
    }
  }

  // MARK: Amounts

  func testAmount_goodTable_hasOneSpelling() throws {
    let nines = String(repeating: "9", count: 18)
    let tiny = "0." + String(repeating: "0", count: 17) + "1"
    let table = [
      "1": "1", "0.5": "0.5", "1.50": "1.5", "1.0": "1", "007": "7", "00.10": "0.1",
      "123456789.123456789": "123456789.123456789", nines: nines, tiny: tiny,
      nines + "." + nines: nines + "." + nines, "0000000000000000000000001": "1",
      "1.0000000000000000000000000": "1", "10": "10", "100.010": "100.01",
    ]
    for (text, canonical) in table {
      XCTAssertEqual(try Amount(text).description, canonical, text)
      XCTAssertEqual(try Amount(text), try Amount(canonical))
      XCTAssertEqual(try Amount(canonical).description, canonical, "parses its own spelling")
    }
  }

  func testAmount_badTable() {
    let bad =
      Self.hostile + [
        "0", "0.0", "000", ".5", "5.", ".", "..", "1..2", "1.2.3", "-1", "+1", "1e400", "1e5",
        "1E5", "NaN", "nan", "inf", "Infinity", "12abc", "0x10", "1,5", "1_000", "1 000", " 1",
        "1 ", "1\n", "1\0", "١", "１", "½", "१२", String(repeating: "9", count: 40),
        String(repeating: "9", count: 19), "0." + String(repeating: "0", count: 18) + "1",
        "1." + String(repeating: "1", count: 19),
      ]
    for text in bad {
      assertSafeToShow(assertRefused(.invalidInput, text) { try Amount(text) })
    }
  }

  /// No digit is lost, however many there are.
  func testAmount_randomDigits_roundTripExactly() throws {
    var (seed, random) = SeededGenerator.announced("testAmount_randomDigits_roundTripExactly")
    for _ in 0..<5000 {
      let whole = String(Int64.random(in: 0...999_999_999_999_999_999, using: &random))
      let fraction = String(Int64.random(in: 1...999_999_999_999_999_999, using: &random))
      let amount = try Amount(whole + "." + fraction)
      XCTAssertEqual(
        Decimal(string: amount.description), Decimal(string: whole + "." + fraction),
        "seed \(seed)")
    }
  }

  // MARK: Shown text

  func testEscaped_leavesNoControlCharacter() {
    XCTAssertEqual(escaped("plain text, ünïcode, 漢字 🙂"), "plain text, ünïcode, 漢字 🙂")
    let table = [
      "\n": "\\u{a}", "\0": "\\u{0}", "\u{1b}[2J": "\\u{1b}[2J", "\u{7f}": "\\u{7f}",
      "\u{202e}": "\\u{202e}", "\u{200b}": "\\u{200b}", "\u{2028}": "\\u{2028}",
      "\u{2029}": "\\u{2029}", "\u{85}": "\\u{85}", "\u{9b}": "\\u{9b}", "\u{feff}": "\\u{feff}",
      "\u{e000}": "\\u{e000}", "\u{2066}": "\\u{2066}", "\r\n": "\\u{d}\\u{a}",
    ]
    for (text, shown) in table { XCTAssertEqual(escaped(text), shown) }
    for value in UInt32(0)...0x2ff {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let shown = escaped(String(scalar))
      let isControl = value < 0x20 || (0x7f...0x9f).contains(value) || value == 0xad
      XCTAssertEqual(shown.hasPrefix("\\u{"), isControl, "U+\(String(value, radix: 16))")
    }
  }

  func testReason_isOneShortLine() throws {
    let longest = String(repeating: "r", count: 256)
    for good in ["x", "rejected: price below tick size (−2011)", longest] {
      XCTAssertEqual(try checkedReason(good), good)
    }
    for bad in ["", "two\nlines", "bell\u{7}", "\u{202e}", longest + "r"] {
      assertRefused(.invalidInput) { try checkedReason(bad) }
    }
  }

  private func assertSafeToShow(
    _ error: LedgerError?, file: StaticString = #filePath, line: UInt = #line
  ) {
    guard let text = error?.description else { return }
    XCTAssertEqual(text, escaped(text), "unsafe to show", file: file, line: line)
    XCTAssertLessThan(text.utf8.count, 1000, "too long to show", file: file, line: line)
  }
}
