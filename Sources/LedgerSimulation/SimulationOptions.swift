public import TradeLedger

/// What a simulation is asked to do.
public struct SimulationOptions: Equatable, Sendable {
  /// How the workers trade.
  public enum Strategy: String, CaseIterable, Sendable {
    /// Through the ledger.
    case ledger
    /// The first incident, re-enacted: read the last trade, decide, insert.
    case naive
    /// The same inside one transaction that begins without a lock, and the insert alone once more
    /// where SQLite says that the database is locked.
    case deferred
    /// The first incident's fix, re-enacted: a lock with a constant value, a time limit, and a
    /// release that does not look whose lock it is.
    case ttlLock = "ttl-lock"
    /// The second incident, re-enacted: one instance of each name by lock file and pid file, and a
    /// cleanup script that deletes both.
    case pidFile = "pid-file"
  }

  /// What is done to the workers while they trade.
  public enum Chaos: String, CaseIterable, Sendable {
    /// `kill -9`, and a new process in its place.
    case kill
    /// SIGSTOP, for less than the lease or for more, then SIGCONT.
    case pause
    /// The wall clock of all workers jumps, by a second to an hour, forth and back.
    case clock
    /// Whatever is named like a lock, pid, tmp or log file is deleted, again and again.
    case cleanup
  }

  public var strategy = Strategy.ledger
  public var workers = 8
  public var bots = 4
  /// Instance names that the workers take turns in; nil for the usual number, 0 for none.
  public var instances: Int?
  public var duration = Duration.seconds(10)
  public var cooldown = Duration.milliseconds(500)
  /// How long the exchange takes to answer.
  public var exchangeLatency = Duration.milliseconds(1)...Duration.milliseconds(20)
  /// Orders out of a million with which something goes wrong at the exchange: a third of them are
  /// refused, a third executed and the answer lost, a third executed and answered after the lease.
  public var failuresPerMillion = 10_000
  /// The exchange takes orders after `valid_until`, and a key as often as it comes.
  public var isExchangeCareless = false
  public var chaos: Set<Chaos> = []
  public var seed: UInt64 = 0
  /// A ledger of mode `simulation`, in a file or on a server whose clock is this machine's; nil for
  /// a new one in a private temporary directory.
  public var ledgerPath: String?
  /// The longest wait for the write lock.
  public var lockWait = Duration.seconds(5)
  /// How many of the workers, the last ones, are started by `foreignCommand`: in another language,
  /// through another client of the same file. They know no instance names.
  public var foreignWorkers = 0
  /// A program that speaks the workers' protocol, with its first arguments.
  public var foreignCommand: [String] = []

  public init() {}

  /// Seeds stay below 2^53, so that every reader of JSON gets them whole.
  public static let largestSeed: UInt64 = 9_007_199_254_740_991

  /// How long a permit is good for: half the cooldown and at most 30 s, but at least three times
  /// the slowest answer of the exchange, and time enough to get there.
  public var lease: Duration {
    let slowest = max(exchangeLatency.upperBound * 3, .milliseconds(20))
    return min(max(min(cooldown / 2, .seconds(30)), slowest), .seconds(86_400))
  }

  /// How many admissions make a simulation mean something: half of what cooldown and duration
  /// allow, where there are workers enough for that. A ledger that denies everything does not hold.
  ///
  /// A trade takes the cooldown and, before that, the time of the exchange; where its worker is
  /// struck, or the answer never comes, its lease if that is longer. No machine is asked for more
  /// than it can sync to its disk: 50 trades a second, all bots together.
  ///
  /// - Parameter elapsed: the time in which the ledger could admit: without that in which the
  ///   workers' wall clock was back, and that in which a stopped worker may have held the lock.
  public func leastAdmissions(in elapsed: Duration) -> Int {
    guard (instanceNames == 0 ? workers : instanceNames) >= bots else { return 1 }
    let occupied = chaos.isEmpty && failuresPerMillion == 0 ? cooldown : max(cooldown, lease)
    let period = max(occupied + exchangeLatency.upperBound, .milliseconds(20) * bots)
    let each = elapsed.wholeMicroseconds / period.wholeMicroseconds
    return max(1, bots * Int(each) / 2)
  }
}

extension SimulationOptions {
  /// Checks what types cannot.
  /// - Throws: `invalidInput` where a value is out of range.
  public func validate() throws(LedgerError) {
    func check(_ isFine: Bool, _ what: String, _ hint: String) throws(LedgerError) {
      if !isFine { throw LedgerError(.invalidInput, what, hint: hint) }
    }
    try check(
      (1...256).contains(workers), "workers out of range: \(workers)", "give 1 to 256 workers")
    try check((1...1000).contains(bots), "bots out of range: \(bots)", "give 1 to 1000 bots")
    try check(
      (.milliseconds(100)...Duration.seconds(86_400)).contains(duration),
      "duration out of range: \(duration.readable)", "simulate for 100ms to 24h")
    try check(
      exchangeLatency.upperBound <= .seconds(3600),
      "exchange latency out of range: \(exchangeLatency.upperBound.readable)",
      "let the exchange take an hour at most")
    try check(
      (0...1_000_000).contains(failuresPerMillion), "exchange failures out of range",
      "give 0% to 100%")
    try check(
      strategy == .ledger || !chaos.contains(.clock),
      "the clock cannot be moved under the strategy \(strategy.rawValue)",
      "give --chaos kill,pause: the table of that strategy knows the wall clock alone")
    try check(
      ledgerPath.map { !Ledger.isServer($0) } ?? true
        || chaos.isDisjoint(with: [.clock, .cleanup]),
      "a ledger on a server has neither this machine's clock nor files beside it",
      "give --chaos kill,pause")
    try checkInstances(check)
    try checkForeignWorkers(check)
    try check(
      seed <= SimulationOptions.largestSeed, "seed out of range: \(seed)",
      "give a seed from 0 to \(SimulationOptions.largestSeed)")
    _ = try BotSettings(cooldown: cooldown, lease: lease)
  }

  /// Parses `1ms..20ms`, or `5ms` for always the same.
  /// - Throws: `invalidInput`.
  public static func latency(_ text: String) throws(LedgerError) -> ClosedRange<Duration> {
    guard let dots = SimulationOptions.position(of: "..", in: text) else {
      let value = try Duration(interval: text)
      return value...value
    }
    let low = try Duration(interval: String(text[..<dots]))
    let high = try Duration(interval: String(text[text.index(dots, offsetBy: 2)...]))
    guard low <= high else {
      throw LedgerError(
        .invalidInput, "not a range of latencies: \(escaped(text))",
        hint: "write the shorter one first, such as 1ms..20ms")
    }
    return low...high
  }

  /// Parses `1%`, `0.5%`: at most four digits after the point, 0 to 100.
  /// - Returns: how many in a million.
  /// - Throws: `invalidInput`.
  public static func perMillion(_ text: String) throws(LedgerError) -> Int {
    let parts = text.utf8.dropLast().split(separator: 0x2e, omittingEmptySubsequences: false)
    let isDigits = parts.allSatisfy { part in
      !part.isEmpty && part.allSatisfy { (0x30...0x39).contains($0) }
    }
    guard text.hasSuffix("%"), isDigits, (1...2).contains(parts.count), parts[0].count <= 3,
      let whole = Int(String(Substring(parts[0])))
    else { throw notAShare(text) }
    let digits = parts.count == 2 ? String(Substring(parts[1])) : ""
    guard digits.utf8.count <= 4,
      let fraction = Int(digits + String(repeating: "0", count: 4 - digits.utf8.count)),
      whole * 10_000 + fraction <= 1_000_000
    else { throw notAShare(text) }
    return whole * 10_000 + fraction
  }

  /// Parses `kill,pause`: names with commas between them; `all` is all of them.
  /// - Returns: nil where a name is unknown, or one is missing.
  public static func chaos(_ text: String) -> Set<Chaos>? {
    var result: Set<Chaos> = []
    for name in text.split(separator: ",", omittingEmptySubsequences: false) {
      if name == "all" {
        result.formUnion(Chaos.allCases)
        continue
      }
      guard let kind = Chaos(rawValue: String(name)) else { return nil }
      result.insert(kind)
    }
    return result
  }

  private static func notAShare(_ text: String) -> LedgerError {
    LedgerError(
      .invalidInput, "not a share: \(escaped(text.prefix(64)))",
      hint: "write a percentage from 0% to 100%, such as 1% or 0.5%")
  }

  private static func position(of needle: String, in text: String) -> String.Index? {
    text.indices.first { text[$0...].hasPrefix(needle) }
  }
}

extension SimulationOptions {
  /// The command that runs the same plan again. (The plan is the same; the scheduler is not.)
  public var replayCommand: String {
    var words = [
      "tradeledger", "simulate", "--strategy", strategy.rawValue, "--workers", "\(workers)",
      "--bots", "\(bots)", "--duration", exact(duration), "--cooldown", exact(cooldown),
      "--exchange-latency",
      "\(exact(exchangeLatency.lowerBound))..\(exact(exchangeLatency.upperBound))",
      "--exchange-failures", share,
    ]
    if let instances { words += ["--instances", "\(instances)"] }
    if !chaos.isEmpty {
      words += ["--chaos", chaos.map(\.rawValue).sorted().joined(separator: ",")]
    }
    if isExchangeCareless { words.append("--exchange-careless") }
    words += foreignWords
    if lockWait != SimulationOptions().lockWait { words += ["--lock-wait", exact(lockWait)] }
    return (words + ["--seed", "\(seed)"]).joined(separator: " ")
  }

  private var share: String {
    let fraction = String(String(1_000_000 + failuresPerMillion % 10_000).suffix(4))
    let whole = failuresPerMillion / 10_000
    return fraction == "0000" ? "\(whole)%" : "\(whole).\(fraction)%"
  }

  private func exact(_ interval: Duration) -> String {
    let units: [(Int64, String)] = [(60_000_000, "m"), (1_000_000, "s"), (1000, "ms")]
    let total = interval.wholeMicroseconds
    for (size, unit) in units where total >= size && total % size == 0 {
      return "\(total / size)\(unit)"
    }
    return "\(total)us"
  }
}
