internal import Foundation
internal import LedgerTestSupport
internal import XCTest

/// `status --watch` on a terminal, and where there is none.
final class WatchTests: TerminalTestCase {
  private func watch(
    _ script: [String], columns: Int = 80, rows: Int = 24,
    environment: [String: String] = [:]
  ) throws -> Seen {
    try onTerminal(
      ["status", "--watch", "--interval", "200ms"], script, columns: columns, rows: rows,
      environment: environment)
  }

  func testWatch_showsWhatHappens_andGivesTheTerminalBack() throws {
    makeLedger(lease: "1ms")
    expect(run(["bot", "add", "baseline/BTC-USD-perpetual-account-17", "--cooldown", "1h"]), 0)
    let order = Self.order.joined(separator: " ")
    let seen = try watch([
      "wait ready", "run reserve m \(order)", "wait somebody has to look", "key q",
    ])
    XCTAssertEqual(seen.status, 1, "somebody has to look")
    XCTAssertTrue(seen.isRestored)
    XCTAssertTrue(seen.raw.hasSuffix("\u{1b}[?25h\u{1b}[?1049l"), String(seen.raw.suffix(40)))
    // In place and never cleared as a whole, which would flicker.
    XCTAssertFalse(seen.raw.contains("\u{1b}[2J"))
    let last = seen.screens[1]
    XCTAssertTrue(last.allSatisfy { $0.count <= 80 })
    XCTAssertTrue(last[0].contains("live  "), last[0])
    XCTAssertEqual(last[2], "somebody has to look")
    XCTAssertTrue(last[5].hasPrefix("m "), "who needs somebody comes first: \(last[5])")
    XCTAssertTrue(last[6].hasPrefix("baseline/BTC-USD-perpetua~  ready"), last[6])
    XCTAssertTrue(last.contains { $0.hasPrefix("then: tradeledger resolve 1 ") })
    let first = try XCTUnwrap(seen.screens.first)
    XCTAssertEqual(first[2], "nothing needs attention")
  }

  func testWatch_followsTheSizeOfTheTerminal() throws {
    makeLedger()
    for number in 0..<30 { expect(run(["bot", "add", "bot-\(number)", "--cooldown", "0s"]), 0) }
    let seen = try watch([
      "wait more bots", "size 40 10", "wait ... 27 more", "size 100 50",
      "wait bot-29", "signal 2",
    ])
    XCTAssertEqual(seen.status, 128 + 2)
    XCTAssertTrue(seen.isRestored)
    XCTAssertEqual(seen.screens[1].count, 10)
    XCTAssertTrue(seen.screens[1].allSatisfy { $0.count <= 40 }, "\(seen.screens[1])")
    XCTAssertFalse(seen.screens[2].contains { $0.contains("more bots") })
  }

  func testWatch_withoutColour_saysTheSame() throws {
    makeLedger()
    let plain = try watch(["wait ready", "signal 15"], environment: ["NO_COLOR": "1"])
    XCTAssertEqual(plain.status, 128 + 15)
    XCTAssertTrue(plain.isRestored)
    XCTAssertNil(plain.raw.firstMatch(of: /\u{1b}\[[0-9;]*m/))
    let coloured = try watch(["wait ready", "key q"], environment: ["NO_COLOR": ""])
    XCTAssertEqual(coloured.status, 0)
    XCTAssertNotNil(coloured.raw.firstMatch(of: /\u{1b}\[[0-9;]*m/))
  }

  /// A restore is not kept waiting by a watch, and is seen by it.
  func testWatch_goesOnThroughARestore() throws {
    makeLedger()
    let copy = directory.file("copy.db")
    expect(run(["backup", "-o", copy]), 0)
    let seen = try watch(["wait ready", "run restore \(copy)", "wait cooldown", "key q"])
    XCTAssertEqual(seen.status, 0)
  }

  func testWatch_withoutATerminal_printsBlocks() throws {
    makeLedger()
    for (arguments, isJSON) in [([], false), (["--json"], true)] {
      let child = try ChildProcess(
        BuiltBinary.path,
        ["--db", ledger, "status", "--watch", "--interval", "100ms"] + arguments)
      var lines: [String] = []
      while lines.filter({ isJSON ? $0.hasPrefix("{") : $0.hasPrefix("BOT") }).count < 3 {
        lines.append(try XCTUnwrap(child.readLine(timeout: 20)))
      }
      child.signal(SIGTERM)
      XCTAssertEqual(child.wait(), 128 + 15)
      XCTAssertFalse(child.standardOutput.contains("\u{1b}"))
      if isJSON {
        for line in lines {
          XCTAssertEqual(object(line + "\n")["schema"] as? String, "tradeledger.status/1")
        }
      }
    }
    expectError(["status", "--interval", "1s"], 64)
    expectError(["status", "--watch", "--interval", "1ms"], 65)
    expectError(["status", "--watch"], 66, db: directory.file("none.db"))
  }
}
