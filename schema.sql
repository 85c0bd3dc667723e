-- TradeLedger: the specification of the ledger, in SQL.
--
-- Whoever opens this file with any SQLite client, in any language, is held to these rules. The
-- library says "no" in better words and looks at one more clock; it can allow nothing that this
-- file refuses (INV-11). The ids (INV-1 ...) are explained in docs/INVARIANTS.md.
--
-- Instants are microseconds since 1970-01-01 UTC. Intervals end in _us: microseconds. Amounts are
-- exact decimals kept as text. "boot" clocks count microseconds since the machine started; their
-- values compare only where the boot ids are equal.
--
-- Guards only ever SELECT RAISE. None of them changes a row, so that no trigger of a client's own
-- can step in between.

PRAGMA application_id = 1414679620; -- 'TRLD': this file is a trade ledger
PRAGMA user_version = 4;            -- the layout described here

-- Tables --------------------------------------------------------------------------------------

CREATE TABLE ledger (
  -- One row that says what this file is for. A live ledger never takes test trades: the mode is
  -- set once and stays.
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  mode       TEXT    NOT NULL CHECK (mode IN ('live', 'paper', 'simulation')),
  created_at INTEGER NOT NULL CHECK (created_at BETWEEN 0 AND 253402300799999999),
  ticks      INTEGER NOT NULL DEFAULT 0 -- goes up by one to settle an unknown COMMIT (INV-4)
) STRICT;

CREATE TABLE bots (
  -- A bot is a named strategy that trades. The cooldown is kept per bot: name one bot per account
  -- or symbol ("momentum/BTC-USD") where those should wait separately.
  id   INTEGER PRIMARY KEY CHECK (id > 0),
  name TEXT    NOT NULL UNIQUE
) STRICT;

CREATE TABLE settings (
  -- What a bot was told to do, and when. A change is a new row; the newest row is in force.
  id          INTEGER PRIMARY KEY CHECK (id > 0),
  bot_id      INTEGER NOT NULL REFERENCES bots (id),
  cooldown_us INTEGER NOT NULL CHECK (cooldown_us BETWEEN 0 AND 315576000000000), -- 0 to 10 years
  lease_us    INTEGER NOT NULL CHECK (lease_us BETWEEN 1000 AND 86400000000),     -- 1 ms to 1 day
  in_doubt    TEXT    NOT NULL CHECK (in_doubt IN ('cooldown', 'block')),
  enabled     INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  at          INTEGER NOT NULL CHECK (at BETWEEN 0 AND 253402300799999999)
) STRICT;

CREATE TABLE instances (
  -- One row for each instance name: who runs under it now. The epoch goes up by one with each
  -- take-over and never down; a write that carries an older epoch is refused (INV-7).
  name            TEXT    NOT NULL PRIMARY KEY,
  epoch           INTEGER NOT NULL CHECK (epoch >= 1),
  boot_id         TEXT,    -- of the machine the holder runs on: an earlier boot's holder is dead
  pid_namespace   INTEGER,
  time_namespace  INTEGER,
  pid             INTEGER, -- NULL: released
  start_ticks     INTEGER, -- when that pid was started, so that a reused pid is not mistaken for it
  host            TEXT,
  command         TEXT,
  since           INTEGER,
  heartbeat_until INTEGER  -- the machine's boot clock; NULL: judged by its process alone
) STRICT, WITHOUT ROWID;

CREATE TABLE trades (
  -- One row for one intended order. It is written before the order is sent, so that whatever
  -- happens afterwards there is a row to find; it is settled once and never deleted.
  id              INTEGER PRIMARY KEY CHECK (id > 0),
  bot_id          INTEGER NOT NULL REFERENCES bots (id),
  key             TEXT    NOT NULL UNIQUE,    -- client order id, sent to the exchange (INV-3)
  origin          TEXT    NOT NULL CHECK (origin IN ('reserve', 'record', 'past')),
  side            TEXT    NOT NULL CHECK (side IN ('buy', 'sell')),
  symbol          TEXT    NOT NULL,
  quantity        TEXT    NOT NULL,
  price           TEXT,
  cooldown_us     INTEGER NOT NULL,           -- in force when it was admitted
  token           TEXT,                       -- who may settle it (INV-5)
  pid             INTEGER,                    -- of the process that asked
  instance        TEXT REFERENCES instances (name),
  epoch           INTEGER,                    -- of the instance, when it asked (INV-7)
  created_at      INTEGER NOT NULL CHECK (created_at BETWEEN 0 AND 253402300799999999),
  lease_until     INTEGER,                    -- until then the order may be sent
  boot_id         TEXT,
  created_boot_us INTEGER,
  status          TEXT    NOT NULL CHECK (status IN ('pending', 'in_doubt', 'filled', 'void')),
  filled_at       INTEGER,                    -- exchange_at, held between created_at and receipt
  filled_price    TEXT,
  filled_quantity TEXT,
  exchange_at     INTEGER,                    -- as the exchange said it
  received_at     INTEGER,                    -- when the outcome reached the ledger
  filled_boot_id  TEXT,
  filled_boot_us  INTEGER,
  settled_with    TEXT,                       -- the token, or 'operator'
  reason          TEXT,
  late            INTEGER NOT NULL DEFAULT 0 CHECK (late IN (0, 1)),
  superseded      INTEGER NOT NULL DEFAULT 0 CHECK (superseded IN (0, 1)),
  -- The time that counts for the cooldown. Nothing else may spell this expression.
  effective_at      INTEGER GENERATED ALWAYS AS (COALESCE(filled_at, created_at)) VIRTUAL,
  effective_boot_id TEXT    GENERATED ALWAYS AS (COALESCE(filled_boot_id, boot_id)) VIRTUAL,
  effective_boot_us INTEGER GENERATED ALWAYS AS (COALESCE(filled_boot_us, created_boot_us)) VIRTUAL,
  CHECK ((status = 'filled') = (filled_at IS NOT NULL)),
  CHECK ((boot_id IS NULL) = (created_boot_us IS NULL)),
  CHECK ((filled_boot_id IS NULL) = (filled_boot_us IS NULL)),
  CHECK ((instance IS NULL) = (epoch IS NULL))
) STRICT;

CREATE TABLE conflicts (
  -- A fill that arrived for a trade that had already been declared void. Money has moved, so it is
  -- kept and counts for the cooldown at its time (INV-6).
  id          INTEGER PRIMARY KEY CHECK (id > 0),
  bot_id      INTEGER NOT NULL REFERENCES bots (id),
  trade_id    INTEGER NOT NULL REFERENCES trades (id),
  kind        TEXT    NOT NULL CHECK (kind = 'fill_after_void'),
  token       TEXT    NOT NULL,
  at          INTEGER NOT NULL CHECK (at BETWEEN 0 AND 253402300799999999),
  boot_id     TEXT,
  boot_us     INTEGER,
  quantity    TEXT    NOT NULL,
  price       TEXT,
  exchange_at INTEGER,
  received_at INTEGER NOT NULL,
  CHECK ((boot_id IS NULL) = (boot_us IS NULL))
) STRICT;

-- Indexes -------------------------------------------------------------------------------------

CREATE UNIQUE INDEX one_pending ON trades (bot_id) WHERE status = 'pending'; -- INV-2
CREATE INDEX last_trade ON trades (bot_id, effective_at) WHERE status <> 'void'; -- INV-1
CREATE INDEX last_trade_of_boot ON trades (bot_id, effective_boot_id, effective_boot_us)
  WHERE status <> 'void'; -- INV-1, on the boot clock
CREATE INDEX doubted ON trades (bot_id) WHERE status = 'in_doubt';
CREATE INDEX last_conflict ON conflicts (bot_id, at);
CREATE INDEX conflicts_of_trade ON conflicts (trade_id);
CREATE INDEX settings_of_bot ON settings (bot_id);

-- Seals, which hold no rows. SQLite's incremental blob writes change a text in place where no
-- trigger sees it; they are refused in a table that has an index on an expression. And these
-- expressions have no value, so that no row gets an id below 1, whatever CHECKs are switched off.
-- (INV-11)
CREATE INDEX trades_seal ON trades (abs(-9223372036854775808 + 0 * id)) WHERE id < 1;
CREATE INDEX conflicts_seal ON conflicts (abs(-9223372036854775808 + 0 * id)) WHERE id < 1;
CREATE INDEX bots_seal ON bots (abs(-9223372036854775808 + 0 * id)) WHERE id < 1;
CREATE INDEX settings_seal ON settings (abs(-9223372036854775808 + 0 * id)) WHERE id < 1;
CREATE INDEX ledger_seal ON ledger (abs(-9223372036854775808 + 0 * id)) WHERE id < 1;

-- Views that the rules use --------------------------------------------------------------------

CREATE VIEW clock AS
  -- What counts as "now", give or take a second, so that nobody buys himself out of a cooldown
  -- with a wrong time. A simulation brings its own clock.
  SELECT now_us,
    CASE mode WHEN 'simulation' THEN 0 ELSE now_us - 1000000 END AS earliest,
    CASE mode WHEN 'simulation' THEN 253402300799999999 ELSE now_us + 1000000 END AS latest,
    CASE mode WHEN 'simulation' THEN 253402300799999999 ELSE now_us + 2000 END AS lease_now
  FROM ledger, (
    SELECT CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000 AS now_us
  );

CREATE VIEW counted_trades AS
  -- Trades that count for the cooldown: everything that has, or may have, moved money.
  SELECT * FROM trades WHERE status <> 'void';

CREATE VIEW occupying_trades AS
  -- Trades that occupy their bot: somebody is at work on them.
  SELECT * FROM trades WHERE status = 'pending';

CREATE VIEW current_settings AS
  -- The newest settings row of each bot.
  SELECT bots.id AS bot_id, bots.name, settings.id, cooldown_us, lease_us, in_doubt, enabled, at
  FROM bots JOIN settings
    ON settings.id = (SELECT MAX(newest.id) FROM settings AS newest WHERE newest.bot_id = bots.id);

-- Admission: what a new trade must satisfy ----------------------------------------------------

CREATE TRIGGER trade_shape BEFORE INSERT ON trades
-- A trade is born pending (reserve) or already filled (record, past). It has a side, a symbol, a
-- key and exact positive amounts of at most 18 digits on either side of the point; only a reserved
-- one has a token and a lease. Nothing in it is longer than its readers can take. (INV-5, INV-11)
WHEN (
  NEW.origin IN ('reserve', 'record', 'past')
  AND NEW.side IN ('buy', 'sell')
  AND length(CAST(NEW.symbol AS BLOB)) BETWEEN 1 AND 64
  AND length(NEW.symbol) = length(CAST(NEW.symbol AS BLOB))
  AND NEW.symbol NOT GLOB '*[^A-Za-z0-9._/:@+=^#-]*' AND NEW.symbol NOT GLOB '-*'
  AND length(CAST(NEW.key AS BLOB)) BETWEEN 1 AND 128
  AND length(NEW.key) = length(CAST(NEW.key AS BLOB))
  AND NEW.key NOT GLOB '*[^!-~]*'
  AND NEW.late = 0 AND NEW.superseded = 0 AND NEW.settled_with IS NULL AND NEW.reason IS NULL
  AND COALESCE(NEW.pid, 1) BETWEEN 1 AND 2147483647
  AND COALESCE(NEW.exchange_at, 0) BETWEEN -4000000000000000000 AND 4000000000000000000
  AND (NEW.boot_id IS NULL) = (NEW.created_boot_us IS NULL)
  AND COALESCE(length(CAST(NEW.boot_id AS BLOB)), 0) <= 128
  AND COALESCE(NEW.created_boot_us, 0) BETWEEN -253402300799999999 AND 253402300799999999
  AND NEW.filled_boot_id IS NULL AND NEW.filled_boot_us IS NULL
  AND CASE NEW.origin
    WHEN 'reserve' THEN
      NEW.status = 'pending'
      AND length(CAST(NEW.token AS BLOB)) BETWEEN 16 AND 128
      AND length(NEW.token) = length(CAST(NEW.token AS BLOB))
      AND NEW.token NOT GLOB '*[^!-~]*'
      AND NEW.lease_until IS NOT NULL
      AND NEW.filled_at IS NULL AND NEW.received_at IS NULL AND NEW.exchange_at IS NULL
      AND NEW.filled_price IS NULL AND NEW.filled_quantity IS NULL
    ELSE
      NEW.status = 'filled' AND NEW.token IS NULL AND NEW.lease_until IS NULL
      AND NEW.filled_at = NEW.created_at AND NEW.received_at >= NEW.filled_at
      AND NEW.filled_quantity IS NOT NULL
  END
  AND NOT EXISTS (
    SELECT 1 FROM (
      SELECT NEW.quantity AS amount UNION ALL SELECT NEW.price
      UNION ALL SELECT NEW.filled_quantity UNION ALL SELECT NEW.filled_price)
    WHERE amount IS NOT NULL AND (
      length(amount) = length(CAST(amount AS BLOB)) AND instr(amount || '.', '.') BETWEEN 2 AND 19
      AND length(amount) - instr(amount || '.', '.') <= 18
      AND amount NOT GLOB '*[^0-9.]*' AND amount GLOB '*[1-9]*' AND amount NOT GLOB '*.*.*'
      AND amount NOT GLOB '*.' AND amount NOT GLOB '*.*0'
      AND amount NOT GLOB '0[0-9]*') IS NOT TRUE)
) IS NOT TRUE
BEGIN SELECT RAISE(ABORT, 'TL100 not a well-formed new trade'); END;

CREATE TRIGGER trade_key BEFORE INSERT ON trades
-- A key names at most one trade, for ever; a row once written is never replaced. (INV-3)
WHEN EXISTS (SELECT 1 FROM trades WHERE key = NEW.key)
BEGIN SELECT RAISE(ABORT, 'TL101 INV-3 this key already names a trade'); END;

CREATE TRIGGER trade_bot BEFORE INSERT ON trades
-- The bot exists, is enabled (a fact of the past needs no permission), and the row carries the
-- cooldown and the lease that are in force. (INV-11)
WHEN NOT EXISTS (
  SELECT 1 FROM current_settings
  WHERE bot_id = NEW.bot_id AND (enabled = 1 OR NEW.origin = 'past')
    AND cooldown_us = NEW.cooldown_us
    AND (NEW.origin <> 'reserve' OR NEW.lease_until = NEW.created_at + lease_us))
BEGIN SELECT RAISE(ABORT, 'TL102 bot unknown, disabled, or set to another cooldown or lease'); END;

CREATE TRIGGER trade_clock BEFORE INSERT ON trades
-- A trade happens now. Only a fact of the past may lie in the past, and nothing in the future.
WHEN NOT EXISTS (
  SELECT 1 FROM clock
  WHERE NEW.created_at BETWEEN CASE NEW.origin WHEN 'past' THEN 0 ELSE earliest END AND latest
    AND (NEW.received_at IS NULL OR NEW.received_at BETWEEN earliest AND latest))
BEGIN SELECT RAISE(ABORT, 'TL103 created_at is not now; is the clock of this client right?'); END;

CREATE TRIGGER trade_fence BEFORE INSERT ON trades
-- A process that has lost its instance name trades no more. (INV-7)
WHEN (NEW.instance IS NULL) <> (NEW.epoch IS NULL) OR NEW.instance IS NOT NULL
  AND NEW.epoch IS NOT (SELECT epoch FROM instances WHERE name = NEW.instance)
BEGIN SELECT RAISE(ABORT, 'TL104 INV-7 superseded: this epoch is not the current one'); END;

CREATE TRIGGER trade_alone BEFORE INSERT ON trades
-- One trade at a time: nobody starts while another is pending; under the policy "block" nobody
-- starts while one is in doubt. (INV-2)
WHEN NEW.origin <> 'past' AND (
  EXISTS (SELECT 1 FROM occupying_trades WHERE bot_id = NEW.bot_id)
  OR EXISTS (SELECT 1 FROM trades WHERE bot_id = NEW.bot_id AND status = 'in_doubt')
    AND (SELECT in_doubt FROM current_settings WHERE bot_id = NEW.bot_id) IS NOT 'cooldown')
BEGIN SELECT RAISE(ABORT, 'TL105 INV-2 another trade of this bot is in progress or in doubt'); END;

CREATE TRIGGER trade_cooldown BEFORE INSERT ON trades
-- The cooldown: a new trade comes at least cooldown_us after every one that counts, by the wall
-- clock and, within one boot of the machine, by the boot clock too. A wall clock that was set ahead
-- opens nothing, whatever facts of the past have been entered since. (INV-1)
WHEN NEW.origin <> 'past' AND (
  NEW.created_at - (
    SELECT MAX(effective_at) FROM counted_trades WHERE bot_id = NEW.bot_id) < NEW.cooldown_us
  OR NEW.created_boot_us - (
    SELECT MAX(effective_boot_us) FROM counted_trades
    WHERE bot_id = NEW.bot_id AND effective_boot_id = NEW.boot_id) < NEW.cooldown_us
  OR NEW.created_at - (
    SELECT MAX(at) FROM conflicts WHERE bot_id = NEW.bot_id) < NEW.cooldown_us
  OR NEW.created_boot_us - (
    SELECT MAX(boot_us) FROM conflicts
    WHERE bot_id = NEW.bot_id AND boot_id = NEW.boot_id) < NEW.cooldown_us)
BEGIN SELECT RAISE(ABORT, 'TL106 INV-1 inside the cooldown of this bot'); END;

CREATE TRIGGER trade_id BEFORE INSERT ON trades
-- Ids count up without gaps: a missing row can be seen, and no row takes the place of another. (-1
-- stands for the number that SQLite is about to choose, which is the next one.)
WHEN NEW.id <> -1 AND NEW.id <> 1 + COALESCE((SELECT MAX(id) FROM trades), 0)
BEGIN SELECT RAISE(ABORT, 'TL107 trade ids count up by one'); END;

-- Settling: what may change afterwards --------------------------------------------------------

CREATE TRIGGER trade_immutable BEFORE UPDATE ON trades
-- The order, its key, its bot and its times never change. (No column list above: it would miss
-- an UPDATE of rowid.) (INV-3, INV-11)
WHEN (NEW.id, NEW.bot_id, NEW.key, NEW.origin, NEW.side, NEW.symbol, NEW.quantity, NEW.price,
    NEW.cooldown_us, NEW.token, NEW.pid, NEW.instance, NEW.epoch, NEW.created_at, NEW.lease_until,
    NEW.boot_id, NEW.created_boot_us)
  IS NOT (OLD.id, OLD.bot_id, OLD.key, OLD.origin, OLD.side, OLD.symbol, OLD.quantity, OLD.price,
    OLD.cooldown_us, OLD.token, OLD.pid, OLD.instance, OLD.epoch, OLD.created_at, OLD.lease_until,
    OLD.boot_id, OLD.created_boot_us)
BEGIN SELECT RAISE(ABORT, 'TL110 the order itself never changes'); END;

CREATE TRIGGER trade_transition BEFORE UPDATE ON trades
-- pending -> filled, void or in doubt; in doubt -> filled or void; nothing else. What has been
-- filled or declared void stays so, even if that was a moment ago, by a trigger of the client's own
-- inside this very statement. (INV-5)
WHEN (OLD.status || '>' || NEW.status IN (
  'pending>filled', 'pending>void', 'pending>in_doubt', 'in_doubt>filled', 'in_doubt>void')
  AND OLD.status = (SELECT status FROM trades WHERE id = OLD.id)
) IS NOT TRUE
BEGIN SELECT RAISE(ABORT, 'TL111 INV-5 this trade cannot change so'); END;

CREATE TRIGGER trade_token BEFORE UPDATE ON trades
-- Settling needs the permit's token; an operator, who gives a reason, may settle what is in
-- doubt. (INV-5)
WHEN NEW.status IN ('filled', 'void') AND (
  NEW.settled_with = OLD.token
  OR OLD.status = 'in_doubt' AND NEW.settled_with = 'operator' AND length(NEW.reason) > 0
) IS NOT TRUE
BEGIN SELECT RAISE(ABORT, 'TL112 INV-5 settling needs the token of the permit'); END;

CREATE TRIGGER trade_doubt BEFORE UPDATE ON trades
-- A trade falls into doubt when its lease is over, not earlier, and nothing else changes. (INV-6)
WHEN NEW.status = 'in_doubt' AND (
  OLD.lease_until <= (SELECT lease_now FROM clock)
  AND (NEW.filled_at, NEW.filled_price, NEW.filled_quantity, NEW.exchange_at, NEW.received_at,
    NEW.filled_boot_id, NEW.filled_boot_us, NEW.settled_with, NEW.reason, NEW.late,
    NEW.superseded) IS (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0)
) IS NOT TRUE
BEGIN SELECT RAISE(ABORT, 'TL113 INV-6 the lease of this trade still runs'); END;

CREATE TRIGGER trade_settled BEFORE UPDATE ON trades
-- A settled trade says when its outcome arrived. A fill has a quantity and the exchange's time (or
-- that moment), held between created_at and that moment; a void has neither, but a reason. Late
-- means after the lease, and what was in doubt is late; superseded means that its process had lost
-- its instance name by then. (INV-6, INV-7)
WHEN NEW.status IN ('filled', 'void') AND (
  EXISTS (SELECT 1 FROM clock WHERE NEW.received_at BETWEEN earliest AND latest)
  AND COALESCE(NEW.exchange_at, 0) BETWEEN -4000000000000000000 AND 4000000000000000000
  AND CASE NEW.status
    WHEN 'filled' THEN
      NEW.filled_at = MAX(
        OLD.created_at, MIN(COALESCE(NEW.exchange_at, NEW.received_at), NEW.received_at))
      AND NEW.filled_quantity IS NOT NULL
    ELSE
      NEW.filled_at IS NULL AND NEW.filled_quantity IS NULL AND NEW.filled_price IS NULL
      AND NEW.exchange_at IS NULL AND NEW.filled_boot_id IS NULL AND NEW.reason IS NOT NULL
  END
  AND (NEW.filled_boot_id IS NULL) = (NEW.filled_boot_us IS NULL)
  AND COALESCE(length(CAST(NEW.filled_boot_id AS BLOB)), 0) <= 128
  AND COALESCE(NEW.filled_boot_us, 0) BETWEEN -253402300799999999 AND 253402300799999999
  AND (NEW.filled_boot_id = OLD.boot_id AND NEW.filled_boot_us < OLD.created_boot_us) IS NOT TRUE
  AND CASE
    WHEN OLD.status = 'in_doubt' THEN NEW.late = 1
    WHEN NEW.received_at < OLD.lease_until THEN NEW.late = 0
    -- Over by the wall clock. Within one boot the lease may still run by the boot clock.
    ELSE NEW.late = 1 OR NEW.late = 0
      AND OLD.boot_id = CASE NEW.status WHEN 'void' THEN OLD.boot_id ELSE NEW.filled_boot_id END
  END
  AND NEW.superseded = (OLD.instance IS NOT NULL
    AND OLD.epoch IS NOT (SELECT epoch FROM instances WHERE name = OLD.instance))
  AND (NEW.reason IS NULL
    OR length(CAST(NEW.reason AS BLOB)) BETWEEN 1 AND 256 AND instr(NEW.reason, char(0)) = 0
    AND NEW.reason NOT GLOB '*[' || char(1) || '-' || char(31) || char(127) || ']*')
  AND NOT EXISTS (
    SELECT 1 FROM (SELECT NEW.filled_quantity AS amount UNION ALL SELECT NEW.filled_price)
    WHERE amount IS NOT NULL AND (
      length(amount) = length(CAST(amount AS BLOB)) AND instr(amount || '.', '.') BETWEEN 2 AND 19
      AND length(amount) - instr(amount || '.', '.') <= 18
      AND amount NOT GLOB '*[^0-9.]*' AND amount GLOB '*[1-9]*' AND amount NOT GLOB '*.*.*'
      AND amount NOT GLOB '*.' AND amount NOT GLOB '*.*0'
      AND amount NOT GLOB '0[0-9]*') IS NOT TRUE)
) IS NOT TRUE
BEGIN SELECT RAISE(ABORT, 'TL114 INV-6 not a well-formed outcome of this trade'); END;

CREATE TRIGGER trade_kept BEFORE DELETE ON trades
-- Trades are never deleted: a deleted trade would open its cooldown.
BEGIN SELECT RAISE(ABORT, 'TL115 trades are never deleted'); END;

-- Conflicts -----------------------------------------------------------------------------------

CREATE TRIGGER conflict_shape BEFORE INSERT ON conflicts
-- A conflict belongs to a void trade of that bot, is brought by whoever holds its permit, and says
-- what was filled and when: at the exchange's time (or now), held between created_at and now.
-- (INV-6)
WHEN NOT EXISTS (
  SELECT 1 FROM trades
  WHERE id = NEW.trade_id AND bot_id = NEW.bot_id AND status = 'void' AND token = NEW.token
    AND NEW.kind = 'fill_after_void'
    AND EXISTS (SELECT 1 FROM clock WHERE NEW.received_at BETWEEN earliest AND latest)
    AND COALESCE(NEW.exchange_at, 0) BETWEEN -4000000000000000000 AND 4000000000000000000
    AND NEW.at = MAX(
      created_at, MIN(COALESCE(NEW.exchange_at, NEW.received_at), NEW.received_at))
    AND (NEW.boot_id IS NULL) = (NEW.boot_us IS NULL)
    AND COALESCE(length(CAST(NEW.boot_id AS BLOB)), 0) <= 128
    AND COALESCE(NEW.boot_us, 0) BETWEEN -253402300799999999 AND 253402300799999999
    AND (NEW.boot_id = boot_id AND NEW.boot_us < created_boot_us) IS NOT TRUE
    AND NOT EXISTS (
      SELECT 1 FROM (SELECT NEW.quantity AS amount UNION ALL SELECT NEW.price)
      WHERE amount IS NOT NULL AND (
        length(amount) = length(CAST(amount AS BLOB))
        AND instr(amount || '.', '.') BETWEEN 2 AND 19
        AND length(amount) - instr(amount || '.', '.') <= 18
        AND amount NOT GLOB '*[^0-9.]*' AND amount GLOB '*[1-9]*' AND amount NOT GLOB '*.*.*'
        AND amount NOT GLOB '*.' AND amount NOT GLOB '*.*0'
        AND amount NOT GLOB '0[0-9]*') IS NOT TRUE))
BEGIN SELECT RAISE(ABORT, 'TL120 INV-6 not a conflict of a void trade'); END;

CREATE TRIGGER conflict_id BEFORE INSERT ON conflicts
-- Ids count up without gaps.
WHEN NEW.id <> -1 AND NEW.id <> 1 + COALESCE((SELECT MAX(id) FROM conflicts), 0)
BEGIN SELECT RAISE(ABORT, 'TL121 conflict ids count up by one'); END;

CREATE TRIGGER conflict_fixed BEFORE UPDATE ON conflicts
-- Conflicts are facts: they never change.
BEGIN SELECT RAISE(ABORT, 'TL122 conflicts never change'); END;

CREATE TRIGGER conflict_kept BEFORE DELETE ON conflicts
-- Conflicts count for the cooldown: they are never deleted.
BEGIN SELECT RAISE(ABORT, 'TL123 conflicts are never deleted'); END;

-- Bots and their settings ---------------------------------------------------------------------

CREATE TRIGGER bot_shape BEFORE INSERT ON bots
-- A bot's name is 1 to 64 plain letters, digits and ._/:@+=^#- and is taken once. (INV-11)
WHEN EXISTS (SELECT 1 FROM bots WHERE name = NEW.name) OR (
  length(CAST(NEW.name AS BLOB)) BETWEEN 1 AND 64
  AND length(NEW.name) = length(CAST(NEW.name AS BLOB))
  AND NEW.name NOT GLOB '*[^A-Za-z0-9._/:@+=^#-]*' AND NEW.name NOT GLOB '-*'
) IS NOT TRUE
BEGIN SELECT RAISE(ABORT, 'TL130 not a new bot, or not a bot name'); END;

CREATE TRIGGER bot_id BEFORE INSERT ON bots
-- Ids count up without gaps.
WHEN NEW.id <> -1 AND NEW.id <> 1 + COALESCE((SELECT MAX(id) FROM bots), 0)
BEGIN SELECT RAISE(ABORT, 'TL131 bot ids count up by one'); END;

CREATE TRIGGER bot_fixed BEFORE UPDATE ON bots
-- A bot keeps its name: its history hangs on it.
BEGIN SELECT RAISE(ABORT, 'TL132 bots never change; settings do'); END;

CREATE TRIGGER bot_kept BEFORE DELETE ON bots
-- A deleted bot would take its cooldown with it.
BEGIN SELECT RAISE(ABORT, 'TL133 bots are never deleted; disable them'); END;

CREATE TRIGGER settings_shape BEFORE INSERT ON settings
-- Settings belong to a bot and have sane values: a cooldown of 0 to 10 years, a lease of 1 ms to
-- a day, a policy for trades in doubt. They apply from now on, to the next attempt. (INV-11)
WHEN (
  EXISTS (SELECT 1 FROM bots WHERE id = NEW.bot_id)
  AND NEW.cooldown_us BETWEEN 0 AND 315576000000000
  AND NEW.lease_us BETWEEN 1000 AND 86400000000
  AND NEW.in_doubt IN ('cooldown', 'block') AND NEW.enabled IN (0, 1)
  AND EXISTS (SELECT 1 FROM clock WHERE NEW.at BETWEEN earliest AND latest)
) IS NOT TRUE
BEGIN SELECT RAISE(ABORT, 'TL134 not well-formed settings of a bot'); END;

CREATE TRIGGER settings_id BEFORE INSERT ON settings
-- Ids count up without gaps, so that the newest row is the one in force.
WHEN NEW.id <> -1 AND NEW.id <> 1 + COALESCE((SELECT MAX(id) FROM settings), 0)
BEGIN SELECT RAISE(ABORT, 'TL135 settings ids count up by one'); END;

CREATE TRIGGER settings_fixed BEFORE UPDATE ON settings
-- Settings are history: a change is a new row.
BEGIN SELECT RAISE(ABORT, 'TL136 settings never change; add a row'); END;

CREATE TRIGGER settings_kept BEFORE DELETE ON settings
-- Settings are history.
BEGIN SELECT RAISE(ABORT, 'TL137 settings are never deleted'); END;

-- Instances and the ledger itself -------------------------------------------------------------

CREATE TRIGGER instance_shape BEFORE INSERT ON instances
-- A name begins with epoch 1 and is entered once; its holder is a process that can be. (INV-7)
WHEN EXISTS (SELECT 1 FROM instances WHERE name = NEW.name) OR (
  NEW.epoch = 1 AND length(CAST(NEW.name AS BLOB)) BETWEEN 1 AND 64
  AND length(NEW.name) = length(CAST(NEW.name AS BLOB))
  AND NEW.name NOT GLOB '*[^A-Za-z0-9._/:@+=^#-]*' AND NEW.name NOT GLOB '-*'
  AND COALESCE(length(CAST(NEW.boot_id AS BLOB)), 0) <= 128
  AND COALESCE(length(CAST(NEW.host AS BLOB)), 0) <= 256
  AND COALESCE(length(CAST(NEW.command AS BLOB)), 0) <= 4096
  AND COALESCE(NEW.pid, 1) BETWEEN 1 AND 2147483647
  AND COALESCE(NEW.start_ticks, 0) BETWEEN 0 AND 253402300799999999
  AND COALESCE(NEW.pid_namespace, 0) >= 0 AND COALESCE(NEW.time_namespace, 0) >= 0
  AND COALESCE(NEW.since, 0) BETWEEN 0 AND 253402300799999999
  AND COALESCE(NEW.heartbeat_until, 0) BETWEEN 0 AND 253402300799999999
) IS NOT TRUE
BEGIN SELECT RAISE(ABORT, 'TL140 INV-7 not a new instance name with epoch 1'); END;

CREATE TRIGGER instance_epoch BEFORE UPDATE ON instances
-- A take-over raises the epoch by exactly one. Within an epoch the holder stays the same, renews
-- its heartbeat, or lets go. (INV-7)
WHEN (
  NEW.name = OLD.name AND (
    NEW.epoch = OLD.epoch + 1
    OR NEW.epoch = OLD.epoch AND (NEW.pid IS NULL
      OR (NEW.boot_id, NEW.pid_namespace, NEW.time_namespace, NEW.pid, NEW.start_ticks, NEW.since)
        IS (OLD.boot_id, OLD.pid_namespace, OLD.time_namespace, OLD.pid, OLD.start_ticks,
          OLD.since)))
  AND COALESCE(length(CAST(NEW.boot_id AS BLOB)), 0) <= 128
  AND COALESCE(length(CAST(NEW.host AS BLOB)), 0) <= 256
  AND COALESCE(length(CAST(NEW.command AS BLOB)), 0) <= 4096
  AND COALESCE(NEW.pid, 1) BETWEEN 1 AND 2147483647
  AND COALESCE(NEW.start_ticks, 0) BETWEEN 0 AND 253402300799999999
  AND COALESCE(NEW.pid_namespace, 0) >= 0 AND COALESCE(NEW.time_namespace, 0) >= 0
  AND COALESCE(NEW.since, 0) BETWEEN 0 AND 253402300799999999
  AND COALESCE(NEW.heartbeat_until, 0) BETWEEN 0 AND 253402300799999999
) IS NOT TRUE
BEGIN SELECT RAISE(ABORT, 'TL141 INV-7 the epoch goes up by one with each take-over'); END;

CREATE TRIGGER instance_kept BEFORE DELETE ON instances
-- A deleted name would begin again with epoch 1 and let an old process back in. (INV-7)
BEGIN SELECT RAISE(ABORT, 'TL142 INV-7 instance names are never deleted'); END;

CREATE TRIGGER ledger_shape BEFORE INSERT ON ledger
-- One row, written when the ledger is made.
WHEN EXISTS (SELECT 1 FROM ledger) OR (
  NEW.id = 1 AND NEW.mode IN ('live', 'paper', 'simulation') AND NEW.ticks = 0
) IS NOT TRUE
BEGIN SELECT RAISE(ABORT, 'TL150 the ledger already has its row'); END;

CREATE TRIGGER ledger_fixed BEFORE UPDATE ON ledger
-- The mode is set once. Only the counter moves, by one, to make an unknown COMMIT final. (INV-4)
WHEN (NEW.id = OLD.id AND NEW.mode = OLD.mode AND NEW.created_at = OLD.created_at
  AND NEW.ticks = OLD.ticks + 1) IS NOT TRUE
BEGIN SELECT RAISE(ABORT, 'TL151 the mode of a ledger never changes'); END;

CREATE TRIGGER ledger_kept BEFORE DELETE ON ledger
-- Without its row a ledger has no clock rule.
BEGIN SELECT RAISE(ABORT, 'TL152 the row of the ledger is never deleted'); END;

-- Restores ------------------------------------------------------------------------------------

CREATE TABLE restores (
  -- When the ledger went back to a backup. Whatever was traded between the backup and then is not
  -- in it, so every bot waits one whole cooldown from then on.
  id      INTEGER PRIMARY KEY CHECK (id > 0),
  at      INTEGER NOT NULL CHECK (at BETWEEN 0 AND 253402300799999999),
  boot_id TEXT,
  boot_us INTEGER,
  CHECK ((boot_id IS NULL) = (boot_us IS NULL))
) STRICT;

CREATE INDEX restores_seal ON restores (abs(-9223372036854775808 + 0 * id)) WHERE id < 1;

CREATE TRIGGER trade_after_restore BEFORE INSERT ON trades
-- After a restore the last trade of a bot is unknown: it may be a moment old. (INV-1)
WHEN NEW.origin <> 'past' AND EXISTS (
  SELECT 1 FROM restores
  WHERE NEW.created_at - at < NEW.cooldown_us
    OR boot_id = NEW.boot_id AND NEW.created_boot_us - boot_us < NEW.cooldown_us)
BEGIN SELECT RAISE(ABORT, 'TL108 INV-1 the ledger was restored less than a cooldown ago'); END;

CREATE TRIGGER restore_shape BEFORE INSERT ON restores
-- A restore happens now, by both clocks where both are known. Ids count up without gaps.
WHEN (
  (NEW.id = -1 OR NEW.id = 1 + COALESCE((SELECT MAX(id) FROM restores), 0))
  AND EXISTS (SELECT 1 FROM clock WHERE NEW.at BETWEEN earliest AND latest)
  AND NEW.at BETWEEN 0 AND 253402300799999999
  AND (NEW.boot_id IS NULL) = (NEW.boot_us IS NULL)
  AND COALESCE(length(CAST(NEW.boot_id AS BLOB)), 0) <= 128
  AND COALESCE(NEW.boot_us, 0) BETWEEN -253402300799999999 AND 253402300799999999
) IS NOT TRUE
BEGIN SELECT RAISE(ABORT, 'TL160 not a well-formed restore of now'); END;

CREATE TRIGGER restore_fixed BEFORE UPDATE ON restores
-- Restores count for the cooldown: they never change.
BEGIN SELECT RAISE(ABORT, 'TL161 restores never change'); END;

CREATE TRIGGER restore_kept BEFORE DELETE ON restores
-- Restores count for the cooldown: they are never deleted.
BEGIN SELECT RAISE(ABORT, 'TL162 restores are never deleted'); END;

-- Views for people ----------------------------------------------------------------------------

CREATE VIEW open_trades AS
  -- What is not settled yet. A trade is in doubt from the moment its lease is over, whether or not
  -- anybody has written that down.
  SELECT trades.id, bots.name AS bot, key, side, symbol, quantity, price,
    CASE WHEN status = 'pending' AND lease_until <= now_us THEN 'in_doubt' ELSE status END
      AS status,
    strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000000.0, 'unixepoch') AS created,
    ROUND((lease_until - now_us) / 1000000.0, 3) AS lease_left_s, pid
  FROM trades JOIN bots ON bots.id = trades.bot_id, clock
  WHERE status IN ('pending', 'in_doubt');

CREATE VIEW cooldowns AS
  -- For each bot: when it last traded and how long it still has to wait, by the wall clock.
  SELECT name AS bot, enabled, ROUND(cooldown_us / 1000000.0, 6) AS cooldown_s,
    strftime('%Y-%m-%dT%H:%M:%fZ', last_at / 1000000.0, 'unixepoch') AS last_trade,
    ROUND(MAX(0, COALESCE(last_at + cooldown_us - now_us, 0),
      COALESCE((SELECT MAX(restores.at) FROM restores) + cooldown_us - now_us, 0)) / 1000000.0, 6)
      AS remaining_s
  FROM (
    SELECT name, enabled, cooldown_us, NULLIF(MAX(
      COALESCE((SELECT MAX(effective_at) FROM counted_trades
        WHERE counted_trades.bot_id = current_settings.bot_id), -1),
      COALESCE((SELECT MAX(conflicts.at) FROM conflicts
        WHERE conflicts.bot_id = current_settings.bot_id), -1)), -1) AS last_at
    FROM current_settings), clock;

CREATE VIEW double_trades AS
  -- Neighbours of one bot, in the order of their effective times, that are closer together than
  -- the cooldown of the later one. (INV-1; facts of the past are shown too)
  SELECT bots.name AS bot, earlier_id, later_id,
    ROUND(gap_us / 1000000.0, 6) AS gap_s, ROUND(cooldown_us / 1000000.0, 6) AS cooldown_s,
    strftime('%Y-%m-%dT%H:%M:%fZ', effective_at / 1000000.0, 'unixepoch') AS later_at, origin
  FROM (
    SELECT id AS later_id, bot_id, effective_at, cooldown_us, origin,
      LAG(id) OVER neighbours AS earlier_id,
      effective_at - LAG(effective_at) OVER neighbours AS gap_us
    FROM counted_trades WINDOW neighbours AS (PARTITION BY bot_id ORDER BY effective_at, id)
  ) JOIN bots ON bots.id = bot_id
  WHERE gap_us < cooldown_us;
