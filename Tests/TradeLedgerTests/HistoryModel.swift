/// The contract in plain loops over plain lists: no file, index or lock, nothing of the library.
/// Instants and intervals are microseconds.
struct HistoryModel {
  struct Clock: Hashable {
    var wall: Int64
    var boot: Int64
    /// nil: a machine that does not say.
    var bootID: String?

    func isSameBoot(as other: Clock) -> Bool { bootID != nil && bootID == other.bootID }
  }
  struct Bot {
    var cooldown: Int64
    var lease: Int64
    var blocks = false
    var isEnabled = true
  }
  enum Status: String {
    case pending
    case inDoubt = "in_doubt"
    case filled
    case void
  }
  enum Origin { case reserve, record, past }

  struct Row {
    let id: Int64
    let bot: String
    let key: String
    let token: String?
    let quantity: String
    let origin: Origin
    let created: Clock
    let cooldown: Int64
    let leaseUntil: Int64
    var status: Status
    var filled: Clock?
    var filledQuantity: String?
    var exchange: Int64?
    var received: Int64?
    var isLate = false
    var isByOperator = false

    var effective: Clock { filled ?? created }
  }
  struct Conflict {
    let bot: String
    let trade: Int64
    let quantity: String
    let exchange: Int64?
    let at: Clock
  }

  /// What the caller is told, as far as it can differ.
  enum Answer: Equatable {
    case admitted(Int64, Status, leaseUntil: Int64?, cooldown: Int64)
    case replayed(Int64, Status, withPermit: Bool)
    case settled(Int64, Status, at: Int64?, quantity: String?, exchange: Int64?, late: Bool)
    case denied(String, winner: Int64?, wait: Int64?, behind: Int64?)
    case failed
    case admissible
  }

  var bots: [String: Bot] = [:]
  var rows: [Row] = []
  var conflicts: [Conflict] = []

  // MARK: Looking

  func leaseLeft(_ row: Row, _ now: Clock) -> Int64 {
    let wall = row.leaseUntil - now.wall
    guard row.created.isSameBoot(as: now) else { return wall }
    return max(wall, row.created.boot + (row.leaseUntil - row.created.wall) - now.boot)
  }

  func seen(_ row: Row, _ now: Clock) -> Status {
    row.status == .pending && leaseLeft(row, now) <= 0 ? .inDoubt : row.status
  }

  /// Everything that holds the bot up: which trade, for how long, and how far the wall clock is
  /// behind it.
  private func waits(_ bot: String, _ now: Clock) -> [(trade: Int64, wait: Int64, behind: Int64?)] {
    var moments = rows.filter { $0.bot == bot && $0.status != .void }.map { ($0.id, $0.effective) }
    moments += conflicts.filter { $0.bot == bot }.map { ($0.trade, $0.at) }
    return moments.compactMap { trade, moment in
      let wall = now.wall - moment.wall
      let boot = moment.isSameBoot(as: now) ? now.boot - moment.boot : nil
      let wait = bots[bot]!.cooldown - min(wall, boot ?? wall)
      guard wait > 0 else { return nil }
      let behind = (boot ?? 0) - wall
      return (trade, wait, behind > 1_000_000 ? behind : nil)
    }
  }

  /// The answers that are right: where several trades hold the bot up equally long, any of them.
  func refusals(_ bot: String, _ now: Clock) -> [Answer] {
    if !bots[bot]!.isEnabled { return [.denied("disabled", winner: nil, wait: nil, behind: nil)] }
    let own = rows.filter { $0.bot == bot }
    if let open = own.first(where: { seen($0, now) == .pending }) {
      let left = leaseLeft(open, now)
      return [.denied("in_progress", winner: open.id, wait: left, behind: nil)]
    }
    if bots[bot]!.blocks {
      // What is written as in doubt is named before what is only over.
      let doubtful =
        own.first { $0.status == .inDoubt } ?? own.first { seen($0, now) == .inDoubt }
      if let doubtful {
        return [.denied("in_doubt", winner: doubtful.id, wait: nil, behind: nil)]
      }
    }
    let all = waits(bot, now)
    guard let longest = all.map(\.wait).max() else { return [] }
    return all.filter { $0.wait == longest }.map {
      .denied("cooldown", winner: $0.trade, wait: longest, behind: $0.behind)
    }
  }

  // MARK: Asking

  /// - Returns: the answers that are right. If one of them is an admission, the row is added.
  mutating func attempt(
    _ bot: String, key: String, token: String?, quantity: String, origin: Origin, at: Int64?,
    filledQuantity: String?, now: Clock
  ) -> [Answer] {
    if let same = rows.first(where: { $0.key == key }) {
      let isOtherFact = origin == .past && same.origin == .past && same.filled!.wall != at
      guard same.bot == bot, same.quantity == quantity, !isOtherFact else {
        return [.denied("key_conflict", winner: same.id, wait: nil, behind: nil)]
      }
      let mayTrade = origin == .reserve && token == same.token && seen(same, now) == .pending
      return [.replayed(same.id, seen(same, now), withPermit: mayTrade)]
    }
    if origin != .past {
      let refused = refusals(bot, now)
      if bots[bot]!.isEnabled { writeDoubts(bot, now) }
      if !refused.isEmpty { return refused }
    } else if at! > now.wall {
      return [.failed]
    }
    var created = now
    if let at { created = Clock(wall: at, boot: now.boot - (now.wall - at), bootID: now.bootID) }
    let settings = bots[bot]!
    let isFilled = origin != .reserve
    rows.append(
      Row(
        id: Int64(rows.count + 1), bot: bot, key: key, token: token, quantity: quantity,
        origin: origin, created: created, cooldown: settings.cooldown,
        leaseUntil: created.wall + settings.lease, status: isFilled ? .filled : .pending,
        filled: isFilled ? created : nil,
        filledQuantity: isFilled ? filledQuantity ?? quantity : nil, exchange: at,
        received: isFilled ? now.wall : nil))
    let row = rows.last!
    return [
      .admitted(
        row.id, row.status, leaseUntil: isFilled ? nil : row.leaseUntil, cooldown: row.cooldown)
    ]
  }

  private mutating func writeDoubts(_ bot: String, _ now: Clock) {
    for index in rows.indices where rows[index].bot == bot {
      rows[index].status = seen(rows[index], now)
    }
  }

  // MARK: Settling

  /// `token` nil: an operator. `outcome` nil: void.
  mutating func settle(
    _ id: Int64, token: String?, outcome: (quantity: String?, at: Int64?)?, now: Clock
  ) -> Answer {
    guard let index = rows.firstIndex(where: { $0.id == id }) else { return .failed }
    var row = rows[index]
    if let token, token != row.token {
      return .denied("wrong_token", winner: id, wait: nil, behind: nil)
    }
    if token == nil, row.status == .pending, leaseLeft(row, now) > 0 {
      return .denied("in_progress", winner: id, wait: leaseLeft(row, now), behind: nil)
    }
    let quantity = outcome.map { $0.quantity ?? row.quantity }
    let time = outcome.map { fillTime($0.at, row.created, now) }
    switch row.status {
    case .filled:
      let isSame =
        outcome != nil && quantity == row.filledQuantity
        && (outcome!.at == nil || outcome!.at == row.exchange)
      return isSame
        ? .replayed(id, .filled, withPermit: false)
        : .denied("already_settled", winner: id, wait: nil, behind: nil)
    case .void:
      guard let outcome, let quantity, let time else {
        return .replayed(id, .void, withPermit: false)
      }
      let isKept = conflicts.contains {
        $0.trade == id && $0.quantity == quantity && $0.exchange == outcome.at
      }
      if token != nil, !isKept {
        conflicts.append(
          Conflict(bot: row.bot, trade: id, quantity: quantity, exchange: outcome.at, at: time))
      }
      return .denied("already_settled", winner: id, wait: nil, behind: nil)
    case .pending, .inDoubt:
      row.isLate = seen(row, now) == .inDoubt
      row.isByOperator = token == nil
      row.status = outcome == nil ? .void : .filled
      row.filled = time
      row.filledQuantity = quantity
      row.exchange = outcome?.at
      row.received = now.wall
      rows[index] = row
      return .settled(
        id, row.status, at: time?.wall, quantity: quantity, exchange: row.exchange,
        late: row.isLate)
    }
  }

  /// The exchange's time, held between the admission and now. On the boot clock: the receipt, less
  /// the age by the wall clock, less what that clock ran ahead since the admission.
  private func fillTime(_ exchange: Int64?, _ created: Clock, _ now: Clock) -> Clock {
    var wall = exchange ?? now.wall
    if wall > now.wall { wall = now.wall }
    if wall < created.wall { wall = created.wall }
    var age = now.wall > wall ? now.wall - wall : 0
    if created.isSameBoot(as: now) {
      let passed = now.boot - created.boot
      let ranAhead = (now.wall - created.wall) - passed
      if ranAhead > 0 { age -= ranAhead }
      age = min(max(age, 0), passed)
    }
    return Clock(wall: wall, boot: now.boot - age, bootID: now.bootID)
  }

  // MARK: What the audit must find

  func doubleTrades() -> [[Int64]] {
    bots.keys.flatMap { bot in
      let own = rows.filter { $0.bot == bot && $0.status != .void }
        .sorted { ($0.effective.wall, $0.id) < ($1.effective.wall, $1.id) }
      return zip(own, own.dropFirst())
        .filter { $1.effective.wall - $0.effective.wall < $1.cooldown }
        .map { [$0.id, $1.id] }
    }
  }
}
