internal import SQLite
internal import TradeLedger

/// The first incident's fix: a lock of each bot around looking, trading and writing. It is taken
/// if nobody has it or its time is over, has the same value whoever took it, and is released by
/// deleting it.
///
/// An exchange call that takes longer than the lock lasts lets the next one in, which finds no row,
/// because the row comes after the call. The late one then deletes the lock of its successor and
/// lets in a third.
final class LockStrategy: WorkerStrategy {
  private let table: BrokenTable
  /// In the incident 30 s, and some calls of the exchange were slower. Here half of its slowest
  /// answers are.
  private let timeLimit: Duration

  init(_ configuration: WorkerConfiguration) throws(SQLiteError) {
    table = try BrokenTable(configuration)
    timeLimit = max(.milliseconds(1), configuration.exchangeLatency.upperBound / 2)
  }

  nonisolated(nonsending) func attempt(
    _ order: Order, key: OrderKey, token: PermitToken, send: SendOrder
  ) async -> Attempted {
    let bot = order.bot.description
    do throws(SQLiteError) {
      // Somebody else is at it: no answer, nothing written, and the bot tries again.
      guard try table.lock(bot, for: timeLimit) else { return Attempted(answer: .busy) }
      let attempted = try await tradeUnderLock(bot, key.description, send)
      try table.unlock(bot)
      return attempted
    } catch {
      return Attempted(error)
    }
  }

  nonisolated(nonsending) func close() async {}

  private nonisolated(nonsending) func tradeUnderLock(
    _ bot: String, _ key: String, _ send: SendOrder
  ) async throws(SQLiteError) -> Attempted {
    if let denied = try table.read({ () throws(SQLiteError) in try table.cooldown(of: bot) }) {
      return denied
    }
    do {
      _ = try await send(Ticket(trade: nil, key: key, validUntil: nil))
    } catch {
      // Refused or not, the bot has no row to remember it by.
      return Attempted(answer: .unknown(code: "not_executed"))
    }
    let trade = try table.write { () throws(SQLiteError) in
      try table.insertFilled(bot, key)
    }
    return Attempted(answer: .filled(trade: trade))
  }
}
