"""The mutations of the ledger on a PostgreSQL server: those of schema.postgres.sql, which the Python
client's tests of the server must notice, and those of the Swift engine. See mutations.py.
"""
import os
import re

from mutations import SERVER_SCHEMA, Mutation

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CONFORMANCE = "test_postgres_conformance"
NEVER = "9223372036854775807"

# Name, what it breaks, the text and what stands there instead, and which tests must notice.
IN_SQL = (
    ("memory-without-cooldown", "an admission remembers no cooldown",
     "free_at = CASE WHEN p_kind = 'record' AND p_now_us IS NULL THEN v_now + v_cooldown\n",
     "free_at = CASE WHEN p_kind = 'record' AND p_now_us IS NULL THEN v_now\n", "test_postgres.MemoryTests"),
    ("memory-kept-by-a-settlement", "a settlement leaves what the last admission knew",
     f"UPDATE bots AS b SET free_at = {NEVER} WHERE b.id = t.bot_id\n",
     "UPDATE bots AS b SET free_at = b.free_at WHERE b.id = t.bot_id\n", "test_postgres.MemoryTests"),
    ("memory-kept-by-a-restore", "a restore leaves what the last admissions knew",
     f"  UPDATE bots SET free_at = {NEVER};\n  RETURN NEW;", "  RETURN NEW;", "test_postgres.MemoryTests"),
    ("memory-kept-by-foreign-rows", "a row by hand leaves what the last admission knew",
     f"  UPDATE bots SET free_at = {NEVER} WHERE id = p_bot;",
     "  PERFORM 1 FROM bots WHERE id = p_bot FOR NO KEY UPDATE;", "test_postgres.MemoryTests"),
    ("clock-before-the-bot", "the clock is read before the wait for the bot",
     "      IF p_now_us IS NULL THEN a.now_us := server_now();\n",
     "      IF p_now_us IS NULL THEN a.now_us := COALESCE(v_now, server_now());\n", "test_postgres_schema"),
    ("clock-before-the-free-bot", "the same of a bot that is known to be free",
     "      v_now := greatest(server_now(), v_now);\n",
     "      v_now := greatest(v_free_at - v_cooldown - 100, v_now);\n", "test_postgres_schema"),
    ("clock-before-the-instance", "the clock is read before the wait for the instance",
     "    IF v_is_free AND p_instance IS NOT NULL THEN\n"
     "      PERFORM 1 FROM instances WHERE name = p_instance AND epoch = p_epoch FOR KEY SHARE;\n"
     "      v_is_free := FOUND;\n    END IF;\n    IF v_is_free THEN\n"
     "      -- The clock after the waits. Within 100 us, where there was none, free_at holds for it too.\n"
     "      v_now := greatest(server_now(), v_now);\n",
     "    v_now := greatest(server_now(), v_now);\n"
     "    IF v_is_free AND p_instance IS NOT NULL THEN\n"
     "      PERFORM 1 FROM instances WHERE name = p_instance AND epoch = p_epoch FOR KEY SHARE;\n"
     "      v_is_free := FOUND;\n    END IF;\n    IF v_is_free THEN\n",
     "test_postgres_schema"),
    ("look-without-the-lock", "an admission looks, and does not look again under the lock",
     "      PERFORM 1 FROM bots WHERE id = v_bot FOR NO KEY UPDATE;\n",
     "      PERFORM 1 FROM bots WHERE id = v_bot;\n", "test_postgres_schema"),
    ("any-isolation", "a transaction with one snapshot decides",
     "IF current_setting('transaction_isolation') <> 'read committed' THEN", "IF false THEN",
     "test_postgres"),
    ("no-warnings", "a client that would not be warned of a standby's lack is answered",
     "IF current_setting('client_min_messages') = 'error' THEN", "IF false THEN", "test_postgres"),
    ("epoch-unread", "an older epoch trades on",
     "IF v_instance.epoch IS DISTINCT FROM p_epoch THEN", "IF v_instance.epoch IS NULL THEN",
     CONFORMANCE),
    ("epoch-unread-when-free", "an older epoch trades on where the bot is known to be free",
     "WHERE name = p_instance AND epoch = p_epoch FOR KEY SHARE;",
     "WHERE name = p_instance FOR KEY SHARE;", "test_postgres_schema"),
    ("instance-not-held", "a take-over does not wait for the trade under way",
     "      PERFORM 1 FROM instances WHERE name = p_instance AND epoch = p_epoch FOR KEY SHARE;\n",
     "      PERFORM 1 FROM instances WHERE name = p_instance AND epoch = p_epoch;\n",
     "test_postgres_schema"),
    ("exactly-over", "a cooldown that is exactly over still holds",
     "v_wait := v_facts.cooldown_us - (a.now_us - v_facts.last_at);",
     "v_wait := v_facts.cooldown_us - (a.now_us - v_facts.last_at) + 1;", CONFORMANCE),
    ("conflicts-uncounted", "a fill after a void counts for no cooldown",
     "v_wait := v_facts.cooldown_us - (a.now_us - v_facts.conflict_at);", "v_wait := 0;",
     CONFORMANCE),
    ("restores-uncounted", "nobody waits after a restore",
     "v_wait := v_facts.cooldown_us - (a.now_us - v_facts.restored_at);", "v_wait := 0;",
     "test_postgres_schema"),
    ("doubt-does-not-block", "`block` does not block",
     "IF v_facts.in_doubt = 'block' AND", "IF false AND", CONFORMANCE),
    ("disabled-trades", "a bot that is switched off trades",
     "ELSIF v_facts.enabled = 0 THEN", "ELSIF false THEN", CONFORMANCE),
    ("two-pending", "a bot has two trades under way",
     "ELSIF v_facts.lease_until > a.now_us THEN", "ELSIF false THEN", CONFORMANCE),
    ("lease-left-standing", "what is in doubt stays pending",
     "        UPDATE trades SET status = 'in_doubt' WHERE id = v_expired;\n", "", CONFORMANCE),
    ("permit-on-replay", "a replay gives the permit to anybody",
     "p_kind = 'reserve' AND p_token = p_trade.token\n", "p_kind = 'reserve'\n", CONFORMANCE),
    ("permit-after-the-lease", "a replay gives a permit whose lease is over",
     "      AND p_trade.status = 'pending' AND p_trade.lease_until > p_now, false);",
     "      AND p_trade.status = 'pending', false);", CONFORMANCE),
    ("price-unread", "the same key with another price is the same order",
     " OR p_trade.price IS DISTINCT FROM p_price\n", "\n", CONFORMANCE),
    ("any-token", "any token settles",
     "  IF NOT p_is_operator AND p_token IS DISTINCT FROM t.token OR p_token IS NULL AND NOT "
     "p_is_operator\n  THEN\n", "  IF false\n  THEN\n", CONFORMANCE),
    ("operator-in-between", "an operator settles while the lease runs",
     "  IF p_is_operator AND t.status = 'pending' AND t.lease_until > a.now_us THEN",
     "  IF false THEN", "test_postgres_schema"),
    ("settled-twice", "a second outcome overwrites the first",
     "  IF t.status IN ('filled', 'void') THEN\n", "  IF t.status IN ('filled') THEN\n", CONFORMANCE),
    ("fill-after-void-lost", "a fill after a void is not kept",
     "IF p_outcome = 'filled' AND t.status = 'void' AND NOT p_is_operator AND NOT EXISTS (",
     "IF false AND NOT EXISTS (", CONFORMANCE),
    ("late-unsaid", "a late fill is not called late",
     "v_is_late := t.status = 'in_doubt' OR t.lease_until <= a.now_us;", "v_is_late := false;",
     CONFORMANCE),
    ("superseded-unsaid", "a fill of an older epoch is not called so",
     "v_is_superseded := t.instance IS NOT NULL AND t.epoch IS DISTINCT FROM (",
     "v_is_superseded := false AND t.epoch IS DISTINCT FROM (", CONFORMANCE),
    ("fill-by-the-exchange-alone", "a fill is put where the exchange says, before its order",
     "v_filled_at := greatest(t.created_at, least(COALESCE(v_exchange_at, a.now_us), a.now_us));",
     "v_filled_at := COALESCE(v_exchange_at, a.now_us);", CONFORMANCE),
    ("live-after-the-lease", "an order may be sent after its lease",
     "      AND t.lease_until > now_of(l.mode, p_now_us)\n", "", "test_postgres_schema"),
    ("live-with-any-epoch", "an order may be sent by a process that lost its name",
     "        OR t.epoch = (SELECT i.epoch FROM instances AS i WHERE i.name = t.instance)))",
     "        OR true))", "test_postgres_schema"),
    ("answers-in-the-wrong-place", "a batch takes the next admission for the answer",
     "    IF t.key = e.key THEN\n", "    IF t.key IS NOT NULL THEN\n", "test_postgres.BatchTests"),
    ("batch-unchecked", "a batch takes what is malformed",
     "        x.instance, x.epoch, x.fill_quantity, x.fill_price, x.at_us)) IS TRUE)\n",
     "        x.instance, x.epoch, x.fill_quantity, x.fill_price, x.at_us) OR true) IS TRUE)\n",
     "test_postgres.RuleTests"),
    ("attempt-unchecked", "an attempt takes what is malformed",
     "      p_epoch, p_fill_quantity, p_fill_price, p_at_us) IS NOT TRUE\n    THEN",
     "      p_epoch, p_fill_quantity, p_fill_price, p_at_us) AND false\n    THEN", "test_postgres.RuleTests"),
    ("name-of-the-living", "a name is taken from a holder whose heartbeat runs",
     "    IF i.pid IS NOT NULL AND (i.heartbeat_until <= v_now) IS NOT TRUE\n",
     "    IF i.pid IS NOT NULL AND i.heartbeat_until IS NULL\n", "test_postgres.InstanceTests"),
    ("proof-of-an-older-death", "a proof that an older holder is dead takes the name",
     "(i.epoch = p_dead_epoch AND", "(p_dead_epoch IS NOT NULL AND", "test_postgres.InstanceTests"),
    ("proof-from-elsewhere", "another machine's proof of death takes the name",
     " AND i.boot_id = p_boot_id AND i.pid_namespace = p_pid_namespace\n"
     "        AND i.time_namespace = p_time_namespace)", ")", "test_postgres_schema"),
    ("lost-and-renewed", "who has lost a name renews it",
     "  IF (i.epoch = p_epoch AND i.pid IS NOT NULL) IS NOT TRUE THEN\n    RETURN instance_said('lost'",
     "  IF i.pid IS NULL THEN\n    RETURN instance_said('lost'", "test_postgres.InstanceTests"),
    ("released-by-another", "an older epoch gives a name back",
     "  WHERE name = p_name AND epoch = p_epoch AND pid IS NOT NULL;",
     "  WHERE name = p_name AND pid IS NOT NULL;", "test_postgres.InstanceTests"),
    ("evicted-with-its-epoch", "who was evicted trades on",
     "  UPDATE instances SET epoch = instances.epoch + 1, pid = NULL, heartbeat_until = NULL\n"
     "  WHERE instances.name = p_name RETURNING",
     "  UPDATE instances SET pid = NULL, heartbeat_until = NULL\n"
     "  WHERE instances.name = p_name RETURNING", "test_postgres.InstanceTests"),
    ("restored-with-its-epochs", "who held a name before a restore trades on",
     "  UPDATE instances SET epoch = epoch + 1, pid = NULL, heartbeat_until = NULL;\n  v_now",
     "  v_now", "test_postgres_schema"),
    ("worker-resolves", "a worker may do what operators do",
     "GRANT EXECUTE ON FUNCTION layout,", "GRANT EXECUTE ON FUNCTION resolve, layout,",
     "test_postgres"),
    ("worker-writes", "a worker may write tables",
     "GRANT SELECT ON ledger_row,", "GRANT INSERT ON trades TO tradeledger_worker;\n"
     "GRANT SELECT ON ledger_row,", "test_postgres_schema"),
    ("held-by-a-look", "a holder that asks again is told what a standby may not have",
     "      AND (v_is_locked OR (i.boot_id, i.pid, i.start_ticks)\n"
     "        IS DISTINCT FROM (p_boot_id, p_pid, p_start_ticks))\n", "", "test_postgres_schema"),
    ("added-by-a-look", "a bot that is added again is told of as a standby may not have it",
     "    PERFORM 1 FROM bots WHERE name = p_bot FOR KEY SHARE;\n", "", "test_postgres_schema"),
    ("any-isolation-by-hand", "a trade by hand is judged by an old snapshot",
     "  PERFORM begin_writing(NULL);\n  PERFORM lock_bot(", "  PERFORM lock_bot(", "test_postgres_schema"),
    ("doubt-with-more", "a row by hand that falls into doubt changes in something else",
     "      AND NEW.filled_boot_us IS NULL AND NEW.settled_with IS NULL\n", "", "test_postgres_schema"),
    ("backslash-taken-away", "a setting of the caller lets a malformed amount in",
     "(?:[.][0-9]{0,17}[1-9])?", "(?:\\.[0-9]{0,17}[1-9])?", "test_postgres_schema"),
    ("clock-of-the-reader", "an operator of the reader's search path is asked for the time",
     "* 1000000::numeric)::bigint", "* 1000000)::bigint", "test_postgres_schema"),
    ("instant-of-the-reader", "a function of the reader's search path writes the instants",
     "(p_us / 1000000::bigint)::double precision", "p_us / 1000000", "test_postgres_schema"),
    ("fraction-of-the-reader", "an operator of the reader's search path writes the instants",
     "p_us % 1000000::bigint", "p_us % 1000000", "test_postgres_schema"),
    ("set-up-on-any-path", "what somebody made in the database steps in when it is set up",
     "SET LOCAL search_path = pg_catalog, pg_temp;\n", "", "test_postgres_schema"),
    ("tokens-are-seen", "a token is read in a view",
     "    t.cooldown_us, NULL::text AS token,", "    t.cooldown_us, t.token,", "test_postgres"),
)  # fmt: skip

# Triggers: rows that somebody writes by hand are held to the rules too.
TRIGGERS = (
    "trade_new", "trade_change", "trade_kept", "trades_kept", "conflict_new", "conflict_fixed",
    "conflict_kept", "bot_new", "bot_fixed", "bot_kept", "settings_new", "settings_fixed",
    "settings_kept", "instance_write", "instance_kept", "ledger_fixed", "ledger_kept", "restore_new",
    "restore_fixed", "restore_kept",
)  # fmt: skip


def drop(trigger):
    with open(os.path.join(ROOT, SERVER_SCHEMA), encoding="utf-8") as file:
        statement = re.search(rf"CREATE TRIGGER {trigger} .*?;\n", file.read(), re.DOTALL).group(0)
    return Mutation(
        f"server-drop-{trigger}", f"the trigger `{trigger}` is gone on the server",
        ((SERVER_SCHEMA, statement, ""),), ("test_postgres.RuleTests", "test_postgres_schema"))


CONNECTION = "Sources/PostgreSQL/Connection.swift"
ENGINE = "Sources/TradeLedger/Engine/PostgreSQL/"
SESSION = ENGINE + "ServerSession.swift"
CALL = ENGINE + "TradingCall.swift"
NAMES = ENGINE + "PostgreSQLEngine+Instances.swift"

# The same of the Swift engine: the file comes before the text.
IN_SWIFT = (
    ("warning-unheard", "a yes that a standby may not have is a yes", CONNECTION,
     "guard let warning = warnings.last else { return }",
     "guard let warning = warnings.last, warning.isEmpty else { return }", "ConnectionTests"),
    ("prepared-for-good", "a statement that a pooler has lost is an error", CONNECTION,
     "guard error.sqlState == PostgreSQLError.noSuchPreparedStatement, !isLost else {",
     "guard error.sqlState == PostgreSQLError.duplicatePreparedStatement, !isLost else {",
     "ConnectionTests"),
    ("prepared-by-another", "another client's statement of that name is carried out", CONNECTION,
     "if error.sqlState == PostgreSQLError.duplicatePreparedStatement, !isLost { return false }",
     "if error.sqlState == PostgreSQLError.duplicatePreparedStatement, !isLost { return true }",
     "ConnectionTests"),
    ("repeat-is-a-replay", "what a lost try has done is called another's", CALL,
     "let isOwn = isRepeated && (", "let isOwn = !isRepeated && (", "LostAnswerTests"),
    ("denial-after-a-lost-try", "a denial is final although the first try may still arrive", CALL,
     "if isRepeated && denial.reason != .keyConflict {",
     "if isRepeated && denial.reason == .keyConflict {", "LostAnswerTests"),
    ("lost-is-not-written", "a lost answer means that nothing was written", SESSION,
     "if isWriting && failure.fate == .unknown { unknown = failure }",
     "if isWriting && failure.fate == .unknown && address.hasSeveralHosts { unknown = failure }",
     "LostAnswerTests"),
    ("longer-than-promised", "a call takes four times what is promised", SESSION,
     "let end = wait.later(by: patience)", "let end = wait.later(by: patience * 4)", "WaitTests"),
    ("callers-in-line-wait-on", "who stands in line is told of its limit when its turn comes",
     ENGINE + "TradingDesk.swift", "      if let woken { start(woken.lane, woken.number) }\n"
     "      if let alarm { set(alarm) }\n",
     "      if let woken { start(woken.lane, woken.number) }\n      _ = alarm\n", "WaitTests"),
    ("another-ledger", "a connection that is made anew trades in another ledger",
     ENGINE + "OpenedLedger.swift", "guard found == known else {",
     "guard found.count == known.count else {", "ReplacedTests"),
    ("any-version", "a server that is too old is asked", SESSION,
     "private static let oldestServer = 150_000", "private static let oldestServer = 0",
     "PostgreSQLTests.FaultTests"),
    ("any-schema", "an altered schema is traded with", ENGINE + "PostgreSQLEngine+Open.swift",
     "guard alterations.isEmpty else {", "guard alterations.count < 1000 else {",
     "FingerprintTests"),
    ("serialization-is-final", "a serialization failure is not tried again",
     ENGINE + "ServerErrors.swift", 'case "40001", "40P01",', 'case "40P01",',
     "PostgreSQLTests.FaultTests"),
    ("name-of-another-ledger", "a name that the process has elsewhere is taken for a lost try's",
     NAMES, "if reply.isRepeated, holder.identity == identity, !has(stored.claim) {",
     "if reply.isRepeated, holder.identity == identity {", "LostAnswerTests"),
    ("operator-in-a-trap", "a function that a worker made runs as the operator who asks",
     ENGINE + "ServerStatements.swift", "pg_catalog.pg_has_role(", "pg_has_role(", "TrapTests"),
    ("copy-in-a-trap", "a function that a worker made runs as the operator who copies",
     ENGINE + "ServerStatements+Copying.swift", "pg_catalog.jsonb_populate_recordset(",
     "jsonb_populate_recordset(", "TrapTests"),
    ("worker-of-all-data", "nobody sees that the worker role may write all tables",
     ENGINE + "ServerStatements+Schema.swift",
     " OR g.rolname IN ('pg_read_all_data', 'pg_write_all_data')", "", "FingerprintTests"),
    ("evicts-who-follows", "an eviction that is asked for again evicts the next holder", NAMES,
     '[name.description, $0, "\\(seen.epoch)"]', "[name.description, $0, nil]",
     "RepeatedWriteTests"),
)  # fmt: skip

MUTATIONS = [
    Mutation(f"server-{name}", breaks, ((SERVER_SCHEMA, old, new),), (tests,))
    for name, breaks, old, new, tests in IN_SQL
] + [drop(trigger) for trigger in TRIGGERS] + [
    Mutation(f"server-{name}", breaks, ((path, old, new),), (tests,))
    for name, breaks, path, old, new, tests in IN_SWIFT
]
