/// Something that must not be.
public struct Violation: Equatable, Sendable {
  public enum Kind: String, CaseIterable, Sendable {
    /// Two trades that count, the later one admitted inside the cooldown (INV-1).
    case doubleTrade = "double-trade"
    /// Two orders executed inside the cooldown, by the exchange's own count (INV-1).
    case doubleOrder = "double-order"
    /// A trade admitted inside the cooldown; one of the two became void later.
    case earlyAdmission = "early-admission"
    /// Two trades of one bot pending at the end (INV-2).
    case twoPending = "two-pending"
    /// A key that names two rows (INV-3).
    case keyReused = "key-reused"
    /// A key that reached the exchange twice.
    case keySentTwice = "key-sent-twice"
    /// An executed order without a row that counts.
    case orderWithoutRow = "order-without-row"
    /// A filled row whose order the exchange never executed.
    case fillWithoutOrder = "fill-without-order"
    /// An answer that the database does not bear out (INV-4).
    case answerWithoutRow = "answer-without-row"
    /// A row that nobody asked for.
    case rowWithoutCall = "row-without-call"
    /// "Nothing was written", and yet there is a row.
    case busyButWritten = "busy-but-written"
    /// A denial that nothing justified at the time.
    case denialWithoutReason = "denial-without-reason"
    /// A failure that nothing here provokes.
    case unexpectedError = "unexpected-error"
    /// A worker ended by itself.
    case workerFailed = "worker-failed"
    /// So few admissions that the run means nothing.
    case tooFewAdmissions = "too-few-admissions"
    /// So few faults that the run means nothing.
    case faultsNotInjected = "faults-not-injected"
  }

  public let kind: Kind
  public let bot: String?
  /// The trades concerned, earlier first, as far as they have numbers.
  public var trades: [Int64] = []
  public var keys: [String] = []
  /// Between the two, in microseconds.
  public var gap: Int64?
  public var cooldown: Int64?
  /// The processes that asked, in the order of `trades`.
  public var pids: [Int32] = []
  /// For people.
  public let detail: String

  init(_ kind: Kind, bot: String? = nil, _ detail: String) {
    self.kind = kind
    self.bot = bot
    self.detail = detail
  }

  /// Money moved twice.
  public var isDouble: Bool { kind == .doubleTrade || kind == .doubleOrder }
}
