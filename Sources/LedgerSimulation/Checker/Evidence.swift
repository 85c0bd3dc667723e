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

/// One row of the database.
struct TradeRow: Equatable, Sendable {
  /// In order of admission.
  let id: Int64
  let bot: String
  let key: String
  let status: RowStatus
  /// Microseconds since 1970, like all times here.
  let createdAt: Int64
  let filledAt: Int64?
  /// When the outcome reached the database.
  let receivedAt: Int64?
  /// The cooldown in force at admission, in microseconds.
  let cooldown: Int64
  let leaseUntil: Int64?
  let pid: Int32?

  var counts: Bool { status != .void }
}

/// One order that reached the paper exchange.
struct ExchangeOrder: Equatable, Sendable {
  let key: String
  let bot: String
  let pid: Int32
  let decision: ExchangeDecision

  /// When it was executed, if it was.
  var executedAt: Int64? {
    if case .accepted(let at) = decision { return at }
    return nil
  }
}

/// A worker that was killed.
struct Kill: Equatable, Sendable {
  let worker: Int
  let pid: Int32
  /// When its end was seen.
  let at: Moment
}

/// All that is known about a run: what the workers were told, what the database holds, and what the
/// exchange saw. Three sources that know nothing of each other.
struct Evidence: Equatable, Sendable {
  var calls: [Call] = []
  var rows: [TradeRow] = []
  var orders: [ExchangeOrder] = []
  /// For those who draw the run; nothing is judged by them.
  var kills: [Kill] = []
}
