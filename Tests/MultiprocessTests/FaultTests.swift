import Foundation
import LedgerTestSupport
import TradeLedger
import XCTest

/// A disk that fails, a disk that is full.
final class FaultTests: XCTestCase {
  private var directory = TemporaryDirectory()
  private var path: String { directory.file("ledger.db") }

  override func setUp() async throws {
    directory = TemporaryDirectory()
    XCTAssertEqual(try LedgerWorker(path).ask("create live"), "ok")
  }

  private func worker(_ file: String? = nil, wait: String = "10s") throws -> LedgerWorker {
    let worker = try LedgerWorker(file ?? path, wait: wait)
    XCTAssertEqual(worker.ask("open"), "ok")
    return worker
  }

  private func count(_ path: String? = nil) throws -> String {
    try LedgerFileCheck.query(path ?? self.path, "SELECT COUNT(*) FROM trades")[0][0]
  }

  /// The cost that is promised: one fsync for an admission and for a settlement, none for a denial
  /// or a look.
  func testOperations_makeThePromisedNumberOfSyncs() throws {
    try XCTSkipIf(SystemCallFaults.unavailable != nil, SystemCallFaults.unavailable ?? "")
    let worker = try worker()
    worker.ask("bot b 15m 30s cooldown")
    var token = ""
    let steps: [(String, Int)] = [
      ("reserve b", 1), ("reserve b", 0), ("check b", 0), ("fill 1 %", 1), ("fill 1 %", 0),
      ("reserve b", 0), ("record b", 0), ("bot c 0s 1s cooldown", 1), ("record c", 1),
    ]
    for (command, expected) in steps {
      let trace = try SystemCallFaults(pid: worker.pid, counting: "fdatasync,fsync", in: directory)
      let answer = worker.ask(command.replacingOccurrences(of: "%", with: token))
      XCTAssertFalse(answer.hasPrefix("error"), "\(command): \(answer)")
      trace.stop()
      XCTAssertEqual(trace.count("fdatasync(") + trace.count("fsync("), expected, command)
      if answer.hasPrefix("admitted") { token = String(answer.split(separator: " ")[2]) }
    }
  }

  /// INV-4: the sync after a COMMIT fails once. The system counts the pages that it could not write
  /// as clean, so that syncing again would prove nothing: the log is written once more, and only
  /// then is the answer given. It stands after the process has died.
  func testReserve_whenItsSyncFailsOnce_isWrittenOnceMoreAndAnswered() throws {
    try XCTSkipIf(SystemCallFaults.unavailable != nil, SystemCallFaults.unavailable ?? "")
    let worker = try worker()
    worker.ask("bot b 15m 30s cooldown")
    let log = try XCTUnwrap(
      FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int)
    let faults = try SystemCallFaults(
      pid: worker.pid, fault: "fdatasync:error=EIO:when=1", tracing: "pwrite64", in: directory)
    let answer = worker.ask("reserve b key-1 token-of-the-caller")
    faults.stop()
    XCTAssertEqual(faults.injectedCount, 1, "the fault must have happened")
    XCTAssertEqual(answer, "admitted 1 token-of-the-caller")
    XCTAssertGreaterThan(log, 0)
    XCTAssertGreaterThanOrEqual(
      rewrittenBytes(faults.trace), log, "all that could not be synced is written once more")
    worker.process.signal(SIGKILL)
    _ = worker.process.wait()
    XCTAssertEqual(try count(), "1")
    XCTAssertEqual(
      try self.worker().ask("reserve b key-1 token-of-the-caller"),
      "replayed 1 token-of-the-caller pending")
    let ticks = try LedgerFileCheck.query(path, "SELECT ticks FROM ledger")
    XCTAssertEqual(ticks, [["1"]], "one more transaction made it final")
    try LedgerFileCheck.verify(path)
  }

  /// How far the log was written from its first byte on, between the sync that failed and the next.
  private func rewrittenBytes(_ trace: String) -> Int {
    let calls = trace.split(separator: "\n")
    let later = calls.drop { !$0.contains("(INJECTED)") }.dropFirst()
    var end = 0
    for call in later.prefix(while: { !$0.contains("fdatasync(") }) where call.contains("-wal>") {
      let write = call.firstMatch(of: /, (\d+), (\d+)\) = \d+$/)
      if let write, Int(write.2) == end, let count = Int(write.1) { end += count }
    }
    return end
  }

  /// INV-4: the COMMIT itself fails, in the middle of its frames. They would come back if a later
  /// commit did not take their place; it is final that nothing was written.
  func testReserve_whenCommitFailsOnce_isFinallyNotWritten() throws {
    try XCTSkipIf(SystemCallFaults.unavailable != nil, SystemCallFaults.unavailable ?? "")
    let worker = try worker()
    worker.ask("bot b 15m 30s cooldown")
    let faults = try SystemCallFaults(
      pid: worker.pid, fault: "pwrite64:error=EIO:when=3", in: directory)
    let answer = worker.ask("reserve b key-1 token-of-the-caller")
    faults.stop()
    XCTAssertEqual(faults.injectedCount, 1, "the fault must have happened")
    XCTAssertTrue(answer.hasPrefix("error io safe nothing was written"), answer)
    XCTAssertEqual(try count(), "0")
    worker.process.signal(SIGKILL)
    _ = worker.process.wait()
    let other = try self.worker()
    XCTAssertEqual(try count(), "0", "what was final stays final after the process has died")
    XCTAssertEqual(
      other.ask("reserve b key-1 token-of-the-caller"), "admitted 1 token-of-the-caller")
    try LedgerFileCheck.verify(path)
  }

  /// INV-4: every fdatasync fails. The outcome is unknown and says so; the process answers nothing
  /// more; whichever way it came out, the key names at most one order.
  func testReserve_whenEveryCommitFails_isUnknown() throws {
    try XCTSkipIf(SystemCallFaults.unavailable != nil, SystemCallFaults.unavailable ?? "")
    let worker = try worker()
    worker.ask("bot b 15m 30s cooldown")
    let faults = try SystemCallFaults(
      pid: worker.pid, fault: "fdatasync:error=EIO:when=1+", in: directory)
    let answer = worker.ask("reserve b key-1 token-of-the-caller")
    XCTAssertTrue(answer.hasPrefix("error outcome_unknown check_first "), answer)
    XCTAssertGreaterThanOrEqual(faults.injectedCount, 2)
    XCTAssertTrue(
      worker.ask("reserve b key-2").hasPrefix("error outcome_unknown "),
      "no later answer stands on a log that may end in unknown frames")
    faults.stop()
    worker.process.signal(SIGKILL)
    _ = worker.process.wait()
    let other = try self.worker()
    let again = other.ask("reserve b key-1 token-of-the-caller")
    let isLegal =
      again == "admitted 1 token-of-the-caller"
      || again == "replayed 1 token-of-the-caller pending"
    XCTAssertTrue(isLegal, again)
    XCTAssertEqual(other.ask("reserve b key-1 - 7"), "denied key_conflict 1")
    XCTAssertEqual(try count(), "1")
    try LedgerFileCheck.verify(path)
  }

  /// S-04: an I/O error at the second phase. The row stands and counts, and the caller learns that
  /// the order was sent and must be looked up; later the same fill is taken.
  func testFill_whenCommitFails_keepsThePendingRow() throws {
    try XCTSkipIf(SystemCallFaults.unavailable != nil, SystemCallFaults.unavailable ?? "")
    let worker = try worker()
    worker.ask("bot b 15m 30s cooldown")
    XCTAssertTrue(worker.ask("trade b").hasPrefix("sending "))
    let faults = try SystemCallFaults(
      pid: worker.pid, fault: "pwrite64:error=EIO:when=1", in: directory)
    let answer = worker.ask("ok")
    faults.stop()
    XCTAssertEqual(faults.injectedCount, 1)
    XCTAssertTrue(answer.hasPrefix("error io check_first the order was sent"), answer)
    let rows = try LedgerFileCheck.query(path, "SELECT status, token FROM trades")
    XCTAssertEqual(rows[0][0], "pending")
    XCTAssertEqual(try self.worker().ask("reserve b"), "denied in_progress 1")
    XCTAssertEqual(worker.ask("fill 1 \(rows[0][1])"), "settled filled ontime")
    try LedgerFileCheck.verify(path)
  }

  /// S-04, S-52: a disk that is really full at the second phase: the caller is told to check, the
  /// row stands, and the same process goes on when there is room.
  func testFill_onAFullDisk_losesNothing() throws {
    let mount = directory.file("small")
    try FileManager.default.createDirectory(
      atPath: mount, withIntermediateDirectories: false,
      attributes: [.posixPermissions: 0o700])
    let mounted = BuiltBinary.run(
      "mount", ["-t", "tmpfs", "-o", "size=1200k,mode=700", "tmpfs", mount])
    try XCTSkipIf(mounted.status != 0, "no right to mount a small disk: \(mounted.stderr)")
    defer { _ = BuiltBinary.run("umount", ["-l", mount]) }
    let file = mount + "/ledger.db"
    let worker = try LedgerWorker(file)
    XCTAssertEqual(worker.ask("create live"), "ok")
    worker.ask("bot b 15m 30s cooldown")
    worker.ask("bot other 15m 30s cooldown")
    let words = worker.ask("reserve b").split(separator: " ")
    XCTAssertEqual(words.first, "admitted")
    let ballast = mount + "/ballast"
    _ = BuiltBinary.run("dd", ["if=/dev/zero", "of=\(ballast)", "bs=4k", "count=1000"])
    var answer = worker.ask("fill 1 \(words[2])")
    // The log may have room for a few more frames.
    for round in 0..<200 where !answer.hasPrefix("error") {
      answer = worker.ask("bot filler-\(round) 1s 1s cooldown")
    }
    // The commit that makes the outcome final is smaller, and may still find room.
    let isHonest =
      answer.hasPrefix("error outcome_unknown check_first ")
      || answer.hasPrefix("error io safe nothing was written")
    XCTAssertTrue(isHonest && answer.contains("disk is full"), answer)
    XCTAssertEqual(try LedgerFileCheck.query(file, "SELECT COUNT(*) FROM trades"), [["1"]])
    let refused = worker.ask("reserve b key-2")
    // A refusal needs no room; but nothing is answered while an outcome is not final.
    let isFinal = !answer.hasPrefix("error outcome_unknown")
    XCTAssertTrue(
      refused.hasPrefix(isFinal ? "denied " : "error outcome_unknown check_first "), refused)
    let early = try LedgerWorker(file)
    XCTAssertEqual(early.ask("open"), "ok")
    let unbegun = early.ask("reserve other")
    XCTAssertTrue(unbegun.hasPrefix("error io safe less than"), unbegun)
    try FileManager.default.removeItem(atPath: ballast)
    let settled = worker.ask("fill 1 \(words[2])")
    XCTAssertTrue(["settled filled ontime", "replayed filled"].contains(settled), settled)
    try LedgerFileCheck.verify(file)
  }

  /// kill -9 at each single system call that a reserve makes on the ledger's files: whatever the
  /// point, the file is sound, an answer that was given is in it, and there is at most one row.
  func testReserve_killedAtEachSystemCall_isLegal() throws {
    try XCTSkipIf(SystemCallFaults.unavailable != nil, SystemCallFaults.unavailable ?? "")
    let setup = try worker()
    setup.ask("bot b 15m 30s cooldown")
    setup.process.closeInput()
    XCTAssertEqual(setup.process.wait(), 0)
    var rows: Set<String> = []
    var points = 0
    var isComplete = false
    for point in 1...400 where !isComplete {
      let copy = directory.file("copy-\(point).db")
      for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: path + suffix)
      {
        try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix)
      }
      let trace =
        ["strace", "-f", "-qq", "-o", "/dev/null"]
        + ["", "-wal", "-shm"].flatMap { ["-P", copy + $0] }
        + ["-e", "inject=all:signal=KILL:when=\(point)"]
      let victim = try LedgerWorker(copy, under: trace)
      let opened = victim.ask("open")
      let answer = opened == "ok" ? victim.ask("reserve b key-1") : ""
      victim.process.closeInput()
      isComplete = victim.process.wait() == 0
      points += 1
      let found = try count(copy)
      rows.insert(found)
      if answer.hasPrefix("admitted") { XCTAssertEqual(found, "1", "point \(point)") }
      XCTAssertTrue(["0", "1"].contains(found), "point \(point): \(found) rows")
      let again = try worker(copy).ask("reserve b key-1")
      XCTAssertEqual(
        again.prefix(10), found == "1" ? "replayed 1" : "admitted 1", "point \(point): \(again)")
      try LedgerFileCheck.verify(copy)
    }
    XCTAssertTrue(isComplete, "the run was never let through")
    XCTAssertEqual(rows, ["0", "1"], "\(points) points")
    XCTAssertGreaterThan(points, 20)
  }
}
