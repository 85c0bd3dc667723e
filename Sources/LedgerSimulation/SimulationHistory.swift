public import TradeLedger

/// What happened in a simulation, one by one, for those who draw it. Times are those of the true
/// wall clock, whatever the workers' clock was set to.
public struct SimulationHistory: Sendable {
  /// A row of the database, as it stood at the end.
  public struct Trade: Sendable {
    public let id: Int64
    public let bot: String
    public let key: String
    public let status: TradeStatus
    public let createdAt: Timestamp
    public let filledAt: Timestamp?
    public let cooldown: Duration
    public let pid: Int32?
  }

  public struct Denial: Sendable {
    public let bot: String
    /// When the worker was told.
    public let at: Timestamp
  }

  /// What was done to the workers.
  public struct Event: Sendable {
    public enum Kind: Sendable {
      /// `kill -9`.
      case kill
      /// Stopped, and continued later.
      case pause
      /// The wall clock of all workers was set, and is so far ahead of the true one from then on.
      case clockJump(Duration)
    }
    public let kind: Kind
    public let at: Timestamp
    /// nil: all of them.
    public let worker: Int?
    public let pid: Int32?
  }

  /// In the order of admission.
  public let trades: [Trade]
  public let denials: [Denial]
  public let events: [Event]
  /// From each question to its answer, the exchange not included, in microseconds.
  public let latencies: [Int64]
  /// When each executed order was executed, by key.
  public let executions: [String: Timestamp]
  /// From the first event to the last; nil where nothing happened.
  public let range: ClosedRange<Timestamp>?
}

extension SimulationHistory {
  init(_ evidence: Evidence) {
    // Calls carry both true clocks; everything else is brought over from the boot clock.
    let offset = evidence.calls.first.map { $0.called.wall - $0.called.boot } ?? 0
    func instant(_ boot: Int64) -> Timestamp { Timestamp(microseconds: boot + offset) }
    trades = evidence.rows.sorted { $0.id < $1.id }.map { row in
      Trade(
        id: row.id, bot: row.bot, key: row.key, status: TradeStatus(row.status),
        createdAt: instant(row.createdBoot), filledAt: row.filledBoot.map(instant),
        cooldown: .microseconds(row.cooldown), pid: row.pid)
    }
    denials = evidence.calls.compactMap { call in
      guard case .denied = call.answer, let told = call.told else { return nil }
      return Denial(bot: call.bot, at: instant(told.boot))
    }
    events =
      evidence.strikes.compactMap { strike in
        guard strike.kind != .resume else { return nil }
        return Event(
          kind: strike.kind == .kill ? .kill : .pause, at: instant(strike.at),
          worker: strike.worker,
          pid: strike.pid)
      }
      + evidence.clockJumps.map { jump in
        Event(
          kind: .clockJump(.microseconds(jump.offset)), at: instant(jump.to), worker: nil, pid: nil)
      }
    latencies = evidence.calls.compactMap { call in
      (call.ordered ?? call.told).map { $0.boot - call.called.boot }
    }
    executions = Dictionary(
      evidence.orders.compactMap { $0.isExecuted ? ($0.key, instant($0.at.boot)) : nil },
      uniquingKeysWith: { first, _ in first })
    let moments =
      evidence.rows.flatMap { [$0.createdBoot, $0.filledBoot ?? $0.createdBoot] }
      + evidence.calls.flatMap { [$0.called.boot, ($0.told ?? $0.called).boot] }
      + evidence.strikes.map(\.at) + evidence.clockJumps.map(\.to)
    range = moments.min().flatMap { first in moments.max().map { instant(first)...instant($0) } }
  }
}

extension TradeStatus {
  fileprivate init(_ status: RowStatus) {
    self =
      switch status {
      case .pending: .pending
      case .inDoubt: .inDoubt
      case .filled: .filled
      case .void: .void
      }
  }
}
