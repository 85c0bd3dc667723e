import XCTest

@testable import LedgerSimulation

/// What supervisor and workers say to each other.
final class WireTests: XCTestCase {
  private static let answers: [Answer] = [
    .filled(trade: 1), .void(trade: 2), .inDoubt(trade: 3), .replayed(trade: 4),
    .denied(reason: "cooldown", winner: 5), .denied(reason: "in_progress", winner: nil), .busy,
    .unknown(code: "outcome_unknown"), .failed(code: "io"),
  ]

  func testWorkerLines_comeBackAsTheyWere() {
    let at = Moment(wall: 1_757_276_933_000_000, boot: 42)
    var lines: [WorkerLine] = [
      .ready(pid: 4711), .call(number: 1, bot: 2, key: "run-0.1.2", at: at),
      .order(number: 1, trade: 3, key: "run-0.1.2", validUntil: nil, at: at),
      .order(number: 1, trade: 3, key: "run-0.1.2", validUntil: 99, at: at),
      .failed("no ledger at all"),
    ]
    lines += Self.answers.map { .told(number: 9, answer: $0, at: at) }
    for line in lines {
      XCTAssertEqual(WorkerLine(line.text), line)
      XCTAssertFalse(line.text.contains("\n"))
    }
  }

  func testSupervisorLines_comeBackAsTheyWere() {
    let lines: [SupervisorLine] = [
      .go, .stop, .reply(number: 1, .accepted(at: 12)), .reply(number: 2, .refused),
      .reply(number: 3, .expired), .reply(number: 4, .repeated),
    ]
    for line in lines { XCTAssertEqual(SupervisorLine(line.text), line) }
  }

  func testNonsense_isNoLine() {
    for text in [
      "", "hello", "ready", "ready x", "call 1 2 k 3", "order 1 2 k x 4 5", "told 1 2 3",
      "told 1 2 3 maybe", "told 1 2 3 filled", "told 1 2 3 filled x",
      "told 1 2 3 denied cooldown x",
    ] { XCTAssertNil(WorkerLine(text), text) }
    for text in ["", "go now", "reply", "reply 1", "reply 1 accepted", "reply 1 refused 2"] {
      XCTAssertNil(SupervisorLine(text), text)
    }
  }

  func testLineSplitter_keepsWhatIsNotALineYet() {
    var splitter = LineSplitter()
    XCTAssertEqual(splitter.lines(adding: Array("one\ntw".utf8)), ["one"])
    XCTAssertEqual(splitter.lines(adding: []), [])
    XCTAssertEqual(splitter.lines(adding: Array("o\n\nthree\n".utf8)), ["two", "", "three"])
    XCTAssertEqual(splitter.lines(adding: Array("killed in the mid".utf8)), [])
  }

  func testWorkerConfiguration_survivesTheCommandLine() {
    let configuration = WorkerConfiguration(
      strategy: .naive, path: "/tmp/a b/naive.db", bots: ["bot-1", "run-x/bot-2"], worker: 3,
      incarnation: 2, seed: SimulationOptions.largestSeed, run: "1k2j", cooldown: .seconds(1),
      lockWait: .milliseconds(5), thinkingTime: .zero...(.milliseconds(20)))
    XCTAssertEqual(WorkerConfiguration(configuration.arguments), configuration)
    XCTAssertNil(WorkerConfiguration([]))
    XCTAssertNil(WorkerConfiguration(Array(configuration.arguments.dropLast(2))))
    for index in [0, 2, 3, 4, 6, 7, 8, 9] {
      var arguments = configuration.arguments
      arguments[index] = "x"
      XCTAssertNil(WorkerConfiguration(arguments), "argument \(index)")
    }
  }
}

/// The paper exchange behaves like a real one.
final class PaperExchangeTests: XCTestCase {
  private func exchange(refused: Int = 0) -> PaperExchange {
    var options = SimulationOptions()
    options.exchangeLatency = .zero...(.zero)
    options.refusedPerMillion = refused
    return PaperExchange(options)
  }

  private func order(_ key: String, validUntil: Int64? = nil) -> PaperExchange.Incoming {
    PaperExchange.Incoming(
      key: key, bot: "bot-1", pid: 1, validUntil: validUntil, stream: (0, 0, 1))
  }

  func testExchange_takesAKeyOnce() async {
    let exchange = exchange()
    let first = await exchange.execute(order("k1")).decision
    guard case .accepted = first else { return XCTFail("\(first)") }
    let second = await exchange.execute(order("k1")).decision
    XCTAssertEqual(second, .repeated)
    let orders = await exchange.orders
    XCTAssertEqual(orders.map(\.key), ["k1", "k1"])
  }

  func testExchange_refusesWhatComesTooLate() async {
    let exchange = exchange()
    let now = MomentClock().now().wall
    let late = await exchange.execute(order("k1", validUntil: now - 1)).decision
    XCTAssertEqual(late, .expired)
    let inTime = await exchange.execute(order("k2", validUntil: now + 60_000_000)).decision
    guard case .accepted = inTime else { return XCTFail("\(inTime)") }
  }

  func testExchange_failsAsOftenAsAsked() async {
    let decision = await exchange(refused: 1_000_000).execute(order("k1")).decision
    XCTAssertEqual(decision, .refused)
  }
}
