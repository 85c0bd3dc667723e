#if PostgreSQL
  internal import Synchronization

  /// A connection with its thread, on which callers' requests are carried out.
  protocol TradingLane: Actor {
    nonisolated var laneThread: LedgerThread { get }
    /// Carries out what `desk` has until there is nothing left for this lane.
    func serve(_ desk: TradingDesk, lane: Int)
  }

  /// Where the callers of one process wait for a connection.
  ///
  /// A caller that finds a lane free is served alone, in one round trip. Whoever comes while all
  /// are at work is served together with the others who wait, in one transaction. A bot is in one
  /// lane at a time: its calls would wait for each other at the server anyway, and so no other bot
  /// has to wait behind them.
  final class TradingDesk: Sendable {
    typealias Reply = CheckedContinuation<Result<WriteAnswer, LedgerError>, Never>

    struct Entry: Sendable {
      let request: WriteRequest
      let limit: WaitLimit
      /// Its bot; of a settlement whose bot is not known, the trade.
      let subject: String
      /// In no company: an operator's settlement, or one whose company has had to wait for a lock.
      var isAlone = false
      let reply: Reply

      /// Until then it may stand here.
      var expiry: SuspendingClock.Instant {
        limit.wasPositive ? limit.deadline : limit.later(by: ServerSession.leastWait).deadline
      }
    }

    private struct State {
      var waiting: [Entry] = []
      /// When somebody comes to look whose limit is over.
      var alarm: SuspendingClock.Instant?
      /// What the lanes are at work on.
      var busy: Set<String> = []
      /// Those beside the first.
      var others: [any TradingLane] = []
      var idle: Set<Int>
      var isClosed = false
      /// The bots of trades that were admitted here, the newest last: what their settlements are
      /// about.
      var bots: [TradeID: String] = [:]
      var admitted: [TradeID] = []
    }

    private let state: Mutex<State>
    private let batchLimit: Int
    private let laneLimit: Int
    private let makeLane: @Sendable () -> any TradingLane
    private static let rememberedTrades = 4096

    /// - Parameter usesFirst: the engine's own connection trades too, and not only those beside it:
    ///   then what the engine is asked waits while a trade waits for a lock.
    init(
      batchLimit: Int, laneLimit: Int, usesFirst: Bool,
      makeLane: @escaping @Sendable () -> any TradingLane
    ) {
      state = Mutex(State(idle: usesFirst ? [0] : []))
      self.batchLimit = max(1, batchLimit)
      self.laneLimit = max(1, laneLimit)
      self.makeLane = makeLane
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Puts a request into the queue and sees to it that somebody comes for it.
    ///
    /// - Parameter first: the lane that is there from the beginning.
    func add(_ request: WriteRequest, _ limit: WaitLimit, _ reply: Reply, first: any TradingLane) {
      var woken: (number: Int, lane: any TradingLane)?
      var alarm: SuspendingClock.Instant?
      let isOpen = state.withLock { state in
        guard !state.isClosed else { return false }
        var entry = Entry(
          request: request, limit: limit, subject: subject(of: request, state), reply: reply)
        if case .settlement(let settlement) = request { entry.isAlone = settlement.isByOperator }
        state.waiting.append(entry)
        if !state.busy.contains(entry.subject), let number = wake(&state) {
          woken = (number, number == 0 ? first : state.others[number - 1])
        }
        alarm = TradingDesk.alarm(entry.expiry, &state)
        return true
      }
      guard isOpen else { return reply.resume(returning: .failure(.closed)) }
      if let woken { start(woken.lane, woken.number) }
      if let alarm { set(alarm) }
    }

    /// What `lane` is to do next: one request, or several that may share a transaction. It is idle
    /// once there is none.
    func take(for lane: Int) -> [Entry] {
      state.withLock { state in
        var taken: [Entry] = []
        var left: [Entry] = []
        let busy = state.busy
        for entry in state.waiting {
          let isOpen =
            taken.count < batchLimit && !busy.contains(entry.subject)
            && (taken.isEmpty || !entry.isAlone && taken.first?.isAlone == false)
          if isOpen { taken.append(entry) } else { left.append(entry) }
        }
        state.waiting = left
        state.busy.formUnion(taken.map(\.subject))
        if taken.isEmpty { state.idle.insert(lane) }
        return taken
      }
    }

    /// `entries` have their answers.
    func finish(_ entries: [Entry], _ answers: [Result<WriteAnswer, LedgerError>]) {
      state.withLock { state in
        state.busy.subtract(entries.map(\.subject))
        for case .success(.attempt(.admitted(let trade, _))) in answers where !trade.status.isFinal
        {
          state.bots[trade.id] = trade.bot.description
          state.admitted.append(trade.id)
        }
        if state.admitted.count > TradingDesk.rememberedTrades {
          for id in state.admitted.prefix(TradingDesk.rememberedTrades / 2) { state.bots[id] = nil }
          state.admitted.removeFirst(TradingDesk.rememberedTrades / 2)
        }
      }
      for (entry, answer) in zip(entries, answers) { entry.reply.resume(returning: answer) }
    }

    /// `entries` are to be served each alone, before the others, by as many lanes as there are.
    func putBack(_ entries: [Entry]) {
      let (woken, alarm) = state.withLock { state in
        state.busy.subtract(entries.map(\.subject))
        state.waiting.insert(
          contentsOf: entries.map { entry in
            var entry = entry
            entry.isAlone = true
            return entry
          }, at: 0)
        var woken: [(number: Int, lane: any TradingLane)] = []
        // The lane that puts them back goes on by itself; the first one is its owner's to wake.
        while woken.count + 1 < entries.count, let number = wake(&state, besideFirst: true) {
          woken.append((number, state.others[number - 1]))
        }
        return (woken, TradingDesk.alarm(&state))
      }
      for (number, lane) in woken { start(lane, number) }
      if let alarm { set(alarm) }
    }

    // MARK: Limits

    /// When the next alarm is to be set; nil where one is that comes early enough.
    private static func alarm(
      _ expiry: SuspendingClock.Instant, _ state: inout State
    ) -> SuspendingClock.Instant? {
      if let alarm = state.alarm, alarm <= expiry { return nil }
      state.alarm = expiry
      return expiry
    }

    private static func alarm(_ state: inout State) -> SuspendingClock.Instant? {
      state.waiting.map(\.expiry).min().flatMap { alarm($0, &state) }
    }

    /// (No task of a caller's: whether that is cancelled changes nothing. A call ends at its limit
    /// anyway, and what settles an order has to be written all the same.)
    private func set(_ alarm: SuspendingClock.Instant) {
      Task.detached { [weak self] in
        try? await Task.sleep(until: alarm, clock: .suspending)
        self?.expire(alarm)
      }
    }

    /// Whoever stands here and whose limit is over is told so, and is not carried out.
    private func expire(_ alarm: SuspendingClock.Instant) {
      let (late, next) = state.withLock { state in
        if state.alarm == alarm { state.alarm = nil }
        let now = SuspendingClock.now
        let late = state.waiting.filter { $0.expiry <= now }
        state.waiting.removeAll { $0.expiry <= now }
        return (late, TradingDesk.alarm(&state))
      }
      for entry in late { entry.reply.resume(returning: .failure(.outOfTime)) }
      if let next { set(next) }
    }

    /// Lets go of all connections but the first. What waits is answered first.
    func close() {
      state.withLock { state in
        state.isClosed = true
        state.others = []
        state.idle = []
      }
    }

    private func subject(of request: WriteRequest, _ state: State) -> String {
      switch request {
      case .attempt(let attempt): return attempt.order.bot.description
      case .settlement(let settlement):
        switch settlement.trade {
        // (No name of a bot has a blank in it.)
        case .id(let id): return state.bots[id] ?? "trade \(id)"
        case .key(let key): return "key \(key)"
        }
      }
    }

    /// The number of a lane that was idle, or is new; nil where all are at work.
    private func wake(_ state: inout State, besideFirst: Bool = false) -> Int? {
      guard !state.isClosed else { return nil }
      if let number = state.idle.filter({ !besideFirst || $0 > 0 }).min() {
        state.idle.remove(number)
        return number
      }
      guard state.others.count + 1 < laneLimit else { return nil }
      state.others.append(makeLane())
      return state.others.count
    }

    private func start(_ lane: any TradingLane, _ number: Int) {
      Task(executorPreference: lane.laneThread) { await lane.serve(self, lane: number) }
    }
  }
#endif
