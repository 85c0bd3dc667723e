import Foundation
import LedgerTestSupport
import TradeLedger
import XCTest

/// Readers that never stop, and writers that never stop, in processes of their own. What is gated are
/// counters; times are told, and compared only with others of the same run.
class DashboardTests: PlacedTestCase {
  fileprivate var path = ""
  private let frame = 24 + 4096

  override func setUp() async throws { path = try newPlace() }

  /// Who opens for reading is a session on the server that could not write a row.
  fileprivate func worker(_ open: String, wait: String = "5s") throws -> LedgerWorker {
    var place = path
    #if PostgreSQL
      if Self.isOnServer, open.hasSuffix("reading") {
        place = TestServer.url(path, setting: "default_transaction_read_only=on")
      }
    #endif
    let worker = try LedgerWorker(place, wait: wait)
    XCTAssertEqual(worker.ask(open), "ok")
    return worker
  }

  fileprivate func numbers(_ answer: String, file: StaticString = #filePath, line: UInt = #line)
    -> [Int]
  {
    let numbers = answer.split(separator: " ").compactMap { Int($0) }
    XCTAssertFalse(numbers.isEmpty, answer, file: file, line: line)
    return numbers + [0, 0, 0]
  }

  fileprivate func moment(_ seconds: Double) -> Int64 {
    LedgerWorker.bootNow() + Int64(seconds * 1_000_000)
  }

  private func bytes(_ suffix: String) -> Data? {
    FileManager.default.contents(atPath: path + suffix)
  }

  /// S-22: a dashboard polls status and audit all the time. A writer who does not wait for any lock,
  /// not even a moment, is never refused: readers take none that it needs. The log stays bounded.
  func testDashboard_besideAWriter_takesNoLockAndPinsNoLog() throws {
    let writer = try worker("create live", wait: "0s")
    writer.ask("bot b 0s 30s cooldown")
    // One: each of the two has a core of its own where the machine has two. It looks some ten
    // times a second. (The log is begun anew in a moment without readers; one that never pauses at
    // all lets it grow.)
    let readers = [try worker("open reading")]
    var ratios: [Double] = []
    var rounds = 0
    let (times, seconds) = Self.isOnServer ? (3, 0.5) : (5, 0.7)
    for _ in 0..<times {
      let alone = numbers(writer.ask("hammer \(moment(seconds)) b"))
      let end = moment(seconds)
      for reader in readers { reader.send("poll \(end) 100000") }
      let watched = numbers(writer.ask("hammer \(end) b"))
      for reader in readers {
        let polled = numbers(reader.answer())
        rounds += polled[0]
        XCTAssertEqual(polled[1], 0, "a reader was refused, or saw half of something")
      }
      XCTAssertEqual(alone[1] + watched[1], 0, "the writer found a lock taken")
      XCTAssertGreaterThan(watched[0], 0)
      ratios.append(Double(alone[0]) / Double(max(1, watched[0])))
    }
    XCTAssertGreaterThan(rounds, 5, "the dashboard did not look")
    let frames = (bytes("-wal")?.count ?? 0) / frame
    XCTAssertLessThan(frames, 16_000, "frames in the log; a checkpoint is due at 400")
    // A generous bar, because the machine has other work, too; and the middle one of all.
    let ratio = ratios.sorted()[times / 2]
    XCTAssertLessThan(ratio, 2)
    print(
      "S-22: writer alone / beside a dashboard: \(ratio); \(rounds) looks; log: \(frames) frames")
    try LedgerCheck.verify(path)
  }

  /// Every byte of the file and of its log; on a server, each version of each row.
  private func stored() throws -> [String] {
    guard Self.isOnServer else {
      return ["", "-wal"].map { bytes($0)?.base64EncodedString() ?? "" }
    }
    return try ["ledger", "bots", "settings", "instances", "trades"].flatMap { table in
      try LedgerCheck.query(path, "SELECT xmin, xmax, ctid FROM \(table) ORDER BY ctid")
        .map { "\(table) \($0)" }
    }
  }

  /// S-22 and INV-10: looking all the time changes no byte of the file or of its log, and no row.
  func testDashboard_withoutAWriter_writesNothing() throws {
    let writer = try worker("create live")
    writer.ask("bot b 0s 30s cooldown")
    XCTAssertTrue(writer.ask("reserve b").hasPrefix("admitted"))
    let before = try stored()
    XCTAssertFalse(before.contains(""))
    XCTAssertGreaterThanOrEqual(before.count, 2)
    let readers = try ["open reading", "open reading", "open"].map { try worker($0) }
    let end = moment(0.5)
    for reader in readers { reader.send("poll \(end) 0") }
    for reader in readers {
      let polled = numbers(reader.answer())
      XCTAssertGreaterThan(polled[0], 3)
      XCTAssertEqual(polled[1], 0)
    }
    XCTAssertEqual(try stored(), before)
  }

  /// S-23 and INV-8: sixteen writers hammer, one bot asks now and then. It gets an answer within its
  /// limit every time, and so does everybody else.
  func testAsking_amongSixteenWriters_isAnsweredWithinTheLimit() throws {
    try askAmongSixteenWriters(Self.isOnServer ? 3 : 6) { "b\($0)" }
  }

  /// S-23 where all of them want the same bot: who asks now and then waits in the same line.
  func testAsking_forTheBotOfSixteenWriters_isAnsweredWithinTheLimit() throws {
    try askAmongSixteenWriters(2) { _ in "patient" }
  }

  private func askAmongSixteenWriters(_ seconds: Double, _ bot: (Int) -> String) throws {
    let limit = 5.0
    let patient = try worker("create live", wait: "5s")
    patient.ask("bot patient 0s 30s cooldown")
    for number in 0..<16 { patient.ask("bot \(bot(number)) 0s 30s cooldown") }
    let writers = try (0..<16).map { _ in try worker("open") }
    let end = moment(seconds)
    for (number, writer) in writers.enumerated() { writer.send("hammer \(end) \(bot(number))") }
    var longest = 0.0
    var answers = 0
    while LedgerWorker.bootNow() < end {
      let before = LedgerWorker.bootNow()
      let answer = patient.ask("at \(min(before + 500_000, end)) record patient")
      XCTAssertTrue(answer.hasPrefix("recorded "), answer)
      longest = max(longest, Double(LedgerWorker.bootNow() - min(before + 500_000, end)) / 1e6)
      answers += 1
    }
    var recorded: [Int] = []
    for writer in writers {
      let hammered = numbers(writer.answer())
      XCTAssertEqual(hammered[1], 0, "busy beyond the limit")
      XCTAssertGreaterThan(hammered[0], 0, "a writer starved")
      recorded.append(hammered[0])
    }
    XCTAssertGreaterThan(answers, 1)
    XCTAssertLessThan(longest, limit + 1, "the limit, and a second for the machine")
    XCTAssertGreaterThan(recorded.reduce(0, +), 100, "nobody hammered")
    print("S-23: \(answers) answers, worst \(longest) s, among \(recorded.reduce(0, +)) trades")
    let frames = (bytes("-wal")?.count ?? 0) / frame
    XCTAssertLessThan(frames, 6000)
    try LedgerCheck.verify(path)
  }
}

#if PostgreSQL
  /// The same on a server. There is no log that a reader could hold on to.
  final class PostgreSQLDashboardTests: DashboardTests {
    override class var engine: Engine { .server }

    /// S-58: a reader keeps its snapshot for as long as it likes. No writer waits for it, and it
    /// goes on seeing what it saw.
    func testReader_withALongSnapshot_holdsUpNobody() throws {
      let writer = try worker("create live")
      writer.ask("bot b 0s 30s cooldown")
      XCTAssertTrue(writer.ask("record b").hasPrefix("recorded "))
      let reader = try ChildProcess("psql", ["-XqAt", path])
      let count = "SELECT COUNT(*) FROM tradeledger.trade_rows;\n"
      reader.write("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \(count)")
      XCTAssertEqual(reader.readLine(), "1", reader.standardError)
      let hammered = numbers(writer.ask("hammer \(moment(0.5)) b"))
      XCTAssertGreaterThan(hammered[0], 0)
      XCTAssertEqual(hammered[1], 0)
      reader.write(count)
      XCTAssertEqual(reader.readLine(), "1")
      reader.write("COMMIT; \(count)")
      XCTAssertEqual(reader.readLine(), "\(hammered[0] + 1)")
    }
  }
#endif
