internal import ArgumentParser
internal import LedgerSimulation
internal import TradeLedger

/// Why there is no answer: what happened, what to do, and the exit code.
struct Failure: Error {
  let code: String
  let exit: ExitStatus
  let message: String
  let hint: String

  init(_ code: String, _ exit: ExitStatus, _ message: String, hint: String) {
    self.code = code
    self.exit = exit
    self.message = message
    self.hint = hint
  }

  init(_ error: LedgerError) {
    self.init(
      error.code.description, ExitStatus(error.code), error.message, hint: error.hint)
  }

  /// Whatever was thrown. What nobody foresaw is an internal error, never a "no".
  init(_ error: any Error) {
    switch error {
    case let failure as Failure: self = failure
    case let error as LedgerError: self.init(error)
    case let error as HistoryError: self.init(error)
    default:
      self.init(
        "internal", .internalError, "unexpected: \(error)",
        hint: "this is a bug of tradeledger; nothing is known about what was done, "
          + "look it up with 'tradeledger trades'")
    }
  }

  /// A wrong combination of options, in the words of the option parser's own errors.
  static func usage(_ message: String, hint: String) -> Failure {
    Failure("usage", .usage, message, hint: hint)
  }

  /// A malformed value.
  static func invalid(_ message: String, hint: String) -> Failure {
    Failure("invalid_input", .badData, message, hint: hint)
  }

  /// What the option parser refused. Its message may repeat anything that was typed.
  static func parsing(_ error: any Error, _ invocation: Invocation) -> Failure {
    let lines = Root.fullMessage(for: error).split(separator: "\n")
    let pointer = lines.last { $0.contains("for more information") }
    let message = Root.message(for: error)
      .replacing(":\n  - ", with: ": ").replacing("\n  - ", with: ", ")
    let isUnexpected = message.hasPrefix("Unexpected argument")
    if isUnexpected, let unknown = CommandNames.unknown(invocation.words) { return unknown }
    var hint = pointer.map { String($0).trimmed.lowercasedFirst } ?? "see 'tradeledger --help'"
    if isUnexpected && !invocation.ownsStandardOutput {
      hint = "the command to run goes after --; " + hint
    }
    return .usage(message.isEmpty ? "this command line makes no sense" : message, hint: hint)
  }

  /// The two lines on stderr. Both may carry text from outside.
  func lines(isQuiet: Bool, colors: Colors) -> String {
    let columns = Console.columns(2)
    let error =
      colors.bad("error:") + " " + folded(escaped(message), indent: 7, columns: columns) + "\n"
    if isQuiet { return error }
    return error + colors.faint("hint:") + " "
      + folded(escaped(hint), indent: 6, columns: columns) + "\n"
  }

  var json: JSON {
    [
      "schema": "tradeledger.error/1", "code": .string(code), "exit": .int(Int64(exit.rawValue)),
      "message": .string(message), "hint": .string(hint),
    ]
  }
}

extension String {
  fileprivate var trimmed: String { String(drop { $0 == " " }) }
  fileprivate var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
