@testable import LedgerSimulation

/// Makes histories in which everything is right: a small model of the contract, with one clock,
/// one lock and one table in memory. It shares nothing with the ledger and nothing with the checker.
///
/// Time goes on in steps of workers, which are drawn at random: they ask, look, wait for the lock,
/// are admitted or denied, send, hear from the exchange and settle; they are killed, stopped and
/// started again at any step; the wall clock is set forth and back by up to an hour; tasks are
/// delivered twice; an operator settles what is in doubt.
struct HistoryModel {
  private static let cooldown: Int64 = 40_000
  private static let lease: Int64 = 25_000
  private static let bootStart: Int64 = 7_000_000_000
  private static let ahead: Int64 = 1_757_000_000_000_000

  private struct Worker {
    enum Step { case rest, look, lock, send, exchange, settle, tell }
    var step = Step.rest
    var due: Int64
    var pid: Int32
    var call = 0
    var row: Int?
    var question: (bot: String, key: String)?
    var reply: ExchangeDecision?
    var answer: Answer?
  }

  /// A row as the table holds it, and since when others can see that.
  private struct Stored {
    var row: TradeRow
    var visible: Int64
    var settledVisible: Int64?
  }

  private var random: SeededRandom
  private var evidence = Evidence()
  private var table: [Stored] = []
  private var workers: [Worker] = []
  private var lockFree: Int64 = 0
  private var number = 0
  private var nextPid: Int32 = 1000
  private var offsets: [(at: Int64, offset: Int64)] = [(.min, 0)]

  /// - Parameter seed: makes the same history again.
  static func history(seed: UInt64, calls: Int) -> Evidence {
    var model = HistoryModel(seed: seed)
    model.run(calls: calls)
    return model.evidence
  }

  private init(seed: UInt64) {
    random = SeededRandom(seed: seed, stream: 0x40de1)
    let bots = [
      ("a", false, true), ("b", false, true), ("blocking", true, true), ("off", false, false),
    ]
    evidence.bots = bots.map { name, blocks, isEnabled in
      BotTerms(
        name: name, cooldown: HistoryModel.cooldown, lease: HistoryModel.lease, blocks: blocks,
        isEnabled: isEnabled)
    }
    for _ in 0..<5 {
      workers.append(Worker(due: HistoryModel.bootStart + upTo(5000), pid: newPid()))
    }
    lockFree = HistoryModel.bootStart
  }

  private mutating func upTo(_ most: Int64) -> Int64 { .random(in: 1...most, using: &random) }
  private mutating func happens(_ percent: Int) -> Bool {
    random.chance(perMillion: percent * 10_000)
  }
  private mutating func newPid() -> Int32 {
    nextPid += 1
    return nextPid
  }

  // MARK: Clocks

  private func offset(at boot: Int64) -> Int64 { offsets.last { $0.at <= boot }?.offset ?? 0 }
  private func moment(_ boot: Int64) -> Moment {
    Moment(wall: boot + HistoryModel.ahead, boot: boot)
  }

  /// What a worker reads at `boot`: the wall clock comes second, sometimes much later.
  private mutating func reading(_ boot: Int64) -> (wall: Int64, boot: Int64, end: Int64) {
    let end = boot + (happens(2) ? upTo(3000) : 0)
    return (end + HistoryModel.ahead + offset(at: end), boot, end)
  }

  private mutating func setClock(at boot: Int64) {
    let offset = happens(40) ? 0 : upTo(7_200_000_000) - 3_600_000_000
    let shortened = happens(50) ? offset / 100_000 : offset
    offsets.append((boot, shortened))
    evidence.clockJumps.append(
      ClockJump(from: boot - upTo(50), to: boot + upTo(50), offset: shortened))
  }

  // MARK: Steps

  private mutating func run(calls: Int) {
    let hasJumps = happens(60)
    var nextJump = HistoryModel.bootStart + upTo(100_000)
    while evidence.calls.count < calls {
      guard let index = workers.indices.min(by: { workers[$0].due < workers[$1].due }) else {
        return
      }
      let now = workers[index].due
      if hasJumps && now >= nextJump {
        setClock(at: nextJump)
        nextJump = now + 100 + upTo(200_000)
      }
      if happens(1) && workers[index].step != .rest { kill(index, now) } else { step(index, now) }
      if happens(3) { resolve(after: now) }
      if happens(2) { workers[index].due += upTo(60_000) }  // stopped for a while
    }
  }

  private mutating func kill(_ index: Int, _ now: Int64) {
    evidence.strikes.append(Strike(kind: .kill, worker: index, pid: workers[index].pid, at: now))
    workers[index] = Worker(due: now + upTo(20_000), pid: newPid())
  }

  private mutating func step(_ index: Int, _ now: Int64) {
    switch workers[index].step {
    case .rest: ask(index, now)
    case .look: look(index, now)
    case .lock: admit(index, now)
    case .send: send(index, now)
    case .exchange: decide(index, now)
    case .settle: settle(index, now)
    case .tell: tell(index, now)
    }
  }

  private mutating func go(_ index: Int, _ step: Worker.Step, _ due: Int64) {
    workers[index].step = step
    workers[index].due = due
  }

  private mutating func ask(_ index: Int, _ now: Int64) {
    var question = workers[index].question
    if question == nil {
      number += 1
      let bot = evidence.bots[Int(upTo(4)) - 1].name
      question = (happens(70) ? (happens(50) ? "a" : "b") : bot, "k\(number)")
      // A task that was delivered twice, or a key that somebody used again for another bot.
      if happens(8), let old = evidence.calls.randomElement(using: &random) {
        question = (happens(80) ? old.bot : "a", old.key)
      }
    }
    workers[index].question = question
    workers[index].call = evidence.calls.count
    let asked = question ?? ("a", "k")
    evidence.calls.append(
      Call(
        worker: index, pid: workers[index].pid, bot: asked.bot, key: asked.key, called: moment(now))
    )
    go(index, .look, now + upTo(300))
  }

  private mutating func look(_ index: Int, _ now: Int64) {
    if happens(2) { return answer(index, .busy, now) }
    // The clocks are read after the table.
    let clock = reading(now + upTo(200))
    if let refused = refusal(index, clock, seenAt: now, isLocked: false) {
      return answer(index, refused, clock.end)
    }
    go(index, .lock, max(clock.end, lockFree) + upTo(50))
  }

  private mutating func admit(_ index: Int, _ now: Int64) {
    guard now > lockFree else { return go(index, .lock, lockFree + upTo(50)) }
    let clock = reading(now)
    if let refused = refusal(index, clock, seenAt: now, isLocked: true) {
      return answer(index, refused, clock.end)
    }
    let call = evidence.calls[workers[index].call]
    let visible = clock.end + upTo(400)
    lockFree = visible
    workers[index].row = table.count
    table.append(
      Stored(
        row: TradeRow(
          id: Int64(table.count + 1), bot: call.bot, key: call.key, status: .pending,
          createdAt: clock.wall, createdBoot: clock.boot, cooldown: HistoryModel.cooldown,
          leaseUntil: clock.wall + HistoryModel.lease, pid: call.pid),
        visible: visible))
    evidence.rows = table.map(\.row)
    if happens(2) { return answer(index, .unknown(code: "outcome_unknown"), visible) }
    go(index, .send, visible + upTo(100))
  }

  /// The contract's questions, in its order. nil: admitted.
  private mutating func refusal(
    _ index: Int, _ clock: (wall: Int64, boot: Int64, end: Int64), seenAt time: Int64,
    isLocked: Bool
  ) -> Answer? {
    let call = evidence.calls[workers[index].call]
    func deny(_ reason: String, _ row: TradeRow?) -> Answer {
      .denied(reason: reason, winner: row?.id)
    }
    let seen = table.indices.filter { table[$0].visible <= time }
    if let same = seen.first(where: { table[$0].row.key == call.key }) {
      let row = table[same].row
      return row.bot == call.bot ? .replayed(trade: row.id) : deny("key_conflict", row)
    }
    guard let terms = evidence.bots.first(where: { $0.name == call.bot }), terms.isEnabled else {
      return deny("disabled", nil)
    }
    let own = seen.filter { table[$0].row.bot == call.bot }
    func isSettled(_ index: Int) -> Bool { table[index].settledVisible.map { $0 <= time } ?? false }
    for index in own where !isSettled(index) {
      let row = table[index].row
      let wallLeft = row.createdAt + HistoryModel.lease - clock.wall
      let bootLeft = row.createdBoot + HistoryModel.lease - clock.boot
      if row.status != .inDoubt {
        if max(wallLeft, bootLeft) > 0 { return deny("in_progress", row) }
        // The step to in doubt is written under the lock, whatever the answer.
        guard isLocked else { return nil }
        if row.status == .pending { change(index, to: .inDoubt) }
      }
      if terms.blocks { return deny("in_doubt", row) }
    }
    for index in own {
      let row = table[index].row
      let knowsSettled = isSettled(index)
      if row.status == .void && knowsSettled { continue }
      let wall = knowsSettled ? row.filledAt ?? row.createdAt : row.createdAt
      let boot = knowsSettled ? row.filledBoot ?? row.createdBoot : row.createdBoot
      if min(clock.wall - wall, clock.boot - boot) < HistoryModel.cooldown {
        return deny("cooldown", row)
      }
    }
    return nil
  }

  private mutating func send(_ index: Int, _ now: Int64) {
    guard let row = workers[index].row else { return }
    let end = table[row].row.createdBoot + HistoryModel.lease
    if now >= end {  // The last look: too late to send.
      workers[index].reply = nil
      return go(index, .settle, now + upTo(50))
    }
    evidence.calls[workers[index].call].ordered = moment(now)
    evidence.calls[workers[index].call].trade = table[row].row.id
    let decided = now + upTo(happens(5) ? 40_000 : 4000)
    let call = evidence.calls[workers[index].call]
    var decision = ExchangeDecision.accepted(at: moment(decided).wall)
    if decided > end { decision = .expired } else if happens(10) { decision = .refused }
    evidence.orders.append(
      ExchangeOrder(
        key: call.key, bot: call.bot, pid: call.pid, decision: decision, at: moment(decided)))
    workers[index].reply = decision
    go(index, .exchange, decided + upTo(happens(5) ? 60_000 : 2000))
  }

  private mutating func decide(_ index: Int, _ now: Int64) {
    guard let row = workers[index].row else { return }
    // The answer of the exchange is lost.
    if happens(5) { return answer(index, .inDoubt(trade: table[row].row.id), now) }
    go(index, .settle, max(now, lockFree) + upTo(50))
  }

  private mutating func settle(_ index: Int, _ now: Int64) {
    guard now > lockFree else { return go(index, .settle, lockFree + upTo(50)) }
    guard let row = workers[index].row else { return }
    guard !table[row].row.isSettled else {
      return answer(index, .denied(reason: "already_settled", winner: table[row].row.id), now)
    }
    write(row, workers[index].reply, now, .holder)
    let id = table[row].row.id
    answer(index, table[row].row.status == .void ? .void(trade: id) : .filled(trade: id), lockFree)
  }

  /// Settles a row under the lock.
  private mutating func write(
    _ index: Int, _ decision: ExchangeDecision?, _ now: Int64, _ settler: Settler
  ) {
    let clock = reading(now)
    lockFree = clock.end + upTo(400)
    table[index].settledVisible = lockFree
    var row = table[index].row
    row.receivedAt = clock.wall
    row.settledBy = settler
    if case .accepted(let at)? = decision {
      let filled = max(row.createdAt, min(at, clock.wall))
      row.filledAt = filled
      row.filledBoot = min(
        max(clock.boot - max(0, clock.wall - filled), row.createdBoot), clock.boot)
    }
    table[index].row = row
    change(index, to: row.filledAt == nil ? .void : .filled)
  }

  private mutating func change(_ index: Int, to status: RowStatus) {
    let row = table[index].row
    table[index].row = TradeRow(
      id: row.id, bot: row.bot, key: row.key, status: status, createdAt: row.createdAt,
      createdBoot: row.createdBoot, filledAt: row.filledAt, filledBoot: row.filledBoot,
      receivedAt: row.receivedAt, cooldown: row.cooldown, leaseUntil: row.leaseUntil,
      pid: row.pid, settledBy: row.settledBy)
    evidence.rows = table.map(\.row)
  }

  /// An operator looks a trade in doubt up at the exchange and settles it.
  private mutating func resolve(after now: Int64) {
    let time = max(now, lockFree) + 1
    let doubtful = table.indices.filter { index in
      let row = table[index].row
      return !row.isSettled && row.createdBoot + HistoryModel.lease < time
        && row.createdAt + HistoryModel.lease < time + HistoryModel.ahead + offset(at: time)
    }
    guard let index = doubtful.randomElement(using: &random) else { return }
    let key = table[index].row.key
    // Never while the order may still be on its way, and never what its holder is about to settle.
    if workers.contains(where: { $0.row == index }) { return }
    let order = evidence.orders.first { $0.key == key }
    if let order, order.at.boot > time { return }
    write(index, order?.decision, time, .operator)
  }

  private mutating func answer(_ index: Int, _ answer: Answer, _ now: Int64) {
    workers[index].answer = answer
    go(index, .tell, now + upTo(300))
  }

  private mutating func tell(_ index: Int, _ now: Int64) {
    let call = workers[index].call
    evidence.calls[call].told = moment(now)
    evidence.calls[call].answer = workers[index].answer
    let isBusy = workers[index].answer == .busy
    let question = isBusy ? workers[index].question : nil
    workers[index] = Worker(due: now + upTo(8000), pid: workers[index].pid)
    workers[index].question = question
  }
}
