import Foundation
import LedgerTestSupport
import XCTest

@testable import LedgerSimulation

/// A run in a file: nothing gets lost, and nothing else is taken for one.
final class HistoryTests: XCTestCase {
  private func sample() -> History {
    var options = SimulationOptions()
    options.workers = 5
    options.bots = 2
    options.duration = .milliseconds(1500)
    options.chaos = [.kill]
    options.seed = SimulationOptions.largestSeed
    var evidence = Sample.good()
    evidence.bots.append(BotTerms(name: "bot-3", cooldown: 0, blocks: true, isEnabled: false))
    evidence.rows[0].receivedBoot = 17
    evidence.rows[0].pid = nil
    evidence.rows[1].settledBy = .operator
    evidence.orders.append(Sample.order("k\"1\\", at: 7, .expired))
    evidence.orders.append(Sample.order("k1", at: 7, .repeated))
    evidence.conflicts = [ConflictRow(bot: "bot-1", trade: 2)]
    evidence.clockJumps = [ClockJump(from: -3, to: 4, offset: -3_600_000_000)]
    evidence.strikes = [
      Strike(kind: .kill, worker: 1, pid: 101, at: 5),
      Strike(kind: .pause, worker: 2, pid: 1, at: 6),
      Strike(kind: .resume, worker: 2, pid: 1, at: 7),
    ]
    evidence.rows[2].instance = "i"
    evidence.rows[2].epoch = 7
    evidence.tenures = [
      Sample.tenure("i", worker: 1, at: 1, told: 2, .taken(epoch: 7), leaving: 3, left: 4),
      Sample.tenure("i", worker: 2, at: 1, told: 2, .held), Sample.tenure("i", worker: 3, at: 1),
      Sample.tenure("j", at: 1, told: 2, .taken(epoch: nil), killed: 3, gone: 4),
    ]
    options.instances = 2
    for answer in [
      .failed(code: "io"), .unknown(code: "outcome_unknown"), .replayed(trade: 1),
      .inDoubt(trade: 3),
    ] as [Answer] {
      evidence.calls.append(Sample.call("k9", worker: 4, at: 8, told: 9, answer))
    }
    return History(
      options: options, elapsed: .milliseconds(1499), interruption: 2,
      failures: ["line\nfeed \"quoted\" \u{7f} \u{1}é𝄞"], kills: [0, 1, 2, 3, 4],
      evidence: evidence)
  }

  private func lines(_ history: History) -> [String] {
    String(decoding: history.bytes(), as: UTF8.self).split(separator: "\n").map(String.init)
  }

  private func error(_ text: String) -> HistoryError? {
    do throws(HistoryError) {
      _ = try History(bytes: Array(text.utf8))
      return nil
    } catch { return error }
  }

  private func joined(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }

  func testHistory_comesBackWhole() throws {
    XCTAssertEqual(try History(bytes: sample().bytes()), sample())
  }

  /// Each line is JSON for every reader of JSON.
  func testHistory_isNDJSON() throws {
    let lines = lines(sample())
    for line in lines {
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
      XCTAssertNotNil(object as? [String: Any], line)
    }
    XCTAssertTrue(lines[0].hasPrefix(#"{"schema":"tradeledger.history/2","#))
    let failure = try XCTUnwrap(lines.first { $0.contains(#""failure""#) })
    let object = try JSONSerialization.jsonObject(with: Data(failure.utf8)) as? [String: String]
    XCTAssertEqual(object?["what"], sample().failures[0])
  }

  /// What other writers of JSON make of it is the same.
  func testHistory_takesBlanksAnyOrderAndAllEscapes() throws {
    var lines = lines(sample())
    let index = try XCTUnwrap(lines.firstIndex { $0.contains(#""failure""#) })
    lines[index] =
      "\t{ \"what\" : \"\\u0041\\ud834\\udd1e\\/\\b\\f\\n\\r\\t\" , \"line\":\"failure\"}\r"
    XCTAssertEqual(
      try History(bytes: Array(joined(lines).utf8)).failures, ["A𝄞/\u{8}\u{c}\n\r\t"])
  }

  func testHistory_thatIsCutOffAnywhere_isRefused() {
    let bytes = sample().bytes()
    for length in 0..<bytes.count {
      var found: HistoryError?
      do throws(HistoryError) { _ = try History(bytes: Array(bytes[..<length])) } catch {
        found = error
      }
      XCTAssertEqual(found?.kind, .badData, "\(length)")
    }
  }

  func testHistory_withALineMissingOrTwice_isRefused() {
    let lines = lines(sample())
    for index in lines.indices {
      var fewer = lines
      fewer.remove(at: index)
      XCTAssertEqual(error(joined(fewer))?.kind, .badData, lines[index])
      XCTAssertEqual(error(joined(lines + [lines[index]]))?.kind, .badData, lines[index])
    }
  }

  func testBadHistory_isRefusedWithItsLine() {
    let good = lines(sample())
    func check(_ what: String, _ line: Int, _ change: (inout [String]) -> Void) {
      var lines = good
      change(&lines)
      let found = error(joined(lines))
      XCTAssertTrue(found?.message.contains("line \(line): ") ?? false, "\(found as Any)")
      XCTAssertTrue(found?.message.contains(what) ?? false, "\(found as Any)")
      XCTAssertNotEqual(found?.hint, "")
    }
    let call = good.firstIndex { $0.contains(#""call""#) } ?? 0
    let tenure = good.firstIndex { $0.contains(#""tenure""#) } ?? 0
    check(
      "a tenure of a worker that does not exist", tenure + 1
    ) { lines in
      lines[tenure] = lines[tenure].replacingOccurrences(of: #""worker":1"#, with: #""worker":9"#)
    }
    check("no such answer", tenure + 1) { lines in
      lines[tenure] = lines[tenure].replacingOccurrences(of: "taken 7", with: "taken by force")
    }
    let order = good.firstIndex { $0.contains(#""order""#) } ?? 0
    func edit(_ index: Int, _ old: String, _ new: String) -> (inout [String]) -> Void {
      { lines in
        XCTAssertTrue(lines[index].contains(old), lines[index])
        lines[index] = lines[index].replacingOccurrences(of: old, with: new)
      }
    }
    check("no schema", 1, edit(0, "tradeledger.history/", "tradeledger.audit/"))
    check("another version", 1, edit(0, "history/2", "history/1"))
    check("another version", 1, edit(0, "history/2", "history/20"))
    check("workers out of range", 1, edit(0, #""workers":5"#, #""workers":0"#))
    check("no such strategy", 1, edit(0, #""ledger""#, #""luck""#))
    check("no such chaos", 1, edit(0, #""chaos":"kill""#, #""chaos":"kill,rain""#))
    check("does not belong here", 1, edit(0, #""seed""#, #""more":1,"seed""#))
    check("no seed", 1, edit(0, #""seed""#, #""seat""#))
    check("two members of one name", 1, edit(0, #""seed""#, #""bots":2,"seed""#))
    check("a worker out of order", 2, edit(1, #""worker":0"#, #""worker":1"#))
    check("a worker that does not exist", call + 1, edit(call, #""worker":0"#, #""worker":5"#))
    check("pid is not an integer", call + 1, edit(call, #""pid":100"#, #""pid":"100""#))
    check("key is not a text", call + 1, edit(call, #""key":"k1""#, #""key":1"#))
    check("key is null", call + 1, edit(call, #""key":"k1""#, #""key":null"#))
    check("no end of the object", call + 1, edit(call, #""pid":100"#, #""pid":1e2"#))
    check("neither a text", call + 1, edit(call, #""pid":100"#, #""pid":[1]"#))
    check("neither a text", call + 1, edit(call, #""pid":100"#, #""pid":0100"#))
    check("pid out of range", call + 1, edit(call, #""pid":100"#, #""pid":-1"#))
    check(
      "too large a number", call + 1, edit(call, #""trade":1"#, #""trade":9223372036854775807"#))
    check("no such answer", call + 1, edit(call, #""filled 1""#, #""filled""#))
    check("by one clock alone", call + 1) { lines in
      lines[call] = lines[call].replacingOccurrences(
        of: #""told_boot_us":\d+"#, with: #""told_boot_us":null"#, options: .regularExpression)
    }
    check("no such decision", order + 1, edit(order, #""accepted "#, #""accepted by "#))
    check("no such kind of line", call + 1, edit(call, #""line":"call""#, #""line":"phone""#))
    check("no line", call + 1, edit(call, #""line":"call""#, #""kind":"call""#))
    check("something after the object", call + 1, edit(call, "}", "}}"))
    check("half a character", call + 1, edit(call, #""k1""#, #""\ud834""#))
    check("an escape", call + 1, edit(call, #""k1""#, #""\x41""#))
    check("no JSON object", call + 1) { $0[call] = "" }
  }

  /// Whatever bytes change: an error or a history, never a crash.
  func testHistory_withRandomBytes_neverCrashes() {
    let bytes = sample().bytes()
    var random = SeededRandom(seed: 4, stream: 0xb17)
    var refused = 0
    for _ in 0..<3000 {
      var changed = bytes
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        changed[Int.random(in: changed.indices, using: &random)] = .random(
          in: 0...255, using: &random)
      }
      do throws(HistoryError) { _ = try History(bytes: changed).result() } catch { refused += 1 }
    }
    XCTAssertGreaterThan(refused, 1000)
  }

  // MARK: The command

  /// Judged offline: the same verdict in the same words, and no ledger is needed.
  func testCheck_saysWhatTheRunSaid() throws {
    let directory = TemporaryDirectory()
    for (strategy, status) in [("ledger", 0), ("naive", 1)] as [(String, Int32)] {
      let path = directory.file("\(strategy).ndjson")
      let environment = ["TMPDIR": directory.path, "TRADELEDGER_DB": ""]
      let arguments = ["simulate", "--strategy", strategy, "--duration", "1s", "--seed", "3"]
      let options = ["--cooldown", "100ms", "--chaos", "kill", "--history", path]
      let run = BuiltBinary.run(arguments + options, environment: environment)
      XCTAssertEqual(run.status, status, run.stdout + run.stderr)
      let check = BuiltBinary.run(["simulate", "--check", path], environment: environment)
      XCTAssertEqual(check.status, status, check.stderr)
      XCTAssertEqual(check.stdout, run.stdout)
      XCTAssertEqual(check.stderr, "")
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      XCTAssertEqual(attributes[.posixPermissions] as? Int, 0o600)
      // An existing file is never overwritten, and nothing is run.
      let again = BuiltBinary.run(arguments + options, environment: environment)
      XCTAssertEqual(again.status, 73, again.stdout)
    }
  }

  func testCheck_ofWhatIsNoHistory_says65Or66() throws {
    let directory = TemporaryDirectory()
    func check(_ path: String, _ status: Int32, _ words: String, line: UInt = #line) {
      let run = BuiltBinary.run(["simulate", "--check", path])
      XCTAssertEqual(run.status, status, run.stderr, line: line)
      XCTAssertTrue(run.stderr.contains(words), run.stderr, line: line)
      XCTAssertTrue(run.stderr.contains("hint:"), run.stderr, line: line)
      XCTAssertEqual(run.stdout, "", line: line)
    }
    check(directory.file("missing"), 66, "No such file")
    check(directory.path, 66, "not a file")
    check("/dev/null", 66, "not a file")
    for (name, text, words) in [
      ("empty", "", "it is empty"), ("text", "hello\n", "line 1: no JSON object"),
      ("newer", #"{"schema":"tradeledger.history/3"}"# + "\n", "another version"),
      ("cut", #"{"schema":"tradeledger.history/2""#, "line 1: the file ends"),
      ("escape", "{\"line\u{1b}[31m\":1}\n", "line 1: a control character"),
    ] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: directory.file(name)))
      check(directory.file(name), 65, words)
    }
    XCTAssertEqual(BuiltBinary.run(["simulate", "--check", "a", "--history", "b"]).status, 64)
  }

  /// Thirty thousand calls; what is quadratic takes several times as long as the bar.
  func testCheck_ofManyCalls_isLinear() throws {
    var evidence = Evidence(bots: [Sample.bot("bot-1")])
    for id in 1...3000 as ClosedRange<Int64> {
      let time = id * 600_000
      let key = "k\(id)"
      let row = Sample.row(id, key, .filled, at: time, filled: time + 900, received: time + 950)
      evidence.rows.append(row)
      evidence.orders.append(Sample.order(key, executed: time + 900))
      evidence.calls.append(
        Sample.call(
          key, at: time - 10, ordered: time + 10, trade: id, told: time + 1000, .filled(trade: id)))
      for index in 0..<9 as Range<Int64> {
        let asked = time + 2000 + index * 100
        evidence.calls.append(
          Sample.call(
            "\(key).\(index)", worker: 1, at: asked, told: asked + 50,
            .denied(reason: "cooldown", winner: index == 0 ? nil : id)))
      }
    }
    var options = SimulationOptions()
    options.workers = 2
    options.bots = 1
    let history = History(
      options: options, elapsed: .seconds(10), kills: [0, 0], evidence: evidence)
    let start = ContinuousClock.now
    let bytes = history.bytes()
    let written = ContinuousClock.now
    let read = try History(bytes: bytes)
    let parsed = ContinuousClock.now
    XCTAssertEqual(Checker(read.evidence).violations(), [])
    let judged = ContinuousClock.now
    print("written \(written - start), read \(parsed - written), judged \(judged - parsed)")
    XCTAssertLessThan(judged - parsed, .seconds(12))
  }
}
