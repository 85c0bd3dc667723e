internal import SQLite
internal import TradeLedger

/// The bug of the first incident: look at the last trade, decide in the process, evaluate the
/// signal, and only then insert, in another transaction. Every process that looks before the first
/// one inserts will trade.
///
/// It works on a plain SQLite file of its own, with locks, WAL and full durability. None of them
/// helps, because the decision is not part of the transaction.
final class NaiveStrategy: WorkerStrategy {
  private let table: BrokenTable

  init(_ configuration: WorkerConfiguration) throws(SQLiteError) {
    table = try BrokenTable(configuration)
  }

  nonisolated(nonsending) func attempt(
    _ order: Order, key: OrderKey, token: PermitToken, send: SendOrder
  ) async -> Attempted {
    let bot = order.bot.description
    do throws(SQLiteError) {
      if let denied = try table.read({ () throws(SQLiteError) in try table.cooldown(of: bot) }) {
        return denied
      }
      await table.evaluateSignal()
      let trade = try table.write { () throws(SQLiteError) in
        try table.insertPending(bot, key.description)
      }
      return await table.finish(trade, key.description, send)
    } catch {
      return Attempted(error)
    }
  }

  nonisolated(nonsending) func close() async {}
}
