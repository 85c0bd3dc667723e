internal import Foundation
internal import LedgerTestSupport
internal import XCTest

/// `export`, and the way back by `import`.
final class ExportTests: ImportTestCase {
  /// Trades of every kind, some with names that mean something elsewhere.
  private func fill() throws {
    makeLedger(cooldown: "0s")
    expect(run(["bot", "add", "=a:b#c", "--cooldown", "0s"]), 0)
    for (key, bot, symbol) in [
      ("'=k", "=a:b#c", "=X:1"), ("''@k", "m", "+Y"), ("=cmd", "m", "AAPL"),
      ("date:2025-13-01,[2025-13-01]", "m", "BTC/USDT:USDT"), ("\"q\",", "m", "BTC-USD"),
    ] {
      expect(
        run([
          "record", bot, "--side", "sell", "--symbol", symbol, "--quantity", "0.000000000000000001",
          "--price", "123456789012345678.5", "--key", key, "--filled-at",
          "2025-09-07T20:28:53.395951Z",
        ]), 0)
    }
    expect(run(["record", "m", "--key", "plain"] + Self.order), 0)
    let (id, _, token) = reserve(["--key", "void"])
    expect(run(["void", id, "--token", token, "--reason", "not, \"sent\""]), 0)
  }

  func testCSVAndNDJSON_readBack_giveTheSameFacts() throws {
    try fill()
    let before = try facts()
    for format in ["csv", "ndjson"] {
      let file = directory.file("out.\(format)")
      expect(run(["export", "--format", format, "-o", file]), 0)
      // An older one is replaced.
      expect(run(["export", "--format", format, "-o", file]), 0)
      let fresh = directory.file("\(format).db")
      expect(run(["init"], db: fresh), 0)
      let answer = imported([file, "--cooldown", "0s"], db: fresh)
      XCTAssertEqual(answer["imported"] as? Int, 6, format)
      XCTAssertEqual((answer["not_executed"] as? [[String: Any]])?.count, 1, format)
      XCTAssertEqual(try facts(fresh), before, format)
      // Into the ledger it came from, nothing.
      XCTAssertEqual(imported([file])["known"] as? Int, 6, format)
      try LedgerFileCheck.verify(fresh)
    }
  }

  func testCSV_noCellIsAFormula() throws {
    try fill()
    let lines = run(["export", "--format", "csv"]).stdout
    for record in lines.components(separatedBy: "\r\n").dropFirst() {
      for cell in record.components(separatedBy: ",") {
        let first = cell.drop { $0 == "\"" }.first
        XCTAssertFalse("=+-@\t\r".contains(first ?? "x"), record)
      }
    }
    XCTAssertEqual(lines, run(["export", "--format", "csv", "-o", "-"]).stdout)
  }

  /// More trades than one piece holds, oldest first, none left out.
  func testJSON_holdsAllTrades_inOrder() throws {
    makeLedger(cooldown: "0s")
    let rows = (1...2345).map { "k\($0),m,buy,X,1,\(1_700_000_000 + $0)\n" }
    let file = try write("f.csv", "key,bot,side,symbol,quantity,ts\n" + rows.joined())
    _ = imported([file])
    let object = json(run(["export", "--format", "json"]))
    let trades = object["trades"] as? [[String: Any]] ?? []
    XCTAssertEqual(object["total"] as? Int, 2345)
    XCTAssertEqual(trades.map { $0["id"] as? Int }, Array(1...2345))
    let lines = run(["export", "--format", "ndjson", "--bot", "m"]).stdout.split(separator: "\n")
    XCTAssertEqual(lines.count, 2345)
    let some = run(["export", "--format", "csv", "--from", "2023-11-14T22:52:24Z"]).stdout
    XCTAssertEqual(some.components(separatedBy: "\r\n").count - 2, 2)
  }

  func testHledger_acceptsTheJournal() throws {
    try fill()
    _ = reserve(["--key", "open"])
    let file = directory.file("x.journal")
    expect(run(["export", "--format", "hledger", "-o", file]), 0)
    let text = try String(contentsOfFile: file, encoding: .utf8)
    XCTAssertTrue(text.contains("left out: 1 pending, 1 void"), text)
    let check = BuiltBinary.run("hledger", ["-f", file, "check", "--strict"])
    if check.status == 127 { throw XCTSkip("hledger is not installed: apt-get install hledger") }
    expect(check, 0)
    let balance = BuiltBinary.run("hledger", ["-f", file, "print", "-O", "csv"])
    expect(balance, 0)
    XCTAssertTrue(balance.stdout.contains("0.000000000000000001"), balance.stdout)
  }

  /// Slices of one lane do not overlap, or Perfetto would drop them.
  func testChromeTrace_lanesDoNotOverlap() throws {
    makeLedger()
    let file = try write(
      "f.csv",
      "key,bot,side,symbol,quantity,ts\na,m,buy,X,1,1757276933\nb,m,buy,X,1,1757276934\n"
        + "c,m,buy,X,1,1757280000\n")
    _ = imported([file])
    let (id, _, token) = reserve()
    expect(run(["void", id, "--token", token, "--reason", "no"]), 0)
    let out = directory.file("t.json")
    let said = run(["export", "--format", "chrome-trace", "-o", out, "--json"])
    XCTAssertEqual(json(said)["trades"] as? Int, 4)
    let data = try Data(contentsOf: URL(fileURLWithPath: out))
    let events = try XCTUnwrap(JSONSerialization.jsonObject(with: data) as? [[String: Any]])
    var lanes: [Int: [(Int, Int)]] = [:]
    for event in events where event["ph"] as? String == "X" {
      let start = try XCTUnwrap(event["ts"] as? Int)
      lanes[event["tid"] as? Int ?? 0, default: []].append(
        (start, start + (event["dur"] as? Int ?? 0)))
    }
    XCTAssertEqual(lanes.count, 2)
    for slices in lanes.values.map({ $0.sorted { $0 < $1 } }) {
      for (one, next) in zip(slices, slices.dropFirst()) { XCTAssertLessThanOrEqual(one.1, next.0) }
    }
    let marks = events.filter { $0["ph"] as? String == "i" }.compactMap { $0["name"] as? String }
    XCTAssertEqual(
      marks, ["filled 1", "filled 2 INSIDE THE COOLDOWN", "filled 3", "void 4"])
  }

  func testOtherFiles_areNotReplaced_andNothingIsLeft() throws {
    try fill()
    let path = try write("notes.txt", "mine")
    assertUnchanged {
      for format in ["csv", "json", "ndjson", "hledger", "chrome-trace"] {
        expectError(["export", "--format", format, "-o", path], 73)
        expectError(["export", "--format", format, "-o", ledger], 73)
        expectError(["export", "--format", format, "-o", ledger + "-wal"], 64)
        expectError(["export", "--format", format, "-o", directory.file("no/x")], 74)
      }
      expectError(["export", "--format", "csv", "--bot", "none", "-o", path + ".csv"], 66)
    }
    XCTAssertEqual(try String(contentsOfFile: path, encoding: .utf8), "mine")
    let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
    XCTAssertEqual(names.filter { $0.contains("notes") }, ["notes.txt"])
  }
}
