import Foundation
import LedgerTestSupport
import TradeLedger
import XCTest

/// S-18: the machine sleeps for ten minutes while a worker has an order under way. Real processes
/// whose clocks, the boot clock too, all go on by ten minutes between two of their instructions.
final class SuspendTests: XCTestCase {
  private let directory = TemporaryDirectory()
  private var path: String { directory.file("ledger.db") }
  private var clockFile: String { directory.file("clock") }
  private var workers: [LedgerWorker] = []

  override func setUpWithError() throws {
    if let reason = FakedClock.unavailable { throw XCTSkip(reason) }
    try setClock("+0")
  }

  /// They end by themselves: a faketime that is killed leaves its shared memory behind.
  override func tearDown() {
    for worker in workers {
      worker.process.closeInput()
      XCTAssertEqual(worker.process.wait(), 0)
    }
  }

  /// Replaced as a whole: a process that looks sees the old time or the new one.
  private func setClock(_ offset: String) throws {
    try Data("\(offset)\n".utf8).write(to: URL(fileURLWithPath: clockFile), options: .atomic)
  }

  private func worker() throws -> LedgerWorker {
    let worker = try LedgerWorker(path, under: FakedClock.asleep(clockFile))
    workers.append(worker)
    XCTAssertEqual(worker.ask("create live"), "ok")
    return worker
  }

  private func trades() throws -> [[String]] {
    try LedgerFileCheck.query(path, "SELECT id, status, late FROM trades ORDER BY id")
  }

  /// S-18: on wake the lease is over; whoever asks is told so by the cooldown; the old holder's fill
  /// is taken and late.
  func testSuspend_withAPendingTrade_endsTheLease() throws {
    let holder = try worker()
    let other = try worker()
    holder.ask("bot b 1h 30s cooldown")
    XCTAssertTrue(holder.ask("trade b").hasPrefix("sending "))
    XCTAssertEqual(other.ask("reserve b"), "denied in_progress 1")
    try setClock("+10m")
    XCTAssertEqual(other.ask("reserve b"), "denied cooldown 1")
    XCTAssertEqual(try trades(), [["1", "in_doubt", "0"]])
    XCTAssertEqual(holder.ask("ok"), "filled 1 late")
    XCTAssertEqual(try trades(), [["1", "filled", "1"]])
    XCTAssertEqual(other.ask("reserve b"), "denied cooldown 1")
    // Fifty minutes after the late fill nothing is open yet; an hour after it the next one is.
    try setClock("+60m")
    XCTAssertEqual(other.ask("reserve b"), "denied cooldown 1")
    try setClock("+71m")
    XCTAssertTrue(other.ask("reserve b").hasPrefix("admitted 2 "))
    try LedgerFileCheck.verify(path)
  }

  /// S-18: the holder wakes up first, before anybody has looked: late all the same.
  func testSuspend_holderWakesFirst_fillIsLate() throws {
    let holder = try worker()
    holder.ask("bot b 1h 30s cooldown")
    XCTAssertTrue(holder.ask("trade b").hasPrefix("sending "))
    try setClock("+10m")
    XCTAssertEqual(holder.ask("ok"), "filled 1 late")
    XCTAssertEqual(try trades(), [["1", "filled", "1"]])
    try LedgerFileCheck.verify(path)
  }

  /// S-08 and S-18: asleep beyond lease and cooldown. Another is admitted on wake, the old fill is
  /// recorded late, and the audit shows that the two overlapped.
  func testSuspend_beyondTheCooldown_bothAreOnRecord() throws {
    let holder = try worker()
    let other = try worker()
    holder.ask("bot b 1m 30s cooldown")
    XCTAssertTrue(holder.ask("trade b").hasPrefix("sending "))
    try setClock("+10m")
    XCTAssertTrue(other.ask("reserve b").hasPrefix("admitted 2 "))
    XCTAssertEqual(holder.ask("ok"), "filled 1 late")
    let audit = BuiltBinary.run(["--db", path, "audit", "--exit-zero"])
    XCTAssertEqual(audit.status, 0, audit.stderr)
    for finding in ["late-fill", "overlap"] {
      XCTAssertTrue(audit.stdout.contains(finding), "\(finding) is missing:\n\(audit.stdout)")
    }
  }

  /// S-18: asleep within the lease: nothing is late, because nothing was.
  func testSuspend_withinTheLease_changesNothing() throws {
    let holder = try worker()
    let other = try worker()
    holder.ask("bot b 1h 30m cooldown")
    XCTAssertTrue(holder.ask("trade b").hasPrefix("sending "))
    try setClock("+10m")
    XCTAssertEqual(other.ask("reserve b"), "denied in_progress 1")
    XCTAssertEqual(holder.ask("ok"), "filled 1 ontime")
  }
}
