internal import TradeLedger

/// What a worker process is told on its command line.
struct BenchConfiguration: Equatable, Sendable {
  var benchCase: BenchCase
  var path: String
  var worker: Int
  var processes: Int
  var duration: Duration
  /// All processes together; nil: as many as there can be.
  var rate: Int?
  var lockWait: Duration
  var durability = Ledger.Options.Durability.full

  var arguments: [String] {
    [
      benchCase.rawValue, path, "\(worker)", "\(processes)", "\(duration.wholeMicroseconds)",
      rate.map { String($0) } ?? "-", "\(lockWait.wholeMicroseconds)", durability.rawValue,
    ]
  }
}

extension BenchConfiguration {
  /// nil: not what a supervisor writes.
  init?(_ arguments: [String]) {
    guard arguments.count == 8, let benchCase = BenchCase(rawValue: arguments[0]),
      let worker = Int(arguments[2]), let processes = Int(arguments[3]),
      let duration = Int64(arguments[4]), let lockWait = Int64(arguments[6]),
      let durability = Ledger.Options.Durability(rawValue: arguments[7]),
      (0..<processes).contains(worker), duration > 0, lockWait >= 0
    else { return nil }
    self.init(
      benchCase: benchCase, path: arguments[1], worker: worker, processes: processes,
      duration: .microseconds(duration), rate: nil, lockWait: .microseconds(lockWait),
      durability: durability)
    guard arguments[5] != "-" else { return }
    guard let rate = Int(arguments[5]), rate > 0 else { return nil }
    self.rate = rate
  }
}

/// The bots of a measurement.
enum BenchBots {
  static let callers = 64
  static let own = 16
  static let hot = "hot"
  /// Long enough that nearly all are denied, short enough that some are not.
  static let hotCooldown = Duration.milliseconds(50)

  /// The bots of one process that may trade.
  static func of(_ worker: Int, _ benchCase: BenchCase) -> [String] {
    let count = benchCase == .batch ? callers : own
    return (0..<count).map { "process-\(worker)/bot-\($0)" }
  }

  /// The bot of one process that is in its cooldown.
  static func denied(_ worker: Int) -> String { "process-\(worker)/denied" }
}
