/// Why a foreign file could not be examined. Nothing of it was changed.
public struct ForeignAuditError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What kind of failure it is; each has an exit code of its own on the command line.
  public enum Code: String, Sendable {
    /// Something has to be said that was not: the cooldown, for example.
    case usage
    /// Not a database, not a CSV file, or nothing in it that can be told to be trades.
    case badData = "bad_data"
    /// No such file, table or column.
    case noInput = "no_input"
    /// Reading failed, or cannot be done without changing the file.
    case io
    /// Somebody else holds a lock. Trying again is right.
    case busy
    /// The operating system forbids it.
    case permission
  }

  public let code: Code
  public let message: String
  /// What to do next, in one sentence.
  public let hint: String

  init(_ code: Code, _ message: String, hint: String) {
    self.code = code
    self.message = message
    self.hint = hint
  }

  public var description: String { "\(message) (\(hint))" }
}

extension ForeignAuditError {
  /// An option that says nothing about such a file.
  public static func unfit(
    _ what: String, _ format: ForeignFactOptions.Format
  ) -> ForeignAuditError {
    ForeignAuditError(
      .usage, "\(what) is not for a file of the format \(format.rawValue)",
      hint: "leave it out: what is read there is always the same")
  }
}
