/// Every SQL text of the engine, by name. The rest of the SQL is in `schema.sql`.
enum Statements {
  // MARK: File

  static let schemaVersion = "PRAGMA schema_version"
  static let journalMode = "PRAGMA journal_mode"
  static let countObjects = "SELECT COUNT(*) FROM sqlite_schema"
  /// What every layout had; without them a file only says that it is an old ledger.
  static let countOldTables = """
    SELECT COUNT(*) FROM sqlite_schema
    WHERE type = 'table' AND name IN ('ledger', 'bots', 'trades')
    """
  /// All but what SQLite makes by itself: the indexes behind UNIQUE and the tables of ANALYZE. Told
  /// by their texts: a trigger of any name can be written into a schema, "sqlite_..." included.
  private static let objects = """
    FROM sqlite_schema WHERE sql IS NOT NULL AND sql NOT IN (
      'CREATE TABLE sqlite_stat1(tbl,idx,stat)',
      'CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)')
    """
  static let allObjects = "SELECT name, sql \(objects)"
  static let droppableObjects = """
    SELECT type, name, sql \(objects) ORDER BY type = 'table', type = 'index', rowid
    """
  static let columns = "SELECT name FROM pragma_table_info(?1)"
  static let insertLedger = "INSERT INTO ledger (id, mode, created_at) VALUES (1, ?1, ?2)"
  static let ledgerMode = "SELECT mode FROM ledger"
  /// Changes a page, so that a COMMIT that failed before it cannot come back (INV-4).
  static let tick = "UPDATE ledger SET ticks = ticks + 1"
  static let pageCount = "PRAGMA page_count"
  static let integrityCheck = "PRAGMA integrity_check(5)"
  static let foreignKeyCheck = "SELECT COUNT(*) FROM pragma_foreign_key_check"
  static let countTrades = "SELECT COUNT(*) FROM trades"
  static let countConflicts = "SELECT COUNT(*) FROM conflicts"

  // MARK: Admission

  /// Everything that admission depends on, in one look: the last trade by the wall clock, and by
  /// the boot clock where that is another one, after a jump; and whether there are conflicts, which
  /// are rare. ?1 bot, ?2 key, ?3 instance, ?4 the boot that runs now.
  static let admission = """
    SELECT s.bot_id, s.cooldown_us, s.lease_us, s.in_doubt, s.enabled,
      (SELECT id FROM trades WHERE key = ?2),
      (SELECT id FROM occupying_trades WHERE bot_id = s.bot_id),
      (SELECT MIN(id) FROM trades WHERE bot_id = s.bot_id AND status = 'in_doubt'),
      l.id, l.effective_at, l.effective_boot_id, l.effective_boot_us,
      lb.id, lb.effective_at, lb.effective_boot_id, lb.effective_boot_us,
      EXISTS (SELECT 1 FROM conflicts WHERE bot_id = s.bot_id), i.epoch, i.pid
    FROM current_settings AS s
    LEFT JOIN trades AS l ON l.id = (
      SELECT id FROM counted_trades WHERE bot_id = s.bot_id ORDER BY effective_at DESC LIMIT 1)
    LEFT JOIN trades AS lb ON lb.id <> l.id AND lb.id = (
      SELECT id FROM counted_trades WHERE bot_id = s.bot_id AND effective_boot_id = ?4
      ORDER BY effective_boot_us DESC LIMIT 1)
    LEFT JOIN instances AS i ON i.name = ?3
    WHERE s.name = ?1
    """
  /// The last conflicts by the wall clock and by the boot clock. ?1 bot, ?2 the boot that runs now.
  static let lastConflicts = """
    SELECT trade_id, at, boot_id, boot_us FROM conflicts WHERE id IN (
      (SELECT id FROM conflicts WHERE bot_id = ?1 ORDER BY at DESC LIMIT 1),
      (SELECT id FROM conflicts WHERE bot_id = ?1 AND boot_id = ?2 ORDER BY boot_us DESC LIMIT 1))
    """
  static let insertTrade = """
    INSERT INTO trades (bot_id, key, origin, side, symbol, quantity, price, cooldown_us, token, pid,
      instance, epoch, created_at, lease_until, boot_id, created_boot_us, status, filled_at,
      filled_price, filled_quantity, exchange_at, received_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
      ?20, ?21, ?22)
    """
  static let expire = "UPDATE trades SET status = 'in_doubt' WHERE id = ?1"
  static let isInDoubt = "SELECT 1 FROM trades WHERE id = ?1 AND status = 'in_doubt'"
  static let hasKeyAndToken = "SELECT 1 FROM trades WHERE key = ?1 AND token IS ?2"
  static let currentEpoch = "SELECT epoch FROM instances WHERE name = ?1"

  // MARK: Settling

  static let settle = """
    UPDATE trades SET status = ?2, filled_at = ?3, filled_price = ?4, filled_quantity = ?5,
      exchange_at = ?6, received_at = ?7, filled_boot_id = ?8, filled_boot_us = ?9,
      settled_with = ?10, reason = ?11, late = ?12, superseded = ?13
    WHERE id = ?1
    """
  static let isSettled = """
    SELECT 1 FROM trades WHERE id = ?1 AND status = ?2 AND settled_with = ?3 AND received_at = ?4
    """
  static let insertConflict = """
    INSERT INTO conflicts (bot_id, trade_id, kind, token, at, boot_id, boot_us, quantity, price,
      exchange_at, received_at)
    SELECT bot_id, id, 'fill_after_void', token, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM trades
    WHERE id = ?1
    """
  static let hasConflict = """
    SELECT 1 FROM conflicts WHERE trade_id = ?1 AND quantity = ?2 AND price IS ?3
      AND exchange_at IS ?4
    """

  // MARK: Bots

  static let bots = """
    SELECT name, cooldown_us, lease_us, in_doubt, enabled FROM current_settings
    WHERE ?1 IS NULL OR name = ?1 ORDER BY name
    """
  static let insertBot = "INSERT INTO bots (name) VALUES (?1)"
  static let insertSettings = """
    INSERT INTO settings (bot_id, cooldown_us, lease_us, in_doubt, enabled, at)
    SELECT id, ?2, ?3, ?4, ?5, ?6 FROM bots WHERE name = ?1
    """

  // MARK: Instances

  /// In the order in which `InstanceRow` reads them.
  private static let instanceColumns = """
    SELECT name, epoch, pid, boot_id, pid_namespace, time_namespace, start_ticks, host, command,
      since, heartbeat_until
    FROM instances
    """
  static let instance = instanceColumns + " WHERE name = ?1"
  static let instances = instanceColumns + " ORDER BY name"
  static let insertInstance = """
    INSERT INTO instances (name, epoch, boot_id, pid_namespace, time_namespace, pid, start_ticks,
      host, command, since, heartbeat_until)
    VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
    """
  static let takeInstance = """
    UPDATE instances SET epoch = epoch + 1, boot_id = ?2, pid_namespace = ?3, time_namespace = ?4,
      pid = ?5, start_ticks = ?6, host = ?7, command = ?8, since = ?9, heartbeat_until = ?10
    WHERE name = ?1
    """
  /// ?3 the new end of the heartbeat.
  static let renewInstance = """
    UPDATE instances SET heartbeat_until = ?3 WHERE name = ?1 AND epoch = ?2
    """
  static let releaseInstance = """
    UPDATE instances SET pid = NULL, heartbeat_until = NULL WHERE name = ?1 AND epoch = ?2
    """
  static let evictInstance = """
    UPDATE instances SET epoch = epoch + 1, pid = NULL, heartbeat_until = NULL WHERE name = ?1
    """

  // MARK: Reading

  /// The columns of a trade, in the order in which `TradeRow` reads them.
  static let tradeColumns = """
    SELECT t.id, b.name, t.key, t.origin, t.side, t.symbol, t.quantity, t.price, t.cooldown_us,
      t.token, t.pid, t.instance, t.epoch, t.created_at, t.lease_until, t.boot_id,
      t.created_boot_us, t.status, t.filled_at, t.filled_price, t.filled_quantity, t.exchange_at,
      t.received_at, t.settled_with, t.reason, t.late, t.superseded
    FROM trades AS t JOIN bots AS b ON b.id = t.bot_id
    """
  static let tradeByID = tradeColumns + " WHERE t.id = ?1"
  static let tradeByKey = tradeColumns + " WHERE t.key = ?1"
  static let tradesInDoubt = """
    \(tradeColumns) WHERE b.name = ?1 AND t.status IN ('pending', 'in_doubt') ORDER BY t.id
    """
  /// ?1 bot or NULL, ?2 status or NULL, ?3 earliest effective time, ?4 the number that ends the
  /// range. Pending and in doubt are read together: which of them a trade is depends on the clocks.
  private static let matching = """
    WHERE t.id < ?4 AND (?1 IS NULL OR b.name = ?1) AND t.effective_at >= ?3
      AND (?2 IS NULL OR t.status = ?2
        OR ?2 IN ('pending', 'in_doubt') AND t.status IN ('pending', 'in_doubt'))
    """
  /// ?5 the limit; a negative one means all.
  static let trades = "\(tradeColumns) \(matching) ORDER BY t.id DESC LIMIT ?5"
  static let tradesTotal = """
    SELECT COUNT(*) FROM trades AS t JOIN bots AS b ON b.id = t.bot_id \(matching)
    """

  // MARK: Audit

  /// Trades that count: bot by bot in the order of time, and all of them in that of admission. What
  /// is compared is read row by row, never gathered. ?1 bot or NULL.
  private static let audited = """
    SELECT b.name, t.id, t.pid, t.origin = 'past', t.effective_at, t.cooldown_us, t.created_at,
      t.received_at
    """
  static let auditedInTime = """
    \(audited) FROM bots AS b CROSS JOIN counted_trades AS t ON t.bot_id = b.id
    WHERE ?1 IS NULL OR b.name = ?1 ORDER BY b.id, t.effective_at, t.id
    """
  static let auditedInOrder = """
    \(audited) FROM counted_trades AS t CROSS JOIN bots AS b ON b.id = t.bot_id
    WHERE ?1 IS NULL OR b.name = ?1 ORDER BY t.id
    """
  /// Findings of one row each: check, bot, id, gap, cooldown, time, pid. ?2 earliest effective
  /// time, ?3 now, ?4 and ?5 the boot clock.
  private static let single = """
    FROM counted_trades AS t JOIN bots AS b ON b.id = t.bot_id
    WHERE (?1 IS NULL OR b.name = ?1) AND t.effective_at >= ?2
    """
  static let findings = """
    SELECT 'in-doubt', b.name, t.id, NULL, t.cooldown_us, t.effective_at, t.pid \(single)
      AND (t.status = 'in_doubt' OR t.status = 'pending' AND t.lease_until <= ?3
        AND ((t.boot_id = ?4) IS NOT TRUE
          OR t.created_boot_us + t.lease_until - t.created_at <= ?5))
    UNION ALL
    SELECT 'late-fill', b.name, t.id, t.received_at - t.lease_until, t.cooldown_us, t.effective_at,
      t.pid \(single) AND t.status = 'filled' AND t.late = 1
    UNION ALL
    SELECT 'clock', b.name, t.id, t.exchange_at - t.filled_at, t.cooldown_us, t.effective_at, t.pid
    \(single) AND abs(t.exchange_at - t.filled_at) > 1000000
    """
  static let supersededFindings = """
    SELECT 'epoch', b.name, t.id, NULL, t.cooldown_us, t.effective_at, t.pid
    FROM trades AS t JOIN bots AS b ON b.id = t.bot_id
    WHERE t.superseded = 1 AND (?1 IS NULL OR b.name = ?1) AND t.effective_at >= ?2
    ORDER BY t.id
    """
  static let conflictFindings = """
    SELECT 'conflict', b.name, c.trade_id, NULL, t.cooldown_us, c.at, t.pid, c.quantity, c.price
    FROM conflicts AS c JOIN trades AS t ON t.id = c.trade_id JOIN bots AS b ON b.id = c.bot_id
    WHERE (?1 IS NULL OR b.name = ?1) AND c.at >= ?2
    ORDER BY c.id
    """
  /// How many trades the audit examines, and their first and last effective time.
  static let auditedRange = """
    SELECT COUNT(*), MIN(t.effective_at), MAX(t.effective_at)
    FROM trades AS t JOIN bots AS b ON b.id = t.bot_id
    WHERE (?1 IS NULL OR b.name = ?1) AND t.effective_at >= ?2
    """
}
