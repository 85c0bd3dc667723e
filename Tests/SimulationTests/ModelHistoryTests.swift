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

  private func randomSeed() -> UInt64 {
    let given = ProcessInfo.processInfo.environment["TRADELEDGER_TEST_SEED"].flatMap { UInt64($0) }
    let seed = given ?? UInt64.random(in: 0...UInt64(UInt32.max))
    print("TRADELEDGER_TEST_SEED=\(seed)")
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
