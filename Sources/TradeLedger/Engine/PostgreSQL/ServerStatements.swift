#if PostgreSQL
  /// Every SQL text of the engine, by name. The rest of the SQL is in `schema.postgres.sql`, whose
  /// head says what the functions take and give. Values are bound as text and cast.
  enum ServerStatements {
    // MARK: The ledger

    /// While it is answered no upgrade can begin or end: it has the lock of `ledger`.
    static let ledger = """
      SELECT (SELECT mode FROM tradeledger.ledger_row), tradeledger.layout(), (\(fingerprint)),
        (SELECT created_at FROM tradeledger.ledger_row)
      """
    static let identity = "SELECT mode, created_at FROM tradeledger.ledger_row"
    static let hasSchema = """
      SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'tradeledger'
      """
    static let makeLedger = "SELECT tradeledger.make_ledger($1::text, $2::bigint)"
    static let serverNow = "SELECT COALESCE($1::bigint, tradeledger.server_now())"

    // MARK: Trading

    static let attempt = """
      SELECT * FROM tradeledger.attempt($1::text, $2::text, $3::text, $4::text, $5::text, $6::text,
        $7::text, $8::text, $9::integer, $10::text, $11::bigint, $12::text, $13::text, $14::bigint,
        $15::integer, $16::bigint)
      """
    static let settle = """
      SELECT * FROM tradeledger.settle($1::bigint, $2::text, $3::text, $4::text, $5::text, $6::text,
        $7::bigint, $8::text, $9::integer, $10::bigint)
      """
    static let resolve = """
      SELECT * FROM tradeledger.resolve($1::bigint, $2::text, $3::text, $4::text, $5::text,
        $6::bigint, $7::text, $8::integer, $9::bigint)
      """
    static let work = "SELECT * FROM tradeledger.work($1::jsonb, $2::integer, $3::bigint)"
    static let check = "SELECT * FROM tradeledger.check_bot($1::text, $2::bigint)"
    static let isLive = "SELECT tradeledger.is_live($1::bigint, $2::text, $3::bigint)"

    // MARK: Bots

    static let addBot = """
      SELECT * FROM tradeledger.add_bot($1::text, $2::bigint, $3::bigint, $4::text, $5::integer,
        $6::integer, $7::bigint)
      """
    static let changeBot = """
      SELECT * FROM tradeledger.change_bot($1::text, $2::bigint, $3::bigint, $4::text, $5::integer,
        $6::integer, $7::bigint)
      """
    static let bot = """
      SELECT name, cooldown_us, lease_us, in_doubt, enabled FROM tradeledger.bot_rows
      WHERE name = $1::text
      """

    // MARK: Instances

    static let acquire = """
      SELECT * FROM tradeledger.acquire($1::text, $2::text, $3::bigint, $4::bigint, $5::integer,
        $6::bigint, $7::text, $8::text, $9::bigint, $10::bigint, $11::integer, $12::bigint)
      """
    static let renew = """
      SELECT * FROM tradeledger.renew($1::text, $2::bigint, $3::bigint, $4::integer, $5::bigint)
      """
    static let release = "SELECT tradeledger.release($1::text, $2::bigint, $3::integer)"
    static let evict = "SELECT * FROM tradeledger.evict($1::text, $2::integer, $3::bigint)"
    /// The columns that `ServerRow.instance` reads.
    private static let instanceColumns = """
      name, epoch, pid, boot_id, pid_namespace, time_namespace, start_ticks, host, command, since,
      heartbeat_until
      """
    static let instance = """
      SELECT \(instanceColumns) FROM tradeledger.instance_rows WHERE name = $1::text
      """
    /// $1 the clock of a simulation, or NULL.
    static let instances = """
      SELECT COALESCE($1::bigint, tradeledger.server_now()), \(instanceColumns)
      FROM tradeledger.instance_rows ORDER BY name
      """

    // MARK: Reading

    /// The columns that `ServerRow.trade` reads, and what they are read from.
    static let tradeColumns = """
      SELECT t.id, t.bot, t.key, t.origin, t.side, t.symbol, t.quantity, t.price, t.cooldown_us,
        t.token, t.pid, t.instance, t.epoch, t.created_at, t.lease_until, t.boot_id,
        t.created_boot_us, t.status, t.filled_at, t.filled_price, t.filled_quantity, t.exchange_at,
        t.received_at, t.settled_with, t.reason, t.late, t.superseded
      FROM tradeledger.trade_rows AS t
      """
    static let tradeByID = tradeColumns + " WHERE t.id = $1::bigint"
    static let tradeByKey = tradeColumns + " WHERE t.key = $1::text"
    /// $1 keys, as JSON.
    static let tradesByKeys = """
      \(tradeColumns) WHERE t.key IN (SELECT jsonb_array_elements_text($1::jsonb))
      """
    /// $1 bot or NULL.
    static let unsettled = """
      \(tradeColumns) WHERE ($1::text IS NULL OR t.bot = $1::text)
        AND t.status IN ('pending', 'in_doubt') ORDER BY t.id
      """
    /// $1 bot or NULL, $2 status or NULL, $3 earliest effective time, $4 the number that ends the
    /// range. Pending and in doubt are read together: which of them a trade is depends on the
    /// clock.
    private static let matching = """
      WHERE t.id < $4::bigint AND ($1::text IS NULL OR t.bot = $1::text)
        AND t.effective_at >= $3::bigint
        AND ($2::text IS NULL OR t.status = $2::text
          OR $2::text IN ('pending', 'in_doubt') AND t.status IN ('pending', 'in_doubt'))
      """
    /// $5 the limit, NULL for all.
    static let trades = "\(tradeColumns) \(matching) ORDER BY t.id DESC LIMIT $5::bigint"
    static let tradesTotal = "SELECT COUNT(*) FROM tradeledger.trade_rows AS t \(matching)"
    /// $1 bot or NULL, $2 the clock of a simulation, or NULL.
    static let status = """
      SELECT s.name, s.cooldown_us, s.lease_us, s.in_doubt, s.enabled, s.last_trade_at, (s.said).*
      FROM tradeledger.status($1::text, $2::bigint) AS s
      """
    static let countTrades = "SELECT COUNT(*) FROM tradeledger.trade_rows"
    static let countConflicts = "SELECT COUNT(*) FROM tradeledger.conflict_rows"

    // MARK: Audit

    /// Trades that count, with the neighbour before them in effective time and in admission.
    private static let neighbours = """
      WITH n AS (
        SELECT t.*, pg_catalog.lag(t.id) OVER in_time AS before_id,
          pg_catalog.lag(t.pid) OVER in_time AS before_pid,
          pg_catalog.lag(t.origin) OVER in_time AS before_origin,
          t.effective_at - pg_catalog.lag(t.effective_at) OVER in_time AS gap_us,
          pg_catalog.lag(t.id) OVER in_order AS previous_id,
          pg_catalog.lag(t.pid) OVER in_order AS previous_pid,
          pg_catalog.lag(t.created_at) OVER in_order AS previous_at,
          pg_catalog.lag(COALESCE(t.received_at, 9223372036854775807)) OVER in_order AS previous_end
        FROM tradeledger.counted_trades AS t
        WHERE $1::text IS NULL OR t.bot = $1::text
        WINDOW in_time AS (PARTITION BY t.bot_id ORDER BY t.effective_at, t.id),
          in_order AS (PARTITION BY t.bot_id, t.origin = 'past' ORDER BY t.id))
      """
    /// Findings of one row each: check, bot, earlier id or NULL, id, gap, cooldown, time, earlier
    /// pid, pid, whether a fact of the past is involved. $2 earliest effective time, $3 now.
    static let findings = """
      \(neighbours)
      SELECT 'double-trade', bot, before_id, id, gap_us, cooldown_us, effective_at, before_pid, pid,
        origin = 'past' OR before_origin = 'past'
      FROM n WHERE gap_us < cooldown_us AND effective_at >= $2::bigint
      UNION ALL
      SELECT 'overlap', bot, previous_id, id, created_at - previous_at, cooldown_us, effective_at,
        previous_pid, pid, false
      FROM n WHERE origin <> 'past' AND previous_end > created_at AND effective_at >= $2::bigint
      UNION ALL
      SELECT 'in-doubt', bot, NULL, id, NULL, cooldown_us, effective_at, NULL, pid, false
      FROM n WHERE effective_at >= $2::bigint AND (status = 'in_doubt' OR status = 'pending'
        AND lease_until <= COALESCE($3::bigint, tradeledger.server_now()))
      UNION ALL
      SELECT 'late-fill', bot, NULL, id, received_at - lease_until, cooldown_us, effective_at, NULL,
        pid, false
      FROM n WHERE status = 'filled' AND late = 1 AND effective_at >= $2::bigint
      UNION ALL
      SELECT 'clock', bot, NULL, id, exchange_at - filled_at, cooldown_us, effective_at, NULL, pid,
        false
      FROM n WHERE abs(exchange_at - filled_at) > 1000000 AND effective_at >= $2::bigint
      """
    static let supersededFindings = """
      SELECT 'epoch', t.bot, NULL, t.id, NULL, t.cooldown_us, t.effective_at, NULL, t.pid, false
      FROM tradeledger.trade_rows AS t
      WHERE t.superseded = 1 AND ($1::text IS NULL OR t.bot = $1::text)
        AND t.effective_at >= $2::bigint
      ORDER BY t.id
      """
    static let conflictFindings = """
      SELECT 'conflict', c.bot, NULL, c.trade_id, NULL, t.cooldown_us, c.at, NULL, t.pid, false,
        c.quantity, c.price
      FROM tradeledger.conflict_rows AS c JOIN tradeledger.trade_rows AS t ON t.id = c.trade_id
      WHERE ($1::text IS NULL OR c.bot = $1::text) AND c.at >= $2::bigint
      ORDER BY c.id
      """
    /// How many trades the audit examines, and their first and last effective time.
    static let auditedRange = """
      SELECT COUNT(*), MIN(t.effective_at), MAX(t.effective_at) FROM tradeledger.trade_rows AS t
      WHERE ($1::text IS NULL OR t.bot = $1::text) AND t.effective_at >= $2::bigint
      """

    // MARK: Facts of the past, and all trades in pieces

    /// How many of the keys $1, as JSON, name a trade.
    static let knownKeys = """
      SELECT COUNT(*) FROM tradeledger.trade_rows
      WHERE key IN (SELECT jsonb_array_elements_text($1::jsonb))
      """
    static let enter = """
      SELECT tradeledger.enter($1::jsonb, $2::jsonb, $3::integer, $4::integer, $5::bigint)
      """
    /// $1 bot, $2 and $3 time and number after which, $4 how many.
    static let countedInTime = """
      SELECT id, effective_at, cooldown_us FROM tradeledger.counted_trades
      WHERE bot = $1::text AND (effective_at, id) > ($2::bigint, $3::bigint)
      ORDER BY effective_at, id LIMIT $4::bigint
      """
    static let lastTradeID = "SELECT COALESCE(MAX(id), 0) FROM tradeledger.trade_rows"
    /// $1 after which, $2 up to which, $3 bot or NULL, $4 earliest effective time, $5 status or
    /// NULL, $6 how many.
    static let tradesByNumber = """
      \(tradeColumns) WHERE t.id > $1::bigint AND t.id <= $2::bigint
        AND ($3::text IS NULL OR t.bot = $3::text) AND t.effective_at >= $4::bigint
        AND ($5::text IS NULL OR t.status = $5::text) ORDER BY t.id LIMIT $6::bigint
      """
    /// $1 bot, $2 and $3 time and number after which, $4 up to which number, $5 earliest effective
    /// time, $6 how many.
    static let tradesInTime = """
      \(tradeColumns) WHERE t.bot = $1::text AND t.status <> 'void'
        AND (t.effective_at, t.id) > ($2::bigint, $3::bigint) AND t.id <= $4::bigint
        AND t.effective_at >= $5::bigint
      ORDER BY t.effective_at, t.id LIMIT $6::bigint
      """

    // MARK: Figures

    static let tradesByStatus = """
      SELECT bot, status, COUNT(*) FROM tradeledger.trade_rows GROUP BY bot, status
      """
    static let conflictsByBot = """
      SELECT bot, COUNT(*) FROM tradeledger.conflict_rows GROUP BY bot
      """
    /// Those that facts of the past are part of left out: they have happened before the ledger
    /// could say no.
    static let doubleTradesByBot = """
      SELECT bot, COUNT(*) FROM (
        SELECT bot, cooldown_us, origin, pg_catalog.lag(origin) OVER neighbours AS before_origin,
          effective_at - pg_catalog.lag(effective_at) OVER neighbours AS gap_us
        FROM tradeledger.counted_trades
        WINDOW neighbours AS (PARTITION BY bot_id ORDER BY effective_at, id)
      ) AS t
      WHERE gap_us < cooldown_us AND origin <> 'past' AND before_origin <> 'past'
      GROUP BY bot
      """
    static let lastRestore = "SELECT MAX(at) FROM tradeledger.restore_rows"
    static let databaseBytes = "SELECT pg_database_size(current_database())"
    static let newestTrade = """
      SELECT created_at FROM tradeledger.trade_rows ORDER BY id DESC LIMIT 1
      """
    /// What decides whether an answer survives, and who is asked.
    static let server = """
      SELECT current_setting('fsync'), current_setting('full_page_writes'),
        current_setting('synchronous_commit'), current_setting('synchronous_standby_names'),
        pg_is_in_recovery(), current_user, current_setting('default_transaction_isolation'),
        pg_catalog.pg_has_role(current_user, 'tradeledger_owner', 'MEMBER')
      """
  }
#endif
