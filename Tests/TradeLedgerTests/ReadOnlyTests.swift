import LedgerTestSupport
import SQLite
import XCTest

@testable import TradeLedger

/// INV-10: looking changes no row and no byte of the main file, leaves nothing behind, and can
/// trade nothing.
final class ReadOnlyTests: XCTestCase {
  private let files = FileManager.default

  /// What lies in the directory, byte for byte; of the shared memory only that it is there.
  private func snapshot(_ test: TestLedger) throws -> [String: Data] {
    var result: [String: Data] = [:]
    for name in try files.contentsOfDirectory(atPath: test.directory.path) {
      result[name] =
        name.hasSuffix("-shm") ? Data() : files.contents(atPath: test.directory.file(name))
    }
    return result
  }

  /// A ledger with some trades that nobody has open.
  private func used() async throws -> TestLedger {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(60))
    try await test.recorded()
    test.clock.advance(.seconds(60))
    let (_, permit) = try await test.admitted()
    try await test.voided(permit)
    _ = try await test.admitted()
    test.clock.advance(.seconds(31))
    await test.ledger.close()
    return test
  }

  /// As after the last foreign client has left: the log is copied into the file and gone.
  private func withoutLog() async throws -> TestLedger {
    let test = try await used()
    // The write lock is free and nobody reads: this copies everything and empties the log.
    let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)"
    _ = try test.foreignClient().firstRow(checkpoint) { row throws(SQLiteError) in row.count }
    _ = try Connection.open(
      test.path, options: OpenOptions(purpose: .reading(keepsLog: false), wait: .seconds(1))
    ).pragmaInteger("user_version")
    let left = try files.contentsOfDirectory(atPath: test.directory.path).sorted()
    XCTAssertEqual(left, ["ledger.db", "ledger.db-synced"])
    return test
  }

  private func lookAtEverything(_ ledger: Ledger) async throws {
    let status = try await ledger.status()
    XCTAssertEqual(status.trades, 3)
    XCTAssertEqual(status.bots[0].inDoubt.map(\.id.value), [3])
    _ = try await ledger.check(exampleBot)
    let page = try await ledger.trades()
    XCTAssertEqual(page.total, 3)
    _ = try await ledger.trade(.id(TradeID(1)))
    let report = try await ledger.audit()
    XCTAssertEqual(report.examined, 3)
    let diagnosis = try await ledger.diagnosis()
    XCTAssertEqual(diagnosis.integrity, "ok")
  }

  func testReading_ofLedgerWithoutLog_leavesNothingBehind() async throws {
    let test = try await withoutLog()
    let before = try snapshot(test)
    for _ in 0..<2 {
      let reader = try await test.another(.readOnly)
      try await lookAtEverything(reader)
      await reader.close()
      XCTAssertEqual(try snapshot(test), before)
    }
    try LedgerFileCheck.verify(test.path)
  }

  func testReading_ofLedgerWithLog_leavesItAsItIs() async throws {
    let test = try await used()
    let before = try snapshot(test)
    XCTAssertGreaterThan(before["ledger.db-wal"]?.count ?? 0, 0, "the trades are in the log")
    for _ in 0..<2 {
      let reader = try await test.another(.readOnly)
      try await lookAtEverything(reader)
      await reader.close()
      XCTAssertEqual(try snapshot(test), before)
    }
    try await test.verify()
  }

  /// A writer comes and goes while somebody looks who found no log. The reader leaves last, and
  /// still changes no byte.
  func testReading_whileAWriterComesAndGoes_changesNothing() async throws {
    let test = try await withoutLog()
    let reader = try await test.another(.readOnly)
    try await lookAtEverything(reader)
    let writer = try await test.another()
    test.clock.advance(.seconds(60))
    guard case .recorded = try await writer.record(.example()) else { return XCTFail("denied") }
    await writer.close()
    let before = try snapshot(test)
    let seen = try await reader.status()
    XCTAssertEqual(seen.trades, 4)
    await reader.close()
    let after = try snapshot(test)
    XCTAssertEqual(after["ledger.db"], before["ledger.db"], "the main file was written to")
    XCTAssertEqual(after["ledger.db-wal"], before["ledger.db-wal"])
    XCTAssertEqual(try test.query("SELECT COUNT(*) FROM trades"), [["4"]])
    try LedgerFileCheck.verify(test.path)
  }

  /// Every call that could write is refused, before anything is asked of the file.
  func testReadOnlyLedger_canTradeNothing() async throws {
    let test = try await used()
    let before = try snapshot(test)
    let ledger = try await test.another(.readOnly)
    let calls: [() async throws -> Void] = [
      { _ = try await ledger.reserve(.example()) },
      { _ = try await ledger.record(.example()) },
      { _ = try await ledger.record(.example(), fill: Fill(at: test.now())) },
      { _ = try await ledger.fill(TradeID(3), token: .random()) },
      { _ = try await ledger.void(TradeID(3), token: .random(), reason: "x") },
      { _ = try await ledger.resolve(.id(TradeID(3)), fill: nil, reason: "x") },
      { _ = try await ledger.addBot(BotName("b"), BotSettings(cooldown: .zero)) },
      { _ = try await ledger.changeBot(exampleBot, BotChange(isEnabled: false)) },
      {
        _ = try await ledger.withTrade(.example()) { _ in
          XCTFail("sent by a reader")
          return Fill()
        }
      },
    ]
    for call in calls {
      let error = await assertFails(.configuration) { try await call() }
      XCTAssertTrue(error?.message.contains("for reading") ?? false, "\(error as Any)")
    }
    await ledger.close()
    XCTAssertEqual(try snapshot(test), before)
    try await test.verify()
  }

  /// Looking through a ledger that may write writes nothing either.
  func testLooking_throughAWritableLedger_changesNoByte() async throws {
    let test = try await used()
    let ledger = try await test.another()
    let before = try snapshot(test)
    try await lookAtEverything(ledger)
    XCTAssertEqual(try snapshot(test), before)
    await ledger.close()
    XCTAssertEqual(try snapshot(test), before)
    try await test.verify()
  }

  /// A denial writes nothing, and burns nothing.
  func testDenial_changesNoByte() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(60))
    try await test.recorded()
    let before = try snapshot(test)
    for _ in 0..<3 { _ = try await test.denied() }
    XCTAssertEqual(try snapshot(test), before)
    try await test.verify()
  }
}
