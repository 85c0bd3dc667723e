import LedgerTestSupport
import SQLite
import XCTest

@testable import TradeLedger

/// Which files are ledgers, where they may lie, and how they are made.
final class LedgerFileTests: XCTestCase {
  private let directory = TemporaryDirectory()
  private let files = FileManager.default

  private func path(_ component: String) -> String { directory.file(component) }

  private func make(
    _ component: String = "ledger.db", mode: LedgerMode = .live, shared: Bool = false
  ) async throws -> Ledger {
    var options = Ledger.Options()
    options.isGroupShared = shared
    return try await Ledger.create(path(component), mode: mode, options: options)
  }

  private func mode(_ path: String) throws -> Int {
    let attributes = try files.attributesOfItem(atPath: path)
    return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1
  }

  private func makeFile(_ component: String, _ bytes: Data) {
    XCTAssertTrue(
      files.createFile(
        atPath: path(component), contents: bytes, attributes: [.posixPermissions: 0o600]))
  }

  // MARK: Making

  /// 0600, or 0660 where it is shared, whatever the umask; -wal and -shm follow.
  func testCreate_makesPrivateFiles() async throws {
    for mask in [mode_t(0), 0o022, 0o077] {
      for shared in [false, true] {
        let before = umask(mask)
        defer { umask(before) }
        let component = "umask-\(mask)-\(shared).db"
        let ledger = try await make(component, shared: shared)
        for suffix in ["", "-wal", "-shm"] {
          XCTAssertEqual(
            try mode(path(component) + suffix), shared ? 0o660 : 0o600, "\(mask) \(suffix)")
        }
        await ledger.close()
      }
    }
    let left = try files.contentsOfDirectory(atPath: directory.path)
    XCTAssertEqual(left.filter { $0.hasSuffix(".new") }, [], "nothing is left of the making")
  }

  func testCreate_again_opensTheSame() async throws {
    let first = try await make()
    _ = try await first.addBot(exampleBot, BotSettings(cooldown: .seconds(5)))
    let second = try await make()
    XCTAssertEqual(second.mode, .live)
    XCTAssertEqual(second.path, first.path)
    let status = try await second.status()
    XCTAssertEqual(status.bots.map(\.bot.name), [exampleBot])
    await first.close()
    await second.close()
  }

  /// The mode is set once.
  func testCreate_withOtherMode_isRefused() async throws {
    for made in LedgerMode.allCases {
      let ledger = try await make("\(made).db", mode: made)
      for asked in LedgerMode.allCases where asked != made {
        let error = await assertFails(.configuration) {
          try await self.make("\(made).db", mode: asked)
        }
        XCTAssertTrue(error?.message.contains(made.rawValue) ?? false, "\(error as Any)")
      }
      XCTAssertEqual(ledger.mode, made)
      await ledger.close()
    }
  }

  func testCreate_whereNothingCanBeMade_fails() async throws {
    await assertFails(.cannotCreate) { try await self.make("missing/ledger.db") }
    XCTAssertFalse(files.fileExists(atPath: path("missing")))
    symlink(path("nowhere"), path("dangling.db"))
    await assertFails(.cannotCreate) { try await self.make("dangling.db") }
    XCTAssertFalse(files.fileExists(atPath: path("nowhere")), "nothing was made behind the link")
    makeFile("plain", Data())
    await assertFails(.cannotCreate) { try await self.make("plain/ledger.db") }
    await assertFails(.cannotCreate) {
      try await self.make(String(repeating: "n", count: 300) + ".db")
    }
  }

  // MARK: Spelling

  func testOpen_badSpelling_isRefused() async throws {
    for bad in ["", "file:ledger.db", "file:///tmp/ledger.db?mode=memory", "a\0b"] {
      await assertFails(.invalidInput) { try await Ledger.open(bad) }
      await assertFails(.invalidInput) { try await Ledger.create(bad, mode: .live) }
    }
    await assertFails(.noLedger) { try await Ledger.open(self.path("typo.db")) }
    await assertFails(.noLedger) { try await Ledger.open(self.path("missing/typo.db")) }
    await assertFails(.noLedger) { try await Ledger.open("/dev/null/ledger.db") }
    await assertFails(.noLedger) { try await Ledger.open(":memory:") }
    XCTAssertEqual(
      try files.contentsOfDirectory(atPath: directory.path), [], "a typo makes nothing")
  }

  /// S-43: reached through a symlink, a relative path, `//` or `..` it is the same ledger.
  func testOpen_byAnotherSpelling_isTheSameLedger() async throws {
    let ledger = try await make()
    _ = try await ledger.addBot(exampleBot, BotSettings(cooldown: .seconds(900)))
    symlink(path("ledger.db"), path("link.db"))
    symlink("ledger.db", path("relative-link.db"))
    try files.createDirectory(
      atPath: path("sub"), withIntermediateDirectories: false,
      attributes: [.posixPermissions: 0o700])
    symlink(directory.path, path("sub/up"))
    let workingDirectory = files.currentDirectoryPath
    XCTAssertTrue(files.changeCurrentDirectoryPath(directory.path))
    defer { _ = files.changeCurrentDirectoryPath(workingDirectory) }
    let spellings = [
      path("link.db"), path("relative-link.db"), path("sub/up/ledger.db"), path("sub/../ledger.db"),
      directory.path + "//ledger.db", "ledger.db", "./ledger.db", "sub/up/link.db",
    ]
    let admitted = try await ledger.reserve(.example())
    XCTAssertNotNil(admitted.permit)
    for spelling in spellings {
      let other = try await Ledger.open(spelling)
      XCTAssertEqual(other.path, ledger.path, spelling)
      let denied = try await other.reserve(.example())
      guard case .denied(let denial) = denied else { return XCTFail("\(spelling): \(denied)") }
      XCTAssertEqual(denial.reason, .inProgress)
      await other.close()
    }
    await ledger.close()
    try LedgerFileCheck.verify(path("ledger.db"))
  }

  // MARK: Kinds of files

  func testOpen_ofWhatIsNoFile_isRefused() async throws {
    try files.createDirectory(atPath: path("folder"), withIntermediateDirectories: false)
    mkfifo(path("fifo"), 0o600)
    for component in ["folder", "fifo"] {
      symlink(path(component), path("link-to-\(component)"))
      for spelling in [component, "link-to-\(component)"] {
        await assertFails(.notALedger) { try await Ledger.open(self.path(spelling)) }
        await assertFails(.notALedger) { try await self.make(spelling) }
      }
    }
    await assertFails(.notALedger) { try await Ledger.open("/dev/null") }
  }

  /// A second name would be a second log.
  func testOpen_ofHardLinkedFile_isRefused() async throws {
    let ledger = try await make()
    await ledger.close()
    XCTAssertEqual(link(path("ledger.db"), path("second.db")), 0)
    for component in ["ledger.db", "second.db"] {
      let error = await assertFails(.configuration) { try await Ledger.open(self.path(component)) }
      XCTAssertTrue(error?.message.contains("2 hard links") ?? false, "\(error as Any)")
    }
    unlink(path("second.db"))
    let again = try await Ledger.open(path("ledger.db"))
    await again.close()
  }

  /// Something else: refused, untouched to the last byte.
  func testOpen_ofOtherContent_isRefusedUntouched() async throws {
    let text = String(repeating: "bot,trade_id\n", count: 500)
    let strangers: [(String, Data)] = [
      ("text.csv", Data(text.utf8)), ("short", Data([1, 2, 3])),
      ("header", Data("SQLite format 3\0".utf8) + Data(count: 84)),
      ("zeros", Data(count: 8192)), ("empty", Data()),
    ]
    for (component, bytes) in strangers {
      makeFile(component, bytes)
      await assertFails(.notALedger) { try await Ledger.open(self.path(component)) }
      if component != "empty" {
        await assertFails(.notALedger) { try await self.make(component) }
      }
      XCTAssertEqual(files.contents(atPath: path(component)), bytes, component)
    }
  }

  /// Databases of other programs, however much they look like a ledger.
  func testOpen_ofOtherDatabases_isRefusedUntouched() async throws {
    let scripts = [
      "CREATE TABLE trades (id INTEGER PRIMARY KEY);",
      "PRAGMA user_version = 2;", "PRAGMA application_id = 1;",
      "PRAGMA user_version = 2;\nCREATE TABLE ledger (id INTEGER PRIMARY KEY);",
    ]
    for (number, script) in scripts.enumerated() {
      let component = "other-\(number).db"
      makeFile(component, Data())
      try Connection.open(
        path(component), options: OpenOptions(purpose: .writing, wait: .seconds(1))
      ).runScript(script)
      let bytes = files.contents(atPath: path(component))
      await assertFails(.notALedger) { try await Ledger.open(self.path(component)) }
      await assertFails(.notALedger) { try await self.make(component) }
      XCTAssertEqual(files.contents(atPath: path(component)), bytes, script)
    }
  }

  // MARK: Who may write

  func testOpen_whereOthersMayWrite_isRefused() async throws {
    let table: [(file: Int, directory: Int, isAllowed: Bool)] = [
      (0o600, 0o700, true), (0o600, 0o755, true), (0o644, 0o755, true), (0o660, 0o770, true),
      (0o660, 0o700, true), (0o600, 0o770, false), (0o600, 0o777, false), (0o660, 0o777, false),
      (0o666, 0o700, false), (0o602, 0o700, false), (0o600, 0o1777, false), (0o660, 0o2770, true),
    ]
    try files.createDirectory(atPath: path("room"), withIntermediateDirectories: false)
    chmod(path("room"), 0o700)
    let ledger = try await make("room/ledger.db")
    await ledger.close()
    for row in table {
      chmod(path("room/ledger.db"), mode_t(row.file))
      chmod(path("room"), mode_t(row.directory))
      let what = String(row.file, radix: 8) + " in " + String(row.directory, radix: 8)
      do throws(LedgerError) {
        let opened = try await Ledger.open(path("room/ledger.db"))
        XCTAssertTrue(row.isAllowed, what)
        await opened.close()
      } catch {
        XCTAssertFalse(row.isAllowed, "\(what): \(error)")
        XCTAssertEqual(error.code, .configuration, what)
      }
    }
    chmod(path("room"), 0o777)
    await assertFails(.configuration) { try await self.make("room/new.db") }
  }

  // MARK: Clock

  /// A clock of one's own works on a simulation ledger only: the schema of the others refuses it,
  /// and says why.
  func testReserve_withOwnClockOnLiveLedger_isRefusedByTheSchema() async throws {
    for mode in [LedgerMode.live, .paper] {
      let ledger = try await make("\(mode).db", mode: mode)
      _ = try await ledger.addBot(exampleBot, BotSettings(cooldown: .zero))
      await ledger.close()
      var options = Ledger.Options()
      options.clock = ManualClock()
      let wrong = try await Ledger.open(path("\(mode).db"), options: options)
      let error = await assertFails(.internalError) { try await wrong.reserve(.example()) }
      XCTAssertTrue(error?.message.contains("TL103") ?? false, "\(error as Any)")
      XCTAssertTrue(error?.message.contains("clock") ?? false, "\(error as Any)")
      await assertFails(.internalError) { try await wrong.record(.example()) }
      await assertFails(.internalError) {
        try await wrong.changeBot(exampleBot, BotChange(isEnabled: false))
      }
      await wrong.close()
      XCTAssertEqual(
        try LedgerFileCheck.query(path("\(mode).db"), "SELECT COUNT(*) FROM trades"), [["0"]])
      try LedgerFileCheck.verify(path("\(mode).db"))
    }
  }

  /// A whole small life on a live ledger, on the machine's own clocks.
  func testLiveLedger_withTheSystemClock_works() async throws {
    let ledger = try await make()
    _ = try await ledger.addBot(
      exampleBot, BotSettings(cooldown: .milliseconds(1), lease: .milliseconds(50)))
    let outcome = try await ledger.withTrade(.example()) { _ in Fill() }
    guard case .filled(let trade) = outcome else { return XCTFail("\(outcome)") }
    XCTAssertLessThan(abs(trade.createdAt.elapsed(since: SystemClock().now().wall)), .seconds(60))
    let past = try await ledger.record(
      .example(), fill: Fill(at: trade.createdAt.advanced(by: .seconds(-3600))))
    guard case .recorded = past else { return XCTFail("\(past)") }
    await ledger.close()
    try LedgerFileCheck.verify(path("ledger.db"))
  }
}

private func abs(_ duration: Duration) -> Duration {
  duration < .zero ? .zero - duration : duration
}
