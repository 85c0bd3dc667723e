/// A failure: the ledger could not give an answer. (A "no" is an answer: see ``Denial``.)
///
/// Every error says what happened, what to do next, and whether trying again is right. An error
/// never means "go and trade".
public struct LedgerError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What kind of failure it is. More codes may be added; treat an unknown one as final.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }

    /// A malformed name, number, time or key. Nothing was written.
    public static let invalidInput = Code("invalid_input")
    /// There is no ledger at the path.
    public static let noLedger = Code("no_ledger")
    /// The ledger has no bot of that name.
    public static let noSuchBot = Code("no_such_bot")
    /// The ledger has no such trade.
    public static let noSuchTrade = Code("no_such_trade")
    /// The ledger has no instance of that name.
    public static let noSuchInstance = Code("no_such_instance")
    /// The file is not a ledger, or is damaged. It was not touched.
    public static let notALedger = Code("not_a_ledger")
    /// The ledger was written by a newer version. It was not touched.
    public static let newerSchema = Code("newer_schema")
    /// Somebody changed the schema, a trigger for example. Nothing was written.
    public static let schemaAltered = Code("schema_altered")
    /// The ledger cannot be created there.
    public static let cannotCreate = Code("cannot_create")
    /// The operating system forbids it, or the server: a wrong password, a role that may not.
    public static let permission = Code("permission")
    /// The place or the setup is unsafe: a network file system, a hard link, a shared directory, a
    /// ledger of another mode; a server that is too old or set up wrongly, or a URL that does not
    /// fit it.
    public static let configuration = Code("configuration")
    /// The file, its -wal or its -shm was moved, replaced or deleted while it was open.
    public static let ledgerMoved = Code("ledger_moved")
    /// The server of the ledger cannot be reached, or there is no engine for it in this program.
    public static let unavailable = Code("unavailable")
    /// The write lock was not had within the wait limit. Nothing was written; the same call with
    /// the same key is safe.
    public static let busy = Code("busy")
    /// Reading or writing failed. Nothing was written, finally.
    public static let io = Code("io")
    /// COMMIT failed and its outcome could not be made final (INV-4). Send no order.
    public static let outcomeUnknown = Code("outcome_unknown")
    /// A bug of TradeLedger, or a schema rule that the library should have applied first.
    public static let internalError = Code("internal")
  }

  /// Whether and how to try again.
  public enum Retry: String, Sendable {
    /// Nothing was written. The same call, with the same key, is safe.
    case safe
    /// Something may have been written. Look the key up before anything else.
    case checkFirst = "check_first"
    /// Trying again cannot help; something has to be changed first.
    case never
  }

  /// What kind of failure it is.
  public var code: Code
  /// What happened, in one sentence, for people.
  public var message: String
  /// What to do next, in one sentence.
  public var hint: String
  /// Whether and how to try again.
  public var retry: Retry

  /// A failure of your own code in the ledger's words, for tests of what handles failures.
  public init(_ code: Code, _ message: String, hint: String, retry: Retry = .never) {
    self.code = code
    self.message = message
    self.hint = hint
    self.retry = retry
  }

  public var description: String { "\(message) (\(hint))" }
}
