"""What a caller meets when the server is full, locked, too old, out of reach or out of room: an error
that says what to do, in time, and never a second order."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import unittest
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tradeledger
from postgres_support import POOLER, SCHEMA, SERVER, ServerTestCase, address, psycopg
from support import ROOT, AnswerTestCase
from tradeledger import Ledger

sys.path.insert(0, str(ROOT / "scripts/lib/postgres"))

import server  # noqa: E402
from proxy import CuttingProxy  # noqa: E402

ORDER = ("a", "buy", "BTC-USD", "1")
SECRET = "s3cret-of-bob"
# What a call may take beyond its limit, for the network, and what a busy machine adds to that.
NETWORK, SLACK = 2.0, 0.5


class Call(threading.Thread):
    """A call in a thread of its own: what it answered, or why not, and how long it took."""

    def __init__(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        super().__init__()
        self.call = lambda: call(*args, **kwargs)
        self.answer: Any = None
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        start = time.monotonic()
        try:
            self.answer = self.call()
        except (tradeledger.LedgerError, tradeledger.Denied, psycopg.Error) as error:
            self.error = error
        self.seconds = time.monotonic() - start

    def result(self) -> Any:
        self.join(60)
        if self.error is not None:
            raise self.error
        return self.answer


def eventually(condition: Callable[[], bool]) -> None:
    server.until(condition, "what the test waits for", 30)


def proxied(url: str, proxy: CuttingProxy) -> str:
    parts = urllib.parse.urlsplit(url)
    account = parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{account}@127.0.0.1:{proxy.port}").geturl()


class FaultTests(ServerTestCase):
    """On the server of the tests, through its pooler where there is one."""

    mode = "live"

    def setUp(self) -> None:
        super().setUp()
        self.server.add_bot("a", cooldown_us=0)
        port = urllib.parse.urlsplit(POOLER or SERVER).port
        self.proxy = CuttingProxy(port or 5432)
        self.addCleanup(self.proxy.close)

    def open(self, **options: Any) -> Ledger:
        ledger = self.server.open(proxied(self.server.url(), self.proxy), **options)
        self.addCleanup(ledger.close)
        return ledger

    def count(self, key: str | None = None) -> int:
        sql = "SELECT count(*) FROM tradeledger.trades WHERE %s IN (key, 'any')"
        return int(self.server.query(sql, key or "any")[0][0])

    def in_time(self, limit: float, code: str, call: Callable[..., Any], *args: Any,
                **options: Any) -> tradeledger.LedgerError:  # fmt: skip
        """It fails so, once its limit is over, and no later than is promised."""
        start = time.monotonic()
        error = self.failed(code, call, *args, **options)
        self.assertLess(time.monotonic() - start, limit + NETWORK + SLACK)
        return error

    # Locks

    def collides(self, times: int) -> None:
        """So many transactions that write a trade fail at their COMMIT, as with a serialization
        failure."""
        self.addCleanup(
            self.server.query,
            "DROP TRIGGER collide ON tradeledger.trades; DROP FUNCTION public.collide; "
            "DROP SEQUENCE public.collisions",
        )
        self.server.query(
            f"""
            CREATE SEQUENCE public.collisions;
            CREATE FUNCTION public.collide() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
            BEGIN
              IF nextval('public.collisions') <= {times} THEN
                RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001';
              END IF;
              RETURN NULL;
            END $$;
            CREATE CONSTRAINT TRIGGER collide AFTER INSERT ON tradeledger.trades
              DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.collide()"""
        )

    def collisions(self) -> int:
        return int(self.server.query("SELECT last_value FROM public.collisions")[0][0])

    def test_a_serialization_failure_is_tried_again(self) -> None:
        self.collides(3)
        answer = self.open().record(*ORDER, key="k")
        self.assertEqual((answer.replayed, self.count(), self.collisions()), (False, 1, 4))

    def test_serialization_failures_without_end_are_busy(self) -> None:
        self.collides(1_000_000)
        ledger = self.open(lock_wait=0.5)
        error = self.in_time(0.5, "busy", ledger.record, *ORDER, key="k")
        self.assertEqual((error.retry, self.count()), ("safe", 0))
        # Not as fast as one can.
        self.assertIn(self.collisions(), range(3, 100))

    @contextlib.contextmanager
    def deadlock(self, record: Callable[..., Any]) -> Iterator[Call]:
        """`record` and an operator's transaction hold a lock each and want the other's. The server
        ends the one that has waited for longer, and the operator has both."""
        with psycopg.connect(address(self.server.name)) as operator:
            operator.execute("SELECT 1 FROM tradeledger.instances FOR UPDATE")
            call = Call(record, *ORDER, key="k")
            eventually(lambda: self.server.query("SELECT 1 FROM pg_locks WHERE NOT granted") != [])
            operator.execute("SELECT 1 FROM tradeledger.bots FOR UPDATE")
            self.assertTrue(call.is_alive(), "it is tried again")
            yield call
            operator.rollback()

    def test_whoever_loses_a_deadlock_is_tried_again(self) -> None:
        self.server.take("desk")
        ledger = self.open(lock_wait=20, instance="desk", epoch=1)
        with self.deadlock(ledger.record) as call:
            pass
        self.assertFalse(call.result().replayed)
        self.assertEqual(self.count("k"), 1)
        self.assertLess(call.seconds, 15)

    def test_a_deadlock_that_lasts_is_busy(self) -> None:
        self.server.take("desk")
        ledger = self.open(lock_wait=2, instance="desk", epoch=1)
        with self.deadlock(ledger.record) as call:
            self.in_time(2, "busy", call.result)
        self.assertEqual(self.count(), 0)
        self.assertFalse(ledger.record(*ORDER, key="k").replayed)

    def test_a_free_lock_is_taken_without_any_wait(self) -> None:
        ledger = self.open()
        for number in range(20):
            ledger.record(*ORDER, key=f"k{number}", lock_wait=0)

    # Stalls

    def test_a_question_that_is_stuck_on_its_way(self) -> None:
        ledger = self.open(lock_wait=0.4)
        self.proxy.stall()
        error = self.in_time(0.4, "outcome_unknown", ledger.record, *ORDER, key="k")
        self.assertEqual((error.retry, self.count()), ("check_first", 0))
        # It arrives after all, or the connection has ended before: once in either case.
        self.proxy.resume()
        self.assertEqual(ledger.record(*ORDER, key="k").trade.key, "k")
        self.assertEqual(self.count(), 1)

    def test_an_answer_that_is_stuck_on_its_way(self) -> None:
        ledger = self.open(lock_wait=0.4)
        self.proxy.answers.clear()
        self.in_time(0.4, "outcome_unknown", ledger.record, *ORDER, key="k")
        self.assertEqual(self.count("k"), 1)
        self.proxy.resume()
        self.assertTrue(ledger.record(*ORDER, key="k").replayed)
        self.assertEqual(self.count(), 1)

    def test_an_answer_that_trickles_extends_nothing(self) -> None:
        """INV-8: one deadline for the call, however many waits it is made of."""
        ledger = self.open(lock_wait=0.4)
        threads = threading.active_count()
        self.proxy.delay = 0.1
        call = Call(self.in_time, 0.4, "outcome_unknown", ledger.record, *ORDER, key="k")
        most = 0
        while call.is_alive():
            # The call, and one that asks the server to give up; two of the proxy for that.
            most = max(most, threading.active_count() - threads)
            call.join(0.01)
        call.result()
        self.assertLessEqual(most, 4)
        self.proxy.delay = 0
        self.assertTrue(ledger.record(*ORDER, key="k").replayed)

    def test_a_stall_while_it_connects(self) -> None:
        self.proxy.stall()
        error = self.in_time(0.4, "unavailable", self.open, lock_wait=0.4)
        self.assertEqual(error.retry, "safe")
        self.proxy.resume()
        # The login trickles: each byte in time, and all of them too late.
        self.proxy.delay = 0.1
        self.in_time(0.4, "unavailable", self.open, lock_wait=0.4)
        self.proxy.delay = 0
        self.open(lock_wait=5).record(*ORDER)

    def test_a_process_of_the_server_that_is_stopped(self) -> None:
        """SIGSTOP in the middle of the operation: under the lock, after the row was written."""
        self.addCleanup(
            self.server.query,
            "DROP TRIGGER linger ON tradeledger.trades; DROP FUNCTION public.linger",
        )
        self.server.query(
            """
            CREATE FUNCTION public.linger() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$;
            CREATE TRIGGER linger AFTER INSERT ON tradeledger.trades
              FOR EACH ROW WHEN (NEW.key = 'k') EXECUTE FUNCTION public.linger()"""
        )
        ledger = self.open(lock_wait=1)
        call = Call(ledger.record, *ORDER, key="k")
        lingering = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        eventually(lambda: self.server.query(lingering) != [])
        pid = self.server.query(lingering)[0][0]
        try:
            os.kill(pid, signal.SIGSTOP)
        except (PermissionError, ProcessLookupError):
            call.join()
            self.skipTest("the server's processes are not this user's to stop")
        try:
            self.in_time(1, "outcome_unknown", call.result)
            self.assertLess(call.seconds, 1 + NETWORK + SLACK)
            self.assertEqual(self.count(), 0, "not committed")
            # It has the lock of its bot alone.
            self.server.add_bot("b", cooldown_us=0)
            ledger.record("b", *ORDER[1:])
        finally:
            os.kill(pid, signal.SIGCONT)
        self.assertEqual(ledger.record(*ORDER, key="k", lock_wait=10).trade.key, "k")
        self.assertEqual(self.count("k"), 1)

    # Versions

    def test_a_server_that_is_too_old_is_asked_nothing(self) -> None:
        self.proxy.version = b"14"
        start = time.monotonic()
        error = self.failed("configuration", self.open, lock_wait=20)
        self.assertLess(time.monotonic() - start, 5)
        self.assertIn("14.", error.message)
        self.assertIn("PostgreSQL 15", error.hint)
        self.assertEqual(self.proxy.questions, 0)
        self.proxy.version = b""
        ledger = self.open()
        # One that the address leads to later on, is too.
        self.proxy.version = b"14"
        self.proxy.cut("before")
        self.failed("outcome_unknown", ledger.record, *ORDER, key="k")
        self.failed("configuration", ledger.record, *ORDER, key="k")
        self.assertEqual(self.count(), 0)


class OwnServer:
    """A server of the test's own, whose rules for logging in it writes, with its log (WAL) and a
    tablespace in small file systems where it may mount them."""

    def __init__(self) -> None:
        self.directory = tempfile.mkdtemp(prefix="tradeledger-")
        Path(self.directory).chmod(0o755)
        self.place = Path(self.directory)
        home = self.place / "server"
        home.mkdir()
        self.server = server.Server(
            str(home),
            {
                "max_connections": "9", "superuser_reserved_connections": "3", "ssl": "on",
                "ssl_cert_file": f"'{home}/db.crt'", "ssl_key_file": f"'{home}/db.key'",
                "min_wal_size": "2MB", "max_wal_size": "4MB",
            },
            initial=("--no-sync", "--wal-segsize=1"),
        )  # fmt: skip
        self.make_certificates(home)
        (self.server.data / "pg_hba.conf").write_text(
            "host all postgres all trust\nlocal all all trust\n"
            "hostssl all tls all scram-sha-256\nhost all bob all scram-sha-256\n"
        )
        self.log, self.tables = self.place / "log", self.place / "tables"
        self.is_mounted = self.mount()
        self.server.start()
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            if self.is_mounted:
                connection.execute(f"CREATE TABLESPACE small LOCATION '{self.tables}/space'")
            tablespace = "TABLESPACE small" if self.is_mounted else ""
            connection.execute(f"CREATE DATABASE ledger {tablespace}")
        self.operator = self.connect()
        self.operator.execute(SCHEMA.read_bytes())
        self.operator.execute("SELECT tradeledger.make_ledger('live')")
        self.operator.execute("SELECT tradeledger.add_bot('a', 0, 30000000, 'cooldown', 1)")
        for role in ("bob", "tls"):
            self.operator.execute(
                f"CREATE ROLE {role} LOGIN PASSWORD '{SECRET}' IN ROLE tradeledger_worker"
            )

    def connect(self) -> Any:
        return psycopg.connect(self.server.url("ledger"), autocommit=True)

    def make_certificates(self, home: Path) -> None:
        """A CA, and what it says of the host db.example."""
        for command in (
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca "
            "-keyout ca.key -out ca.crt",
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=db.example "
            "-keyout db.key -out db.csr",
            "x509 -req -in db.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out db.crt",
        ):
            subprocess.run(["openssl", *command.split()], cwd=home, check=True, capture_output=True)
        if os.getuid() == 0:
            subprocess.run(["chown", "postgres", home / "db.key"], check=True)
        self.authority = home / "ca.crt"

    def mount(self) -> bool:
        wal = self.server.data / "pg_wal"
        for place in (self.log, self.tables):
            place.mkdir()
            mounted = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", place], check=False,
                capture_output=True,
            )  # fmt: skip
            if mounted.returncode != 0:
                return False
        self.server.run("cp", "-r", str(wal), str(self.place))
        return True

    def close(self) -> None:
        self.operator.close()
        self.server.stop()


if __name__ == "__main__":
    unittest.main()
