import LedgerTestSupport
import XCTest

@testable import LedgerSimulation

/// The checker against histories of a model: right ones are never flagged, broken ones always.
final class ModelHistoryTests: XCTestCase {
  /// Under clock jumps, kills, stops, late fills, voids, lost answers and redeliveries.
  func testHistories_ofTheModel_areNeverFlagged() {
    let seed = randomSeed()
    var kinds: [String: Int] = [:]
    for round in 0..<400 {
      let history = HistoryModel.history(seed: seed &+ UInt64(round), calls: 120)
      let found = Checker(history).violations()
      XCTAssertEqual(found, [], "seed \(seed &+ UInt64(round))")
      if !found.isEmpty { return }
      for call in history.calls { kinds[call.kind, default: 0] += 1 }
      kinds["jump", default: 0] += history.clockJumps.count
      kinds["kill", default: 0] += history.strikes.count
      kinds["resolved", default: 0] += history.rows.count { $0.settledBy == .operator }
    }
    // What never happens proves nothing.
    for kind in [
      "filled", "void", "in_doubt", "replayed", "busy", "unknown", "untold", "cooldown",
      "in_progress", "in_doubt denial", "disabled", "key_conflict", "jump", "kill", "resolved",
    ] {
      XCTAssertGreaterThan(kinds[kind] ?? 0, 20, "\(kind): \(kinds)")
    }
  }

  /// INV-1 to INV-6: whatever is changed in a good history, it is seen.
  func testMutatedHistories_areAlwaysFlagged() {
    let seed = randomSeed()
    let pool = (0..<40).map { HistoryModel.history(seed: seed &+ $0, calls: 90) }
    var random = SeededRandom(seed: seed, stream: 0x307)
    for mutation in HistoryMutation.allCases {
      var applied = 0
      for round in 0..<120 {
        var mutant = pool[round % pool.count]
        guard mutation.apply(to: &mutant, &random) else { continue }
        applied += 1
        XCTAssertNotEqual(
          Checker(mutant).violations(), [], "\(mutation), seed \(seed), round \(round)")
      }
      XCTAssertGreaterThan(applied, 40, "\(mutation) has nothing to break")
    }
  }

  /// The same with the history of a real run, through its file.
  func testMutatedHistory_ofARealRun_isAlwaysFlagged() throws {
    let directory = TemporaryDirectory()
    let path = directory.file("run.ndjson")
    let run = BuiltBinary.run(
      [
        "simulate", "--duration", "2s", "--workers", "6", "--bots", "3", "--cooldown", "150ms",
        "--exchange-failures", "10%", "--chaos", "kill", "--seed", "7", "--history", path,
      ], environment: ["TMPDIR": directory.path, "TRADELEDGER_DB": ""])
    XCTAssertEqual(run.status, 0, run.stdout + run.stderr)
    let good = try History(bytes: HistoryFile.contents(of: path)).evidence
    XCTAssertEqual(Checker(good).violations(), [])
    let seed = randomSeed()
    var random = SeededRandom(seed: seed, stream: 0x4ea1)
    for mutation in HistoryMutation.allCases {
      for _ in 0..<4 {
        var mutant = good
        guard mutation.apply(to: &mutant, &random) else { continue }
        XCTAssertNotEqual(Checker(mutant).violations(), [], "\(mutation), seed \(seed)")
      }
    }
  }

  /// The seed of this run: `TRADELEDGER_TEST_SEED`, or a new one. Printed, so that a failing run can
  /// be repeated.
  private func randomSeed() -> UInt64 {
    let given = ProcessInfo.processInfo.environment["TRADELEDGER_TEST_SEED"].flatMap(UInt64.init)
    let seed = given ?? UInt64.random(in: 1...999_999_999)
    print(
      "\(name): repeat with TRADELEDGER_TEST_SEED=\(seed) swift test --filter ModelHistoryTests")
    return seed
  }
}

extension Call {
  fileprivate var kind: String {
    switch answer {
    case .filled: "filled"
    case .void: "void"
    case .inDoubt: "in_doubt"
    case .replayed: "replayed"
    case .busy: "busy"
    case .unknown: "unknown"
    case .failed: "failed"
    case .denied("in_doubt", _): "in_doubt denial"
    case .denied(let reason, _): reason
    case nil: "untold"
    }
  }
}
