import Foundation
import SQLite
import Synchronization
import XCTest

/// The write-ahead log: switched on by many at once, copied under the write lock.
final class LogTests: XCTestCase {
  /// S-24: SQLite does not wait here by itself; the module does.
  func testSwitchToWAL_byManyThreadsAtOnce_succeedsForAll() throws {
    for round in 0..<10 {
      let file = try DatabaseFile()
      let failures = Mutex<[String]>([])
      let barrier = Barrier(8)
      let group = DispatchGroup()
      for _ in 0..<8 {
        group.enter()
        Thread.detachNewThread {
          defer { group.leave() }
          barrier.wait()
          do throws(SQLiteError) {
            let connection = try file.open()
            try connection.switchToWAL(wait: .seconds(10))
            if try connection.pragmaText("journal_mode") != "wal" {
              failures.withLock { $0.append("not wal") }
            }
          } catch {
            failures.withLock { $0.append("\(error)") }
          }
        }
      }
      group.wait()
      XCTAssertEqual(failures.withLock { $0 }, [], "round \(round)")
    }
  }

  func testSwitchToWAL_againstALock_givesUpAfterTheLimit() throws {
    let file = try DatabaseFile()
    let holder = try file.open()
    try holder.run("BEGIN IMMEDIATE")
    let other = try file.open()
    let clock = ContinuousClock()
    let begin = clock.now
    let refused = failure { () throws(SQLiteError) in
      try other.switchToWAL(wait: .milliseconds(200))
    }
    XCTAssertEqual(refused?.isBusy, true)
    XCTAssertGreaterThanOrEqual(clock.now - begin, .milliseconds(200))
    XCTAssertLessThan(clock.now - begin, .seconds(5))
  }

  private func fill(_ connection: Connection, _ count: Int) {
    for number in 0..<count {
      let ending = connection.write(wait: .seconds(5)) { () throws(SQLiteError) in
        try connection.run("INSERT INTO t VALUES (?1, 'x')", [.integer(Int64(number))])
        return .commit(())
      }
      guard case .committed = ending else { return XCTFail("\(ending)") }
    }
  }

  func testCheckpoint_copiesEveryFrame() throws {
    let file = try DatabaseFile()
    let connection = try file.prepared()
    let helper = try file.open()
    fill(connection, 20)
    let frames = connection.counters.walFrames
    XCTAssertGreaterThanOrEqual(frames, 20)
    let ending = connection.checkpoint(helper: helper, wait: .seconds(5))
    guard case .rolledBack(let result) = ending else { return XCTFail("\(ending)") }
    XCTAssertEqual(result.frames, frames)
    XCTAssertEqual(result.copied, frames)
    XCTAssertFalse(connection.isInTransaction)
    // The log begins anew: the next commit writes at its start.
    fill(connection, 1)
    XCTAssertLessThan(connection.counters.walFrames, frames)
    XCTAssertEqual(try connection.texts("PRAGMA integrity_check"), ["ok"])
  }

  /// S-58: a reader keeps frames from being copied; that is told, not hidden.
  func testCheckpoint_underAReader_tellsThatFramesArePinned() throws {
    let file = try DatabaseFile()
    let connection = try file.prepared()
    let helper = try file.open()
    let reader = try file.open(.reading(keepsLog: true))
    fill(connection, 5)
    let ending = reader.read(wait: .zero) { () throws(SQLiteError) in
      _ = try reader.integers("SELECT COUNT(*) FROM t")
      fill(connection, 5)
      let pinned = connection.checkpoint(helper: helper, wait: .seconds(5))
      guard case .rolledBack(let result) = pinned else {
        XCTFail("\(pinned)")
        return
      }
      XCTAssertEqual(result.frames, connection.counters.walFrames)
      XCTAssertLessThan(result.copied, result.frames)
    }
    guard case .rolledBack = ending else { return XCTFail("\(ending)") }
    let free = connection.checkpoint(helper: helper, wait: .seconds(5))
    guard case .rolledBack(let result) = free else { return XCTFail("\(free)") }
    XCTAssertEqual(result.copied, result.frames)
  }

  /// The race that SQLite before 3.51.3 loses needs a checkpoint without the write lock.
  func testCheckpoint_againstALock_isNotBegun() throws {
    let file = try DatabaseFile()
    let connection = try file.prepared()
    let helper = try file.open()
    let holder = try file.open()
    fill(connection, 3)
    try holder.run("BEGIN IMMEDIATE")
    let ending = connection.checkpoint(helper: helper, wait: .milliseconds(50))
    guard case .notBegun(let error) = ending else { return XCTFail("\(ending)") }
    XCTAssertTrue(error.isBusy)
  }

  /// No automatic checkpoint, however long the log grows.
  func testLog_growsUntilItIsCopied() throws {
    let file = try DatabaseFile()
    let connection = try file.prepared()
    fill(connection, 1)
    try connection.run("PRAGMA synchronous = 1")  // a thousand commits, none of which must survive
    fill(connection, 1_100)
    XCTAssertGreaterThan(connection.counters.walFrames, 1_100)
  }
}

/// Lets threads go on together.
private final class Barrier: Sendable {
  private let count: Int
  private let condition = NSCondition()
  private let arrived = Mutex(0)

  init(_ count: Int) { self.count = count }

  func wait() {
    condition.lock()
    defer { condition.unlock() }
    arrived.withLock { $0 += 1 }
    condition.broadcast()
    while arrived.withLock({ $0 }) < count { condition.wait() }
  }
}
