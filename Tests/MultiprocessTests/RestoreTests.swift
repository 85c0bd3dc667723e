import Foundation
import LedgerTestSupport
import TradeLedger
import XCTest

/// Going back to a backup, by the built program, among real processes.
final class RestoreTests: RestoreTestCase {
  /// S-34: nobody is left with the old file: whoever holds the ledger in any way is named, and
  /// nothing changes.
  func testRestore_whileSomebodyHoldsTheLedger_isRefusedByName() throws {
    try makeLedgerAndBackup()
    let worker = try LedgerWorker(path)
    XCTAssertEqual(worker.ask("open"), "ok")
    try expectRefused("process \(worker.pid)")
    worker.process.closeInput()
    _ = worker.process.wait()

    // A reader between two transactions, an idle client, one that is stopped.
    let shell = try ChildProcess("sqlite3", [path])
    shell.write(".output stdout\nSELECT COUNT(*) FROM trades;\n")
    XCTAssertEqual(shell.readLine(), "4")
    try expectRefused("process \(shell.pid)")
    shell.signal(SIGSTOP)
    try expectRefused("process \(shell.pid), stopped")
    shell.signal(SIGCONT)
    shell.closeInput()
    _ = shell.wait()

    // A client that has opened the file and asked nothing yet, so that it has no lock.
    let connected = try ChildProcess(
      "python3",
      [
        "-c",
        "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); print('up', flush=True); input()",
        path,
      ])
    XCTAssertEqual(connected.readLine(), "up")
    try expectRefused("process \(connected.pid)")
    connected.closeInput()
    _ = connected.wait()

    // The command of guard has the name, and no file open.
    let guarded = try ChildProcess(
      BuiltBinary.path, ["--db", path, "guard", "desk", "--", "sh", "-c", "echo up; exec cat"])
    XCTAssertEqual(guarded.readLine(), "up")
    try expectRefused("desk is held by process \(guarded.pid)")
    guarded.closeInput()
    _ = guarded.wait()

    // An order on its way.
    let answer = run(["reserve", "short"] + order)
    XCTAssertEqual(answer.status, 0, answer.stderr)
    try expectRefused("trade 5 of short is being worked on")
    XCTAssertTrue(eventually { run(["restore", backup]).status == 0 })
  }

  /// INV-1 after a restore: what was traded since the backup is unknown, so every bot waits one
  /// cooldown, whoever asks; a bot without one does not.
  func testRestore_everyBotWaitsOneCooldown() throws {
    try makeLedgerAndBackup()
    XCTAssertEqual(run(["record", "eager"] + order).status, 0, "a trade that the backup lacks")
    let restored = try json(run(["restore", backup, "--json"]))
    XCTAssertEqual(restored["trades"] as? Int, 3)
    XCTAssertEqual(restored["replaced_trades"] as? Int, 5)
    let replaced = try XCTUnwrap(restored["replaced"] as? String)
    XCTAssertEqual(
      try LedgerFileCheck.query(replaced, "SELECT COUNT(*) FROM trades"), [["5"]], "it is kept")

    let denied = try json(run(["reserve", "slow", "--json"] + order))
    XCTAssertEqual(denied["reason"] as? String, "cooldown")
    XCTAssertEqual(denied["restored_at"] as? String, restored["restored_at"] as? String)
    let wait = try XCTUnwrap(denied["retry_after_us"] as? Int)
    XCTAssertGreaterThan(wait, 3_500_000_000)
    XCTAssertLessThanOrEqual(wait, 3_600_000_000)
    let worker = try LedgerWorker(path)
    XCTAssertEqual(worker.ask("open"), "ok")
    XCTAssertEqual(worker.ask("reserve slow"), "denied cooldown -")
    XCTAssertEqual(worker.ask("reserve slow"), "denied cooldown -", "remembered")
    XCTAssertEqual(worker.ask("check slow"), "denied cooldown -")
    let foreign = BuiltBinary.run(
      "sqlite3", [path],
      stdin: """
        INSERT INTO trades (bot_id, key, origin, side, symbol, quantity, cooldown_us, created_at,
          status, filled_at, filled_quantity, received_at)
        SELECT bot_id, 'foreign', 'record', 'buy', 'X', '1', cooldown_us, now_us, 'filled', now_us,
          '1', now_us FROM current_settings, clock WHERE name = 'slow';
        """)
    XCTAssertTrue(foreign.stderr.contains("TL108 INV-1"), foreign.stderr)
    XCTAssertEqual(
      try LedgerFileCheck.query(
        path, "SELECT remaining_s > 3500 FROM cooldowns WHERE bot = 'slow'"),
      [["1"]])

    // The cooldown of half a second is over soon, and that of nobody is none.
    XCTAssertTrue(worker.ask("record none").hasPrefix("recorded"))
    XCTAssertTrue(eventually { worker.ask("record eager").hasPrefix("recorded") })
    let since = try LedgerFileCheck.query(
      path,
      "SELECT created_at - at >= 500000 FROM trades, restores WHERE bot_id = "
        + "(SELECT id FROM bots WHERE name = 'eager') ORDER BY trades.id DESC LIMIT 1")
    XCTAssertEqual(since, [["1"]])
    try LedgerFileCheck.verify(path)
  }

  /// INV-7 after a restore: no epoch that the replaced ledger has given is ever current again, also
  /// of names that the backup does not know.
  func testRestore_fencesEveryEpochFromBefore() throws {
    try makeLedgerAndBackup()
    for _ in 0..<3 { XCTAssertEqual(run(["guard", "desk", "--", "true"]).status, 0) }
    XCTAssertEqual(run(["guard", "new", "--", "true"]).status, 0)
    let before = try LedgerFileCheck.query(path, "SELECT name, epoch FROM instances")
    XCTAssertEqual(before, [["desk", "4"], ["new", "1"]])
    XCTAssertEqual(run(["restore", backup]).status, 0)
    for round in 0..<3 {
      for (name, last) in [("desk", 4), ("new", 1)] {
        for epoch in 1...last {
          let answer = try json(
            run(["record", "none", "--json", "--instance", name, "--epoch", "\(epoch)"] + order))
          XCTAssertEqual(answer["reason"] as? String, "superseded", "\(name) \(epoch) \(round)")
        }
        XCTAssertEqual(run(["guard", name, "--", "true"]).status, 0)
      }
    }
  }

  /// What the ledger is when it has to be restored: gone, junk, or damaged with a log.
  func testRestore_ofWhatCannotBeOpened_keepsIt() throws {
    try makeLedgerAndBackup()
    let bytes = try XCTUnwrap(FileManager.default.contents(atPath: path))
    for (name, damage) in [
      ("gone", { try FileManager.default.removeItem(atPath: self.path) }),
      ("junk", { try Data(repeating: 7, count: 9000).write(to: URL(fileURLWithPath: self.path)) }),
      ("cut", { try bytes.prefix(5000).write(to: URL(fileURLWithPath: self.path)) }),
    ] as [(String, () throws -> Void)] {
      try damage()
      let answer = run(["restore", backup, "--json"])
      XCTAssertEqual(answer.status, 0, "\(name): \(answer.stderr)")
      let replaced = try json(answer)["replaced"] as? String
      XCTAssertEqual(replaced == nil, name == "gone")
      if name == "junk", let replaced {
        XCTAssertEqual(FileManager.default.contents(atPath: replaced)?.count, 9000)
      }
      XCTAssertEqual(run(["status"]).status, 0)
      try LedgerFileCheck.verify(path)
      XCTAssertEqual(try LedgerFileCheck.query(path, "SELECT COUNT(*) FROM restores"), [["1"]])
    }
  }

  /// What is no backup changes nothing.
  func testRestore_ofNoBackup_isRefusedUntouched() throws {
    try makeLedgerAndBackup()
    let junk = directory.file("junk.db")
    try Data(repeating: 7, count: 9000).write(to: URL(fileURLWithPath: junk))
    let other = directory.file("other.db")
    XCTAssertEqual(BuiltBinary.run(["--db", other, "init", "--mode", "paper"]).status, 0)
    XCTAssertEqual(
      BuiltBinary.run(["--db", other, "backup", "-o", directory.file("paper.db")]).status, 0)
    let before = try names()
    for (file, status) in [
      (junk, 65), (directory.file("nothing.db"), 66), (path, 65), (other, 78),
      (directory.file("paper.db"), 78),
    ] {
      XCTAssertEqual(run(["restore", file]).status, Int32(status), file)
    }
    XCTAssertEqual(try names(), before)
    XCTAssertEqual(try LedgerFileCheck.query(path, "SELECT COUNT(*) FROM trades"), [["4"]])
  }

  /// kill -9 at each call by which a restore changes the directory or a file. Afterwards there is a
  /// whole ledger, the old or the new one; what is neither is refused by everybody, `init` included;
  /// and the same command again ends well. No trade of the old ledger is lost at any step.
  func testRestore_killedAtEachStep_isRecoverable() throws {
    if let reason = SystemCallFaults.unavailable { throw XCTSkip(reason) }
    try killSweep(damaged: false)
  }

  func testRestore_ofJunkKilledAtEachStep_isRecoverable() throws {
    if let reason = SystemCallFaults.unavailable { throw XCTSkip(reason) }
    try killSweep(damaged: true)
  }

  private func killSweep(damaged: Bool) throws {
    try makeLedgerAndBackup()
    if damaged {
      try Data(repeating: 7, count: 9000).write(to: URL(fileURLWithPath: path))
      try Data(repeating: 8, count: 900).write(to: URL(fileURLWithPath: path + "-wal"))
    }
    let original = directory
    var kills = 0
    var seen: Set<String> = []
    // strace counts each call by itself.
    for (call, step) in [
      ("renameat2", 1), ("unlink", 1), ("fsync", 1), ("fdatasync", 1), ("ftruncate", 1),
      ("pwrite64", 5),
    ] {
      for number in stride(from: 1, to: 500, by: step) {
        directory = TemporaryDirectory()
        // Nobody has them open.
        for name in ["ledger.db", "ledger.db-wal", "backup.db"] {
          try FileManager.default.copyItem(
            atPath: original.file(name), toPath: directory.file(name))
        }
        let result = BuiltBinary.run(
          "strace",
          [
            "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(call)", "-e",
            "inject=\(call):signal=KILL:when=\(number)", BuiltBinary.path, "--db", path, "restore",
            backup,
          ])
        if result.status == 0 { break }
        XCTAssertEqual(result.status, 137, "\(call) \(number): \(result.stderr)")
        kills += 1
        seen.insert(try judge("\(call) \(number)", damaged: damaged))
      }
    }
    XCTAssertGreaterThan(kills, 15)
    XCTAssertTrue(seen.isSuperset(of: ["old", "new"]), "\(seen)")
    XCTAssertEqual(seen.contains("none"), damaged, "\(seen)")
  }

  /// What a killed restore left, and that it can be gone on from.
  private func judge(_ step: String, damaged: Bool) throws -> String {
    let found: String
    if !FileManager.default.fileExists(atPath: path) {
      found = "none"
      for arguments in [["init"], ["status"], ["record", "none"] + order] {
        XCTAssertNotEqual(run(arguments).status, 0, "\(step): \(arguments)")
      }
      XCTAssertFalse(FileManager.default.fileExists(atPath: path), "\(step): a new ledger")
    } else if damaged && run(["status"]).status != 0 {
      found = "old"
    } else {
      try LedgerFileCheck.verify(path)
      let trades = try LedgerFileCheck.query(path, "SELECT COUNT(*) FROM trades")[0][0]
      let restores = try LedgerFileCheck.query(path, "SELECT COUNT(*) FROM restores")[0][0]
      XCTAssertTrue(
        [["4", "0"], ["3", "1"]].contains([trades, restores]), "\(step): \(trades) \(restores)")
      found = trades == "4" ? "old" : "new"
    }
    let again = run(["restore", backup])
    XCTAssertEqual(again.status, 0, "\(step): \(again.stderr)")
    XCTAssertEqual(try LedgerFileCheck.query(path, "SELECT COUNT(*) FROM trades"), [["3"]])
    XCTAssertEqual(run(["check", "slow"]).status, 1, "\(step): it waits")
    try LedgerFileCheck.verify(path)
    if !damaged {
      let others = try names().filter { $0.hasPrefix("ledger.db.") && !$0.hasSuffix("-wal") }
      let kept = others.contains { name in
        let rows = try? LedgerFileCheck.query(directory.file(name), "SELECT COUNT(*) FROM trades")
        return rows == [["4"]]
      }
      XCTAssertTrue(kept, "\(step): the old ledger is nowhere: \(others)")
    }
    return found
  }
}

/// A ledger with four trades, and a backup of its first three.
class RestoreTestCase: XCTestCase {
  var directory = TemporaryDirectory()
  var path: String { directory.file("ledger.db") }
  var backup: String { directory.file("backup.db") }
  let order = ["--side", "buy", "--symbol", "X", "--quantity", "1"]

  override func setUp() { directory = TemporaryDirectory() }

  func run(_ arguments: [String]) -> BuiltBinary.Result {
    BuiltBinary.run(["--db", path] + arguments, timeout: 60)
  }

  func json(_ result: BuiltBinary.Result) throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data(result.stdout.utf8))
    return try XCTUnwrap(object as? [String: Any], result.stdout + result.stderr)
  }

  func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(
      atPath: (path as NSString).deletingLastPathComponent
    ).filter { !$0.hasSuffix("-synced") }.sorted()
  }

  func makeLedgerAndBackup() throws {
    for arguments in [
      ["init", "--mode", "live"], ["bot", "add", "slow", "--cooldown", "1h"],
      ["bot", "add", "eager", "--cooldown", "500ms"], ["bot", "add", "none", "--cooldown", "0s"],
      ["bot", "add", "short", "--cooldown", "0s", "--lease", "1500ms"],
      ["guard", "desk", "--", "true"], ["record", "none"] + order, ["record", "none"] + order,
      ["record", "none"] + order, ["backup", "-o", backup], ["record", "none"] + order,
    ] {
      let result = run(arguments)
      XCTAssertEqual(result.status, 0, "\(arguments): \(result.stderr)")
    }
  }

  func expectRefused(_ who: String, file: StaticString = #filePath, line: UInt = #line) throws {
    // The look may leave a log behind.
    let trades = try LedgerFileCheck.query(path, "SELECT COUNT(*) FROM trades")
    let before = try names()
    let result = run(["restore", backup])
    XCTAssertEqual(result.status, 75, result.stdout + result.stderr, file: file, line: line)
    XCTAssertTrue(result.stderr.contains(who), result.stderr, file: file, line: line)
    XCTAssertEqual(try names(), before, file: file, line: line)
    XCTAssertEqual(
      try LedgerFileCheck.query(path, "SELECT COUNT(*) FROM trades"), trades, file: file, line: line
    )
  }
}
