/// What backup, restore, doctor and metrics ask.
extension Statements {
  /// When the ledger went back to a backup.
  static let restores = "SELECT at, boot_id, boot_us FROM restores"
  static let insertRestore = "INSERT INTO restores (at, boot_id, boot_us) VALUES (?1, ?2, ?3)"
  static let hasRestore = "SELECT 1 FROM restores WHERE at = ?1"
  /// The raw name: a foreign client may have written one that the library would not take.
  static let instanceEpochs = "SELECT name, epoch FROM instances"
  static let pendingTrades = tradeColumns + " WHERE t.status = 'pending' ORDER BY t.id"

  // MARK: Figures

  /// How many trades each bot has in each status: bot, status, number.
  static let tradesByStatus = """
    SELECT b.name, t.status, COUNT(*) FROM trades AS t JOIN bots AS b ON b.id = t.bot_id
    GROUP BY t.bot_id, t.status
    """
  static let conflictsByBot = """
    SELECT b.name, COUNT(*) FROM conflicts AS c JOIN bots AS b ON b.id = c.bot_id
    GROUP BY c.bot_id
    """
  /// Double trades of each bot, those that facts of the past are part of left out: they have
  /// happened before the ledger could say no. Bot, number.
  static let doubleTradesByBot = """
    SELECT b.name, COUNT(*)
    FROM (
      SELECT bot_id, cooldown_us, origin, LAG(origin) OVER neighbours AS before_origin,
        effective_at - LAG(effective_at) OVER neighbours AS gap_us
      FROM counted_trades WINDOW neighbours AS (PARTITION BY bot_id ORDER BY effective_at, id)
    ) AS t JOIN bots AS b ON b.id = t.bot_id
    WHERE gap_us < t.cooldown_us AND t.origin <> 'past' AND before_origin <> 'past'
    GROUP BY t.bot_id
    """
  /// The newest rows, by which the clocks of today are judged.
  static let newestTrade = """
    SELECT created_at, boot_id, created_boot_us FROM trades ORDER BY id DESC LIMIT 1
    """
}
