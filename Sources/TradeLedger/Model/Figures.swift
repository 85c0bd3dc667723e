/// What is counted over a whole ledger, in one snapshot.
public struct LedgerFigures: Sendable {
  /// Trades of each bot by their stored status.
  public let trades: [BotName: [TradeStatus: Int]]
  /// Fills that arrived after a void, of each bot (INV-6).
  public let conflicts: [BotName: Int]
  /// Neighbours closer together than the cooldown of the later one, facts of the past left out.
  public let doubleTrades: [BotName: Int]
  /// When the ledger last went back to a backup.
  public let restoredAt: Timestamp?
  /// Of the main file.
  public let bytes: Int64
  /// Free for the ledger; nil where the system does not say.
  public let freeBytes: Int64?
  /// The layout of the file: `PRAGMA user_version`.
  public let layout: Int
}
