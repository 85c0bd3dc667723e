/// An instant: microseconds since 1970-01-01 00:00 UTC, from then to the end of the year 9999.
public struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Since 1970-01-01 00:00 UTC.
  public let microseconds: Int64

  /// The last instant of the year 9999.
  public static let latest = Timestamp(microseconds: 253_402_300_799_999_999)

  /// Not checked here: what is out of range is refused where it is used.
  public init(microseconds: Int64) { self.microseconds = microseconds }

  public static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.microseconds < right.microseconds
  }

  /// RFC 3339 in UTC with six digits, for example `2025-09-07T20:28:53.395950Z`.
  public var description: String {
    let (days, inDay) = microseconds.flooredDivision(by: 86_400_000_000)
    let (year, month, day) = Timestamp.civil(days: days)
    let (seconds, fraction) = inDay.flooredDivision(by: 1_000_000)
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T"
      + "\(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
      + ".\(padded(fraction, 6))Z"
  }

  /// Parses RFC 3339 with a zone: `2025-09-07T20:28:53Z`, up to six fraction digits, `+02:00`.
  /// - Throws: `invalidInput` for anything else, a 60th second included; never worth a retry.
  public init(_ text: String) throws(LedgerError) {
    guard let microseconds = Timestamp.parse(text),
      (0...Timestamp.latest.microseconds)
        .contains(microseconds)
    else {
      throw LedgerError(
        .invalidInput, "not an instant: \(quoted(text))",
        hint: "write RFC 3339 with a zone and at most six fraction digits, from 1970 to 9999, "
          + "such as 2025-09-07T20:28:53.395950Z")
    }
    self.microseconds = microseconds
  }

  private static func parse(_ text: String) -> Int64? {
    var rest = text.utf8[...]
    guard let year = digits(&rest, 4), take(&rest, "-"), let month = digits(&rest, 2),
      take(&rest, "-"), let day = digits(&rest, 2), take(&rest, "T"),
      let hour = digits(&rest, 2), take(&rest, ":"), let minute = digits(&rest, 2),
      take(&rest, ":"), let second = digits(&rest, 2),
      (1...12).contains(month), (1...daysIn(month, year)).contains(day),
      hour < 24, minute < 60, second < 60
    else { return nil }
    var fraction: Int64 = 0
    if take(&rest, ".") {
      let count = rest.prefix { (0x30...0x39).contains($0) }.count
      guard (1...6).contains(count), let value = digits(&rest, count) else { return nil }
      fraction = (count..<6).reduce(value) { partial, _ in partial * 10 }
    }
    var offset: Int64 = 0
    if !take(&rest, "Z") {
      let sign: Int64 = take(&rest, "+") ? 1 : -1
      guard sign == 1 || take(&rest, "-"), let hours = digits(&rest, 2), take(&rest, ":"),
        let minutes = digits(&rest, 2), hours < 24, minutes < 60
      else { return nil }
      offset = sign * (hours * 3600 + minutes * 60)
    }
    guard rest.isEmpty else { return nil }
    let seconds =
      days(year: year, month: month, day: day) * 86_400
      + hour * 3600 + minute * 60 + second - offset
    return seconds * 1_000_000 + fraction
  }

  private static func take(_ rest: inout Substring.UTF8View, _ character: Character) -> Bool {
    guard rest.first == character.asciiValue else { return false }
    rest.removeFirst()
    return true
  }

  private static func digits(_ rest: inout Substring.UTF8View, _ count: Int) -> Int64? {
    let head = rest.prefix(count)
    guard head.count == count, head.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    rest = rest.dropFirst(count)
    return head.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
  }

  package static func daysIn(_ month: Int64, _ year: Int64) -> Int64 {
    if month == 2 { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28 }
    return [4, 6, 9, 11].contains(month) ? 30 : 31
  }

  /// Days since 1970-01-01 in the Gregorian calendar, counted in years that begin in March.
  package static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let (era, yearOfEra) = shifted.flooredDivision(by: 400)
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private static func civil(days: Int64) -> (Int64, Int64, Int64) {
    let (era, dayOfEra) = (days + 719_468).flooredDivision(by: 146_097)
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * shifted + 2) / 5 + 1)
  }
}

extension Timestamp {
  /// The time from `earlier` to `self`; negative where the clock went back.
  public func elapsed(since earlier: Timestamp) -> Duration {
    .microseconds(microseconds - earlier.microseconds)
  }

  /// The instant `interval` later.
  public func advanced(by interval: Duration) -> Timestamp {
    Timestamp(microseconds: microseconds + interval.wholeMicroseconds)
  }
}

extension Int64 {
  fileprivate func flooredDivision(by divisor: Int64) -> (Int64, Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}

private func padded(_ value: Int64, _ width: Int) -> String {
  let digits = String(value)
  return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
