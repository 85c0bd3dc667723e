/// The SQL of facts of the past in bulk, and of reading all trades in pieces.
extension Statements {
  /// Trades of one bot that count, in the order of time. ?1 bot.
  static let countedInTime = """
    SELECT t.id, t.effective_at, t.cooldown_us
    FROM counted_trades AS t
    WHERE t.bot_id = (SELECT id FROM bots WHERE name = ?1) ORDER BY t.effective_at, t.id
    """
  static let botID = "SELECT id FROM bots WHERE name = ?1"
  static let lastTradeID = "SELECT COALESCE(MAX(id), 0) FROM trades"

  /// Trades by number. ?1 after which, ?2 up to which, ?3 bot or NULL, ?4 earliest effective time,
  /// ?5 status or NULL, ?6 how many. (The unary plus keeps the order of the numbers.)
  static let tradesByNumber = """
    \(tradeColumns) WHERE t.id > ?1 AND t.id <= ?2 AND (?3 IS NULL OR +b.name = ?3)
      AND +t.effective_at >= ?4
      AND (?5 IS NULL OR +t.status = ?5) ORDER BY t.id LIMIT ?6
    """
  /// Trades of one bot that count, in the order of time. ?1 bot, ?2 and ?3 time and number after
  /// which, ?4 up to which number, ?5 earliest effective time, ?6 how many.
  static let tradesInTime = """
    \(tradeColumns) WHERE b.name = ?1 AND t.status <> 'void' AND t.effective_at >= ?2
      AND (t.effective_at > ?2 OR t.id > ?3) AND t.id <= ?4 AND t.effective_at >= ?5
    ORDER BY t.effective_at, t.id LIMIT ?6
    """
}
