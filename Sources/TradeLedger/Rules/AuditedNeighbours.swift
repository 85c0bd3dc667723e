/// Compares each trade that counts with the one before it: in the order of time (double trades,
/// INV-1) and in the order of admission (overlaps, INV-2). Keeps one trade of each bot, and what it
/// found.
struct AuditedNeighbours {
  struct Trade {
    let bot: String
    let id: Int64
    let pid: Int64?
    /// A fact of the past.
    let isPast: Bool
    /// Microseconds, all of them.
    let effectiveAt: Int64
    let cooldown: Int64
    let createdAt: Int64
    /// nil: not settled.
    let receivedAt: Int64?
  }

  /// Only what is in effect at or after it is told.
  let since: Int64
  private(set) var findings: [AuditFinding] = []
  private var before: Trade?
  private var lastAdmitted: [String: Trade] = [:]

  init(since: Int64) { self.since = since }

  /// Bot by bot, each in the order of effective times.
  mutating func addInTime(_ trade: Trade) {
    defer { before = trade }
    guard let before, before.bot == trade.bot, trade.effectiveAt >= since else { return }
    let (gap, overflow) = trade.effectiveAt.subtractingReportingOverflow(before.effectiveAt)
    guard !overflow, gap < trade.cooldown else { return }
    add(.doubleTrade, before, trade, gap: gap, involvesPast: before.isPast || trade.isPast)
  }

  /// In the order of their numbers. Facts of the past are passed over: nobody was at work on them.
  mutating func addInOrder(_ trade: Trade) {
    guard !trade.isPast else { return }
    defer { lastAdmitted[trade.bot] = trade }
    guard let last = lastAdmitted[trade.bot], trade.effectiveAt >= since,
      last.receivedAt ?? .max > trade.createdAt
    else { return }
    add(.overlap, last, trade, gap: trade.createdAt - last.createdAt, involvesPast: false)
  }

  private mutating func add(
    _ check: AuditCheck, _ earlier: Trade, _ later: Trade, gap: Int64, involvesPast: Bool
  ) {
    findings.append(
      AuditFinding(
        check: check, bot: later.bot, trades: [earlier.id, later.id], gap: .microseconds(gap),
        cooldown: .microseconds(later.cooldown), at: Timestamp(microseconds: later.effectiveAt),
        pids: [earlier.pid, later.pid].compactMap { $0 }.map { Int32(truncatingIfNeeded: $0) },
        involvesPast: involvesPast))
  }
}

extension [AuditFinding] {
  /// By time, then by trade, then by check.
  var inOrder: [AuditFinding] {
    func rank(_ finding: AuditFinding) -> (Timestamp, Int64, Int) {
      (
        finding.at, finding.trades.last ?? 0,
        AuditCheck.allCases.firstIndex(of: finding.check) ?? 0
      )
    }
    return sorted { rank($0) < rank($1) }
  }
}
