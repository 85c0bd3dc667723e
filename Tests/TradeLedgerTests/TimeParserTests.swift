import XCTest

@testable import TradeLedger

/// Instants and intervals: against Foundation's calendar, and against tables of what is wrong.
final class TimeParserTests: XCTestCase {
  private static var utc: Calendar {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = TimeZone(secondsFromGMT: 0)!
    return calendar
  }

  // MARK: Instants

  /// 20,000 random instants from 1970 to 9999 are written as Foundation's calendar says, and read
  /// back to the microsecond.
  func testTimestamp_randomInstants_agreeWithTheCalendar() throws {
    var (seed, random) = SeededGenerator.announced(
      "testTimestamp_randomInstants_agreeWithTheCalendar")
    let calendar = Self.utc
    for _ in 0..<20_000 {
      let instant = Timestamp(
        microseconds: Int64.random(in: 0...Timestamp.latest.microseconds, using: &random))
      let seconds = instant.microseconds / 1_000_000
      let parts = calendar.dateComponents(
        [.year, .month, .day, .hour, .minute, .second],
        from: Date(timeIntervalSince1970: TimeInterval(seconds)))
      let expected = String(
        format: "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", parts.year!, parts.month!, parts.day!,
        parts.hour!, parts.minute!, parts.second!, Int(instant.microseconds % 1_000_000))
      XCTAssertEqual(instant.description, expected, "seed \(seed)")
      XCTAssertEqual(try Timestamp(instant.description), instant, "seed \(seed)")
    }
  }

  /// Every day of four centuries and the first and last day of each year up to 9999.
  func testTimestamp_everyDay_agreesWithTheCalendar() throws {
    let calendar = Self.utc
    var day = calendar.date(from: DateComponents(year: 1970, month: 1, day: 1))!
    for number in Int64(0)..<(400 * 366) {
      let instant = Timestamp(microseconds: number * 86_400_000_000)
      let parts = calendar.dateComponents([.year, .month, .day], from: day)
      let text = String(format: "%04d-%02d-%02d", parts.year!, parts.month!, parts.day!)
      guard instant.description == text + "T00:00:00.000000Z",
        try Timestamp(text + "T00:00:00Z") == instant
      else { return XCTFail("day \(number): \(instant) is not \(text)") }
      day.addTimeInterval(86_400)
    }
    for year in 1970...9999 {
      let start = calendar.date(from: DateComponents(year: year, month: 1, day: 1))!
      let instant = Timestamp(microseconds: Int64(start.timeIntervalSince1970) * 1_000_000)
      XCTAssertEqual(instant.description, "\(year)-01-01T00:00:00.000000Z")
    }
  }

  func testTimestamp_goodTable() throws {
    let table: [(String, Int64)] = [
      ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.000001Z", 1),
      ("2025-09-07T20:28:53.395950Z", 1_757_276_933_395_950),
      ("2025-09-07T20:28:53.39595Z", 1_757_276_933_395_950),
      ("2025-09-07T22:28:53.395950+02:00", 1_757_276_933_395_950),
      ("2025-09-07T14:58:53.395950-05:30", 1_757_276_933_395_950),
      ("2025-09-07T20:28:53Z", 1_757_276_933_000_000),
      ("2025-09-07T20:28:53.5Z", 1_757_276_933_500_000),
      ("2025-09-07T20:28:53+00:00", 1_757_276_933_000_000),
      ("2025-09-07T20:28:53-00:00", 1_757_276_933_000_000),
      ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
      ("2000-02-29T23:59:59Z", 951_868_799_000_000),
      ("1969-12-31T23:00:00-01:00", 0), ("1970-01-01T14:00:00+14:00", 0),
      ("9999-12-31T23:59:59.999999Z", Timestamp.latest.microseconds),
    ]
    for (text, microseconds) in table {
      XCTAssertEqual(try Timestamp(text).microseconds, microseconds, text)
    }
  }

  func testTimestamp_badTable() {
    let bad = [
      "", "now", "2025", "2025-09-07", "2025-09-07T20:28", "2025-09-07T20:28:53",  // no zone
      "2025-09-07 20:28:53Z", "2025-09-07t20:28:53z", "2025-09-07T20:28:53z",
      "2025-09-07T20:28:60Z", "2016-12-31T23:59:60Z", "2025-09-07T20:60:53Z",
      "2025-09-07T24:00:00Z", "2025-09-07T25:00:00Z", "2025-13-01T00:00:00Z",
      "2025-00-01T00:00:00Z", "2025-09-00T00:00:00Z", "2025-09-31T00:00:00Z",
      "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
      "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z",
      "1970-01-01T00:00:00+00:01", "9999-12-31T23:59:59.999999-00:01",
      "10000-01-01T00:00:00Z", "+2025-09-07T20:28:53Z", "-2025-09-07T20:28:53Z",
      "2025-9-7T20:28:53Z", "25-09-07T20:28:53Z", "2025-09-07T20:28:53.Z",
      "2025-09-07T20:28:53.1234567Z", "2025-09-07T20:28:53,5Z", "2025-09-07T20:28:53.5",
      "2025-09-07T20:28:53+2", "2025-09-07T20:28:53+0200", "2025-09-07T20:28:53+24:00",
      "2025-09-07T20:28:53+02:60", "2025-09-07T20:28:53+02", "2025-09-07T20:28:53ZZ",
      "2025-09-07T20:28:53Z ", " 2025-09-07T20:28:53Z", "2025-09-07T20:28:53Z\n",
      "2025-09-07T20:28:53 Z", "２０２５-09-07T20:28:53Z", "2025-09-07T20:28:-3Z",
      "2025-09-07T20:28:53.-1Z", "1757276933", String(repeating: "2", count: 100_000),
    ]
    for text in bad { assertRefused(.invalidInput, text) { try Timestamp(text) } }
  }

  // MARK: Intervals

  func testInterval_goodTable() throws {
    let table: [(String, Int64)] = [
      ("0s", 0), ("1us", 1), ("500ms", 500_000), ("90s", 90_000_000), ("15m", 900_000_000),
      ("12h", 43_200_000_000), ("7d", 604_800_000_000), ("1.5s", 1_500_000),
      ("0.000001s", 1), ("0.001ms", 1), ("1.5h", 5_400_000_000), ("0.5d", 43_200_000_000),
      ("3652.5d", 315_576_000_000_000), ("87660h", 315_576_000_000_000), ("007s", 7_000_000),
      ("2.500000000000s", 2_500_000),
    ]
    for (text, microseconds) in table {
      XCTAssertEqual(try Duration(interval: text).wholeMicroseconds, microseconds, text)
    }
  }

  func testInterval_badTable() {
    let bad = [
      "", "s", "15", "-5m", "+5m", "999999999d", "3652.6d", "315576000001ms", "1w", "1y", "1 s",
      " 1s", "1s ", "1S", "1M", "1sec", "1e3s", "1.s", ".5s", "1.2.3s", "0.5us", "0.0000001s",
      "1,5s", "٣s", "3½s", "NaNs", "infs", "0x10s", "1m30s", "1h 30m",
      String(repeating: "9", count: 13) + "s", "999999999999d", "999999999999.999999999999d",
      String(repeating: "1", count: 1_000_000) + "s",
    ]
    for text in bad { assertRefused(.invalidInput) { try Duration(interval: text) } }
  }

  /// Values at which whole numbers of 64 bits end must be refused, not stop the process.
  func testInterval_nearTheEndOfTheIntegers_isRefused() {
    let bad = [
      "106751991.5d", "106751991d", "106751992d", "2562047788.9h", "2562047788.015215999h",
      "153722867280.912m", "153722867281m", "9223372036854.9s", "213503982335.5d",
      "213503982334.999999999999d",
    ]
    for text in bad { assertRefused(.invalidInput, text) { try Duration(interval: text) } }
  }

  func testInterval_randomDigits_neverStopTheProcess() {
    var (_, random) = SeededGenerator.announced("testInterval_randomDigits_neverStopTheProcess")
    for _ in 0..<20_000 {
      let whole = Int64.random(in: 0...999_999_999_999, using: &random)
      let fraction = Int64.random(in: 0...999_999_999_999, using: &random)
      let unit = ["us", "ms", "s", "m", "h", "d"].randomElement(using: &random)!
      guard let value = try? Duration(interval: "\(whole).\(fraction)\(unit)") else { continue }
      XCTAssertTrue((.zero...BotSettings.longestCooldown).contains(value))
    }
  }

  func testWholeMicroseconds_saturates() {
    XCTAssertEqual(Duration.seconds(Int64.max).wholeMicroseconds, .max)
    XCTAssertEqual(Duration.seconds(Int64.min).wholeMicroseconds, .min)
    XCTAssertEqual(Duration.microseconds(-7).wholeMicroseconds, -7)
    XCTAssertEqual(Duration.nanoseconds(1999).wholeMicroseconds, 1)
    XCTAssertEqual(Duration.nanoseconds(-1999).wholeMicroseconds, -1)
  }

  func testReadable_table() {
    let table: [(Duration, String)] = [
      (.zero, "0s"), (.microseconds(999), "999us"), (.milliseconds(250), "250ms"),
      (.microseconds(1_250_000), "1.25s"), (.seconds(59), "59s"), (.seconds(60), "1m"),
      (.seconds(899), "14m 59s"), (.seconds(9000), "2h 30m"), (.seconds(86_400), "1d"),
      (.seconds(-3), "-3s"),
    ]
    for (duration, text) in table { XCTAssertEqual(duration.readable, text) }
    XCTAssertFalse(Duration.microseconds(Int64.min).readable.isEmpty)
  }

  // MARK: Settings

  func testBotSettings_ranges() throws {
    let second = Duration.seconds(1)
    for cooldown in [Duration.zero, .microseconds(1), BotSettings.longestCooldown] {
      XCTAssertEqual(try BotSettings(cooldown: cooldown).cooldown, cooldown)
    }
    for lease in [Duration.milliseconds(1), .seconds(86_400)] {
      XCTAssertEqual(try BotSettings(cooldown: second, lease: lease).lease, lease)
    }
    for bad in [Duration.microseconds(-1), BotSettings.longestCooldown + .microseconds(1)] {
      assertRefused(.invalidInput) { try BotSettings(cooldown: bad) }
    }
    for bad in [Duration.zero, .microseconds(999), .seconds(86_400) + .microseconds(1)] {
      assertRefused(.invalidInput) { try BotSettings(cooldown: second, lease: bad) }
    }
    // The file keeps whole microseconds: what is answered is what is kept.
    let rounded = try BotSettings(cooldown: .nanoseconds(1500), lease: .seconds(2.3))
    XCTAssertEqual(rounded.cooldown, .microseconds(2))
    XCTAssertEqual(rounded.lease, .milliseconds(2300))
    XCTAssertEqual(try BotSettings(cooldown: .seconds(0.1)).cooldown, .milliseconds(100))
  }
}
