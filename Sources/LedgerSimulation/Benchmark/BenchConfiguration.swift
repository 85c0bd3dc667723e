internal import TradeLedger

/// What a worker process is told on its command line.
struct BenchConfiguration: Equatable, Sendable {
  var benchCase: BenchCase
  var path: String
  /// Tells the bots of two runs on one ledger apart.
  var run: String
  var worker: Int
  var processes: Int
  var duration: Duration
  /// All processes together; nil: as many as there can be.
  var rate: Int?
  var lockWait: Duration
  var durability = Ledger.Options.Durability.full

  var arguments: [String] {
    [
      benchCase.rawValue, LedgerPlace.argument(path), run, "\(worker)", "\(processes)",
      "\(duration.wholeMicroseconds)", rate.map { String($0) } ?? "-",
      "\(lockWait.wholeMicroseconds)", durability.rawValue,
    ]
  }
}

extension BenchConfiguration {
  /// nil: not what a supervisor writes.
  init?(_ arguments: [String]) {
    guard arguments.count == 9, let benchCase = BenchCase(rawValue: arguments[0]),
      let path = LedgerPlace.place(arguments[1]),
      let worker = Int(arguments[3]), let processes = Int(arguments[4]),
      let duration = Int64(arguments[5]), let lockWait = Int64(arguments[7]),
      let durability = Ledger.Options.Durability(rawValue: arguments[8]),
      (0..<processes).contains(worker), duration > 0, lockWait >= 0
    else { return nil }
    self.init(
      benchCase: benchCase, path: path, run: arguments[2], worker: worker, processes: processes,
      duration: .microseconds(duration), rate: nil, lockWait: .microseconds(lockWait),
      durability: durability)
    guard arguments[6] != "-" else { return }
    guard let rate = Int(arguments[6]), rate > 0 else { return nil }
    self.rate = rate
  }
}

/// The bots of a measurement.
struct BenchBots {
  private static let callers = 64
  private static let own = 16
  private let run: String

  init(run: String) { self.run = run }

  var hot: String { "\(run)/hot" }
  /// Long enough that nearly all are denied, short enough that some are not.
  static let hotCooldown = Duration.milliseconds(50)

  /// The bots of one process that may trade.
  func of(_ worker: Int, _ benchCase: BenchCase) -> [String] {
    let count = benchCase == .batch ? BenchBots.callers : BenchBots.own
    return (0..<count).map { "\(run)/process-\(worker)/bot-\($0)" }
  }

  /// The bot of one process that is in its cooldown.
  func denied(_ worker: Int) -> String { "\(run)/process-\(worker)/denied" }
}
