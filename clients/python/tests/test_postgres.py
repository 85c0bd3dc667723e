"""What a ledger on a PostgreSQL server promises beyond the conformance cases."""

from __future__ import annotations

import contextlib
import os
import random
import re
import threading
import time
import unittest
import urllib.parse
from typing import Any

import tradeledger
from postgres_support import POOLER, WORKER, ServerLedger, ServerTestCase, address, psycopg
from support import ROOT
from tradeledger import Ledger

ORDER = ("momentum", "buy", "BTC-USD", "0.25")


class TradingTests(ServerTestCase):
    mode = "live"

    def setUp(self) -> None:
        super().setUp()
        self.server.add_bot(cooldown_us=60_000_000)

    def test_trade_from_reserve_to_fill(self) -> None:
        with self.server.open() as ledger:
            self.assertEqual(ledger.mode, "live")
            with ledger.trade(*ORDER, key="k") as permit:
                self.assertTrue(ledger.is_live(permit))
                permit.filled(price="100.10")
            found = ledger.find("k")
            assert found is not None
            self.assertEqual((found.status, found.filled_price), ("filled", "100.1"))
            denied = self.denied(ledger.reserve, *ORDER)
            self.assertEqual(denied.reason, "cooldown")
            self.assertLessEqual(denied.retry_after or 0, 60)
            self.assertEqual(ledger.bot("momentum").cooldown_us, 60_000_000)

    def test_of_eight_at_once_one_trades(self) -> None:
        outcomes: list[str] = []
        barrier = threading.Barrier(8)

        def ask() -> None:
            with self.server.open() as ledger:
                barrier.wait()
                try:
                    ledger.record(*ORDER)
                    outcomes.append("recorded")
                except tradeledger.Denied as denied:
                    outcomes.append(denied.reason)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(outcomes), ["cooldown"] * 7 + ["recorded"])

    def test_a_token_is_seen_by_nobody_else(self) -> None:
        with self.server.open() as ledger:
            permit = ledger.reserve(*ORDER, key="k", token="token-of-the-caller")
            with psycopg.connect(self.server.url()) as worker:
                rows = worker.execute("SELECT token FROM tradeledger.trade_rows").fetchall()
                self.assertEqual(rows, [(None,)])
            with self.server.open() as other:
                answer = self.denied(other.fill, permit.id, token="token-of-a-stranger")
                self.assertEqual(answer.reason, "wrong_token")

    def test_a_fork_does_not_use_the_connection(self) -> None:
        with self.server.open() as ledger:
            pid = os.fork()
            if pid == 0:
                try:
                    ledger.check("momentum")
                except tradeledger.LedgerError as error:
                    os._exit(0 if error.code == "configuration" else 1)
                os._exit(2)
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
            self.assertIsNone(ledger.check("momentum"))

    def test_a_lost_connection_is_made_anew(self) -> None:
        with self.server.open(self.server.url()) as ledger:
            for _ in range(3):
                self.server.query(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s",
                    WORKER,
                )
                self.assertIsNone(ledger.check("momentum"))

    def test_a_denial_after_a_lost_try_is_not_final(self) -> None:
        """The first try may still be on its way, and be admitted later."""
        with self.server.open(self.server.url()) as ledger:
            ledger.record(*ORDER, key="k")
            rows = ledger._server.rows  # type: ignore[attr-defined]
            asked: list[int] = []

            def lose_the_first(*arguments: Any) -> Any:
                asked.append(1)
                answer = rows(*arguments)
                if len(asked) == 1:
                    raise tradeledger._ConnectionLost("cut", True)
                return answer

            ledger._server.rows = lose_the_first  # type: ignore[attr-defined]
            error = self.failed("outcome_unknown", ledger.record, *ORDER, key="other")
            self.assertEqual((error.retry, len(asked)), ("check_first", 2))
            asked.clear()
            self.assertTrue(ledger.record(*ORDER, key="k").replayed)
            asked.clear()
            self.assertEqual(
                self.denied(ledger.record, "momentum", "sell", "B", "1", key="k").reason,
                "key_conflict",
            )

    def test_the_clock_of_the_caller_does_not_count(self) -> None:
        code = self.failed("configuration", Ledger(self.server.url(), clock=self.server.clock).check,
                           "momentum")  # fmt: skip
        self.assertIn("clock", str(code))


class LockTests(ServerTestCase):
    mode = "live"

    def setUp(self) -> None:
        super().setUp()
        for bot in ("a", "b"):
            self.server.add_bot(bot, cooldown_us=0)

    def hold(self, bot: str) -> Any:
        holder = psycopg.connect(address(self.server.name))
        holder.execute("SELECT 1 FROM tradeledger.bots WHERE name = %s FOR UPDATE", (bot,))
        self.addCleanup(holder.close)
        return holder

    def test_a_bot_waits_for_its_own_lock_and_no_longer_than_its_limit(self) -> None:
        with self.server.open(lock_wait=0.3) as ledger:
            holder = self.hold("a")
            start = time.monotonic()
            self.failed("busy", ledger.record, "a", "buy", "BTC-USD", "1", key="k")
            self.assertLess(time.monotonic() - start, 1.3)
            ledger.record("b", "buy", "BTC-USD", "1")
            holder.close()
            self.assertFalse(ledger.record("a", "buy", "BTC-USD", "1", key="k").replayed)

    def test_the_queue_for_one_lock_does_not_wait_twice(self) -> None:
        self.hold("a")
        times: list[float] = []

        def ask() -> None:
            with self.server.open(lock_wait=0.4) as ledger:
                start = time.monotonic()
                self.failed("busy", ledger.record, "a", "buy", "BTC-USD", "1")
                times.append(time.monotonic() - start)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(times), 4)
        self.assertLess(max(times), 1.4)


class RuleTests(ServerTestCase):
    """What the database refuses to whoever writes without the functions."""

    mode = "live"

    def setUp(self) -> None:
        super().setUp()
        self.server.add_bot(cooldown_us=60_000_000)
        self.server.query("CREATE ROLE tradeledger_test_other LOGIN")
        self.addCleanup(self.server.query, "DROP ROLE tradeledger_test_other")

    def refused(self, state: str, sql: str, *values: Any) -> None:
        with self.assertRaises(psycopg.Error) as raised:
            self.server.query(sql, *values)
        self.assertEqual(raised.exception.sqlstate, state, raised.exception)

    INSERT = """
        INSERT INTO tradeledger.trades (bot_id, key, origin, side, symbol, quantity, cooldown_us,
          created_at, status, filled_at, filled_quantity, received_at)
        SELECT 1, %s, 'record', 'buy', 'BTC-USD', %s, 60000000, now_us, 'filled', now_us, %s, now_us
        FROM (SELECT tradeledger.server_now() + %s AS now_us OFFSET 0) AS clock"""

    def test_a_trade_by_hand_is_held_to_the_rules(self) -> None:
        self.refused("TL100", self.INSERT, "k", "1.50", "1", 0)
        self.refused("TL103", self.INSERT, "k", "1", "1", 2_000_000)
        self.server.query(self.INSERT, "k", "1", "1", 0)
        self.refused("TL106", self.INSERT, "k2", "1", "1", 0)
        self.refused("TL110", "UPDATE tradeledger.trades SET quantity = '2'")
        self.refused("TL111", "UPDATE tradeledger.trades SET late = 1")
        self.refused("TL115", "DELETE FROM tradeledger.trades")
        self.refused("TL115", "TRUNCATE tradeledger.trades CASCADE")
        with self.server.open() as ledger:
            self.assertEqual(self.denied(ledger.record, *ORDER).reason, "cooldown")

    def test_a_pending_trade_is_settled_by_its_token_alone(self) -> None:
        with self.server.open() as ledger:
            ledger.reserve(*ORDER, key="k", token="token-of-the-caller")
        sql = "UPDATE tradeledger.trades SET status = %s, settled_with = %s, reason = 'x', " \
            "received_at = tradeledger.server_now()"  # fmt: skip
        self.refused("TL112", sql, "void", "token-of-a-stranger")
        self.refused("TL113", "UPDATE tradeledger.trades SET status = 'in_doubt'")
        self.refused("TL105", self.INSERT, "k2", "1", "1", 0)
        self.server.query(sql, "void", "token-of-the-caller")

    def test_what_never_changes(self) -> None:
        self.server.take("desk")
        for state, sql in (
            ("TL132", "UPDATE tradeledger.bots SET name = 'other'"),
            ("TL133", "DELETE FROM tradeledger.bots"),
            ("TL136", "UPDATE tradeledger.settings SET cooldown_us = 0"),
            ("TL137", "DELETE FROM tradeledger.settings"),
            ("TL141", "UPDATE tradeledger.instances SET epoch = 7"),
            ("TL142", "DELETE FROM tradeledger.instances"),
            ("TL151", "UPDATE tradeledger.ledger SET mode = 'paper'"),
            ("TL152", "DELETE FROM tradeledger.ledger"),
            ("TL150", "SELECT tradeledger.make_ledger('paper')"),
            ("TL130", "INSERT INTO tradeledger.bots (name) VALUES ('two words')"),
        ):
            with self.subTest(sql=sql):
                self.refused(state, sql)

    def test_the_worker_role_can_trade_and_rewrite_nothing(self) -> None:
        with psycopg.connect(self.server.url(), autocommit=True) as worker:
            for sql in (
                "INSERT INTO tradeledger.bots (name) VALUES ('x')",
                "UPDATE tradeledger.trades SET late = 1", "DELETE FROM tradeledger.trades",
                "TRUNCATE tradeledger.trades", "SELECT token FROM tradeledger.trades",
                "ALTER TABLE tradeledger.trades DISABLE TRIGGER ALL",
                "SELECT tradeledger.change_bot('momentum', 0, NULL, NULL, NULL)",
                "SELECT tradeledger.evict('desk')", "SELECT tradeledger.restored()",
                "SELECT tradeledger.resolve(1, NULL, 'void', NULL, NULL, NULL, 'x')",
                "SELECT tradeledger.begin_writing(1)", "SELECT tradeledger.settle_as(true, 1, NULL, 'void', NULL, NULL, NULL, NULL, 'x', "
                "1, NULL)", "SELECT tradeledger.copy_begins()", "SET ROLE tradeledger_owner",
                "CREATE FUNCTION tradeledger.evil() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
            ):  # fmt: skip
                with self.subTest(sql=sql), self.assertRaises(psycopg.Error) as raised:
                    worker.execute(sql)
                self.assertEqual(raised.exception.sqlstate, "42501")
        with psycopg.connect(self.server.url(user="tradeledger_test_other")) as other:
            with self.assertRaises(psycopg.Error) as raised:
                other.execute("SELECT tradeledger.check_bot('momentum')")
            self.assertEqual(raised.exception.sqlstate, "42501")

    def test_the_functions_take_nothing_malformed(self) -> None:
        good = ("'record'", "'momentum'", "'k'", "'buy'", "'BTC-USD'", "'1'", "NULL", "NULL", "1",
                "NULL", "NULL", "NULL", "NULL", "NULL")  # fmt: skip
        bad = ((0, "'other'"), (0, "NULL"), (2, "'two words'"), (2, "NULL"), (3, "'hold'"),
               (4, "''"), (4, "'-B'"), (4, "'ü'"), (5, "'1.0'"), (5, "'-1'"), (5, "'0'"), (5, "NULL"),
               (5, "E'1\\n'"), (6, "'1e3'"), (7, "'token-of-the-caller'"), (8, "0"), (9, "'desk'"),
               (10, "1"), (11, "'0'"), (12, "'x'"), (13, "5000000000000000000"))  # fmt: skip
        with psycopg.connect(self.server.url(), autocommit=True) as worker:
            for place, text in bad:
                words = [*good[:place], text, *good[place + 1 :]]
                element = dict(zip(
                    ("kind", "bot", "key", "side", "symbol", "quantity", "price", "token", "pid",
                     "instance", "epoch", "fill_quantity", "fill_price", "at_us"), words,
                    strict=True))  # fmt: skip
                pairs = ", ".join(f"'{name}', {word}" for name, word in element.items())
                for sql in (
                    f"SELECT tradeledger.attempt({', '.join(words)})",
                    f"SELECT tradeledger.work(jsonb_build_array(jsonb_build_object('do', 'attempt', "
                    f"{pairs})))",
                ):
                    with self.subTest(sql=sql), self.assertRaises(psycopg.Error) as raised:
                        worker.execute(sql.encode())
                    self.assertEqual(raised.exception.sqlstate, "TL100", sql)
            sql = f"SELECT tradeledger.attempt({', '.join(good)})".replace("'record'", "'reserve'")
            with self.assertRaises(psycopg.Error) as raised:
                worker.execute(sql.encode())
            self.assertEqual(raised.exception.sqlstate, "TL100", "no token")
            # In company too, where an attempt that is well-formed would have one statement for all.
            self.server.add_bot("other", cooldown_us=0)
            # From here on its row says that nothing speaks against a trade.
            free = ("'record'", "'other'", "'k0'", *good[3:])
            worker.execute(f"SELECT tradeledger.attempt({', '.join(free)})".encode())
            attempt = {"do": "attempt", "kind": "reserve", "side": "buy", "symbol": "BTC-USD",
                       "quantity": "1", "pid": 1}  # fmt: skip
            for second in ({}, {"do": None, "token": "t" * 16}):
                pair = [attempt | {"bot": "momentum", "key": "k1", "token": "t" * 16},
                        attempt | {"bot": "other", "key": "k2"} | second]  # fmt: skip
                with self.assertRaises(psycopg.Error) as raised:
                    worker.execute(
                        "SELECT tradeledger.work(%s)", (psycopg.types.json.Jsonb(pair),)
                    )
                self.assertEqual(raised.exception.sqlstate, "TL100", second)
            for outcome, quantity, reason in (
                ("other", None, "x"), ("void", None, None), ("void", None, "two\nlines"),
                ("void", None, ""), ("filled", "-1", None), ("filled", "1.0", None),
            ):  # fmt: skip
                with self.assertRaises(psycopg.Error) as raised:
                    worker.execute(
                        "SELECT tradeledger.settle(1, NULL, %s, 't', %s, NULL, NULL, %s)",
                        (outcome, quantity, reason),
                    )
                self.assertEqual(raised.exception.sqlstate, "TL114")
        self.assertEqual(self.server.query("SELECT key FROM tradeledger.trades"), [("k0",)])

    def test_a_function_of_the_caller_does_not_step_in(self) -> None:
        """The functions run as the owner and find nothing of the caller's by name."""
        with psycopg.connect(self.server.url(), autocommit=True) as worker:
            worker.execute("CREATE TEMPORARY TABLE trades (id bigint, key text)")
            worker.execute("CREATE TEMPORARY TABLE bots (id bigint, name text)")
            worker.execute("SET search_path = pg_temp, tradeledger")
            row = worker.execute(
                "SELECT outcome FROM tradeledger.attempt('record', 'momentum', 'k', 'buy', 'B', '1',"
                "NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL)"
            ).fetchone()
            self.assertEqual(row, ("admitted",))

    def test_a_transaction_with_one_snapshot_is_refused(self) -> None:
        with psycopg.connect(self.server.url()) as worker:
            worker.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            with self.assertRaises(psycopg.Error) as raised:
                worker.execute(
                    "SELECT tradeledger.attempt('record', 'momentum', 'k', 'buy', 'B', '1', NULL, "
                    "NULL, 1, NULL, NULL, NULL, NULL, NULL)"
                )
            self.assertEqual(raised.exception.sqlstate, "TL000")


class InstanceTests(ServerTestCase):
    HOUR = 3_600_000_000

    def acquire(self, pid: int, heartbeat: int | None = 10_000_000, dead: int | None = None) -> Any:
        return self.server.query(
            "SELECT outcome, retry_after_us, epoch, pid FROM tradeledger.acquire('desk', 'boot', 1, "
            "1, %s, 7, 'host', 'cmd', %s, %s, 5000, %s)", pid, heartbeat, dead, self.server._now,
        )[0]  # fmt: skip

    def renew(self, epoch: int, heartbeat: int | None) -> str:
        row = self.server.query(
            "SELECT outcome FROM tradeledger.renew('desk', %s, %s, 5000, %s)", epoch, heartbeat,
            self.server._now,
        )[0]  # fmt: skip
        return str(row[0])

    def test_a_holder_is_taken_over_when_its_heartbeat_is_over(self) -> None:
        self.assertEqual(self.acquire(11), ("taken", None, 1, 11))
        self.server.clock.advance(4_000_000)
        self.assertEqual(self.acquire(12), ("held", 6_000_000, 1, 11))
        self.assertEqual(self.renew(1, 10_000_000), "held")
        self.server.clock.advance(9_999_999)
        self.assertEqual(self.acquire(12), ("held", 1, 1, 11))
        self.server.clock.advance(1)
        self.assertEqual(self.acquire(12), ("taken", None, 2, 12))
        self.assertEqual(self.renew(1, 10_000_000), "lost")
        self.assertEqual(self.renew(2, None), "held")

    def test_a_proof_of_death_takes_over_at_once(self) -> None:
        self.assertEqual(self.acquire(11, heartbeat=None), ("taken", None, 1, 11))
        self.server.clock.advance(1000 * self.HOUR)
        self.assertEqual(self.acquire(12), ("held", None, 1, 11))
        self.assertEqual(self.acquire(12, dead=7), ("held", None, 1, 11))
        self.assertEqual(self.acquire(12, dead=1), ("taken", None, 2, 12))
        self.assertEqual(self.acquire(13, dead=1)[0], "held")

    def test_release_and_evict(self) -> None:
        self.acquire(11)
        self.assertEqual(self.server.query("SELECT tradeledger.release('desk', 2)"), [(False,)])
        self.assertEqual(self.server.query("SELECT tradeledger.release('desk', 1)"), [(True,)])
        self.assertEqual(self.server.query("SELECT tradeledger.release('desk', 1)"), [(False,)])
        evict = "SELECT outcome, epoch, pid FROM tradeledger.evict(%s)"
        self.assertEqual(self.server.query(evict, "desk"), [("free", 1, None)])
        self.assertEqual(self.server.query(evict, "nobody")[0][0], "no_such_instance")
        self.assertEqual(self.acquire(12), ("taken", None, 2, 12))
        self.assertEqual(self.server.query(evict, "desk"), [("evicted", 3, 12)])
        self.assertEqual(self.renew(2, 10_000_000), "lost")

    def test_who_takes_over_waits_for_the_trade_that_is_under_way(self) -> None:
        self.server.add_bot(cooldown_us=0)
        self.acquire(11)
        with psycopg.connect(address(self.server.name)) as other:
            other.execute(
                "SELECT tradeledger.attempt('record', 'momentum', 'k', 'buy', 'B', '1', NULL, NULL, "
                "1, 'desk', 1, NULL, NULL, NULL, 5000, %s)", (self.server._now,),
            )  # fmt: skip
            with self.assertRaises(psycopg.errors.LockNotAvailable):
                self.server.query("SELECT tradeledger.evict('desk', 100)")
            self.assertEqual(self.renew(1, 10_000_000), "held", "a heartbeat waits for no trade")
            other.rollback()
        self.server.query("SELECT tradeledger.evict('desk', 100)")


class MemoryTests(ServerTestCase):
    """bots.free_at, by which an admission spares the next one a look at the trades."""

    mode = "live"
    UNTRUE = """
        SELECT b.name, b.free_at, s.enabled, s.cooldown_us, b.cooldown_us
        FROM tradeledger.bots AS b JOIN tradeledger.current_settings AS s ON s.bot_id = b.id
        WHERE b.free_at < 9223372036854775807 AND (
          s.enabled = 0 OR b.cooldown_us <> s.cooldown_us OR b.lease_us <> s.lease_us
          OR EXISTS (SELECT 1 FROM tradeledger.trades AS t WHERE t.bot_id = b.id
            AND (t.status = 'pending' OR t.status = 'in_doubt' AND s.in_doubt = 'block'
              OR t.status <> 'void' AND t.effective_at + s.cooldown_us > b.free_at))
          OR EXISTS (SELECT 1 FROM tradeledger.conflicts AS c
            WHERE c.bot_id = b.id AND c.at + s.cooldown_us > b.free_at)
          OR (SELECT max(at) FROM tradeledger.restores) + s.cooldown_us > b.free_at)"""

    def expect_sound(self) -> None:
        """Facts of the past and late fills may lie anywhere."""

    def test_what_is_remembered_is_true_after_any_operation(self) -> None:
        chance = random.Random(7)
        self.server.add_bot("a", cooldown_us=3000, lease_us=5000)
        permits: list[tradeledger.Permit] = []
        remembered = 0
        with self.server.open(self.server.url()) as ledger:
            for number in range(400):
                with contextlib.suppress(tradeledger.Denied):
                    match chance.randrange(12):
                        case 0 | 1 | 2 | 3:
                            ledger.record("a", "buy", "B", "1")
                        case 4 | 5:
                            permits.append(ledger.reserve("a", "buy", "B", "1"))
                        case 6 | 7 if permits:
                            ledger.fill(chance.choice(permits))
                        case 8 if permits:
                            ledger.void(chance.choice(permits), "not sent")
                        case 9:
                            now = time.time_ns() // 1000
                            ledger.record("a", "buy", "B", "1", at=now - chance.randrange(6000))
                        case 10:
                            self.server.change_bot(
                                "a", cooldown_us=chance.choice((0, 3000, 6000)),
                                enabled=chance.random() < 0.8,
                                in_doubt=chance.choice(("cooldown", "cooldown", "block")),
                            )  # fmt: skip
                            self.server.change_bot("a", enabled=True)
                        case 11 if number % 3 == 0:
                            self.server.query("SELECT tradeledger.restored()")
                self.assertEqual(self.server.query(self.UNTRUE), [], f"after step {number}")
                known = "SELECT 1 FROM tradeledger.bots WHERE free_at < 9223372036854775807"
                remembered += len(self.server.query(known))
        self.assertGreater(remembered, 10, "nothing was remembered")

    def test_a_row_that_an_operator_writes_by_hand_is_counted(self) -> None:
        self.server.add_bot(cooldown_us=0)
        with self.server.open() as ledger:
            ledger.record(*ORDER)
            self.server.change_bot("momentum", cooldown_us=60_000_000)
            self.assertEqual(self.denied(ledger.record, *ORDER).reason, "cooldown")


class BatchTests(ServerTestCase):
    mode = "live"

    def test_a_batch_answers_one_by_one(self) -> None:
        for bot in ("a", "b"):
            self.server.add_bot(bot, cooldown_us=60_000_000)
        order = {"do": "attempt", "kind": "record", "side": "buy", "symbol": "BTC", "quantity": "1"}
        elements = [
            order | {"bot": "a", "key": "1"}, order | {"bot": "b", "key": "2"},
            order | {"bot": "a", "key": "3"}, order | {"bot": "nobody", "key": "4"},
            order | {"bot": "b", "key": "2"},
            {"do": "settle", "trade_id": 77, "outcome": "void", "token": "t", "reason": "x"},
        ]  # fmt: skip
        rows = self.server.query(
            "SELECT outcome, reason FROM tradeledger.work(%s, 1000)", psycopg.types.json.Jsonb(elements)
        )
        self.assertEqual(rows, [
            ("admitted", None), ("admitted", None), ("denied", "cooldown"), ("error", "no_such_bot"),
            ("replayed", None), ("error", "no_such_trade")])  # fmt: skip

    def test_a_batch_of_bots_that_are_known_to_be_free(self) -> None:
        with self.server.open() as ledger:
            for bot in ("a", "b", "c", "d"):
                self.server.add_bot(bot, cooldown_us=0)
                ledger.record(bot, "buy", "BTC", "1", key=f"first-{bot}")
        order = {"do": "attempt", "kind": "record", "side": "buy", "symbol": "BTC", "quantity": "1"}
        elements = [
            order | {"bot": "d", "key": "1"}, order | {"bot": "b", "key": "first-b"},
            order | {"bot": "nobody", "key": "2"}, order | {"bot": "a", "key": "first-d"},
            order | {"bot": "c", "key": "3", "kind": "reserve", "token": "token-of-this-batch"},
        ]  # fmt: skip
        work = "SELECT outcome, reason, bot, key, status, token, created_at <= now_us " \
            "FROM tradeledger.work(%s)"  # fmt: skip
        self.assertEqual(self.server.query(work, psycopg.types.json.Jsonb(elements)), [
            ("admitted", None, "d", "1", "filled", None, True),
            ("replayed", None, "b", "first-b", "filled", None, True),
            ("error", "no_such_bot", None, None, None, None, None),
            ("denied", "key_conflict", "d", "first-d", "filled", None, True),
            ("admitted", None, "c", "3", "pending", "token-of-this-batch", True)])  # fmt: skip
        # All of them admitted.
        work = "SELECT outcome, bot, key, with_permit, token, settled_with, now_us = created_at " \
            "FROM tradeledger.work(%s)"  # fmt: skip
        elements = [order | {"bot": "d", "key": "5", "kind": "reserve", "token": "token-of-the-batch"},
                    order | {"bot": "a", "key": "6", "price": "7"}]  # fmt: skip
        self.assertEqual(self.server.query(work, psycopg.types.json.Jsonb(elements)), [
            ("admitted", "d", "5", True, "token-of-the-batch", None, True),
            ("admitted", "a", "6", False, None, None, True)])  # fmt: skip
        self.assertEqual(self.server.query(MemoryTests.UNTRUE), [])

    def test_facts_are_entered_together_or_not_at_all(self) -> None:
        self.server.add_bot("a", cooldown_us=60_000_000)
        fact = {"bot": "a", "side": "buy", "symbol": "BTC", "quantity": "1", "price": "5"}
        facts = [fact | {"key": "1", "at_us": 1_000_000}, fact | {"key": "2", "at_us": 2_000_000}]
        enter = "SELECT tradeledger.enter('[]', %s::jsonb, 1)"
        json = psycopg.types.json.Jsonb
        self.assertEqual(self.server.query(enter, json(facts)), [(2,)])
        self.assertEqual(self.server.query(enter, json(facts)), [(0,)])
        facts = [fact | {"key": "3", "at_us": 3_000_000}, fact | {"key": "1", "at_us": 4_000_000}]
        with self.assertRaises(psycopg.Error) as raised:
            self.server.query(enter, json(facts))
        self.assertEqual(raised.exception.sqlstate, "TL002")
        self.assertEqual(self.server.query("SELECT count(*) FROM tradeledger.trades"), [(2,)])


@unittest.skipIf(os.environ.get("TRADELEDGER_TEST_ANY_SCHEMA"), "the schema is not the shipped one")
class FingerprintTests(ServerTestCase):
    mode = "live"

    def test_a_fresh_ledger_has_the_shipped_fingerprint(self) -> None:
        found = self.server.query(tradeledger._SERVER_FINGERPRINT)[0][0]
        self.assertEqual(
            dict(line.rsplit("\t", 1) for line in found.split("\n")), tradeledger._SERVER_SCHEMA,
            "after a change of schema.postgres.sql: scripts/postgres --only fingerprint",
        )  # fmt: skip

    def test_an_altered_schema_is_refused_and_named(self) -> None:
        for change, words in (
            ("DROP TRIGGER trade_new ON trades", "trigger trade_new on trades is missing"),
            ("ALTER TABLE bots DISABLE TRIGGER bot_kept", "trigger bot_kept on bots was changed"),
            ("ALTER FUNCTION release SECURITY INVOKER", "function release was changed"),
            ("CREATE TRIGGER mine BEFORE INSERT ON bots FOR EACH ROW EXECUTE FUNCTION refuse()",
             "trigger mine on bots does not belong to it"),
            ("GRANT INSERT ON trades TO tradeledger_worker", "table trades was changed"),
            ("DROP INDEX one_pending", "index one_pending is missing"),
            ("DROP FUNCTION layout", "function layout is missing"),
        ):  # fmt: skip
            with self.subTest(change):
                server = ServerLedger("live")
                try:
                    server.query("SET search_path = tradeledger")
                    server.query(change)
                    self.assertIn(words, self.failed("schema_altered", server.open).message)
                finally:
                    server.close()

    def test_another_layout_is_refused(self) -> None:
        for layout, code in ((99, "newer_schema"), (1, "configuration")):
            server = ServerLedger("live")
            try:
                server.query(
                    "CREATE OR REPLACE FUNCTION tradeledger.layout() RETURNS integer "
                    f"LANGUAGE sql AS 'SELECT {layout}'"
                )
                self.assertIn(str(layout), self.failed(code, server.open).message)
            finally:
                server.close()

    def test_what_else_is_in_the_database_does_not_matter(self) -> None:
        server = ServerLedger("live")
        try:
            server.query("CREATE SCHEMA other")
            server.query("CREATE TABLE other.trades (id bigint)")
            server.query("CREATE VIEW other.seen AS SELECT * FROM tradeledger.trade_rows")
            server.query("GRANT SELECT ON tradeledger.trade_rows TO pg_monitor")
            server.open().close()
        finally:
            server.close()

    def test_a_dashboard_as_docs_postgresql_sets_it_up(self) -> None:
        text = (ROOT / "docs" / "POSTGRESQL.md").read_text(encoding="utf-8")
        grants = [
            grant.replace("dashboard", "tradeledger_test_dashboard")
            for grant in re.findall(r'-c "((?:CREATE ROLE|GRANT)[^"]* dashboard[^"]*)"', text)
        ]
        self.assertEqual(len(grants), 4)
        server = ServerLedger("live")
        try:
            for grant in grants:
                server.query(grant)
            server.query("SET ROLE tradeledger_test_dashboard")
            for view in ("cooldowns", "open_trades", "double_trades"):
                server.query(f"SELECT * FROM tradeledger.{view}")
            with self.assertRaises(psycopg.errors.InsufficientPrivilege):
                server.query("SELECT * FROM tradeledger.trades")
            server.query("RESET ROLE")
            server.open().close()
            everything = "ON ALL TABLES IN SCHEMA tradeledger"
            server.query(f"GRANT SELECT {everything} TO tradeledger_test_dashboard")
            self.failed("schema_altered", server.open)
            server.query(f"REVOKE SELECT {everything} FROM tradeledger_test_dashboard")
            server.open().close()
        finally:
            server.query("RESET ROLE")
            server.query("DROP OWNED BY tradeledger_test_dashboard")
            server.query("DROP ROLE tradeledger_test_dashboard")
            server.close()


class OpeningTests(ServerTestCase):
    mode = "live"

    def test_what_is_no_ledger(self) -> None:
        nothing = address("postgres")
        self.failed("not_a_ledger", Ledger, nothing)
        self.failed("no_ledger", Ledger, address("tradeledger_test_nothing"))
        self.failed("unavailable", Ledger, "postgresql://127.0.0.1:1/x", 0.2)
        for url in (
            "postgresql://user:sec@ret@127.0.0.1:1/x", "postgresql://user:sec%zzret@127.0.0.1:1/x",
            "postgresql://user:sec\udce9ret@127.0.0.1:1/x",
        ):  # fmt: skip
            error = self.failed("invalid_input", Ledger, url, 0.2)
            self.assertNotIn("sec", f"{error} {error!r}")
        self.failed("configuration", Ledger, f"{nothing}?sslmode=verifyfull")
        error = self.failed(
            "unavailable", Ledger, "postgresql://127.0.0.1:1/x?password=secret", 0.2)  # fmt: skip
        self.assertNotIn("secret", error.message)
        # The first one answers nothing at all (RFC 5737): the second is asked all the same.
        there = urllib.parse.urlsplit(address("tradeledger_test_nothing"))
        user, _, host = there.netloc.rpartition("@")
        both = there._replace(netloc=f"{user}@192.0.2.1:9,{host}").geturl()
        self.failed("no_ledger", Ledger, both, 4)
        self.failed("permission", Ledger, address(self.server.name, "nobody_of_that_name"))
        self.assertNotIn("secret", self.failed(
            "unavailable", Ledger, "postgresql://user:secret@127.0.0.1:1/x", 0.2).message)  # fmt: skip

    def test_another_ledger_at_the_same_address_is_refused(self) -> None:
        self.server.add_bot()
        with self.server.open(self.server.url()) as ledger:
            made = self.server.query("SELECT created_at FROM tradeledger.ledger")[0][0]
            for at, is_same in ((made + 1, False), (made, True)):
                self.server.query("SET session_replication_role = replica")
                self.server.query("UPDATE tradeledger.ledger SET created_at = %s", at)
                self.server.query("RESET session_replication_role")
                self.server.query(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                    "WHERE usename = %s AND datname = current_database()", WORKER,
                )  # fmt: skip
                if is_same:
                    ledger.check("momentum")
                else:
                    error = self.failed("ledger_moved", ledger.check, "momentum")
                    self.assertEqual(error.retry, "never")
                    self.failed(
                        "ledger_moved", ledger.reserve, "momentum", "buy", "BTC-USD", "1"
                    )

    def test_a_copy_is_exact_and_goes_on(self) -> None:
        self.server.add_bot("a", cooldown_us=60_000_000)
        with self.server.open(self.server.url()) as ledger:
            ledger.reserve("a", "buy", "BTC", "1", key="k", token="token-of-the-caller")
        self.server.take("desk")
        target = ServerLedger("live", is_made=False)
        self.addCleanup(target.close)
        tables = {}
        for table in ("ledger", "bots", "settings", "instances", "trades", "conflicts", "restores"):
            names = [row[0] for row in self.server.query(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = "
                "'tradeledger' AND table_name = %s AND is_generated = 'NEVER' AND column_name NOT "
                "IN ('free_at', 'was_free_at') ORDER BY ordinal_position", table)]  # fmt: skip
            columns = ", ".join(names)
            tables[table] = (columns, self.server.query(f"SELECT {columns} FROM tradeledger.{table}"))
        with psycopg.connect(address(target.name)) as connection:
            connection.execute("SELECT tradeledger.copy_begins()")
            for table, (columns, rows) in tables.items():
                for row in rows:
                    places = ", ".join(["%s"] * len(row))
                    connection.execute(
                        f"INSERT INTO tradeledger.{table} ({columns}) OVERRIDING SYSTEM VALUE "
                        f"VALUES ({places})".encode(), row,
                    )  # fmt: skip
            connection.execute("SELECT tradeledger.copy_ends()")
        for table, (columns, rows) in tables.items():
            if table != "instances":
                found = target.query(f"SELECT {columns} FROM tradeledger.{table}")
                self.assertEqual(found, rows, table)
        self.assertEqual(target.query("SELECT epoch, pid FROM tradeledger.instances"), [(2, None)])
        with target.open(target.url()) as ledger:
            self.assertEqual(self.denied(ledger.reserve, "a", "buy", "B", "1").reason, "in_progress")
            ledger.void(1, "not sent", token="token-of-the-caller")
            self.assertEqual(ledger.reserve("a", "buy", "B", "1").id, 2)
        with self.assertRaises(psycopg.Error) as raised:
            target.query("SELECT tradeledger.copy_begins()")
        self.assertEqual(raised.exception.sqlstate, "TL150")

    def test_another_isolation_is_refused_at_once(self) -> None:
        with self.server.set("default_transaction_isolation", "serializable"):
            self.failed("configuration", Ledger, self.server.url())

    def test_texts_are_utf_8_whatever_the_role_has(self) -> None:
        self.server.add_bot()
        reason = "l'échange a refusé: 5 €"
        with self.server.set("client_encoding", "latin1"), Ledger(self.server.url()) as ledger:
            answer = ledger.void(ledger.reserve("momentum", "buy", "B", "1", key="k"), reason)
            self.assertEqual(answer.trade.reason, reason)
        self.assertEqual(self.server.query("SELECT reason FROM tradeledger.trades"), [(reason,)])

    def test_a_client_that_would_not_be_warned_writes_nothing(self) -> None:
        """By a warning alone it hears that a standby may lack what was committed."""
        self.server.add_bot()
        with self.server.set("client_min_messages", "error"), Ledger(self.server.url()) as ledger:
            error = self.failed("configuration", ledger.record, "momentum", "buy", "B", "1")
            self.assertIn("client_min_messages", str(error))
            self.assertIsNone(ledger.check("momentum"))

    @unittest.skipUnless(POOLER, "there is no TRADELEDGER_TEST_PGBOUNCER")
    def test_more_clients_than_connections_behind_a_pooler(self) -> None:
        for number in range(40):
            self.server.add_bot(f"bot-{number}", cooldown_us=60_000_000)
        ledgers = [self.server.open() for _ in range(40)]
        for turn in range(2):
            for number, ledger in enumerate(ledgers):
                bot = f"bot-{number}"
                if turn == 0:
                    ledger.record(bot, "buy", "BTC-USD", "1")
                else:
                    self.assertEqual(self.denied(ledger.record, bot, "buy", "B", "1").reason, "cooldown")
        for ledger in ledgers:
            ledger.close()
