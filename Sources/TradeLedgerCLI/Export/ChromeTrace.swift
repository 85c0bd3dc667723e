internal import TradeLedger

/// A trace in Chrome's JSON array format, for Perfetto. Each bot has three lanes: its trades as
/// marks, the time that its orders were under way, and its cooldowns.
///
/// Slices of one lane must not overlap, or Perfetto drops them: a cooldown that another trade fell
/// into is cut there, and that trade says so.
struct ChromeTrace {
  static let beginning =
    "[{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"args\":{\"name\":"
    + "\"tradeledger bots\"}}"

  private static let instances: Int64 = 2

  func write(
    _ trades: TradeStream, of ledger: Ledger, _ write: (String) throws(Failure) -> Void
  ) async throws -> Int {
    try write(ChromeTrace.beginning)
    var names: [BotName]
    if let bot = trades.bot {
      names = [bot]
    } else {
      names = try await ledger.status().bots.map(\.bot.name)
    }
    names.sort { $0.description < $1.description }
    var lanes: [BotName: Int64] = [:]
    var count = 0
    for (index, bot) in names.enumerated() {
      let lane = Int64(index) * 3 + 1
      lanes[bot] = lane
      var text = ""
      for (offset, what) in ["", " orders", " cooldown"].enumerated() {
        text += ChromeTrace.name(lane: lane + Int64(offset), process: 1, bot.description + what)
      }
      try write(text)
      var previous: Trade?
      try await trades.forEachInTime(of: bot) { trade in
        if let previous { try write(cooldown(previous, until: trade, lane + 2)) }
        try write(mark(trade, after: previous, lane) + order(trade, lane + 1))
        previous = trade
        count += 1
      }
      if let previous { try write(cooldown(previous, until: nil, lane + 2)) }
    }
    let voids = try await trades.forEachPiece(status: .void) { piece in
      for trade in piece {
        guard let lane = lanes[trade.bot] else { continue }
        try write(mark(trade, after: nil, lane) + order(trade, lane + 1))
      }
    }
    try write(try await epochs(of: ledger))
    try write("\n]\n")
    return count + voids
  }

  /// The holders of instance names since when they have them.
  private func epochs(of ledger: Ledger) async throws -> String {
    let instances = try await ledger.instances()
    if instances.isEmpty { return "" }
    let now = try await ledger.status().readAt
    var text = ChromeTrace.event([
      "name": "process_name", "ph": "M", "pid": .int(ChromeTrace.instances),
      "args": ["name": "tradeledger instances"],
    ])
    for (index, instance) in instances.enumerated() {
      let lane = Int64(index) + 1
      text += ChromeTrace.name(
        lane: lane, process: ChromeTrace.instances, instance.name.description)
      guard let holder = instance.holder, let since = holder.since else { continue }
      text += ChromeTrace.event([
        "name": .string("epoch \(instance.epoch)"), "cat": "epoch", "ph": "X",
        "ts": .int(since.microseconds),
        "dur": .int(max(0, now.elapsed(since: since).wholeMicroseconds)),
        "pid": .int(ChromeTrace.instances), "tid": .int(lane),
        "args": ["pid": .int(Int64(holder.pid)), "host": .text(holder.host)],
      ])
    }
    return text
  }

  private func mark(_ trade: Trade, after previous: Trade?, _ lane: Int64) -> String {
    let gap = previous.map { trade.effectiveAt.elapsed(since: $0.effectiveAt) }
    let isInside = gap.map { $0 < trade.cooldown } ?? false
    return ChromeTrace.event([
      "name": .string(
        "\(trade.status.readable) \(trade.id)" + (isInside ? " INSIDE THE COOLDOWN" : "")),
      "cat": .string(isInside ? "violation" : "trade"), "ph": "i", "s": "t",
      "ts": .int(trade.effectiveAt.microseconds), "pid": 1, "tid": .int(lane),
      "args": JSON.trade(trade),
    ])
  }

  /// From the admission to the outcome or the end of the lease: no two of a bot overlap (INV-2).
  private func order(_ trade: Trade, _ lane: Int64) -> String {
    guard let lease = trade.leaseUntil else { return "" }
    let end = min(trade.receivedAt ?? lease, lease)
    return ChromeTrace.event([
      "name": .string("order \(trade.id)"), "cat": "order", "ph": "X",
      "ts": .int(trade.createdAt.microseconds),
      "dur": .int(max(0, end.elapsed(since: trade.createdAt).wholeMicroseconds)), "pid": 1,
      "tid": .int(lane), "args": ["pid": .number(trade.pid), "key": .text(trade.key)],
    ])
  }

  private func cooldown(_ trade: Trade, until next: Trade?, _ lane: Int64) -> String {
    var length = trade.cooldown
    if let next { length = min(length, next.effectiveAt.elapsed(since: trade.effectiveAt)) }
    if length <= .zero { return "" }
    return ChromeTrace.event([
      "name": .string("cooldown \(trade.cooldown.readable)"), "cat": "cooldown", "ph": "X",
      "ts": .int(trade.effectiveAt.microseconds), "dur": .int(length.wholeMicroseconds), "pid": 1,
      "tid": .int(lane), "args": ["trade": .int(trade.id.value)],
    ])
  }

  private static func name(lane: Int64, process: Int64, _ name: String) -> String {
    event([
      "name": "thread_name", "ph": "M", "pid": .int(process), "tid": .int(lane),
      "args": ["name": .string(name)],
    ])
      + event([
        "name": "thread_sort_index", "ph": "M", "pid": .int(process), "tid": .int(lane),
        "args": ["sort_index": .int(lane)],
      ])
  }

  /// One more element of the array.
  private static func event(_ json: JSON) -> String { ",\n" + json.rendered }
}

extension JSON: ExpressibleByIntegerLiteral {
  init(integerLiteral value: Int64) { self = .int(value) }
}
