"""What the functions of schema.postgres.sql promise, whoever asks: each of these was red once with
the rule taken out (scripts/mutate)."""

from __future__ import annotations

import threading
import time
from typing import Any

from postgres_support import WORKER, ServerLedger, ServerTestCase, address, psycopg, schema

ATTEMPT = (
    "SELECT outcome, now_us, id FROM tradeledger.attempt(%s, 'a', %s, 'buy', 'B', '1', NULL, %s, 1, "
    "%s, %s, NULL, NULL, NULL, %s, %s)"
)
TOKEN = "token-of-the-caller"


class Case(ServerTestCase):
    def attempt(
        self, key: str, kind: str = "record", instance: tuple[str, int] | None = None,
        wait_ms: int = 5000, connection: Any = None,
    ) -> Any:  # fmt: skip
        token = TOKEN if kind == "reserve" else None
        name, epoch = instance or (None, None)
        values = (kind, key, token, name, epoch, wait_ms, self.server._now)
        row = (connection or self.server.operator).execute(ATTEMPT, values).fetchone()
        assert row is not None
        return row

    def another(self, autocommit: bool = True) -> Any:
        connection = psycopg.connect(address(self.server.name), autocommit=autocommit)
        self.addCleanup(connection.close)
        return connection

    def acquire(self, boot: str = "boot", dead: int | None = None, pid: int = 7) -> tuple[str, int]:
        outcome, epoch = self.server.query(
            "SELECT outcome, epoch FROM tradeledger.acquire('desk', %s, 1, 1, %s, 7, 'h', 'c', NULL, "
            "%s, 5000, %s)", boot, pid, dead, self.server._now,
        )[0]  # fmt: skip
        return str(outcome), int(epoch)


class UnderTheLockTests(Case):
    mode = "live"
    WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = %s"

    def holder(self) -> Any:
        holder = self.another(autocommit=False)
        holder.execute("SELECT 1 FROM tradeledger.bots WHERE name = 'a' FOR UPDATE")
        return holder

    def test_the_clock_is_read_when_the_lock_was_had(self) -> None:
        self.server.add_bot("a", cooldown_us=0)
        for is_remembered in (False, True):
            if is_remembered:
                self.assertEqual(self.attempt("first")[0], "admitted")
            answers: list[Any] = []
            holder, asker = self.holder(), self.another()
            thread = threading.Thread(
                target=lambda asker=asker, answers=answers, is_remembered=is_remembered: (
                    answers.append(self.attempt(f"k{is_remembered}", connection=asker))
                )
            )
            thread.start()
            while self.server.query(self.WAITING, asker.info.backend_pid) == [(0,)]:
                time.sleep(0.001)
            (released,) = self.server.query("SELECT tradeledger.server_now()")[0]
            holder.rollback()
            thread.join()
            self.assertEqual(answers[0][0], "admitted")
            self.assertGreaterEqual(answers[0][1], released, f"remembered: {is_remembered}")

    def test_the_clock_is_read_when_the_instance_was_had_too(self) -> None:
        self.server.add_bot("a", cooldown_us=0)
        self.acquire()
        for key in ("first", "remembered"):
            evicting = self.another(autocommit=False)
            evicting.execute("SELECT tradeledger.evict('desk')")
            answers: list[Any] = []
            asker = self.another()
            thread = threading.Thread(
                target=lambda asker=asker, answers=answers, key=key: (
                    answers.append(self.attempt(key, instance=("desk", 1), connection=asker))
                )
            )
            thread.start()
            while self.server.query(self.WAITING, asker.info.backend_pid) == [(0,)]:
                time.sleep(0.001)
            (released,) = self.server.query("SELECT tradeledger.server_now()")[0]
            evicting.rollback()
            thread.join()
            self.assertEqual(answers[0][0], "admitted")
            self.assertGreaterEqual(answers[0][1], released, key)

    IS_WRITTEN = "SELECT pg_current_xact_id_if_assigned() IS NOT NULL"

    def test_a_bot_that_is_added_again_is_told_of_as_a_standby_has_it(self) -> None:
        self.server.add_bot("a", cooldown_us=0)
        with self.server.operator.transaction():
            self.server.add_bot("a", cooldown_us=0)
            self.assertEqual(self.server.query(self.IS_WRITTEN), [(True,)])

    def test_a_holder_that_asks_again_is_told_what_a_standby_has(self) -> None:
        """Its answer was lost, and COMMIT waits for a standby only after a write: a lock is one."""
        self.assertEqual(self.acquire(), ("taken", 1))
        for pid, is_written in ((8, False), (7, True)):
            with self.server.operator.transaction():
                self.assertEqual(self.acquire(pid=pid), ("held", 1))
                self.assertEqual(self.server.query(self.IS_WRITTEN), [(is_written,)])

    def test_what_falls_into_doubt_needs_the_lock(self) -> None:
        for cooldown in (0, 60_000_000):  # The answer is yes; it is no.
            self.server.reset()
            self.server.add_bot("a", cooldown_us=cooldown, lease_us=1000)
            self.assertEqual(self.attempt("k1", "reserve")[0], "admitted")
            time.sleep(0.01)  # The lease, by the clock of the server.
            holder = self.holder()
            with self.assertRaises(psycopg.errors.LockNotAvailable):
                self.attempt("k2", wait_ms=50)
            status = self.server.query("SELECT status FROM tradeledger.trades")
            self.assertEqual(status, [("pending",)])
            holder.rollback()
            self.attempt("k2")
            status = self.server.query("SELECT status FROM tradeledger.trades WHERE key = 'k1'")
            self.assertEqual(status, [("in_doubt",)])

    def test_a_take_over_waits_for_a_trade_of_a_bot_that_is_known_to_be_free(self) -> None:
        self.server.add_bot("a", cooldown_us=0)
        self.assertEqual(self.acquire(), ("taken", 1))
        self.assertEqual(self.attempt("k1", instance=("desk", 1))[0], "admitted")
        trader = self.another(autocommit=False)
        row = self.attempt("k2", instance=("desk", 1), connection=trader)
        self.assertEqual(row[0], "admitted")
        with self.assertRaises(psycopg.errors.LockNotAvailable):
            self.server.query(
                "SELECT tradeledger.acquire('desk', 'boot', 1, 1, 8, 7, 'h', 'c', NULL, 1, 50, NULL)"
            )
        trader.rollback()
        self.assertEqual(self.acquire(dead=1), ("taken", 2))

    def test_an_older_epoch_trades_no_more_although_the_bot_is_known_to_be_free(self) -> None:
        self.server.add_bot("a", cooldown_us=0)
        self.acquire()
        self.assertEqual(self.attempt("k1", instance=("desk", 1))[0], "admitted")
        self.assertEqual(self.acquire(dead=1), ("taken", 2))
        self.assertEqual(self.attempt("k2", instance=("desk", 1))[0], "denied")
        self.assertEqual(self.attempt("k3", instance=("desk", 2))[0], "admitted")


class TimeTests(Case):
    def is_live(self, trade: int, token: str = TOKEN) -> bool:
        return bool(self.server.query(
            "SELECT tradeledger.is_live(%s, %s, %s)", trade, token, self.server._now
        )[0][0])  # fmt: skip

    def test_an_order_may_be_sent_while_the_lease_runs_and_the_epoch_is_current(self) -> None:
        self.server.add_bot("a", cooldown_us=0, lease_us=1_000_000)
        self.acquire()
        trade = self.attempt("k1", "reserve", ("desk", 1))[2]
        self.assertTrue(self.is_live(trade))
        self.assertFalse(self.is_live(trade, "token-of-a-stranger"))
        self.assertFalse(self.is_live(trade + 1))
        self.server.clock.advance(999_999)
        self.assertTrue(self.is_live(trade))
        self.server.clock.advance(1)
        self.assertFalse(self.is_live(trade))
        trade = self.attempt("k2", "reserve", ("desk", 1))[2]
        self.assertTrue(self.is_live(trade))
        self.assertEqual(self.acquire(dead=1), ("taken", 2))
        self.assertFalse(self.is_live(trade))

    def test_an_operator_settles_what_is_in_doubt_and_not_before(self) -> None:
        self.server.add_bot("a", cooldown_us=0, lease_us=1_000_000)
        trade = self.attempt("k1", "reserve")[2]
        resolve = "SELECT outcome, reason FROM tradeledger.resolve(%s, NULL, 'void', NULL, NULL, " \
            "NULL, 'never sent', 5000, %s)"  # fmt: skip
        self.server.clock.advance(999_999)
        answer = self.server.query(resolve, trade, self.server._now)
        self.assertEqual(answer, [("denied", "in_progress")])
        self.server.clock.advance(1)
        self.assertEqual(
            self.server.query(resolve, trade, self.server._now), [("settled", None)]
        )

    def test_what_falls_into_doubt_changes_in_nothing_else(self) -> None:
        self.server.add_bot("a", cooldown_us=0, lease_us=1_000_000)
        self.attempt("k", "reserve")
        fall = "UPDATE tradeledger.trades SET status = 'in_doubt'"
        for other in ("filled_boot_us = 1", "filled_at = 1", "received_at = 1", "reason = 'x'",
                      "settled_with = token", "late = 1", "superseded = 1"):  # fmt: skip
            with self.subTest(other), self.assertRaises(psycopg.Error) as raised:
                self.server.query(f"{fall}, {other}")
            self.assertEqual(raised.exception.sqlstate, "TL113")
        self.server.query(fall)

    def test_after_a_restore_every_bot_waits_and_every_name_has_a_new_epoch(self) -> None:
        self.server.add_bot("a", cooldown_us=1_000_000)
        self.acquire()
        self.server.query("SELECT tradeledger.restored(%s)", self.server._now)
        self.assertEqual(self.attempt("k1", instance=("desk", 1))[0], "denied")
        self.assertEqual(self.acquire(), ("taken", 3))
        self.server.clock.advance(999_999)
        self.assertEqual(self.attempt("k2")[0], "denied")
        self.server.clock.advance(1)
        self.assertEqual(self.attempt("k3")[0], "admitted")

    def test_only_the_own_machine_proves_a_holder_dead(self) -> None:
        self.assertEqual(self.acquire(), ("taken", 1))
        self.assertEqual(self.acquire(boot="another", dead=1), ("held", 1))
        self.assertEqual(self.acquire(dead=1), ("taken", 2))


class PrivilegeTests(Case):
    mode = "live"
    # What fits better than the server's own, wherever that would have to convert a type.
    TRAPS = "".join(
        f"CREATE FUNCTION public.{function} LANGUAGE plpgsql AS 'BEGIN RAISE ''trapped''; END';"
        for function in (
            "times(numeric, integer) RETURNS numeric", "rest(bigint, integer) RETURNS bigint",
            "to_timestamp(bigint) RETURNS timestamptz", "format(text, name) RETURNS text",
            "pg_has_role(name, text, text) RETURNS boolean", "concat(text, text) RETURNS text",
            "concat(text, name) RETURNS text", "convert_to(text, text) RETURNS bytea",
            "acldefault(text, oid) RETURNS aclitem[]", "same(oid, integer) RETURNS boolean",
            "pg_get_expr(pg_node_tree, integer) RETURNS text",
        )
    ) + (
        "CREATE OPERATOR public.* (LEFTARG = numeric, RIGHTARG = integer, FUNCTION = public.times);"
        "CREATE OPERATOR public.% (LEFTARG = bigint, RIGHTARG = integer, FUNCTION = public.rest);"
        "CREATE OPERATOR public.= (LEFTARG = oid, RIGHTARG = integer, FUNCTION = public.same);"
    )  # fmt: skip

    def lay_traps(self, server: ServerLedger) -> None:
        # As it was by default before PostgreSQL 15.
        server.query("GRANT CREATE ON SCHEMA public TO PUBLIC")
        with psycopg.connect(server.url(), autocommit=True) as worker:
            worker.execute(self.TRAPS.encode())
        with self.assertRaisesRegex(psycopg.Error, "trapped"):
            server.query("SELECT 1::numeric * 1")

    def test_nothing_of_a_worker_runs_as_whoever_reads(self) -> None:
        self.server.add_bot("a", cooldown_us=60_000_000)
        self.attempt("k", "reserve")
        past = ATTEMPT.replace("NULL, %s, %s)", "%s, %s, %s)")
        (now,) = self.server.query("SELECT tradeledger.server_now()")[0]
        self.server.query(past, "past", "p", None, None, None, now, 0, None)
        self.addCleanup(self.server.query, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        self.addCleanup(self.server.query, f"DROP OWNED BY {WORKER}")
        self.lay_traps(self.server)
        for view in ("open_trades", "cooldowns", "double_trades"):
            with self.subTest(view):
                self.assertEqual(len(self.server.query(f"SELECT * FROM tradeledger.{view}")), 1)
        self.server.open(address(self.server.name)).close()

    def test_nothing_of_a_worker_runs_as_whoever_sets_up(self) -> None:
        server = ServerLedger("live", is_made=False)
        self.addCleanup(server.close)
        server.query("DROP SCHEMA tradeledger CASCADE")
        self.lay_traps(server)
        server.operator.execute(schema().encode())

    def test_a_setting_of_a_worker_changes_no_rule(self) -> None:
        self.server.add_bot("a", cooldown_us=0)
        with psycopg.connect(self.server.url(), autocommit=True) as worker:
            # A backslash in a text stands for what follows it, in whatever is read from then on.
            worker.execute("SET standard_conforming_strings = off")
            for quantity in ("1/5", "1x5"):
                with self.assertRaises(psycopg.Error) as raised:
                    worker.execute(ATTEMPT.replace("'1'", f"'{quantity}'").encode(), (
                        "record", "k", None, None, None, 0, None))  # fmt: skip
                self.assertEqual(raised.exception.sqlstate, "TL100")

    def test_a_worker_reads_views_and_touches_no_table(self) -> None:
        rows = self.server.query(
            "SELECT c.relname, p.name FROM pg_class AS c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', "
            "'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p (name) "
            "WHERE c.relnamespace = 'tradeledger'::regnamespace AND c.relkind IN ('r', 'v', 'S') "
            "AND NOT (c.relkind = 'v' AND p.name = 'SELECT') "
            "AND CASE c.relkind WHEN 'S' THEN p.name IN ('SELECT', 'UPDATE') "
            "AND has_sequence_privilege('tradeledger_worker', c.oid, p.name) "
            "ELSE has_table_privilege('tradeledger_worker', c.oid, p.name) END"
        )
        self.assertEqual(rows, [])
        self.assertGreater(self.server.query("SELECT count(*) FROM pg_views WHERE has_table_privilege("
            "'tradeledger_worker', schemaname || '.' || viewname, 'SELECT') AND schemaname = "
            "'tradeledger'")[0][0], 5)  # fmt: skip

    def test_restores_and_conflicts_never_change(self) -> None:
        self.server.add_bot("a", cooldown_us=0)
        trade = self.attempt("k", "reserve")[2]
        settle = "SELECT tradeledger.settle(%s, NULL, %s, %s, NULL, NULL, NULL, %s)"
        self.server.query(settle, trade, "void", TOKEN, "not sent")
        self.server.query(settle, trade, "filled", TOKEN, None)
        self.server.query("SELECT tradeledger.restored()")
        for table, codes in (("conflicts", ("TL122", "TL123")), ("restores", ("TL161", "TL162"))):
            self.assertEqual(self.server.query(f"SELECT count(*) FROM tradeledger.{table}"), [(1,)])
            for sql, code in (
                (f"UPDATE tradeledger.{table} SET at = at", codes[0]),
                (f"DELETE FROM tradeledger.{table}", codes[1]),
                (f"TRUNCATE tradeledger.{table}", codes[1]),
            ):
                with self.subTest(sql=sql), self.assertRaises(psycopg.Error) as raised:
                    self.server.query(sql)
                self.assertEqual(raised.exception.sqlstate, code)

    def test_a_trade_by_hand_is_not_judged_by_an_old_snapshot(self) -> None:
        """A fact of the past leaves the row of its bot alone, so that it would not be noticed."""
        self.server.add_bot("a", cooldown_us=60_000_000)
        with psycopg.connect(address(self.server.name)) as writer:
            writer.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            writer.execute("SELECT 1 FROM tradeledger.ledger")
            (row,) = self.server.query(
                "SELECT outcome FROM tradeledger.attempt('past', 'a', 'p', 'buy', 'B', '1', NULL, "
                "NULL, 1, NULL, NULL, NULL, NULL, tradeledger.server_now())"
            )
            self.assertEqual(row, ("admitted",))
            with self.assertRaises(psycopg.Error) as raised:
                writer.execute(
                    "INSERT INTO tradeledger.trades (bot_id, key, origin, side, symbol, quantity, "
                    "cooldown_us, created_at, status, filled_at, filled_quantity, received_at) "
                    "SELECT 1, 'k', 'record', 'buy', 'B', '1', 60000000, us, 'filled', us, '1', us "
                    "FROM (SELECT tradeledger.server_now() AS us OFFSET 0) AS clock"
                )
            self.assertEqual(raised.exception.sqlstate, "TL000")

    def test_rows_by_hand_are_true_or_refused(self) -> None:
        self.server.add_bot("a", cooldown_us=0)
        self.attempt("k")
        for code, sql in (
            ("TL120", "INSERT INTO tradeledger.conflicts (bot_id, trade_id, kind, token, at, quantity,"
             " received_at) SELECT bot_id, id, 'fill_after_void', 'x', filled_at, '1', filled_at "
             "FROM tradeledger.trades"),
            ("TL134", "INSERT INTO tradeledger.settings (bot_id, cooldown_us, lease_us, in_doubt, "
             "enabled, at) VALUES (1, 0, 1000, 'block', 1, 1)"),
            ("TL160", "INSERT INTO tradeledger.restores (at) VALUES (1)"),
        ):  # fmt: skip
            with self.subTest(sql=sql), self.assertRaises(psycopg.Error) as raised:
                self.server.query(sql)
            self.assertEqual(raised.exception.sqlstate, code)
