/// The log's format, as far as a mutant needs it (https://www.sqlite.org/walformat.html).
enum WAL {
  static let headerSize = 32
  static let frameHeaderSize = 24

  static func frameSize(_ wal: [UInt8]) -> Int {
    frameHeaderSize + Int(integer(wal, 8))
  }

  static func frameCount(_ wal: [UInt8]) -> Int {
    wal.count < headerSize ? 0 : (wal.count - headerSize) / frameSize(wal)
  }

  /// With salts and checksums that fit its content, so that recovery takes every frame.
  static func sealed(_ wal: [UInt8], salts: (UInt32, UInt32)? = nil) -> [UInt8] {
    var wal = wal
    let size = Int(integer(wal, 8))
    guard wal.count >= headerSize, (512...65_536).contains(size) else { return wal }
    if let salts {
      put(salts.0, &wal, 16)
      put(salts.1, &wal, 20)
    }
    let isBigEndian = integer(wal, 0) & 1 == 1
    var sum: (UInt32, UInt32) = (0, 0)
    add(wal[0..<24], isBigEndian, &sum)
    put(sum.0, &wal, 24)
    put(sum.1, &wal, 28)
    for frame in 0..<frameCount(wal) {
      let start = headerSize + frame * (frameHeaderSize + size)
      for byte in 0..<8 { wal[start + 8 + byte] = wal[16 + byte] }
      add(wal[start..<(start + 8)], isBigEndian, &sum)
      add(wal[(start + frameHeaderSize)..<(start + frameHeaderSize + size)], isBigEndian, &sum)
      put(sum.0, &wal, start + 16)
      put(sum.1, &wal, start + 20)
    }
    return wal
  }

  private static func add(
    _ bytes: ArraySlice<UInt8>, _ isBigEndian: Bool, _ sum: inout (UInt32, UInt32)
  ) {
    bytes.withUnsafeBytes { buffer in
      for offset in stride(from: 0, to: buffer.count, by: 8) {
        var words = (
          buffer.loadUnaligned(fromByteOffset: offset, as: UInt32.self),
          buffer.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
        )
        if isBigEndian { words = (words.0.bigEndian, words.1.bigEndian) }
        sum.0 = sum.0 &+ words.0 &+ sum.1
        sum.1 = sum.1 &+ words.1 &+ sum.0
      }
    }
  }

  static func integer(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    guard offset + 4 <= bytes.count else { return 0 }
    return bytes[offset..<(offset + 4)].reduce(0) { $0 << 8 | UInt32($1) }
  }

  static func put(_ value: UInt32, _ bytes: inout [UInt8], _ offset: Int) {
    guard offset + 4 <= bytes.count else { return }
    for byte in 0..<4 { bytes[offset + byte] = UInt8(truncatingIfNeeded: value >> (24 - 8 * byte)) }
  }
}
