internal import ArgumentParser
internal import TradeLedger

/// The workload of `scripts/powercut`: trades, and says each answer in one write the moment it has
/// it, so that a trace of system calls orders answers, writes and syncs.
///
/// The words are those of `scripts/lib/powercut/claims.py`.
struct AnswerWorker: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "A worker of scripts/powercut; started by it, not by people.", shouldDisplay: false)

  @Option(help: ArgumentHelp("Trades bots PREFIX1, PREFIX2, ...", valueName: "prefix"))
  var bots: String

  @Option(help: ArgumentHelp("A bot that all workers trade.", valueName: "bot"))
  var shared: String

  @Option(help: ArgumentHelp("Steps of each caller.", valueName: "number"))
  var count: String

  @Option(help: ArgumentHelp("Callers at a time, one bot for each.", valueName: "number"))
  var callers = "1"

  @Option(
    name: .customLong("first-step"),
    help: ArgumentHelp("Goes on where an earlier run ended.", valueName: "number"))
  var firstStep = "1"

  @Option(help: ArgumentHelp("What an answer survives.", valueName: "full|normal"))
  var durability = Ledger.Options.Durability.full

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let first = try positiveNumber(firstStep, "a step")
    let steps = first..<first + (try positiveNumber(count, "a number of steps"))
    let shared = try BotName(shared)
    let callers = try (1...(try positiveNumber(callers, "a number of callers"))).map { number in
      (try BotName(bots + String(number)), try InstanceName(bots + String(number)))
    }
    try await global.withLedger(durability: durability) { ledger in
      try await withThrowingTaskGroup { group in
        for (bot, instance) in callers {
          let caller = AnsweringCaller(
            ledger: ledger, own: bot, shared: shared, instance: instance)
          group.addTask { try await caller.run(steps) }
        }
        try await group.waitForAll()
      }
    }
  }
}

/// One caller: goes through all kinds of answers in turn.
private struct AnsweringCaller {
  let ledger: Ledger
  let own: BotName
  let shared: BotName
  let instance: InstanceName

  func run(_ steps: Range<Int64>) async throws {
    for step in steps {
      do {
        try await self.step(step)
      } catch let error as LedgerError where error.code == .busy {
        try say("failed \(error.code)")
      }
    }
  }

  private func step(_ step: Int64) async throws {
    switch step % 8 {
    case 1: try await trade(own, step, isVoid: true)
    case 3: try await record(step)
    case 5: try await takeName()
    // All workers use the same keys here: who comes second reads what the first one wrote.
    case 2, 4, 6: try await trade(shared, step, isVoid: step % 16 == 2)
    case 7: try await look()
    default: try await trade(own, step, isVoid: false)
    }
  }

  private func trade(_ bot: BotName, _ step: Int64, isVoid: Bool) async throws {
    let key = try OrderKey("\(bot)-\(step)")
    switch try await ledger.reserve(try order(bot), key: key) {
    case .admitted(let trade, let permit):
      try say("reserved \(trade.id) \(trade.key)")
      try await isVoid ? void(permit) : fill(permit)
    case .replayed(let trade, _): try say("replayed", trade)
    case .denied(let denial): try say(denial)
    }
  }

  private func fill(_ permit: Permit) async throws {
    try say("filled", try await ledger.fill(permit.trade, token: permit.token))
  }

  /// The order was not sent. And then it turns out that it was.
  private func void(_ permit: Permit) async throws {
    try say("void", try await ledger.void(permit.trade, token: permit.token, reason: "not sent"))
    let answer = try await ledger.fill(permit.trade, token: permit.token)
    guard case .denied(let denial) = answer, denial.reason == .alreadySettled else {
      return try say("filled", answer)
    }
    try say("conflict \(permit.trade) \(permit.key)")
    try say(denial)
  }

  private func record(_ step: Int64) async throws {
    switch try await ledger.record(try order(own), key: try OrderKey("\(own)-\(step)")) {
    case .recorded(let trade): try say("recorded \(trade.id) \(trade.key)")
    case .replayed(let trade): try say("replayed", trade)
    case .denied(let denial): try say(denial)
    }
  }

  private func takeName() async throws {
    guard case .acquired(let lease) = try await ledger.acquireInstance(instance) else {
      return try say("denied held")
    }
    try say("acquired \(lease.name) \(lease.epoch.value)")
    if try await lease.release() { try say("released \(lease.name) \(lease.epoch.value)") }
  }

  /// What somebody sees who only looks.
  private func look() async throws {
    for trade in try await ledger.trades(TradeQuery(limit: 1)).trades { try say("seen", trade) }
  }

  private func order(_ bot: BotName) throws -> Order {
    Order(bot: bot, side: .buy, symbol: try Symbol("BTC-USD"), quantity: try Amount("1"))
  }

  private func say(_ verb: String, _ outcome: SettleOutcome) throws {
    switch outcome {
    case .settled(let trade): try say("\(verb) \(trade.id) \(trade.key)")
    case .replayed(let trade): try say("replayed", trade)
    case .denied(let denial): try say(denial)
    }
  }

  private func say(_ denial: Denial) throws {
    if let winner = denial.winner {
      try say("denied-\(denial.reason.rawValue)", winner)
    } else {
      try say("denied \(denial.reason.rawValue)")
    }
  }

  private func say(_ verb: String, _ trade: Trade) throws {
    try say("\(verb) \(trade.id) \(trade.key) \(trade.status.rawValue)")
  }

  private func say(_ line: String) throws { try Console.out(line + "\n") }
}
