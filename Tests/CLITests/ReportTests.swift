internal import Foundation
internal import LedgerTestSupport
internal import XCTest

/// `tradeledger report` and `simulate --report`.
final class ReportTests: CommandLineTestCase {
  private var page: String { directory.file("report.html") }

  private func text() throws -> String { try String(contentsOfFile: page, encoding: .utf8) }

  /// Two facts of the past, 0.816543 s apart, and a trade of now.
  private func makeDoubleTrade() {
    makeLedger()
    for instant in ["2025-09-07T20:28:53.395950Z", "2025-09-07T20:28:54.212493Z"] {
      expect(run(["record", "m", "--filled-at", instant] + Self.order), 0)
    }
    _ = reserve()
  }

  /// INV-10: the picture is taken without a trace.
  func testReport_showsTheDoubleTrade_andChangesNothing() throws {
    makeDoubleTrade()
    let before = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
    try assertUnchanged {
      let result = run(["report", "-o", page])
      expect(result, 0)
      XCTAssertEqual(result.stdout, "")
      let text = try text()
      XCTAssertTrue(text.contains("1 double trade in 3 trades of 1 bot"))
      XCTAssertTrue(text.contains("trades 1 and 2, 0.816543 s apart; the cooldown is 15m"))
      XCTAssertTrue(text.contains("buy 0.5 BTC-USD"))
      XCTAssertTrue(text.contains("are part of 1 of them"))
    }
    let after = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
    XCTAssertEqual(after, (before + ["report.html"]).sorted(), "nothing is left behind")
  }

  /// The same data, the same page, but for the instant as of which it was read and what hangs on
  /// it: how long a bot still has to wait.
  func testReport_isTheSameForTheSameLedger() throws {
    makeLedger()
    expect(
      run(["record", "m", "--filled-at", "2025-09-07T20:28:53.395950Z"] + Self.order), 0)
    let pages = (0..<2).map { _ in
      run(["report", "-o", "-"]).stdout
        .replacing(/<dt>as of<\/dt><dd>[^<]*<\/dd>/, with: "as of")
    }
    XCTAssertTrue(pages[0].contains("as of"))
    XCTAssertTrue(pages[0].hasPrefix("<!DOCTYPE html>"))
    XCTAssertEqual(pages[0], pages[1])
  }

  func testReport_ofNothing_isNoPass() throws {
    makeLedger()
    expect(run(["report", "-o", page]), 0)
    XCTAssertTrue(try text().contains("Nothing was examined. This is not a pass."))
    XCTAssertFalse(try text().contains("✓"))
    _ = reserve()
    expect(run(["report", "-o", page, "--from", "2999-01-01T00:00:00Z"]), 0)
    XCTAssertTrue(try text().contains("This is not a pass."))
    expect(run(["report", "-o", page]), 0, "replaces its own page")
    XCTAssertTrue(try text().contains("No double trade in 1 trade of 1 bot"))
  }

  func testReport_ofOneBot_hasNoOther() throws {
    makeDoubleTrade()
    expect(run(["bot", "add", "quiet-one", "--cooldown", "1s"]), 0)
    expect(run(["record", "quiet-one"] + Self.order), 0)
    expect(run(["report", "--bot", "quiet-one", "-o", page]), 0)
    XCTAssertTrue(try text().contains("No double trade in 1 trade of 1 bot"))
    XCTAssertFalse(try text().contains("0.816543"))
    expectError(["report", "--bot", "nobody", "-o", page], 66)
  }

  /// An older page is replaced in one step and keeps its mode; nothing else is ever overwritten.
  func testReport_overwritesPagesAlone() throws {
    makeDoubleTrade()
    assertUnchanged { expectError(["report", "-o", ledger], 73) }
    let notes = directory.file("notes.txt")
    try "my notes".write(toFile: notes, atomically: false, encoding: .utf8)
    expectError(["report", "-o", notes], 73)
    XCTAssertEqual(try String(contentsOfFile: notes, encoding: .utf8), "my notes")
    let link = directory.file("link.html")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: ledger)
    expectError(["report", "-o", link], 73)
    expectError(["report", "-o", directory.path], 73)
    expectError(["report", "-o", ledger + "-wal"], 64)
    expectError(["report", "-o", directory.file("none/x.html")], 74)
    expectError(["report"], 64)
    expectError(["report", "-o", "-"], 64)

    expect(run(["report", "-o", page]), 0)
    XCTAssertEqual(try mode(), 0o600, "trades are nobody else's business, until told otherwise")
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: page)
    expect(run(["report", "-o", page, "--json"]), 0)
    XCTAssertEqual(try mode(), 0o644)
  }

  private func mode() throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: page)[.posixPermissions] as? Int
  }

  /// A page that cannot be written is 74, never "no".
  func testReport_ontoAFullStream_isAnError() {
    makeDoubleTrade()
    let command = "\"$0\" --db \"$1\" report -o - > /dev/full"
    let result = BuiltBinary.run("sh", ["-c", command, BuiltBinary.path, ledger])
    expect(result, 74)
    XCTAssertTrue(result.stderr.hasPrefix("error: "), result.stderr)
  }

  /// Each double trade of the bug stands on the page, with as many denials and kills as were told.
  func testSimulation_isDrawnWhole() throws {
    let naive = BuiltBinary.run([
      "simulate", "--strategy", "naive", "--duration", "1s", "--cooldown", "100ms", "--json",
      "--report", page,
    ])
    expect(naive, 1)
    let answer = json(naive)
    let doubles = answer["double_trades"] as? Int ?? -1
    let text = try text()
    XCTAssertGreaterThan(doubles, 0)
    XCTAssertTrue(text.contains("<h2 id=\"doubles\">\(doubles) double trade"))
    let denied = (answer["denied"] as? [String: Int])?.values.reduce(0, +) ?? -1
    let lanes = text.matches(of: /<td>bot-\d+<\/td>(?:<td>[\d.,ms]+<\/td>){7}<td>([\d,]+)<\/td>/)
    XCTAssertEqual(
      lanes.reduce(0) { $0 + (Int($1.1.replacing(",", with: "")) ?? 0) }, denied, "denials")

    let killed = BuiltBinary.run([
      "simulate", "--duration", "2s", "--chaos", "kill", "--json", "--report", page,
    ])
    let kills = json(killed)["kills"] as? Int ?? -1
    XCTAssertGreaterThan(kills, 0)
    XCTAssertTrue(try self.text().contains("\(kills) fault\(kills == 1 ? "" : "s") injected"))
    XCTAssertEqual(try self.text().matches(of: /<line class="event"/).count, kills)
  }

  /// A destination that cannot be written is found before hours of simulation.
  func testSimulation_looksAtItsPageFirst() {
    let result = BuiltBinary.run(["simulate", "--duration", "1h", "--report", "/nowhere/x.html"])
    expect(result, 74)
  }
}
