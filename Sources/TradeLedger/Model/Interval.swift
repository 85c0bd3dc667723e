/// Intervals are `Duration` in Swift and whole microseconds in the file.
extension Duration {
  /// Whole microseconds, rounded towards zero and saturating.
  public var wholeMicroseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    if overflow { return seconds < 0 ? .min : .max }
    let (sum, carry) = product.addingReportingOverflow(attoseconds / 1_000_000_000_000)
    return carry ? (seconds < 0 ? .min : .max) : sum
  }

  /// The nearest whole number of microseconds; for intervals that are not negative.
  var roundedToMicroseconds: Duration {
    .microseconds((self + .nanoseconds(500)).wholeMicroseconds)
  }

  /// Parses `500ms`, `90s`, `15m`, `12h`, `7d`: digits (with a fraction, if need be) and a unit.
  ///
  /// From zero to ten years (3,652.5 days).
  /// - Throws: `invalidInput`; never worth a retry.
  public init(interval text: String) throws(LedgerError) {
    guard let value = Duration.parse(text) else {
      throw LedgerError(
        .invalidInput, "not a duration: \(quoted(text))",
        hint: "write digits and a unit, such as 500ms, 90s, 15m, 12h or 7d; at most ten years")
    }
    self = value
  }

  private static func parse(_ text: String) -> Duration? {
    let units: [(String, Int64)] = [
      ("us", 1), ("ms", 1000), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000),
      ("d", 86_400_000_000),
    ]
    guard let (unit, scale) = units.first(where: { text.hasSuffix($0.0) }) else { return nil }
    let parts = text.utf8.dropLast(unit.utf8.count)
      .split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count),
      parts.allSatisfy({
        (1...12).contains($0.count) && $0.allSatisfy { (0x30...0x39).contains($0) }
      }),
      let whole = Int64(String(Substring(parts[0])))
    else { return nil }
    let (product, isTooLong) = whole.multipliedReportingOverflow(by: scale)
    let longest = BotSettings.longestCooldown.wholeMicroseconds
    // Checked before the fraction is added, so that the sum cannot overflow.
    guard !isTooLong, product <= longest else { return nil }
    var microseconds = product
    if parts.count == 2, let fraction = Int64(String(Substring(parts[1]))) {
      let power = (0..<parts[1].count).reduce(Int64(1)) { partial, _ in partial * 10 }
      let (scaled, overflow) = fraction.multipliedReportingOverflow(by: scale)
      guard !overflow, scaled % power == 0 else { return nil }
      microseconds += scaled / power
    }
    guard microseconds <= longest else { return nil }
    return .microseconds(microseconds)
  }

  /// For people: `1.25s`, `15m`, `2h 30m`, `-3s`. Not parsed by anything.
  public var readable: String {
    let total = wholeMicroseconds
    if total < 0 { return "-" + (Duration.microseconds(-max(total, -.max))).readable }
    let seconds = total / 1_000_000
    if seconds >= 86_400 { return pair(seconds / 86_400, "d", seconds % 86_400 / 3600, "h") }
    if seconds >= 3600 { return pair(seconds / 3600, "h", seconds % 3600 / 60, "m") }
    if seconds >= 60 { return pair(seconds / 60, "m", seconds % 60, "s") }
    if total < 1000 { return total == 0 ? "0s" : "\(total)us" }
    var thousandths = String(total / 1000 % 1000)
    thousandths = String(repeating: "0", count: 3 - thousandths.count) + thousandths
    if seconds == 0 { return "\(total / 1000)ms" }
    while thousandths.hasSuffix("0") { thousandths.removeLast() }
    return "\(seconds)\(thousandths.isEmpty ? "" : "." + thousandths)s"
  }

  /// Seconds with all six digits: `0.816543`. A gap of 0.816543 s is not one of 0.8 s.
  package var exactSeconds: String {
    let total = wholeMicroseconds
    let fraction = String(1_000_000 + total.magnitude % 1_000_000).dropFirst()
    return (total < 0 ? "-" : "") + "\(total.magnitude / 1_000_000).\(fraction)"
  }

  private func pair(_ major: Int64, _ unit: String, _ minor: Int64, _ small: String) -> String {
    minor == 0 ? "\(major)\(unit)" : "\(major)\(unit) \(minor)\(small)"
  }
}
