internal import Subprocess
internal import TradeLedger

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// The workers of one round: the barrier, and what they reported.
actor BenchFloor {
  private let processes: Int
  private var ready: [OwnProcess] = []
  private var reports: [BenchReport] = []
  private var failure: String?

  private init(processes: Int) { self.processes = processes }

  /// Starts the processes, opens the barrier when all are there, and waits for their reports.
  /// - Throws: `internal` where one of them fails.
  static func run(_ configuration: BenchConfiguration) async throws -> BenchRound {
    let floor = BenchFloor(processes: configuration.processes)
    let path = configuration.path + "-wal"
    let largest = try await withThrowingTaskGroup(of: Void.self) { group in
      for worker in 0..<configuration.processes {
        var own = configuration
        own.worker = worker
        let words = ["bench-worker", "--"] + own.arguments
        group.addTask {
          let place = Place()
          let status = try await runOwnProcess(
            words, ledger: own.path, started: { await place.set($0) },
            heard: { await floor.hear($0, from: await place.process) })
          await floor.ended(status.isSuccess)
        }
      }
      let watch = Task { await watchSize(path) }
      try await group.waitForAll()
      watch.cancel()
      return await watch.value
    }
    return BenchRound(reports: try await floor.result(), walBytes: largest)
  }

  private actor Place {
    private(set) var process: OwnProcess?
    func set(_ process: OwnProcess) { self.process = process }
  }

  private func hear(_ lines: [String], from process: OwnProcess?) async {
    for line in lines {
      if line == "ready", let process {
        ready.append(process)
        if ready.count == processes { await release() }
      } else if let report = BenchReport(line) {
        reports.append(report)
      } else {
        failure = failure ?? line
      }
    }
  }

  /// A worker that is gone must not keep the others waiting.
  private func ended(_ isSuccess: Bool) async {
    if !isSuccess {
      failure = failure ?? "it ended early"
      await release()
    }
  }

  private func release() async {
    for process in ready { await process.say(SupervisorLine.go.text) }
  }

  private func result() throws(LedgerError) -> [BenchReport] {
    guard failure == nil, reports.count == processes else {
      throw LedgerError(
        .internalError, "a worker failed: \(failure ?? "it reported nothing")",
        hint: "is there room in the directory, and are there files and processes enough?")
    }
    return reports
  }

  /// Looks at the size of the log until it is cancelled. - Returns: the largest that was seen.
  private static func watchSize(_ path: String) async -> Int64 {
    var largest: Int64 = 0
    while true {
      var info = stat()
      if unsafe stat(path, &info) == 0 { largest = max(largest, Int64(info.st_size)) }
      guard (try? await Task.sleep(for: .milliseconds(20))) != nil else { return largest }
    }
  }
}
