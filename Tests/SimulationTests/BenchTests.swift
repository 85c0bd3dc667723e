import Foundation
import LedgerTestSupport
import XCTest

/// `bench` with real workers. What is counted, never how long it took.
final class BenchTests: SimulationTestCase {
  private var places: [TemporaryDirectory] = []

  private static let keys: Set = [
    "schema", "case", "processes", "per_second", "per_second_range", "ceiling_per_second",
    "ratio_to_ceiling", "ratio_to_same", "latency_us", "longest_us_median",
    "longest_us_range", "fairness", "fairness_range",
    "wal_bytes", "statements_per_op", "fsyncs_per_op", "rounds", "operations", "unanswered",
    "ratio_to_small", "ratio_to_small_range", "trades", "ceilings",
  ]

  private func bench(
    _ arguments: [String], in directory: TemporaryDirectory
  ) -> BuiltBinary.Result {
    BuiltBinary.run(
      ["bench", "--json", "--dir", directory.path] + arguments,
      environment: ["TRADELEDGER_DB": ""])
  }

  private func lines(_ result: BuiltBinary.Result) throws -> [[String: Any]] {
    XCTAssertEqual(result.status, 0, result.stderr)
    return try result.stdout.split(separator: "\n").map { try json(String($0)) }
  }

  func testEachCase_isMeasuredWithRealWorkers() throws {
    let directory = TemporaryDirectory()
    let found = try lines(
      bench(
        ["--processes", "1,2", "--duration", "100ms", "--rounds", "2", "--trades", "2000"],
        in: directory))
    let cases = ["accept", "two-phase", "deny", "hot-bot", "guard", "batch", "growth"]
    XCTAssertEqual(found.map { $0["case"] as? String }, cases.flatMap { [$0, $0] })
    for line in found {
      let name = "\(line["case"] ?? "?")"
      XCTAssertEqual(Set(line.keys), Self.keys, name)
      XCTAssertEqual(line["schema"] as? String, "tradeledger.bench/1")
      XCTAssertEqual(try count("rounds", line), 2)
      XCTAssertGreaterThan(try count("operations", line), 0, name)
      XCTAssertGreaterThan(try count("wal_bytes", line), 0, name)
      XCTAssertTrue(line["ceiling_per_second"] is NSNull, "no program was given")
      XCTAssertTrue(line["ratio_to_ceiling"] is NSNull)
      XCTAssertEqual((line["ceilings"] as? [Any])?.count, 0)
      let latency = try XCTUnwrap(line["latency_us"] as? [String: Int])
      XCTAssertEqual(Set(latency.keys), ["p50", "p99", "p999", "max"])
      XCTAssertEqual(line["trades"] as? Int, name == "growth" ? 2000 : nil)
      let fairness = try XCTUnwrap(line["fairness"] as? String)
      if try count("processes", line) == 1 { XCTAssertEqual(fairness, "1.000", name) }
    }
    XCTAssertEqual(try leftovers(directory), [])
  }

  /// 50 a second for 200 ms are 10 operations, however fast the machine is.
  func testRate_decidesHowManyOperationsThereAre() throws {
    let directory = TemporaryDirectory()
    let found = try lines(
      bench(
        [
          "--case", "accept", "--processes", "2", "--duration", "200ms", "--rounds", "2",
          "--rate", "50",
        ], in: directory))
    XCTAssertEqual(found.count, 1)
    let all = try count("operations", found[0]) + count("unanswered", found[0])
    XCTAssertEqual(all, 20)
  }

  func testCeiling_isAskedInEachRound() throws {
    let directory = TemporaryDirectory()
    let found = try lines(
      bench(
        [
          "--case", "accept", "--case", "guard", "--processes", "2", "--duration", "50ms",
          "--rounds", "3", "--ceiling", try ceiling("echo 1 1000000 1 1 1 7000 1 2", directory),
        ], in: directory))
    let log = try String(contentsOfFile: directory.file("asked"), encoding: .utf8)
    let asked = log.split(separator: "\n").map { $0.split(separator: " ") }
    // Design and processes of each; the directory is the ledger's own.
    XCTAssertEqual(
      asked.map { "\($0[1]) \($0[3]) \($0[4])" },
      (0..<3).flatMap { _ in ["bare-accept 1 50000", "same-accept 1 50000", "bare-accept 2 50000"] }
        + (0..<3).map { _ in "same-guard 1 50000" })
    XCTAssertEqual(found[0]["ceiling_per_second"] as? Int, 1)
    XCTAssertNotNil(found[0]["ratio_to_ceiling"] as? String)
    XCTAssertTrue(found[1]["ceiling_per_second"] is NSNull, "guard has no bare ceiling")
    XCTAssertNotNil(found[1]["ratio_to_same"] as? String)
  }

  func testRequire_decidesBetweenYesAndNo() throws {
    let directory = TemporaryDirectory()
    let arguments = [
      "--case", "deny", "--processes", "1", "--duration", "20ms", "--rounds", "1", "--ceiling",
    ]
    let slow = try ceiling("echo 1 1000000 1 1 1 1 1 1", directory)
    XCTAssertEqual(bench(arguments + [slow, "--require", "1"], in: directory).status, 0)
    let fast = try ceiling("echo 999999999 1000000 1 1 1 1 1 1", directory)
    let result = bench(arguments + [fast, "--require", "0.5"], in: directory)
    XCTAssertEqual(result.status, 1, result.stderr)
    _ = try json(result.stdout)
  }

  func testBrokenCeiling_isAnError() throws {
    let directory = TemporaryDirectory()
    for script in ["exit 1", "echo nonsense"] {
      let result = bench(
        [
          "--case", "deny", "--processes", "1", "--duration", "20ms", "--ceiling",
          try ceiling(script, directory),
        ], in: directory)
      XCTAssertEqual(result.status, 74, script)
      XCTAssertEqual(try json(result.stdout)["schema"] as? String, "tradeledger.error/1")
    }
  }

  func testBadInput_isRefused() throws {
    let directory = TemporaryDirectory()
    let refused: [([String], Int32)] = [
      (["--case", "sprint"], 64), (["--require", "0.5"], 64),
      (["--require", "-1", "--ceiling", "x"], 64), (["--rounds", "many"], 64),
      (["--processes", "0"], 65), (["--processes", "65"], 65), (["--processes", "1,,2"], 65),
      (["--processes", ""], 65), (["--duration", "1ms"], 65), (["--duration", "soon"], 65),
      (["--rounds", "0"], 65), (["--rate", "0"], 65), (["--trades", "999"], 65),
      (["--dir", directory.file("missing")], 73),
      (["--case", "deny", "--processes", "1", "--ceiling", directory.file("missing")], 74),
    ]
    for (arguments, status) in refused {
      let result = bench(arguments, in: directory)
      XCTAssertEqual(result.status, status, "\(arguments)\n\(result.stderr)")
      XCTAssertEqual(try json(result.stdout)["exit"] as? Int, Int(status), "\(arguments)")
    }
    XCTAssertEqual(try leftovers(directory), [])
    for words in [[], ["--", "accept"]] {
      XCTAssertEqual(BuiltBinary.run(["bench-worker"] + words).status, 64)
    }
  }

  func testTable_hasALineForEachCase() {
    let directory = TemporaryDirectory()
    let result = BuiltBinary.run([
      "bench", "--case", "deny", "--processes", "1,2", "--duration", "20ms", "--rounds", "1",
      "--dir", directory.path,
    ])
    XCTAssertEqual(result.status, 0, result.stderr)
    let lines = result.stdout.split(separator: "\n")
    XCTAssertEqual(lines.map { $0.split(separator: " ").first }, ["CASE", "deny", "deny"])
  }

  /// A stand-in for the program in C: keeps what it was asked, and answers as told.
  private func ceiling(_ answer: String, _ directory: TemporaryDirectory) throws -> String {
    let place = TemporaryDirectory()
    places.append(place)
    let path = place.file("ceiling")
    let script = "#!/bin/sh\necho \"$@\" >> '\(directory.file("asked"))'\n\(answer)\n"
    try script.write(toFile: path, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
    return path
  }
}
