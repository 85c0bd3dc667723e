import LedgerTestSupport
import SQLite
import XCTest

@testable import TradeLedger

/// What processes share beside the ledger: queues that give order and no safety, and a board on
/// which one's sync answers for all.
final class SharedAccessTests: XCTestCase {
  private func file(_ test: TestLedger) async -> (device: UInt64, main: UInt64, log: UInt64) {
    await test.ledger.sqlite.openFiles()
  }

  private func board(_ test: TestLedger, log: UInt64? = nil) async throws -> SyncBoard {
    let file = await file(test)
    return try XCTUnwrap(
      SyncBoard(
        ledger: test.path, mode: 0o600, device: file.device, log: log ?? file.log,
        boot: SystemClock().boot()))
  }

  private func gates(_ test: TestLedger) async -> Gates {
    let file = await file(test)
    return Gates(
      device: file.device, inode: file.main, user: getuid(), group: getgid(), isGroupShared: false)
  }

  /// How many syncs one reservation makes.
  private func syncs(_ test: TestLedger) async throws -> Int {
    let before = await test.ledger.sqlite.counters().syncs
    try await test.recorded()
    return await test.ledger.sqlite.counters().syncs - before
  }

  /// An hour ahead: what is committed until then counts as synced.
  private var ahead: BootInstant {
    get throws {
      let now = try XCTUnwrap(SystemClock().boot())
      return BootInstant(bootID: now.bootID, microseconds: now.microseconds + 3_600_000_000)
    }
  }

  /// INV-4: a sync of somebody else that began after a commit answers for it; nothing else does.
  func testCommit_isSynced_unlessASyncThatBeganLaterIsOnTheBoard() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .zero)
    var made = try await syncs(test)
    XCTAssertEqual(made, 1)
    let board = try await board(test)
    board.publish(try ahead)
    made = try await syncs(test)
    XCTAssertEqual(made, 0, "the board works at all")
    board.publish(try XCTUnwrap(SystemClock().boot()))
    made = try await syncs(test)
    XCTAssertEqual(made, 1, "a sync that began before the commit")
    try await test.verify()
  }

  /// A board that is damaged, of another log, truncated, or deleted costs a sync and no answer.
  func testCommit_withABoardThatCannotBeBelieved_isSynced() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .zero)
    let path = test.path + SyncBoard.suffix
    let ahead = try ahead
    let good = try await board(test)
    let foreign = try await board(test, log: 4711)
    let damages: [(String, () throws -> Void)] = [
      ("of another log", { foreign.publish(ahead) }),
      (
        "damaged",
        {
          good.publish(ahead)
          var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
          bytes[8] ^= 1
          let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
          try handle.write(contentsOf: bytes)
          try handle.close()
        }
      ),
      (
        "empty",
        {
          good.publish(ahead, afterRewriting: true)
          XCTAssertEqual(truncate(path, 0), 0)
        }
      ),
    ]
    for (name, damage) in damages {
      try damage()
      let made = try await syncs(test)
      XCTAssertEqual(made, 1, name)
    }
    XCTAssertEqual(unlink(path), 0)
    let made = try await syncs(test)
    XCTAssertEqual(made, 1, "deleted")
    try await test.verify()
  }

  /// INV-4: the error of a disk is told to one process, once. Whoever finds its note writes the log
  /// once more before it answers; nobody's word is believed until then.
  func testCommit_afterAFailureOfAnother_writesTheLogOnceMore() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .zero)
    let board = try await board(test)
    let ahead = try ahead
    board.publishFailure()
    board.publish(ahead)
    let ticks = "SELECT ticks FROM ledger"
    XCTAssertEqual(try test.query(ticks), [["0"]])
    let made = try await syncs(test)
    XCTAssertEqual(made, 1, "the one after the rewriting")
    XCTAssertEqual(try test.query(ticks), [["1"]])
    XCTAssertFalse(board.hasFailure)
    board.publishFailure()
    _ = try await test.ledger.trades()
    XCTAssertTrue(board.hasFailure, "nothing was committed since: what is told is on the disk")
    let other = try await test.another()
    _ = try await other.trades()
    XCTAssertFalse(board.hasFailure, "one who has not seen it on the disk makes sure")
    await other.close()
    try await test.verify()
  }

  /// The row of another process may be committed and not yet on the disk: an answer for good that
  /// names it makes it durable first. A denial that time lifts promises nothing.
  func testReplay_ofAnothersRow_isSyncedBeforeItIsAnswered() async throws {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(60))
    let other = try await test.another()
    let key = try OrderKey("signal-1")
    guard case .admitted(_, let permit) = try await other.reserve(.example(), key: key) else {
      return XCTFail("not admitted")
    }
    let before = await test.ledger.sqlite.counters().syncs
    guard case .denied = try await test.ledger.reserve(.example()) else {
      return XCTFail("not denied")
    }
    var made = await test.ledger.sqlite.counters().syncs - before
    XCTAssertEqual(made, 0, "a denial that time lifts")
    guard case .replayed = try await test.ledger.reserve(.example(), key: key) else {
      return XCTFail("not replayed")
    }
    made = await test.ledger.sqlite.counters().syncs - before
    XCTAssertEqual(made, 1, "the replay")
    _ = try await test.ledger.reserve(.example(), key: key)
    made = await test.ledger.sqlite.counters().syncs - before
    XCTAssertEqual(made, 1, "nothing has changed since")
    _ = try await other.fill(permit.trade, token: permit.token)
    _ = try await test.ledger.fill(permit.trade, token: permit.token)
    made = await test.ledger.sqlite.counters().syncs - before
    XCTAssertEqual(made, 2, "the same fill again")
    await other.close()
    try await test.verify()
  }

  /// A checkpoint that was not made is no reason never to make one again: the log would grow.
  func testCheckpoint_thatWasNotMade_leavesRoomForTheNext() async throws {
    let test = try await TestLedger()
    let canGoOn = await test.ledger.sqlite.canScheduleAfterARefusedCheckpoint()
    XCTAssertTrue(canGoOn)
    try await test.verify()
  }

  /// With `.normal` nothing is synced.
  func testNormalDurability_makesNoSync() async throws {
    let test = try await TestLedger { $0.durability = .normal }
    try await test.addBot(cooldown: .zero)
    let made = try await syncs(test)
    XCTAssertEqual(made, 0)
    try await test.verify()
  }

  /// A holder of the turnstile that stands still, or a set of gates that is removed, costs speed.
  /// The answer comes within the limit all the same.
  func testTurnstile_thatNobodyLeaves_isGonePast() async throws {
    let test = try await TestLedger(lockWait: .seconds(60))
    try await test.addBot(cooldown: .zero)
    var gates = await gates(test)
    XCTAssertTrue(gates.enter(.turnstile))
    XCTAssertTrue(gates.enter(.sync))
    try await test.recorded()
    try await test.recorded()
    gates.leave(.turnstile)
    gates.leave(.sync)
    gates.remove()
    try await test.recorded()
    try await test.verify()
  }

  /// A set that is removed while its turnstile is taken leaves the new set's gates as they are.
  func testTurnstile_ofARemovedSet_isLeftThere() async throws {
    let test = try await TestLedger()
    var gates = await gates(test)
    XCTAssertTrue(gates.enter(.turnstile))
    gates.remove()
    XCTAssertTrue(gates.enter(.sync), "in a new set")
    var other = await self.gates(test)
    XCTAssertTrue(other.enter(.turnstile))
    gates.leave(.turnstile)
    var third = await self.gates(test)
    XCTAssertFalse(third.enter(.turnstile, limit: .zero), "the other one's turn was ended")
    other.leave(.turnstile)
    gates.leave(.sync)
    XCTAssertTrue(third.enter(.turnstile, limit: .zero))
    third.leave(.turnstile)
  }

  /// While the turnstile is taken, whoever comes waits there and not at the lock.
  func testTurnstile_whenTaken_isWaitedAt() async throws {
    let test = try await TestLedger(lockWait: .seconds(60))
    try await test.addBot(cooldown: .zero)
    var gates = await gates(test)
    XCTAssertTrue(gates.enter(.turnstile))
    let recording = Task { _ = try await test.recorded() }
    let deadline = ContinuousClock.now + .seconds(30)
    while !gates.hasQueue(.turnstile), ContinuousClock.now < deadline { await Task.yield() }
    XCTAssertTrue(gates.hasQueue(.turnstile), "it went past the turnstile")
    gates.leave(.turnstile)
    try await recording.value
    try await test.verify()
  }

  /// What root leaves beside somebody's ledger by looking at it is of use to that user.
  func testBoard_thatRootMakes_belongsToTheOwnerOfTheLedger() async throws {
    try XCTSkipIf(geteuid() != 0, "only root can give a file away")
    let test = try await TestLedger()
    await test.ledger.close()
    for suffix in ["-wal", "-shm", SyncBoard.suffix] { unlink(test.path + suffix) }
    XCTAssertEqual(chown(test.path, 65_534, 65_533), 0)
    let reader = try await test.another(.readOnly)
    for suffix in ["-wal", "-shm", SyncBoard.suffix] {
      let info = try XCTUnwrap(NewLedgerFile.status(test.path + suffix), suffix)
      XCTAssertEqual([info.st_uid, info.st_gid], [65_534, 65_533], suffix)
    }
    await reader.close()
  }
}
