internal import SQLite

/// The row of a trade that has just been admitted.
struct NewTrade {
  let attempt: Attempt
  let settings: BotSettings
  let now: ClockReading
  let pid: Int32
  /// Both clocks of the admission; of the fact itself where it lies in the past.
  let created: ClockReading

  /// - Throws: `invalidInput` for a fact that lies in the future.
  init(
    _ attempt: Attempt, _ settings: BotSettings, _ now: ClockReading, pid: Int32
  ) throws(LedgerError) {
    self.attempt = attempt
    self.settings = settings
    self.now = now
    self.pid = pid
    guard case .past(_, let at) = attempt.kind else {
      created = now
      return
    }
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
    created = ClockReading(wall: at, boot: now.boot?.advanced(by: .zero - age))
  }

  var token: PermitToken? {
    if case .reserve(let token) = attempt.kind { return token }
    return nil
  }

  private var fill: Fill? {
    switch attempt.kind {
    case .reserve: nil
    case .record(let fill), .past(let fill, _): fill
    }
  }

  func trade(id: TradeID) -> Trade {
    let order = attempt.order
    return Trade(
      id: id, key: attempt.key, order: order, origin: origin,
      status: fill == nil ? .pending : .filled, createdAt: created.wall,
      cooldown: settings.cooldown,
      leaseUntil: token == nil ? nil : Lease(start: created, length: settings.lease).until,
      filledAt: fill == nil ? nil : created.wall,
      filledQuantity: fill.map { $0.quantity ?? order.quantity },
      filledPrice: fill.flatMap { $0.price ?? order.price }, exchangeAt: fill?.at,
      receivedAt: fill == nil ? nil : now.wall, isLate: false, isSuperseded: false,
      isSettledByOperator: false, pid: pid, instance: attempt.instance)
  }

  private var origin: TradeOrigin {
    switch attempt.kind {
    case .reserve: .reserve
    case .record: .record
    case .past: .past
    }
  }

  /// The parameters of `Statements.insertTrade`.
  func values(botID: Int64) -> [Value] {
    let trade = trade(id: TradeID(0))
    return [
      .integer(botID), .text(trade.key.description), .text(origin.rawValue),
      .text(trade.order.side.rawValue), .text(trade.order.symbol.description),
      .text(trade.order.quantity.description), .text(trade.order.price?.description),
      .integer(trade.cooldown.wholeMicroseconds), .text(token?.description),
      .integer(Int64(pid)), .text(trade.instance?.name.description),
      .integer(trade.instance?.epoch.value), .integer(trade.createdAt.microseconds),
      .integer(trade.leaseUntil?.microseconds), .text(created.boot?.bootID),
      .integer(created.boot?.microseconds), .text(trade.status.rawValue),
      .integer(trade.filledAt?.microseconds), .text(trade.filledPrice?.description),
      .text(trade.filledQuantity?.description), .integer(trade.exchangeAt?.microseconds),
      .integer(trade.receivedAt?.microseconds),
    ]
  }
}
