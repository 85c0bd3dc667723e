internal import TradeLedger

/// Workers in another language, through another client of the same file.
extension SimulationOptions {
  /// What starts `worker`; nil: this program.
  func command(of worker: Int) -> [String]? {
    worker < workers - foreignWorkers ? nil : foreignCommand
  }

  func checkForeignWorkers(
    _ check: (Bool, String, String) throws(LedgerError) -> Void
  ) throws(LedgerError) {
    guard foreignWorkers != 0 || !foreignCommand.isEmpty else { return }
    try check(
      (1...workers).contains(foreignWorkers) && !foreignCommand.isEmpty,
      "foreign workers out of range: \(foreignWorkers)",
      "give 1 to \(workers) of them, and the command that starts them")
    try check(
      strategy == .ledger && instanceNames == 0,
      "foreign workers know the ledger alone, and no instance names",
      "give --strategy ledger --instances 0")
  }

  /// For the command that repeats the run.
  var foreignWords: [String] {
    guard foreignWorkers > 0 else { return [] }
    return [
      "--foreign-workers", "\(foreignWorkers)", "--foreign-command",
      "'\(foreignCommand.joined(separator: " "))'",
    ]
  }
}
