-- TradeLedger: the specification of the ledger on a PostgreSQL server, in SQL.
--
-- The same tables and rules as schema.sql, under the same codes: a refusal is an error with the
-- SQLSTATE TLnnn. The ids (INV-1 ...) are explained in docs/INVARIANTS.md, what differs from SQLite
-- in docs/POSTGRESQL.md and docs/decisions/0017-postgresql.md.
--
-- Instants are microseconds since 1970-01-01 UTC, by the clock of the server. Intervals end in _us:
-- microseconds. Amounts are exact decimals kept as text. The columns of the boot clock hold what a
-- ledger that was copied from SQLite brought along; a server writes NULL there.
--
-- An operation is one call of one function below, in a transaction of its own, READ COMMITTED:
-- nothing depends on the session, so a pooler in transaction mode may stand in between. Whoever
-- trades is a member of tradeledger_worker: it may call these functions and read the views, and
-- can write no table. Everything belongs to tradeledger_owner; operators are its members.
--
-- This file is run once, by a superuser or by a role with CREATEROLE, in the database of the ledger.
--
-- What the functions take and give ------------------------------------------------------------
--
-- Errors that a caller meets, by SQLSTATE: 55P03 the lock was not had within wait_ms (busy, nothing
-- written); 23505 never; TL000 the transaction is not READ COMMITTED; TL003 now_us outside of a
-- simulation; TL1nn the rule of that number. The rest is the server's.
--
-- wait_ms  integer: how long to wait for a lock, at most; 0 and NULL: as the server is set.
-- now_us   bigint: the time, in a ledger whose mode is simulation; NULL: the server's clock.
--
-- attempt, settle, resolve, check_bot and work answer with tradeledger.answer, always one row (work:
-- one for each element, in their order):
--
--    1 outcome         text     admitted, replayed, denied, error; settled, replayed, denied, error;
--                               admissible, denied, error
--    2 reason          text     of a denial: superseded, key_conflict, disabled, in_progress,
--                               in_doubt, cooldown, already_settled, wrong_token; of an error:
--                               no_such_bot, no_such_trade, invalid_input; of admitted: NULL
--    3 detail          text     of an error: what is wrong, in words
--    4 with_permit     boolean  the permit is the caller's: token and lease_until are given
--    5 retry_after_us  bigint
--    6 clock_behind_us bigint   how far the server's clock is behind the last trade, if over 1 s
--    7 restored_at     bigint   cooldown after a restore (then there is no trade)
--    8 holder_pid      integer  superseded, in_progress: who is in the way
--    9 holder_instance text
--   10 holder_epoch    bigint
--   11 now_us          bigint   the server's clock, read after the lock was had
--   12 id ... 38 superseded     the trade of the answer, or the winner of a denial, in the columns
--                               and order of Statements.tradeColumns: id, bot, key, origin, side,
--                               symbol, quantity, price, cooldown_us, token, pid, instance, epoch,
--                               created_at, lease_until, boot_id, created_boot_us, status, filled_at,
--                               filled_price, filled_quantity, exchange_at, received_at,
--                               settled_with, reason_given, late, superseded. All NULL: no trade.
--                               status is as seen at now_us (in_doubt once the lease is over). token
--                               is NULL unless with_permit; settled_with is 'operator', 'token' or
--                               NULL. late and superseded are 0 or 1.
--
-- attempt(kind text, bot text, key text, side text, symbol text, quantity text, price text,
--         token text, pid integer, instance text, epoch bigint,
--         fill_quantity text, fill_price text, at_us bigint, wait_ms integer, now_us bigint)
--   kind: reserve (with a token; nothing of fill), record (fill_quantity, fill_price: NULL as
--   ordered; at_us: what the exchange said, kept as exchange_at, or NULL), past (at_us: when it
--   happened). Amounts come in their one spelling, as Amount writes them.
-- settle(trade_id bigint, key text, outcome text, token text, fill_quantity text, fill_price text,
--        at_us bigint, reason text, wait_ms integer, now_us bigint)
--   By trade_id, or where that is NULL by key. outcome: filled or void (with a reason).
-- resolve(trade_id bigint, key text, outcome text, fill_quantity text, fill_price text,
--         at_us bigint, reason text, wait_ms integer, now_us bigint)
--   The same by an operator, who gives a reason. (operators)
-- check_bot(bot text, now_us bigint)
-- work(elements jsonb, wait_ms integer, now_us bigint) SETOF answer
--   Several of attempt and settle in one transaction: an array of objects with "do" ("attempt",
--   "settle") and the arguments by their names (without wait_ms, now_us). All locks are taken
--   first, in one order.
-- is_live(trade_id bigint, token text, now_us bigint) boolean
--   Whether the order may still be sent: pending, the lease runs, the epoch is current.
--
-- acquire(name text, boot_id text, pid_namespace bigint, time_namespace bigint, pid integer,
--         start_ticks bigint, host text, command text, heartbeat_us bigint, dead_epoch bigint,
--         wait_ms integer, now_us bigint)
--   outcome text (taken, held), retry_after_us bigint (held, until the heartbeat is over; NULL: no
--   heartbeat), now_us bigint, then the row that stands, as in instance_rows. heartbeat_us NULL:
--   judged by its process alone. dead_epoch: the caller has proof that the holder of this epoch is
--   dead (it runs on the caller's machine); it is taken over at once if the epoch is still that.
--   A holder whose heartbeat_until (server's clock) is over is dead.
-- renew(name text, epoch bigint, heartbeat_us bigint, wait_ms integer, now_us bigint)
--   outcome text (held, lost), now_us bigint, the row. heartbeat_us NULL: looks only.
-- release(name text, epoch bigint, wait_ms integer) boolean: false where it was lost before
-- evict(name text, wait_ms integer)
--   outcome text (evicted, free, no_such_instance), now_us, the row; holder columns are those of
--   the one who had it, epoch is the new one. (operators)
--
-- add_bot(bot text, cooldown_us bigint, lease_us bigint, in_doubt text, enabled integer,
--         wait_ms integer, now_us bigint)
--   outcome text (added, same, differs), name, cooldown_us, lease_us, in_doubt, enabled: the
--   settings in force. (operators)
-- change_bot(the same; NULL: as it is)
--   outcome text (changed, same, no_such_bot), the same columns. (operators)
-- enter(bots jsonb, facts jsonb, pid integer, wait_ms integer, now_us bigint)
--   bots: array of {bot, cooldown_us, lease_us, in_doubt, enabled}, added where they are missing;
--   facts: array of {bot, key, side, symbol, quantity, price, at_us}. One transaction.
--   outcome text (entered, error), reason (no_such_bot, invalid_input, key_conflict), detail text
--   (the bot or key), entered bigint, trade_id bigint (of a key_conflict). (operators)
-- make_ledger(mode text, now_us bigint) void: the row of the ledger, once. (operators)
-- restored(now_us bigint) bigint: after the server went back to a backup. Raises every epoch, and
--   every bot waits one cooldown from now (the answer). (operators)
-- copy_begins() / copy_ends() void: between them, in one transaction, by its owner: an empty ledger
--   takes rows as they are, of every table, with plain INSERT or COPY. (operators)
-- server_now() bigint: the server's clock.  layout() integer: of this file.
--
-- Views for reading (workers): bot_rows, trade_rows, counted_trades, occupying_trades,
-- conflict_rows, restore_rows, instance_rows, ledger_row, bot_status, open_trades, cooldowns,
-- double_trades. Columns below.

BEGIN;

DO $$
BEGIN
  IF current_setting('server_version_num')::integer < 150000 THEN
    RAISE EXCEPTION 'this server is older than PostgreSQL 15' USING ERRCODE = 'TL001';
  END IF;
  -- Roles belong to all databases of a server: another ledger may have made them.
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'tradeledger_owner') THEN
    CREATE ROLE tradeledger_owner NOLOGIN;
  END IF;
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'tradeledger_worker') THEN
    CREATE ROLE tradeledger_worker NOLOGIN;
  END IF;
  IF NOT pg_has_role(current_user, 'tradeledger_owner', 'MEMBER') THEN
    EXECUTE format('GRANT tradeledger_owner TO %I', current_user);
  END IF;
  EXECUTE 'CREATE SCHEMA tradeledger AUTHORIZATION tradeledger_owner';
END
$$;

SET LOCAL ROLE tradeledger_owner;
SET LOCAL search_path = tradeledger, pg_temp;

-- Tables --------------------------------------------------------------------------------------

CREATE TABLE ledger (
  -- One row that says what this ledger is for. A live ledger never takes test trades: the mode is
  -- set once and stays.
  id         bigint NOT NULL PRIMARY KEY CHECK (id = 1),
  mode       text   NOT NULL CHECK (mode IN ('live', 'paper', 'simulation')),
  created_at bigint NOT NULL CHECK (created_at BETWEEN 0 AND 253402300799999999),
  ticks      bigint NOT NULL DEFAULT 0 -- of SQLite alone
);

CREATE TABLE bots (
  -- A bot is a named strategy that trades. Its row is the lock under which it trades (INV-2).
  id   bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY CHECK (id > 0),
  name text COLLATE "C" NOT NULL UNIQUE
);

CREATE TABLE settings (
  -- What a bot was told to do, and when. A change is a new row; the newest row is in force.
  id          bigint   GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY CHECK (id > 0),
  bot_id      bigint   NOT NULL REFERENCES bots (id),
  cooldown_us bigint   NOT NULL CHECK (cooldown_us BETWEEN 0 AND 315576000000000), -- 0 to 10 years
  lease_us    bigint   NOT NULL CHECK (lease_us BETWEEN 1000 AND 86400000000),     -- 1 ms to 1 day
  in_doubt    text     NOT NULL CHECK (in_doubt IN ('cooldown', 'block')),
  enabled     smallint NOT NULL CHECK (enabled IN (0, 1)),
  at          bigint   NOT NULL CHECK (at BETWEEN 0 AND 253402300799999999)
);

CREATE TABLE instances (
  -- One row for each instance name: who runs under it now. The epoch goes up by one with each
  -- take-over and never down; a write that carries an older epoch is refused (INV-7).
  name            text   COLLATE "C" NOT NULL PRIMARY KEY,
  epoch           bigint NOT NULL CHECK (epoch >= 1),
  boot_id         text,   -- with the namespaces: whether another process can look at the holder
  pid_namespace   bigint,
  time_namespace  bigint,
  pid             integer, -- NULL: released
  start_ticks     bigint,
  host            text,
  command         text,
  since           bigint,
  heartbeat_until bigint   -- the server's clock; NULL: judged by its process alone
);

CREATE TABLE trades (
  -- One row for one intended order. It is written before the order is sent, so that whatever
  -- happens afterwards there is a row to find; it is settled once and never deleted. Ids go up in
  -- the order of admission of each bot; a number may be left out.
  id              bigint   GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY CHECK (id > 0),
  bot_id          bigint   NOT NULL REFERENCES bots (id),
  key             text     COLLATE "C" NOT NULL UNIQUE, -- client order id (INV-3)
  origin          text     NOT NULL CHECK (origin IN ('reserve', 'record', 'past')),
  side            text     NOT NULL CHECK (side IN ('buy', 'sell')),
  symbol          text     NOT NULL,
  quantity        text     NOT NULL,
  price           text,
  cooldown_us     bigint   NOT NULL,          -- in force when it was admitted
  token           text,                       -- who may settle it (INV-5)
  pid             integer,                    -- of the process that asked
  instance        text     COLLATE "C" REFERENCES instances (name),
  epoch           bigint,                     -- of the instance, when it asked (INV-7)
  created_at      bigint   NOT NULL CHECK (created_at BETWEEN 0 AND 253402300799999999),
  lease_until     bigint,                     -- until then the order may be sent
  boot_id         text,
  created_boot_us bigint,
  status          text     NOT NULL CHECK (status IN ('pending', 'in_doubt', 'filled', 'void')),
  filled_at       bigint,                     -- exchange_at, held between created_at and receipt
  filled_price    text,
  filled_quantity text,
  exchange_at     bigint,                     -- as the exchange said it
  received_at     bigint,                     -- when the outcome reached the ledger
  filled_boot_id  text,
  filled_boot_us  bigint,
  settled_with    text,                       -- the token, or 'operator'
  reason          text,
  late            smallint NOT NULL DEFAULT 0 CHECK (late IN (0, 1)),
  superseded      smallint NOT NULL DEFAULT 0 CHECK (superseded IN (0, 1)),
  -- The time that counts for the cooldown. Nothing else may spell this expression.
  effective_at    bigint   NOT NULL GENERATED ALWAYS AS (COALESCE(filled_at, created_at)) STORED,
  CHECK ((status = 'filled') = (filled_at IS NOT NULL)),
  CHECK ((boot_id IS NULL) = (created_boot_us IS NULL)),
  CHECK ((filled_boot_id IS NULL) = (filled_boot_us IS NULL)),
  CHECK ((instance IS NULL) = (epoch IS NULL))
);

CREATE TABLE conflicts (
  -- A fill that arrived for a trade that had already been declared void. Money has moved, so it is
  -- kept and counts for the cooldown at its time (INV-6).
  id          bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY CHECK (id > 0),
  bot_id      bigint NOT NULL REFERENCES bots (id),
  trade_id    bigint NOT NULL REFERENCES trades (id),
  kind        text   NOT NULL CHECK (kind = 'fill_after_void'),
  token       text   NOT NULL,
  at          bigint NOT NULL CHECK (at BETWEEN 0 AND 253402300799999999),
  boot_id     text,
  boot_us     bigint,
  quantity    text   NOT NULL,
  price       text,
  exchange_at bigint,
  received_at bigint NOT NULL,
  CHECK ((boot_id IS NULL) = (boot_us IS NULL))
);

CREATE TABLE restores (
  -- When the ledger went back to a backup. Whatever was traded between the backup and then is not
  -- in it, so every bot waits one whole cooldown from then on.
  id      bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY CHECK (id > 0),
  at      bigint NOT NULL CHECK (at BETWEEN 0 AND 253402300799999999),
  boot_id text,
  boot_us bigint,
  CHECK ((boot_id IS NULL) = (boot_us IS NULL))
);

-- Indexes -------------------------------------------------------------------------------------

CREATE UNIQUE INDEX one_pending ON trades (bot_id) WHERE status = 'pending'; -- INV-2
CREATE INDEX last_trade ON trades (bot_id, effective_at) WHERE status <> 'void'; -- INV-1
CREATE INDEX doubted ON trades (bot_id) WHERE status = 'in_doubt';
CREATE INDEX last_conflict ON conflicts (bot_id, at);
CREATE INDEX conflicts_of_trade ON conflicts (trade_id);
CREATE INDEX settings_of_bot ON settings (bot_id, id);

COMMIT;
