import Foundation
import LedgerTestSupport
import TradeLedger
import XCTest

/// Different kinds of clients on one live ledger: the library in a loop, the library with eight
/// concurrent callers, Python's sqlite3, and the sqlite3 shell. INV-11.
final class CrowdTests: XCTestCase {
  private let directory = TemporaryDirectory()
  private var path: String { directory.file("ledger.db") }

  /// What a foreign client runs: no library, only the file. It brings its own clock.
  private static let insertion = """
    INSERT INTO trades (bot_id, key, origin, side, symbol, quantity, cooldown_us, token, created_at,
      lease_until, status)
    SELECT bot_id, '%KEY%', 'reserve', 'buy', 'BTC-USD', '1', cooldown_us, 'token-of-a-foreigner',
      now_us, now_us + lease_us, 'pending' FROM current_settings, clock WHERE name = '%BOT%'
    """

  private static let python = """
    import sqlite3, sys, time
    db = sqlite3.connect(sys.argv[1], timeout=10, isolation_level=None)
    print('ready', flush=True)
    for line in sys.stdin:
        moment, sql = line.rstrip('\\n').split(' ', 1)
        while time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000 < int(moment): pass
        try:
            db.execute('BEGIN IMMEDIATE')
            db.execute(sql)
            db.execute('COMMIT')
            print('admitted', flush=True)
        except sqlite3.Error as error:
            if db.in_transaction: db.execute('ROLLBACK')
            print(f'refused {error}', flush=True)
    """

  private func sql(_ key: String, _ bot: String) -> String {
    CrowdTests.insertion.replacingOccurrences(of: "\n", with: " ")
      .replacingOccurrences(of: "%KEY%", with: key).replacingOccurrences(of: "%BOT%", with: bot)
  }

  /// S-21: a mixed crowd asks for one bot at once; there is one trade.
  func testReserve_byAMixedCrowd_leavesOneTrade() throws {
    let loop = try LedgerWorker(path)
    XCTAssertEqual(loop.ask("create live"), "ok")
    let threads = try LedgerWorker(path)
    XCTAssertEqual(threads.ask("open"), "ok")
    let python = try ChildProcess("python3", ["-c", CrowdTests.python, path])
    XCTAssertEqual(python.readLine(), "ready", python.standardError)
    var winners: [String: Int] = [:]
    for round in 0..<25 {
      let bot = "bot-\(round)"
      loop.ask("bot \(bot) 15m 30s cooldown")
      let shell = try ChildProcess("sqlite3", ["-batch", "-bail", path])
      // Everybody gets a small lead in turn, so that each kind of client wins some rounds.
      let moment = LedgerWorker.bootNow() + 30_000
      let lead = { (client: Int) in Int64(client == round % 4 ? 1500 : 0) }
      loop.send("at \(moment - lead(0)) reserve \(bot)")
      threads.send("at \(moment - lead(1)) crowd 8 \(bot)")
      python.write("\(moment - lead(2)) \(sql("python-\(round)", bot))\n")
      XCTAssertTrue(eventually(every: 50) { LedgerWorker.bootNow() >= moment - lead(3) })
      shell.write(".timeout 10000\nBEGIN IMMEDIATE;\n\(sql("shell-\(round)", bot));\nCOMMIT;\n")
      shell.closeInput()
      let answers = [loop.answer()] + threads.answer().split(separator: "|").map(String.init)
      let foreign = python.readLine() ?? ""
      let shellStatus = shell.wait()
      XCTAssertEqual(answers.count, 9)
      var admitted = answers.filter { $0.hasPrefix("admitted ") }.map { _ in "library" }
      if foreign == "admitted" { admitted.append("python") }
      if shellStatus == 0 { admitted.append("shell") }
      XCTAssertEqual(admitted.count, 1, "\(answers) \(foreign) \(shell.standardError)")
      for answer in answers { XCTAssertFalse(answer.hasPrefix("error"), answer) }
      if foreign != "admitted" { XCTAssertTrue(foreign.contains("TL10"), foreign) }
      if shellStatus != 0 { XCTAssertTrue(shell.standardError.contains("TL10")) }
      if let winner = admitted.first { winners[winner, default: 0] += 1 }
    }
    print("S-21 winners: \(winners)")
    let rows = try LedgerFileCheck.query(path, "SELECT COUNT(*) FROM trades GROUP BY bot_id")
    XCTAssertEqual(rows, Array(repeating: ["1"], count: 25))
    XCTAssertEqual(try LedgerFileCheck.query(path, "SELECT * FROM double_trades"), [])
    python.closeInput()
    XCTAssertEqual(python.wait(), 0)
    try LedgerFileCheck.verify(path)
  }

  /// A trade that a foreign client made is like any other: the library sees it in progress, an
  /// operator can settle it, and a foreign client can settle a trade with its token.
  func testForeignTrade_isSeenByTheLibrary() throws {
    let worker = try LedgerWorker(path)
    worker.ask("create live")
    worker.ask("bot b 15m 30s cooldown")
    let made = BuiltBinary.run("sqlite3", ["-batch", "-bail", path, sql("foreign", "b")])
    XCTAssertEqual(made.status, 0, made.stderr)
    XCTAssertEqual(worker.ask("reserve b"), "denied in_progress 1")
    XCTAssertEqual(worker.ask("fill 1 token-of-a-foreigner"), "settled filled ontime")
    XCTAssertEqual(worker.ask("reserve b"), "denied cooldown 1")
    try LedgerFileCheck.verify(path)
  }
}
