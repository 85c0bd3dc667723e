internal import TradeLedger

/// Random numbers that a seed repeats (SplitMix64). Not for secrets.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  /// - Parameter stream: numbers that tell users of one seed apart, such as worker and incarnation.
  init(seed: UInt64, stream: UInt64...) {
    state = seed
    for number in stream { state = next() ^ (number &* 0x9e37_79b9_7f4a_7c15) }
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// An interval out of `range`, to the microsecond.
  mutating func duration(in range: ClosedRange<Duration>) -> Duration {
    let bounds = range.lowerBound.wholeMicroseconds...range.upperBound.wholeMicroseconds
    return .microseconds(Int64.random(in: bounds, using: &self))
  }

  /// True in `share` of a million cases.
  mutating func chance(perMillion share: Int) -> Bool {
    Int.random(in: 0..<1_000_000, using: &self) < share
  }
}
