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
      .order(number: 1, trade: nil, key: "run-0.1.2", validUntil: 99, at: at),
      .failed("no ledger at all"), .claim(at: at), .leaving(at: at), .left(at: at),
    ]
    lines += [NameAnswer.taken(epoch: 3), .taken(epoch: nil), .held, .busy, .failed(code: "io")]
      .map { .claimed($0, at: at) }
    lines += Self.answers.map { .told(number: 9, answer: $0, busyErrors: 2, at: at) }
    for line in lines {
      XCTAssertEqual(WorkerLine(line.text), line)
      XCTAssertFalse(line.text.contains("\n"))
    }
  }

  func testSupervisorLines_comeBackAsTheyWere() {
    let lines: [SupervisorLine] = [
      .go, .stop, .reply(number: 1, .accepted(at: 12)), .reply(number: 2, .refused),
      .reply(number: 3, .expired), .reply(number: 4, .repeated), .reply(number: 5, nil),
    ]
    for line in lines { XCTAssertEqual(SupervisorLine(line.text), line) }
  }

  func testNonsense_isNoLine() {
    for text in [
      "", "hello", "ready", "ready x", "call 1 2 k 3", "order 1 2 k x 4 5", "told 1 2 3",
      "told 1 0 2 3 maybe", "told 1 0 2 3 filled", "told 1 0 2 3 filled x",
      "told 1 0 2 3 denied cooldown x", "told 1 x 2 3 busy", "claim", "claim 1", "left 1 x",
      "claimed 1 2", "claimed 1 2 taken", "claimed 1 2 taken x", "claimed 1 2 held 3",
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
      strategy: .ttlLock, path: "/tmp/a b/naive.db", bots: ["bot-1", "run-x/bot-2"], worker: 3,
      incarnation: 2, seed: SimulationOptions.largestSeed, run: "1k2j", cooldown: .seconds(1),
      lockWait: .milliseconds(5), exchangeLatency: .zero...(.milliseconds(20)),
      directory: "/tmp/a b", instance: "run-x/instance-1", instances: 4)
    XCTAssertEqual(WorkerConfiguration(configuration.arguments), configuration)
    var other = configuration
    other.clockPath = "/tmp/a b/clock"
    other.instance = nil
    other.instances = 0
    XCTAssertEqual(WorkerConfiguration(other.arguments), other)
    XCTAssertNil(WorkerConfiguration([]))
    XCTAssertNil(WorkerConfiguration(Array(configuration.arguments.dropLast(2))))
    for index in [0, 2, 3, 4, 6, 7, 8, 9, 13] {
      var arguments = configuration.arguments
      arguments[index] = "x"
      XCTAssertNil(WorkerConfiguration(arguments), "argument \(index)")
    }
  }
}

/// The paper exchange behaves like a real one.
final class PaperExchangeTests: XCTestCase {
  private func exchange(failures: Int = 0, isCareless: Bool = false) -> PaperExchange {
    var options = SimulationOptions()
    options.exchangeLatency = .zero...(.zero)
    options.failuresPerMillion = failures
    options.isExchangeCareless = isCareless
    return PaperExchange(options)
  }

  private func order(
    _ key: String, validUntil: Int64? = nil, number: Int = 1
  ) -> PaperExchange.Incoming {
    PaperExchange.Incoming(
      key: key, bot: "bot-1", pid: 1, validUntil: validUntil, stream: (0, 0, number))
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
    let now = MomentClock().now().boot
    let late = await exchange.execute(order("k1", validUntil: now - 1)).decision
    XCTAssertEqual(late, .expired)
    let inTime = await exchange.execute(order("k2", validUntil: now + 60_000_000)).decision
    guard case .accepted = inTime else { return XCTFail("\(inTime)") }
  }

  /// A third each: refused, executed and never answered, executed and answered after the lease.
  func testExchange_failsInThreeWays_asOftenAsAsked() async {
    let exchange = exchange(failures: 1_000_000)
    var refused = 0
    var lost = 0
    var late = 0
    for number in 1...300 {
      let (decision, delay, isLost) = await exchange.execute(order("k\(number)", number: number))
      if decision == .refused {
        refused += 1
      } else if isLost {
        lost += 1
      } else if delay >= SimulationOptions().lease {
        late += 1
      }
    }
    XCTAssertEqual(refused + lost + late, 300)
    for count in [refused, lost, late] { XCTAssertTrue((70...130).contains(count), "\(count)") }
  }

  func testCarelessExchange_takesWhatComesLateOrTwice() async {
    let exchange = exchange(isCareless: true)
    let past = MomentClock().now().boot - 1
    for _ in 1...2 {
      let decision = await exchange.execute(order("k1", validUntil: past)).decision
      guard case .accepted = decision else { return XCTFail("\(decision)") }
    }
  }
}
