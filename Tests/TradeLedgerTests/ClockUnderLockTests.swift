import LedgerTestSupport
import SQLite
import XCTest

@testable import TradeLedger

/// The clock is read after the write lock is held, never before the wait for it: a row that carried
/// the time before the wait would open the next cooldown too early (INV-1).
final class ClockUnderLockTests: XCTestCase {
  func testReserve_afterAWaitForTheLock_carriesTheTimeUnderTheLock() async throws {
    let test = try await TestLedger(lockWait: .seconds(60))
    try await test.addBot()
    let start = test.clock.now().wall
    let trade = try await waiting(test, for: .seconds(10)) {
      guard case .admitted(let trade, _) = try await test.ledger.reserve(.example()) else {
        throw NotAdmitted()
      }
      return trade
    }
    XCTAssertEqual(trade.createdAt, start.advanced(by: .seconds(10)))
    try await test.verify()
  }

  func testFill_afterAWaitForTheLock_carriesTheTimeUnderTheLock() async throws {
    let test = try await TestLedger(lockWait: .seconds(60))
    try await test.addBot()
    let (reserved, permit) = try await test.admitted()
    let trade = try await waiting(test, for: .seconds(10)) {
      guard
        case .settled(let trade) = try await test.ledger.fill(reserved.id, token: permit.token)
      else { throw NotAdmitted() }
      return trade
    }
    XCTAssertEqual(trade.filledAt, reserved.createdAt.advanced(by: .seconds(10)))
    try await test.verify()
  }

  /// A cooldown that is over only by the time the lock is had: admitted, by that time.
  func testReserve_whoseCooldownEndsDuringTheWait_isJudgedUnderTheLock() async throws {
    let test = try await TestLedger(lockWait: .seconds(60))
    try await test.addBot(cooldown: .seconds(60), lease: .seconds(1))
    let first = try await test.admitted().0
    test.clock.advance(.seconds(60))
    let second = try await waiting(test, for: .seconds(5)) {
      guard case .admitted(let trade, _) = try await test.ledger.reserve(.example()) else {
        throw NotAdmitted()
      }
      return trade
    }
    XCTAssertEqual(second.createdAt, first.createdAt.advanced(by: .seconds(65)))
    try await test.verify()
  }

  private struct NotAdmitted: Error {}

  /// Starts `operation` while somebody holds the write lock, lets `interval` pass once it waits for
  /// the lock, and then frees it.
  private func waiting<T: Sendable>(
    _ test: TestLedger, for interval: Duration,
    _ operation: @escaping @Sendable () async throws -> T
  ) async throws -> T {
    let isWaiting = Signal()
    let recorder = StatementRecorder { if $0 == "BEGIN IMMEDIATE" { isWaiting.fire() } }
    await test.ledger.sqlite.record(in: recorder)
    let holder = try test.foreignClient()
    try holder.run("BEGIN IMMEDIATE")
    let running = Task { try await operation() }
    await isWaiting.wait()
    test.clock.advance(interval)
    try holder.run("ROLLBACK")
    return try await running.value
  }
}
