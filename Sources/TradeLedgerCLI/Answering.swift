internal import TradeLedger

/// How a command says what the ledger answered.
extension GlobalOptions {
  /// A trade, as data on stdout.
  func answer(_ outcome: String, _ trade: Trade, _ permit: Permit? = nil) throws(Failure) {
    if json {
      try Console.out(.answer(outcome, trade, permit))
    } else {
      try Console.out(Lines.answer(outcome, trade, permit))
    }
  }

  /// A denial, as data on stdout; advice on stderr.
  /// - Returns: what the command ends with: "no".
  func answer(_ denial: Denial, advice: String? = nil) throws(Failure) -> ExitStatus {
    if json {
      try Console.out(.denial(denial))
    } else {
      try Console.out(Lines.denial(denial))
    }
    hint(advice ?? denial.advice)
    return ExitStatus(denial)
  }

  /// The answer of `fill`, `void` and `resolve`.
  /// - Parameter whereVoid: what to do where the trade stands as void already.
  func answer(_ outcome: SettleOutcome, whereVoid: String? = nil) throws {
    switch outcome {
    case .settled(let trade):
      try answer(trade.status.rawValue, trade)
      if trade.isSuperseded {
        hint("superseded: the instance has a newer epoch; this process should stop")
      }
    case .replayed(let trade): try answer("replayed", trade)
    case .denied(let denial):
      let isVoid = denial.reason == .alreadySettled && denial.winner?.status == .void
      throw try answer(denial, advice: isVoid ? whereVoid : nil)
    }
  }
}
