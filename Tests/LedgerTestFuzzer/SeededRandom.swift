/// Random numbers that a seed repeats (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// From 0 to `count - 1`; 0 where there is nothing to choose from.
  mutating func below(_ count: Int) -> Int {
    count > 1 ? Int.random(in: 0..<count, using: &self) : 0
  }

  mutating func byte() -> UInt8 { UInt8(truncatingIfNeeded: next()) }

  /// A number at which parsers stumble, or any.
  mutating func interesting() -> UInt32 {
    let known: [UInt32] = [
      0, 1, 2, 3, 5, 8, 13, 0x7f, 0xff, 0x100, 0x7fff, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000,
      0xffff_fffe, 0xffff_ffff,
    ]
    let choice = below(known.count + 4)
    return choice < known.count ? known[choice] : UInt32(truncatingIfNeeded: next())
  }
}
