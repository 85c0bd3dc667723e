internal import SQLite

/// The row of a trade that has just been admitted.
struct NewTrade {
  /// Both clocks of the admission; of the fact itself where it lies in the past.
  let created: ClockReading
  let token: PermitToken?
  /// Its id is the ledger's to give.
  private let trade: Trade

  /// - Throws: `invalidInput` for a fact that lies in the future.
  init(
    _ attempt: Attempt, _ settings: BotSettings, _ now: ClockReading, pid: Int32
  ) throws(LedgerError) {
    created = try NewTrade.creation(attempt, now)
    var fill: Fill?
    var token: PermitToken?
    let origin: TradeOrigin
    switch attempt.kind {
    case .reserve(let given): (origin, token) = (.reserve, given)
    case .record(let given): (origin, fill) = (.record, given)
    case .past(let given, _): (origin, fill) = (.past, given)
    }
    self.token = token
    let order = attempt.order
    trade = Trade(
      id: TradeID(0), key: attempt.key, order: order, origin: origin,
      status: fill == nil ? .pending : .filled, createdAt: created.wall,
      cooldown: settings.cooldown,
      leaseUntil: token == nil ? nil : Lease(start: created, length: settings.lease).until,
      filledAt: fill == nil ? nil : created.wall,
      filledQuantity: fill.map { $0.quantity ?? order.quantity },
      filledPrice: fill.flatMap { $0.price ?? order.price }, exchangeAt: fill?.at,
      receivedAt: fill == nil ? nil : now.wall, isLate: false, isSuperseded: false,
      isSettledByOperator: false, pid: pid, instance: attempt.instance)
  }

  private static func creation(
    _ attempt: Attempt, _ now: ClockReading
  ) throws(LedgerError) -> ClockReading {
    guard case .past(_, let at) = attempt.kind else { return now }
    guard at.microseconds >= 0 else {
      throw LedgerError(
        .invalidInput, "\(at.microseconds) microseconds lie before 1970",
        hint: "record what has happened, with the time at which it did")
    }
    guard at <= now.wall else {
      throw LedgerError(
        .invalidInput, "\(at) lies in the future; it is \(now.wall)",
        hint: "record what has happened, with the time at which it did")
    }
    let age = now.wall.elapsed(since: at)
    return ClockReading(wall: at, boot: now.boot?.advanced(by: .zero - age))
  }

  /// As it stands once the ledger has given it `id`.
  func stored(id: TradeID) -> StoredTrade {
    var trade = trade
    trade.id = id
    return StoredTrade(trade: trade, token: token, created: created)
  }

  /// The parameters of `Statements.insertTrade`.
  func values(botID: Int64) -> [Value] {
    [
      .integer(botID), .text(trade.key.description), .text(trade.origin.rawValue),
      .text(trade.order.side.rawValue), .text(trade.order.symbol.description),
      .text(trade.order.quantity.description), .text(trade.order.price?.description),
      .integer(trade.cooldown.wholeMicroseconds), .text(token?.description),
      .integer(trade.pid.map(Int64.init)), .text(trade.instance?.name.description),
      .integer(trade.instance?.epoch.value), .integer(trade.createdAt.microseconds),
      .integer(trade.leaseUntil?.microseconds), .text(created.boot?.bootID),
      .integer(created.boot?.microseconds), .text(trade.status.rawValue),
      .integer(trade.filledAt?.microseconds), .text(trade.filledPrice?.description),
      .text(trade.filledQuantity?.description), .integer(trade.exchangeAt?.microseconds),
      .integer(trade.receivedAt?.microseconds),
    ]
  }
}
