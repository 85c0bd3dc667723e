import Foundation
import LedgerTestSupport
import TradeLedger
import XCTest

/// Real processes that want one instance name. INV-7.
final class InstanceRaceTests: XCTestCase {
  private var directory = TemporaryDirectory()
  private var path: String { directory.file("ledger.db") }

  override func setUp() async throws {
    directory = TemporaryDirectory()
    let setup = try LedgerWorker(path)
    XCTAssertEqual(setup.ask("create live"), "ok")
    XCTAssertEqual(setup.ask("bot b 0s 30s cooldown"), "added")
  }

  override func tearDown() async throws { try LedgerFileCheck.verify(path) }

  private func worker(_ file: String? = nil) throws -> LedgerWorker {
    let worker = try LedgerWorker(file ?? path, wait: "20s")
    XCTAssertEqual(worker.ask("open"), "ok")
    return worker
  }

  private func row() throws -> [String] {
    try LedgerFileCheck.query(path, "SELECT epoch, pid FROM instances").first ?? []
  }

  /// S-32: 16 processes at a barrier, 100 rounds: exactly one winner in each, and always one. Every
  /// other round the holder is killed first, so that the dead are raced for as the free are.
  func testAcquire_bySixteenProcessesAtABarrier_hasOneWinnerInEachOfAHundredRounds() throws {
    var workers = try (0..<16).map { _ in try worker() }
    var wins = 0
    for round in 1...100 {
      let answers = LedgerWorker.together(workers) { _ in "acquire desk" }
      let winners = workers.indices.filter { answers[$0] == "acquired desk \(round)" }
      XCTAssertEqual(winners.count, 1, "round \(round): \(answers)")
      guard let winner = winners.first else { return }
      wins += 1
      let holder = workers[winner]
      for (index, answer) in answers.enumerated() where index != winner {
        XCTAssertTrue(answer.hasPrefix("denied held \(holder.pid) "), answer)
      }
      XCTAssertEqual(try row(), ["\(round)", "\(holder.pid)"])
      if round % 2 == 0 {
        XCTAssertEqual(holder.ask("release"), "released")
      } else {
        holder.process.signal(SIGKILL)
        _ = holder.process.wait()
        workers[winner] = try worker()
      }
    }
    XCTAssertEqual(wins, 100)
  }

  /// S-36: kill -9 and immediate restart: the next start has the name at its first attempt, within
  /// the 50 ms that are promised, twenty times.
  func testAcquire_afterKill_succeedsAtTheFirstAttempt() throws {
    var holder = try worker()
    XCTAssertEqual(holder.ask("acquire desk"), "acquired desk 1")
    var times: [Int64] = []
    for round in 2...21 {
      let next = try worker()
      XCTAssertTrue(next.ask("acquire desk").hasPrefix("denied held \(holder.pid) "))
      holder.process.signal(SIGKILL)
      _ = holder.process.wait()
      let start = LedgerWorker.bootNow()
      XCTAssertEqual(next.ask("acquire desk"), "acquired desk \(round)")
      times.append(LedgerWorker.bootNow() - start)
      holder = next
    }
    times.sort()
    print("S-36: a take-over took \(times[times.count / 2]) us in the median, \(times[19]) at most")
    // The bar of the contract, asked of the median so that a busy machine does not matter.
    XCTAssertLessThan(times[times.count / 2], 50_000)
  }

  /// S-42: a holder is paused with an order under way, evicted, and goes on: its next reserve is
  /// refused, its fill is taken and flagged, and it learns of its loss.
  func testEvict_ofAPausedHolder_fencesItWhenItGoesOn() async throws {
    let holder = try worker()
    XCTAssertEqual(holder.ask("acquire desk"), "acquired desk 1")
    let reserved = holder.ask("reserve b").split(separator: " ").map(String.init)
    XCTAssertEqual(reserved.first, "admitted")
    holder.process.signal(SIGSTOP)
    let other = try worker()
    XCTAssertTrue(other.ask("acquire desk").hasPrefix("denied held \(holder.pid) "), "stopped")
    let operatorLedger = try await Ledger.open(path)
    _ = try await operatorLedger.evictInstance(InstanceName("desk"))
    XCTAssertEqual(other.ask("acquire desk"), "acquired desk 3")
    holder.process.signal(SIGCONT)
    XCTAssertEqual(holder.ask("reserve b"), "denied superseded -")
    XCTAssertEqual(
      holder.ask("fill \(reserved[1]) \(reserved[2])"), "settled filled ontime superseded")
    XCTAssertEqual(holder.ask("loss"), "taken \(other.pid)")
    XCTAssertEqual(holder.ask("release"), "lost")
    XCTAssertTrue(other.ask("reserve b").hasPrefix("admitted 2 "))
  }

  /// A lease says why it is lost: evicted by an operator, or the ledger is gone.
  func testLoss_isToldToTheHolder() async throws {
    let holder = try worker()
    XCTAssertEqual(holder.ask("acquire desk"), "acquired desk 1")
    let operatorLedger = try await Ledger.open(path)
    _ = try await operatorLedger.evictInstance(InstanceName("desk"))
    XCTAssertEqual(holder.ask("loss"), "evicted")

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

  /// Heartbeats go on by themselves.
  func testHeartbeat_isRenewedByTheLeaseItself() throws {
    let holder = try worker()
    XCTAssertEqual(holder.ask("acquire desk 400ms"), "acquired desk 1")
    func until() throws -> Int64 {
      let text = try LedgerFileCheck.query(path, "SELECT heartbeat_until FROM instances")[0][0]
      return Int64(text) ?? 0
    }
    let first = try until()
    XCTAssertTrue(try eventually { try until() >= first + 1_200_000 }, "three leases later")
    XCTAssertEqual(holder.ask("release"), "released")
  }

  /// S-35: the disk is full, or fails, while a name is taken: nothing is taken, nothing is left.
  func testAcquire_whenTheDiskFails_takesNothing() throws {
    try XCTSkipIf(SystemCallFaults.unavailable != nil, SystemCallFaults.unavailable ?? "")
    let holder = try worker()
    let before = try LedgerFileCheck.query(path, "SELECT COUNT(*) FROM instances")
    for fault in ["pwrite64:error=ENOSPC:when=1", "pwrite64:error=EIO:when=1"] {
      let faults = try SystemCallFaults(pid: holder.pid, fault: fault, in: directory)
      let answer = holder.ask("acquire desk")
      faults.stop()
      XCTAssertEqual(faults.injectedCount, 1, fault)
      XCTAssertTrue(answer.hasPrefix("error io "), answer)
      XCTAssertEqual(try LedgerFileCheck.query(path, "SELECT COUNT(*) FROM instances"), before)
    }
    XCTAssertEqual(holder.ask("acquire desk"), "acquired desk 1")
  }

  /// S-43: by a link of the directory, a relative path or doubled slashes it is the same ledger and
  /// the same name.
  func testAcquire_byAnotherSpelling_isTheSameName() throws {
    let holder = try worker()
    XCTAssertEqual(holder.ask("acquire desk"), "acquired desk 1")
    let link = NSTemporaryDirectory() + "tradeledger-link-\(UUID().uuidString)"
    XCTAssertEqual(symlink(directory.path, link), 0)
    defer { unlink(link) }
    let here = FileManager.default.currentDirectoryPath
    let relative = String(repeating: "../", count: here.split(separator: "/").count) + path
    for spelling in [link + "/ledger.db", relative, directory.path + "//./ledger.db"] {
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

  /// S-45: a fork of a process with an open ledger is refused with words; the parent is unharmed.
  func testFork_withAnOpenLedger_isRefusedAndHarmsNothing() throws {
    let parent = try worker()
    XCTAssertEqual(parent.ask("acquire desk"), "acquired desk 1")
    let answer = parent.ask("fork b")
    XCTAssertTrue(answer.contains("belongs to process \(parent.pid)"), answer)
    XCTAssertTrue(answer.contains("open the ledger after the fork"), answer)
    XCTAssertTrue(parent.ask("reserve b").hasPrefix("admitted 1 "))
    let other = try worker()
    XCTAssertTrue(other.ask("acquire desk").hasPrefix("denied held \(parent.pid) "))
    XCTAssertEqual(try LedgerFileCheck.query(path, "SELECT COUNT(*) FROM trades"), [["1"]])
  }

  /// S-33: a script deletes everything that is named like a lock, a pid file, a temporary file or a
  /// log. The name stays held, because there is no such file.
  func testCleanupScript_doesNotTouchTheName() throws {
    let holder = try worker()
    XCTAssertEqual(holder.ask("acquire desk"), "acquired desk 1")
    for name in ["desk.lock", "desk.pid", "desk.tmp", "desk.log", "desk.info"] {
      XCTAssertTrue(
        FileManager.default.createFile(atPath: directory.file(name), contents: nil))
    }
    let script = """
      cd "$1" && find . -name '*.lock*' -delete -o -name '*.pid*' -delete -o -name '*tmp*' -delete \
        -o -name '*.log*' -delete -o -name '*lock*' -delete; ls
      """
    let cleaned = BuiltBinary.run("sh", ["-c", script, "sh", directory.path])
    XCTAssertEqual(
      cleaned.stdout.split(separator: "\n"),
      ["desk.info", "ledger.db", "ledger.db-shm", "ledger.db-synced", "ledger.db-wal"])
    let other = try worker()
    XCTAssertTrue(other.ask("acquire desk").hasPrefix("denied held \(holder.pid) "))
    XCTAssertTrue(holder.ask("reserve b").hasPrefix("admitted 1 "))
  }
}
