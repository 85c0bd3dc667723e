import Foundation
import SQLite
import XCTest

/// How transactions end, each ending a type.
final class TransactionTests: XCTestCase {
  private struct Refusal: Error, Equatable {}

  func testWrite_committed_isThere() throws {
    let file = try DatabaseFile()
    let connection = try file.prepared()
    let ending = connection.write(wait: .zero) { () throws(SQLiteError) in
      try connection.run("INSERT INTO t VALUES (1, 'x')")
      return .commit("done")
    }
    guard case .committed("done") = ending else { return XCTFail("\(ending)") }
    XCTAssertEqual(try file.open().integers("SELECT a FROM t"), [1])
    XCTAssertFalse(connection.isInTransaction)
  }

  func testWrite_rolledBack_isNotThere() throws {
    let connection = try DatabaseFile().prepared()
    let ending = connection.write(wait: .zero) { () throws(SQLiteError) in
      try connection.run("INSERT INTO t VALUES (1, 'x')")
      return .rollback("no")
    }
    guard case .rolledBack("no") = ending else { return XCTFail("\(ending)") }
    XCTAssertEqual(try connection.integers("SELECT COUNT(*) FROM t"), [0])
    XCTAssertFalse(connection.isInTransaction)
  }

  func testWrite_bodyThatThrows_isRolledBack() throws {
    let connection = try DatabaseFile().prepared()
    let ending: TransactionEnding<Void, any Error> = connection.write(wait: .zero) {
      try connection.run("INSERT INTO t VALUES (1, 'x')")
      throw Refusal()
    }
    guard case .bodyFailed(let error, rollback: nil) = ending else { return XCTFail("\(ending)") }
    XCTAssertTrue(error is Refusal)
    XCTAssertFalse(connection.isInTransaction)
    XCTAssertEqual(try connection.integers("SELECT COUNT(*) FROM t"), [0])
    // The connection goes on.
    let next = connection.write(wait: .zero) { () throws(SQLiteError) in .commit(1) }
    guard case .committed(1) = next else { return XCTFail("\(next)") }
  }

  /// S-03, INV-8: busy after about the limit, by the monotonic clock, and nothing written.
  func testWrite_whileAnotherHoldsTheLock_isNotBegunAfterTheLimit() throws {
    let file = try DatabaseFile()
    let holder = try file.prepared()
    let waiter = try file.open()
    try holder.run("BEGIN IMMEDIATE")
    for limit in [Duration.zero, .milliseconds(50), .milliseconds(400)] {
      let clock = ContinuousClock()
      let begin = clock.now
      let ending = waiter.write(wait: limit) { () throws(SQLiteError) in
        XCTFail("the body ran without the lock")
        return .commit(())
      }
      let waited = clock.now - begin
      guard case .notBegun(let error) = ending else { return XCTFail("\(ending)") }
      XCTAssertTrue(error.isBusy)
      XCTAssertGreaterThanOrEqual(waited, limit)
      XCTAssertLessThan(waited, limit + .seconds(2))
    }
    XCTAssertFalse(waiter.isInTransaction)
    try holder.run("ROLLBACK")
    let ending = waiter.write(wait: .zero) { () throws(SQLiteError) in .commit(2) }
    guard case .committed(2) = ending else { return XCTFail("\(ending)") }
  }

  /// A waiter gets the lock when it becomes free, long before its limit.
  func testWrite_whenTheLockBecomesFree_begins() throws {
    let file = try DatabaseFile()
    let holder = try file.prepared()
    try holder.run("BEGIN IMMEDIATE")
    let started = DispatchSemaphore(value: 0)
    let ended = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      do throws(SQLiteError) {
        let waiter = try file.open()
        // Everything but the lock is ready; the next call waits for it.
        started.signal()
        let ending = waiter.write(wait: .seconds(30)) { () throws(SQLiteError) in
          try waiter.run("INSERT INTO t VALUES (7, 'waited')")
          return .commit(())
        }
        if case .committed = ending { ended.signal() }
      } catch { XCTFail("\(error)") }
    }
    started.wait()
    try holder.run("COMMIT")
    XCTAssertEqual(ended.wait(timeout: .now() + 20), .success)
    XCTAssertEqual(try holder.integers("SELECT a FROM t"), [7])
  }

  /// INV-4: a COMMIT that fails is unknown, whatever the reason, and leaves no transaction open.
  func testWrite_commitThatFails_isUnknown() throws {
    let file = try DatabaseFile()
    let connection = try file.prepared(
      """
      CREATE TABLE p (id INTEGER PRIMARY KEY) STRICT;
      CREATE TABLE c (p INTEGER REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED) STRICT;
      """)
    let ending = connection.write(wait: .zero) { () throws(SQLiteError) in
      try connection.run("INSERT INTO c VALUES (9)")
      return .commit("promised")
    }
    guard case .commitUnknown("promised", let error) = ending else { return XCTFail("\(ending)") }
    XCTAssertTrue(error.isConstraint)
    XCTAssertEqual(error.operation, "COMMIT")
    XCTAssertFalse(connection.isInTransaction)
    let next = connection.write(wait: .zero) { () throws(SQLiteError) in
      .commit(try connection.integers("SELECT COUNT(*) FROM c"))
    }
    guard case .committed([0]) = next else { return XCTFail("\(next)") }
  }

  func testWrite_insideAWrite_isNotBegunAndHarmsNothing() throws {
    let connection = try DatabaseFile().prepared()
    let ending = connection.write(wait: .zero) { () throws(SQLiteError) in
      try connection.run("INSERT INTO t VALUES (1, 'outer')")
      let inner = connection.write(wait: .zero) { () throws(SQLiteError) in
        try connection.run("INSERT INTO t VALUES (2, 'inner')")
        return .commit(())
      }
      guard case .notBegun(let error) = inner else {
        XCTFail("\(inner)")
        return .rollback(())
      }
      XCTAssertFalse(error.isBusy)
      return .commit(())
    }
    guard case .committed = ending else { return XCTFail("\(ending)") }
    XCTAssertEqual(try connection.integers("SELECT a FROM t"), [1])
  }

  /// INV-10: whatever a reading body does, it is not kept.
  func testRead_bodyThatWrites_isNeverKept() throws {
    let file = try DatabaseFile()
    let connection = try file.prepared()
    let ending = connection.read(wait: .zero) { () throws(SQLiteError) in
      try connection.run("INSERT INTO t VALUES (1, 'x')")
      return try connection.integers("SELECT COUNT(*) FROM t")
    }
    guard case .rolledBack([1]) = ending else { return XCTFail("\(ending)") }
    XCTAssertEqual(try connection.integers("SELECT COUNT(*) FROM t"), [0])
    XCTAssertEqual(try file.open().integers("SELECT COUNT(*) FROM t"), [0])
  }

  /// S-22: one snapshot from the beginning to the end, and a writer is not held up.
  func testRead_seesOneSnapshot() throws {
    let file = try DatabaseFile()
    let writer = try file.prepared()
    let reader = try file.open(.reading(keepsLog: true))
    let ending = reader.read(wait: .zero) { () throws(SQLiteError) in
      let before = try reader.integers("SELECT COUNT(*) FROM t")
      _ = writer.write(wait: .zero) { () throws(SQLiteError) in
        try writer.run("INSERT INTO t VALUES (1, 'x')")
        return .commit(())
      }
      return before + (try reader.integers("SELECT COUNT(*) FROM t"))
    }
    guard case .rolledBack([0, 0]) = ending else { return XCTFail("\(ending)") }
    XCTAssertEqual(try reader.integers("SELECT COUNT(*) FROM t"), [1])
  }

  func testRead_bodyThatThrows_leavesNoTransaction() throws {
    let connection = try DatabaseFile().prepared()
    let ending: TransactionEnding<Void, any Error> = connection.read(wait: .zero) {
      _ = try connection.integers("SELECT COUNT(*) FROM t")
      throw Refusal()
    }
    guard case .bodyFailed(_, rollback: nil) = ending else { return XCTFail("\(ending)") }
    XCTAssertFalse(connection.isInTransaction)
  }
}
