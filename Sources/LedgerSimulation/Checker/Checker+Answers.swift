/// What the workers were told, against the database.
extension Checker {
  /// INV-4: an answer that was given stays true.
  func answerRules() -> [Violation] {
    evidence.calls.compactMap { call in
      switch call.answer {
      case .filled(let trade):
        return requireRow(call, trade, "filled") { $0 == .filled }
      case .void(let trade):
        return requireRow(call, trade, "void") { $0 == .void }
      case .inDoubt(let trade):
        return requireRow(call, trade, "in doubt") { $0 != .void }
      case .replayed(let trade):
        return requireRow(call, trade, "replayed") { _ in true }
      case .busy:
        // The same key may have been admitted when it was tried again, but not by then.
        guard let told = call.told, let row = rowsByKey[call.key]?.first,
          row.createdAt <= told.wall
        else { return nil }
        var violation = Violation(
          .busyButWritten, bot: call.bot,
          "worker \(call.worker) was told busy, and yet there is trade \(row.id)")
        violation.trades = [row.id]
        violation.keys = [call.key]
        return violation
      case .failed(let code):
        return Violation(.unexpectedError, bot: call.bot, "worker \(call.worker) got \(code)")
      case .denied: return nil
      case .unknown, nil:
        // Nothing was promised. But if it had got a permit, the row of that permit must be there.
        guard let trade = call.trade else { return nil }
        return requireRow(call, trade, "admitted") { _ in true }
      }
    }
  }

  private func requireRow(
    _ call: Call, _ trade: Int64, _ what: String, _ isRight: (RowStatus) -> Bool
  ) -> Violation? {
    let row = rowsByKey[call.key]?.first
    if let row, row.id == trade, row.bot == call.bot, isRight(row.status) { return nil }
    let stands = row.map { "trade \($0.id) of \($0.bot) is \($0.status.rawValue)" }
    var violation = Violation(
      .answerWithoutRow, bot: call.bot,
      "worker \(call.worker) was told that trade \(trade) is \(what), but "
        + (stands ?? "there is no row with key \(call.key)"))
    violation.trades = [trade]
    violation.keys = [call.key]
    return violation
  }
}

/// Denials must have had a reason.
extension Checker {
  /// Rows and calls are compared on the wall clock, which two processes read at different moments:
  /// a reason that is off by less than this is no violation. (It is about denials alone: for
  /// admissions there is no tolerance.)
  private static let tolerance: Int64 = 5000

  func denialRules() -> [Violation] {
    let settledBy = settlements()
    let rowsByID = Dictionary(evidence.rows.map { ($0.id, $0) }) { first, _ in first }
    return evidence.calls.compactMap { call in
      guard case .denied(let reason, let winner) = call.answer, let told = call.told else {
        return nil
      }
      let rows = rowsByBot[call.bot] ?? []
      let candidates = winner.map { id in rowsByID[id].map { [$0] } ?? [] } ?? rows
      let isJustified = candidates.contains { row in
        guard row.bot == call.bot, row.createdAt <= told.wall + Checker.tolerance else {
          return false
        }
        let seenUntil = settledBy[row.key] ?? .max
        switch reason {
        case "cooldown": return blocked(row, call, told, seenUntil)
        case "in_progress":
          return seenUntil >= call.called.wall - Checker.tolerance
            && (row.leaseUntil ?? .max) >= call.called.wall - Checker.tolerance
        default: return false
        }
      }
      guard !isJustified else { return nil }
      var violation = Violation(
        .denialWithoutReason, bot: call.bot,
        "worker \(call.worker) was denied (\(reason)) for no reason on record")
      violation.trades = winner.map { [$0] } ?? []
      return violation
    }
  }

  /// Whether `row` was inside its cooldown at some moment of the call.
  private func blocked(_ row: TradeRow, _ call: Call, _ told: Moment, _ seenUntil: Int64) -> Bool {
    let start = call.called.wall - Checker.tolerance
    if row.status == .void && seenUntil < start { return false }
    var last = row.createdAt
    if let filledAt = row.filledAt, let receivedAt = row.receivedAt,
      receivedAt <= told.wall + Checker.tolerance
    {
      last = max(last, filledAt)
    }
    return last + row.cooldown >= start
  }

  /// Until when a row may have been seen unsettled: until the settling call came back, because a
  /// COMMIT takes its time. Where nobody came back, nobody knows.
  private func settlements() -> [String: Int64] {
    var result: [String: Int64] = [:]
    for row in evidence.rows where row.receivedAt != nil {
      let ends = (callsByKey[row.key] ?? []).map { $0.told?.wall ?? .max }
      result[row.key] = max(ends.max() ?? .max, row.receivedAt ?? .min)
    }
    return result
  }
}
