@testable import LedgerSimulation

/// A short history of one bot, cooldown 500 ms and lease 250 ms, in which everything is right.
/// Times are microseconds after `start`. Tests break one thing at a time.
///
/// - trade 1: admitted at 500, executed at 5,000, on record at 8,000
/// - trade 2: admitted after trade 1's cooldown, refused by the exchange, void
/// - trade 3: admitted, executed, its worker killed before it heard so; in doubt
enum Sample {
  static let start: Int64 = 1_757_276_933_000_000
  static let boot: Int64 = 3_600_000_000
  static let cooldown: Int64 = 500_000
  static let lease: Int64 = 250_000

  static func moment(_ offset: Int64) -> Moment {
    Moment(wall: start + offset, boot: boot + offset)
  }

  static func call(
    _ key: String, worker: Int = 0, bot: String = "bot-1", at called: Int64,
    ordered: Int64? = nil, trade: Int64? = nil, told: Int64? = nil, _ answer: Answer? = nil
  ) -> Call {
    Call(
      worker: worker, pid: Int32(100 + worker), bot: bot, key: key, called: moment(called),
      ordered: ordered.map(moment), trade: trade, told: told.map(moment), answer: answer)
  }

  static func row(
    _ id: Int64, _ key: String, _ status: RowStatus, bot: String = "bot-1", at created: Int64,
    filled: Int64? = nil, received: Int64? = nil, lease: Int64? = Sample.lease, pid: Int32 = 100
  ) -> TradeRow {
    TradeRow(
      id: id, bot: bot, key: key, status: status, createdAt: start + created,
      filledAt: filled.map { start + $0 }, receivedAt: received.map { start + $0 },
      cooldown: cooldown, leaseUntil: lease.map { start + created + $0 }, pid: pid)
  }

  static func order(
    _ key: String, bot: String = "bot-1", pid: Int32 = 100, executed: Int64? = nil,
    _ otherwise: ExchangeDecision = .refused
  ) -> ExchangeOrder {
    ExchangeOrder(
      key: key, bot: bot, pid: pid,
      decision: executed.map { .accepted(at: start + $0) } ?? otherwise)
  }

  static func good() -> Evidence {
    Evidence(
      calls: [
        call("k1", at: 0, ordered: 1000, trade: 1, told: 10_000, .filled(trade: 1)),
        call(
          "k2", worker: 1, at: 1000, told: 2000, .denied(reason: "in_progress", winner: 1)),
        call("k3", worker: 1, at: 100_000, told: 101_000, .denied(reason: "cooldown", winner: 1)),
        call(
          "k4", worker: 1, at: 505_100, ordered: 506_000, trade: 2, told: 511_000,
          .void(trade: 2)),
        call("k5", at: 512_000, ordered: 513_000, trade: 3),
        call("k6", worker: 2, at: 600_000),
        call("k7", worker: 3, at: 700_000, told: 701_000, .busy),
        call(
          "k7", worker: 3, at: 710_000, told: 711_000, .denied(reason: "cooldown", winner: nil)),
      ],
      rows: [
        row(1, "k1", .filled, at: 500, filled: 5000, received: 8000),
        row(2, "k4", .void, at: 505_200, received: 510_000, pid: 101),
        row(3, "k5", .inDoubt, at: 512_100),
      ],
      orders: [
        order("k1", executed: 5000), order("k4", pid: 101), order("k5", executed: 515_000),
      ])
  }

  /// `good()` without trade 2, which stands between 1 and 3.
  static func withoutTrade2() -> Evidence {
    var evidence = good()
    evidence.calls.removeAll { $0.key == "k4" }
    evidence.rows.removeAll { $0.key == "k4" }
    evidence.orders.removeAll { $0.key == "k4" }
    return evidence
  }
}

extension Evidence {
  mutating func replaceRow(_ row: TradeRow) {
    rows.removeAll { $0.id == row.id }
    rows.append(row)
  }

  mutating func replaceCall(_ call: Call) {
    calls.removeAll { $0.key == call.key }
    calls.append(call)
  }

  mutating func replaceOrder(_ order: ExchangeOrder) {
    orders.removeAll { $0.key == order.key }
    orders.append(order)
  }
}
