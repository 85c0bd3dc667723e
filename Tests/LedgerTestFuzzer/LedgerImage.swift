import SQLite
import TradeLedger

/// The files of a ledger as bytes.
struct LedgerImage {
  var main: [UInt8]
  var wal: [UInt8]
  var journal: [UInt8] = []
  var shm: [UInt8] = []
  let pageSize: Int

  /// Puts the files at `path`, in place of those that are there.
  func write(_ path: String) {
    Files.write(main, path)
    for (suffix, bytes) in [("-wal", wal), ("-journal", journal), ("-shm", shm)] {
      if bytes.isEmpty { Files.remove(path + suffix) } else { Files.write(bytes, path + suffix) }
    }
  }
}

/// A clock that a `simulation` ledger runs on. It moves only while the good ledgers are made.
final class SteppedClock: LedgerClock, @unchecked Sendable {
  // `@unchecked`: one task uses it, with one call of the ledger at a time.
  var microseconds: Int64 = 1_757_276_933_000_000

  func now() -> ClockReading {
    ClockReading(
      wall: Timestamp(microseconds: microseconds),
      boot: BootInstant(
        bootID: "the-boot/1", microseconds: microseconds - 1_757_000_000_000_000))
  }

  func advance(_ seconds: Int64) { microseconds += seconds * 1_000_000 }
}

/// A ledger with known content, from which mutants are made.
struct GoodLedger {
  let name: String
  let image: LedgerImage
  let answers: Answers
  /// Larger than what is looked at in full at each opening.
  let isLarge: Bool

  static let bots = ["ready", "waiting", "busy", "doubted", "conflicted"]
  static let token = "0123456789abcdef0123456789abcdef"

  /// Makes all of them, in `directory`.
  static func all(_ directory: String, _ clock: SteppedClock) async throws -> [GoodLedger] {
    var result: [GoodLedger] = []
    for (pageSize, isLarge) in [(4096, false), (512, false), (4096, true)] {
      let path = "\(directory)/good-\(pageSize)-\(isLarge).db"
      clock.microseconds = 1_757_276_933_000_000
      try await make(path, pageSize: pageSize, padding: isLarge ? 1_100_000 : 6_000, clock)
      let copied = LedgerImage(main: Files.read(path), wal: [], pageSize: pageSize)
      try await work(path, clock)
      let logged = LedgerImage(
        main: Files.read(path), wal: WAL.sealed(Files.read(path + "-wal"), salts: (1, 2)),
        pageSize: pageSize)
      guard logged.wal.count > 10_000 else { throw Failure("the log of \(path) is empty") }
      for (image, kind) in [(copied, "file"), (logged, "log")] {
        image.write(path)
        let answers = await Answers.of(path, clock)
        guard answers.errors.isEmpty else { throw Failure("\(path): \(answers.errors)") }
        result.append(
          GoodLedger(
            name: "\(pageSize)-\(kind)\(isLarge ? "-large" : "")", image: image, answers: answers,
            isLarge: isLarge))
      }
    }
    return result
  }

  /// A ledger without a log, with all kinds of trades and some free pages.
  private static func make(
    _ path: String, pageSize: Int, padding: Int, _ clock: SteppedClock
  ) async throws {
    Files.write([], path)
    do {
      let connection = try Connection.open(path, options: .init(purpose: .writing, wait: .zero))
      try connection.run("PRAGMA page_size = \(pageSize)")
      try connection.switchToWAL(wait: .zero)
      try connection.run("CREATE TABLE padding (bytes)")
      for number in 0..<(padding / 2000) {
        try connection.run("INSERT INTO padding VALUES (printf('%02000d', \(number)))")
      }
      try connection.run("DROP TABLE padding")
    }
    var options = Ledger.Options()
    options.clock = clock
    let ledger = try await Ledger.create(path, mode: .simulation, options: options)
    for bot in bots {
      let settings = try BotSettings(
        cooldown: .seconds(bot == "waiting" ? 3600 : 60), lease: .seconds(30),
        inDoubt: bot == "doubted" ? .block : .cooldown)
      _ = try await ledger.addBot(BotName(bot), settings)
    }
    for _ in 0..<4 { try await trade(ledger, "ready", clock) }
    await ledger.close()
    try await work(path, clock)
    do {
      let connection = try Connection.open(path, options: .init(purpose: .writing, wait: .zero))
      let helper = try Connection.open(path, options: .init(purpose: .writing, wait: .zero))
      guard
        case .rolledBack(let (frames, copied)) = connection.checkpoint(
          helper: helper, wait: .zero), frames == copied
      else { throw Failure("the log was not copied") }
    }
    // The last one out removes the log.
    Files.remove(path + "-wal")
    Files.remove(path + "-shm")
  }

  /// Some more trades of every kind. What was pending is settled first.
  private static func work(_ path: String, _ clock: SteppedClock) async throws {
    var options = Ledger.Options()
    options.clock = clock
    let ledger = try await Ledger.open(path, options: options)
    let token = try PermitToken(Self.token)
    func reserve(_ bot: String) async throws -> TradeID {
      clock.advance(3700)
      let outcome = try await ledger.reserve(
        order(bot), key: OrderKey("\(bot)-\(clock.microseconds)"), token: token)
      guard case .admitted(let trade, _) = outcome else { throw Failure("\(outcome)") }
      return trade.id
    }
    for bot in bots {
      let open = try await ledger.trades(TradeQuery(bot: BotName(bot))).trades
      for trade in open where !trade.status.isFinal {
        clock.advance(31)
        _ = try await ledger.resolve(
          .id(trade.id), fill: Fill(),
          reason: String(repeating: "found at the exchange; ", count: 9))
      }
      for _ in 0..<4 { try await Self.trade(ledger, bot, clock) }
    }
    for _ in 0..<2 {
      let void = try await reserve("conflicted")
      _ = try await ledger.void(void, token: token, reason: "refused")
      clock.advance(7)
      _ = try await ledger.fill(void, token: token, Fill(price: Amount("1.25")))
    }
    let late = try await reserve("waiting")
    clock.advance(31)
    _ = try await ledger.fill(late, token: token)
    _ = try await ledger.record(
      order("waiting"), fill: Fill(at: Timestamp(microseconds: clock.microseconds - 4_000_000_000)),
      key: OrderKey("past-\(clock.microseconds)"))
    _ = try await reserve("doubted")
    clock.advance(31)
    _ = try await ledger.reserve(order("doubted"), key: OrderKey("refused"))
    _ = try await ledger.changeBot(BotName("ready"), BotChange(lease: .seconds(20)))
    clock.advance(-3700)
    _ = try await reserve("busy")
    try await Self.trade(ledger, "waiting", clock)
    await ledger.close()
    // So that a seed gives the same mutant in every process.
    try StoredRows.edit(path, "UPDATE trades SET pid = 4242")
  }

  private static func trade(
    _ ledger: Ledger, _ bot: String, _ clock: SteppedClock
  ) async throws {
    if bot == "waiting" { clock.advance(3600) } else { clock.advance(60) }
    _ = try await ledger.record(
      order(bot), fill: Fill(price: Amount("64250.1")),
      key: OrderKey("\(bot)-\(clock.microseconds)"))
  }

  static func order(_ bot: String) throws(LedgerError) -> Order {
    Order(
      bot: try BotName(bot), side: .buy, symbol: try Symbol("BTC-USD"),
      quantity: try Amount("0.25"))
  }
}

struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
