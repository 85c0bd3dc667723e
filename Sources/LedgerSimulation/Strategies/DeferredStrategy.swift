internal import SQLite
internal import TradeLedger

/// The same as the naive way, but "in one transaction": BEGIN, look, decide, evaluate the signal,
/// insert, COMMIT.
///
/// A transaction that begins without a lock and has looked at something that somebody else has
/// changed since may not write: SQLite refuses the insert with "database is locked", and so
/// prevents the double trade. Bots take that for a moment of bad luck: they catch the error and
/// write again, in a new transaction, without looking again.
final class DeferredStrategy: WorkerStrategy {
  private let table: BrokenTable

  init(_ configuration: WorkerConfiguration) throws(SQLiteError) {
    table = try BrokenTable(configuration)
  }

  private enum Decision {
    case denied(Attempted)
    case inserted(Int64)
  }

  nonisolated(nonsending) func attempt(
    _ order: Order, key: OrderKey, token: PermitToken, send: SendOrder
  ) async -> Attempted {
    let bot = order.bot.description
    let key = key.description
    var busyErrors = 0
    var attempted: Attempted
    do throws(SQLiteError) {
      let decision: Decision
      do throws(SQLiteError) { decision = try await decideAndInsert(bot, key) } catch {
        guard error.isBusy else { throw error }
        busyErrors = 1
        decision = .inserted(
          try table.write { () throws(SQLiteError) in try table.insertPending(bot, key) })
      }
      switch decision {
      case .denied(let denied): attempted = denied
      case .inserted(let trade): attempted = await table.finish(trade, key, send)
      }
    } catch {
      attempted = Attempted(error)
    }
    attempted.busyErrors += busyErrors
    return attempted
  }

  nonisolated(nonsending) func close() async {}

  private nonisolated(nonsending) func decideAndInsert(
    _ bot: String, _ key: String
  ) async throws(SQLiteError) -> Decision {
    defer { table.rollback() }
    try table.begin()
    if let denied = try table.cooldown(of: bot) { return .denied(denied) }
    await table.evaluateSignal()
    let trade = try table.insertPending(bot, key)
    try table.commit()
    return .inserted(trade)
  }
}
