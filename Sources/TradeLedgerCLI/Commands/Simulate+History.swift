internal import ArgumentParser
internal import LedgerSimulation

/// The evidence of a run, kept in a file and judged again.
struct HistoryOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Keep what was asked, told, stored and executed in a new file.", valueName: "file"),
    completion: .file())
  var history: String?

  @Option(
    help: ArgumentHelp(
      "Judge the history in a file again; nothing is run, other options do not matter.",
      valueName: "file"),
    completion: .file())
  var check: String?

  func validate() throws {
    if history != nil && check != nil {
      throw ValidationError("--history keeps a run, --check judges one: give one of them")
    }
  }

  /// What came of the run in the file that is to be checked, if there is one.
  func judged() throws -> SimulationResult? { try check.map(History.judge) }

  /// The new file for the run to come, if one is wanted.
  func file() throws -> HistoryFile? { try history.map(HistoryFile.init) }
}

extension Failure {
  init(_ error: HistoryError) {
    switch error.kind {
    case .noInput: self.init("no_input", .noInput, error.message, hint: error.hint)
    case .badData: self.init("bad_history", .badData, error.message, hint: error.hint)
    case .cannotCreate:
      self.init("cannot_create", .cannotCreate, error.message, hint: error.hint)
    case .io: self.init("io", .ioFailed, error.message, hint: error.hint)
    }
  }
}
