"""What a caller meets when the server is full, locked, too old, out of reach or out of room: an error
that says what to do, in time, and never a second order."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import unittest
import unittest.mock
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tradeledger
from postgres_support import POOLER, SCHEMA, SERVER, WORKER, ServerTestCase, address, psycopg
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
        self.call: Callable[[], Any] = functools.partial(call, *args, **kwargs)
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


@unittest.skipIf(POOLER, "once is enough: without TRADELEDGER_TEST_PGBOUNCER")
class FaultTests(ServerTestCase):
    """On the server of the tests, with a proxy on the way."""

    mode = "live"

    def setUp(self) -> None:
        super().setUp()
        self.server.add_bot("a", cooldown_us=0)
        self.proxy = CuttingProxy(urllib.parse.urlsplit(SERVER).port or 5432)
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

    def collides(self, times: int, state: str = "40001") -> None:
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
                RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '{state}';
              END IF;
              RETURN NULL;
            END $$;
            CREATE CONSTRAINT TRIGGER collide AFTER INSERT ON tradeledger.trades
              DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.collide()"""
        )

    def collisions(self) -> int:
        return int(self.server.query("SELECT last_value FROM public.collisions")[0][0])

    def test_a_serialization_failure_is_tried_again(self) -> None:
        ledger = self.open()
        self.collides(3)
        answer = ledger.record(*ORDER, key="k")
        self.assertEqual((answer.replayed, self.count(), self.collisions()), (False, 1, 4))

    def test_a_transaction_whose_end_the_server_does_not_know_is_unknown(self) -> None:
        ledger = self.open(lock_wait=0.1)
        self.collides(1_000_000, "40003")
        self.in_time(0.1, "outcome_unknown", ledger.record, *ORDER, key="k")

    def test_serialization_failures_without_end_are_busy(self) -> None:
        ledger = self.open(lock_wait=0.5)
        self.collides(1_000_000)
        error = self.in_time(0.5, "busy", ledger.record, *ORDER, key="k")
        self.assertEqual((error.retry, self.count()), ("safe", 0))
        # Not as fast as one can.
        self.assertIn(self.collisions(), range(3, 100))

    @contextlib.contextmanager
    def deadlock(self, record: Callable[..., Any]) -> Iterator[Call]:
        """`record` and an operator's transaction hold a lock each and want the other's. The server
        ends the one that looks first, the ledger's, and the operator has both."""
        with psycopg.connect(address(self.server.name)) as operator:
            operator.execute("SET deadlock_timeout = '60s'")
            operator.execute("SELECT 1 FROM tradeledger.instances FOR UPDATE")
            call = Call(record, *ORDER, key="k")
            waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' " \
                "AND datname = current_database()"  # fmt: skip
            eventually(lambda: self.server.query(waits) != [])
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

    def test_any_wait_is_a_wait(self) -> None:
        for wait in (float("inf"), 1e15, 3e6, -1, float("nan")):
            with self.open(lock_wait=wait) as ledger:
                ledger.record(*ORDER)
                ledger.record(*ORDER, lock_wait=wait)
                self.assertIsNone(ledger.check("a"))

    # Idle connections

    def terminate(self) -> None:
        self.server.query(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )

    def test_a_connection_that_ended_meanwhile_is_asked_nothing(self) -> None:
        """What was asked through it would count as sent, and a denial as unknown."""
        self.server.add_bot("slow")
        ledger = self.open()
        ledger.record("slow", *ORDER[1:])
        self.terminate()
        self.assertEqual(self.denied(ledger.record, "slow", *ORDER[1:]).reason, "cooldown")

    def test_a_connection_that_the_network_forgot(self) -> None:
        """It swallows the question; another one finds out what became of it."""
        ledger = self.open()
        for wait in (0.4, 0):
            self.proxy.forget()
            call = Call(ledger.record, *ORDER, key=f"k{wait}", lock_wait=wait)
            self.assertEqual(call.result().trade.key, f"k{wait}")
            self.assertLess(call.seconds, wait + NETWORK + SLACK)
        self.assertEqual(self.count(), 2)

    def test_a_connection_to_a_standby_is_not_kept(self) -> None:
        with self.server.set("default_transaction_read_only", "on"):
            ledger = self.open()
            self.failed("configuration", ledger.record, *ORDER)
        ledger.record(*ORDER)

    def test_a_ledger_that_is_dropped_leaves_no_connection(self) -> None:
        """At once, and not when the garbage is collected."""
        gc.disable()
        self.addCleanup(gc.enable)
        for _ in range(3):
            self.server.open(self.server.url()).check("a")
        eventually(lambda: self.server.query(
            "SELECT 1 FROM pg_stat_activity WHERE usename = %s", WORKER) == [])  # fmt: skip

    def test_a_signal_that_closes_it_in_the_middle_of_a_call(self) -> None:
        """It keeps nobody waiting, and the call has its answer."""
        ledger = self.server.open(self.server.url(), lock_wait=20)
        self.linger(0.8)
        handler = signal.signal(signal.SIGUSR1, lambda *_: ledger.close())
        self.addCleanup(signal.signal, signal.SIGUSR1, handler)

        def send() -> None:
            eventually(lambda: ledger._is_at_work)
            os.kill(os.getpid(), signal.SIGUSR1)

        sender = threading.Thread(target=send)
        sender.start()
        self.assertEqual(ledger.record(*ORDER, key="k").trade.key, "k")
        sender.join()
        self.failed("configuration", ledger.check, "a")

    def test_a_ledger_that_is_refused_leaves_no_connection(self) -> None:
        self.server.query("SET session_replication_role = replica")
        self.server.query("TRUNCATE tradeledger.ledger")
        self.server.query("RESET session_replication_role")
        others = "SELECT 1 FROM pg_stat_activity WHERE pid <> pg_backend_pid() " \
            "AND datname = current_database()"  # fmt: skip
        try:
            self.open()
        except tradeledger.LedgerError as error:
            # While it is kept, with its traceback and all that belongs to it.
            eventually(lambda: self.server.query(others) == [])
            self.assertEqual(error.code, "not_a_ledger")
        else:
            self.fail("it was opened")

    # Names

    @contextlib.contextmanager
    def named(self, *addresses: str, until: threading.Event | None = None) -> Iterator[str]:
        """The ledger at a name with these addresses, of which one learns after `until`."""

        look_up = socket.getaddrinfo

        def looked_up(host: str, *arguments: Any, **options: Any) -> list[Any]:
            if host != "db.example":
                return look_up(host, *arguments, **options)
            if until is not None:
                until.wait()
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 0)) for one in addresses]

        url = proxied(self.server.url(), self.proxy).replace("127.0.0.1", "db.example")
        with unittest.mock.patch("socket.getaddrinfo", looked_up):
            yield url

    def test_a_name_of_which_one_address_is_silent(self) -> None:
        with socket.create_server(("127.0.0.2", self.proxy.port)):
            with self.named("127.0.0.2", "127.0.0.1") as url:
                for wait in (0.0, 2.0):
                    start = time.monotonic()
                    with self.server.open(url, lock_wait=wait) as ledger:
                        self.assertLess(time.monotonic() - start, wait + NETWORK + SLACK)
                        ledger.record(*ORDER)

    def test_hosts_of_the_environment_are_tried_in_turn(self) -> None:
        parts = urllib.parse.urlsplit(self.server.url())
        url = f"postgresql://{parts.netloc.rpartition('@')[0]}@{parts.path}"
        hosts = {"PGHOST": "127.0.0.2,127.0.0.1", "PGPORT": str(self.proxy.port)}
        with socket.create_server(("127.0.0.2", self.proxy.port)):
            with unittest.mock.patch.dict(os.environ, hosts):
                with self.server.open(url, lock_wait=2) as ledger:
                    ledger.record(*ORDER)
                    self.assertIn("127.0.0.2", ledger.path)

    def test_a_name_server_that_does_not_answer(self) -> None:
        answer = threading.Event()
        with self.named("127.0.0.1", until=answer) as url:
            threads = threading.active_count()
            for _ in range(3):
                error = self.in_time(0.2, "unavailable", self.server.open, url, lock_wait=0.2)
                self.assertIn("'db.example' is not resolved", error.message)
                self.assertEqual(threading.active_count(), threads + 1)
            child = os.fork()
            if child == 0:
                # Has not got that thread, and asks anew.
                with contextlib.suppress(BaseException):
                    answer.set()
                    os._exit(self.server.open(url).check("a") is not None)
                os._exit(2)
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
            answer.set()
            with self.server.open(url) as ledger:
                ledger.record(*ORDER)

    def test_a_name_that_is_none(self) -> None:
        for name in ("nowhere.invalid", "a..b", "x" * 64):
            url = proxied(self.server.url(), self.proxy).replace("127.0.0.1", name)
            self.in_time(0.1, "unavailable", self.server.open, url, lock_wait=0.1)

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

    def linger(self, seconds: float) -> None:
        """The server takes so long for the trade with the key "k", under the lock."""
        self.addCleanup(
            self.server.query,
            "DROP TRIGGER linger ON tradeledger.trades; DROP FUNCTION public.linger",
        )
        self.server.query(
            f"""
            CREATE FUNCTION public.linger() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END $$;
            CREATE TRIGGER linger AFTER INSERT ON tradeledger.trades
              FOR EACH ROW WHEN (NEW.key LIKE 'k%') EXECUTE FUNCTION public.linger()"""
        )

    def test_a_lost_try_that_is_still_at_work_is_waited_for(self) -> None:
        ledger = self.open(lock_wait=0.1)
        self.linger(0.8)
        self.proxy.cut("during")
        self.assertEqual(ledger.record(*ORDER, key="k").trade.key, "k")
        self.assertEqual(self.count(), 1)

    def test_what_gives_one_call_up_does_not_meet_the_next(self) -> None:
        ledger = self.open(lock_wait=0.1)
        self.linger(0.8)
        # What asks the server to give up is held on its way, and the answer comes.
        cancel = self.proxy.hold_next()
        ledger.record(*ORDER, key="k1")
        call = Call(ledger.record, *ORDER, key="k2", lock_wait=10)
        eventually(lambda: self.server.query(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'") != [])  # fmt: skip
        cancel.set()
        self.assertFalse(call.result().replayed)
        self.assertEqual(self.count(), 2)

    def test_a_process_that_gets_no_thread(self) -> None:
        """At its end for example. It waits for the answer all the same."""
        ledger = self.server.open(self.server.url(), lock_wait=0.1)
        self.addCleanup(ledger.close)
        self.linger(0.8)
        size = threading.stack_size(1 << 46)
        try:
            ledger.record(*ORDER, key="k")
            url = self.server.url().replace("127.0.0.1", "db.example")
            self.failed("unavailable", Ledger, url, lock_wait=0.1)
        finally:
            threading.stack_size(size)

    def test_a_process_of_the_server_that_is_stopped(self) -> None:
        """SIGSTOP in the middle of the operation: under the lock, after the row was written."""
        ledger = self.open(lock_wait=0.4)
        self.linger(0.5)
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
            self.in_time(0.4, "outcome_unknown", call.result)
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
    """A server of the test's own, with few connections, whose rules for logging in ask for passwords
    and TLS. Where it may mount them, its log (WAL) and the ledger's tables are in file systems that
    can be filled."""

    def __init__(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="tradeledger-"))
        self.place.chmod(0o755)
        self.mounts: list[Path] = []
        home = self.place / "server"
        home.mkdir()
        self.authority = home / "ca.crt"
        self.certify(home)
        self.server = server.Server(
            str(home),
            {
                "max_connections": "9", "ssl": "on", "ssl_cert_file": f"'{home}/db.crt'",
                "ssl_key_file": f"'{home}/db.key'", # Each segment takes room of its own.
                "min_wal_size": "2MB", "wal_keep_size": "64MB",
            },
            initial=("--no-sync", "--wal-segsize=1"),
        )  # fmt: skip
        (self.server.data / "pg_hba.conf").write_text(
            "local all all trust\nhost all postgres all trust\n"
            "hostssl all tls all scram-sha-256\nhost all bob all scram-sha-256\n"
        )
        self.log, self.tables = self.mount("log", 96), self.mount("tables", 64)
        if self.log is not None:
            wal = self.server.data / "pg_wal"
            subprocess.run(["cp", "-a", f"{wal}/.", self.log], check=True)
            shutil.rmtree(wal)
            wal.symlink_to(self.log)
        self.server.start()
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            where = ""
            if self.tables is not None:
                connection.execute(f"CREATE TABLESPACE small LOCATION '{self.tables}'")
                where = "TABLESPACE small"
            connection.execute(f"CREATE DATABASE ledger {where}")
        self.query(SCHEMA.read_text(encoding="utf-8"))
        self.query("SELECT tradeledger.make_ledger('live')")
        self.query("SELECT tradeledger.add_bot('a', 0, 30000000, 'cooldown', 1)")
        for role in ("bob", "tls"):
            self.query(f"CREATE ROLE {role} LOGIN PASSWORD '{SECRET}' IN ROLE tradeledger_worker")

    def certify(self, home: Path) -> None:
        """An authority, and what it says of the host db.example."""
        key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        for command in (
            f"req -x509 {key} -days 2 -subj /CN=authority -keyout ca.key -out ca.crt",
            f"req {key} -subj /CN=db.example -keyout db.key -out db.csr",
            "x509 -req -in db.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out db.crt",
        ):
            subprocess.run(["openssl", *command.split()], cwd=home, check=True, capture_output=True)
        if os.getuid() == 0:
            shutil.chown(home / "db.key", "postgres")

    def mount(self, name: str, size: int) -> Path | None:
        """A file system of so many MiB; None where it may not be had."""
        place = self.place / name
        place.mkdir()
        if os.getuid() != 0:
            return None
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", str(place)]
        if subprocess.run(command, check=False, capture_output=True).returncode != 0:
            return None
        self.mounts.append(place)
        shutil.chown(place, "postgres", "postgres")
        place.chmod(0o700)
        return place

    def query(self, sql: str, *values: Any) -> list[Any]:
        with psycopg.connect(self.server.url("ledger"), autocommit=True) as connection:
            cursor = connection.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else []

    def url(self, user: str = "bob", password: str = SECRET, port: int = 0, **options: Any) -> str:
        account = f"{user}:{password}" if password else user
        host = options.pop("host", "127.0.0.1")
        query = urllib.parse.urlencode(options)
        return f"postgresql://{account}@{host}:{port or self.server.port}/ledger?{query}"

    def close(self) -> None:
        self.server.stop()
        for place in self.mounts:
            subprocess.run(["umount", place], check=True)
        shutil.rmtree(self.place)


@unittest.skipUnless(SERVER and psycopg, "there is no TRADELEDGER_TEST_POSTGRES, or no psycopg")
@unittest.skipIf(POOLER, "once is enough: without TRADELEDGER_TEST_PGBOUNCER")
class OwnServerTests(AnswerTestCase):
    own: OwnServer

    @classmethod
    def setUpClass(cls) -> None:
        try:
            server.programs()
        except SystemExit as error:
            raise unittest.SkipTest(str(error)) from None
        cls.own = OwnServer()
        cls.addClassCleanup(cls.own.close)

    def setUp(self) -> None:
        self.proxy = CuttingProxy(self.own.server.port)
        self.addCleanup(self.proxy.close)
        self.key = secrets.token_hex(8)

    def open(self, url: str, **options: Any) -> Ledger:
        ledger = Ledger(url, **options)
        self.addCleanup(ledger.close)
        return ledger

    def rows(self, key: str) -> int:
        sql = "SELECT count(*) FROM tradeledger.trades WHERE key = %s"
        return int(self.own.query(sql, key)[0][0])

    def refused(self, code: str, hint: str, url: str) -> None:
        """At once, whatever the wait, with the next step, and without the password."""
        start = time.monotonic()
        error = self.failed(code, self.open, url, lock_wait=30)
        self.assertLess(time.monotonic() - start, 10)
        self.assertIn(hint, error.hint)
        self.assertEqual(error.retry, "never")
        self.assertNotIn("s3cret", "".join(traceback.format_exception(error)) + repr(error))

    # Who may come in

    def test_a_wrong_password(self) -> None:
        wrong = "s3cret-but-wrong"
        self.refused("permission", "right password", self.own.url(password=wrong))
        self.refused("permission", "right password", self.own.url(password=""))
        self.refused("permission", "right password", self.own.url(password="", user="tls"))
        # libpq then tries without encryption too, and is told that this is not allowed.
        self.refused("permission", "right password", self.own.url("tls", wrong))
        self.refused("permission", "pg_hba.conf", self.own.url("nobody", wrong))
        ledger = self.open(self.own.url())
        self.assertNotIn("s3cret", f"{ledger.path} {ledger!r}")
        ledger.record(*ORDER)

    def test_a_server_that_wants_tls(self) -> None:
        url = self.own.url("tls", sslmode="disable")
        self.refused("permission", "sslmode", url)
        ledger = self.open(self.own.url("tls", sslmode="require"))
        ledger.record(*ORDER)
        sessions = self.own.query(
            "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'tls'"
        )
        self.assertEqual(sessions, [(True,)])

    def test_a_server_that_is_not_who_it_should_be(self) -> None:
        proof: dict[str, Any] = {"sslmode": "verify-full", "hostaddr": "127.0.0.1"}
        trusted = proof | {"sslrootcert": str(self.own.authority)}
        self.open(self.own.url("tls", host="db.example", **trusted)).record(*ORDER)
        for host, options in (
            ("other.example", trusted),
            ("db.example", proof | {"sslrootcert": "/nowhere"}),
            ("db.example", proof | {"sslrootcert": "system"}),
        ):
            self.refused("configuration", "sslmode", self.own.url("tls", host=host, **options))
        url = self.own.url("tls", sslmode="verify_full")
        self.refused("configuration", "set the URL right", url)

    def test_a_refusal_after_a_lost_answer_leaves_it_unknown(self) -> None:
        ledger = self.open(self.own.url(port=self.proxy.port, sslmode="disable"), lock_wait=20)
        self.own.query("ALTER ROLE bob PASSWORD 'another'")
        self.addCleanup(self.own.query, f"ALTER ROLE bob PASSWORD '{SECRET}'")
        self.proxy.cut("after")
        error = self.failed("outcome_unknown", ledger.record, *ORDER, key=self.key)
        self.assertIn("password", error.message)
        self.assertEqual(self.rows(self.key), 1)
        # Nothing was sent this time.
        self.failed("permission", ledger.record, *ORDER, key=self.key)

    # How many may come in

    @contextlib.contextmanager
    def crowded(self) -> Iterator[list[Any]]:
        """All connections are taken, but those that are kept for superusers."""
        with contextlib.ExitStack() as stack:
            others: list[Any] = []
            with contextlib.suppress(psycopg.OperationalError):
                while True:
                    others.append(stack.enter_context(psycopg.connect(self.own.url())))
            self.assertGreater(len(others), 3)
            yield others

    def test_a_server_without_a_free_connection_is_busy(self) -> None:
        with self.crowded() as others:
            start = time.monotonic()
            error = self.failed("busy", self.open, self.own.url(), lock_wait=0.5)
            self.assertIn("max_connections", error.hint)
            self.assertEqual(error.retry, "safe")
            self.assertGreaterEqual(time.monotonic() - start, 0.5)
            self.assertLess(time.monotonic() - start, 0.5 + NETWORK)
            call = Call(self.open, self.own.url(port=self.proxy.port), lock_wait=30)
            seen = self.proxy.connections
            eventually(lambda: self.proxy.connections >= seen + 2)
            self.assertTrue(call.is_alive())
            others[0].close()
            call.result().record(*ORDER, key=self.key)
        self.assertEqual(self.rows(self.key), 1)

    def test_a_role_that_has_all_its_connections(self) -> None:
        self.own.query("ALTER ROLE bob CONNECTION LIMIT 1")
        self.addCleanup(self.own.query, "ALTER ROLE bob CONNECTION LIMIT -1")
        url = self.own.url(port=self.proxy.port, sslmode="disable")
        with self.open(url) as ledger:
            # It loses its connection, and somebody else takes the place.
            self.proxy.cut("before")
            self.proxy.stall()
            call = Call(ledger.record, *ORDER, key=self.key, lock_wait=20)
            self.own.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                           "WHERE usename = 'bob'")  # fmt: skip
            with self.open(self.own.url()):
                self.proxy.resume()
                seen = self.proxy.connections
                eventually(lambda: self.proxy.connections >= seen + 2)
                self.assertEqual(self.rows(self.key), 0)
            self.assertEqual(call.result().trade.key, self.key)

    # Stalls

    def test_a_server_that_is_stopped(self) -> None:
        ledger = self.open(self.own.url(), lock_wait=0.4)
        ledger.record(*ORDER)
        self.own.server.pause()
        try:
            for code, call in (
                ("outcome_unknown", lambda: ledger.record(*ORDER, key=self.key)),
                ("unavailable", lambda: self.open(self.own.url(), lock_wait=0.4)),
            ):
                start = time.monotonic()
                self.failed(code, call)
                self.assertLess(time.monotonic() - start, 0.4 + NETWORK + SLACK)
        finally:
            self.own.server.go_on()
        self.assertEqual(ledger.record(*ORDER, key=self.key, lock_wait=20).trade.key, self.key)
        self.assertEqual(self.rows(self.key), 1)

    # Room

    def trade_until_it_fails(self, ledger: Ledger) -> tuple[list[str], str, tradeledger.LedgerError]:
        """The keys that were answered, the one that was not, and why."""
        answered: list[str] = []
        for number in range(100_000):
            key = f"{self.key}-{number}"
            try:
                ledger.record(*ORDER, key=key)
            except tradeledger.LedgerError as error:
                return answered, key, error
            answered.append(key)
        raise AssertionError("there is still room")

    def fill(self, place: Path | None) -> Path:
        if place is None:
            self.skipTest("no file system can be mounted here")
        filler = place / "filler"
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        return filler

    def expect_all(self, keys: list[str]) -> None:
        found = self.own.query(
            "SELECT count(*) FROM tradeledger.trades WHERE key = ANY(%s)", keys
        )
        self.assertEqual(found, [(len(keys),)])

    def test_tables_without_room(self) -> None:
        ledger = self.open(self.own.url())
        filler = self.fill(self.own.tables)
        try:
            answered, key, error = self.trade_until_it_fails(ledger)
            self.assertEqual((error.code, error.retry), ("io", "safe"), error)
            self.assertIn("make room", error.hint)
            self.assertEqual(self.rows(key), 0)
        finally:
            filler.unlink()
        ledger.record(*ORDER, key=key)
        self.expect_all([*answered, key])

    def test_a_log_without_room(self) -> None:
        """The server ends itself then, and comes back when there is room."""
        ledger = self.open(self.own.url(), lock_wait=1)
        filler = self.fill(self.own.log)
        try:
            answered, key, error = self.trade_until_it_fails(ledger)
            self.assertIn((error.code, error.retry),
                          (("outcome_unknown", "check_first"), ("unavailable", "safe")))  # fmt: skip
        finally:
            filler.unlink()
        if self.own.server.has_ended():
            self.own.server.start()
        ledger.record(*ORDER, key=key, lock_wait=30)
        self.expect_all([*answered, key])


@unittest.skipUnless(SERVER and psycopg, "there is no TRADELEDGER_TEST_POSTGRES, or no psycopg")
@unittest.skipIf(POOLER, "once is enough: without TRADELEDGER_TEST_PGBOUNCER")
class PoolerTests(AnswerTestCase):
    WORKER = """
import sys, tradeledger
ledger = tradeledger.Ledger(sys.argv[1], lock_wait=0.1)
print("open", flush=True)
sys.stdin.readline()
try:
    ledger.record("a", "buy", "BTC-USD", "1")
except tradeledger.LedgerError as error:
    print(error.code, flush=True)
"""

    def test_a_worker_that_ends_leaves_the_pooler_alive(self) -> None:
        """It has asked for a call to be given up, and the pooler cannot pass that on yet."""
        try:
            server.programs()
        except SystemExit as error:
            raise unittest.SkipTest(str(error)) from None
        place = Path(tempfile.mkdtemp(prefix="tradeledger-"))
        self.addCleanup(shutil.rmtree, place)
        place.chmod(0o755)
        own = server.Server(str(place), initial=("--no-sync",))
        self.addCleanup(own.stop)
        own.start()
        pooler = server.Pooler(own)
        self.addCleanup(pooler.stop)
        with psycopg.connect(own.url(), autocommit=True) as operator:
            operator.execute(SCHEMA.read_text(encoding="utf-8"))
            operator.execute("SELECT tradeledger.make_ledger('live')")
            operator.execute("SELECT tradeledger.add_bot('a', 0, 30000000, 'cooldown', 1)")
            with subprocess.Popen(
                [sys.executable, "-B", "-c", self.WORKER, own.url(port=pooler.port)], text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": str(ROOT / "clients/python")},
            ) as worker:  # fmt: skip
                assert worker.stdin is not None and worker.stdout is not None
                self.assertEqual(worker.stdout.readline(), "open\n")
                with operator.transaction():
                    operator.execute("LOCK TABLE tradeledger.trades")
                    # Who has a connection is served, and nobody else let in.
                    os.kill(own.pid, signal.SIGSTOP)
                    try:
                        worker.stdin.write("\n")
                        worker.stdin.flush()
                        self.assertEqual(worker.stdout.readline(), "outcome_unknown\n")
                        with contextlib.suppress(subprocess.TimeoutExpired):
                            worker.wait(1)
                            # It has gone, and the pooler notices before the server goes on.
                            log = place / "pgbouncer.log"
                            eventually(lambda: "unexpected eof" in log.read_text())
                    finally:
                        os.kill(own.pid, signal.SIGCONT)
                self.assertEqual(worker.wait(30), 0)
        with Ledger(own.url(port=pooler.port)) as ledger:
            ledger.record(*ORDER)
        self.assertIsNone(pooler.process.poll())


if __name__ == "__main__":
    unittest.main()
