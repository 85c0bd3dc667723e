public import TradeLedger

/// What happened in a simulation, one by one, for those who draw it. Times are wall-clock times.
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

  /// `kill -9` of a worker.
  public struct Kill: Sendable {
    public let worker: Int
    public let pid: Int32
    /// When its end was seen.
    public let at: Timestamp
  }

  /// In the order of admission.
  public let trades: [Trade]
  public let denials: [Denial]
  public let kills: [Kill]
  /// From each question to its answer, the exchange not included, in microseconds.
  public let latencies: [Int64]
  /// When each executed order was executed, by key.
  public let executions: [String: Timestamp]
  /// From the first event to the last; nil where nothing happened.
  public let range: ClosedRange<Timestamp>?
}

extension SimulationHistory {
  init(_ evidence: Evidence) {
    trades = evidence.rows.sorted { $0.id < $1.id }.map { row in
      Trade(
        id: row.id, bot: row.bot, key: row.key, status: TradeStatus(row.status),
        createdAt: Timestamp(microseconds: row.createdAt),
        filledAt: row.filledAt.map { Timestamp(microseconds: $0) },
        cooldown: .microseconds(row.cooldown), pid: row.pid)
    }
    denials = evidence.calls.compactMap { call in
      guard case .denied = call.answer, let told = call.told else { return nil }
      return Denial(bot: call.bot, at: Timestamp(microseconds: told.wall))
    }
    kills = evidence.kills.map {
      Kill(worker: $0.worker, pid: $0.pid, at: Timestamp(microseconds: $0.at.wall))
    }
    latencies = evidence.calls.compactMap { call in
      (call.ordered ?? call.told).map { $0.boot - call.called.boot }
    }
    executions = Dictionary(
      evidence.orders.compactMap { order in
        order.executedAt.map { (order.key, Timestamp(microseconds: $0)) }
      }, uniquingKeysWith: { first, _ in first })
    let moments =
      evidence.rows.flatMap { [$0.createdAt, $0.filledAt ?? $0.createdAt] }
      + evidence.calls.flatMap { [$0.called.wall, ($0.told ?? $0.called).wall] }
      + evidence.kills.map(\.at.wall)
    range = moments.min().flatMap { first in
      moments.max().map {
        Timestamp(microseconds: first)...Timestamp(microseconds: max(first, $0))
      }
    }
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
