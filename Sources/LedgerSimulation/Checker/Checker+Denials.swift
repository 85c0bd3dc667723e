/// Denials must have had a reason.
extension Checker {
  /// What settling can be denied for, after the order was sent.
  static let settlingDenials: Set<String> = ["already_settled", "wrong_token"]

  /// A denial must have been right at some moment between the question and the answer.
  ///
  /// Whoever denied looked at what was committed at a moment of that window, and then at the
  /// clocks, at a later moment of it. So a trade can be the reason if it was admitted before the
  /// answer
  /// came, if it had not been settled before the question was asked, and if it was still too young
  /// when the question was asked, by one clock or the other.
  func denialRules() -> [Violation] {
    evidence.calls.compactMap { call in
      guard case .denied(let reason, let winner) = call.answer, let told = call.told else {
        return nil
      }
      if isRight(reason, winner, call, told) { return nil }
      return Violation(
        .denialWithoutReason, bot: call.bot, trades: winner.map { [$0] } ?? [], keys: [call.key],
        "worker \(call.worker) was denied (\(reason)) for no reason on record")
    }
  }

  private func isRight(
    _ reason: String, _ winner: Int64?, _ call: Call, _ told: Moment
  ) -> Bool {
    let window = Window(
      start: call.called.boot, end: told.boot,
      wall: clock.earliest(from: call.called.boot, to: told.boot))
    switch reason {
    // A key that is on record is answered with its trade, before anything of this is looked at.
    case "cooldown" where wasKnown(call), "in_progress" where wasKnown(call),
      "in_doubt" where wasKnown(call), "disabled" where wasKnown(call):
      return false
    case "cooldown": return candidates(winner, call, window) { coolsDown($0, window) }
    case "in_progress": return candidates(winner, call, window) { isInProgress($0, window) }
    case "in_doubt":
      // Whoever says so names the trade, however old it is.
      return termsByBot[call.bot]?.blocks == true && winner != nil
        && candidates(winner, call, window) { isInDoubt($0, window) }
    case "disabled": return termsByBot[call.bot]?.isEnabled == false
    case "key_conflict":
      guard let row = rowsByKey[call.key]?.first else { return false }
      return row.bot != call.bot && row.createdBoot <= window.end
    case "already_settled":
      // Only a hand from outside can have been faster than the permit's holder.
      return rowsByKey[call.key]?.first?.settledBy == .operator
    // Tokens are kept, and whoever trades under an instance has it.
    default: return false
    }
  }

  private struct Window {
    let start: Int64
    let end: Int64
    /// The least that the worker's wall clock can have shown.
    let wall: Int64
  }

  /// Whether the key of `call` had been admitted for an earlier call before this one was asked.
  private func wasKnown(_ call: Call) -> Bool {
    guard let row = rowsByKey[call.key]?.first, let owner = owner(of: row),
      let since = owner.ordered ?? owner.told
    else { return false }
    return since.boot < call.called.boot
  }

  /// Whether the named trade can be the reason, or any of the bot where none is named.
  private func candidates(
    _ winner: Int64?, _ call: Call, _ window: Window, _ isReason: (TradeRow) -> Bool
  ) -> Bool {
    if let winner {
      guard let row = rowsByID[winner], row.bot == call.bot, row.createdBoot <= window.end else {
        return false
      }
      return isReason(row)
    }
    return timelines[call.bot]?.contains(from: window.start, to: window.end, wall: window.wall) {
      isReason($0)
    } ?? false
  }

  private func coolsDown(_ row: TradeRow, _ window: Window) -> Bool {
    let settled = settlement(of: row)
    if row.status == .void, let settled, settled.upperBound < window.start { return false }
    var wall = row.createdAt
    var boot = row.createdBoot
    // The fill counts at its own time as soon as it can have been on record.
    if row.status == .filled, let settled, settled.lowerBound <= window.end {
      wall = max(wall, row.filledAt ?? wall)
      boot = max(boot, row.filledBoot ?? boot)
    }
    return boot + row.cooldown > window.start || wall + row.cooldown > window.wall
  }

  private func isInProgress(_ row: TradeRow, _ window: Window) -> Bool {
    if let settled = settlement(of: row), settled.upperBound < window.start { return false }
    guard let leaseUntil = row.leaseUntil, let lease = row.lease else { return false }
    return row.createdBoot + lease > window.start || leaseUntil > window.wall
  }

  private func isInDoubt(_ row: TradeRow, _ window: Window) -> Bool {
    if let settled = settlement(of: row), settled.upperBound < window.start { return false }
    return row.createdBoot + (row.lease ?? .zero) <= window.end
  }
}

/// The rows of a bot in order of time, so that those that can be the reason for a denial are found
/// without looking at all of them.
struct Timeline {
  private let rows: [TradeRow]
  /// The latest time, by each clock, at which any row up to this one can be the reason.
  private var boot: [Int64] = []
  private var wall: [Int64] = []

  init(_ rows: [TradeRow]) {
    self.rows = rows.sorted { $0.createdBoot < $1.createdBoot }
    for row in self.rows {
      let length = max(row.cooldown, row.lease ?? 0)
      let boot = max(row.createdBoot, row.filledBoot ?? .min) + length
      let wall = max(row.createdAt, row.filledAt ?? .min) + length
      self.boot.append(max(self.boot.last ?? .min, boot))
      self.wall.append(max(self.wall.last ?? .min, wall))
    }
  }

  /// Whether `isReason` holds for a row admitted before `end` and not too old by either clock.
  func contains(
    from start: Int64, to end: Int64, wall least: Int64, _ isReason: (TradeRow) -> Bool
  ) -> Bool {
    var low = 0
    var high = rows.count
    while low < high {
      let middle = (low + high) / 2
      if rows[middle].createdBoot <= end { low = middle + 1 } else { high = middle }
    }
    while low > 0, boot[low - 1] > start || wall[low - 1] > least {
      if isReason(rows[low - 1]) { return true }
      low -= 1
    }
    return false
  }
}
