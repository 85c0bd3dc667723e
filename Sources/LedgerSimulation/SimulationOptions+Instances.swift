internal import TradeLedger

/// Who runs under which name, and what may be swept away.
extension SimulationOptions {
  /// How many instance names there are. Worker `w` wants name `w % instanceNames`; whoever has not
  /// got its name does not trade.
  ///
  /// Usually a quarter of the workers finds its name taken, so that the others are still a crowd.
  /// Under `pid-file` each name has bots of its own and at least two workers, where there are that
  /// many: what two instances do to one bot is the incident.
  public var instanceNames: Int {
    if let instances { return instances }
    switch strategy {
    case .ledger: return workers - workers / 4
    case .pidFile: return max(1, min(bots, workers / 2))
    case .naive, .deferred, .ttlLock: return 0
    }
  }

  /// The cleanup script is a part of the second incident, whatever else is asked for.
  var isCleanedUp: Bool { chaos.contains(.cleanup) || strategy == .pidFile }

  func checkInstances(
    _ check: (Bool, String, String) throws(LedgerError) -> Void
  ) throws(LedgerError) {
    let least = strategy == .pidFile ? 1 : 0
    try check(
      (least...workers).contains(instanceNames), "instances out of range: \(instanceNames)",
      "give \(least) to \(workers): each name needs a worker")
    try check(
      strategy == .ledger || strategy == .pidFile || instanceNames == 0,
      "the strategy \(strategy.rawValue) knows no instance names",
      "give --instances with the strategies ledger and pid-file")
  }
}
