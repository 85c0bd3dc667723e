// MARK: - Rows against rows: INV-1, INV-2

extension Checker {
  /// Each row is judged by what was on record when it was admitted.
  ///
  /// Every row admitted must obey the cooldown, also one that became void afterwards; and every row
  /// that was not yet void at that moment counts against it. It must do so on both clocks: elapsed
  /// time is the smaller of the two.
  func admissionRules() -> [Violation] {
    rowsByBot.sorted { $0.key < $1.key }.flatMap { bot, rows in
      judge(rows, termsByBot[bot])
    }
  }

  private func judge(_ rows: [TradeRow], _ terms: BotTerms?) -> [Violation] {
    var found: [Violation] = []
    var latest = Latest()
    // Rows of which it may matter when they were settled, and when that was.
    var open: [(row: TradeRow, settled: ClosedRange<Int64>?)] = []
    for row in rows {
      var known = latest
      var stillOpen: [(row: TradeRow, settled: ClosedRange<Int64>?)] = []
      for (earlier, settled) in open {
        let isKnown = settled.map { knew(row, earlier, $0) } ?? false
        if let overlap = overlap(earlier, row, terms, isSettled: isKnown) { found.append(overlap) }
        let isOver = settled.map { $0.upperBound <= row.createdBoot } ?? false
        if isOver {
          latest.add(earlier, isFillKnown: true)
          known.add(earlier, isFillKnown: true)
        } else {
          stillOpen.append((earlier, settled))
          known.add(earlier, isFillKnown: isKnown)
        }
      }
      open = stillOpen
      if let early = known.tooEarly(row) { found.append(early) }
      // A row that nobody ever settled counts from its admission, and is only asked for its lease.
      open.append((row, settlement(of: row)))
      trim(&open, &latest, terms, at: row)
    }
    return found
  }

  /// Rows that stay unsettled need not be looked at one by one once their lease is over for good.
  private func trim(
    _ open: inout [(row: TradeRow, settled: ClosedRange<Int64>?)], _ latest: inout Latest,
    _ terms: BotTerms?, at row: TradeRow
  ) {
    guard evidence.clockJumps.isEmpty, terms?.blocks != true else { return }
    open.removeAll { earlier, settled in
      guard settled == nil, row.createdBoot - earlier.createdBoot > earlier.lease ?? 0,
        row.createdAt - earlier.createdAt > earlier.lease ?? 0
      else { return false }
      latest.add(earlier, isFillKnown: false)
      return true
    }
  }

  /// INV-2: `row` must not have been admitted while `earlier` was pending and its lease ran, by one
  /// clock or the other.
  private func overlap(
    _ earlier: TradeRow, _ row: TradeRow, _ terms: BotTerms?, isSettled: Bool?
  ) -> Violation? {
    guard isSettled == false, let lease = earlier.lease else { return nil }
    let isRunning =
      row.createdBoot < earlier.createdBoot + lease || row.createdAt < earlier.createdAt + lease
    guard isRunning || terms?.blocks == true else { return nil }
    return Violation(
      .overlap, bot: row.bot, trades: [earlier.id, row.id], keys: [earlier.key, row.key],
      "trade \(row.id) was admitted while trade \(earlier.id) was "
        + (isRunning ? "in progress" : "in doubt"))
  }
}

/// The latest trades that count, on each of the two clocks.
private struct Latest {
  private var wall: (row: TradeRow, time: Int64)?
  private var boot: (row: TradeRow, time: Int64)?

  /// - Parameter isFillKnown: nil where that is open. What is open counts as little as it may.
  mutating func add(_ row: TradeRow, isFillKnown: Bool?) {
    if row.status == .void && isFillKnown != false { return }
    let isFilled = row.status == .filled && isFillKnown == true
    let wallTime = isFilled ? max(row.createdAt, row.filledAt ?? .min) : row.createdAt
    let bootTime = isFilled ? max(row.createdBoot, row.filledBoot ?? .min) : row.createdBoot
    if wallTime > wall?.time ?? .min { wall = (row, wallTime) }
    if bootTime > boot?.time ?? .min { boot = (row, bootTime) }
  }

  /// One violation for each row that came too early: with the neighbour that it is closest to.
  func tooEarly(_ row: TradeRow) -> Violation? {
    if let boot, row.createdBoot - boot.time < row.cooldown {
      let isDouble = boot.row.counts && row.counts
      return violation(
        isDouble ? .doubleTrade : .earlyAdmission, boot.row, row, row.createdBoot - boot.time)
    }
    // Enough time has passed, but by the wall clock it has not: a jump back makes a bot wait.
    if let wall, row.createdAt - wall.time < row.cooldown {
      return violation(.earlyAdmission, wall.row, row, row.createdAt - wall.time)
    }
    return nil
  }

  private func violation(
    _ kind: Violation.Kind, _ earlier: TradeRow, _ later: TradeRow, _ gap: Int64
  ) -> Violation {
    var violation = Violation(
      kind, bot: later.bot, trades: [earlier.id, later.id], keys: [earlier.key, later.key],
      "trades \(earlier.id) and \(later.id): the later one was admitted \(gap) us after the "
        + "earlier one, cooldown \(later.cooldown) us")
    violation.gap = gap
    violation.cooldown = later.cooldown
    violation.pids = [earlier.pid, later.pid].compactMap { $0 }
    return violation
  }
}

// MARK: - Each row by itself

extension Checker {
  /// INV-2, INV-3, INV-5, and no row that nobody asked for.
  func rowRules() -> [Violation] {
    var found: [Violation] = []
    for (bot, rows) in rowsByBot.sorted(by: { $0.key < $1.key }) {
      let pending = rows.filter { $0.status == .pending }.map(\.id)
      if pending.count > 1 {
        found.append(
          Violation(.twoPending, bot: bot, trades: pending, "\(pending.count) trades are pending"))
      }
    }
    for (key, rows) in rowsByKey.sorted(by: { $0.key < $1.key }) where rows.count > 1 {
      found.append(
        Violation(
          .keyReused, bot: rows[0].bot, trades: rows.map(\.id), keys: [key],
          "key \(key) names several trades"))
    }
    found += evidence.conflicts.map { conflict in
      Violation(
        .conflict, bot: conflict.bot, trades: [conflict.trade],
        "a fill came for trade \(conflict.trade), which was void")
    }
    var previous: [String: TradeRow] = [:]
    for row in evidence.rows.sorted(by: { $0.id < $1.id }) {
      let queue = evidence.isSerial ? "" : row.bot
      found += rules(of: row, after: previous[queue])
      previous[queue] = row
    }
    return found
  }

  private func rules(of row: TradeRow, after previous: TradeRow?) -> [Violation] {
    var found: [Violation] = []
    func add(_ kind: Violation.Kind, _ what: String) {
      found.append(Violation(kind, bot: row.bot, trades: [row.id], keys: [row.key], what))
    }
    if owner(of: row) == nil {
      add(.rowWithoutCall, "trade \(row.id) (key \(row.key)) was asked for by nobody, or not then")
    }
    // Tables without leases belong to strategies that read the clock before they have a lock.
    if let previous, row.leaseUntil != nil, row.createdBoot < previous.createdBoot {
      add(.rowsOutOfOrder, "trade \(row.id) has an earlier time than trade \(previous.id)")
    }
    if let terms = termsByBot[row.bot] {
      if row.cooldown != terms.cooldown || row.lease != terms.lease || !terms.isEnabled {
        add(.otherTerms, "trade \(row.id) was not admitted under the settings of its bot")
      }
    } else {
      add(.otherTerms, "trade \(row.id) belongs to a bot that has no settings")
    }
    let isByStranger =
      row.settledBy == .stranger || (row.settledBy == nil) != (!row.isSettled || row.lease == nil)
    if isByStranger {
      add(.settledByStranger, "trade \(row.id) was settled by somebody without its permit")
    }
    if let time = wrongFillTime(row) {
      add(.wrongFillTime, "trade \(row.id) was executed at \(time.wall), and that is not on record")
    }
    return found
  }

  /// When the order of `row` was executed, where its fill says something else.
  ///
  /// On the wall clock it is the exchange's time, held between admission and receipt. On the boot
  /// clock, too, it lies between those two.
  private func wrongFillTime(_ row: TradeRow) -> Moment? {
    guard row.status == .filled,
      let order = ordersByKey[row.key]?.first(where: { $0.isExecuted && $0.bot == row.bot })
    else { return nil }
    guard let filledAt = row.filledAt, let filledBoot = row.filledBoot,
      let receivedAt = row.receivedAt, let settled = settlement(of: row)
    else { return order.at }
    let isRight =
      filledAt == max(row.createdAt, min(order.at.wall, receivedAt))
      && row.createdBoot <= filledBoot && filledBoot <= settled.upperBound
    return isRight ? nil : order.at
  }
}
