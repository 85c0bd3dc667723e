import LedgerTestSupport
import Logging
import Metrics
import Synchronization
import XCTest

@testable import TradeLedger

/// What operators grep for, and what they draw.
final class ObservabilityTests: XCTestCase {
  override class func setUp() {
    _ = RecordingMetrics.shared
  }

  private func logged() async throws -> (TestLedger, Ledger, RecordingLog) {
    let test = try await TestLedger()
    try await test.addBot(cooldown: .seconds(90))
    let log = RecordingLog()
    var options = Ledger.Options()
    options.clock = test.clock
    options.logger = Logger(label: "test") { _ in log }
    return (test, try await Ledger.open(test.path, options: options), log)
  }

  // MARK: Log

  /// The two lines of the contract, through the caller's own logger, with the data in the metadata.
  func testLog_admissionAndCooldown_useTheConstantLines() async throws {
    let (test, ledger, log) = try await logged()
    let outcome = try await ledger.reserve(.example(), key: try OrderKey("task-1"))
    guard case .admitted(let trade, let permit) = outcome else { return XCTFail("\(outcome)") }
    XCTAssertEqual(
      log.take(),
      [
        .init(
          level: .info, message: "trade lock acquired",
          metadata: ["bot": "momentum/BTC-USD", "trade": "\(trade.id)", "key": "task-1"])
      ])
    _ = try await ledger.fill(permit.trade, token: permit.token)
    XCTAssertEqual(
      log.take(),
      [
        .init(
          level: .info, message: "trade settled",
          metadata: [
            "bot": "momentum/BTC-USD", "trade": "\(trade.id)", "status": "filled",
            "late": "false",
          ])
      ])
    test.clock.advance(.seconds(15))
    _ = try await ledger.reserve(.example())
    XCTAssertEqual(
      log.take(),
      [
        .init(
          level: .info, message: "cooldown remaining",
          metadata: [
            "bot": "momentum/BTC-USD", "reason": "cooldown", "remaining": "1m 15s",
            "winner": "\(trade.id)",
          ])
      ])
    await ledger.close()
    try await test.verify()
  }

  func testLog_otherDenialsAndDoubts_haveTheirOwnLines() async throws {
    let (test, ledger, log) = try await logged()
    struct Lost: Error {}
    _ = try await ledger.withTrade(.example()) { _ in throw Lost() }
    XCTAssertEqual(log.take().map(\.message), ["trade lock acquired", "trade in doubt"])
    _ = try await ledger.reserve(.example())
    let lines = log.take()
    XCTAssertEqual(lines.map(\.message), ["trade denied"])
    XCTAssertEqual(lines.first?.metadata["reason"], "in_progress")
    // Nothing that a repeat does not change is said twice, and looking says nothing at all.
    _ = try await ledger.check(exampleBot)
    _ = try await ledger.status()
    _ = try await ledger.audit()
    XCTAssertEqual(log.take(), [])
    await ledger.close()
    try await test.verify()
  }

  /// A permit's token stops accidents; it does not belong into a log.
  func testLog_neverShowsATokenAndNothingAboveWarning() async throws {
    let (test, ledger, log) = try await logged()
    let token = PermitToken(stored: "a-very-secret-token")
    let outcome = try await ledger.withTrade(.example(), token: token) { _ in
      throw OrderNotSent("rejected")
    }
    guard case .void = outcome else { return XCTFail("\(outcome)") }
    _ = try await ledger.withTrade(.example(), token: token) { _ in Fill() }
    _ = try await ledger.reserve(.example(), token: token)
    let lines = log.take()
    XCTAssertGreaterThanOrEqual(lines.count, 5)
    for line in lines {
      XCTAssertLessThanOrEqual(line.level, .warning)
      XCTAssertFalse("\(line)".contains(token.description), "\(line)")
    }
    await ledger.close()
    try await test.verify()
  }

  // MARK: Metrics

  func testMetrics_countAttemptsByBotOutcomeAndReason() async throws {
    let test = try await TestLedger()
    let bot = "metrics/\(UInt32.random(in: 0 ... .max))"
    try await test.addBot(bot, cooldown: .seconds(10))
    let order = Order.example(bot)
    for _ in 0..<3 {
      let (_, permit) = try await test.admitted(order)
      _ = try await test.denied(order)
      try await test.filled(permit)
      _ = try await test.denied(order)
      _ = try await test.denied(order)
      test.clock.advance(.seconds(10))
    }
    let (_, permit) = try await test.admitted(order, key: "once")
    _ = try await test.ledger.reserve(order, key: try OrderKey("once"))
    try await test.voided(permit)
    struct Lost: Error {}
    _ = try await test.ledger.withTrade(order) { _ in throw Lost() }
    _ = try? await test.ledger.reserve(.example("nobody-\(bot.utf8.count)"))
    // A name that no bot has is no label: callers could make up any number of them.
    XCTAssertEqual(RecordingMetrics.shared.counters(bot: "nobody-\(bot.utf8.count)"), [:])
    XCTAssertNotNil(
      RecordingMetrics.shared.counters(bot: "")["tradeledger_attempts_total error no_such_bot"])
    let counts = RecordingMetrics.shared.counters(bot: bot)
    let expected: [String: Int64] = [
      "tradeledger_attempts_total admitted ": 5, "tradeledger_attempts_total replayed ": 1,
      "tradeledger_attempts_total denied in_progress": 3,
      "tradeledger_attempts_total denied cooldown": 6, "tradeledger_settled_total filled ": 3,
      "tradeledger_settled_total void ": 1, "tradeledger_settled_total in_doubt ": 1,
    ]
    XCTAssertEqual(counts, expected)
    XCTAssertGreaterThanOrEqual(
      RecordingMetrics.shared.recordings("tradeledger_attempt_duration"), 15)
    try await test.verify()
  }

  /// Labels are bot, outcome and reason, and their number does not grow with the trades.
  func testMetrics_labels_areBounded() async throws {
    let test = try await TestLedger()
    let bot = "metrics/\(UInt32.random(in: 0 ... .max))"
    try await test.addBot(bot, cooldown: .zero)
    for _ in 0..<50 {
      let (_, permit) = try await test.admitted(.example(bot))
      _ = try await test.denied(.example(bot))
      try await test.filled(permit)
    }
    XCTAssertEqual(RecordingMetrics.shared.counters(bot: bot).count, 3)
    let names = Set(RecordingMetrics.shared.dimensionNames())
    XCTAssertEqual(names, ["bot", "outcome", "reason"])
    try await test.verify()
  }

  /// Each metric object is made once, not once for each event.
  func testMetrics_objects_areMadeOnce() async throws {
    let test = try await TestLedger()
    let bot = "metrics/\(UInt32.random(in: 0 ... .max))"
    try await test.addBot(bot, cooldown: .zero)
    for _ in 0..<10 { try await test.recorded(.example(bot)) }
    XCTAssertEqual(RecordingMetrics.shared.made(bot: bot), 1)
    try await test.verify()
  }
}

/// A log handler that keeps what it is told.
private final class RecordingLog: LogHandler, Sendable {
  struct Line: Equatable {
    let level: Logger.Level
    let message: String
    let metadata: [String: String]
  }

  private let lines = Mutex<[Line]>([])

  /// What was logged since the last call.
  func take() -> [Line] {
    lines.withLock { lines in
      defer { lines = [] }
      return lines
    }
  }

  func log(event: LogEvent) {
    let metadata = (event.metadata ?? [:]).mapValues { "\($0)" }
    lines.withLock {
      $0.append(Line(level: event.level, message: "\(event.message)", metadata: metadata))
    }
  }

  var logLevel: Logger.Level {
    get { .trace }
    set {}
  }
  var metadata: Logger.Metadata {
    get { [:] }
    set {}
  }
  subscript(metadataKey key: String) -> Logger.MetadataValue? {
    get { nil }
    set {}
  }
}

/// A metrics backend that keeps what it is told. Of the whole process: it can be set once.
private final class RecordingMetrics: MetricsFactory, Sendable {
  static let shared: RecordingMetrics = {
    let metrics = RecordingMetrics()
    MetricsSystem.bootstrap(metrics)
    return metrics
  }()

  final class Handler: CounterHandler, TimerHandler, RecorderHandler, Sendable {
    let label: String
    let dimensions: [(String, String)]
    let total = Mutex<Int64>(0)

    init(_ label: String, _ dimensions: [(String, String)]) {
      self.label = label
      self.dimensions = dimensions
    }

    func increment(by amount: Int64) { total.withLock { $0 += amount } }
    func reset() { total.withLock { $0 = 0 } }
    func recordNanoseconds(_ duration: Int64) { increment(by: 1) }
    func record(_ value: Int64) { increment(by: 1) }
    func record(_ value: Double) { increment(by: 1) }

    subscript(_ name: String) -> String { dimensions.first { $0.0 == name }?.1 ?? "" }
  }

  private let handlers = Mutex<[Handler]>([])

  private func make(_ label: String, _ dimensions: [(String, String)]) -> Handler {
    let handler = Handler(label, dimensions)
    handlers.withLock { $0.append(handler) }
    return handler
  }

  /// By label, outcome and reason.
  func counters(bot: String) -> [String: Int64] {
    var result: [String: Int64] = [:]
    for handler in handlers.withLock({ $0 }) where handler["bot"] == bot {
      let key = "\(handler.label) \(handler["outcome"]) \(handler["reason"])"
      result[key, default: 0] += handler.total.withLock { $0 }
    }
    return result
  }

  func made(bot: String) -> Int { handlers.withLock { $0.filter { $0["bot"] == bot }.count } }

  func recordings(_ label: String) -> Int64 {
    handlers.withLock { $0 }.filter { $0.label == label }
      .reduce(0) { sum, handler in sum + handler.total.withLock { $0 } }
  }

  func dimensionNames() -> [String] {
    handlers.withLock { $0 }.flatMap { $0.dimensions.map(\.0) }
  }

  func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    make(label, dimensions)
  }

  func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    make(label, dimensions)
  }

  func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    make(label, dimensions)
  }

  func destroyCounter(_ handler: any CounterHandler) {}
  func destroyRecorder(_ handler: any RecorderHandler) {}
  func destroyTimer(_ handler: any TimerHandler) {}
}
