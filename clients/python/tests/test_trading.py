"""What a worker sees of a trade: permits, refusals, endings, tasks."""

from __future__ import annotations

import datetime
import inspect
import logging
import os
import pickle
import threading
import unittest
from types import SimpleNamespace
from typing import Any
from unittest import mock

import tradeledger
from support import LedgerTestCase
from tradeledger import Denied, LedgerError, OrderNotSent, Replayed, TaskLedger, TooLate

ORDER = ("momentum", "buy", "BTC-USD", "0.25")


class TradingTestCase(LedgerTestCase):
    def setUp(self) -> None:
        super().setUp()
        logging.getLogger("tradeledger").setLevel(logging.CRITICAL)
        self.file.add_bot()
        self.ledger = self.file.open()
        self.addCleanup(self.ledger.close)

    def status(self, key: str) -> str:
        trade = self.ledger.find(key)
        return "none" if trade is None else trade.status


class WithTradeTests(TradingTestCase):
    def test_end_with_a_fill_is_filled(self) -> None:
        with self.ledger.trade(*ORDER, key="k") as permit:
            self.assertEqual(permit.key, "k")
            self.assertEqual(self.status("k"), "pending")
            permit.filled(price="100.50", quantity="0.2")
        trade = self.ledger.find("k")
        assert trade is not None
        self.assertEqual(
            (trade.status, trade.filled_price, trade.filled_quantity), ("filled", "100.5", "0.2")
        )

    def test_end_without_a_word_is_filled_as_ordered(self) -> None:
        with self.ledger.trade(*ORDER, "99", key="k"):
            pass
        trade = self.ledger.find("k")
        assert trade is not None
        self.assertEqual((trade.filled_price, trade.filled_quantity), ("99", "0.25"))

    def test_not_sent_is_void_however_it_is_said(self) -> None:
        with self.ledger.trade(*ORDER, key="a") as permit:
            permit.not_sent("the exchange is closed")
        with self.assertRaises(OrderNotSent), self.ledger.trade(*ORDER, key="b"):
            raise OrderNotSent("two\nlines, which no ledger keeps")
        self.assertEqual((self.status("a"), self.status("b")), ("void", "void"))
        self.assertEqual(
            [row[0] for row in self.file.query("SELECT reason FROM trades ORDER BY id")],
            ["the exchange is closed", "not sent"],
        )

    def test_any_other_exception_leaves_it_in_doubt(self) -> None:
        for error in (RuntimeError("timeout"), KeyboardInterrupt(), SystemExit(1)):
            with self.assertRaises(type(error)) as raised, self.ledger.trade(*ORDER) as permit:
                raise error
            self.assertIn(f"look key {permit.key} up", raised.exception.__notes__[0])
            self.assertEqual(self.status(permit.key), "pending")
            self.file.clock.advance(30_000_000)
            self.assertEqual(self.status(permit.key), "in_doubt")
            self.file.clock.advance(900_000_000)

    def test_an_exception_after_the_fill_was_said_keeps_the_fill(self) -> None:
        with self.assertRaises(ZeroDivisionError), self.ledger.trade(*ORDER, key="k") as permit:
            permit.filled()
            raise ZeroDivisionError
        self.assertEqual(self.status("k"), "filled")

    def test_a_trade_that_the_body_has_settled_stays_so(self) -> None:
        with self.ledger.trade(*ORDER, key="a") as permit:
            self.ledger.void(permit, "changed my mind")
        with self.ledger.trade(*ORDER, key="b") as permit:
            self.ledger.fill(permit.id, token=permit.token, price=7)
        self.assertEqual((self.status("a"), self.status("b")), ("void", "filled"))
        self.assertEqual(self.file.query("SELECT COUNT(*) FROM conflicts"), [(0,)])

    def test_the_body_never_runs_on_a_replay(self) -> None:
        token = "token-of-the-caller"
        self.ledger.reserve(*ORDER, key="k", token=token)
        with self.assertRaises(Replayed), self.ledger.trade(*ORDER, key="k", token=token):
            self.fail("a second order")
        with self.assertRaises(Replayed), self.ledger.trade(*ORDER, key="k"):
            self.fail("a second order")

    def test_the_body_never_runs_when_the_lease_is_over(self) -> None:
        reserve = self.ledger.reserve

        def slow(*args: Any, **kwargs: Any) -> tradeledger.Permit:
            permit = reserve(*args, **kwargs)
            self.file.clock.advance(30_000_000)
            return permit

        with (
            mock.patch.object(self.ledger, "reserve", slow),
            self.assertRaises(TooLate),
            self.ledger.trade(*ORDER, key="k"),
        ):
            self.fail("an order after its lease")
        self.assertEqual(self.status("k"), "void")

    def test_an_error_after_sending_says_so_and_is_not_busy(self) -> None:
        with self.assertRaises(LedgerError) as raised, self.ledger.trade(*ORDER, key="k"):
            self.file.query("BEGIN IMMEDIATE")
            self.ledger._lock_wait = 0.05
        self.file.query("ROLLBACK")
        error = raised.exception
        self.assertNotIsInstance(error, tradeledger.Busy)
        self.assertEqual((error.code, error.retry), ("busy", "check_first"))
        self.assertIn("the order was sent", error.message)
        self.assertEqual(self.status("k"), "pending")


class RefusalTests(TradingTestCase):
    def test_a_denial_says_why_by_whom_and_for_how_long(self) -> None:
        first = self.ledger.record(*ORDER)
        denied = self.denied(self.ledger.reserve, *ORDER)
        self.assertEqual((denied.reason, denied.transient), ("cooldown", True))
        self.assertEqual((denied.retry_after, denied.winner), (900.0, first.trade))
        self.assertEqual(str(pickle.loads(pickle.dumps(denied))), str(denied))
        self.assertEqual(
            repr(denied), "Denied('denied: cooldown, because of trade 1, retry after 900.000000 s')"
        )

    def test_a_foreign_restore_beside_an_open_ledger_is_a_denial(self) -> None:
        self.file.clock.advance(3_600_000_000)
        restored = self.file.clock().wall_us
        self.file.query(f"INSERT INTO restores (at) VALUES ({restored})")
        self.file.clock.advance(100_000_000)
        for _ in range(2):
            denied = self.denied(self.ledger.reserve, *ORDER)
            self.assertEqual((denied.reason, denied.retry_after), ("cooldown", 800.0))
            self.assertEqual(denied.denial.restored_at_us, restored)
        self.file.clock.advance(800_000_000)
        self.ledger.record(*ORDER)

    def test_errors_survive_a_pickle(self) -> None:
        error = self.failed("no_such_bot", self.ledger.bot, "nobody")
        again = pickle.loads(pickle.dumps(error))
        self.assertEqual((type(again), again.args), (type(error), error.args))

    def test_floats_and_naive_times_are_refused(self) -> None:
        self.failed("invalid_input", self.ledger.reserve, "momentum", "buy", "BTC-USD", 0.25)
        self.failed("invalid_input", self.ledger.reserve, "momentum", "hold", "BTC-USD", "1")
        now = datetime.datetime.now()
        self.failed("invalid_input", self.ledger.record, *ORDER, at=now)

    def test_settings_are_those_in_force(self) -> None:
        self.file.change_bot("momentum", cooldown_us=5)
        bot = self.ledger.bot("momentum")
        self.assertEqual((bot.cooldown_us, bot.lease_us, bot.enabled), (5, 30_000_000, True))
        self.assertEqual([bot.name for bot in self.ledger.bots()], ["momentum"])

    def test_threads_of_a_process_get_one_permit(self) -> None:
        barrier, answers = threading.Barrier(8), list[str]()

        def work() -> None:
            barrier.wait()
            try:
                self.ledger.reserve(*ORDER)
                answers.append("admitted")
            except Denied as denied:
                answers.append(denied.reason)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(answers), ["admitted"] + ["in_progress"] * 7)


class FenceTests(TradingTestCase):
    def test_the_guards_environment_fences(self) -> None:
        self.file.take("bot-1")
        guarded = {"TRADELEDGER_INSTANCE": "bot-1", "TRADELEDGER_EPOCH": "1"}
        with mock.patch.dict(os.environ, guarded):
            ledger = self.file.open()
        self.addCleanup(ledger.close)
        self.file.evict("bot-1")
        denied = self.denied(ledger.reserve, *ORDER)
        self.assertEqual((denied.reason, denied.denial.holder), ("superseded", ("bot-1", 2)))

    def test_evicted_before_the_call_is_void(self) -> None:
        self.file.take("bot-1")
        ledger = self.file.open(instance="bot-1", epoch=1)
        self.addCleanup(ledger.close)
        permit = ledger.reserve(*ORDER)
        self.assertTrue(ledger.is_live(permit))
        self.file.evict("bot-1")
        self.assertFalse(ledger.is_live(permit))

    def test_half_an_instance_is_an_error(self) -> None:
        for name, epoch in (("TRADELEDGER_INSTANCE", "bot-1"), ("TRADELEDGER_EPOCH", "x")):
            with mock.patch.dict(os.environ, {name: epoch}):
                self.failed("invalid_input", self.file.open)


class Retry(Exception):
    pass


class FakeTask:
    """A bound Celery task, as far as the decorator knows one."""

    def __init__(self, task_id: str) -> None:
        self.request = SimpleNamespace(id=task_id)
        self.countdowns: list[float] = []

    def retry(self, exc: Exception, countdown: float) -> Retry:
        self.countdowns.append(countdown)
        return Retry()


class CeleryTests(TradingTestCase):
    mode = "paper"

    def setUp(self) -> None:
        super().setUp()
        sent = self.sent = list[str]()

        @tradeledger.celery_task(self.file.path, lock_wait=0.05)
        def execute_trade(task: Any, ledger: TaskLedger, bot: str, quantity: str) -> int:
            with ledger.trade(bot, "buy", "BTC-USD", quantity) as permit:
                sent.append(permit.key)
            return permit.id

        self.execute = execute_trade
        self.addCleanup(tradeledger._shared.clear)

    def test_a_task_delivered_twice_sends_once(self) -> None:
        task = FakeTask("task-1")
        self.assertEqual(self.execute(task, "momentum", "1"), 1)
        self.assertIsNone(self.execute(task, "momentum", "1"))
        self.assertEqual((self.sent, task.countdowns), (["task-1"], []))

    def test_a_transient_denial_retries_when_it_is_lifted(self) -> None:
        self.execute(FakeTask("task-1"), "momentum", "1")
        task = FakeTask("task-2")
        self.assertRaises(Retry, self.execute, task, "momentum", "1")
        self.assertTrue(0 < 900 - task.countdowns[0] < 5, task.countdowns)

    def test_busy_retries_and_other_denials_do_not(self) -> None:
        self.file.query("BEGIN IMMEDIATE")
        task = FakeTask("task-1")
        self.assertRaises(Retry, self.execute, task, "momentum", "1")
        self.file.query("ROLLBACK")
        self.file.change_bot("momentum", enabled=False)
        self.assertRaises(Denied, self.execute, task, "momentum", "1")
        self.assertEqual((task.countdowns, self.sent), ([1.0], []))

    def test_a_ledger_that_cannot_answer_yet_retries_and_a_wrong_one_does_not(self) -> None:
        task = FakeTask("task-1")
        with mock.patch.object(tradeledger, "_RESERVE_BYTES", 1 << 62):
            self.assertRaises(Retry, self.execute, task, "momentum", "1")
        self.assertRaises(LedgerError, self.execute, task, "nobody", "1")
        self.assertEqual((task.countdowns, self.sent), ([1.0], []))

    def test_celery_sees_the_signature_of_the_sender(self) -> None:
        self.assertEqual(list(inspect.signature(self.execute).parameters), ["task", "bot", "quantity"])


if __name__ == "__main__":
    unittest.main()
