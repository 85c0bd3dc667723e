@testable import LedgerSimulation

/// A change that makes any good history a bad one.
///
/// Each is chosen so that a rule is broken whatever the history was; the comment says which.
enum HistoryMutation: String, CaseIterable {
  /// A worker was told of the trade, or sent its order.
  case dropRow
  /// Nobody else asked for the row's key.
  case dropCall
  /// The row is filled.
  case dropOrderOfFill
  /// The worker says that it sent it.
  case dropOtherOrder
  /// A key reaches the exchange once.
  case duplicateOrder
  /// The row is void.
  case executeRefusedOrder
  /// Nobody sends an order before its permit is there.
  case orderBeforeItWasSent
  /// Settling needs the token.
  case changeToken
  /// The worker was told "filled".
  case undoFill
  /// It is the exchange's time, to the microsecond.
  case shiftFillTime
  /// Nobody asked for it.
  case insertRow
  /// Nobody asked for that key.
  case renameKeyOfRow
  /// Nobody asked for it under that bot.
  case changeBotOfRow
  /// Nobody asked for it in that process.
  case changeProcessOfRow
  /// The bot's cooldown is another one.
  case changeCooldownOfRow
  /// Before its call.
  case admitBeforeTheCall
  /// Ids and boot times grow together.
  case swapTimesOfRows
  /// Inside the cooldown of a trade that counts, with its call and order.
  case admitTooEarly
  /// The permit names the row.
  case changeTradeOfPermit
  /// Each answer names its own trade.
  case swapAnswers
  /// A void trade is not filled, a filled one not void.
  case turnAnswer
  /// It had sent the order.
  case denyAdmitted
  /// It had sent the order.
  case busyAdmitted
  /// It was told at some time, but what?
  case forgetAnswer
  /// One permit for each key.
  case secondPermit
  /// No trade is that old and that young.
  case denyTooLate
  /// There was no trade yet.
  case denyTooEarly
  /// Another bot's trade is no reason.
  case denyForAnotherBot
  /// Nothing here makes one.
  case insertConflict
  /// The trade of the key is another one.
  case replayAnotherTrade
}

extension HistoryMutation {
  /// - Returns: false where the history has nothing to break in this way.
  func apply(to evidence: inout Evidence, _ random: inout SeededRandom) -> Bool {
    switch self {
    case .dropRow, .dropCall, .dropOrderOfFill, .dropOtherOrder, .duplicateOrder,
      .executeRefusedOrder, .orderBeforeItWasSent, .insertConflict:
      applyToRecords(&evidence, &random)
    case .changeToken, .undoFill, .shiftFillTime, .insertRow, .renameKeyOfRow, .changeBotOfRow,
      .changeProcessOfRow, .changeCooldownOfRow, .admitBeforeTheCall, .swapTimesOfRows,
      .admitTooEarly:
      applyToRows(&evidence, &random)
    case .changeTradeOfPermit, .swapAnswers, .turnAnswer, .denyAdmitted, .busyAdmitted,
      .forgetAnswer, .secondPermit, .denyTooLate, .denyTooEarly, .denyForAnotherBot,
      .replayAnotherTrade:
      applyToCalls(&evidence, &random)
    }
  }

  private func applyToRecords(_ evidence: inout Evidence, _ random: inout SeededRandom) -> Bool {
    let calls = Dictionary(grouping: evidence.calls, by: \.key)
    let rows = Dictionary(evidence.rows.map { ($0.key, $0) }) { first, _ in first }
    switch self {
    case .dropRow:
      guard
        let row = evidence.rows.indices.filter({ index in
          calls[evidence.rows[index].key]?.contains { $0.ordered != nil || $0.isTrade } ?? false
        }).randomElement(using: &random)
      else { return false }
      evidence.rows.remove(at: row)
    case .dropCall:
      guard
        let call = evidence.calls.indices.filter({ index in
          let key = evidence.calls[index].key
          return rows[key] != nil && calls[key]?.count == 1
        }).randomElement(using: &random)
      else { return false }
      evidence.calls.remove(at: call)
    case .dropOrderOfFill, .dropOtherOrder:
      let wantsFill = self == .dropOrderOfFill
      guard
        let order = evidence.orders.indices.filter({ index in
          (rows[evidence.orders[index].key]?.status == .filled) == wantsFill
        }).randomElement(using: &random)
      else { return false }
      evidence.orders.remove(at: order)
    case .duplicateOrder:
      guard let order = evidence.orders.randomElement(using: &random) else { return false }
      evidence.orders.append(order)
    case .executeRefusedOrder:
      guard
        let index = evidence.orders.indices.filter({ index in
          rows[evidence.orders[index].key]?.status == .void
        }).randomElement(using: &random)
      else { return false }
      let order = evidence.orders[index]
      evidence.orders[index] = ExchangeOrder(
        key: order.key, bot: order.bot, pid: order.pid, decision: .accepted(at: order.at.wall),
        at: order.at)
    case .orderBeforeItWasSent:
      guard let index = evidence.orders.indices.randomElement(using: &random) else { return false }
      let order = evidence.orders[index]
      guard let sent = calls[order.key]?.compactMap(\.ordered).first else { return false }
      evidence.orders[index] = ExchangeOrder(
        key: order.key, bot: order.bot, pid: order.pid, decision: order.decision,
        at: sent.shifted(by: -1))
    default:
      guard let row = evidence.rows.randomElement(using: &random) else { return false }
      evidence.conflicts.append(ConflictRow(bot: row.bot, trade: row.id))
    }
    return true
  }

  private func applyToRows(_ evidence: inout Evidence, _ random: inout SeededRandom) -> Bool {
    let calls = evidence.calls
    let isFit: (TradeRow) -> Bool = { row in
      switch self {
      case .changeToken: row.isSettled
      case .undoFill:
        row.status == .filled
          && calls.contains { $0.key == row.key && $0.answer == .filled(trade: row.id) }
      case .shiftFillTime: row.status == .filled
      default: true
      }
    }
    guard
      let index = evidence.rows.indices.filter({ isFit(evidence.rows[$0]) })
        .randomElement(using: &random)
    else { return false }
    let row = evidence.rows[index]
    switch self {
    case .changeToken: evidence.rows[index].settledBy = .stranger
    case .undoFill:
      evidence.rows[index] = row.with(status: .inDoubt)
      evidence.rows[index].filledAt = nil
      evidence.rows[index].filledBoot = nil
      evidence.rows[index].receivedAt = nil
      evidence.rows[index].settledBy = nil
    case .shiftFillTime:
      let shift = Int64.random(in: 1...5000, using: &random)
      evidence.rows[index].filledAt? += Bool.random(using: &random) ? shift : -shift
    case .insertRow:
      let last = evidence.rows.map(\.id).max() ?? 0
      evidence.rows.append(row.with(id: last + 1, key: "mutant"))
    case .renameKeyOfRow: evidence.rows[index] = row.with(key: "mutant")
    case .changeBotOfRow:
      guard
        let bot = evidence.bots.map(\.name).filter({ $0 != row.bot })
          .randomElement(using: &random)
      else { return false }
      evidence.rows[index] = row.with(bot: bot)
    case .changeProcessOfRow: evidence.rows[index].pid = (row.pid ?? 0) + 100_000
    case .changeCooldownOfRow: evidence.rows[index] = row.with(cooldown: row.cooldown - 1)
    case .admitBeforeTheCall:
      guard let call = evidence.calls.first(where: { $0.key == row.key }) else { return false }
      let shift = call.called.boot - 1 - row.createdBoot
      evidence.rows[index] = row.shifted(by: shift, isFillShifted: false)
    case .swapTimesOfRows:
      let others = evidence.rows.indices.filter { evidence.rows[$0].createdBoot != row.createdBoot }
      guard let other = others.randomElement(using: &random) else { return false }
      let shift = evidence.rows[other].createdBoot - row.createdBoot
      evidence.rows[index] = row.shifted(by: shift, isFillShifted: false)
      evidence.rows[other] = evidence.rows[other].shifted(by: -shift, isFillShifted: false)
    default: return moveTooEarly(row, &evidence, &random)
    }
    return true
  }

  /// A whole trade moves back, with all that belongs to it.
  private func moveTooEarly(
    _ row: TradeRow, _ evidence: inout Evidence, _ random: inout SeededRandom
  ) -> Bool {
    guard
      let earlier = evidence.rows.last(where: {
        $0.bot == row.bot && $0.id < row.id && $0.status != .void
      })
    else { return false }
    let time =
      earlier.createdBoot + row.cooldown - 1 - Int64.random(in: 0..<row.cooldown, using: &random)
    let shift = time - row.createdBoot
    for index in evidence.rows.indices where evidence.rows[index].id == row.id {
      evidence.rows[index] = row.shifted(by: shift, isFillShifted: true)
    }
    for index in evidence.calls.indices where evidence.calls[index].key == row.key {
      evidence.calls[index] = evidence.calls[index].shifted(by: shift)
    }
    for index in evidence.orders.indices where evidence.orders[index].key == row.key {
      let order = evidence.orders[index]
      var decision = order.decision
      if case .accepted(let at) = decision { decision = .accepted(at: at + shift) }
      evidence.orders[index] = ExchangeOrder(
        key: order.key, bot: order.bot, pid: order.pid, decision: decision,
        at: order.at.shifted(by: shift))
    }
    return true
  }

  private func applyToCalls(_ evidence: inout Evidence, _ random: inout SeededRandom) -> Bool {
    let isFit: (Call) -> Bool = { call in
      switch self {
      case .changeTradeOfPermit: return call.trade != nil
      case .swapAnswers, .turnAnswer:
        if case .filled = call.answer { return true }
        if case .void = call.answer { return true }
        return false
      case .denyAdmitted, .busyAdmitted, .secondPermit: return call.ordered != nil
      case .denyTooLate, .denyTooEarly, .denyForAnotherBot:
        guard case .denied(let reason, _) = call.answer else { return false }
        return ["cooldown", "in_progress"].contains(reason)
      case .replayAnotherTrade:
        if case .replayed = call.answer { return true }
        return false
      default: return call.told != nil
      }
    }
    let fit = evidence.calls.indices.filter { isFit(evidence.calls[$0]) }
    guard let index = fit.randomElement(using: &random) else { return false }
    let call = evidence.calls[index]
    switch self {
    case .changeTradeOfPermit: evidence.calls[index].trade? += 1
    case .swapAnswers:
      guard
        let other = fit.filter({ evidence.calls[$0].key != call.key })
          .randomElement(using: &random)
      else { return false }
      evidence.calls[index].answer = evidence.calls[other].answer
      evidence.calls[other].answer = call.answer
    case .turnAnswer:
      if case .filled(let trade) = call.answer {
        evidence.calls[index].answer = .void(trade: trade)
      } else if case .void(let trade) = call.answer {
        evidence.calls[index].answer = .filled(trade: trade)
      }
    case .denyAdmitted:
      evidence.calls[index].told = call.told ?? call.ordered
      evidence.calls[index].answer = .denied(reason: "cooldown", winner: call.trade)
    case .busyAdmitted:
      evidence.calls[index].told = call.told ?? call.ordered
      evidence.calls[index].answer = .busy
    case .forgetAnswer: evidence.calls[index].answer = nil
    case .secondPermit: evidence.calls.append(call)
    case .denyTooLate: evidence.calls[index] = call.shifted(by: 36_000_000_000)
    case .denyTooEarly: evidence.calls[index] = call.shifted(by: -36_000_000_000)
    case .denyForAnotherBot:
      guard case .denied(let reason, _) = call.answer,
        let row = evidence.rows.filter({ $0.bot != call.bot }).randomElement(using: &random)
      else { return false }
      evidence.calls[index].answer = .denied(reason: reason, winner: row.id)
    default:
      guard case .replayed(let trade) = call.answer else { return false }
      evidence.calls[index].answer = .replayed(trade: trade + 1)
    }
    return true
  }
}

// MARK: - Changed copies

extension Moment {
  fileprivate func shifted(by shift: Int64) -> Moment {
    Moment(wall: wall + shift, boot: boot + shift)
  }
}

extension Call {
  fileprivate var isTrade: Bool {
    switch answer {
    case .filled, .void, .inDoubt, .replayed: true
    default: false
    }
  }

  fileprivate func shifted(by shift: Int64) -> Call {
    Call(
      worker: worker, pid: pid, bot: bot, key: key, called: called.shifted(by: shift),
      ordered: ordered?.shifted(by: shift), trade: trade, told: told?.shifted(by: shift),
      answer: answer)
  }
}

extension TradeRow {
  fileprivate func with(
    id: Int64? = nil, bot: String? = nil, key: String? = nil, status: RowStatus? = nil,
    cooldown: Int64? = nil
  ) -> TradeRow {
    TradeRow(
      id: id ?? self.id, bot: bot ?? self.bot, key: key ?? self.key,
      status: status ?? self.status, createdAt: createdAt, createdBoot: createdBoot,
      filledAt: filledAt, filledBoot: filledBoot, receivedAt: receivedAt,
      receivedBoot: receivedBoot, cooldown: cooldown ?? self.cooldown, leaseUntil: leaseUntil,
      pid: pid, settledBy: settledBy)
  }

  fileprivate func shifted(by shift: Int64, isFillShifted: Bool) -> TradeRow {
    let later = isFillShifted ? shift : 0
    return TradeRow(
      id: id, bot: bot, key: key, status: status, createdAt: createdAt + shift,
      createdBoot: createdBoot + shift, filledAt: filledAt.map { $0 + later },
      filledBoot: filledBoot.map { $0 + later }, receivedAt: receivedAt.map { $0 + later },
      receivedBoot: receivedBoot.map { $0 + later }, cooldown: cooldown,
      leaseUntil: leaseUntil.map { $0 + shift }, pid: pid, settledBy: settledBy)
  }
}
