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
-- This file is run once, by a superuser or by a role with CREATEROLE, in the ledger's database.
--
-- What the functions take and give ------------------------------------------------------------
--
-- Errors that a caller meets, by SQLSTATE: 55P03 the lock was not had within wait_ms (busy, nothing
-- written); 23505 never; TL000 the transaction is not READ COMMITTED, or its client would not be
-- warned; TL003 now_us outside of a simulation; TL1nn the rule of that number. The rest is the
-- server's.
--
-- wait_ms  integer: how long to wait for a lock, at most; 0 and NULL: as the server is set.
-- now_us   bigint: the time, in a ledger whose mode is simulation; NULL: the server's clock.
--
-- attempt, settle, resolve, check_bot and work answer with tradeledger.answer, always one row
-- (work: one for each element, in their order):
--
--    1 outcome         text     admitted, replayed, denied, error; settled, replayed, denied,
--                               error; admissible, denied, error
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
--                               created_at, lease_until, boot_id, created_boot_us, status,
--                               filled_at, filled_price, filled_quantity, exchange_at, received_at,
--                               settled_with, reason_given, late, superseded. All NULL: no trade.
--                               status is as seen at now_us (in_doubt once the lease is over).
--                               token is NULL unless with_permit; settled_with is 'operator',
--                               'token' or NULL. late and superseded are 0 or 1.
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
-- evict(name text, wait_ms integer, epoch bigint)
--   outcome text (evicted, free, gone, no_such_instance), now_us, the row; evicted: holder columns
--   are those of the one who had it, epoch is the new one. epoch: of the holder to be evicted, so
--   that the call may be repeated: nobody else is (gone, with the row that stands); NULL: whoever
--   has it. (operators)
--
-- add_bot(bot text, cooldown_us bigint, lease_us bigint, in_doubt text, enabled integer,
--         wait_ms integer, now_us bigint)
--   outcome text (added, same, differs), name, cooldown_us, lease_us, in_doubt, enabled: the
--   settings in force. (operators)
-- change_bot(the same; NULL: as it is)
--   outcome text (changed, same, no_such_bot), the same columns. (operators)
-- enter(bots jsonb, facts jsonb, pid integer, wait_ms integer, now_us bigint)
--   bots: array of {bot, cooldown_us, lease_us, in_doubt, enabled}, added where they are missing;
--   facts: array of {bot, key, side, symbol, quantity, price, at_us}. One transaction. Gives how
--   many were not there before. A fact that cannot be entered ends it with TL002: DETAIL is the
--   reason (no_such_bot, invalid_input) or the number of the trade that has its key and says
--   something else, HINT the key. (operators)
-- make_ledger(mode text, now_us bigint) void: the row of the ledger, once. (operators)
-- restored(now_us bigint) bigint: after the server went back to a backup. Raises every epoch, and
--   every bot waits one cooldown from now (the answer). (operators)
-- copy_begins() / copy_ends() void: between them, in one transaction, by its owner: an empty ledger
--   takes rows as they are, of every table, with plain INSERT or COPY. (operators)
-- status(bot text, now_us bigint): for each bot (NULL: all) name, cooldown_us, lease_us, in_doubt,
--   enabled, last_trade_at, said (an answer, as of check_bot): SELECT s.name, ..., (s.said).* FROM
--   tradeledger.status($1, $2) AS s.
-- server_now() bigint: the server's clock.  layout() integer: of this file.
--
-- Views for reading (workers): bot_rows, trade_rows, counted_trades, occupying_trades,
-- conflict_rows, restore_rows, instance_rows, ledger_row, open_trades, cooldowns,
-- double_trades. Columns below.

BEGIN;

-- Nothing that somebody has made in this database is found by name.
SET LOCAL search_path = pg_catalog, pg_temp;

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
  -- Who made a role is its administrator from version 16 on, and may use it only once it says so.
  IF NOT pg_has_role(current_user, 'tradeledger_owner', 'USAGE') THEN
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
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY CHECK (id > 0),
  name        text   COLLATE "C" NOT NULL UNIQUE,
  -- What the last admission knew, so that the next one need not look again: from free_at on nothing
  -- speaks against a trade with these settings. Whatever else is written for the bot forgets it, by
  -- setting free_at to the end of time; then the trades themselves are looked at.
  free_at     bigint NOT NULL DEFAULT 9223372036854775807,
  was_free_at bigint,
  cooldown_us bigint,
  lease_us    bigint
) WITH (fillfactor = 50);

CREATE TABLE settings (
  -- What a bot was told to do, and when. A change is a new row; the newest row is in force.
  id          bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY CHECK (id > 0),
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
  -- the order of admission of each bot; a number may be left out. (No foreign keys to bots and
  -- instances, which are never deleted: they would look again for rows that are locked anyway. What
  -- would be CHECKs is in trade_new and trade_change: the server parses a CHECK at each statement.)
  id              bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  bot_id          bigint   NOT NULL,
  key             text     COLLATE "C" NOT NULL UNIQUE, -- client order id (INV-3)
  origin          text     NOT NULL,          -- reserve, record, past
  side            text     NOT NULL,          -- buy, sell
  symbol          text     COLLATE "C" NOT NULL,
  quantity        text     NOT NULL,
  price           text,
  cooldown_us     bigint   NOT NULL,          -- in force when it was admitted
  token           text     COLLATE "C",       -- who may settle it (INV-5)
  pid             integer,                    -- of the process that asked
  instance        text     COLLATE "C",
  epoch           bigint,                     -- of the instance, when it asked (INV-7)
  created_at      bigint   NOT NULL,
  lease_until     bigint,                     -- until then the order may be sent
  boot_id         text,
  created_boot_us bigint,
  status          text     NOT NULL,          -- pending, in_doubt, filled, void
  filled_at       bigint,                     -- exchange_at, held between created_at and receipt
  filled_price    text,
  filled_quantity text,
  exchange_at     bigint,                     -- as the exchange said it
  received_at     bigint,                     -- when the outcome reached the ledger
  filled_boot_id  text,
  filled_boot_us  bigint,
  settled_with    text,                       -- the token, or 'operator'
  reason          text,
  late            smallint NOT NULL DEFAULT 0,
  superseded      smallint NOT NULL DEFAULT 0,
  -- The time that counts for the cooldown. Nothing else may spell this expression.
  effective_at    bigint   NOT NULL GENERATED ALWAYS AS (COALESCE(filled_at, created_at)) STORED
);

CREATE TABLE conflicts (
  -- A fill that arrived for a trade that had already been declared void. Money has moved, so it is
  -- kept and counts for the cooldown at its time (INV-6).
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY CHECK (id > 0),
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
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY CHECK (id > 0),
  at      bigint NOT NULL CHECK (at BETWEEN 0 AND 253402300799999999),
  boot_id text,
  boot_us bigint,
  CHECK ((boot_id IS NULL) = (boot_us IS NULL))
);

-- Indexes -------------------------------------------------------------------------------------

CREATE UNIQUE INDEX one_pending ON trades (bot_id) WHERE status = 'pending'; -- INV-2
CREATE INDEX last_trade ON trades (bot_id, effective_at, id) WHERE status <> 'void'; -- INV-1
CREATE INDEX unsettled ON trades (bot_id, id) WHERE status IN ('pending', 'in_doubt');
CREATE INDEX last_conflict ON conflicts (bot_id, at, id);
CREATE INDEX conflicts_of_trade ON conflicts (trade_id);
CREATE INDEX settings_of_bot ON settings (bot_id, id);
CREATE INDEX last_restore ON restores (at);

-- Made anew by an upgrade: all that follows, while tables and their rows stay ------------------
--
-- What changes here raises the layout. An index that differs is made anew, too: one line for each.

-- What every function needs -------------------------------------------------------------------

CREATE FUNCTION layout() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 4';

-- Types that fit exactly, here and in rfc3339: the views ask them on the search path of whoever
-- reads, where somebody else's operator may fit better than the server's own.
CREATE FUNCTION server_now() RETURNS bigint LANGUAGE sql VOLATILE
  AS 'SELECT (extract(epoch FROM clock_timestamp()) * 1000000::numeric)::bigint';

CREATE FUNCTION now_of(p_mode text, p_now bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
-- What counts as "now". A simulation brings its own clock, nobody else does.
BEGIN
  IF p_now IS NULL THEN RETURN server_now(); END IF;
  IF p_mode IS DISTINCT FROM 'simulation' THEN
    RAISE EXCEPTION 'only a simulation brings its own clock' USING ERRCODE = 'TL003';
  END IF;
  RETURN p_now;
END
$$;

CREATE FUNCTION is_amount(p_text text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  -- The one spelling of an exact positive amount of at most 18 digits on either side of the point.
  -- (No backslash: a caller with standard_conforming_strings = off would take it away.)
  SELECT p_text ~ '^(?:0|[1-9][0-9]{0,17})(?:[.][0-9]{0,17}[1-9])?$' AND p_text <> '0'
$$;

CREATE FUNCTION is_name(p_text text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  -- No counted repetition, here and below: it makes an expression thirty times as slow.
  SELECT octet_length(p_text) BETWEEN 1 AND 64 AND left(p_text, 1) <> '-'
    AND p_text COLLATE "C" !~ '[^A-Za-z0-9._/:@+=^#-]'
$$;

CREATE FUNCTION is_visible(p_text text, p_least integer) RETURNS boolean
  LANGUAGE sql IMMUTABLE AS $$
  SELECT octet_length(p_text) BETWEEN p_least AND 128 AND p_text COLLATE "C" !~ '[^!-~]'
$$;

CREATE FUNCTION is_attempt(
  p_kind text, p_key text, p_side text, p_symbol text, p_quantity text, p_price text, p_token text,
  p_pid integer, p_instance text, p_epoch bigint, p_fill_quantity text, p_fill_price text,
  p_at_us bigint
) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  -- What may be asked for; nobody gets a malformed trade in. (INV-11)
  SELECT p_side IN ('buy', 'sell')
    AND tradeledger.is_name(p_symbol) AND tradeledger.is_visible(p_key, 1)
    AND tradeledger.is_amount(p_quantity)
    AND (p_price IS NULL OR tradeledger.is_amount(p_price))
    AND (p_fill_quantity IS NULL OR tradeledger.is_amount(p_fill_quantity))
    AND (p_fill_price IS NULL OR tradeledger.is_amount(p_fill_price))
    AND (p_pid IS NULL OR p_pid >= 1) AND (p_instance IS NULL) = (p_epoch IS NULL)
    AND CASE p_kind
      WHEN 'reserve' THEN tradeledger.is_visible(p_token, 16) AND p_fill_quantity IS NULL
        AND p_fill_price IS NULL AND p_at_us IS NULL
      WHEN 'record' THEN p_token IS NULL
        AND COALESCE(p_at_us, 0) BETWEEN -4000000000000000000 AND 4000000000000000000
      WHEN 'past' THEN p_token IS NULL AND p_at_us IS NOT NULL
      ELSE false
    END
$$;

CREATE FUNCTION is_now(p_at bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
-- Give or take a second, so that nobody buys himself out of a cooldown with a wrong time.
BEGIN
  RETURN abs(p_at - server_now()) <= 1000000
    OR EXISTS (SELECT 1 FROM ledger WHERE id = 1 AND mode = 'simulation');
END
$$;

CREATE FUNCTION lock_bot(p_bot bigint) RETURNS void LANGUAGE plpgsql AS $$
-- Whoever writes for a bot holds its row, and what its last admission knew is forgotten.
BEGIN
  UPDATE bots SET free_at = 9223372036854775807 WHERE id = p_bot;
END
$$;

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[1] USING ERRCODE = TG_ARGV[0];
END
$$;

-- Views that the rules use --------------------------------------------------------------------

CREATE VIEW current_settings AS
  -- The newest settings row of each bot.
  SELECT bots.id AS bot_id, bots.name, s.id, s.cooldown_us, s.lease_us, s.in_doubt, s.enabled, s.at
  FROM bots JOIN settings AS s
    ON s.id = (SELECT max(newest.id) FROM settings AS newest WHERE newest.bot_id = bots.id);

-- Admission: what a new trade must satisfy ----------------------------------------------------

CREATE FUNCTION trade_new() RETURNS trigger LANGUAGE plpgsql
  SET search_path = tradeledger, pg_temp SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off AS $$
DECLARE
  v_set record;
  v_last bigint;
BEGIN
  -- A trade is born pending (reserve) or already filled (record, past). (INV-5, INV-11)
  IF (NEW.origin IN ('reserve', 'record', 'past') AND NEW.side IN ('buy', 'sell') AND NEW.id > 0
    AND NEW.created_at BETWEEN 0 AND 253402300799999999
    AND (NEW.instance IS NULL) = (NEW.epoch IS NULL) AND NEW.created_boot_us IS NULL
    AND NEW.filled_boot_us IS NULL
    AND is_name(NEW.symbol) AND is_visible(NEW.key, 1)
    AND NEW.late = 0 AND NEW.superseded = 0 AND NEW.settled_with IS NULL AND NEW.reason IS NULL
    AND COALESCE(NEW.pid, 1) >= 1
    AND COALESCE(NEW.exchange_at, 0) BETWEEN -4000000000000000000 AND 4000000000000000000
    AND NEW.boot_id IS NULL AND NEW.filled_boot_id IS NULL
    AND CASE NEW.origin
      WHEN 'reserve' THEN
        NEW.status = 'pending' AND is_visible(NEW.token, 16) AND NEW.lease_until IS NOT NULL
        AND NEW.filled_at IS NULL AND NEW.received_at IS NULL AND NEW.exchange_at IS NULL
        AND NEW.filled_price IS NULL AND NEW.filled_quantity IS NULL
      ELSE
        NEW.status = 'filled' AND NEW.token IS NULL AND NEW.lease_until IS NULL
        AND NEW.filled_at = NEW.created_at AND NEW.received_at >= NEW.filled_at
        AND is_amount(NEW.filled_quantity)
    END
    AND is_amount(NEW.quantity) AND COALESCE(is_amount(NEW.price), true)
    AND COALESCE(is_amount(NEW.filled_price), true)) IS NOT TRUE
  THEN RAISE EXCEPTION 'not a well-formed new trade' USING ERRCODE = 'TL100'; END IF;

  -- One at a time, whoever writes, by what was committed before. (INV-2)
  PERFORM begin_writing(NULL);
  PERFORM lock_bot(NEW.bot_id);
  -- The bot exists, is enabled (a fact of the past needs no permission), and the row carries the
  -- cooldown and the lease that are in force. (INV-11)
  SELECT s.in_doubt, s.enabled, s.cooldown_us, s.lease_us INTO v_set
    FROM settings AS s WHERE s.bot_id = NEW.bot_id ORDER BY s.id DESC LIMIT 1;
  IF ((v_set.enabled = 1 OR NEW.origin = 'past') AND v_set.cooldown_us = NEW.cooldown_us
    AND (NEW.origin <> 'reserve' OR NEW.lease_until = NEW.created_at + v_set.lease_us)) IS NOT TRUE
  THEN
    RAISE EXCEPTION 'bot unknown, disabled, or set to another cooldown or lease'
      USING ERRCODE = 'TL102';
  END IF;
  -- A trade happens now. Only a fact of the past may lie in the past, and nothing in the future.
  IF (is_now(CASE NEW.origin WHEN 'past' THEN NEW.received_at ELSE NEW.created_at END)
    AND COALESCE(is_now(NEW.received_at), true)) IS NOT TRUE
  THEN
    RAISE EXCEPTION 'created_at is not now by the clock of the server' USING ERRCODE = 'TL103';
  END IF;
  -- A process that has lost its instance name trades no more. (INV-7)
  IF NEW.instance IS NOT NULL THEN
    PERFORM 1 FROM instances WHERE name = NEW.instance FOR KEY SHARE;
    IF NEW.epoch IS DISTINCT FROM (SELECT epoch FROM instances WHERE name = NEW.instance) THEN
      RAISE EXCEPTION 'INV-7 superseded: this epoch is not the current one'
        USING ERRCODE = 'TL104';
    END IF;
  END IF;
  IF NEW.origin = 'past' THEN RETURN NEW; END IF;
  -- One trade at a time; under the policy "block" nobody starts while one is in doubt. (INV-2)
  IF EXISTS (SELECT 1 FROM trades WHERE bot_id = NEW.bot_id AND status = 'pending')
    OR v_set.in_doubt <> 'cooldown'
    AND EXISTS (SELECT 1 FROM trades WHERE bot_id = NEW.bot_id AND status = 'in_doubt')
  THEN
    RAISE EXCEPTION 'INV-2 another trade of this bot is in progress or in doubt'
      USING ERRCODE = 'TL105';
  END IF;
  -- The cooldown: a new trade comes at least cooldown_us after every one that counts. (INV-1)
  SELECT t.effective_at INTO v_last FROM trades AS t
    WHERE t.bot_id = NEW.bot_id AND t.status <> 'void'
    ORDER BY t.effective_at DESC, t.id DESC LIMIT 1;
  IF NEW.created_at - v_last < NEW.cooldown_us OR NEW.created_at - (
    SELECT max(c.at) FROM conflicts AS c WHERE c.bot_id = NEW.bot_id) < NEW.cooldown_us
  THEN
    RAISE EXCEPTION 'INV-1 inside the cooldown of this bot' USING ERRCODE = 'TL106';
  END IF;
  -- After a restore the last trade of a bot is unknown: it may be a moment old. (INV-1)
  IF NEW.created_at - (SELECT max(r.at) FROM restores AS r) < NEW.cooldown_us THEN
    RAISE EXCEPTION 'INV-1 the ledger was restored less than a cooldown ago'
      USING ERRCODE = 'TL108';
  END IF;
  RETURN NEW;
END
$$;

-- The functions below run as the owner and have looked already.
CREATE TRIGGER trade_new BEFORE INSERT ON trades FOR EACH ROW
  WHEN (current_user <> 'tradeledger_owner') EXECUTE FUNCTION trade_new();

-- Settling: what may change afterwards --------------------------------------------------------

CREATE FUNCTION trade_change() RETURNS trigger LANGUAGE plpgsql
  SET search_path = tradeledger, pg_temp SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off AS $$
BEGIN
  -- The order, its key, its bot and its times never change. (INV-3, INV-11)
  IF (NEW.id, NEW.bot_id, NEW.key, NEW.origin, NEW.side, NEW.symbol, NEW.quantity, NEW.price,
      NEW.cooldown_us, NEW.token, NEW.pid, NEW.instance, NEW.epoch, NEW.created_at,
      NEW.lease_until, NEW.boot_id, NEW.created_boot_us)
    IS DISTINCT FROM (OLD.id, OLD.bot_id, OLD.key, OLD.origin, OLD.side, OLD.symbol, OLD.quantity,
      OLD.price, OLD.cooldown_us, OLD.token, OLD.pid, OLD.instance, OLD.epoch, OLD.created_at,
      OLD.lease_until, OLD.boot_id, OLD.created_boot_us)
  THEN RAISE EXCEPTION 'the order itself never changes' USING ERRCODE = 'TL110'; END IF;
  PERFORM lock_bot(OLD.bot_id);
  -- pending -> filled, void or in doubt; in doubt -> filled or void; nothing else. (INV-5)
  IF OLD.status || '>' || NEW.status NOT IN (
    'pending>filled', 'pending>void', 'pending>in_doubt', 'in_doubt>filled', 'in_doubt>void')
  THEN RAISE EXCEPTION 'INV-5 this trade cannot change so' USING ERRCODE = 'TL111'; END IF;
  IF NEW.status = 'in_doubt' THEN
    -- A trade falls into doubt when its lease is over, not earlier, and nothing else changes.
    IF ((OLD.lease_until <= server_now()
        OR EXISTS (SELECT 1 FROM ledger WHERE id = 1 AND mode = 'simulation'))
      AND NEW.received_at IS NULL AND NEW.filled_price IS NULL AND NEW.filled_quantity IS NULL
      AND NEW.filled_at IS NULL AND NEW.exchange_at IS NULL AND NEW.filled_boot_id IS NULL
      AND NEW.filled_boot_us IS NULL AND NEW.settled_with IS NULL
      AND NEW.reason IS NULL AND NEW.late = 0 AND NEW.superseded = 0) IS NOT TRUE
    THEN RAISE EXCEPTION 'INV-6 the lease of this trade still runs' USING ERRCODE = 'TL113'; END IF;
    RETURN NEW;
  END IF;
  -- Settling needs the permit's token; an operator, who gives a reason, may settle what is in
  -- doubt. (INV-5)
  IF (NEW.settled_with = OLD.token OR OLD.status = 'in_doubt' AND NEW.settled_with = 'operator'
    AND length(NEW.reason) > 0) IS NOT TRUE
  THEN
    RAISE EXCEPTION 'INV-5 settling needs the token of the permit' USING ERRCODE = 'TL112';
  END IF;
  -- A settled trade says when its outcome arrived. A fill has a quantity and the exchange's time
  -- (or that moment), held between created_at and that moment; a void has neither, but a reason.
  -- (INV-6, INV-7)
  IF (is_now(NEW.received_at)
    AND COALESCE(NEW.exchange_at, 0) BETWEEN -4000000000000000000 AND 4000000000000000000
    AND NEW.filled_boot_id IS NULL AND NEW.filled_boot_us IS NULL
    AND CASE NEW.status
      WHEN 'filled' THEN
        NEW.filled_at = greatest(OLD.created_at,
          least(COALESCE(NEW.exchange_at, NEW.received_at), NEW.received_at))
        AND is_amount(NEW.filled_quantity) AND COALESCE(is_amount(NEW.filled_price), true)
      ELSE
        NEW.filled_at IS NULL AND NEW.filled_quantity IS NULL AND NEW.filled_price IS NULL
        AND NEW.exchange_at IS NULL AND NEW.reason IS NOT NULL
    END
    AND NEW.late
      = CASE WHEN OLD.status = 'in_doubt' OR NEW.received_at >= OLD.lease_until THEN 1 ELSE 0 END
    AND NEW.superseded = CASE WHEN OLD.instance IS NOT NULL AND OLD.epoch IS DISTINCT FROM (
      SELECT epoch FROM instances WHERE name = OLD.instance) THEN 1 ELSE 0 END
    AND (NEW.reason IS NULL OR octet_length(NEW.reason) BETWEEN 1 AND 256
      AND NEW.reason !~ '[\x01-\x1f\x7f]')) IS NOT TRUE
  THEN
    RAISE EXCEPTION 'INV-6 not a well-formed outcome of this trade' USING ERRCODE = 'TL114';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER trade_change BEFORE UPDATE ON trades FOR EACH ROW
  WHEN (current_user <> 'tradeledger_owner') EXECUTE FUNCTION trade_change();
CREATE TRIGGER trade_kept BEFORE DELETE ON trades FOR EACH ROW
  EXECUTE FUNCTION refuse('TL115', 'trades are never deleted');
CREATE TRIGGER trades_kept BEFORE TRUNCATE ON trades
  EXECUTE FUNCTION refuse('TL115', 'trades are never deleted');

-- Conflicts, bots, settings, instances, the ledger, restores -----------------------------------

CREATE FUNCTION conflict_new() RETURNS trigger LANGUAGE plpgsql
  SET search_path = tradeledger, pg_temp SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off AS $$
BEGIN
  -- A conflict belongs to a void trade of that bot, is brought by whoever holds its permit, and
  -- says what was filled and when. (INV-6)
  PERFORM lock_bot(NEW.bot_id);
  IF NOT EXISTS (
    SELECT 1 FROM trades AS t
    WHERE t.id = NEW.trade_id AND t.bot_id = NEW.bot_id AND t.status = 'void'
      AND t.token = NEW.token AND is_now(NEW.received_at)
      AND COALESCE(NEW.exchange_at, 0) BETWEEN -4000000000000000000 AND 4000000000000000000
      AND NEW.at = greatest(t.created_at,
        least(COALESCE(NEW.exchange_at, NEW.received_at), NEW.received_at))
      AND NEW.boot_id IS NULL AND is_amount(NEW.quantity) AND COALESCE(is_amount(NEW.price), true))
  THEN RAISE EXCEPTION 'INV-6 not a conflict of a void trade' USING ERRCODE = 'TL120'; END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER conflict_new BEFORE INSERT ON conflicts FOR EACH ROW
  EXECUTE FUNCTION conflict_new();
CREATE TRIGGER conflict_fixed BEFORE UPDATE ON conflicts FOR EACH ROW
  EXECUTE FUNCTION refuse('TL122', 'conflicts never change');
CREATE TRIGGER conflict_kept BEFORE DELETE ON conflicts FOR EACH ROW
  EXECUTE FUNCTION refuse('TL123', 'conflicts are never deleted');
CREATE TRIGGER conflicts_kept BEFORE TRUNCATE ON conflicts
  EXECUTE FUNCTION refuse('TL123', 'conflicts are never deleted');

CREATE FUNCTION bot_new() RETURNS trigger LANGUAGE plpgsql
  SET search_path = tradeledger, pg_temp AS $$
BEGIN
  IF is_name(NEW.name) IS NOT TRUE THEN
    RAISE EXCEPTION 'not a bot name' USING ERRCODE = 'TL130';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER bot_new BEFORE INSERT ON bots FOR EACH ROW EXECUTE FUNCTION bot_new();
CREATE TRIGGER bot_fixed BEFORE UPDATE OF id, name ON bots FOR EACH ROW
  EXECUTE FUNCTION refuse('TL132', 'bots never change; settings do');
CREATE TRIGGER bot_kept BEFORE DELETE ON bots FOR EACH ROW
  EXECUTE FUNCTION refuse('TL133', 'bots are never deleted; disable them');
CREATE TRIGGER bots_kept BEFORE TRUNCATE ON bots
  EXECUTE FUNCTION refuse('TL133', 'bots are never deleted; disable them');

CREATE FUNCTION settings_new() RETURNS trigger LANGUAGE plpgsql
  SET search_path = tradeledger, pg_temp AS $$
BEGIN
  PERFORM lock_bot(NEW.bot_id);
  IF is_now(NEW.at) IS NOT TRUE THEN
    RAISE EXCEPTION 'not well-formed settings of a bot' USING ERRCODE = 'TL134';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER settings_new BEFORE INSERT ON settings FOR EACH ROW
  EXECUTE FUNCTION settings_new();
CREATE TRIGGER settings_fixed BEFORE UPDATE ON settings FOR EACH ROW
  EXECUTE FUNCTION refuse('TL136', 'settings never change; add a row');
CREATE TRIGGER settings_kept BEFORE DELETE ON settings FOR EACH ROW
  EXECUTE FUNCTION refuse('TL137', 'settings are never deleted');
CREATE TRIGGER all_settings_kept BEFORE TRUNCATE ON settings
  EXECUTE FUNCTION refuse('TL137', 'settings are never deleted');

CREATE FUNCTION instance_write() RETURNS trigger LANGUAGE plpgsql
  SET search_path = tradeledger, pg_temp AS $$
BEGIN
  -- A name begins with epoch 1. A take-over raises the epoch by exactly one. Within an epoch the
  -- holder stays the same, renews its heartbeat, or lets go. (INV-7)
  IF (CASE TG_OP
      WHEN 'INSERT' THEN NEW.epoch = 1 AND is_name(NEW.name)
      ELSE NEW.name = OLD.name AND (NEW.epoch = OLD.epoch + 1
        OR NEW.epoch = OLD.epoch AND (NEW.pid IS NULL
          OR (NEW.boot_id, NEW.pid_namespace, NEW.time_namespace, NEW.pid, NEW.start_ticks,
              NEW.since)
            IS NOT DISTINCT FROM (OLD.boot_id, OLD.pid_namespace, OLD.time_namespace, OLD.pid,
              OLD.start_ticks, OLD.since)))
    END
    AND COALESCE(octet_length(NEW.boot_id), 0) <= 128
    AND COALESCE(octet_length(NEW.host), 0) <= 256
    AND COALESCE(octet_length(NEW.command), 0) <= 4096
    AND COALESCE(NEW.pid, 1) >= 1
    AND COALESCE(NEW.start_ticks, 0) BETWEEN 0 AND 253402300799999999
    AND COALESCE(NEW.pid_namespace, 0) >= 0 AND COALESCE(NEW.time_namespace, 0) >= 0
    AND COALESCE(NEW.since, 0) BETWEEN 0 AND 253402300799999999
    AND COALESCE(NEW.heartbeat_until, 0) BETWEEN 0 AND 253402300799999999) IS NOT TRUE
  THEN
    RAISE EXCEPTION USING ERRCODE = CASE TG_OP WHEN 'INSERT' THEN 'TL140' ELSE 'TL141' END,
      MESSAGE = CASE TG_OP WHEN 'INSERT' THEN 'INV-7 not a new instance name with epoch 1'
        ELSE 'INV-7 the epoch goes up by one with each take-over' END;
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER instance_write BEFORE INSERT OR UPDATE ON instances FOR EACH ROW
  EXECUTE FUNCTION instance_write();
CREATE TRIGGER instance_kept BEFORE DELETE ON instances FOR EACH ROW
  EXECUTE FUNCTION refuse('TL142', 'INV-7 instance names are never deleted');
CREATE TRIGGER instances_kept BEFORE TRUNCATE ON instances
  EXECUTE FUNCTION refuse('TL142', 'INV-7 instance names are never deleted');

CREATE TRIGGER ledger_fixed BEFORE UPDATE ON ledger FOR EACH ROW
  EXECUTE FUNCTION refuse('TL151', 'the mode of a ledger never changes');
CREATE TRIGGER ledger_kept BEFORE DELETE ON ledger FOR EACH ROW
  EXECUTE FUNCTION refuse('TL152', 'the row of the ledger is never deleted');
CREATE TRIGGER all_ledger_kept BEFORE TRUNCATE ON ledger
  EXECUTE FUNCTION refuse('TL152', 'the row of the ledger is never deleted');

CREATE FUNCTION restore_new() RETURNS trigger LANGUAGE plpgsql
  SET search_path = tradeledger, pg_temp AS $$
BEGIN
  IF (is_now(NEW.at) AND NEW.boot_id IS NULL) IS NOT TRUE THEN
    RAISE EXCEPTION 'not a well-formed restore of now' USING ERRCODE = 'TL160';
  END IF;
  UPDATE bots SET free_at = 9223372036854775807;
  RETURN NEW;
END
$$;

CREATE TRIGGER restore_new BEFORE INSERT ON restores FOR EACH ROW EXECUTE FUNCTION restore_new();
CREATE TRIGGER restore_fixed BEFORE UPDATE ON restores FOR EACH ROW
  EXECUTE FUNCTION refuse('TL161', 'restores never change');
CREATE TRIGGER restore_kept BEFORE DELETE ON restores FOR EACH ROW
  EXECUTE FUNCTION refuse('TL162', 'restores are never deleted');
CREATE TRIGGER restores_kept BEFORE TRUNCATE ON restores
  EXECUTE FUNCTION refuse('TL162', 'restores are never deleted');

-- Answers -------------------------------------------------------------------------------------

CREATE TYPE answer AS (
  outcome text, reason text, detail text, with_permit boolean, retry_after_us bigint,
  clock_behind_us bigint, restored_at bigint, holder_pid integer, holder_instance text,
  holder_epoch bigint, now_us bigint,
  id bigint, bot text, key text, origin text, side text, symbol text, quantity text, price text,
  cooldown_us bigint, token text, pid integer, instance text, epoch bigint, created_at bigint,
  lease_until bigint, boot_id text, created_boot_us bigint, status text, filled_at bigint,
  filled_price text, filled_quantity text, exchange_at bigint, received_at bigint,
  settled_with text, reason_given text, late smallint, superseded smallint
);

CREATE TYPE instance_answer AS (
  outcome text, retry_after_us bigint, now_us bigint,
  name text, epoch bigint, pid integer, boot_id text, pid_namespace bigint, time_namespace bigint,
  start_ticks bigint, host text, command text, since bigint, heartbeat_until bigint
);

CREATE FUNCTION with_trade(p_answer answer, p_trade trades, p_bot text) RETURNS answer
  LANGUAGE plpgsql IMMUTABLE AS $$
-- The answer with that trade in it, as seen at the answer's time.
BEGIN
  RETURN ROW(
    p_answer.outcome, p_answer.reason, p_answer.detail, p_answer.with_permit,
    p_answer.retry_after_us, p_answer.clock_behind_us, p_answer.restored_at, p_answer.holder_pid,
    p_answer.holder_instance, p_answer.holder_epoch, p_answer.now_us,
    p_trade.id, p_bot, p_trade.key, p_trade.origin, p_trade.side, p_trade.symbol, p_trade.quantity,
    p_trade.price, p_trade.cooldown_us,
    CASE WHEN p_answer.with_permit THEN p_trade.token END, p_trade.pid, p_trade.instance,
    p_trade.epoch, p_trade.created_at, p_trade.lease_until, p_trade.boot_id,
    p_trade.created_boot_us,
    CASE WHEN p_trade.status = 'pending' AND p_trade.lease_until <= p_answer.now_us THEN 'in_doubt'
      ELSE p_trade.status END,
    p_trade.filled_at, p_trade.filled_price, p_trade.filled_quantity, p_trade.exchange_at,
    p_trade.received_at,
    CASE WHEN p_trade.settled_with = 'operator' THEN 'operator'
      WHEN p_trade.settled_with IS NOT NULL THEN 'token' END,
    p_trade.reason, p_trade.late, p_trade.superseded)::answer;
END
$$;

CREATE FUNCTION with_winner(p_answer answer, p_id bigint) RETURNS answer
  LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_trade trades;
  v_bot text;
BEGIN
  SELECT t.* INTO v_trade FROM trades AS t WHERE t.id = p_id;
  SELECT b.name INTO v_bot FROM bots AS b WHERE b.id = v_trade.bot_id;
  RETURN with_trade(p_answer, v_trade, v_bot);
END
$$;

CREATE FUNCTION begin_writing(p_wait_ms integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  -- A transaction with one snapshot would decide by what was true before it had the lock.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'the transaction is not READ COMMITTED' USING ERRCODE = 'TL000',
      HINT = 'set default_transaction_isolation of the role or the database to read committed';
  END IF;
  -- By a warning alone a client hears that a standby may lack what was committed.
  IF current_setting('client_min_messages') = 'error' THEN
    RAISE EXCEPTION 'client_min_messages is error' USING ERRCODE = 'TL000',
      HINT = 'set client_min_messages of the role or the database to warning';
  END IF;
  IF p_wait_ms > 0 THEN PERFORM set_config('lock_timeout', p_wait_ms::text, true); END IF;
END
$$;

-- Attempts ------------------------------------------------------------------------------------

CREATE FUNCTION replayed(
  p_now bigint, p_trade trades, p_bot_id bigint, p_kind text, p_side text, p_symbol text,
  p_quantity text, p_price text, p_token text, p_at_us bigint
) RETURNS answer LANGUAGE plpgsql AS $$
-- The answer to an attempt whose key names a trade. The permit goes to the caller with the same
-- token alone, while the lease runs.
DECLARE
  a answer;
BEGIN
  a.now_us := p_now;
  a.with_permit := false;
  IF p_trade.bot_id <> p_bot_id OR p_trade.side <> p_side OR p_trade.symbol <> p_symbol
    OR p_trade.quantity <> p_quantity OR p_trade.price IS DISTINCT FROM p_price
    OR p_kind = 'past' AND p_trade.origin = 'past' AND p_trade.filled_at <> p_at_us
  THEN
    a.outcome := 'denied'; a.reason := 'key_conflict';
  ELSE
    a.outcome := 'replayed';
    -- A look does not wait for a standby, which may not have what it tells of. A row lock is
    -- written to the log, so that COMMIT waits.
    PERFORM 1 FROM trades WHERE id = p_trade.id FOR KEY SHARE;
    a.with_permit := COALESCE(p_kind = 'reserve' AND p_token = p_trade.token
      AND p_trade.status = 'pending' AND p_trade.lease_until > p_now, false);
  END IF;
  RETURN with_winner(a, p_trade.id);
END
$$;

CREATE FUNCTION attempt(
  p_kind text, p_bot text, p_key text, p_side text, p_symbol text, p_quantity text, p_price text,
  p_token text, p_pid integer, p_instance text, p_epoch bigint, p_fill_quantity text,
  p_fill_price text, p_at_us bigint, p_wait_ms integer DEFAULT NULL, p_now_us bigint DEFAULT NULL
) RETURNS answer LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = tradeledger, pg_temp SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off AS $$
-- Admission, in the order of the contract: once by what is committed, so that a "no" costs no lock,
-- and again under the lock of the bot, which is when a "yes" is given. The kind "check" only asks.
DECLARE
  v_facts record;
  v_instance instances;
  v_trade trades;
  v_winner bigint;
  v_expired bigint;
  v_wait bigint;
  v_longest bigint;
  v_last_at bigint;
  v_free_at bigint;
  v_bot bigint;
  v_now bigint;
  v_cooldown bigint;
  v_lease bigint;
  v_is_locked boolean := false;
  v_is_free boolean := false;
  v_is_known boolean := false;
  a answer;
BEGIN
  -- The lock at once where nothing that is committed speaks against the trade.
  IF p_kind IS DISTINCT FROM 'check' THEN
    IF is_attempt(p_kind, p_key, p_side, p_symbol, p_quantity, p_price, p_token, p_pid, p_instance,
      p_epoch, p_fill_quantity, p_fill_price, p_at_us) IS NOT TRUE
    THEN RAISE EXCEPTION 'not a well-formed new trade' USING ERRCODE = 'TL100'; END IF;
    PERFORM begin_writing(p_wait_ms);
  END IF;
  IF p_kind IN ('reserve', 'record') AND p_now_us IS NULL THEN
    -- The condition is looked at again once the row was waited for, unless nobody has changed it.
    UPDATE bots SET was_free_at = free_at,
      free_at = CASE p_kind WHEN 'record' THEN greatest(server_now(), free_at) + cooldown_us + 100
        ELSE 9223372036854775807 END
    WHERE name = p_bot AND free_at <= server_now()
    RETURNING id, cooldown_us, lease_us, free_at, was_free_at
    INTO v_bot, v_cooldown, v_lease, v_free_at, v_now;
    v_is_locked := FOUND;
    v_is_free := v_is_locked;
    IF v_is_free AND p_instance IS NOT NULL THEN
      PERFORM 1 FROM instances WHERE name = p_instance AND epoch = p_epoch FOR KEY SHARE;
      v_is_free := FOUND;
    END IF;
    IF v_is_free THEN
      -- The clock after the waits. Within 100 us, where there was none, free_at holds for it too.
      v_now := greatest(server_now(), v_now);
      IF v_now + v_cooldown > v_free_at THEN
        UPDATE bots SET free_at = v_now + v_cooldown WHERE id = v_bot;
      END IF;
    END IF;
  END IF;
  IF p_kind <> 'check' AND NOT v_is_locked THEN
    v_now := COALESCE(p_now_us, server_now());
    PERFORM 1 FROM bots AS b
      JOIN LATERAL (SELECT cooldown_us FROM settings WHERE bot_id = b.id ORDER BY id DESC LIMIT 1)
        AS s ON true
      WHERE b.name = p_bot AND NOT EXISTS (
        SELECT 1 FROM trades AS t WHERE t.bot_id = b.id AND t.status <> 'void'
          AND t.effective_at > v_now - s.cooldown_us)
      FOR NO KEY UPDATE OF b;
    IF FOUND THEN
      v_is_locked := true;
      IF p_instance IS NOT NULL THEN
        PERFORM 1 FROM instances WHERE name = p_instance FOR KEY SHARE;
      END IF;
    END IF;
  END IF;
  LOOP
    IF NOT v_is_free THEN
      -- A statement of its own after the lock: it sees all that was committed before.
      SELECT b.id AS bot_id, s.cooldown_us, s.lease_us, s.in_doubt, s.enabled, o.pending_id,
        o.lease_until, o.doubt_id, t.id AS last_id, t.effective_at AS last_at,
        c.trade_id AS conflict_id, c.at AS conflict_at,
        (SELECT r.at FROM restores AS r ORDER BY r.at DESC LIMIT 1) AS restored_at
      INTO v_facts
      FROM bots AS b
      JOIN LATERAL (SELECT * FROM settings WHERE bot_id = b.id ORDER BY id DESC LIMIT 1)
        AS s ON true
      LEFT JOIN LATERAL (
        SELECT min(id) FILTER (WHERE status = 'pending') AS pending_id,
          min(lease_until) FILTER (WHERE status = 'pending') AS lease_until,
          min(id) FILTER (WHERE status = 'in_doubt') AS doubt_id
        FROM trades WHERE bot_id = b.id AND status IN ('pending', 'in_doubt')) AS o ON true
      LEFT JOIN LATERAL (
        SELECT id, effective_at FROM trades WHERE bot_id = b.id AND status <> 'void'
        ORDER BY effective_at DESC, id DESC LIMIT 1) AS t ON true
      LEFT JOIN LATERAL (
        SELECT trade_id, at FROM conflicts WHERE bot_id = b.id ORDER BY at DESC, id DESC LIMIT 1
      ) AS c ON true
      WHERE b.name = p_bot;
      a := NULL;
      a.with_permit := false;
      IF v_facts.bot_id IS NULL THEN
        a.outcome := 'error'; a.reason := 'no_such_bot'; a.now_us := server_now();
        RETURN a;
      END IF;
      -- Read after the lock was had, never before the wait.
      IF p_now_us IS NULL THEN a.now_us := server_now();
      ELSE a.now_us := now_of((SELECT mode FROM ledger WHERE id = 1), p_now_us); END IF;

      v_bot := v_facts.bot_id; v_now := a.now_us;
      v_cooldown := v_facts.cooldown_us; v_lease := v_facts.lease_us;

      IF p_instance IS NOT NULL THEN
        SELECT x.* INTO v_instance FROM instances AS x WHERE x.name = p_instance;
        IF v_instance.epoch IS DISTINCT FROM p_epoch THEN
          a.outcome := 'denied'; a.reason := 'superseded';
          IF v_instance.epoch IS NOT NULL THEN
            a.holder_pid := v_instance.pid; a.holder_instance := p_instance;
            a.holder_epoch := v_instance.epoch;
          END IF;
          RETURN a;
        END IF;
      END IF;

      -- The decision about an attempt whose key is new.
      v_expired := NULL;
      v_winner := NULL;
      IF p_kind = 'past' THEN
        IF p_at_us > a.now_us OR p_at_us < 0 THEN
          a.outcome := 'error'; a.reason := 'invalid_input';
          a.detail := CASE WHEN p_at_us < 0 THEN 'it lies before 1970'
            ELSE 'it lies in the future' END;
        END IF;
      ELSIF v_facts.enabled = 0 THEN
        a.reason := 'disabled';
      ELSIF v_facts.lease_until > a.now_us THEN
        a.reason := 'in_progress'; a.retry_after_us := v_facts.lease_until - a.now_us;
        v_winner := v_facts.pending_id;
      ELSE
        v_expired := v_facts.pending_id;
        -- elapsed = cooldown is enough.
        v_longest := 0;
        v_wait := v_facts.cooldown_us - (a.now_us - v_facts.last_at);
        IF v_wait > 0 THEN
          v_longest := v_wait; v_winner := v_facts.last_id; v_last_at := v_facts.last_at;
        END IF;
        v_wait := v_facts.cooldown_us - (a.now_us - v_facts.conflict_at);
        IF v_wait > v_longest THEN
          v_longest := v_wait; v_winner := v_facts.conflict_id; v_last_at := v_facts.conflict_at;
        END IF;
        v_wait := v_facts.cooldown_us - (a.now_us - v_facts.restored_at);
        IF v_wait > v_longest THEN
          v_longest := v_wait; v_winner := NULL; v_last_at := v_facts.restored_at;
          a.restored_at := v_facts.restored_at;
        END IF;
        IF v_facts.in_doubt = 'block' AND COALESCE(v_facts.doubt_id, v_expired) IS NOT NULL THEN
          a.reason := 'in_doubt'; a.restored_at := NULL;
          v_winner := COALESCE(v_facts.doubt_id, v_expired);
        ELSIF v_longest > 0 THEN
          a.reason := 'cooldown'; a.retry_after_us := v_longest;
          IF v_last_at - a.now_us > 1000000 THEN a.clock_behind_us := v_last_at - a.now_us; END IF;
        END IF;
      END IF;

      IF p_kind = 'check' THEN
        a.outcome := CASE WHEN a.reason IS NULL THEN 'admissible' ELSE 'denied' END;
        RETURN CASE WHEN v_winner IS NULL THEN a ELSE with_winner(a, v_winner) END;
      END IF;
      -- An admission finds out by itself whether the key is new.
      IF a.reason IS NOT NULL OR v_is_known THEN
        SELECT t.* INTO v_trade FROM trades AS t WHERE t.key = p_key;
        IF v_trade.id IS NOT NULL THEN
          RETURN replayed(a.now_us, v_trade, v_bot, p_kind, p_side, p_symbol, p_quantity,
            p_price, p_token, p_at_us);
        END IF;
      END IF;
      -- What is to be written as in doubt needs the lock, whatever the answer.
      IF v_expired IS NOT NULL AND v_is_locked THEN
        UPDATE trades SET status = 'in_doubt' WHERE id = v_expired;
        v_expired := NULL;
      END IF;
      IF a.reason IS NOT NULL AND v_expired IS NULL THEN
        a.outcome := COALESCE(a.outcome, 'denied');
        IF v_winner IS NOT NULL THEN a := with_winner(a, v_winner); END IF;
        IF a.reason = 'in_progress' THEN
          a.holder_pid := a.pid; a.holder_instance := a.instance; a.holder_epoch := a.epoch;
        END IF;
        RETURN a;
      END IF;
    END IF;

    IF v_is_locked THEN
      INSERT INTO trades (bot_id, key, origin, side, symbol, quantity, price, cooldown_us, token,
        pid, instance, epoch, created_at, lease_until, status, filled_at, filled_price,
        filled_quantity, exchange_at, received_at)
      VALUES (v_bot, p_key, p_kind, p_side, p_symbol, p_quantity, p_price, v_cooldown,
        CASE p_kind WHEN 'reserve' THEN p_token END, p_pid, p_instance, p_epoch,
        CASE p_kind WHEN 'past' THEN p_at_us ELSE v_now END,
        CASE p_kind WHEN 'reserve' THEN v_now + v_lease END,
        CASE p_kind WHEN 'reserve' THEN 'pending' ELSE 'filled' END,
        CASE p_kind WHEN 'record' THEN v_now WHEN 'past' THEN p_at_us END,
        CASE WHEN p_kind <> 'reserve' THEN COALESCE(p_fill_price, p_price) END,
        CASE WHEN p_kind <> 'reserve' THEN COALESCE(p_fill_quantity, p_quantity) END,
        CASE WHEN p_kind <> 'reserve' THEN p_at_us END,
        CASE WHEN p_kind <> 'reserve' THEN v_now END)
      ON CONFLICT (key) DO NOTHING
      RETURNING 'admitted', NULL, NULL, p_kind = 'reserve', NULL, NULL, NULL, NULL, NULL, NULL,
        v_now, id, p_bot, key, origin, side, symbol, quantity, price, cooldown_us, token, pid,
        instance, epoch, created_at, lease_until, NULL, NULL, status, filled_at, filled_price,
        filled_quantity, exchange_at, received_at, NULL, NULL, late, superseded INTO a;
      IF FOUND THEN
        IF NOT v_is_free THEN
          UPDATE bots SET cooldown_us = v_cooldown, lease_us = v_lease,
            free_at = CASE WHEN p_kind = 'record' AND p_now_us IS NULL THEN v_now + v_cooldown
              ELSE 9223372036854775807 END
          -- Many facts in one transaction would make as many versions of the row.
          WHERE id = v_bot AND (p_kind <> 'past' OR free_at <> 9223372036854775807);
        END IF;
        RETURN a;
      END IF;
      -- The key names a trade, perhaps of another bot and since this moment: look again.
      v_is_known := true;
      v_is_free := false;
    ELSE
      PERFORM 1 FROM bots WHERE id = v_bot FOR NO KEY UPDATE;
      -- Who takes the instance over waits until this is committed, and is seen here otherwise.
      IF p_instance IS NOT NULL THEN
        PERFORM 1 FROM instances WHERE name = p_instance FOR KEY SHARE;
      END IF;
      v_is_locked := true;
    END IF;
  END LOOP;
END
$$;

CREATE FUNCTION check_bot(p_bot text, p_now_us bigint DEFAULT NULL) RETURNS answer
  LANGUAGE sql SECURITY DEFINER SET search_path = tradeledger, pg_temp AS $$
  SELECT attempt('check', p_bot, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, p_now_us)
$$;

-- Settling ------------------------------------------------------------------------------------

CREATE FUNCTION settle_as(
  p_is_operator boolean, p_trade_id bigint, p_key text, p_outcome text, p_token text,
  p_fill_quantity text, p_fill_price text, p_at_us bigint, p_reason text, p_wait_ms integer,
  p_now_us bigint
) RETURNS answer LANGUAGE plpgsql
  SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
-- Exactly one outcome wins (INV-5); no fill is refused for its time (INV-6).
DECLARE
  t trades;
  v_bot text;
  v_quantity text;
  v_price text;
  -- What no ledger can keep is kept as the nearest instant.
  v_exchange_at bigint := greatest(0, least(p_at_us, 253402300799999999));
  v_filled_at bigint;
  v_is_superseded boolean;
  v_is_late boolean;
  a answer;
BEGIN
  IF p_at_us IS NULL THEN v_exchange_at := NULL; END IF;
  IF (p_outcome IN ('filled', 'void')
    AND (p_reason IS NULL AND p_outcome = 'filled' AND NOT p_is_operator
      OR octet_length(p_reason) BETWEEN 1 AND 256 AND p_reason !~ '[\x01-\x1f\x7f]')
    AND (p_fill_quantity IS NULL OR is_amount(p_fill_quantity))
    AND (p_fill_price IS NULL OR is_amount(p_fill_price))) IS NOT TRUE
  THEN RAISE EXCEPTION 'not a well-formed outcome' USING ERRCODE = 'TL114'; END IF;
  a.with_permit := false;
  IF p_trade_id IS NOT NULL THEN
    SELECT x.* INTO t FROM trades AS x WHERE x.id = p_trade_id;
  ELSE
    SELECT x.* INTO t FROM trades AS x WHERE x.key = p_key;
  END IF;
  IF t.id IS NULL THEN
    a.outcome := 'error'; a.reason := 'no_such_trade'; a.now_us := server_now();
    RETURN a;
  END IF;
  PERFORM begin_writing(p_wait_ms);
  UPDATE bots AS b SET free_at = 9223372036854775807 WHERE b.id = t.bot_id
  RETURNING b.name INTO v_bot;
  IF t.instance IS NOT NULL THEN
    PERFORM 1 FROM instances WHERE name = t.instance FOR KEY SHARE;
  END IF;
  SELECT x.* INTO t FROM trades AS x WHERE x.id = t.id;
  a.now_us := now_of((SELECT mode FROM ledger WHERE id = 1), p_now_us);
  a.outcome := 'denied';
  IF NOT p_is_operator AND p_token IS DISTINCT FROM t.token OR p_token IS NULL AND NOT p_is_operator
  THEN
    a.reason := 'wrong_token';
    RETURN with_trade(a, t, v_bot);
  END IF;
  IF p_is_operator AND t.status = 'pending' AND t.lease_until > a.now_us THEN
    a.reason := 'in_progress'; a.retry_after_us := t.lease_until - a.now_us;
    a.holder_pid := t.pid; a.holder_instance := t.instance; a.holder_epoch := t.epoch;
    RETURN with_trade(a, t, v_bot);
  END IF;

  v_quantity := COALESCE(p_fill_quantity, t.quantity);
  v_price := COALESCE(p_fill_price, t.price);
  v_filled_at := greatest(t.created_at, least(COALESCE(v_exchange_at, a.now_us), a.now_us));
  IF t.status IN ('filled', 'void') THEN
    IF p_outcome = 'void' AND t.status = 'void'
      OR p_outcome = 'filled' AND t.status = 'filled' AND t.filled_quantity = v_quantity
      AND t.filled_price IS NOT DISTINCT FROM v_price
      AND (p_at_us IS NULL OR t.exchange_at IS NOT DISTINCT FROM v_exchange_at)
    THEN
      a.outcome := 'replayed';
      RETURN with_trade(a, t, v_bot);
    END IF;
    IF p_outcome = 'filled' AND t.status = 'void' AND NOT p_is_operator AND NOT EXISTS (
      SELECT 1 FROM conflicts AS c WHERE c.trade_id = t.id AND c.quantity = v_quantity
        AND c.price IS NOT DISTINCT FROM v_price
        AND c.exchange_at IS NOT DISTINCT FROM v_exchange_at)
    THEN
      -- Money has moved: kept, and counted. (INV-6)
      INSERT INTO conflicts (bot_id, trade_id, kind, token, at, quantity, price, exchange_at,
        received_at)
      VALUES (t.bot_id, t.id, 'fill_after_void', t.token, v_filled_at, v_quantity, v_price,
        v_exchange_at, a.now_us);
    END IF;
    a.reason := 'already_settled';
    RETURN with_trade(a, t, v_bot);
  END IF;

  v_is_late := t.status = 'in_doubt' OR t.lease_until <= a.now_us;
  v_is_superseded := t.instance IS NOT NULL AND t.epoch IS DISTINCT FROM (
    SELECT i.epoch FROM instances AS i WHERE i.name = t.instance);
  IF p_is_operator AND t.status = 'pending' THEN
    UPDATE trades SET status = 'in_doubt' WHERE id = t.id;
  END IF;
  UPDATE trades SET status = p_outcome,
    filled_at = CASE p_outcome WHEN 'filled' THEN v_filled_at END,
    filled_price = CASE p_outcome WHEN 'filled' THEN v_price END,
    filled_quantity = CASE p_outcome WHEN 'filled' THEN v_quantity END,
    exchange_at = CASE p_outcome WHEN 'filled' THEN v_exchange_at END,
    received_at = a.now_us, settled_with = CASE WHEN p_is_operator THEN 'operator' ELSE p_token END,
    reason = p_reason, late = v_is_late::integer, superseded = v_is_superseded::integer
  WHERE trades.id = t.id
  RETURNING trades.* INTO t;
  a.outcome := 'settled';
  RETURN with_trade(a, t, v_bot);
END
$$;

CREATE FUNCTION settle(
  p_trade_id bigint, p_key text, p_outcome text, p_token text, p_fill_quantity text,
  p_fill_price text, p_at_us bigint, p_reason text, p_wait_ms integer DEFAULT NULL,
  p_now_us bigint DEFAULT NULL
) RETURNS answer LANGUAGE sql SECURITY DEFINER SET search_path = tradeledger, pg_temp AS $$
  SELECT settle_as(false, p_trade_id, p_key, p_outcome, p_token, p_fill_quantity, p_fill_price,
    p_at_us, p_reason, p_wait_ms, p_now_us)
$$;

CREATE FUNCTION resolve(
  p_trade_id bigint, p_key text, p_outcome text, p_fill_quantity text, p_fill_price text,
  p_at_us bigint, p_reason text, p_wait_ms integer DEFAULT NULL, p_now_us bigint DEFAULT NULL
) RETURNS answer LANGUAGE sql SECURITY DEFINER SET search_path = tradeledger, pg_temp AS $$
  SELECT settle_as(true, p_trade_id, p_key, p_outcome, NULL, p_fill_quantity, p_fill_price,
    p_at_us, p_reason, p_wait_ms, p_now_us)
$$;

CREATE TYPE element AS (
  "do" text, kind text, bot text, key text, side text, symbol text, quantity text, price text,
  token text, pid integer, instance text, epoch bigint, fill_quantity text, fill_price text,
  at_us bigint, trade_id bigint, outcome text, reason text
);

CREATE FUNCTION work(
  p_elements jsonb, p_wait_ms integer DEFAULT NULL, p_now_us bigint DEFAULT NULL
) RETURNS SETOF answer LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = tradeledger, pg_temp SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
-- Several attempts and settlements in one transaction, one after the other.
DECLARE
  v_elements element[];
  v_bots bigint[];
  v_names text[];
  v_names_of_bots text[];
  v_trades trades[];
  v_are_apart boolean;
  v_now bigint;
  v_next integer := 1;
  e element;
  t trades;
  a answer;
BEGIN
  PERFORM begin_writing(p_wait_ms);
  -- (Look-ups of one row each, not joins: a plan for them is right however long the tables are.)
  SELECT array_agg(x), array_agg(CASE x."do"
      WHEN 'settle' THEN COALESCE((SELECT o.bot_id FROM trades AS o WHERE o.id = x.trade_id),
        (SELECT k.bot_id FROM trades AS k WHERE k.key = x.key))
      ELSE (SELECT b.id FROM bots AS b WHERE b.name = x.bot) END),
    array_agg(x.instance), array_agg(x.bot),
    p_now_us IS NULL AND count(DISTINCT x.bot) = count(*) AND count(DISTINCT x.key) = count(*)
    AND bool_and((x."do" = 'attempt' AND x.kind IN ('reserve', 'record') AND x.instance IS NULL
      AND is_attempt(x.kind, x.key, x.side, x.symbol, x.quantity, x.price, x.token, x.pid,
        x.instance, x.epoch, x.fill_quantity, x.fill_price, x.at_us)) IS TRUE)
  INTO v_elements, v_bots, v_names, v_names_of_bots, v_are_apart
  FROM jsonb_populate_recordset(NULL::element, p_elements) AS x;
  IF v_elements IS NULL THEN RETURN; END IF;
  -- All locks first, in one order, so that two batches never wait for each other in a circle.
  PERFORM 1 FROM bots WHERE id = ANY (v_bots) ORDER BY id FOR NO KEY UPDATE;
  PERFORM 1 FROM instances WHERE name = ANY (v_names) ORDER BY name FOR KEY SHARE;
  IF v_are_apart THEN
    -- Attempts of different bots, by what their last admissions knew, are one statement.
    v_now := server_now();
    WITH free AS (
      UPDATE bots AS b SET free_at = CASE x.kind WHEN 'record' THEN v_now + b.cooldown_us
        ELSE 9223372036854775807 END
      FROM ROWS FROM (unnest(v_elements), unnest(v_bots)) WITH ORDINALITY AS x (
        "do", kind, bot, key, side, symbol, quantity, price, token, pid, instance, epoch,
        fill_quantity, fill_price, at_us, trade_id, outcome, reason, bot_id, n)
      WHERE b.id = x.bot_id AND b.free_at <= v_now
      RETURNING x.*, b.cooldown_us, b.lease_us
    ), inserted AS (
      INSERT INTO trades (bot_id, key, origin, side, symbol, quantity, price, cooldown_us, token,
        pid, created_at, lease_until, status, filled_at, filled_price, filled_quantity,
        exchange_at, received_at)
      SELECT f.bot_id, f.key, f.kind, f.side, f.symbol, f.quantity, f.price, f.cooldown_us,
        CASE f.kind WHEN 'reserve' THEN f.token END, f.pid, v_now,
        CASE f.kind WHEN 'reserve' THEN v_now + f.lease_us END,
        CASE f.kind WHEN 'reserve' THEN 'pending' ELSE 'filled' END,
        CASE f.kind WHEN 'record' THEN v_now END,
        CASE f.kind WHEN 'record' THEN COALESCE(f.fill_price, f.price) END,
        CASE f.kind WHEN 'record' THEN COALESCE(f.fill_quantity, f.quantity) END,
        CASE f.kind WHEN 'record' THEN f.at_us END,
        CASE f.kind WHEN 'record' THEN v_now END
      FROM free AS f ORDER BY f.n
      ON CONFLICT (key) DO NOTHING RETURNING *
    )
    SELECT array_agg(ROW(i.*)::trades) INTO v_trades FROM inserted AS i;
  END IF;
  IF cardinality(v_trades) = cardinality(v_elements) THEN
    RETURN QUERY SELECT 'admitted', NULL, NULL, r.origin = 'reserve', NULL::bigint, NULL::bigint,
      NULL::bigint, NULL::integer, NULL, NULL::bigint, v_now, r.id, r.unnest, r.key, r.origin,
      r.side, r.symbol, r.quantity, r.price, r.cooldown_us, r.token, r.pid, r.instance, r.epoch,
      r.created_at, r.lease_until, r.boot_id, r.created_boot_us, r.status, r.filled_at,
      r.filled_price, r.filled_quantity, r.exchange_at, r.received_at, NULL, r.reason, r.late,
      r.superseded
    FROM ROWS FROM (unnest(v_trades), unnest(v_names_of_bots)) AS r;
    RETURN;
  END IF;
  FOREACH e IN ARRAY v_elements LOOP
    t := v_trades[v_next];
    IF t.key = e.key THEN
      v_next := v_next + 1;
      a.outcome := 'admitted'; a.with_permit := t.origin = 'reserve'; a.now_us := v_now;
      RETURN NEXT with_trade(a, t, e.bot);
    ELSIF e."do" = 'settle' THEN
      RETURN NEXT settle_as(false, e.trade_id, e.key, e.outcome, e.token, e.fill_quantity,
        e.fill_price, e.at_us, e.reason, NULL, p_now_us);
    ELSIF e."do" = 'attempt' THEN
      RETURN NEXT attempt(e.kind, e.bot, e.key, e.side, e.symbol, e.quantity, e.price, e.token,
        e.pid, e.instance, e.epoch, e.fill_quantity, e.fill_price, e.at_us, NULL, p_now_us);
    ELSE
      RAISE EXCEPTION 'neither an attempt nor a settlement' USING ERRCODE = 'TL100';
    END IF;
  END LOOP;
END
$$;

CREATE FUNCTION is_live(p_trade_id bigint, p_token text, p_now_us bigint DEFAULT NULL)
  RETURNS boolean LANGUAGE sql SECURITY DEFINER
  SET search_path = tradeledger, pg_temp SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off AS $$
  SELECT EXISTS (
    SELECT 1 FROM trades AS t JOIN ledger AS l ON l.id = 1
    WHERE t.id = p_trade_id AND t.token = p_token AND t.status = 'pending'
      AND t.lease_until > now_of(l.mode, p_now_us)
      AND (t.instance IS NULL
        OR t.epoch = (SELECT i.epoch FROM instances AS i WHERE i.name = t.instance)))
$$;

-- Instances -----------------------------------------------------------------------------------

CREATE FUNCTION instance_said(p_outcome text, p_retry bigint, p_now bigint, i instances)
  RETURNS instance_answer LANGUAGE sql IMMUTABLE AS $$
  SELECT ROW(p_outcome, p_retry, p_now, i.name, i.epoch, i.pid, i.boot_id, i.pid_namespace,
    i.time_namespace, i.start_ticks, i.host, i.command, i.since, i.heartbeat_until
  )::tradeledger.instance_answer
$$;

CREATE FUNCTION acquire(
  p_name text, p_boot_id text, p_pid_namespace bigint, p_time_namespace bigint, p_pid integer,
  p_start_ticks bigint, p_host text, p_command text, p_heartbeat_us bigint,
  p_dead_epoch bigint DEFAULT NULL, p_wait_ms integer DEFAULT NULL, p_now_us bigint DEFAULT NULL
) RETURNS instance_answer LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = tradeledger, pg_temp SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off AS $$
-- Takes a name that is free or whose holder is proven dead (INV-7): by the clock of the server, or
-- by the caller, who runs where it can look at it.
DECLARE
  i instances;
  v_now bigint;
  v_mode text;
  v_is_locked boolean := false;
BEGIN
  SELECT l.mode INTO v_mode FROM ledger AS l WHERE l.id = 1;
  LOOP
    IF v_is_locked THEN
      -- Against this name's trades too, so that none of them is committed with the old epoch later.
      SELECT x.* INTO i FROM instances AS x WHERE x.name = p_name FOR UPDATE;
    ELSE
      SELECT x.* INTO i FROM instances AS x WHERE x.name = p_name;
    END IF;
    v_now := now_of(v_mode, p_now_us);
    IF i.pid IS NOT NULL AND (i.heartbeat_until <= v_now) IS NOT TRUE
      AND (i.epoch = p_dead_epoch AND i.boot_id = p_boot_id AND i.pid_namespace = p_pid_namespace
        AND i.time_namespace = p_time_namespace) IS NOT TRUE
      -- Who has it already may have lost the answer, and takes this one for it: under the lock,
      -- which is written to the log, so that COMMIT waits for a standby. A look would not.
      AND (v_is_locked OR (i.boot_id, i.pid, i.start_ticks)
        IS DISTINCT FROM (p_boot_id, p_pid, p_start_ticks))
    THEN RETURN instance_said('held', i.heartbeat_until - v_now, v_now, i); END IF;
    IF v_is_locked THEN
      UPDATE instances SET epoch = instances.epoch + 1, boot_id = p_boot_id,
        pid_namespace = p_pid_namespace, time_namespace = p_time_namespace, pid = p_pid,
        start_ticks = p_start_ticks, host = p_host, command = p_command, since = v_now,
        heartbeat_until = v_now + p_heartbeat_us
      WHERE instances.name = p_name RETURNING instances.* INTO i;
      RETURN instance_said('taken', NULL, v_now, i);
    END IF;
    PERFORM begin_writing(p_wait_ms);
    IF i.name IS NULL THEN
      INSERT INTO instances (name, epoch, boot_id, pid_namespace, time_namespace, pid, start_ticks,
        host, command, since, heartbeat_until)
      VALUES (p_name, 1, p_boot_id, p_pid_namespace, p_time_namespace, p_pid, p_start_ticks, p_host,
        p_command, v_now, v_now + p_heartbeat_us)
      ON CONFLICT (name) DO NOTHING RETURNING * INTO i;
      IF i.name IS NOT NULL THEN RETURN instance_said('taken', NULL, v_now, i); END IF;
    END IF;
    v_is_locked := true;
  END LOOP;
END
$$;

CREATE FUNCTION renew(
  p_name text, p_epoch bigint, p_heartbeat_us bigint, p_wait_ms integer DEFAULT NULL,
  p_now_us bigint DEFAULT NULL
) RETURNS instance_answer LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = tradeledger, pg_temp SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off AS $$
DECLARE
  i instances;
  v_now bigint;
BEGIN
  IF p_heartbeat_us IS NULL THEN
    SELECT x.* INTO i FROM instances AS x WHERE x.name = p_name;
  ELSE
    PERFORM begin_writing(p_wait_ms);
    SELECT x.* INTO i FROM instances AS x WHERE x.name = p_name FOR NO KEY UPDATE;
  END IF;
  v_now := now_of((SELECT l.mode FROM ledger AS l WHERE l.id = 1), p_now_us);
  IF (i.epoch = p_epoch AND i.pid IS NOT NULL) IS NOT TRUE THEN
    RETURN instance_said('lost', NULL, v_now, i);
  END IF;
  IF p_heartbeat_us IS NOT NULL THEN
    UPDATE instances SET heartbeat_until = v_now + p_heartbeat_us WHERE instances.name = p_name
    RETURNING instances.* INTO i;
  END IF;
  RETURN instance_said('held', NULL, v_now, i);
END
$$;

CREATE FUNCTION release(p_name text, p_epoch bigint, p_wait_ms integer DEFAULT NULL)
  RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = tradeledger, pg_temp SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off AS $$
BEGIN
  PERFORM begin_writing(p_wait_ms);
  UPDATE instances SET pid = NULL, heartbeat_until = NULL
  WHERE name = p_name AND epoch = p_epoch AND pid IS NOT NULL;
  RETURN FOUND;
END
$$;

CREATE FUNCTION evict(
  p_name text, p_wait_ms integer DEFAULT NULL, p_epoch bigint DEFAULT NULL
) RETURNS instance_answer LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = tradeledger, pg_temp SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off AS $$
DECLARE
  i instances;
BEGIN
  PERFORM begin_writing(p_wait_ms);
  SELECT x.* INTO i FROM instances AS x WHERE x.name = p_name FOR UPDATE;
  IF i.name IS NULL THEN RETURN instance_said('no_such_instance', NULL, server_now(), i); END IF;
  IF i.epoch <> p_epoch THEN RETURN instance_said('gone', NULL, server_now(), i); END IF;
  IF i.pid IS NULL THEN RETURN instance_said('free', NULL, server_now(), i); END IF;
  UPDATE instances SET epoch = instances.epoch + 1, pid = NULL, heartbeat_until = NULL
  WHERE instances.name = p_name RETURNING instances.epoch INTO i.epoch;
  RETURN instance_said('evicted', NULL, server_now(), i);
END
$$;

-- Bots ----------------------------------------------------------------------------------------

CREATE TYPE bot_answer AS (
  outcome text, name text, cooldown_us bigint, lease_us bigint, in_doubt text, enabled smallint
);

CREATE FUNCTION bot_said(p_outcome text, p_bot text) RETURNS bot_answer LANGUAGE plpgsql AS $$
DECLARE
  b bot_answer;
BEGIN
  SELECT p_outcome, s.name, s.cooldown_us, s.lease_us, s.in_doubt, s.enabled INTO b
  FROM current_settings AS s WHERE s.name = p_bot;
  RETURN b;
END
$$;

CREATE FUNCTION add_bot(
  p_bot text, p_cooldown_us bigint, p_lease_us bigint, p_in_doubt text, p_enabled integer,
  p_wait_ms integer DEFAULT NULL, p_now_us bigint DEFAULT NULL
) RETURNS bot_answer LANGUAGE plpgsql SECURITY DEFINER SET search_path = tradeledger, pg_temp AS $$
DECLARE
  v_bot bigint;
  b bot_answer;
BEGIN
  PERFORM begin_writing(p_wait_ms);
  IF NOT EXISTS (SELECT 1 FROM bots WHERE name = p_bot) THEN
    INSERT INTO bots (name) VALUES (p_bot) ON CONFLICT (name) DO NOTHING RETURNING id INTO v_bot;
  END IF;
  IF v_bot IS NULL THEN
    -- What is told of a lost try must be what a standby has (see `replayed`).
    PERFORM 1 FROM bots WHERE name = p_bot FOR KEY SHARE;
    b := bot_said('differs', p_bot);
    IF (b.cooldown_us, b.lease_us, b.in_doubt, b.enabled)
      IS NOT DISTINCT FROM (p_cooldown_us, p_lease_us, p_in_doubt, p_enabled::smallint)
    THEN b.outcome := 'same'; END IF;
    RETURN b;
  END IF;
  INSERT INTO settings (bot_id, cooldown_us, lease_us, in_doubt, enabled, at)
  VALUES (v_bot, p_cooldown_us, p_lease_us, p_in_doubt, p_enabled,
    now_of((SELECT mode FROM ledger WHERE id = 1), p_now_us));
  RETURN bot_said('added', p_bot);
END
$$;

CREATE FUNCTION change_bot(
  p_bot text, p_cooldown_us bigint, p_lease_us bigint, p_in_doubt text, p_enabled integer,
  p_wait_ms integer DEFAULT NULL, p_now_us bigint DEFAULT NULL
) RETURNS bot_answer LANGUAGE plpgsql SECURITY DEFINER SET search_path = tradeledger, pg_temp AS $$
DECLARE
  v_bot bigint;
  b bot_answer;
  c bot_answer;
BEGIN
  PERFORM begin_writing(p_wait_ms);
  SELECT id INTO v_bot FROM bots WHERE name = p_bot FOR NO KEY UPDATE;
  IF v_bot IS NULL THEN
    b.outcome := 'no_such_bot';
    RETURN b;
  END IF;
  b := bot_said('same', p_bot);
  c := b;
  c.cooldown_us := COALESCE(p_cooldown_us, b.cooldown_us);
  c.lease_us := COALESCE(p_lease_us, b.lease_us);
  c.in_doubt := COALESCE(p_in_doubt, b.in_doubt);
  c.enabled := COALESCE(p_enabled, b.enabled);
  IF c IS NOT DISTINCT FROM b THEN RETURN b; END IF;
  INSERT INTO settings (bot_id, cooldown_us, lease_us, in_doubt, enabled, at)
  VALUES (v_bot, c.cooldown_us, c.lease_us, c.in_doubt, c.enabled,
    now_of((SELECT mode FROM ledger WHERE id = 1), p_now_us));
  RETURN bot_said('changed', p_bot);
END
$$;

-- Facts of the past, the ledger itself ---------------------------------------------------------

CREATE FUNCTION enter(
  p_bots jsonb, p_facts jsonb, p_pid integer, p_wait_ms integer DEFAULT NULL,
  p_now_us bigint DEFAULT NULL
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = tradeledger, pg_temp SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off AS $$
DECLARE
  f record;
  t trades;
  a answer;
  v_entered bigint := 0;
BEGIN
  PERFORM begin_writing(p_wait_ms);
  FOR f IN SELECT * FROM jsonb_to_recordset(p_bots) AS x (
    bot text, cooldown_us bigint, lease_us bigint, in_doubt text, enabled integer)
  LOOP
    PERFORM add_bot(f.bot, f.cooldown_us, f.lease_us, f.in_doubt, f.enabled, p_wait_ms, p_now_us);
  END LOOP;
  PERFORM 1 FROM bots WHERE name IN (
    SELECT x.bot FROM jsonb_to_recordset(p_facts) AS x (bot text)) ORDER BY id FOR NO KEY UPDATE;
  FOR f IN SELECT * FROM jsonb_to_recordset(p_facts) AS x (
    bot text, key text, side text, symbol text, quantity text, price text, at_us bigint)
  LOOP
    SELECT x.* INTO t FROM trades AS x WHERE x.key = f.key;
    IF t.id IS NOT NULL THEN
      -- The same was said before: what was executed, and when.
      IF t.status = 'filled' AND t.side = f.side AND t.symbol = f.symbol
        AND t.bot_id = (SELECT b.id FROM bots AS b WHERE b.name = f.bot)
        AND t.effective_at = f.at_us AND COALESCE(t.filled_quantity, t.quantity) = f.quantity
        AND COALESCE(t.filled_price, t.price) IS NOT DISTINCT FROM f.price
      THEN CONTINUE; END IF;
      -- Nothing of this transaction may stand.
      RAISE EXCEPTION 'key % names trade %, which says something else', f.key, t.id
        USING ERRCODE = 'TL002', DETAIL = t.id::text, HINT = f.key;
    END IF;
    a := attempt('past', f.bot, f.key, f.side, f.symbol, f.quantity, f.price, NULL, p_pid, NULL,
      NULL, NULL, NULL, f.at_us, p_wait_ms, p_now_us);
    IF a.outcome <> 'admitted' THEN
      RAISE EXCEPTION '%: % %', a.reason, f.bot, f.key
        USING ERRCODE = 'TL002', DETAIL = COALESCE(a.reason, a.outcome), HINT = f.key;
    END IF;
    v_entered := v_entered + 1;
  END LOOP;
  RETURN v_entered;
END
$$;

CREATE FUNCTION make_ledger(p_mode text, p_now_us bigint DEFAULT NULL) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = tradeledger, pg_temp AS $$
BEGIN
  INSERT INTO ledger (id, mode, created_at) VALUES (1, p_mode, now_of(p_mode, p_now_us));
EXCEPTION WHEN unique_violation THEN
  RAISE EXCEPTION 'the ledger already has its row' USING ERRCODE = 'TL150';
END
$$;

CREATE FUNCTION restored(p_now_us bigint DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = tradeledger, pg_temp AS $$
-- What was traded after the backup is not in it: every bot waits one cooldown from now on, and no
-- process from before trades under a name that it had.
DECLARE
  v_now bigint;
BEGIN
  PERFORM begin_writing(NULL);
  PERFORM 1 FROM bots ORDER BY id FOR NO KEY UPDATE;
  PERFORM 1 FROM instances ORDER BY name FOR UPDATE;
  UPDATE instances SET epoch = epoch + 1, pid = NULL, heartbeat_until = NULL;
  v_now := now_of((SELECT mode FROM ledger WHERE id = 1), p_now_us);
  INSERT INTO restores (at) VALUES (v_now);
  RETURN v_now;
END
$$;

CREATE FUNCTION copy_begins() RETURNS void LANGUAGE plpgsql
  SET search_path = tradeledger, pg_temp AS $$
-- The rows of another ledger are facts of its own clocks: they are taken as they are, into an empty
-- ledger, by its owner, in one transaction that ends with copy_ends().
DECLARE
  v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY[
    'ledger', 'bots', 'settings', 'instances', 'trades', 'conflicts', 'restores']
  LOOP
    EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', v_table);
  END LOOP;
  -- The tables are locked by now, so that another copy has ended, or begins after this one.
  IF EXISTS (SELECT 1 FROM ledger) OR EXISTS (SELECT 1 FROM bots)
    OR EXISTS (SELECT 1 FROM instances) OR EXISTS (SELECT 1 FROM restores)
  THEN RAISE EXCEPTION 'the ledger is not empty' USING ERRCODE = 'TL150'; END IF;
END
$$;

CREATE FUNCTION copy_ends() RETURNS void LANGUAGE plpgsql
  SET search_path = tradeledger, pg_temp AS $$
DECLARE
  v_orphans bigint;
  v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['bots', 'settings', 'trades', 'conflicts', 'restores'] LOOP
    IF v_table IN ('settings', 'trades', 'conflicts') THEN
      EXECUTE format('SELECT count(*) FROM %I WHERE bot_id NOT IN (SELECT id FROM bots)', v_table)
        INTO v_orphans;
      IF v_orphans > 0 THEN
        RAISE EXCEPTION '% rows of % belong to no bot', v_orphans, v_table USING ERRCODE = 'TL102';
      END IF;
    END IF;
    -- (NULL is not in an empty list.)
    IF EXISTS (SELECT 1 FROM trades WHERE instance IS NOT NULL
      AND instance NOT IN (SELECT name FROM instances)) THEN
      RAISE EXCEPTION 'a trade belongs to no instance' USING ERRCODE = 'TL104';
    END IF;
    EXECUTE format(
      'SELECT setval(pg_get_serial_sequence(%L, ''id''), COALESCE(max(id), 0) + 1, false) FROM %I',
      'tradeledger.' || v_table, v_table);
  END LOOP;
  -- A holder's heartbeat was kept by another clock: nobody holds a name here yet.
  UPDATE instances SET epoch = epoch + 1, pid = NULL, heartbeat_until = NULL WHERE pid IS NOT NULL;
  FOREACH v_table IN ARRAY ARRAY[
    'ledger', 'bots', 'settings', 'instances', 'trades', 'conflicts', 'restores']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE TRIGGER USER', v_table);
  END LOOP;
END
$$;

-- Views for reading ---------------------------------------------------------------------------

CREATE VIEW ledger_row AS SELECT mode, created_at FROM ledger;

CREATE VIEW bot_rows AS
  SELECT name, cooldown_us, lease_us, in_doubt, enabled, bot_id FROM current_settings;

CREATE VIEW trade_rows AS
  -- status as it is stored: a trade is in doubt from the moment its lease is over.
  SELECT t.id, b.name AS bot, t.key, t.origin, t.side, t.symbol, t.quantity, t.price,
    t.cooldown_us, NULL::text AS token, t.pid, t.instance, t.epoch, t.created_at, t.lease_until,
    t.boot_id, t.created_boot_us, t.status, t.filled_at, t.filled_price, t.filled_quantity,
    t.exchange_at, t.received_at,
    CASE WHEN t.settled_with = 'operator' THEN 'operator'
      WHEN t.settled_with IS NOT NULL THEN 'token' END AS settled_with,
    t.reason, t.late, t.superseded, t.effective_at, t.bot_id
  FROM trades AS t JOIN bots AS b ON b.id = t.bot_id;

CREATE VIEW counted_trades AS
  -- Trades that count for the cooldown: everything that has, or may have, moved money.
  SELECT * FROM trade_rows WHERE status <> 'void';

CREATE VIEW occupying_trades AS
  -- Trades that occupy their bot: somebody is at work on them.
  SELECT * FROM trade_rows WHERE status = 'pending';

CREATE VIEW conflict_rows AS
  SELECT c.id, b.name AS bot, c.trade_id, c.kind, c.at, c.boot_id, c.boot_us, c.quantity, c.price,
    c.exchange_at, c.received_at, c.bot_id
  FROM conflicts AS c JOIN bots AS b ON b.id = c.bot_id;

CREATE VIEW restore_rows AS SELECT id, at, boot_id, boot_us FROM restores;

CREATE VIEW instance_rows AS
  SELECT name, epoch, pid, boot_id, pid_namespace, time_namespace, start_ticks, host, command,
    since, heartbeat_until
  FROM instances;

CREATE FUNCTION rfc3339(p_us bigint) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT to_char(to_timestamp((p_us / 1000000::bigint)::double precision) AT TIME ZONE 'UTC',
      'YYYY-MM-DD"T"HH24:MI:SS'::text)
    || '.'::text || lpad((p_us % 1000000::bigint)::text, 6, '0'::text) || 'Z'::text
$$;

CREATE VIEW open_trades AS
  -- What is not settled yet, for people.
  SELECT id, bot, key, side, symbol, quantity, price,
    CASE WHEN status = 'pending' AND lease_until <= now_us THEN 'in_doubt' ELSE status END
      AS status,
    rfc3339(created_at) AS created, round((lease_until - now_us) / 1000000.0, 3) AS lease_left_s,
    pid
  FROM trade_rows, (SELECT server_now() AS now_us OFFSET 0) AS clock
  WHERE status IN ('pending', 'in_doubt');

CREATE VIEW cooldowns AS
  -- For each bot: when it last traded and how long it still has to wait.
  SELECT name AS bot, enabled, round(cooldown_us / 1000000.0, 6) AS cooldown_s,
    rfc3339(last_at) AS last_trade,
    round(greatest(0, last_at + cooldown_us - now_us,
      (SELECT max(at) FROM restores) + cooldown_us - now_us) / 1000000.0, 6) AS remaining_s
  FROM (
    SELECT name, enabled, cooldown_us, greatest(
      (SELECT max(effective_at) FROM trades AS t
        WHERE t.bot_id = s.bot_id AND t.status <> 'void'),
      (SELECT max(at) FROM conflicts AS c WHERE c.bot_id = s.bot_id)) AS last_at
    FROM current_settings AS s) AS lasts, (SELECT server_now() AS now_us OFFSET 0) AS clock;

CREATE VIEW double_trades AS
  -- Neighbours of one bot, in the order of their effective times, that are closer together than
  -- the cooldown of the later one. (INV-1; facts of the past are shown too)
  SELECT bot, earlier_id, later_id, round(gap_us / 1000000.0, 6) AS gap_s,
    round(cooldown_us / 1000000.0, 6) AS cooldown_s, rfc3339(effective_at) AS later_at, origin
  FROM (
    SELECT bot, id AS later_id, effective_at, cooldown_us, origin,
      lag(id) OVER neighbours AS earlier_id,
      effective_at - lag(effective_at) OVER neighbours AS gap_us
    FROM counted_trades WINDOW neighbours AS (PARTITION BY bot_id ORDER BY effective_at, id)
  ) AS pairs
  WHERE gap_us < cooldown_us;

CREATE FUNCTION status(p_bot text DEFAULT NULL, p_now_us bigint DEFAULT NULL)
  RETURNS TABLE (
    name text, cooldown_us bigint, lease_us bigint, in_doubt text, enabled smallint,
    last_trade_at bigint, said answer)
  LANGUAGE sql SECURITY DEFINER SET search_path = tradeledger, pg_temp
  SET enable_seqscan = off AS $$
  SELECT s.name, s.cooldown_us, s.lease_us, s.in_doubt, s.enabled, greatest(
      (SELECT max(t.effective_at) FROM trades AS t
        WHERE t.bot_id = s.bot_id AND t.status <> 'void'),
      (SELECT max(c.at) FROM conflicts AS c WHERE c.bot_id = s.bot_id)),
    check_bot(s.name, p_now_us)
  FROM current_settings AS s WHERE p_bot IS NULL OR s.name = p_bot ORDER BY s.name
$$;

-- Who may do what -----------------------------------------------------------------------------

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA tradeledger FROM PUBLIC;
GRANT USAGE ON SCHEMA tradeledger TO tradeledger_worker;
GRANT EXECUTE ON FUNCTION layout, server_now, attempt, check_bot, settle, work, is_live, acquire,
  renew, release, status, rfc3339 TO tradeledger_worker;
GRANT SELECT ON ledger_row, bot_rows, trade_rows, counted_trades, occupying_trades, conflict_rows,
  restore_rows, instance_rows, open_trades, cooldowns, double_trades TO tradeledger_worker;

COMMIT;
