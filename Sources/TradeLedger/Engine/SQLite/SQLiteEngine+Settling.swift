internal import SQLite

/// The answer to a settlement, with what was written for it.
struct SettledWrite: Sendable {
  let outcome: SettleOutcome
  var row: (id: TradeID, row: SettledRow)?
  var conflict: [Value]?

  func isThere(_ database: LedgerDatabase) throws(LedgerError) -> Bool {
    if let conflict { return try database.exists(Statements.hasConflict, conflict) }
    guard let row else { return true }
    return try database.exists(
      Statements.isSettled,
      [
        .integer(row.id.value), .text(row.row.status.rawValue), .text(row.row.settledWith),
        .integer(row.row.receivedAt.microseconds),
      ])
  }
}

extension SQLiteEngine {
  static func settle(
    _ settlement: Settlement, _ database: LedgerDatabase, _ now: ClockReading
  ) throws(LedgerError) -> TransactionDecision<SettledWrite> {
    let stored = try trade(settlement.trade, database)
    let epoch = try AdmissionReader.currentEpoch(stored.trade.instance, database)
    switch Settling.decide(settlement, stored, currentEpoch: epoch, now: now) {
    case .replay: return .rollback(SettledWrite(outcome: .replayed(stored.trade)))
    case .deny(let denial): return .rollback(SettledWrite(outcome: .denied(denial)))
    case .conflict(let row):
      let values = try keepConflict(stored, row, database)
      let denial = Denial(.alreadySettled, winner: stored.trade)
      let settled = SettledWrite(outcome: .denied(denial), conflict: values)
      return values == nil ? .rollback(settled) : .commit(settled)
    case .write(let row, let throughDoubt):
      let id = stored.trade.id
      if throughDoubt { try database.run(Statements.expire, [.integer(id.value)]) }
      try database.run(Statements.settle, row.values(id))
      let trade = row.applied(to: stored.trade)
      return .commit(SettledWrite(outcome: .settled(trade), row: (id, row)))
    }
  }

  /// Writes the conflict unless the same one is there. Returns what identifies it if it wrote.
  private static func keepConflict(
    _ stored: StoredTrade, _ row: SettledRow, _ database: LedgerDatabase
  ) throws(LedgerError) -> [Value]? {
    let id = Value.integer(stored.trade.id.value)
    let quantity = Value.text(row.quantity?.description)
    let price = Value.text(row.price?.description)
    let exchangeAt = Value.integer(row.exchangeAt?.microseconds)
    let identity = [id, quantity, price, exchangeAt]
    if try database.exists(Statements.hasConflict, identity) { return nil }
    try database.run(
      Statements.insertConflict,
      [
        id, .integer(row.filledAt?.microseconds), .text(row.filledBoot?.bootID),
        .integer(row.filledBoot?.microseconds), quantity, price, exchangeAt,
        .integer(row.receivedAt.microseconds),
      ])
    return identity
  }

  /// - Throws: `noSuchTrade`.
  static func trade(
    _ reference: TradeReference, _ database: LedgerDatabase
  ) throws(LedgerError) -> StoredTrade {
    let found =
      switch reference {
      case .id(let id):
        try database.first(Statements.tradeByID, [.integer(id.value)], TradeRow.read)
      case .key(let key):
        try database.first(Statements.tradeByKey, [.text(key.description)], TradeRow.read)
      }
    guard let found else { throw .noSuchTrade(reference, database.path) }
    return found
  }
}

extension SettledRow {
  /// The parameters of `Statements.settle`.
  fileprivate func values(_ id: TradeID) -> [Value] {
    [
      .integer(id.value), .text(status.rawValue), .integer(filledAt?.microseconds),
      .text(price?.description), .text(quantity?.description),
      .integer(exchangeAt?.microseconds), .integer(receivedAt.microseconds),
      .text(filledBoot?.bootID), .integer(filledBoot?.microseconds), .text(settledWith),
      .text(reason), .integer(isLate ? 1 : 0), .integer(isSuperseded ? 1 : 0),
    ]
  }

  /// The trade after the row was written.
  fileprivate func applied(to trade: Trade) -> Trade {
    var trade = trade
    trade.status = status
    trade.filledAt = filledAt
    trade.filledQuantity = quantity
    trade.filledPrice = price
    trade.exchangeAt = exchangeAt
    trade.receivedAt = receivedAt
    trade.isLate = isLate
    trade.isSuperseded = isSuperseded
    trade.isSettledByOperator = settledWith == Settling.operatorMark
    trade.reason = reason
    return trade
  }
}
