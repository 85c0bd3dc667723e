import LedgerTestSupport
import SQLite
import XCTest

@testable import TradeLedger

/// S-34: files that are moved, deleted or replaced under a live ledger, and what happens to a
/// ledger that is closed.
final class LiveFileTests: XCTestCase {
  private let files = FileManager.default

  private struct Damage {
    let name: String
    let apply: (TestLedger) throws -> Void
    /// Puts the file back where it was; nil where that is not possible.
    let undo: ((TestLedger) throws -> Void)?
  }

  private var damages: [Damage] {
    let files = self.files
    var result: [Damage] = []
    for suffix in ["", "-wal", "-shm"] {
      let label = suffix.isEmpty ? "main" : suffix
      result.append(
        Damage(name: "\(label) moved") {
          try files.moveItem(atPath: $0.path + suffix, toPath: $0.path + ".away" + suffix)
        } undo: {
          try files.moveItem(atPath: $0.path + ".away" + suffix, toPath: $0.path + suffix)
        })
      result.append(
        Damage(name: "\(label) deleted") {
          try files.removeItem(atPath: $0.path + suffix)
        } undo: { _ in
        })
      result.append(
        Damage(name: "\(label) replaced by a copy") {
          try files.copyItem(atPath: $0.path + suffix, toPath: $0.path + ".copy")
          try files.moveItem(atPath: $0.path + suffix, toPath: $0.path + ".away" + suffix)
          try files.moveItem(atPath: $0.path + ".copy", toPath: $0.path + suffix)
        } undo: {
          try files.removeItem(atPath: $0.path + suffix)
          try files.moveItem(atPath: $0.path + ".away" + suffix, toPath: $0.path + suffix)
        })
    }
    return result
  }

  /// S-34: noticed before the next write, by every kind of write.
  func testWrite_afterAFileIsGone_isRefused() async throws {
    for damage in damages { try await write(after: damage, inQuietDirectory: false) }
  }

  /// S-34: the same where the directory has long been unchanged, so that the ledger looks at nothing
  /// else until it changes.
  func testWrite_afterAFileOfAQuietDirectoryIsGone_isRefused() async throws {
    for damage in damages { try await write(after: damage, inQuietDirectory: true) }
  }

  /// S-34: a replay gives a permit to trade: not in a ledger that was moved away meanwhile.
  func testReserve_againInAMovedLedger_givesNoPermit() async throws {
    let test = try await TestLedger()
    try await test.addBot()
    let (trade, permit) = try await test.admitted()
    try files.moveItem(atPath: test.path, toPath: test.path + ".moved")
    await assertFails(.ledgerMoved) {
      try await test.ledger.reserve(.example(), key: trade.key, token: permit.token)
    }
    try files.moveItem(atPath: test.path + ".moved", toPath: test.path)
    try await test.verify()
  }

  private func write(after damage: Damage, inQuietDirectory isQuiet: Bool) async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .zero)
    let (trade, permit) = try await test.admitted()
    try await test.filled(permit)
    if isQuiet { try untilQuiet(test) }
    let (pending, open) = try await test.admitted()
    test.clock.advance(.seconds(31))
    try damage.apply(test)
    let ledger = test.ledger
    let writes: [(String, () async throws -> Void)] = [
      ("reserve", { _ = try await ledger.reserve(.example()) }),
      ("record", { _ = try await ledger.record(.example()) }),
      ("fill", { _ = try await ledger.fill(open.trade, token: open.token) }),
      ("void", { _ = try await ledger.void(open.trade, token: open.token, reason: "x") }),
      ("resolve", { _ = try await ledger.resolve(.id(pending.id), fill: nil, reason: "x") }),
      ("bot", { _ = try await ledger.changeBot(exampleBot, BotChange(isEnabled: false)) }),
    ]
    for (name, write) in writes {
      let error = await assertFails(.ledgerMoved) { try await write() }
      XCTAssertEqual(error?.retry, .never, "\(damage.name), \(name)")
    }
    if damage.name.hasSuffix("deleted") { return }
    // Put back, nothing of it was written, and it works again.
    try damage.undo?(test)
    let seen = try await ledger.trade(.id(pending.id))
    XCTAssertEqual(seen.status, .inDoubt, damage.name)
    let page = try await ledger.trades()
    XCTAssertEqual(page.total, 2, damage.name)
    try await test.filled(open)
    XCTAssertEqual(trade.id, TradeID(1))
    try await test.verify()
  }

  /// S-34: gone between BEGIN and COMMIT: the look after the COMMIT finds it; no permit is given.
  func testReserve_whileTheFileIsMovedUnderTheLock_givesNoPermit() async throws {
    for (suffix, isQuiet) in ["", "-wal", "-shm"].flatMap({ [($0, false), ($0, true)] }) {
      let test = try await TestLedger()
      try await test.addBot(cooldown: .zero)
      let (ledger, clock) = try await test.scripted()
      if isQuiet { try untilQuiet(test) }
      let readings = try await test.readingsOfReserve(ledger, clock)
      let (from, to) = (test.path + suffix, test.path + ".away" + suffix)
      // The last reading of a reservation is the one under the lock.
      clock.before(readings) { rename(from, to) }
      await assertFails(.ledgerMoved) { try await ledger.reserve(.example()) }
      XCTAssertEqual(rename(to, from), 0, "the test moved nothing")
      let page = try await test.ledger.trades()
      XCTAssertEqual(page.trades.first?.status, .pending, "the row is there, nobody may trade it")
      await ledger.close()
      try await test.verify()
    }
  }

  /// S-34: the whole directory is moved away and replaced.
  func testWrite_afterItsDirectoryWasReplaced_isRefused() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .zero)
    try untilQuiet(test)
    let (_, permit) = try await test.admitted()
    let directory = (test.path as NSString).deletingLastPathComponent
    try files.moveItem(atPath: directory, toPath: directory + ".away")
    try files.copyItem(atPath: directory + ".away", toPath: directory)
    defer { try? files.removeItem(atPath: directory + ".away") }
    await assertFails(.ledgerMoved) { try await test.filled(permit) }
  }

  /// Waits until the directory of the ledger has not changed for so long that a later change cannot
  /// look like the last one.
  private func untilQuiet(_ test: TestLedger) throws {
    let directory = (test.path as NSString).deletingLastPathComponent
    let isQuiet = eventually {
      var info = stat()
      guard stat(directory, &info) == 0 else { return false }
      let changed = Double(info.st_ctim.tv_sec) + Double(info.st_ctim.tv_nsec) / 1e9
      return Date().timeIntervalSince1970 - changed > 0.15
    }
    XCTAssertTrue(isQuiet)
  }

  // MARK: Closing

  private func openDescriptors(_ path: String) throws -> [String] {
    try files.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
      try? files.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
    }.filter { $0.hasPrefix(path) }
  }

  /// A closed ledger holds no file open, and every later call says so.
  func testClose_closesTheFileAndRefusesLaterCalls() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .zero)
    let (_, permit) = try await test.admitted()
    XCTAssertFalse(try openDescriptors(test.path).isEmpty)
    await test.ledger.close()
    XCTAssertEqual(try openDescriptors(test.path), [])
    let ledger = test.ledger
    let calls: [() async throws -> Void] = [
      { _ = try await ledger.reserve(.example()) },
      { _ = try await ledger.record(.example()) },
      { _ = try await ledger.fill(permit.trade, token: permit.token) },
      { _ = try await ledger.addBot(BotName("b"), BotSettings(cooldown: .zero)) },
      { _ = try await ledger.check(exampleBot) },
      { _ = try await ledger.status() },
      { _ = try await ledger.audit() },
      { _ = try await ledger.diagnosis() },
      { _ = try await ledger.isLive(permit) },
    ]
    for call in calls {
      let error = await assertFails(.configuration) { try await call() }
      XCTAssertTrue(error?.message.contains("closed") ?? false, "\(error as Any)")
    }
    await test.ledger.close()
    try await test.verify()
  }

  /// A ledger that nobody refers to any more closes its file and ends its thread by itself.
  func testLedger_thatIsDropped_closesItsFile() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .zero)
    await test.ledger.close()
    func threads() throws -> Int { try files.contentsOfDirectory(atPath: "/proc/self/task").count }
    let before = try threads()
    for _ in 0..<20 {
      let ledger = try await test.another()
      _ = try await ledger.check(exampleBot)
    }
    let deadline = ContinuousClock.now + .seconds(10)
    while try !openDescriptors(test.path).isEmpty || threads() > before + 3,
      ContinuousClock.now < deadline
    {
      await Task.yield()
    }
    XCTAssertEqual(try openDescriptors(test.path), [])
    XCTAssertLessThanOrEqual(try threads(), before + 3, "twenty threads were made")
    try await test.verify()
  }
}
