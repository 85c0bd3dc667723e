import Foundation
import LedgerTestSupport
import XCTest

@testable import LedgerSimulation

/// The checker on instance names (INV-7): one fault at a time.
final class InstanceCheckTests: XCTestCase {
  /// Three processes are one name in turn: let go of, killed, and until the end. A fourth is told
  /// that the name is held; a fifth has another name; a sixth was killed before it was told.
  private func good() -> [Tenure] {
    [
      Sample.tenure(
        "i", worker: 0, at: 0, told: 100, .taken(epoch: 1), leaving: 20_000, left: 20_100),
      Sample.tenure("i", worker: 3, at: 50, told: 150, .held),
      Sample.tenure("j", worker: 4, at: 50, told: 160, .taken(epoch: 1), leaving: 900_000),
      Sample.tenure(
        "i", worker: 1, at: 20_050, told: 20_200, .taken(epoch: 2), killed: 512_000, gone: 512_050),
      Sample.tenure("i", worker: 3, at: 512_020, told: 512_040, .held),
      Sample.tenure("i", worker: 2, at: 512_010, told: 512_060, .taken(epoch: 3), leaving: 900_000),
      Sample.tenure("i", worker: 5, at: 700_000, killed: 700_050, gone: 700_100),
    ]
  }

  private func evidence(_ change: (inout Evidence) -> Void = { _ in }) -> Evidence {
    var evidence = Sample.good()
    evidence.tenures = good()
    let owners: [(name: String, epoch: Int64)] = [("i", 1), ("i", 2), ("i", 3)]
    for (index, owner) in owners.enumerated() {
      evidence.rows[index].instance = owner.name
      evidence.rows[index].epoch = owner.epoch
    }
    change(&evidence)
    return evidence
  }

  private func kinds(_ change: (inout Evidence) -> Void) -> [Violation.Kind] {
    Checker(evidence(change)).violations().map(\.kind)
  }

  private func edit(_ index: Int, _ change: @escaping (inout Tenure) -> Void) -> (inout Evidence)
    -> Void
  {
    { change(&$0.tenures[index]) }
  }

  func testGoodHistory_hasNoViolation() {
    // The third row is admitted at 512,100, by a process that was told at 512,060.
    XCTAssertEqual(Checker(evidence()).violations(), [])
  }

  func testTwoHolders_areFound_howeverShort() throws {
    let found = Checker(evidence(edit(0) { $0.leaving = Sample.moment(20_201) })).violations()
    XCTAssertEqual(found.map(\.kind), [.twoInstances])
    let two = try XCTUnwrap(found.first)
    XCTAssertEqual(two.instance, "i")
    XCTAssertEqual(two.pids, [100, 101])
    XCTAssertTrue(two.detail.contains("for 1 us"), two.detail)
    XCTAssertEqual(kinds(edit(0) { $0.leaving = Sample.moment(20_200) }), [])
  }

  func testTwoHolders_whileTheFirstIsKilledLater_areFound() {
    XCTAssertEqual(kinds(edit(3) { $0.killed = Sample.boot + 512_061 }), [.twoInstances])
    XCTAssertEqual(kinds(edit(3) { $0.killed = Sample.boot + 512_060 }), [])
  }

  func testTwoHolders_withAnotherOneInBetween_areFound() {
    XCTAssertEqual(
      kinds(edit(0) { $0.leaving = Sample.moment(600_000) }), [.twoInstances, .twoInstances])
  }

  /// Without epochs, too: a strategy that counts none is judged by the same clock.
  func testTwoHolders_withoutEpochs_areFound() {
    XCTAssertEqual(
      kinds { evidence in
        for index in evidence.rows.indices {
          evidence.rows[index].instance = nil
          evidence.rows[index].epoch = nil
        }
        for index in evidence.tenures.indices where evidence.tenures[index].isTaken {
          evidence.tenures[index].answer = .taken(epoch: nil)
        }
        evidence.tenures[0].leaving = Sample.moment(30_000)
      }, [.twoInstances])
  }

  func testAnEpochGivenTwice_orGoingBack_isFound() {
    XCTAssertTrue(kinds(edit(5) { $0.answer = .taken(epoch: 2) }).contains(.epochNotRaised))
    XCTAssertTrue(kinds(edit(3) { $0.answer = .taken(epoch: 9) }).contains(.epochNotRaised))
    // Of a name under which nobody traded.
    for (epoch, expected) in [(1, [.epochNotRaised]), (2, [])] as [(Int64, [Violation.Kind])] {
      XCTAssertEqual(
        kinds {
          $0.tenures.append(
            Sample.tenure("k", worker: 3, at: 1, told: 2, .taken(epoch: 1), leaving: 10))
          $0.tenures.append(
            Sample.tenure("k", worker: 2, at: 20, told: 21, .taken(epoch: epoch), leaving: 30))
        }, expected)
    }
  }

  func testARowUnderAnOldEpoch_isFound() {
    // Admitted by the second process after the third one had been told of its epoch.
    XCTAssertEqual(
      kinds { evidence in
        evidence.tenures[5] = Sample.tenure(
          "i", worker: 2, at: 500_000, told: 500_100, .taken(epoch: 3), leaving: 900_000)
        evidence.tenures[3].killed = Sample.boot + 500_000
        evidence.rows[2].epoch = 3
      }, [.staleInstance])
  }

  func testARowUnderNoInstance_orUnderThatOfAnother_isFound() {
    XCTAssertEqual(
      kinds {
        $0.rows[0].instance = nil
        $0.rows[0].epoch = nil
      }, [.staleInstance])
    XCTAssertEqual(kinds { $0.rows[0].instance = "j" }, [.staleInstance])
    XCTAssertEqual(kinds { $0.rows[2].epoch = 2 }, [.staleInstance])
    XCTAssertEqual(kinds { $0.rows[0].epoch = 4 }, [.staleInstance])
  }

  func testHeld_byNobody_isFound() {
    XCTAssertEqual(
      kinds {
        $0.tenures.append(Sample.tenure("k", worker: 3, at: 1, told: 2, .held))
      }, [.nameNotGiven])
    // By one that has just let go, before the next one asked.
    XCTAssertEqual(
      kinds { evidence in
        evidence.tenures[3] = Sample.tenure(
          "i", worker: 1, at: 20_500, told: 20_600, .taken(epoch: 2), killed: 512_000, gone: 512_050
        )
        evidence.tenures[1] = Sample.tenure("i", worker: 3, at: 20_200, told: 20_300, .held)
      }, [.nameNotGiven])
  }

  func testAFailure_isFound() {
    XCTAssertEqual(kinds(edit(1) { $0.answer = .failed(code: "io") }), [.unexpectedError])
  }

  /// A guard that lets nobody in does not hold.
  func testANameThatNobodyGot_isDemanded() {
    var options = SimulationOptions()
    options.instances = 2
    XCTAssertEqual(SimulationResult.namesNeverTaken(options, good()), [])
    options.instances = 3
    XCTAssertEqual(
      SimulationResult.namesNeverTaken(options, good()).map(\.kind), [.nameNotGiven])
  }
}

/// S-33, S-34: what the cleanup script takes, and what it never takes.
final class CleanupScriptTests: XCTestCase {
  private func make(_ names: [String], in directory: TemporaryDirectory) throws {
    for name in names {
      try Data("x".utf8).write(to: URL(fileURLWithPath: directory.file(name)))
    }
  }

  private func left(_ directory: TemporaryDirectory) throws -> Set<String> {
    Set(try FileManager.default.contentsOfDirectory(atPath: directory.path))
  }

  func testInTheDirectoryOfTheRun_takesWhatLooksLikeLitter_butNoLedger() throws {
    let run = TemporaryDirectory()
    let litter = ["trading_bot.lock", "a.PID", "x.tmp", "bot.log", "bot.log.1", "lock", "b-tmp"]
    // The ledger has an unlucky name, and the others only look like it.
    let ledger = ["lock.log", "lock.log-wal", "lock.log-shm", "lock.log-journal"]
    let others = ["clock", "blog", "tmpfile", "other.db"]
    try make(litter + ledger + others, in: run)
    let script = CleanupScript(run: run.path, ledger: run.file("lock.log"))
    XCTAssertEqual(script.run(), litter.count)
    XCTAssertEqual(try left(run), Set(ledger + others))
    XCTAssertEqual(script.run(), 0)
  }

  func testBesideALedgerElsewhere_takesOnlyWhatIsNamedAfterIt() throws {
    let run = TemporaryDirectory()
    let elsewhere = TemporaryDirectory()
    try make(["a.lock"], in: run)
    let litter = ["l.db.lock", "l.db-pid", "l.db.tmp"]
    let kept = ["l.db", "l.db-wal", "l.db-shm", "bot.lock", "main.pid"]
    try make(litter + kept, in: elsewhere)
    // Through a link it is the same ledger.
    try FileManager.default.createSymbolicLink(
      atPath: run.file("link"), withDestinationPath: elsewhere.file("l.db"))
    XCTAssertEqual(CleanupScript(run: run.path, ledger: run.file("link")).run(), 4)
    XCTAssertEqual(try left(elsewhere), Set(kept))
    XCTAssertEqual(try left(run), ["link"])
  }
}
