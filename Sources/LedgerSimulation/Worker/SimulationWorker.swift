internal import TradeLedger

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// One worker process: asks for its bots in turn, sends what it may send, and reports each step
/// before it takes it.
public struct SimulationWorker {
  private let configuration: WorkerConfiguration
  private let input = WorkerInput()
  private let clock = MomentClock()
  private var random: SeededRandom
  private var number = 0
  /// What is to be asked again, because the last answer was "busy" or because a task is delivered
  /// twice. By bot.
  private var repeated: [Int: Question] = [:]
  /// When a bot is to be asked for next.
  private var due: [Int: ContinuousClock.Instant] = [:]

  private struct Question {
    let order: Order
    let key: OrderKey
    let token: PermitToken
  }

  /// - Returns: nil where the arguments do not come from a supervisor.
  public init?(arguments: [String]) {
    guard let configuration = WorkerConfiguration(arguments) else { return nil }
    self.configuration = configuration
    random = SeededRandom(
      seed: configuration.seed, stream: UInt64(configuration.worker),
      UInt64(configuration.incarnation))
  }

  /// Works until the supervisor says stop.
  /// - Returns: the exit code.
  public mutating func run() async -> Int32 {
    nameProcess()
    input.start()
    let strategy: any WorkerStrategy
    do {
      strategy = try await configuration.strategy.open(configuration)
    } catch {
      input.say(.failed("\(error)"))
      return 70
    }
    input.say(.ready(pid: getpid()))
    await input.waitForRelease()
    do {
      if configuration.instance == nil {
        await trade(strategy, until: nil)
      } else {
        try await takeTurns(strategy)
      }
    } catch {
      input.say(.failed("\(error)"))
      return 70
    }
    await strategy.close()
    return 0
  }

  /// Trades while this process is the instance of its name, and asks for the name while it is not.
  private mutating func takeTurns(_ strategy: any WorkerStrategy) async throws {
    while !input.isStopping {
      input.say(.claim(at: clock.now()))
      let answer = await strategy.claim()
      input.say(.claimed(answer, at: clock.now()))
      guard answer.isTaken else {
        // As a bot whose start is refused, and that is started again.
        await sleep(until: .now + random.duration(in: .milliseconds(10)...(.milliseconds(50))))
        continue
      }
      // A bot that knows nothing but its lock file runs until it is ended.
      let turn = random.duration(in: .milliseconds(200)...(.milliseconds(800)))
      await trade(strategy, until: configuration.strategy == .pidFile ? nil : .now + turn)
      input.say(.leaving(at: clock.now()))
      try await strategy.leave()
      input.say(.left(at: clock.now()))
      await sleep(until: .now + random.duration(in: .zero...(.milliseconds(50))))
    }
  }

  private mutating func trade(
    _ strategy: any WorkerStrategy, until end: ContinuousClock.Instant?
  ) async {
    let bots = configuration.ownBots
    while !input.isStopping, end.map({ .now < $0 }) ?? true {
      let now = ContinuousClock.now
      let ready = bots.filter { due[$0, default: now] <= now }.shuffled(using: &random)
      for bot in ready where !input.isStopping {
        let attempted = await attempt(bot, strategy)
        due[bot] = .now + pause(after: attempted, isRepeating: repeated[bot] != nil)
      }
      if ready.isEmpty {
        let next = bots.compactMap { due[$0] }.min() ?? now + .seconds(1)
        await sleep(until: end.map { min($0, next) } ?? next)
      }
    }
  }

  private mutating func attempt(_ bot: Int, _ strategy: any WorkerStrategy) async -> Attempted {
    number += 1
    let number = number
    let question: Question
    do throws(LedgerError) {
      if let again = repeated.removeValue(forKey: bot) {
        question = again
      } else {
        question = try newQuestion(bot)
      }
    } catch {
      return Attempted(answer: .failed(code: error.code.description))
    }
    let key = question.key
    input.say(.call(number: number, bot: bot, key: key.description, at: clock.now()))
    let attempted = await strategy.attempt(
      question.order, key: key, token: question.token
    ) { [input, clock] ticket in
      let line = WorkerLine.order(
        number: number, trade: ticket.trade, key: ticket.key, validUntil: ticket.validUntil,
        at: clock.now())
      switch await input.ask(number, line) {
      case .accepted(let at): return at
      case .refused: throw OrderNotSent("refused by the exchange")
      case .expired: throw OrderNotSent("refused by the exchange: after valid_until")
      case .repeated, nil: throw OutcomeNotKnown()
      }
    }
    input.say(
      .told(
        number: number, answer: attempted.answer, busyErrors: attempted.busyErrors, at: clock.now())
    )
    repeated[bot] = next(question, after: attempted.answer)
    return attempted
  }

  /// What is asked next: the same once more, word for word, where there was no answer; and the same
  /// task with another token where it is delivered a second time, as queues do now and then, and
  /// always where nobody has confirmed it. Such a task must not be traded again.
  private mutating func next(_ question: Question, after answer: Answer) -> Question? {
    switch answer {
    case .busy: return question
    case .inDoubt where configuration.strategy == .ledger: break
    case .filled where configuration.strategy == .ledger:
      guard random.chance(perMillion: 100_000) else { return nil }
    default: return nil
    }
    return Question(order: question.order, key: question.key, token: .random())
  }

  private mutating func newQuestion(_ bot: Int) throws(LedgerError) -> Question {
    let place = "\(configuration.run)-\(configuration.worker).\(configuration.incarnation)"
    let order = Order(
      bot: try BotName(configuration.bots[bot]), side: Bool.random(using: &random) ? .buy : .sell,
      symbol: try Symbol("BTC-USD"), quantity: try Amount("0.25"), price: try Amount("100"))
    return Question(order: order, key: try OrderKey("\(place).\(number)"), token: .random())
  }

  /// How long to leave a bot alone. Half of the workers come back in the very moment at which the
  /// wait ends, so that there is always a crowd; the others ask too early, as impatient bots do.
  private mutating func pause(after attempted: Attempted, isRepeating: Bool) -> Duration {
    let wait: Duration
    switch attempted.answer {
    case _ where isRepeating: wait = .milliseconds(5)
    case .denied:
      // A clock that is back makes the wait hours long, but only until it has caught up.
      let longest = max(configuration.cooldown, .milliseconds(100))
      wait = min(attempted.retryAfter ?? .milliseconds(50), longest)
    case .filled, .inDoubt: wait = configuration.cooldown
    case .void, .replayed, .busy, .unknown, .failed: wait = .milliseconds(5)
    }
    if Bool.random(using: &random) {
      let jitter = random.duration(in: .zero...(.milliseconds(3))) - .milliseconds(2)
      return max(wait + jitter, .microseconds(200))
    }
    let least = min(wait, .milliseconds(1))
    return random.duration(in: least...max(least, min(wait, .milliseconds(100))))
  }

  /// Sleeps in slices, so that "stop" is heard during a long cooldown.
  private func sleep(until moment: ContinuousClock.Instant) async {
    let slice = min(moment, .now + .milliseconds(50))
    try? await Task.sleep(until: slice, tolerance: .zero)
  }

  /// Makes the process show up under the program's name: it was started as `/proc/self/exe`.
  private func nameProcess() {
    let descriptor = unsafe open("/proc/self/comm", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    let name = Array("tradeledger".utf8)
    unsafe _ = name.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
    close(descriptor)
  }
}

/// The exchange has seen the key before, or its answer was lost: whether this order was executed is
/// not known.
private struct OutcomeNotKnown: Error {}
