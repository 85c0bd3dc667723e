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

  static func bot(_ name: String, blocks: Bool = false, isEnabled: Bool = true) -> BotTerms {
    BotTerms(name: name, cooldown: cooldown, lease: lease, blocks: blocks, isEnabled: isEnabled)
  }

  static func call(
    _ key: String, worker: Int = 0, bot: String = "bot-1", at called: Int64,
    ordered: Int64? = nil, trade: Int64? = nil, told: Int64? = nil, _ answer: Answer? = nil
  ) -> Call {
    Call(
      worker: worker, pid: Int32(100 + worker), bot: bot, key: key, called: moment(called),
      ordered: ordered.map(moment), trade: trade, told: told.map(moment), answer: answer)
  }

  /// - Parameter wall: what the wall clock of its worker is ahead.
  static func row(
    _ id: Int64, _ key: String, _ status: RowStatus, bot: String = "bot-1", at created: Int64,
    filled: Int64? = nil, received: Int64? = nil, pid: Int32 = 100, wall: Int64 = 0
  ) -> TradeRow {
    let isSettled = status == .filled || status == .void
    return TradeRow(
      id: id, bot: bot, key: key, status: status, createdAt: start + created + wall,
      createdBoot: boot + created, filledAt: filled.map { start + max($0, created + wall) },
      filledBoot: filled.map { boot + $0 }, receivedAt: received.map { start + $0 + wall },
      cooldown: cooldown, leaseUntil: start + created + wall + lease, pid: pid,
      settledBy: isSettled ? .holder : nil)
  }

  static func order(
    _ key: String, bot: String = "bot-1", pid: Int32 = 100, executed: Int64
  ) -> ExchangeOrder {
    ExchangeOrder(
      key: key, bot: bot, pid: pid, decision: .accepted(at: start + executed), at: moment(executed))
  }

  static func order(
    _ key: String, bot: String = "bot-1", pid: Int32 = 100, at: Int64,
    _ decision: ExchangeDecision
  ) -> ExchangeOrder {
    ExchangeOrder(key: key, bot: bot, pid: pid, decision: decision, at: moment(at))
  }

  static func tenure(
    _ name: String, worker: Int = 0, at asked: Int64, told: Int64? = nil,
    _ answer: NameAnswer? = nil, leaving: Int64? = nil, left: Int64? = nil, killed: Int64? = nil,
    gone: Int64? = nil
  ) -> Tenure {
    Tenure(
      worker: worker, pid: Int32(100 + worker), name: name, asked: moment(asked),
      told: told.map(moment), answer: answer, leaving: leaving.map(moment),
      left: left.map(moment), killed: killed.map { boot + $0 }, gone: gone.map { boot + $0 })
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
        call("k5", worker: 2, at: 512_000, ordered: 513_000, trade: 3),
        call("k6", worker: 2, at: 600_000),
        call("k7", worker: 3, at: 700_000, told: 701_000, .busy),
        call(
          "k7", worker: 3, at: 710_000, told: 711_000, .denied(reason: "cooldown", winner: nil)),
      ],
      rows: [
        row(1, "k1", .filled, at: 500, filled: 5000, received: 8000),
        row(2, "k4", .void, at: 505_200, received: 510_000, pid: 101),
        row(3, "k5", .inDoubt, at: 512_100, pid: 102),
      ],
      orders: [
        order("k1", executed: 5000), order("k4", pid: 101, at: 507_000, .refused),
        order("k5", pid: 102, executed: 515_000),
      ],
      bots: [bot("bot-1"), bot("bot-2")])
  }

  /// `good()` without trade 2, which stands between 1 and 3.
  static func withoutTrade2() -> Evidence {
    var evidence = good()
    evidence.remove("k4")
    return evidence
  }

  /// Trade 1 of `good()` alone.
  static func trade1() -> Evidence {
    var evidence = good()
    evidence.calls.removeAll { $0.key != "k1" }
    evidence.rows.removeAll { $0.key != "k1" }
    evidence.orders.removeAll { $0.key != "k1" }
    return evidence
  }
}

extension Evidence {
  /// Everything about a key.
  mutating func remove(_ key: String) {
    calls.removeAll { $0.key == key }
    rows.removeAll { $0.key == key }
    orders.removeAll { $0.key == key }
  }

  /// A whole trade in place of whatever there is with its key: call, row and order agree.
  /// - Parameters:
  ///   - executed: by default 900 us after the admission; void trades are refused then.
  ///   - received: by default 1000 us after that.
  ///   - wall: what the wall clock of its worker is ahead.
  mutating func put(
    _ id: Int64, _ key: String, _ status: RowStatus, bot: String = "bot-1", worker: Int = 5,
    at created: Int64, executed: Int64? = nil, received: Int64? = nil, wall: Int64 = 0
  ) {
    remove(key)
    let pid = Int32(100 + worker)
    let executed = executed ?? created + 900
    let received = received ?? executed + 1000
    var call = Sample.call(
      key, worker: worker, bot: bot, at: created - 50, ordered: created + 50, trade: id)
    var row = Sample.row(id, key, status, bot: bot, at: created, pid: pid, wall: wall)
    if status == .filled || status == .void {
      call.told = Sample.moment(received + 50)
      call.answer = status == .filled ? .filled(trade: id) : .void(trade: id)
      row = Sample.row(
        id, key, status, bot: bot, at: created, filled: status == .filled ? executed : nil,
        received: received, pid: pid, wall: wall)
    }
    calls.append(call)
    rows.append(row)
    orders.append(
      status == .void
        ? Sample.order(key, bot: bot, pid: pid, at: executed, .refused)
        : Sample.order(key, bot: bot, pid: pid, executed: executed))
  }

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
