import LedgerTestSupport
import TradeLedger
import XCTest

/// A lock that is not given up.
class LockTests: PlacedTestCase {
  fileprivate var path = ""

  override func setUp() async throws {
    path = try newPlace()
    XCTAssertEqual(try LedgerWorker(path).ask("create live"), "ok")
  }

  fileprivate func worker(wait: String) throws -> LedgerWorker {
    let worker = try LedgerWorker(path, wait: wait)
    XCTAssertEqual(worker.ask("open"), "ok")
    worker.ask("bot b 0s 30s cooldown")
    return worker
  }

  private func count() throws -> String {
    try LedgerCheck.query(path, "SELECT COUNT(*) FROM trades")[0][0]
  }

  /// A foreign client that takes the lock, of the file or of the bot, and keeps it until its input
  /// ends.
  fileprivate func lockHolder() throws -> ChildProcess {
    let python = """
      import sqlite3, sys
      db = sqlite3.connect(sys.argv[1], isolation_level=None)
      db.execute('BEGIN IMMEDIATE')
      print('held', flush=True)
      sys.stdin.readline()
      """
    let shell = """
      BEGIN; SELECT 'held' FROM tradeledger.bots WHERE name = 'b' FOR UPDATE;

      """
    let holder =
      Self.isOnServer
      ? try ChildProcess("psql", ["-XqAt", path])
      : try ChildProcess("python3", ["-c", python, path])
    if Self.isOnServer { holder.write(shell) }
    XCTAssertEqual(holder.readLine(), "held", holder.standardError)
    return holder
  }

  /// S-03: a process, here a stopped one, holds the write lock longer than the limit. The answer
  /// is busy after about the limit, names the holder of a file, and nothing was written. INV-8.
  func testReserve_whileTheLockIsHeld_isBusyAfterTheLimit() throws {
    let worker = try worker(wait: "400ms")
    let holder = try lockHolder()
    holder.signal(SIGSTOP)
    let start = LedgerWorker.bootNow()
    let answer = worker.ask("reserve b key-1")
    let waited = LedgerWorker.bootNow() - start
    XCTAssertTrue(answer.hasPrefix("error busy safe "), answer)
    if !Self.isOnServer {
      XCTAssertTrue(answer.contains("pid \(holder.pid) (write lock"), answer)
    }
    XCTAssertGreaterThanOrEqual(waited, 400_000)
    XCTAssertLessThan(waited, 5_000_000, "the wait is bounded by the limit")
    XCTAssertEqual(try count(), "0")
    holder.signal(SIGCONT)
    holder.closeInput()
    XCTAssertEqual(holder.wait(), 0)
    XCTAssertTrue(worker.ask("reserve b key-1").hasPrefix("admitted 1 "), "safe to repeat")
    try LedgerCheck.verify(path)
  }

  /// INV-8: the limit counts from the call. Sixteen callers of one process that stand in line while
  /// the lock is held all get their answer at about the limit, not one limit after another.
  func testReserve_byManyCallersWhileTheLockIsHeld_allEndAtTheLimit() throws {
    let worker = try worker(wait: "500ms")
    let holder = try lockHolder()
    let start = LedgerWorker.bootNow()
    let answers = worker.ask("crowd 16 b").split(separator: "|")
    let waited = LedgerWorker.bootNow() - start
    XCTAssertEqual(answers.count, 16)
    for answer in answers { XCTAssertTrue(answer.hasPrefix("error no answer within"), "\(answer)") }
    XCTAssertGreaterThanOrEqual(waited, 500_000)
    XCTAssertLessThan(waited, 8 * 500_000, "sixteen limits would be 8 s")
    holder.closeInput()
    XCTAssertEqual(holder.wait(), 0)
    XCTAssertEqual(try count(), "0")
  }
}

#if PostgreSQL
  /// The same on a server.
  final class PostgreSQLLockTests: LockTests {
    override class var engine: Engine { .server }

    /// S-23 and INV-9: while somebody keeps the lock of one bot, and a process waits for it, the
    /// others trade.
    func testReserve_ofAnotherBot_doesNotWait() throws {
      let waiting = try worker(wait: "20s")
      let other = try worker(wait: "2s")
      other.ask("bot c 0s 30s cooldown")
      let holder = try lockHolder()
      waiting.send("reserve b")
      let waiters = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted"
      XCTAssertTrue(try eventually { try LedgerCheck.query(path, waiters) != [["0"]] })
      for _ in 0..<20 {
        let answer = other.ask("record c")
        guard answer.hasPrefix("recorded ") else { return XCTFail(answer) }
      }
      XCTAssertNotEqual(try LedgerCheck.query(path, waiters), [["0"]], "it did not wait")
      holder.closeInput()
      XCTAssertEqual(holder.wait(), 0)
      XCTAssertTrue(waiting.answer().hasPrefix("admitted "))
    }
  }
#endif
