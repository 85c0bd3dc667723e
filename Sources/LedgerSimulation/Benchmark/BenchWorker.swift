internal import Histogram
internal import TradeLedger

/// One worker process of `bench`: opens the ledger, waits at the barrier, works until its time is
/// over, and reports.
public struct BenchWorker {
  private let configuration: BenchConfiguration
  private let input = WorkerInput()

  /// - Returns: nil where the arguments do not come from a supervisor.
  public init?(arguments: [String]) {
    guard let configuration = BenchConfiguration(arguments) else { return nil }
    self.configuration = configuration
  }

  /// - Returns: the exit code.
  public func run() async -> Int32 {
    input.start()
    do {
      var options = Ledger.Options()
      options.lockWait = configuration.lockWait
      options.durability = configuration.durability
      let ledger = try await Ledger.open(configuration.path, options: options)
      let callers = try BenchCaller.all(configuration, ledger)
      _ = BenchReport()  // What is made once is made before the barrier.
      input.say("ready")
      await input.waitForRelease()
      // As README advises for a worker whose loop does little else.
      let before = await ledger.work()
      var report = try await withTaskExecutorPreference(ledger.executor) {
        try await BenchWorker.work(callers, configuration)
      }
      let after = await ledger.work()
      report.statements = after.statements - before.statements
      report.fsyncs = after.syncs - before.syncs
      await ledger.close()
      input.say(report.text)
      return 0
    } catch {
      input.say("failed \(error)")
      return 70
    }
  }

  private static func work(
    _ callers: [BenchCaller], _ configuration: BenchConfiguration
  ) async throws -> BenchReport {
    let start = ContinuousClock.now
    return try await withThrowingTaskGroup(of: BenchReport.self) { group in
      for (index, caller) in callers.enumerated() {
        let pace = configuration.rate.map { rate in
          OpenLoop(
            rate: rate, processes: configuration.processes * callers.count,
            worker: configuration.worker * callers.count + index, length: configuration.duration)
        }
        let duration = configuration.duration
        group.addTask {
          if let pace { return try await caller.keep(pace, from: start) }
          return try await caller.saturate(from: start, for: duration)
        }
      }
      var all = BenchReport()
      for try await one in group {
        all.operations += one.operations
        all.unanswered += one.unanswered
        all.elapsed = max(all.elapsed, one.elapsed)
        all.latencies.add(one.latencies)
      }
      return all
    }
  }
}
