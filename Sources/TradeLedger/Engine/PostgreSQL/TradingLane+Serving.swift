#if PostgreSQL
  internal import PostgreSQL

  /// What a lane needs to carry out requests.
  struct LaneSetup: Sendable {
    let server: String
    let clock: any LedgerClock
    let pid: Int32
    let counter: StatementCounter
    let opened: OpenedLedger

    var givenTime: Int64? { LaneSetup.givenTime(clock) }

    /// nil: the server's clock. Anything but the system's is the clock of a simulation.
    static func givenTime(_ clock: any LedgerClock) -> Int64? {
      clock is SystemClock ? nil : clock.now().wall.microseconds
    }
  }

  /// How requests are carried out with one connection.
  struct LaneWork {
    let session: ServerSession
    let setup: LaneSetup

    /// How long requests that share a transaction may wait for a lock together.
    private static let companyWait = Duration.milliseconds(20)

    func serve(_ desk: TradingDesk, lane: Int) {
      while true {
        let entries = desk.take(for: lane)
        if entries.isEmpty { return }
        if entries.count > 1 {
          if let answers = together(entries) {
            desk.finish(entries, answers)
          } else {
            desk.putBack(entries)
          }
        } else if let entry = entries.first {
          desk.finish(entries, [alone(entry)])
        }
      }
    }

    private func call(_ request: WriteRequest) -> TradingCall {
      let now = setup.clock.now()
      return TradingCall(
        request: request, server: setup.server, now: setup.givenTime, bootAtStart: now.boot,
        pid: setup.pid)
    }

    private func alone(_ entry: TradingDesk.Entry) -> Result<WriteAnswer, LedgerError> {
      if entry.limit.isOver && entry.limit.wasPositive { return .failure(.outOfTime) }
      // Made anew for each try: a lease is counted from before the question that was answered.
      var call = call(entry.request)
      do throws(LedgerError) {
        let reply = try session.ask(wait: entry.limit, isWriting: true) { wait in
          call = self.call(entry.request)
          return call.query(wait: wait)
        }
        return call.answer(try reply.answer.first(), isRepeated: reply.isRepeated)
      } catch { return .failure(error) }
    }

    /// - Returns: nil where they are to be served each alone.
    private func together(
      _ entries: [TradingDesk.Entry]
    ) -> [Result<WriteAnswer, LedgerError>]? {
      // Whoever's limit is over is told so by its own call.
      guard
        let shortest = entries.map(\.limit).min(by: { $0.remaining < $1.remaining }),
        shortest.remaining > .zero
      else { return nil }
      var calls: [TradingCall] = []
      let wait = min(shortest.remaining, LaneWork.companyWait)
      do throws(LedgerError) {
        let reply = try session.ask(wait: shortest, isWriting: true) { _ in
          calls = entries.map { call($0.request) }
          let elements = JSONElements.array(calls.map(\.element))
          return Query(
            ServerStatements.work,
            [elements, TradingCall.milliseconds(wait), setup.givenTime.map { String($0) }])
        }
        let rows = reply.answer.rows
        guard rows.count == entries.count else {
          throw .bug("\(rows.count) answers to \(entries.count) requests")
        }
        return zip(calls, rows).map { $0.answer($1, isRepeated: reply.isRepeated) }
      } catch {
        // One request that the server refuses, or a lock that somebody holds, is no failure of the
        // others. What is unknown stays so for all of them: each finds out by its key.
        return error.code == .outcomeUnknown ? entries.map { _ in .failure(error) } : nil
      }
    }
  }

  /// A connection beside the engine's own.
  actor ServerLane: TradingLane {
    nonisolated let laneThread = LedgerThread()
    private let work: LaneWork

    init(_ address: Address, _ setup: LaneSetup) {
      work = LaneWork(
        session: ServerSession(address, setup.counter, setup.opened), setup: setup)
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor {
      unsafe laneThread.asUnownedSerialExecutor()
    }

    func serve(_ desk: TradingDesk, lane: Int) { work.serve(desk, lane: lane) }
  }
#endif
