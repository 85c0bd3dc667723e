internal import CLedgerSystem

/// 128 random bits of the system that nobody else gets.
func randomBits() -> UInt128 {
  var words: (UInt64, UInt64) = (0, 0)
  let failure = unsafe withUnsafeMutableBytes(of: &words) { bytes in
    unsafe tl_random_bits(bytes.baseAddress?.assumingMemoryBound(to: UInt64.self))
  }
  if failure == 0 { return UInt128(words.0) << 64 | UInt128(words.1) }
  var generator = SystemRandomNumberGenerator()
  return generator.next()
}
