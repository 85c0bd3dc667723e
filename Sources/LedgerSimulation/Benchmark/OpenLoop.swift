/// When the operations of one process are due, where a rate is asked for.
///
/// An operation's wait begins when it was due, not when the process got to it: a stall delays all
/// operations behind it, and each of them says so.
struct OpenLoop: Equatable {
  /// Between two operations of this process.
  let interval: Duration
  /// Of the first one: the processes take turns.
  let offset: Duration
  /// Nothing is due from then on.
  let length: Duration

  /// - Parameter rate: operations a second, all processes together.
  init(rate: Int, processes: Int, worker: Int, length: Duration) {
    interval = .nanoseconds(Int64(processes) * 1_000_000_000 / Int64(rate))
    offset = .nanoseconds(Int64(worker) * 1_000_000_000 / Int64(rate))
    self.length = length
  }

  /// When operation `number` is due, since the start; nil: after the end.
  func due(_ number: Int) -> Duration? {
    let moment = offset + interval * number
    return moment < length ? moment : nil
  }

  /// How long what is due from `number` on had been waiting at the moment `now`.
  func waits(from number: Int, at now: Duration) -> [Duration] {
    var waits: [Duration] = []
    var next = number
    while let due = due(next), due <= now {
      waits.append(now - due)
      next += 1
    }
    return waits
  }
}

extension OpenLoop {
  /// Begins each operation when it is due, or as soon as the one before has ended. What cannot be
  /// begun within twice the time counts with the wait that it had by then.
  /// - Parameter operate: whether there was an answer.
  func run(
    from start: ContinuousClock.Instant, _ operate: (Int) async throws -> Bool
  ) async throws -> BenchReport {
    var report = BenchReport()
    let end = start + length * 2
    var number = 0
    while let due = due(number) {
      if ContinuousClock.now >= end { break }
      if start + due > .now { try await Task.sleep(until: start + due, tolerance: .zero) }
      let isAnswered = try await operate(number)
      report.record(.now - (start + due))
      if isAnswered { report.operations += 1 } else { report.unanswered += 1 }
      number += 1
    }
    report.elapsed = .now - start
    for wait in waits(from: number, at: report.elapsed) {
      report.record(wait)
      report.unanswered += 1
    }
    return report
  }
}
