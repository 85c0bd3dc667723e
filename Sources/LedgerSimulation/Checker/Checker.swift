/// Judges a run. A pure function of the evidence, and no relative of the code that admits trades.
///
/// It judges on the boot clock, which all processes share and nothing sets, and on the workers'
/// wall clock where the contract says so. There is no tolerance: what the evidence leaves open
/// (which of
/// two commits was first, whether a jump of the clock had been seen) is decided in favour of the
/// ledger, and nothing else is. Everything is linear in the evidence, but for trades that are less
/// than a cooldown apart.
struct Checker {
  let evidence: Evidence
  /// Shared look-ups, made once.
  let rowsByKey: [String: [TradeRow]]
  let rowsByID: [Int64: TradeRow]
  /// In order of admission.
  let rowsByBot: [String: [TradeRow]]
  let timelines: [String: Timeline]
  let callsByKey: [String: [Call]]
  let ordersByKey: [String: [ExchangeOrder]]
  let termsByBot: [String: BotTerms]
  let clock: WorkerClock

  init(_ evidence: Evidence) {
    self.evidence = evidence
    let rows = evidence.rows.sorted { $0.id < $1.id }
    rowsByKey = Dictionary(grouping: rows, by: \.key)
    rowsByID = Dictionary(rows.map { ($0.id, $0) }) { first, _ in first }
    rowsByBot = Dictionary(grouping: rows, by: \.bot)
    timelines = rowsByBot.mapValues(Timeline.init)
    callsByKey = Dictionary(grouping: evidence.calls, by: \.key)
    ordersByKey = Dictionary(grouping: evidence.orders, by: \.key)
    termsByBot = Dictionary(evidence.bots.map { ($0.name, $0) }) { first, _ in first }
    clock = WorkerClock(evidence)
  }

  /// Everything that must not be, doubles first.
  func violations() -> [Violation] {
    admissionRules() + doubleOrders() + instanceRules() + rowRules() + exchangeRules()
      + callRules() + denialRules()
  }

  /// How many trades came too early after another one. Each counts once, however it was found and
  /// however many trades it came too close to.
  static func doubleCount(_ violations: [Violation]) -> Int {
    Set(violations.filter(\.isDouble).compactMap(\.keys.last)).count
  }
}

// MARK: - Who wrote a row, and when it was settled

extension Checker {
  /// The call that `row` came from: of its bot, its key and its process, under way when the row was
  /// admitted, and not told anything that excludes it. "Busy" excludes it where another call of the
  /// key does not; where there is none, somebody was told busy and it was not true.
  func owner(of row: TradeRow) -> Call? {
    let candidates = (callsByKey[row.key] ?? []).filter { call in
      guard call.bot == row.bot, row.pid == nil || row.pid == call.pid,
        call.called.boot <= row.createdBoot,
        row.createdBoot <= (call.trade == nil ? call.told : call.ordered)?.boot ?? .max
      else { return false }
      switch call.answer {
      case .denied, .replayed: return call.ordered != nil
      default: return true
      }
    }
    return candidates.first { $0.answer != .busy } ?? candidates.first
  }

  /// When `row` was settled, on the boot clock: not before the one time and not after the other.
  /// nil where it is not settled.
  func settlement(of row: TradeRow) -> ClosedRange<Int64>? {
    guard row.isSettled else { return nil }
    if let received = row.receivedBoot { return received...received }
    var low = max(row.createdBoot, row.filledBoot ?? .min)
    guard row.settledBy != .operator, let call = owner(of: row) else {
      return max(low, row.createdBoot + (row.settledBy == .operator ? row.lease ?? 0 : 0))...(.max)
    }
    low = max(low, call.ordered?.boot ?? .min)
    // A worker settles after it has heard from the exchange.
    if call.ordered != nil, let order = ordersByKey[row.key]?.first {
      low = max(low, order.at.boot)
    }
    switch call.answer {
    // A COMMIT is over before its caller is told so.
    case .filled, .void:
      let high = call.told?.boot ?? .max
      return min(low, high)...high
    // Nobody came back, or nobody knew.
    default: return low...(.max)
    }
  }

  /// Whether somebody who was admitted with `row` knew that `earlier` had been settled, at `time`.
  /// nil where the evidence leaves that open.
  func knew(_ row: TradeRow, _ earlier: TradeRow, _ time: ClosedRange<Int64>) -> Bool? {
    if row.createdBoot >= time.upperBound { return true }
    if row.createdBoot < time.lowerBound { return false }
    // Both read the wall clock while they held the write lock, so that tells who was first.
    guard let received = earlier.receivedAt, !clock.jumps(in: time) else { return nil }
    return received <= row.createdAt
  }
}

/// What the wall clock of the workers showed.
struct WorkerClock {
  /// True wall clock less boot clock. The two are read one after the other, boot first, and a
  /// process may be stopped in between: the smallest difference is the right one.
  private let difference: Int64
  private let jumps: [ClockJump]

  init(_ evidence: Evidence) {
    let moments = evidence.calls.lazy.map(\.called) + evidence.orders.lazy.map(\.at)
    difference = moments.map { $0.wall - $0.boot }.min() ?? 0
    jumps = evidence.clockJumps
  }

  /// Whether it may have been set while `time` went by.
  func jumps(in time: ClosedRange<Int64>) -> Bool {
    jumps.contains { $0.to >= time.lowerBound && $0.from <= time.upperBound }
  }

  /// The least that it can have shown during a call, first asked and last told at these boot times.
  func earliest(from start: Int64, to end: Int64) -> Int64 {
    var least = Int64.max
    var begin = Int64.min
    var offset: Int64 = 0
    for jump in jumps {
      // The offset before this jump may have been read from `begin` to `jump.to`.
      if begin <= end && jump.to >= start { least = min(least, max(begin, start) + offset) }
      begin = jump.from
      offset = jump.offset
    }
    if begin <= end { least = min(least, max(begin, start) + offset) }
    return least + difference
  }
}
