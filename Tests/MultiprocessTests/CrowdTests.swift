import LedgerTestSupport
import TradeLedger
import XCTest

/// Different kinds of clients on one live ledger: the library in a loop, the library with eight
/// concurrent callers, a program in Python, and the database's own shell. INV-11.
class CrowdTests: PlacedTestCase {
  private var path = ""
  /// The place as the foreign clients are given it.
  private var foreignPath = ""
  private var clients: any ForeignClients = FileClients()

  override func setUp() async throws {
    path = try newPlace()
    foreignPath = path
    XCTAssertEqual(try LedgerWorker(path).ask("create live"), "ok")
    #if PostgreSQL
      if Self.isOnServer {
        clients = ServerClients()
        foreignPath = try TestServer.worker(path)
        try XCTSkipIf(
          BuiltBinary.run("python3", ["-c", "import psycopg"]).status != 0, "there is no psycopg")
      }
    #endif
  }

  private func worker() throws -> LedgerWorker {
    let worker = try LedgerWorker(path)
    XCTAssertEqual(worker.ask("open"), "ok")
    return worker
  }

  private func shell() throws -> ChildProcess {
    let words = clients.shell + [foreignPath]
    return try ChildProcess(words[0], Array(words.dropFirst()))
  }

  /// S-21: a mixed crowd asks for one bot at once; there is one trade.
  func testReserve_byAMixedCrowd_leavesOneTrade() throws {
    let loop = try worker()
    let threads = try worker()
    let python = try ChildProcess(
      "python3", ["-c", clients.python, foreignPath], environment: clients.environment)
    XCTAssertEqual(python.readLine(), "ready", python.standardError)
    var winners: [String: Int] = [:]
    let rounds = Self.isOnServer ? 16 : 25
    for round in 0..<rounds {
      let bot = "bot-\(round)"
      loop.ask("bot \(bot) 15m 30s cooldown")
      let shell = try shell()
      // Everybody gets a small lead in turn, so that each kind of client wins some rounds.
      let moment = LedgerWorker.bootNow() + 30_000
      let lead = { (client: Int) in Int64(client == round % 4 ? 1500 : 0) }
      loop.send("at \(moment - lead(0)) reserve \(bot)")
      threads.send("at \(moment - lead(1)) crowd 8 \(bot)")
      python.write("\(moment - lead(2)) \(clients.question("python-\(round)", bot))\n")
      XCTAssertTrue(eventually(every: 50) { LedgerWorker.bootNow() >= moment - lead(3) })
      shell.write(clients.script("shell-\(round)", bot))
      shell.closeInput()
      let answers = [loop.answer()] + threads.answer().split(separator: "|").map(String.init)
      let foreign = python.readLine() ?? ""
      _ = shell.wait()
      let isOfShell = shell.standardOutput == "admitted\n"
      XCTAssertEqual(answers.count, 9)
      var admitted = answers.filter { $0.hasPrefix("admitted ") }.map { _ in "library" }
      if foreign == "admitted" { admitted.append("python") }
      if isOfShell { admitted.append("shell") }
      XCTAssertEqual(admitted.count, 1, "\(answers) \(foreign) \(shell.standardError)")
      for answer in answers { XCTAssertFalse(answer.hasPrefix("error"), answer) }
      let refusals = [
        foreign == "admitted" ? nil : foreign,
        isOfShell ? nil : shell.standardOutput + shell.standardError,
      ]
      for refusal in refusals.compactMap({ $0 }) {
        XCTAssertNotNil(try clients.refusal.firstMatch(in: refusal), refusal)
      }
      if let winner = admitted.first { winners[winner, default: 0] += 1 }
    }
    print("S-21 winners: \(winners)")
    let rows = try LedgerCheck.query(path, "SELECT COUNT(*) FROM trades GROUP BY bot_id")
    XCTAssertEqual(rows, Array(repeating: ["1"], count: rounds))
    XCTAssertEqual(try LedgerCheck.query(path, "SELECT * FROM double_trades"), [])
    python.closeInput()
    XCTAssertEqual(python.wait(), 0)
    try LedgerCheck.verify(path)
  }

  /// A trade that a foreign client made is like any other: the library sees it in progress, an
  /// operator can settle it, and a foreign client can settle a trade with its token.
  func testForeignTrade_isSeenByTheLibrary() throws {
    let worker = try worker()
    worker.ask("bot b 15m 30s cooldown")
    let made = try shell()
    made.write(clients.script("foreign", "b"))
    made.closeInput()
    XCTAssertEqual(made.wait(), 0, made.standardError)
    XCTAssertEqual(worker.ask("reserve b"), "denied in_progress 1")
    XCTAssertEqual(worker.ask("fill 1 token-of-a-foreigner"), "settled filled ontime")
    XCTAssertEqual(worker.ask("reserve b"), "denied cooldown 1")
    try LedgerCheck.verify(path)
  }
}

#if PostgreSQL
  /// The same on a server, where the foreign clients are of the worker role.
  final class PostgreSQLCrowdTests: CrowdTests {
    override class var engine: Engine { .server }

    override func testForeignTrade_isSeenByTheLibrary() throws {
      try super.testForeignTrade_isSeenByTheLibrary()
    }
  }
#endif
