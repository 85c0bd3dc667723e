public import TradeLedger

/// What is measured.
public enum BenchCase: String, CaseIterable, Sendable {
  /// `record` on bots without a cooldown: one durable transaction. Each process has its own bots.
  case accept
  /// `reserve`, then `fill`: two durable transactions.
  case twoPhase = "two-phase"
  /// `reserve` on a bot in its cooldown.
  case deny
  /// All processes ask for one bot, whose cooldown denies nearly all of them.
  case hotBot = "hot-bot"
  /// Taking an instance name and letting go of it.
  case `guard`
  /// `record` by 64 concurrent callers in each process.
  case batch
  /// `accept` in a ledger that holds many trades, and in one that holds 1000.
  case growth

  /// The process counts that are measured where nobody says otherwise.
  public var usualProcesses: [Int] {
    switch self {
    case .batch, .growth: [1]
    default: [1, 2, 4, 8, 16, 32]
    }
  }
}

/// What a measurement is asked to do.
public struct BenchOptions: Equatable, Sendable {
  public var cases = BenchCase.allCases
  /// nil: the usual ones of each case.
  public var processes: [Int]?
  /// How long each round runs, on each side.
  public var duration = Duration.seconds(1)
  /// Product and ceilings take turns so often.
  public var rounds = 5
  /// Operations a second, all processes together; nil: as many as there can be.
  public var rate: Int?
  /// Trades of the ledger that has grown.
  public var trades = 100_000
  /// Where the temporary directory is made; nil: in TMPDIR, or in /tmp.
  public var directory: String?
  /// A ledger of mode `simulation` on a server, for all cases but `growth`; nil: files.
  public var server: String?
  /// The program that runs the ceilings; nil: none are measured.
  public var ceiling: String?
  /// The longest wait for the write lock.
  public var lockWait = Duration.seconds(5)

  /// What the product's answers survive.
  public var durability = Ledger.Options.Durability.full

  public init() {}

  /// Checks what types cannot.
  /// - Throws: `invalidInput` where a value is out of range.
  public func validate() throws(LedgerError) {
    func check(_ isFine: Bool, _ what: String, _ hint: String) throws(LedgerError) {
      if !isFine { throw LedgerError(.invalidInput, what, hint: hint) }
    }
    try check(
      processes?.allSatisfy { (1...64).contains($0) } ?? true, "processes out of range",
      "give 1 to 64 processes")
    try check(
      (.milliseconds(10)...Duration.seconds(3600)).contains(duration),
      "duration out of range: \(duration.readable)", "measure for 10ms to 1h")
    try check((1...1000).contains(rounds), "rounds out of range: \(rounds)", "give 1 to 1000")
    try check(
      rate.map { (1...1_000_000).contains($0) } ?? true, "rate out of range",
      "give 1 to 1000000 operations a second")
    try check(
      server == nil || !cases.contains(.growth) && ceiling == nil,
      "growth and the ceilings are for ledgers in files",
      "name other cases with --case, and leave --ceiling away")
    try check(
      (1000...100_000_000).contains(trades), "trades out of range: \(trades)",
      "give 1000 to 100000000")
  }

  /// Parses `1,2,4,8`.
  /// - Throws: `invalidInput`.
  public static func processes(_ text: String) throws(LedgerError) -> [Int] {
    var counts: [Int] = []
    for word in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard !word.isEmpty, word.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        let count = Int(word)
      else {
        throw LedgerError(
          .invalidInput, "not process counts: \(escaped(text.prefix(64)))",
          hint: "write whole numbers with commas between them, such as 1,2,4,8")
      }
      counts.append(count)
    }
    return counts
  }
}
