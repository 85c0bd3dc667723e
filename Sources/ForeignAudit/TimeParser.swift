internal import TradeLedger

/// An instant that stands in a foreign file, in whatever spelling.
struct ForeignTime: Equatable {
  /// Since 1970-01-01 00:00 UTC.
  var microseconds: Int64
  /// A text without a zone, which is read as UTC.
  var lacksZone = false
}

/// Reads the spellings of an instant that programs store:
///
/// - ISO 8601 with `T` or a blank, seconds with up to nine fraction digits, with or without a zone
///   (`Z`, `UTC`, `+02:00`, `+0200`, `+02`), from 1970 to 9999;
/// - Unix seconds, milliseconds, microseconds or nanoseconds, as an integer, a decimal text or a
///   floating-point number. Which unit it is follows from the size, because only the years 2000 to
///   2099 are believed; numbers outside are no times.
///
/// Text is read digit by digit, never by way of a floating-point number. What is finer than a
/// microsecond is cut off.
enum TimeParser {
  /// The years 2000 to 2099, in seconds.
  private static let believed: Range<Int64> = 946_684_800..<4_102_444_800
  /// How many of a number's units are a second: seconds, milliseconds, and so on.
  private static let units: [Int64] = [1, 1000, 1_000_000, 1_000_000_000]

  static func parse(_ value: Int64) -> ForeignTime? {
    guard let unit = unit(of: value) else { return nil }
    return ForeignTime(microseconds: microseconds(value, unit))
  }

  /// Rounds to the nearest microsecond: a second of today has room for six digits in a `Double`.
  static func parse(_ value: Double) -> ForeignTime? {
    guard value.magnitude < 0x1p62, let unit = unit(of: Int64(value)) else { return nil }
    return ForeignTime(microseconds: Int64((value * (1_000_000 / Double(unit))).rounded()))
  }

  /// Parses UTF-8. Blanks around it do not matter.
  static func parse(_ text: [UInt8]) -> ForeignTime? {
    var cursor = Cursor(text)
    return cursor.hasDate ? cursor.date() : cursor.number()
  }

  private static func unit(of value: Int64) -> Int64? {
    units.first { believed.contains(value / $0) }
  }

  private static func microseconds(_ value: Int64, _ unit: Int64) -> Int64 {
    unit > 1_000_000 ? value / (unit / 1_000_000) : value * (1_000_000 / unit)
  }

  /// A place in a text, without the blanks around it.
  private struct Cursor {
    private let text: [UInt8]
    private var position = 0
    private var end: Int

    init(_ text: [UInt8]) {
      self.text = text
      end = text.count
      while end > 0, isBlank(text[end - 1]) { end -= 1 }
      while position < end, isBlank(text[position]) { position += 1 }
    }

    var hasDate: Bool { position + 4 < end && text[position + 4] == UInt8(ascii: "-") }
    private var isAtEnd: Bool { position == end }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard position < end, text[position] == UInt8(ascii: character) else { return false }
      position += 1
      return true
    }

    /// Exactly `count` digits.
    private mutating func digits(_ count: Int) -> Int64? {
      guard position + count <= end else { return nil }
      var value: Int64 = 0
      for index in position..<(position + count) {
        let digit = text[index] &- UInt8(ascii: "0")
        guard digit < 10 else { return nil }
        value = value &* 10 &+ Int64(digit)
      }
      position += count
      return value
    }

    /// As many digits as there are, 1 to 18.
    private mutating func run() -> (value: Int64, count: Int)? {
      var count = 0
      while position + count < end, text[position + count] &- UInt8(ascii: "0") < 10 { count += 1 }
      guard (1...18).contains(count), let value = digits(count) else { return nil }
      return (value, count)
    }

    mutating func date() -> ForeignTime? {
      guard let year = digits(4), take("-"), let month = digits(2), take("-"),
        let day = digits(2), take("T") || take("t") || take(" "),
        let hour = digits(2), take(":"), let minute = digits(2), take(":"),
        let second = digits(2), hour < 24, minute < 60, second < 60,
        (1...12).contains(month), (1...Timestamp.daysIn(month, year)).contains(day)
      else { return nil }
      var fraction: Int64 = 0
      if take(".") {
        guard let (value, count) = run(), count <= 9 else { return nil }
        fraction = scaled(value, count, to: 6)
      }
      guard let offset = zone() else { return nil }
      let days = Timestamp.days(year: year, month: month, day: day)
      let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - (offset.seconds ?? 0)
      guard (0..<253_402_300_800).contains(seconds) else { return nil }
      return ForeignTime(
        microseconds: seconds * 1_000_000 + fraction, lacksZone: offset.seconds == nil)
    }

    /// What stands after the seconds, to the end of the text. `seconds` is nil without a zone.
    private mutating func zone() -> (seconds: Int64?, Void)? {
      if isAtEnd { return (nil, ()) }
      _ = take(" ")
      if take("Z") || take("z") || take("U") && take("T") && take("C") {
        return isAtEnd ? (0, ()) : nil
      }
      let sign: Int64 = take("+") ? 1 : -1
      guard sign == 1 || take("-"), let hours = digits(2) else { return nil }
      var minutes: Int64 = 0
      if !isAtEnd {
        _ = take(":")
        guard let value = digits(2) else { return nil }
        minutes = value
      }
      guard isAtEnd, hours < 24, minutes < 60 else { return nil }
      return (sign * (hours * 3600 + minutes * 60), ())
    }

    mutating func number() -> ForeignTime? {
      guard let (whole, length) = digitsOfNumber(), length > 0, let unit = unit(of: whole) else {
        return nil
      }
      var result = microseconds(whole, unit)
      if take(".") {
        guard let (value, count) = run() else { return nil }
        let places = [1: 6, 1000: 3][unit] ?? 0
        result += scaled(value, count, to: places)
      }
      return isAtEnd ? ForeignTime(microseconds: result) : nil
    }

    /// Nanoseconds have 19 digits, which still fit.
    private mutating func digitsOfNumber() -> (Int64, Int)? {
      var value: Int64 = 0
      let start = position
      while position < end {
        let digit = text[position] &- UInt8(ascii: "0")
        if digit >= 10 { break }
        guard position - start < 19 else { return nil }
        let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
        let (sum, overflow) = product.addingReportingOverflow(Int64(digit))
        if isTooLarge || overflow { return nil }
        value = sum
        position += 1
      }
      return (value, position - start)
    }
  }
}

private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

/// `count` digits after the point as a number of `places` digits; more are cut off.
private func scaled(_ value: Int64, _ count: Int, to places: Int) -> Int64 {
  var value = value
  for _ in count..<max(count, places) { value *= 10 }
  for _ in places..<max(count, places) { value /= 10 }
  return value
}
