import LedgerTestSupport
import TradeLedger
import XCTest

/// Real processes at a barrier on one live ledger.
class AdmissionRaceTests: PlacedTestCase {
  private var path = ""

  override func setUp() async throws {
    path = try newPlace()
    let setup = try LedgerWorker(path)
    XCTAssertEqual(setup.ask("create live"), "ok")
  }

  override func tearDown() async throws {
    if !path.isEmpty { try LedgerCheck.verify(path) }
    try await super.tearDown()
  }

  private func workers(_ count: Int, wait: String = "10s") throws -> [LedgerWorker] {
    let workers = try (0..<count).map { _ in try LedgerWorker(path, wait: wait) }
    for worker in workers { XCTAssertEqual(worker.ask("open"), "ok") }
    return workers
  }

  /// S-01: N processes reserve for one bot at a barrier. INV-1, INV-2.
  func testReserve_byEightProcessesAtABarrier_admitsExactlyOne() throws {
    let workers = try workers(8)
    for round in 0..<40 {
      let bot = "bot-\(round)"
      XCTAssertEqual(workers[0].ask("bot \(bot) 15m 30s cooldown"), "added")
      let answers = LedgerWorker.together(workers) { _ in "reserve \(bot)" }
      let admitted = answers.filter { $0.hasPrefix("admitted ") }
      XCTAssertEqual(admitted.count, 1, "\(answers)")
      let winner = admitted.first?.split(separator: " ").dropFirst().first ?? "?"
      for answer in answers where !answer.hasPrefix("admitted ") {
        XCTAssertTrue(
          ["denied in_progress \(winner)", "denied cooldown \(winner)"].contains(answer), answer)
      }
      XCTAssertEqual(
        try LedgerCheck.query(
          path, "SELECT COUNT(*) FROM trades JOIN bots ON bots.id = bot_id WHERE name = '\(bot)'"),
        [["1"]])
    }
  }

  /// S-02: whoever reads first and commits second is refused or admitted by what is then true;
  /// neither SQLITE_BUSY_SNAPSHOT nor a serialization failure reaches a caller. With a cooldown of
  /// zero everybody gets through, one after the other, and nobody sees an error.
  func testReserve_underContentionWithoutCooldown_neverFails() throws {
    let workers = try workers(6)
    XCTAssertEqual(workers[0].ask("bot hot 0s 30s cooldown"), "added")
    var admitted = 0
    for _ in 0..<40 {
      let answers = LedgerWorker.together(workers) { _ in "record hot" }
      for answer in answers {
        // Two records of the same microsecond: the later one still comes at or after the earlier.
        XCTAssertTrue(answer.hasPrefix("recorded "), answer)
        if answer.hasPrefix("recorded ") { admitted += 1 }
      }
    }
    XCTAssertEqual(
      try LedgerCheck.query(path, "SELECT COUNT(*) FROM trades"), [["\(admitted)"]])
    XCTAssertEqual(admitted, 240)
  }

  /// S-20: same key, other content, at once from two processes. INV-3.
  func testReserve_sameKeyOtherContentAtOnce_leavesOneRow() throws {
    let workers = try workers(2)
    for bot in ["a", "b"] { workers[0].ask("bot \(bot) 0s 30s cooldown") }
    for round in 0..<20 {
      let answers = LedgerWorker.together(workers) { index in
        "reserve \(index == 0 ? "a" : "b") key-\(round) - \(round + 1)"
      }
      XCTAssertEqual(answers.filter { $0.hasPrefix("admitted ") }.count, 1, "\(answers)")
      XCTAssertEqual(answers.filter { $0.hasPrefix("denied key_conflict") }.count, 1, "\(answers)")
      let words = answers.first { $0.hasPrefix("admitted ") }?.split(separator: " ") ?? []
      XCTAssertEqual(workers[0].ask("void \(words[1]) \(words[2])"), "settled void ontime")
    }
  }

  /// S-19: a task is redelivered to another worker while the first still works, and after it. Only
  /// the caller with the same token gets the permit; there is never a second row.
  func testReserve_redeliveredTask_givesNoSecondPermit() throws {
    let workers = try workers(3)
    workers[0].ask("bot celery 15m 30s cooldown")
    let token = "first-delivery-token"
    let first = workers[0].ask("reserve celery task-1 \(token)")
    XCTAssertEqual(first, "admitted 1 \(token)")
    XCTAssertEqual(workers[1].ask("reserve celery task-1"), "replayed 1 - pending")
    XCTAssertEqual(
      workers[2].ask("reserve celery task-1 \(token)"), "replayed 1 \(token) pending",
      "the same caller, whose answer was lost, gets its permit again")
    XCTAssertEqual(workers[0].ask("fill 1 \(token)"), "settled filled ontime")
    XCTAssertEqual(workers[1].ask("reserve celery task-1"), "replayed 1 - filled")
    XCTAssertEqual(workers[2].ask("reserve celery task-1 \(token)"), "replayed 1 - filled")
    XCTAssertEqual(try LedgerCheck.query(path, "SELECT COUNT(*) FROM trades"), [["1"]])
  }

  /// S-09: fill and void of one trade at the same time from two processes: one wins, the other
  /// learns which. INV-5, and a lost fill is kept as a conflict (INV-6).
  func testSettle_fillAndVoidAtOnce_oneWins() throws {
    let workers = try workers(2)
    for round in 0..<30 {
      workers[0].ask("bot s\(round) 15m 30s cooldown")
      let words = workers[0].ask("reserve s\(round)").split(separator: " ")
      let answers = LedgerWorker.together(workers) { index in
        "\(index == round % 2 ? "fill" : "void") \(words[1]) \(words[2])"
      }
      let settled = answers.filter { $0.hasPrefix("settled ") }
      XCTAssertEqual(settled.count, 1, "\(answers)")
      XCTAssertEqual(
        answers.filter { $0 == "denied already_settled \(words[1])" }.count, 1, "\(answers)")
      let outcome = settled.first?.split(separator: " ")[1] ?? "?"
      XCTAssertEqual(
        try LedgerCheck.query(path, "SELECT status FROM trades WHERE id = \(words[1])"),
        [[String(outcome)]])
      XCTAssertEqual(
        try LedgerCheck.query(
          path, "SELECT COUNT(*) FROM conflicts WHERE trade_id = \(words[1])"),
        [[outcome == "void" ? "1" : "0"]])
    }
    // Filling twice changes nothing.
    workers[0].ask("bot twice 15m 30s cooldown")
    let words = workers[0].ask("reserve twice").split(separator: " ")
    XCTAssertEqual(workers[0].ask("fill \(words[1]) \(words[2])"), "settled filled ontime")
    XCTAssertEqual(workers[1].ask("fill \(words[1]) \(words[2])"), "replayed filled")
  }

  /// S-10: the wrong or an old token settles nothing.
  func testSettle_withWrongToken_isRefused() throws {
    let workers = try workers(2)
    workers[0].ask("bot t 0s 30s cooldown")
    let first = workers[0].ask("reserve t").split(separator: " ").map(String.init)
    workers[0].ask("void \(first[1]) \(first[2])")
    let second = workers[0].ask("reserve t").split(separator: " ").map(String.init)
    let answer = "denied wrong_token \(second[1])"
    XCTAssertEqual(workers[1].ask("fill \(second[1]) \(first[2])"), answer)
    XCTAssertEqual(workers[1].ask("void \(second[1]) not-the-right-token"), answer)
    XCTAssertEqual(
      try LedgerCheck.query(path, "SELECT status FROM trades WHERE id = \(second[1])"),
      [["pending"]])
  }

  /// S-24: N processes make the ledger at a barrier; one creates it, all of them work.
  func testCreate_byEightProcessesAtABarrier_worksForAll() throws {
    for _ in 0..<(Self.isOnServer ? 3 : 15) {
      let fresh = try newPlace()
      let workers = try (0..<8).map { _ in try LedgerWorker(fresh, wait: "20s") }
      let answers = LedgerWorker.together(workers) { _ in "create paper" }
      XCTAssertEqual(answers, Array(repeating: "ok", count: 8))
      let added = LedgerWorker.together(workers) { _ in "bot b 15m 30s cooldown" }
      XCTAssertEqual(added.filter { $0 == "added" }.count, 1, "\(added)")
      XCTAssertEqual(added.filter { $0 == "same" }.count, 7, "\(added)")
      let asked = LedgerWorker.together(workers) { _ in "reserve b" }
      XCTAssertEqual(asked.filter { $0.hasPrefix("admitted 1 ") }.count, 1, "\(asked)")
      XCTAssertEqual(try LedgerCheck.query(fresh, "SELECT mode FROM ledger"), [["paper"]])
      try LedgerCheck.verify(fresh)
    }
  }
}

#if PostgreSQL
  /// The same on a server.
  final class PostgreSQLAdmissionRaceTests: AdmissionRaceTests {
    override class var engine: Engine { .server }

    /// S-24: many programs `init` the same empty database at once, as its owner, who is no
    /// superuser.
    func testInit_byEightProgramsAtOnce_makesOneLedger() throws {
      let url = try TestServer.owned(newPlace())
      let programs = try (0..<8).map { _ in
        try ChildProcess(
          "sh", ["-c", "read go; exec \"$@\"", "sh", BuiltBinary.path, "--db", url, "init"])
      }
      for program in programs { program.write("go\n") }
      for program in programs { XCTAssertEqual(program.wait(), 0, program.standardError) }
      XCTAssertTrue(programs.contains { $0.standardOutput.contains("outcome: created") })
      XCTAssertEqual(try LedgerCheck.query(url, "SELECT COUNT(*) FROM ledger"), [["1"]])
    }
  }
#endif
