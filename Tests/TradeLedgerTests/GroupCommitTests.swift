import LedgerTestSupport
import SQLite
import Synchronization
import XCTest

@testable import TradeLedger

/// Callers of one process that come together share a transaction and a sync.
final class GroupCommitTests: XCTestCase {
  /// Takes the write lock away, lets `count` callers queue behind it, and gives it back.
  /// - Returns: their answers by number, and the statements that were run for them.
  private func together<T: Sendable>(
    _ test: TestLedger, _ count: Int, _ call: @escaping @Sendable (Int) async throws -> T
  ) async throws -> (answers: [Result<T, any Error>], statements: [String]) {
    let waiting = Signal()
    let recorder = StatementRecorder { if $0 == "BEGIN IMMEDIATE" { waiting.fire() } }
    await test.ledger.sqlite.record(in: recorder)
    let holder = try test.foreignClient()
    try holder.run("BEGIN IMMEDIATE")
    let first = Task { try await test.ledger.record(.example("first")) }
    await waiting.wait()
    _ = recorder.take()
    let answers = await withTaskGroup(of: (Int, Result<T, any Error>).self) { group in
      for number in 0..<count {
        group.addTask {
          do { return (number, .success(try await call(number))) } catch {
            return (number, .failure(error))
          }
        }
      }
      // Queued, all of them: the engine's thread is blocked in the first one's BEGIN.
      let deadline = ContinuousClock.now + .seconds(30)
      while test.ledger.sqlite.queue.count < count, ContinuousClock.now < deadline {
        await Task.yield()
      }
      try? holder.run("ROLLBACK")
      return await group.reduce(into: [Int: Result<T, any Error>]()) { $0[$1.0] = $1.1 }
    }
    _ = try await first.value
    return (try (0..<count).map { try XCTUnwrap(answers[$0]) }, recorder.take())
  }

  private func ledger(bots: Int, _ options: (inout Ledger.Options) -> Void = { _ in }) async throws
    -> TestLedger
  {
    let test = try await TestLedger(lockWait: .seconds(60), configure: options)
    try await test.addBot("first", cooldown: .zero)
    for number in 0..<bots { try await test.addBot("bot-\(number)") }
    return test
  }

  /// Sixty-four callers, one transaction, one sync; each gets its own trade.
  func testReserve_by64CallersAtOnce_costsOneTransaction() async throws {
    let test = try await ledger(bots: 64)
    let before = await test.ledger.sqlite.counters().syncs
    let (answers, statements) = try await together(test, 64) { number in
      try await test.ledger.reserve(.example("bot-\(number)"))
    }
    let permits = try answers.map { try XCTUnwrap($0.get().permit) }
    XCTAssertEqual(permits.map(\.bot.description), (0..<64).map { "bot-\($0)" })
    XCTAssertEqual(Set(permits.map(\.trade)).count, 64)
    XCTAssertEqual(statements.count { $0 == "COMMIT" }, 2, "the first caller's and one more")
    let after = await test.ledger.sqlite.counters().syncs
    XCTAssertEqual(after - before, 2)
    try await test.verify()
  }

  /// No transaction takes more callers than were asked for.
  func testReserve_beyondTheBatchLimit_takesSeveralTransactions() async throws {
    let test = try await ledger(bots: 10) { $0.batchLimit = 4 }
    let (answers, statements) = try await together(test, 10) { number in
      try await test.ledger.reserve(.example("bot-\(number)"))
    }
    for answer in answers { XCTAssertNotNil(try answer.get().permit) }
    XCTAssertEqual(statements.count { $0 == "COMMIT" }, 1 + 3)
    try await test.verify()
  }

  /// One bot: the callers of one transaction see each other.
  func testReserve_forOneBotInOneTransaction_admitsOne() async throws {
    let test = try await ledger(bots: 1)
    let (answers, statements) = try await together(test, 16) { _ in
      try await test.ledger.reserve(.example("bot-0"))
    }
    let outcomes = try answers.map { try $0.get() }
    XCTAssertEqual(outcomes.compactMap(\.permit).count, 1)
    for case .denied(let denial) in outcomes { XCTAssertEqual(denial.reason, .inProgress) }
    XCTAssertEqual(statements.count { $0 == "COMMIT" }, 2)
    try await test.verify()
  }

  /// One caller's error is its own: the others of its transaction are admitted.
  func testReserve_withAnErrorAmongOthers_failsThatOneOnly() async throws {
    let test = try await ledger(bots: 8)
    let (answers, statements) = try await together(test, 8) { number in
      try await test.ledger.reserve(.example(number == 3 ? "nobody" : "bot-\(number)"))
    }
    for (number, answer) in answers.enumerated() {
      if number == 3 {
        XCTAssertEqual((answer.failure as? LedgerError)?.code, .noSuchBot)
      } else {
        XCTAssertNotNil(try answer.get().permit)
      }
    }
    XCTAssertEqual(statements.count { $0 == "COMMIT" }, 2)
    try await test.verify()
  }

  /// INV-8: a caller whose limit is over when the transaction begins is dropped, and nothing of it
  /// is written; one with more patience, in the same queue, is served.
  func testReserve_whoseLimitEndsInTheQueue_isDroppedBeforeItIsCarriedOut() async throws {
    let test = try await ledger(bots: 2)
    let (answers, _) = try await together(test, 2) { number in
      let engine = test.ledger.sqlite
      // A limit that is over as soon as it has begun.
      let limit = WaitLimit(number == 0 ? .nanoseconds(1) : .seconds(60))
      let attempt = Attempt(
        order: .example("bot-\(number)"), key: .random(at: test.clock.now().wall),
        kind: .reserve(token: .random()), instance: nil)
      return try await engine.attempt(attempt, wait: limit)
    }
    XCTAssertEqual((answers[0].failure as? LedgerError)?.code, .busy)
    XCTAssertEqual((answers[0].failure as? LedgerError)?.retry, .safe)
    guard case .admitted = try answers[1].get() else { return XCTFail("\(answers[1])") }
    XCTAssertEqual(
      try test.query(
        "SELECT COUNT(*) FROM trades JOIN bots ON bots.id = bot_id WHERE name = 'bot-0'"),
      [["0"]])
    try await test.verify()
  }

  /// INV-4: a COMMIT fails for want of room, and what makes it final fits. Nobody is told that he may
  /// trade: not even next to a caller whose denial, with its step to in doubt, is true either way.
  func testReserve_whenTheSharedCommitFails_admitsNobody() async throws {
    let test = try await TestLedger(lockWait: .seconds(60))
    for name in ["first", "bot-0"] { try await test.addBot(name, cooldown: .zero) }
    try await test.addBot("stuck", inDoubt: .block)
    _ = try await test.admitted(.example("stuck"))
    test.clock.advance(.seconds(31))
    // From here on the file of the log ends where the log does.
    let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)"
    _ = try test.foreignClient().firstRow(checkpoint) { row throws(SQLiteError) in row.count }
    let holder = try test.foreignClient()
    try holder.run("BEGIN IMMEDIATE")
    let waiting = Signal()
    let (path, commits) = (test.path, Count())
    signal(SIGXFSZ, SIG_IGN)
    await test.ledger.sqlite.record(
      in: StatementRecorder { text in
        if text == "BEGIN IMMEDIATE" { waiting.fire() }
        guard text == "COMMIT", commits.next() == 2 else { return }
        // After the first caller's commit there is room for two more pages.
        var info = stat()
        stat(path + "-wal", &info)
        largestFile(rlim_t(info.st_size) + 2 * (4096 + 24))
      })
    let first = Task { try await test.ledger.record(.example("first")) }
    await waiting.wait()
    let queue = test.ledger.sqlite.queue
    var calls: [Task<ReserveOutcome, any Error>] = []
    for name in ["stuck", "bot-0"] {
      calls.append(Task { try await test.ledger.reserve(.example(name)) })
      let deadline = ContinuousClock.now + .seconds(30)
      while queue.count < calls.count, ContinuousClock.now < deadline { await Task.yield() }
    }
    try holder.run("ROLLBACK")
    var answers: [Result<ReserveOutcome, any Error>] = []
    for call in calls { answers.append(await call.result) }
    largestFile(nil)
    _ = try await first.value
    for answer in answers {
      XCTAssertEqual((answer.failure as? LedgerError)?.code, .io, "\(answer)")
      XCTAssertEqual((answer.failure as? LedgerError)?.retry, .safe)
    }
    XCTAssertEqual(
      try test.query("SELECT COUNT(*) FROM trades"), [["2"]], "of the first caller and before")
    _ = try await test.admitted(.example("bot-0"))
    try await test.verify()
  }

  /// Sixty-four callers that run on the ledger's own thread share a transaction too.
  func testRecord_byCallersOnTheExecutor_sharesTransactions() async throws {
    let test = try await ledger(bots: 64)
    let recorder = StatementRecorder()
    await test.ledger.sqlite.record(in: recorder)
    try await withTaskExecutorPreference(test.ledger.executor) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<64 {
          group.addTask { _ = try await test.ledger.record(.example("bot-\(number)")) }
        }
        try await group.waitForAll()
      }
    }
    XCTAssertLessThan(recorder.take().count { $0 == "COMMIT" }, 16)
    XCTAssertEqual(try test.query("SELECT COUNT(*) FROM trades"), [["64"]])
    try await test.verify()
  }
}

private final class Count: Sendable {
  private let value = Mutex(0)
  func next() -> Int {
    value.withLock {
      $0 += 1
      return $0
    }
  }
}

/// Lets this process write no file beyond so many bytes; nil: as far as it may.
private func largestFile(_ bytes: rlim_t?) {
  let resource = __rlimit_resource_t(1)  // RLIMIT_FSIZE
  var limit = rlimit()
  getrlimit(resource, &limit)
  limit.rlim_cur = bytes ?? limit.rlim_max
  setrlimit(resource, &limit)
}

extension Result where Failure == any Error {
  fileprivate var failure: (any Error)? {
    if case .failure(let error) = self { return error }
    return nil
  }
}
