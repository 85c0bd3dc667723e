/// What is done to the bytes of a good ledger.
enum Mutation: String, CaseIterable {
  case bitFlips, byteSet, integerSet, pageHeader, cellPointer, header, schemaPage, pageSwap,
    pageCopy, pageZero, truncateAtPage, truncate, extend, splice, freelist
  case walBit, walHeader, walFrame, walSalts, walTruncate, walPageSealed, walSwapSealed
  case journal, sharedMemory, rows

  static func random(_ random: inout SeededRandom) -> Mutation {
    random.below(8) == 0 ? .rows : allCases[random.below(allCases.count)]
  }

  /// Changes `image`; `other` lends bytes. Rows are edited where the file lies, at `path`.
  func apply(
    _ image: inout LedgerImage, other: LedgerImage, path: String, _ random: inout SeededRandom
  ) {
    switch self {
    case .walBit, .walHeader, .walFrame, .walSalts, .walTruncate, .walPageSealed, .walSwapSealed:
      mutateLog(&image, &random)
    case .journal:
      image.journal = Mutation.garbage(like: journalStart(image, &random), image, &random)
    case .sharedMemory:
      image.shm = Mutation.garbage(like: [0, 0x2d, 0xe2, 0x18], image, &random)
    case .rows:
      image.write(path)
      // What has been damaged before may not be edited any more; it is a mutant all the same.
      try? StoredRows.edit(path, StoredRows.randomEdit(&random))
      image.main = Files.read(path)
      image.wal = Files.read(path + "-wal")
    default: mutateFile(&image, other, &random)
    }
  }

  private func mutateFile(
    _ image: inout LedgerImage, _ other: LedgerImage, _ random: inout SeededRandom
  ) {
    let size = image.pageSize
    let pages = image.main.count / size
    guard pages > 0 else { return }
    let page = random.below(pages) * size
    switch self {
    case .bitFlips:
      for _ in 0...random.below(8) {
        image.main[random.below(image.main.count)] ^= 1 << UInt8(random.below(8))
      }
    case .byteSet:
      for _ in 0...random.below(4) { image.main[random.below(image.main.count)] = random.byte() }
    case .integerSet: WAL.put(random.interesting(), &image.main, random.below(image.main.count))
    case .pageHeader:
      let start = page == 0 ? 100 : page
      if random.below(2) == 0 {
        image.main[min(start + random.below(12), image.main.count - 1)] = random.byte()
      } else {
        WAL.put(random.interesting(), &image.main, start + [1, 3, 5, 8][random.below(4)])
      }
    case .cellPointer:
      let start = (page == 0 ? 100 : page) + 8 + 2 * random.below(40)
      WAL.put(random.interesting() << 16 | UInt32(random.below(65_536)), &image.main, start)
    case .header:
      let offset = random.below(100)
      if random.below(2) == 0 {
        WAL.put(random.interesting(), &image.main, offset & ~3)
      } else {
        image.main[min(offset, image.main.count - 1)] = random.byte()
      }
    case .schemaPage:
      // Letters of the schema, wherever its pages are.
      let words = ["CREATE", "BEFORE", "RAISE", "trades", "status", "WHEN", "UNIQUE"]
      let word = Array(words[random.below(words.count)].utf8)
      let found = (0..<(image.main.count - word.count)).filter { start in
        image.main[start] == word[0] && image.main[start..<(start + word.count)].elementsEqual(word)
      }
      if !found.isEmpty { image.main[found[random.below(found.count)]] ^= 0x20 }
    case .pageSwap:
      let second = random.below(pages) * size
      for byte in 0..<size { image.main.swapAt(page + byte, second + byte) }
    case .pageCopy:
      let second = random.below(pages) * size
      for byte in 0..<size { image.main[page + byte] = image.main[second + byte] }
    case .pageZero: for byte in 0..<size { image.main[page + byte] = 0 }
    case .truncateAtPage: image.main.removeLast(image.main.count - page)
    case .truncate: image.main.removeLast(random.below(image.main.count))
    case .extend: for _ in 0..<random.below(2 * size) { image.main.append(random.byte()) }
    case .splice:
      let count = min(1 + random.below(4 * size), other.main.count, image.main.count)
      let from = random.below(other.main.count - count)
      let to = random.below(image.main.count - count)
      image.main.replaceSubrange(to..<(to + count), with: other.main[from..<(from + count)])
    case .freelist:
      // The first trunk page, and the header's count and root of the list.
      let trunk = (Int(WAL.integer(image.main, 32)) - 1) * size
      let places = [
        32, 36, max(0, trunk), max(0, trunk) + 4, max(0, trunk) + 8 + 4 * random.below(20),
      ]
      let isPage = random.below(2) == 0
      WAL.put(
        isPage ? UInt32(random.below(pages + 2)) : random.interesting(), &image.main,
        places[random.below(places.count)])
    default: break
    }
  }

  private func mutateLog(_ image: inout LedgerImage, _ random: inout SeededRandom) {
    if image.wal.count < WAL.headerSize {
      image.wal = Mutation.garbage(like: [0x37, 0x7f, 0x06, 0x82], image, &random)
      return
    }
    let frames = max(1, WAL.frameCount(image.wal))
    let size = WAL.frameSize(image.wal)
    let frame = WAL.headerSize + random.below(frames) * size
    switch self {
    case .walBit: image.wal[random.below(image.wal.count)] ^= 1 << UInt8(random.below(8))
    case .walHeader: WAL.put(random.interesting(), &image.wal, 4 * random.below(8))
    case .walFrame: WAL.put(random.interesting(), &image.wal, frame + 4 * random.below(6))
    case .walSalts: WAL.put(random.interesting(), &image.wal, 16 + 4 * random.below(2))
    case .walTruncate: image.wal.removeLast(random.below(image.wal.count))
    case .walPageSealed:
      for _ in 0...random.below(4) {
        let place = frame + random.below(size)
        if place < image.wal.count { image.wal[place] = random.byte() }
      }
      image.wal = WAL.sealed(image.wal)
    default:
      let second = WAL.headerSize + random.below(frames) * size
      guard max(frame, second) + size <= image.wal.count else { return }
      for byte in 0..<size { image.wal.swapAt(frame + byte, second + byte) }
      image.wal = WAL.sealed(image.wal)
    }
  }

  /// The first bytes of a rollback journal that would undo the file to a few pages of its own.
  private func journalStart(_ image: LedgerImage, _ random: inout SeededRandom) -> [UInt8] {
    var header: [UInt8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]
    let pages = UInt32(image.main.count / image.pageSize)
    for value in [UInt32(random.below(4)), 0, UInt32(random.below(Int(pages) + 1)), 512] {
      header += [0, 0, 0, 0]
      WAL.put(value, &header, header.count - 4)
    }
    header += [0, 0, 0, 0]
    WAL.put(UInt32(image.pageSize), &header, header.count - 4)
    return header + [UInt8](repeating: 0, count: 512 - header.count)
  }

  private static func garbage(
    like start: [UInt8], _ image: LedgerImage, _ random: inout SeededRandom
  ) -> [UInt8] {
    var bytes = random.below(3) == 0 ? [] : start
    for _ in 0..<random.below(3 * (image.pageSize + 24)) { bytes.append(random.byte()) }
    return bytes
  }
}
