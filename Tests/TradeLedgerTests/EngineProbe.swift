import SQLite
import Synchronization
import XCTest

@testable import TradeLedger

/// The SQL texts that an engine runs, in order.
final class StatementRecorder: Sendable {
  private let texts = Mutex<[String]>([])
  private let listener: @Sendable (String) -> Void

  init(_ listener: @escaping @Sendable (String) -> Void = { _ in }) { self.listener = listener }

  func add(_ text: String) {
    texts.withLock { $0.append(text) }
    listener(text)
  }

  /// What ran since the last call.
  func take() -> [String] {
    texts.withLock { texts in
      defer { texts = [] }
      return texts
    }
  }
}

extension SQLiteEngine {
  func record(in recorder: StatementRecorder) {
    state.database.connection.onStatement = { recorder.add($0) }
  }

  func counters() -> Connection.Counters { state.database.connection.counters }

  func openFiles() -> (device: UInt64, main: UInt64, log: UInt64) {
    (state.watch.device, state.watch.mainInode, state.watch.logInode)
  }

  /// A checkpoint that comes while the outcome of a COMMIT is unknown makes nothing.
  /// - Returns: whether the next one can be scheduled.
  func canScheduleAfterARefusedCheckpoint() -> Bool {
    state.checkpointDue = SystemClock().boot()
    unsettledCommit = "a test"
    checkpointIfDue()
    unsettledCommit = nil
    return state.checkpointDue == nil
  }

  func isInTransaction() -> Bool { state.database.connection.isInTransaction }
}

extension Ledger {
  var sqlite: SQLiteEngine { (try? engine) as! SQLiteEngine }
}

/// Something that happens once and can be waited for.
final class Signal: Sendable {
  private let stream: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation

  init() { (stream, continuation) = AsyncStream.makeStream() }

  func fire() { continuation.yield() }

  /// Waits for `count` firings, for a minute at most. One waiter at a time.
  func wait(_ count: Int = 1, file: StaticString = #filePath, line: UInt = #line) async {
    let limit = Task {
      try await Task.sleep(for: .seconds(60))
      continuation.finish()
    }
    defer { limit.cancel() }
    var seen = 0
    for await _ in stream {
      seen += 1
      if seen == count { return }
    }
    XCTFail("happened \(seen) times, not \(count)", file: file, line: line)
  }
}
