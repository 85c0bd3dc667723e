/// What is to be written when a trade is settled.
struct SettledRow: Equatable, Sendable {
  var status: TradeStatus
  var filledAt: Timestamp?
  var filledBoot: BootInstant?
  var quantity: Amount?
  var price: Amount?
  var exchangeAt: Timestamp?
  var receivedAt: Timestamp
  var isLate: Bool
  var isSuperseded: Bool
  /// The token, or `operator`.
  var settledWith: String
  var reason: String?
}

/// The decision about one settlement.
enum SettlingDecision: Equatable {
  /// Write it. `throughDoubt`: the row must be written as in doubt first, because the lease is over
  /// and only what is in doubt may be settled by an operator.
  case write(SettledRow, throughDoubt: Bool)
  /// It has that very outcome.
  case replay
  case deny(Denial)
  /// A fill for a void trade: keep the row as a conflict, and deny (INV-6).
  case conflict(SettledRow)
}

/// Settling: pure. Exactly one outcome wins (INV-5); no fill is refused for its time (INV-6).
enum Settling {
  static let operatorMark = "operator"

  static func decide(
    _ settlement: Settlement, _ stored: StoredTrade, currentEpoch: Epoch?, now: ClockReading
  ) -> SettlingDecision {
    let trade = stored.trade
    var settledWith = operatorMark
    switch settlement.authority {
    case .token(let token):
      guard token == stored.token else {
        return .deny(Denial(.wrongToken, winner: stored.seen(at: now)))
      }
      settledWith = token.description
    case .operator:
      if trade.status == .pending, let remaining = stored.lease?.remaining(at: now),
        remaining > .zero
      {
        return .deny(Admission.inProgress(stored, remaining))
      }
    }
    let row = row(settlement, stored, currentEpoch, now, settledWith)
    if trade.status.isFinal { return settledBefore(settlement, stored, row) }
    let isOperator = settledWith == operatorMark
    return .write(row, throughDoubt: isOperator && trade.status == .pending)
  }

  private static func settledBefore(
    _ settlement: Settlement, _ stored: StoredTrade, _ row: SettledRow
  ) -> SettlingDecision {
    let trade = stored.trade
    switch settlement.outcome {
    case .void:
      return trade.status == .void ? .replay : .deny(Denial(.alreadySettled, winner: trade))
    case .filled(let fill):
      if trade.status == .void {
        if case .operator = settlement.authority {
          return .deny(Denial(.alreadySettled, winner: trade))
        }
        return .conflict(row)
      }
      let isSame =
        trade.filledQuantity == row.quantity && trade.filledPrice == row.price
        && (fill.at == nil || row.exchangeAt == trade.exchangeAt)
      return isSame ? .replay : .deny(Denial(.alreadySettled, winner: trade))
    }
  }

  private static func row(
    _ settlement: Settlement, _ stored: StoredTrade, _ currentEpoch: Epoch?, _ now: ClockReading,
    _ settledWith: String
  ) -> SettledRow {
    let trade = stored.trade
    var row = SettledRow(
      status: .void, receivedAt: now.wall, isLate: stored.seen(at: now).status == .inDoubt,
      isSuperseded: trade.instance.map { $0.epoch != currentEpoch } ?? false,
      settledWith: settledWith, reason: settlement.reason)
    if case .filled(let fill) = settlement.outcome {
      // No fill is refused for its time: what no ledger can keep is kept as the nearest instant.
      let exchangeAt = fill.at.map { max(Timestamp(microseconds: 0), min($0, .latest)) }
      let time = FillTime(exchange: exchangeAt, created: stored.created, receipt: now)
      row.status = .filled
      row.filledAt = time.wall
      row.filledBoot = time.boot
      row.quantity = fill.quantity ?? trade.order.quantity
      row.price = fill.price ?? trade.order.price
      row.exchangeAt = exchangeAt
    }
    return row
  }
}
