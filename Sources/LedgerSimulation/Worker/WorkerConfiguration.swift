internal import TradeLedger

/// What a worker process is told on its command line.
struct WorkerConfiguration: Equatable, Sendable {
  var strategy: SimulationOptions.Strategy
  var path: String
  var bots: [String]
  var worker: Int
  /// How many processes have had this worker's place before.
  var incarnation: Int
  var seed: UInt64
  /// Tells the keys of two runs on one ledger apart.
  var run: String
  var cooldown: Duration
  var lockWait: Duration
  /// How long a strategy that thinks before it trades does so.
  var thinkingTime: ClosedRange<Duration>
}

extension WorkerConfiguration {
  var arguments: [String] {
    [
      strategy.rawValue, path, "\(worker)", "\(incarnation)", "\(seed)", run,
      "\(cooldown.wholeMicroseconds)", "\(lockWait.wholeMicroseconds)",
      "\(thinkingTime.lowerBound.wholeMicroseconds)",
      "\(thinkingTime.upperBound.wholeMicroseconds)",
    ] + bots
  }

  /// nil: not what a supervisor writes.
  init?(_ arguments: [String]) {
    guard arguments.count > 10, let strategy = SimulationOptions.Strategy(rawValue: arguments[0]),
      let worker = Int(arguments[2]), let incarnation = Int(arguments[3]),
      let seed = UInt64(arguments[4])
    else { return nil }
    let numbers = arguments[6...9].compactMap { Int64($0) }
    guard numbers.count == 4, numbers.allSatisfy({ $0 >= 0 }), numbers[2] <= numbers[3] else {
      return nil
    }
    self.init(
      strategy: strategy, path: arguments[1], bots: Array(arguments[10...]), worker: worker,
      incarnation: incarnation, seed: seed, run: arguments[5],
      cooldown: .microseconds(numbers[0]), lockWait: .microseconds(numbers[1]),
      thinkingTime: .microseconds(numbers[2])...(.microseconds(numbers[3])))
  }
}
