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
  /// How long the exchange takes; a strategy that thinks before it trades takes as long for that.
  var exchangeLatency: ClosedRange<Duration>
  /// What the wall clock is ahead of the true one is read from there; nil: it is the true one.
  var clockPath: String?
  /// Private to the run: where instances leave their files.
  var directory: String
  /// The instance name that this worker wants; nil: it trades without one.
  var instance: String?
  /// How many names there are.
  var instances: Int

  /// The bots that it trades for. Where nothing but a file keeps two processes apart, each bot
  /// belongs to one name: otherwise two names would do to it what two instances do.
  var ownBots: [Int] {
    guard strategy == .pidFile else { return Array(bots.indices) }
    return bots.indices.filter { $0 % instances == worker % instances }
  }
}

extension WorkerConfiguration {
  var arguments: [String] {
    [
      strategy.rawValue, LedgerPlace.argument(path), "\(worker)", "\(incarnation)", "\(seed)", run,
      "\(cooldown.wholeMicroseconds)", "\(lockWait.wholeMicroseconds)",
      "\(exchangeLatency.lowerBound.wholeMicroseconds)",
      "\(exchangeLatency.upperBound.wholeMicroseconds)", clockPath ?? "-",
      directory, instance ?? "-", "\(instances)",
    ] + bots
  }

  /// nil: not what a supervisor writes.
  init?(_ arguments: [String]) {
    guard arguments.count > 14, let instances = Int(arguments[13]),
      let path = LedgerPlace.place(arguments[1]),
      let strategy = SimulationOptions.Strategy(rawValue: arguments[0]),
      let worker = Int(arguments[2]), let incarnation = Int(arguments[3]),
      let seed = UInt64(arguments[4])
    else { return nil }
    let numbers = arguments[6...9].compactMap { Int64($0) }
    guard numbers.count == 4, numbers.allSatisfy({ $0 >= 0 }), numbers[2] <= numbers[3],
      (arguments[12] == "-") == (instances == 0), instances >= 0
    else {
      return nil
    }
    self.init(
      strategy: strategy, path: path, bots: Array(arguments[14...]), worker: worker,
      incarnation: incarnation, seed: seed, run: arguments[5],
      cooldown: .microseconds(numbers[0]), lockWait: .microseconds(numbers[1]),
      exchangeLatency: .microseconds(numbers[2])...(.microseconds(numbers[3])),
      clockPath: arguments[10] == "-" ? nil : arguments[10], directory: arguments[11],
      instance: arguments[12] == "-" ? nil : arguments[12], instances: instances)
  }
}
