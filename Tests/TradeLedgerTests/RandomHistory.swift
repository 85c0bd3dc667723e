import LedgerTestSupport
import Synchronization
import XCTest

@testable import TradeLedger

/// One ledger and its model, driven by the same random operations.
struct RandomHistory {
  typealias Answer = HistoryModel.Answer

  let test: TestLedger
  let ledgers: [Ledger]
  var model = HistoryModel()
  var random: SeededGenerator
  var log: [String] = []
  private var boots = 0
  private var keys = 0

  /// Answers that a run of this length must have met.
  static let reached: Set<String> = [
    "admitted pending", "admitted filled", "replayed", "replayed with permit", "settled filled",
    "settled void", "settled filled late", "settled void late", "disabled", "in_progress",
    "in_doubt", "cooldown", "cooldown behind", "key_conflict", "wrong_token", "already_settled",
    "failed", "admissible", "conflict",
  ]
  static let seen = Mutex<Set<String>>([])

  init(_ random: SeededGenerator) async throws {
    self.random = random
    let hasBootClock = self.random.next() % 4 != 0
    test = try await TestLedger(clock: ManualClock(bootID: hasBootClock ? "boot-0" : nil))
    ledgers = [test.ledger, try await test.another()]
    for bot in ["a", "b"] {
      let cooldown: Int64 = pick([0, 1, 5_000_000, 20_000_000])
      let lease: Int64 = pick([1000, 5_000_000])
      try await test.addBot(bot, cooldown: .microseconds(cooldown), lease: .microseconds(lease))
      model.bots[bot] = HistoryModel.Bot(cooldown: cooldown, lease: lease)
    }
  }

  mutating func pick<T>(_ values: [T]) -> T { values.randomElement(using: &random)! }
  mutating func chance(_ percent: Int) -> Bool {
    Int.random(in: 0..<100, using: &random) < percent
  }

  private var now: HistoryModel.Clock {
    let reading = test.clock.now()
    return HistoryModel.Clock(
      wall: reading.wall.microseconds, boot: reading.boot?.microseconds ?? 0,
      bootID: reading.boot?.bootID)
  }

  /// One operation. - Returns: how the ledger's answer differs from the model's, if it does.
  mutating func step() async throws -> String? {
    switch Int.random(in: 0..<100, using: &random) {
    case ..<25: return try await ask(pick([.reserve, .reserve, .reserve, .record]))
    case ..<30: return try await ask(.past)
    case ..<50: return try await settle()
    case ..<54: return try await change()
    case ..<60: return try await check()
    case ..<94:
      let interval = pick([0, 1, 999, 1_000_000, 4_999_999, 5_000_000, 20_000_000, 60_000_000])
      test.clock.advance(.microseconds(interval))
      log.append("advance \(interval)")
    case ..<98:
      let jump = pick([-3_600_000_000, -7_000_000, -1_000_001, -1, 1, 3_000_000, 3_600_000_000])
      test.clock.jumpWall(.microseconds(jump))
      log.append("jump \(jump)")
    default:
      if now.bootID == nil { break }
      boots += 1
      test.clock.reboot("boot-\(boots)")
      log.append("reboot")
    }
    return nil
  }

  // MARK: Operations

  private mutating func ask(_ origin: HistoryModel.Origin) async throws -> String? {
    var (bot, quantity) = (pick(["a", "b"]), pick(["0.5", "0.5", "0.75"]))
    keys += 1
    var key = "key-\(keys)"
    var token: String? = origin == .reserve ? "token-of-caller-\(keys)" : nil
    var at: Int64? = origin == .past ? now.wall - pick([-1, 0, 1, 4_000_000, 19_999_999]) : nil
    let open = model.rows.last { $0.status == .pending }
    if chance(20), let old = chance(50) ? open : model.rows.suffix(6).randomElement(using: &random)
    {
      key = old.key
      if chance(80) { (bot, quantity) = (old.bot, old.quantity) }
      if chance(60), origin == .reserve { token = old.token ?? token }
      if chance(50), origin == .past { at = old.filled?.wall ?? at }
    }
    let part = chance(20) ? "0.1" : nil
    log.append("\(origin) \(bot) \(key) \(quantity) at \(at.map(String.init) ?? "-") now \(now)")
    let expected = model.attempt(
      bot, key: key, token: token, quantity: quantity, origin: origin, at: at,
      filledQuantity: part, now: now)
    let order = Order.example(bot, quantity: quantity)
    let (orderKey, ledger) = (try OrderKey(key), pick(ledgers))
    let fill = Fill(
      quantity: try part.map { try Amount($0) }, at: at.map { Timestamp(microseconds: $0) })
    let answer: Answer
    do {
      if origin == .reserve {
        let permitToken = try token.map { try PermitToken($0) }
        answer = Self.answer(
          try await ledger.reserve(order, key: orderKey, token: permitToken), bot: bot)
      } else {
        answer = Self.answer(try await ledger.record(order, fill: fill, key: orderKey))
      }
    } catch { answer = .failed }
    return compare(answer, expected)
  }

  private mutating func settle() async throws -> String? {
    guard let row = model.rows.suffix(8).randomElement(using: &random) else { return nil }
    let id = chance(2) ? Int64(model.rows.count + 7) : row.id
    var outcome: (quantity: String?, at: Int64?)?
    if chance(65) {
      let offsets: [Int64] = [0, 1, 2_000_000, -2_000_000, 3_600_000_000, -3_600_000_000]
      let near = now.wall + pick(offsets)
      let at = pick([nil, near, row.exchange, row.created.wall + 1])
      outcome = (chance(30) ? "0.2" : nil, at.map { max(0, $0) })
    }
    let isOperator = chance(30)
    var token = row.token ?? "token-of-nobody-at-all" as String?
    if chance(10) { token = "token-of-a-stranger" }
    if isOperator { token = nil }
    log.append("settle \(id) \(String(describing: outcome)) by \(token ?? "operator") now \(now)")
    let conflicts = model.conflicts.count
    let expected = model.settle(id, token: token, outcome: outcome, now: now)
    if model.conflicts.count > conflicts { note("conflict") }
    let fill = try outcome.map {
      Fill(
        quantity: try $0.quantity.map { try Amount($0) },
        at: $0.at.map { Timestamp(microseconds: $0) })
    }
    let ledger = pick(ledgers)
    let answer: Answer
    do {
      if let token {
        let permitToken = try PermitToken(token)
        answer = Self.answer(
          fill != nil
            ? try await ledger.fill(TradeID(id), token: permitToken, fill!)
            : try await ledger.void(TradeID(id), token: permitToken, reason: "no"))
      } else {
        answer = Self.answer(
          try await ledger.resolve(.id(TradeID(id)), fill: fill, reason: "looked up"))
      }
    } catch { answer = .failed }
    return compare(answer, [expected])
  }

  private mutating func change() async throws -> String? {
    let bot = pick(["a", "b"])
    var change = BotChange()
    if chance(40) { change.cooldown = .microseconds(pick([0, 1, 5_000_000, 20_000_000])) }
    if chance(30) { change.lease = .microseconds(pick([1000, 1_000_000, 5_000_000])) }
    if chance(40) { change.inDoubt = pick([.block, .cooldown]) }
    change.isEnabled = chance(85)
    log.append("change \(bot) \(change)")
    model.bots[bot]!.cooldown =
      change.cooldown?.wholeMicroseconds ?? model.bots[bot]!.cooldown
    model.bots[bot]!.lease = change.lease?.wholeMicroseconds ?? model.bots[bot]!.lease
    model.bots[bot]!.blocks = change.inDoubt.map { $0 == .block } ?? model.bots[bot]!.blocks
    model.bots[bot]!.isEnabled = change.isEnabled!
    let changed = try await pick(ledgers).changeBot(BotName(bot), change)
    let settings = model.bots[bot]!
    let isSame =
      changed.settings
      == (try BotSettings(
        cooldown: .microseconds(settings.cooldown), lease: .microseconds(settings.lease),
        inDoubt: settings.blocks ? .block : .cooldown, isEnabled: settings.isEnabled))
    return isSame ? nil : "settings \(changed), expected \(settings)"
  }

  private mutating func check() async throws -> String? {
    let bot = pick(["a", "b"])
    log.append("check \(bot) now \(now)")
    let expected = model.refusals(bot, now)
    switch try await pick(ledgers).check(BotName(bot)) {
    case .admissible: return compare(.admissible, expected.isEmpty ? [.admissible] : expected)
    case .denied(let denial): return compare(Self.answer(denial), expected)
    }
  }

  // MARK: Comparing

  private mutating func compare(_ answer: Answer, _ expected: [Answer]) -> String? {
    log[log.count - 1] += " -> \(answer)"
    note(Self.name(of: answer))
    return expected.contains(answer) ? nil : "answered \(answer)\nexpected \(expected)"
  }

  private func note(_ name: String) { Self.seen.withLock { _ = $0.insert(name) } }

  private static func name(of answer: Answer) -> String {
    switch answer {
    case .admitted(_, let status, _, _): "admitted \(status.rawValue)"
    case .replayed(_, _, let withPermit): withPermit ? "replayed with permit" : "replayed"
    case .settled(_, let status, _, _, _, let late):
      "settled \(status.rawValue)\(late ? " late" : "")"
    case .denied(let reason, _, _, let behind): behind == nil ? reason : "\(reason) behind"
    case .failed: "failed"
    case .admissible: "admissible"
    }
  }

  /// The state as a whole: status, every trade, and what the audit finds.
  func compareEverything() async throws -> String? {
    let page = try await test.ledger.trades()
    for (trade, row) in zip(page.trades.reversed(), model.rows) {
      let isSame =
        trade.id.value == row.id && trade.status.rawValue == model.seen(row, now).rawValue
        && trade.createdAt.microseconds == row.created.wall
        && trade.filledAt?.microseconds == row.filled?.wall
        && trade.filledQuantity?.description == row.filledQuantity
        && trade.exchangeAt?.microseconds == row.exchange
        && trade.receivedAt?.microseconds == row.received && trade.isLate == row.isLate
        && trade.isSettledByOperator == row.isByOperator && !trade.isSuperseded
        && trade.cooldown.wholeMicroseconds == row.cooldown
      if !isSame { return "\(trade)\nexpected \(row)" }
    }
    if page.total != model.rows.count { return "\(page.total) trades, not \(model.rows.count)" }
    let status = try await test.ledger.status()
    if status.conflicts != model.conflicts.count { return "\(status.conflicts) conflicts" }
    for bot in status.bots {
      let own = model.rows.filter { $0.bot == bot.bot.name.description }
      let doubtful = own.filter { model.seen($0, now) == .inDoubt }.map(\.id)
      let pending = own.first { model.seen($0, now) == .pending }?.id
      if bot.inDoubt.map(\.id.value) != doubtful || bot.pending?.id.value != pending {
        return "\(bot)\nexpected doubts \(doubtful), pending \(pending ?? 0)"
      }
    }
    let doubles = try await test.findings(.doubleTrade).map(\.trades)
    let expected = model.doubleTrades()
    return Set(doubles) == Set(expected) && doubles.count == expected.count
      ? nil : "double trades \(doubles)\nexpected \(expected)"
  }

  func finish() async throws {
    await ledgers[1].close()
    await test.ledger.close()
    XCTAssertEqual(try test.query("PRAGMA integrity_check"), [["ok"]])
  }
}

// MARK: - The library's answers in the words of the model

extension RandomHistory {
  private static func status(_ trade: Trade) -> HistoryModel.Status {
    HistoryModel.Status(rawValue: trade.status.rawValue)!
  }

  static func answer(_ outcome: ReserveOutcome, bot: String) -> Answer {
    switch outcome {
    case .admitted(let trade, let permit):
      guard permit.validUntil == trade.leaseUntil, permit.bot.description == bot else {
        return .failed
      }
      return admitted(trade)
    case .replayed(let trade, let permit):
      return .replayed(trade.id.value, status(trade), withPermit: permit != nil)
    case .denied(let denial): return answer(denial)
    }
  }

  static func answer(_ outcome: RecordOutcome) -> Answer {
    switch outcome {
    case .recorded(let trade): admitted(trade)
    case .replayed(let trade): .replayed(trade.id.value, status(trade), withPermit: false)
    case .denied(let denial): answer(denial)
    }
  }

  static func answer(_ outcome: SettleOutcome) -> Answer {
    switch outcome {
    case .settled(let trade):
      .settled(
        trade.id.value, status(trade), at: trade.filledAt?.microseconds,
        quantity: trade.filledQuantity?.description, exchange: trade.exchangeAt?.microseconds,
        late: trade.isLate)
    case .replayed(let trade): .replayed(trade.id.value, status(trade), withPermit: false)
    case .denied(let denial): answer(denial)
    }
  }

  static func answer(_ denial: Denial) -> Answer {
    .denied(
      denial.reason.rawValue, winner: denial.winner?.id.value,
      wait: denial.retryAfter?.wholeMicroseconds, behind: denial.clockBehind?.wholeMicroseconds)
  }

  private static func admitted(_ trade: Trade) -> Answer {
    .admitted(
      trade.id.value, status(trade), leaseUntil: trade.leaseUntil?.microseconds,
      cooldown: trade.cooldown.wholeMicroseconds)
  }
}
