import Foundation
import LedgerTestSupport
import TradeLedger
import XCTest

/// Backups of a ledger that others write to, and of what a killed one leaves.
final class BackupTests: XCTestCase {
  private var directory = TemporaryDirectory()
  private var path: String { directory.file("ledger.db") }
  private var folder: String { (path as NSString).deletingLastPathComponent }

  override func setUp() { directory = TemporaryDirectory() }

  private func backUp(_ name: String, _ more: String...) -> BuiltBinary.Result {
    BuiltBinary.run(["--db", path, "backup", "-o", directory.file(name), "--json"] + more)
  }

  private func number(_ result: BuiltBinary.Result, _ key: String) -> Int? {
    let object = try? JSONSerialization.jsonObject(with: Data(result.stdout.utf8))
    return (object as? [String: Any])?[key] as? Int
  }

  private func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  }

  /// Workers record all the while; each backup has every trade that was answered before it began,
  /// is sound by itself, and no writer has failed or waited longer than half a second.
  func testBackup_whileOthersWrite_isOneMoment() throws {
    let workers = try (0..<2).map { _ in try LedgerWorker(path) }
    XCTAssertEqual(workers[0].ask("create simulation"), "ok")
    XCTAssertEqual(workers[1].ask("open"), "ok")
    for bot in ["a", "b"] { workers[0].ask("bot \(bot) 0s 30s cooldown") }
    let end = LedgerWorker.bootNow() + 3_000_000
    for (worker, bot) in zip(workers, ["a", "b"]) { worker.send("hammer \(end) \(bot)") }
    var seen = 0
    for round in 0..<5 {
      let before = try XCTUnwrap(
        Int(LedgerFileCheck.query(path, "SELECT COUNT(*) FROM trades")[0][0]))
      let result = backUp("backup-\(round).db")
      XCTAssertEqual(result.status, 0, result.stderr)
      let trades = try XCTUnwrap(number(result, "trades"))
      XCTAssertGreaterThanOrEqual(trades, before)
      XCTAssertGreaterThanOrEqual(trades, seen)
      seen = trades
      let copy = directory.file("backup-\(round).db")
      XCTAssertFalse(FileManager.default.fileExists(atPath: copy + "-wal"))
      XCTAssertEqual(
        try LedgerFileCheck.query(copy, "SELECT COUNT(*), MAX(id) FROM trades"),
        [["\(trades)", "\(trades)"]])
      try LedgerFileCheck.verify(copy)
    }
    for worker in workers {
      let words = worker.answer().split(separator: " ").compactMap { Int($0) }
      XCTAssertEqual(words.count, 3, "\(words)")
      XCTAssertGreaterThan(words.first ?? 0, 50, "recorded")
      XCTAssertEqual(words.dropFirst().first, 0, "busy")
      XCTAssertLessThan(words.last ?? .max, 500_000, "the longest call")
    }
    try LedgerFileCheck.verify(path)
  }

  /// kill -9 at each of its calls that change a directory or a file: the backup is whole, or not
  /// there; the ledger never notices, and the next one succeeds.
  func testBackup_killedAnywhere_leavesNoHalfFile() throws {
    if let reason = SystemCallFaults.unavailable { throw XCTSkip(reason) }
    let worker = try LedgerWorker(path)
    XCTAssertEqual(worker.ask("create live"), "ok")
    worker.ask("bot b 0s 30s cooldown")
    for _ in 0..<3 { worker.ask("record b") }
    var kills = 0
    // strace counts each call by itself.
    for (call, step) in [
      ("pwrite64", 7), ("fdatasync", 1), ("fsync", 1), ("unlink", 1), ("renameat2", 1),
    ] {
      for number in stride(from: 1, to: 400, by: step) {
        let target = directory.file("copy-\(call)-\(number).db")
        let result = BuiltBinary.run(
          "strace",
          [
            "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(call)", "-e",
            "inject=\(call):signal=KILL:when=\(number)", BuiltBinary.path, "--db", path, "backup",
            "-o", target,
          ])
        if FileManager.default.fileExists(atPath: target) {
          try LedgerFileCheck.verify(target)
          XCTAssertEqual(try LedgerFileCheck.query(target, "SELECT COUNT(*) FROM trades"), [["3"]])
        }
        if result.status == 0 { break }
        XCTAssertEqual(result.status, 137, result.stderr)
        kills += 1
      }
    }
    XCTAssertGreaterThan(kills, 10)
    XCTAssertEqual(backUp("last.db").status, 0)
    XCTAssertTrue(worker.ask("record b").hasPrefix("recorded"), "the ledger is as it was")
  }

  /// Nothing is overwritten without being told to, and a ledger in use not even then.
  func testBackup_replacesOnlyWhatItMay() throws {
    let worker = try LedgerWorker(path)
    XCTAssertEqual(worker.ask("create live"), "ok")
    worker.ask("bot b 0s 30s cooldown")
    worker.ask("record b")
    XCTAssertEqual(backUp("copy.db").status, 0)
    let before = try names()
    XCTAssertEqual(backUp("copy.db").status, 73)
    XCTAssertEqual(backUp("ledger.db", "--force").status, 73)
    let other = try LedgerWorker(directory.file("other.db"))
    XCTAssertEqual(other.ask("create live"), "ok")
    XCTAssertEqual(backUp("other.db", "--force").status, 73)
    XCTAssertTrue(other.ask("bot c 0s 30s cooldown").hasPrefix("added"))
    worker.ask("record b")
    let replaced = backUp("copy.db", "--force")
    XCTAssertEqual(number(replaced, "trades"), 2, replaced.stderr)
    XCTAssertEqual(try names().filter { !$0.hasPrefix("other.db") }, before)
    for (name, status) in [("ledger.db", 73), ("copy.db", 73), ("none/copy.db", 73)] {
      XCTAssertEqual(backUp(name).status, Int32(status), name)
    }
  }

  /// A damaged ledger has no backup that could be taken for a good one.
  func testBackup_ofADamagedLedger_isRefused() throws {
    let worker = try LedgerWorker(path)
    XCTAssertEqual(worker.ask("create live"), "ok")
    worker.ask("bot b 0s 30s cooldown")
    worker.process.closeInput()
    _ = worker.process.wait()
    // So large that nobody looks at all of it when it is opened.
    let filler = """
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
      INSERT INTO trades (bot_id, key, origin, side, symbol, quantity, cooldown_us, created_at,
        status, filled_at, filled_quantity, received_at)
      SELECT 1, 'k' || i, 'past', 'buy', 'X', '1', 0, 5, 'filled', 5, '1', now_us FROM n, clock;
      PRAGMA wal_checkpoint(TRUNCATE);
      """
    XCTAssertEqual(BuiltBinary.run("sqlite3", [path], stdin: filler).status, 0)
    XCTAssertEqual(backUp("good.db").status, 0)
    let handle = try XCTUnwrap(FileHandle(forUpdatingAtPath: path))
    let root = try XCTUnwrap(
      UInt64(
        LedgerFileCheck.query(
          path, "SELECT rootpage FROM sqlite_schema WHERE name = 'last_trade'")[0][0]))
    handle.seek(toFileOffset: (root - 1) * 4096 + 3850)
    handle.write(Data(repeating: 0x5a, count: 200))
    handle.closeFile()
    let result = backUp("copy.db")
    XCTAssertEqual(result.status, 65, result.stdout + result.stderr)
    XCTAssertFalse(try names().contains { $0.hasPrefix("copy.db") })
  }
}
