internal import TradeLedger

/// How the program ends. The numbers are a promise to scripts.
///
/// Thrown by a command that has said all there is to say.
enum ExitStatus: Int32, Error {
  case yes = 0
  case no = 1
  /// What the option parser refuses.
  case usage = 64
  /// A malformed number, name or time; a file that is not a ledger.
  case badData = 65
  /// No ledger, bot, trade or input.
  case noInput = 66
  /// The engine that the database needs is not part of this program, or its server cannot be
  /// reached.
  case unavailable = 69
  case internalError = 70
  case cannotCreate = 73
  case ioFailed = 74
  /// Try again, with the same key.
  case tryAgain = 75
  case noPermission = 77
  case configuration = 78
  /// The command of `guard` cannot be executed.
  case notExecutable = 126
  /// The command of `guard` does not exist.
  case notFound = 127

  /// No code means "yes" or "no": an error is never an answer.
  init(_ code: LedgerError.Code) {
    self =
      switch code {
      case .invalidInput, .notALedger, .newerSchema, .schemaAltered: .badData
      case .noLedger, .noSuchBot, .noSuchTrade, .noSuchInstance: .noInput
      case .cannotCreate: .cannotCreate
      case .io, .ledgerMoved: .ioFailed
      case .busy: .tryAgain
      case .unavailable: .unavailable
      case .permission: .noPermission
      case .configuration: .configuration
      default: .internalError
      }
  }

  /// A denial is an answer: no.
  init(_ denial: Denial) {
    self =
      switch denial.reason {
      case .superseded, .keyConflict, .disabled, .inProgress, .inDoubt, .cooldown,
        .alreadySettled, .wrongToken, .held:
        .no
      }
  }
}
