import LedgerTestSupport
import TradeLedger
import XCTest

/// Instance names in a file: what its disk, its directory and its one lock can do to them. INV-7.
final class InstanceFileTests: InstanceRaceCase {
  private let directory = TemporaryDirectory()

  /// A lease says why it is lost: the ledger is gone.
  func testLoss_ofTheLedger_isToldToTheHolder() throws {
    let elsewhere = directory.file("other.db")
    let victim = try LedgerWorker(elsewhere)
    XCTAssertEqual(victim.ask("create paper"), "ok")
    XCTAssertEqual(victim.ask("acquire desk 1s"), "acquired desk 1")
    XCTAssertEqual(rename(elsewhere, directory.file("moved.db")), 0)
    XCTAssertEqual(victim.ask("loss"), "unreachable ledger_moved")
  }

  /// A holder that cannot renew its heartbeat, because somebody keeps the lock, stops before the
  /// others may take over.
  func testLoss_whenTheHeartbeatCannotBeRenewed_comesBeforeItsEnd() throws {
    let holder = try worker()
    let begin = LedgerWorker.bootNow()
    XCTAssertEqual(holder.ask("acquire desk 1500ms"), "acquired desk 1")
    let script = """
      import sqlite3, sys
      db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20)
      db.execute('BEGIN IMMEDIATE')
      print('held', flush=True)
      print(db.execute('SELECT heartbeat_until FROM instances').fetchone()[0], flush=True)
      sys.stdin.readline()
      """
    let blocker = try ChildProcess("python3", ["-c", script, path])
    XCTAssertEqual(blocker.readLine(), "held", blocker.standardError)
    let end = try XCTUnwrap(Int64(blocker.readLine() ?? ""))
    XCTAssertEqual(holder.ask("loss"), "unreachable busy")
    let told = LedgerWorker.bootNow()
    XCTAssertGreaterThan(told, begin)
    XCTAssertLessThan(told, end, "it was told \(told - end) us too late")
    blocker.closeInput()
    XCTAssertEqual(blocker.wait(), 0)
  }

  /// S-35: the disk is full, or fails, while a name is taken: nothing is taken, nothing is left.
  func testAcquire_whenTheDiskFails_takesNothing() throws {
    try XCTSkipIf(SystemCallFaults.unavailable != nil, SystemCallFaults.unavailable ?? "")
    let holder = try worker()
    let before = try LedgerCheck.query(path, "SELECT COUNT(*) FROM instances")
    for fault in ["pwrite64:error=ENOSPC:when=1", "pwrite64:error=EIO:when=1"] {
      let faults = try SystemCallFaults(pid: holder.pid, fault: fault, in: directory)
      let answer = holder.ask("acquire desk")
      faults.stop()
      XCTAssertEqual(faults.injectedCount, 1, fault)
      XCTAssertTrue(answer.hasPrefix("error io "), answer)
      XCTAssertEqual(try LedgerCheck.query(path, "SELECT COUNT(*) FROM instances"), before)
    }
    XCTAssertEqual(holder.ask("acquire desk"), "acquired desk 1")
  }

  /// S-43: by a link of the directory, a relative path or doubled slashes it is the same ledger and
  /// the same name.
  func testAcquire_byAnotherSpelling_isTheSameName() throws {
    let holder = try worker()
    XCTAssertEqual(holder.ask("acquire desk"), "acquired desk 1")
    let folder = (path as NSString).deletingLastPathComponent
    let link = NSTemporaryDirectory() + "tradeledger-link-\(UUID().uuidString)"
    XCTAssertEqual(symlink(folder, link), 0)
    defer { unlink(link) }
    let here = FileManager.default.currentDirectoryPath
    let relative = String(repeating: "../", count: here.split(separator: "/").count) + path
    for spelling in [link + "/ledger.db", relative, folder + "//./ledger.db"] {
      let other = try worker(spelling)
      XCTAssertTrue(other.ask("acquire desk").hasPrefix("denied held \(holder.pid) "), spelling)
    }
  }

  /// INV-3: random bits are fetched many at a time, and a child goes on with none of its parent's.
  func testKeys_afterAFork_areDifferent() throws {
    let parent = try worker()
    for _ in 0..<20 {
      let keys = parent.ask("fork-keys").split(separator: " ")
      XCTAssertEqual(keys.count, 3)
      XCTAssertEqual(Set(keys).count, 3, "\(keys)")
    }
  }

  /// S-33: a script deletes everything that is named like a lock, a pid file, a temporary file or a
  /// log. The name stays held, because there is no such file.
  func testCleanupScript_doesNotTouchTheName() throws {
    let holder = try worker()
    XCTAssertEqual(holder.ask("acquire desk"), "acquired desk 1")
    let folder = (path as NSString).deletingLastPathComponent
    for name in ["desk.lock", "desk.pid", "desk.tmp", "desk.log", "desk.info"] {
      XCTAssertTrue(FileManager.default.createFile(atPath: folder + "/" + name, contents: nil))
    }
    let script = """
      cd "$1" && find . -name '*.lock*' -delete -o -name '*.pid*' -delete -o -name '*tmp*' -delete \
        -o -name '*.log*' -delete -o -name '*lock*' -delete; ls
      """
    let cleaned = BuiltBinary.run("sh", ["-c", script, "sh", folder])
    XCTAssertEqual(
      cleaned.stdout.split(separator: "\n"),
      ["desk.info", "ledger.db", "ledger.db-shm", "ledger.db-synced", "ledger.db-wal"])
    let other = try worker()
    XCTAssertTrue(other.ask("acquire desk").hasPrefix("denied held \(holder.pid) "))
    XCTAssertTrue(holder.ask("reserve b").hasPrefix("admitted 1 "))
  }
}
