/// Something that must not be.
public struct Violation: Equatable, Sendable {
  public enum Kind: String, CaseIterable, Sendable {
    /// Two trades that count, the later one admitted inside the cooldown (INV-1).
    case doubleTrade = "double-trade"
    /// Two orders executed inside the cooldown, by the exchange's own count (INV-1).
    case doubleOrder = "double-order"
    /// Two processes that were instances of one name at the same time (INV-7).
    case twoInstances = "two-instances"
    /// A name taken with an epoch that is not above those before it (INV-7).
    case epochNotRaised = "epoch-not-raised"
    /// A row of a process that had lost its name to another one, or never had it (INV-7).
    case staleInstance = "stale-instance"
    /// "Held", although nobody can have held the name, or a name that nobody ever got.
    case nameNotGiven = "name-not-given"
    /// A trade admitted inside the cooldown; one of the two became void later.
    case earlyAdmission = "early-admission"
    /// A trade admitted while another one was pending and its lease ran, or in doubt where that
    /// stops the bot (INV-2).
    case overlap
    /// Two trades of one bot pending at the end (INV-2).
    case twoPending = "two-pending"
    /// A key that names two rows (INV-3).
    case keyReused = "key-reused"
    /// A key that reached the exchange twice.
    case keySentTwice = "key-sent-twice"
    /// Two calls that were both given a permit for one key (INV-5).
    case permitTwice = "permit-twice"
    /// A row settled by somebody who had not its permit (INV-5).
    case settledByStranger = "settled-by-stranger"
    /// A fill for a trade that was void, although nobody had declared it so by hand (INV-6).
    case conflict
    /// A row admitted under another cooldown or lease than its bot's, or for a disabled bot.
    case otherTerms = "other-terms"
    /// A row with an earlier time than the row before it: its clock was not read under the lock.
    case rowsOutOfOrder = "rows-out-of-order"
    /// A fill whose time is not the exchange's, held between admission and receipt.
    case wrongFillTime = "wrong-fill-time"
    /// An order that left before its trade was on record: if its sender dies, nobody knows of it
    /// (INV-4).
    case orderBeforeRow = "order-before-row"
    /// An executed order without a row that counts.
    case orderWithoutRow = "order-without-row"
    /// An order that no worker says that it sent, or not by then.
    case orderWithoutCall = "order-without-call"
    /// An order that was sent and of which the exchange knows nothing.
    case orderNotCounted = "order-not-counted"
    /// A filled row whose order the exchange never executed.
    case fillWithoutOrder = "fill-without-order"
    /// An answer that the database does not bear out (INV-4).
    case answerWithoutRow = "answer-without-row"
    /// A call whose times or answers contradict each other.
    case contradiction
    /// A row that nobody asked for, or not then.
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
  /// The instance name, where it is about one.
  public var instance: String?
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

  init(
    _ kind: Kind, bot: String? = nil, trades: [Int64] = [], keys: [String] = [], _ detail: String
  ) {
    self.kind = kind
    self.bot = bot
    self.trades = trades
    self.keys = keys
    self.detail = detail
  }

  /// Money moved twice.
  public var isDouble: Bool { kind == .doubleTrade || kind == .doubleOrder }
}
