/// Counts of intervals, in buckets that are at most 0.1 % wide: as much memory for a million
/// values as for one.
public struct LatencyHistogram: Sendable {
  private static let stepsOfOctave = 1024
  private var buckets = [Int](repeating: 0, count: 63 * stepsOfOctave)
  public private(set) var count = 0
  /// In microseconds; 0 while there is none.
  public private(set) var largest: Int64 = 0

  public init() {}

  /// Adds an interval in microseconds. What is below one counts as one.
  public mutating func record(_ microseconds: Int64) {
    let value = max(1, microseconds)
    buckets[LatencyHistogram.bucket(value)] += 1
    count += 1
    largest = max(largest, value)
  }

  /// The value that `share` of all values (0 to 1) do not exceed, in microseconds, at most 0.1 %
  /// too large; nil where there is none.
  public func value(at share: Double) -> Int64? {
    guard count > 0 else { return nil }
    let rank = max(1, Int((Double(count) * share).rounded(.up)))
    var seen = 0
    for (index, bucket) in buckets.enumerated() where bucket > 0 {
      seen += bucket
      if seen >= rank { return min(largest, LatencyHistogram.bounds(index).upperBound - 1) }
    }
    return largest
  }

  /// The counts by classes that double every two steps (1, 1.5, 2, 3, 4, 6, ... microseconds),
  /// from the first that is not empty to the last.
  var classes: [(from: Int64, count: Int)] {
    let half = LatencyHistogram.stepsOfOctave / 2
    var classes: [(from: Int64, count: Int)] = []
    for start in stride(from: 0, to: buckets.count, by: half) {
      let count = buckets[start..<start + half].reduce(0, +)
      classes.append((LatencyHistogram.bounds(start).lowerBound, count))
    }
    let first = classes.firstIndex { $0.count > 0 } ?? 0
    let last = classes.lastIndex { $0.count > 0 } ?? -1
    return first <= last ? Array(classes[first...last]) : []
  }

  /// Octave and step within it.
  private static func bucket(_ value: Int64) -> Int {
    let octave = 63 - value.leadingZeroBitCount
    let base = Int64(1) << octave
    let step = Double(value - base) / Double(base) * Double(stepsOfOctave)
    return octave * stepsOfOctave + min(Int(step), stepsOfOctave - 1)
  }

  private static func bounds(_ index: Int) -> Range<Int64> {
    let (octave, step) = index.quotientAndRemainder(dividingBy: stepsOfOctave)
    let base = Double(sign: .plus, exponent: octave, significand: 1)
    let low = Int64(clamping: base * (1 + Double(step) / Double(stepsOfOctave)))
    let high = Int64(clamping: base * (1 + Double(step + 1) / Double(stepsOfOctave)))
    return low..<max(low + 1, high)
  }
}

extension Int64 {
  fileprivate init(clamping value: Double) {
    self = value < 0x1p63 ? Int64(value.rounded(.up)) : .max
  }
}
