internal import Foundation
internal import LedgerTestSupport
internal import XCTest

/// What `metrics` writes is what Prometheus reads.
final class MetricsTests: CommandLineTestCase {
  private struct Sample: Hashable {
    let name: String
    let labels: [String: String]
  }

  /// The text format, read strictly: HELP and TYPE once before their samples, all samples of a
  /// metric together, no sample twice, every value a number.
  private func parse(
    _ text: String, file: StaticString = #filePath, line: UInt = #line
  ) throws -> [Sample: Double] {
    XCTAssertTrue(text.hasSuffix("\n"), file: file, line: line)
    var samples: [Sample: Double] = [:]
    var described: Set<String> = []
    var current: (name: String, isTyped: Bool)?
    for row in text.split(separator: "\n") {
      if let help = row.wholeMatch(of: /# HELP ([a-z_]+) [^\\]+/) {
        let name = String(help.1)
        XCTAssertTrue(described.insert(name).inserted, "\(name) twice", file: file, line: line)
        current = (name, false)
      } else if let type = row.wholeMatch(of: /# TYPE ([a-z_]+) gauge/) {
        XCTAssertEqual(String(type.1), current?.name, file: file, line: line)
        current?.isTyped = true
      } else {
        let found = try XCTUnwrap(
          row.wholeMatch(of: /([a-z_]+)\{(.*)\} (-?[0-9]+(\.[0-9]+)?)/), "\(row)", file: file,
          line: line)
        XCTAssertEqual(String(found.1), current?.name, "\(row)", file: file, line: line)
        XCTAssertEqual(current?.isTyped, true, file: file, line: line)
        var labels: [String: String] = [:]
        for label in found.2.matches(of: /([a-z_]+)="((?:[^"\\]|\\.)*)"(,|$)/) {
          XCTAssertNil(labels.updateValue(String(label.2), forKey: String(label.1)))
        }
        let rebuilt = found.2.replacing(/[a-z_]+="(?:[^"\\]|\\.)*"(,|$)/, with: "")
        XCTAssertEqual(rebuilt, "", "\(row)", file: file, line: line)
        let key = Sample(name: String(found.1), labels: labels)
        XCTAssertNil(
          samples.updateValue(Double(found.3) ?? .nan, forKey: key), "\(row)", file: file,
          line: line)
      }
    }
    return samples
  }

  private func value(_ samples: [Sample: Double], _ name: String, _ labels: [String: String])
    -> Double?
  {
    samples[
      Sample(
        name: "tradeledger_" + name, labels: labels.merging(["ledger": ledger]) { own, _ in own })]
  }

  func testMetrics_areTheLedgerInNumbers() throws {
    makeLedger(lease: "1h")
    expect(run(["bot", "add", "idle", "--cooldown", "10s", "--lease", "1ms"]), 0)
    expect(run(["record", "idle"] + Self.order), 0)
    let trade = reserve()
    let now = Date().timeIntervalSince1970
    let samples = try parse(run(["metrics"]).stdout)
    XCTAssertEqual(value(samples, "up", [:]), 1)
    XCTAssertEqual(value(samples, "trades", ["bot": "m", "status": "pending"]), 1)
    XCTAssertEqual(value(samples, "trades", ["bot": "m", "status": "void"]), 0)
    XCTAssertEqual(value(samples, "trades", ["bot": "idle", "status": "filled"]), 1)
    XCTAssertEqual(value(samples, "bot_cooldown_seconds", ["bot": "idle"]), 10)
    XCTAssertEqual(
      try XCTUnwrap(value(samples, "bot_wait_seconds", ["bot": "idle"])), 9, accuracy: 1)
    XCTAssertEqual(
      try XCTUnwrap(value(samples, "bot_last_trade_timestamp_seconds", ["bot": "idle"])), now,
      accuracy: 5)
    XCTAssertGreaterThan(try XCTUnwrap(value(samples, "bot_pending_age_seconds", ["bot": "m"])), 0)
    XCTAssertEqual(value(samples, "bot_in_doubt", ["bot": "m"]), 0)
    XCTAssertEqual(value(samples, "double_trades", ["bot": "m"]), 0)
    XCTAssertGreaterThan(try XCTUnwrap(value(samples, "wal_bytes", [:])), 0)
    XCTAssertNil(value(samples, "restored_timestamp_seconds", [:]))

    expect(run(["void", trade.id, "--token", trade.token, "--reason", "x"]), 0)
    expect(run(["fill", trade.id, "--token", trade.token]), 1)
    expect(
      BuiltBinary.run(
        BuiltBinary.path, ["--db", ledger, "guard", "desk", "--", "true"]), 0)
    let later = try parse(run(["metrics"]).stdout)
    XCTAssertEqual(value(later, "conflicts", ["bot": "m"]), 1)
    XCTAssertEqual(value(later, "instance_epoch", ["instance": "desk"]), 1)
    XCTAssertEqual(value(later, "instance_dead", ["instance": "desk"]), 1)
    for sample in later.keys {
      XCTAssertTrue(
        Set(sample.labels.keys).isSubset(of: [
          "ledger", "bot", "status", "instance", "mode", "layout", "sqlite", "version",
        ]), "\(sample)")
    }
  }

  /// A trade in doubt has an age; a double trade that somebody slipped past the rules is counted.
  func testMetrics_countWhatIsWrong() throws {
    makeLedger(lease: "1ms")
    _ = reserve()
    waitUntil("it is in doubt") { run(["status"]).status == 1 }
    let attack = """
      DROP TRIGGER trade_cooldown; DROP TRIGGER trade_alone; DROP INDEX one_pending;
      INSERT INTO trades (bot_id, key, origin, side, symbol, quantity, cooldown_us, created_at,
        status, filled_at, filled_quantity, received_at)
      SELECT bot_id, 'double', 'record', 'buy', 'X', '1', cooldown_us, now_us, 'filled', now_us, '1',
        now_us FROM current_settings, clock;
      """
    let saved = BuiltBinary.run("sqlite3", [ledger, ".schema"]).stdout
    expect(BuiltBinary.run("sqlite3", [ledger], stdin: attack), 0)
    let unreadable = run(["metrics", "-o", directory.file("m.prom")])
    expect(unreadable, 65, "its rules were changed")
    let text = try String(contentsOfFile: directory.file("m.prom"), encoding: .utf8)
    XCTAssertEqual(value(try parse(text), "up", [:]), 0)
    // Put back as they were, which SQLite stores letter for letter.
    let back = saved.components(separatedBy: "\n")
    func object(_ head: String) -> String {
      var lines: [String] = []
      for line in back.drop(while: { !$0.hasPrefix(head) }) {
        lines.append(line)
        if line.hasSuffix("END;") || head.contains("INDEX") { break }
      }
      return lines.joined(separator: "\n")
    }
    let restore = [
      object("CREATE TRIGGER trade_cooldown"), object("CREATE TRIGGER trade_alone"),
      object("CREATE UNIQUE INDEX one_pending"),
    ].joined(separator: "\n")
    expect(BuiltBinary.run("sqlite3", [ledger], stdin: restore), 0)
    // Nobody is woken up for what happened before the ledger was asked.
    for second in ["00", "01"] {
      let at = "2025-09-07T20:28:\(second)Z"
      expect(run(["record", "m", "--filled-at", at] + Self.order), 0)
    }
    let result = run(["metrics"])
    expect(result, 0)
    let samples = try parse(result.stdout)
    XCTAssertEqual(value(samples, "double_trades", ["bot": "m"]), 1)
    XCTAssertEqual(value(samples, "bot_in_doubt", ["bot": "m"]), 1)
    XCTAssertGreaterThan(
      try XCTUnwrap(value(samples, "bot_in_doubt_age_seconds", ["bot": "m"])), 0)
  }

  /// The example alerts ask for metrics that there are, and Prometheus itself takes both.
  func testAlerts_askForWhatThereIs() throws {
    makeLedger()
    let copy = directory.file("copy.db")
    expect(run(["guard", "desk", "--", "true"]), 0)
    expect(run(["backup", "-o", copy]), 0)
    expect(run(["restore", copy]), 0)
    let metrics = run(["metrics"]).stdout
    let names = Set(try parse(metrics).keys.map(\.name)).union([
      "tradeledger_bot_last_trade_timestamp_seconds"
    ])
    let rules = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("examples/alerts/tradeledger.rules.yml")
    let text = try String(contentsOf: rules, encoding: .utf8)
    let asked = Set(
      text.split(separator: "\n").filter { $0.contains("expr:") }
        .flatMap { $0.matches(of: /tradeledger_[a-z_]+/).map { String($0.0) } })
    XCTAssertGreaterThan(asked.count, 8)
    XCTAssertEqual(asked.subtracting(names), [])
    let check = BuiltBinary.run("promtool", ["check", "rules", rules.path])
    if check.status == 127 { throw XCTSkip("promtool (of prometheus) is not installed") }
    expect(check, 0)
    expect(BuiltBinary.run("promtool", ["check", "metrics"], stdin: metrics), 0)
  }

  /// Whole or not at all; what is not ours is kept.
  func testMetrics_intoAFile_replaceOnlyTheirOwn() throws {
    makeLedger()
    let file = directory.file("tradeledger.prom")
    expect(run(["metrics", "-o", file, "--json"]), 0)
    // Whoever reads the old file at that moment reads all of it, and nothing else.
    let reader = try XCTUnwrap(FileHandle(forReadingAtPath: file))
    let old = try String(contentsOfFile: file, encoding: .utf8)
    expect(run(["metrics", "-o", file, "--json"]), 0)
    XCTAssertEqual(String(decoding: try reader.readToEnd() ?? Data(), as: UTF8.self), old)
    XCTAssertNotEqual(try String(contentsOfFile: file, encoding: .utf8), old)
    let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
    XCTAssertEqual(mode, 0o644, "the collector is another user")
    XCTAssertEqual(
      value(try parse(String(contentsOfFile: file, encoding: .utf8)), "up", [:]), 1)
    let folder = (file as NSString).deletingLastPathComponent
    XCTAssertEqual(
      try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.contains("prom") },
      ["tradeledger.prom"])
    let mine = directory.file("mine.txt")
    try "mine".write(toFile: mine, atomically: true, encoding: .utf8)
    expect(run(["metrics", "-o", mine]), 73)
    expect(run(["metrics", "-o", ledger]), 73)
    XCTAssertEqual(try String(contentsOfFile: mine, encoding: .utf8), "mine")
    expect(run(["metrics", "--json"]), 64)
    expect(run(["status"]), 0)
  }
}
