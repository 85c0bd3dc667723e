import Foundation
import LedgerTestSupport
import TradeLedger
import XCTest

/// Real processes that want one instance name. INV-7.
class InstanceRaceTests: InstanceRaceCase {
  /// S-32: 16 processes at a barrier, 100 rounds (30 on a server): exactly one winner in each, and
  /// always one. Every other round the holder is killed first, so that the dead are raced for as the
  /// free are.
  func testAcquire_bySixteenProcessesAtABarrier_hasOneWinnerInEachRound() throws {
    let rounds = Self.isOnServer ? 30 : 100
    var workers = try (0..<16).map { _ in try worker() }
    var wins = 0
    for round in 1...rounds {
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
    XCTAssertEqual(wins, rounds)
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

  /// A lease says why it is lost: evicted by an operator.
  func testLoss_isToldToTheHolder() async throws {
    let holder = try worker()
    XCTAssertEqual(holder.ask("acquire desk"), "acquired desk 1")
    let operatorLedger = try await Ledger.open(path)
    _ = try await operatorLedger.evictInstance(InstanceName("desk"))
    XCTAssertEqual(holder.ask("loss"), "evicted")
  }

  /// Heartbeats go on by themselves.
  func testHeartbeat_isRenewedByTheLeaseItself() throws {
    let holder = try worker()
    XCTAssertEqual(holder.ask("acquire desk 400ms"), "acquired desk 1")
    func until() throws -> Int64 {
      let text = try LedgerCheck.query(path, "SELECT heartbeat_until FROM instances")[0][0]
      return Int64(text) ?? 0
    }
    let first = try until()
    XCTAssertTrue(try eventually { try until() >= first + 1_200_000 }, "three leases later")
    XCTAssertEqual(holder.ask("release"), "released")
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
    XCTAssertEqual(try LedgerCheck.query(path, "SELECT COUNT(*) FROM trades"), [["1"]])
  }
}

#if PostgreSQL
  /// The same on a server.
  final class PostgreSQLInstanceRaceTests: InstanceRaceTests {
    override class var engine: Engine { .server }

    /// S-43: by another name of its host, another role, another scheme or another parameter it is
    /// the same ledger and the same name.
    func testAcquire_byAnotherURL_isTheSameName() throws {
      let holder = try worker()
      XCTAssertEqual(holder.ask("acquire desk"), "acquired desk 1")
      for spelling in [
        path.replacingOccurrences(of: "127.0.0.1", with: "localhost"),
        path.replacingOccurrences(of: "postgresql:", with: "postgres:"),
        path + "?application_name=bot", try TestServer.worker(path),
      ] {
        let other = try worker(spelling)
        XCTAssertTrue(other.ask("acquire desk").hasPrefix("denied held \(holder.pid) "), spelling)
      }
    }
  }
#endif

/// A ledger with the bot `b`, and workers on it.
class InstanceRaceCase: PlacedTestCase {
  private(set) var path = ""

  override func setUp() async throws {
    path = try newPlace()
    let setup = try LedgerWorker(path)
    XCTAssertEqual(setup.ask("create live"), "ok")
    XCTAssertEqual(setup.ask("bot b 0s 30s cooldown"), "added")
  }

  override func tearDown() async throws {
    if !path.isEmpty { try LedgerCheck.verify(path) }
    try await super.tearDown()
  }

  func worker(_ place: String? = nil) throws -> LedgerWorker {
    let worker = try LedgerWorker(place ?? path, wait: "20s")
    XCTAssertEqual(worker.ask("open"), "ok")
    return worker
  }

  func row() throws -> [String] {
    try LedgerCheck.query(path, "SELECT epoch, pid FROM instances").first ?? []
  }
}
