internal import SQLite
internal import TradeLedger

/// The second incident: a lock file that is really locked, a pid file beside it, and a look at the
/// pid file that decides whether the lock file is stale. The two come apart as soon as anybody
/// deletes one of them.
///
/// - The pid file is gone: the lock counts as stale and is deleted with its holder alive; the next
///   start makes a new file and locks that.
/// - The lock file is gone: the next start makes a new one and locks that.
///
/// Under such a lock the bot looks, decides and inserts without further ado. That is right for as
/// long as it is alone.
final class PidFileStrategy: WorkerStrategy {
  private let trading: NaiveStrategy
  private let files: InstanceFiles
  /// Of the locked file; -1 without one.
  private var lock: Int32 = -1

  init(_ configuration: WorkerConfiguration) throws(SQLiteError) {
    trading = try NaiveStrategy(configuration)
    files = InstanceFiles(configuration)
  }

  nonisolated(nonsending) func claim() async -> NameAnswer {
    switch files.take() {
    case .success(nil): return .held
    case .success(let lock?):
      self.lock = lock
      return .taken(epoch: nil)
    case .failure(let error): return .failed(code: "open_\(error.code)")
    }
  }

  nonisolated(nonsending) func leave() async throws {
    files.release(lock)
    lock = -1
  }

  nonisolated(nonsending) func attempt(
    _ order: Order, key: OrderKey, token: PermitToken, send: SendOrder
  ) async -> Attempted {
    await trading.attempt(order, key: key, token: token, send: send)
  }

  nonisolated(nonsending) func close() async { await trading.close() }
}
