/// One attempt of one worker, as the worker itself reported it.
struct Call: Equatable, Sendable {
  let worker: Int
  let pid: Int32
  let bot: String
  let key: String
  let called: Moment
  /// When it got a permit and sent the order, with the trade that it was told.
  var ordered: Moment?
  var trade: Int64?
  /// nil: it was killed before it was told, or before it could say so.
  var told: Moment?
  var answer: Answer?
}

/// Where a row stands. The simulator's own words, so that the checker depends on nothing.
enum RowStatus: String, Equatable, Sendable {
  case pending
  case inDoubt = "in_doubt"
  case filled
  case void
}

/// Who settled a row.
enum Settler: String, Equatable, Sendable {
  /// Whoever held its permit.
  case holder
  case `operator`
  /// Neither of them.
  case stranger
}

/// One row of the database.
///
/// Times are microseconds, since 1970 on the wall clock of whoever wrote them and since boot on the
/// boot clock, which is one for all processes and which nothing sets. A table that keeps no boot
/// times has its wall times moved to the boot clock: right where no wall clock jumps.
struct TradeRow: Equatable, Sendable {
  /// In order of admission.
  let id: Int64
  let bot: String
  let key: String
  let status: RowStatus
  let createdAt: Int64
  let createdBoot: Int64
  var filledAt: Int64?
  var filledBoot: Int64?
  /// When the outcome reached the database.
  var receivedAt: Int64?
  /// The same on the boot clock; a ledger does not keep it.
  var receivedBoot: Int64?
  /// The cooldown in force at admission, in microseconds.
  let cooldown: Int64
  var leaseUntil: Int64?
  var pid: Int32?
  /// nil where nobody did, or where the table does not say.
  var settledBy: Settler?
  /// Under which name and epoch it was admitted; nil where the table does not say.
  var instance: String?
  var epoch: Int64?

  var counts: Bool { status != .void }
  var isSettled: Bool { status == .filled || status == .void }
  /// How long the permit was good for, in microseconds.
  var lease: Int64? { leaseUntil.map { $0 - createdAt } }
}

/// What a bot was told to do. Nothing changes it during a run.
struct BotTerms: Equatable, Sendable {
  let name: String
  /// In microseconds.
  let cooldown: Int64
  /// In microseconds; nil where the strategy knows no leases.
  var lease: Int64?
  /// Whether a trade in doubt stops the bot.
  var blocks = false
  var isEnabled = true
}

/// A fill that the database keeps apart, because it came for a trade that was void.
struct ConflictRow: Equatable, Sendable {
  let bot: String
  let trade: Int64
}

/// One attempt of a worker process to be the instance of a name, and how long it was that.
struct Tenure: Equatable, Sendable {
  let worker: Int
  let pid: Int32
  let name: String
  let asked: Moment
  /// nil: it was killed before it was told, or before it could say so.
  var told: Moment?
  var answer: NameAnswer?
  /// When it was about to let go, and when it was told that it has.
  var leaving: Moment?
  var left: Moment?
  /// Boot time right before it was sent a kill.
  var killed: Int64?
  /// Boot time at which it was known to have ended, if it had the name until then.
  var gone: Int64?
}

/// One order that reached the paper exchange.
struct ExchangeOrder: Equatable, Sendable {
  let key: String
  let bot: String
  let pid: Int32
  let decision: ExchangeDecision
  /// When the exchange decided, by the true clocks.
  let at: Moment

  var isExecuted: Bool {
    if case .accepted = decision { return true }
    return false
  }
}

/// The wall clock of all workers was set. Between two of these it keeps its offset.
struct ClockJump: Equatable, Sendable {
  /// Boot times right before and right after it was set. In between, each worker may have read the
  /// old offset or the new one.
  let from: Int64
  let to: Int64
  /// What the wall clock of the workers is ahead of the true one from now on, in microseconds.
  let offset: Int64
}

/// What was done to a worker process. The checker needs none of it; people who read a history do.
struct Strike: Equatable, Sendable {
  enum Kind: String, Sendable {
    case kill
    case pause
    case resume
  }
  let kind: Kind
  let worker: Int
  let pid: Int32
  /// Boot time.
  let at: Int64
}

/// All that is known about a run: what the workers were told, what the database holds, and what the
/// exchange saw. Three sources that know nothing of each other.
///
/// The moments of calls and orders are those of the true clocks, whatever the workers' wall clock
/// was set to; the rows' wall times are those of the workers.
struct Evidence: Equatable, Sendable {
  /// Whether the database admits one trade at a time, all bots together, as a file does. On a
  /// server each bot has an order of its own.
  var isSerial = true
  var calls: [Call] = []
  var rows: [TradeRow] = []
  var orders: [ExchangeOrder] = []
  var bots: [BotTerms] = []
  var conflicts: [ConflictRow] = []
  /// In order of time.
  var clockJumps: [ClockJump] = []
  var strikes: [Strike] = []
  /// In the order in which they were asked.
  var tenures: [Tenure] = []
}

/// What a database holds at the end of a run.
struct StoredRows: Equatable, Sendable {
  var bots: [BotTerms] = []
  var rows: [TradeRow] = []
  var conflicts: [ConflictRow] = []
}
