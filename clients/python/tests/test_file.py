"""The ledger's file: how it is opened, what is refused, and what an answer rests on."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import generate
import tradeledger
from support import HERE, START_US, LedgerTestCase
from tradeledger import Busy, Ledger

ORDER = ("momentum", "buy", "BTC-USD", "0.25")
WORKER = [sys.executable, "-B", str(HERE / "file_worker.py")]


class FileTestCase(LedgerTestCase):
    def setUp(self) -> None:
        super().setUp()
        logging.getLogger("tradeledger").setLevel(logging.CRITICAL)
        self.file.add_bot()

    def opened(self, **options: Any) -> Ledger:
        ledger = self.file.open(**options)
        self.addCleanup(ledger.close)
        return ledger

    def keys(self) -> list[str]:
        return [row[0] for row in self.file.query("SELECT key FROM trades ORDER BY id")]


class OneTruthTests(unittest.TestCase):
    def test_sql_and_fingerprint_are_those_of_the_swift_engine(self) -> None:
        module = generate.MODULE.read_text(encoding="utf-8")
        self.assertEqual(generate.with_generated(module), module, "run generate.py")


class OpenTests(FileTestCase):
    def test_settings_hold(self) -> None:
        database = self.opened()._database.connection
        for pragma, value in {
            "synchronous": 2, "foreign_keys": 1, "trusted_schema": 0, "cell_size_check": 1,
            "wal_autocheckpoint": 0, "recursive_triggers": 1, "journal_mode": "wal",
        }.items():  # fmt: skip
            self.assertEqual(database.execute(f"PRAGMA {pragma}").fetchall(), [(value,)], pragma)

    def test_a_setting_that_does_not_hold_is_an_error(self) -> None:
        with mock.patch.dict(tradeledger._SETTINGS, {"synchronous": 7}):
            self.failed("configuration", self.file.open)

    def test_what_is_not_a_safe_file_is_refused(self) -> None:
        path = Path(self.file.path)
        link = path.with_name("link.db")
        link.symlink_to(path)
        Ledger(link, clock=self.file.clock).close()
        self.failed("no_ledger", Ledger, path.with_name("none.db"))
        self.failed("invalid_input", Ledger, "file:" + self.file.path)
        for url in ("mysql://bot:s3cret@h/d", "postgresql+psycopg://a:s3cret@h/d",
                    "POSTGRES://s3cret", "my_sql://bot:s3cret@h/d",
                    "Password = s3cret dbname=d"):  # fmt: skip
            self.assertNotIn("s3cret", str(self.failed("unavailable", Ledger, url)))
        self.failed("not_a_ledger", Ledger, path.parent)
        self.failed("configuration", Ledger, "/proc/version")
        path.chmod(0o666)
        self.failed("configuration", self.file.open)
        path.chmod(0o600)
        path.parent.chmod(0o777)
        self.failed("configuration", self.file.open)
        path.parent.chmod(0o700)
        link.unlink()
        link.hardlink_to(path)
        self.failed("configuration", self.file.open)
        link.unlink()
        os.mkfifo(self.file.path + "-journal")
        self.failed("configuration", self.file.open)

    def test_a_file_that_is_mounted_by_itself_is_refused(self) -> None:
        """At each place it is mounted at it would have another log: two "yes" for one bot."""
        unshare = ["unshare", "--mount", "sh", "-c"]
        if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("mounting is not allowed here")
        place = Path(self.file.directory, "place")
        place.mkdir(0o700)
        alone = place / "a b\\c.db"
        alone.touch(0o600)
        self.file.query("PRAGMA wal_checkpoint(TRUNCATE)")

        def answer(source: str, target: Path, path: Path) -> tuple[str, str]:
            mount = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
            worker = [*WORKER, str(path), "trade"]
            out = subprocess.run(
                [*unshare, mount, "sh", source, str(target), *worker],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            return out.stdout, out.stderr

        stdout, stderr = answer(self.file.path, alone, alone)
        self.assertEqual(stdout, "")
        self.assertIn("a b\\c.db' is mounted by itself", stderr)
        stdout, stderr = answer(self.file.directory, place, place / "ledger.db")
        self.assertEqual(stdout, "admitted k\n", stderr)
        self.assertEqual(self.keys(), ["k"])

    def test_a_ledger_that_is_replaced_while_it_is_opened_is_refused(self) -> None:
        """As a restore does it, which keeps everybody out meanwhile. Whoever had opened the old
        file would write its pages into the log of the new one."""
        path, backup = self.file.path, self.file.path + "-restore"
        self.file.query("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(path, backup)
        self.file.add_bot("forgotten")
        self.file.reopen()
        old = sqlite3.connect(path, isolation_level=None)
        old.executescript("PRAGMA locking_mode = exclusive; BEGIN IMMEDIATE; ROLLBACK")
        waiting, errors = threading.Event(), list[str]()

        class Wait(tradeledger._Wait):
            def nap(self, longest: float = 0.004) -> bool:
                waiting.set()
                return super().nap(longest)

        def ask() -> None:
            error = self.failed("ledger_moved", self.file.open, lock_wait=30)
            errors.append(error.retry)

        with mock.patch.object(tradeledger, "_Wait", Wait):
            thread = threading.Thread(target=ask)
            thread.start()
            self.assertTrue(waiting.wait(10))
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            for suffix in ("-wal", "-shm"):
                Path(path + suffix).unlink(missing_ok=True)
            os.rename(path, path + ".replaced")
            os.rename(backup, path)
            old.close()
            thread.join()
        self.assertEqual(errors, ["safe"])
        self.file.reopen()
        self.opened().record(*ORDER, key="k")
        self.assertEqual(self.file.query("SELECT name FROM bots"), [("momentum",)])

    def test_a_name_means_nothing_but_itself(self) -> None:
        self.file.query("PRAGMA wal_checkpoint(TRUNCATE)")
        for name in ("a?mode=ro", "b%20c#d", ":memory:", "e\nf", os.fsdecode(b"\xff")):
            path = Path(self.file.directory, name)
            shutil.copy(self.file.path, path)
            with Ledger(path, clock=self.file.clock) as ledger:
                ledger.record(*ORDER, key="k")
            self.assertTrue(Path(os.fspath(path) + "-synced").exists(), name)

    def test_without_proc_it_says_why_not(self) -> None:
        with mock.patch("os.listdir", side_effect=FileNotFoundError(2, "No such file")):
            error = self.failed("configuration", self.file.open)
        self.assertIn("cannot see its own open files", error.message)

    @unittest.skipIf(os.geteuid() != 0, "only root can give a file away")
    def test_what_root_makes_belongs_to_the_owner_of_the_ledger(self) -> None:
        os.chown(self.file.path, 65_534, 65_533)
        self.opened()
        info = os.stat(self.file.path + "-synced")
        self.assertEqual((info.st_uid, info.st_gid), (65_534, 65_533))

    def test_a_foreign_database_is_refused_and_not_touched(self) -> None:
        path = self.file.directory + "/foreign.db"
        writer = sqlite3.connect(path)
        writer.execute("PRAGMA journal_mode = wal")
        writer.execute("CREATE TABLE trades (id)")
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("INSERT INTO trades VALUES (1)")
        writer.commit()
        # As a crash leaves it: a log that whoever closes the file last would copy.
        crashed = self.file.directory + "/crashed.db"
        for suffix in ("", "-wal"):
            shutil.copy(path + suffix, crashed + suffix)
        before = [Path(crashed + suffix).read_bytes() for suffix in ("", "-wal")]
        self.failed("not_a_ledger", Ledger, crashed)
        self.assertEqual([Path(crashed + s).read_bytes() for s in ("", "-wal")], before)
        writer.close()

    def test_another_layout_is_refused(self) -> None:
        for version, code in ((tradeledger._LAYOUT - 1, "configuration"), (99, "newer_schema")):
            self.file.query(f"PRAGMA user_version = {version}")
            self.failed(code, self.file.open)

    def test_an_altered_schema_is_refused_at_opening_and_before_the_next_trade(self) -> None:
        ledger = self.opened()
        self.file.query("DROP TRIGGER trade_cooldown")
        error = self.failed("schema_altered", ledger.record, *ORDER)
        self.assertIn("trade_cooldown", error.message)
        self.failed("schema_altered", self.file.open)
        self.assertEqual(self.keys(), [])

    def test_a_moved_file_is_noticed(self) -> None:
        ledger = self.opened()
        os.rename(self.file.path + "-wal", self.file.path + "-wal.moved")
        self.failed("ledger_moved", ledger.record, *ORDER)
        Path(self.file.path + "-wal").touch(0o600)
        self.failed("ledger_moved", ledger.record, *ORDER)
        os.rename(self.file.path + "-wal.moved", self.file.path + "-wal")
        ledger.record(*ORDER)

    def test_nothing_of_the_ledger_is_opened_but_by_sqlite(self) -> None:
        # Of what Python opens there is a report; SQLite opens below it.
        report = self.run_worker("audit")
        self.assertEqual(
            {Path(name).name for name in json.loads(report)}, {"ledger.db-synced"}, report
        )

    def run_worker(self, *words: str) -> str:
        return subprocess.run(
            [*WORKER, self.file.path, *words], check=True, capture_output=True, text=True
        ).stdout


class LockTests(FileTestCase):
    def test_busy_comes_after_the_limit_and_nothing_was_written(self) -> None:
        ledger = self.opened(lock_wait=0.2)
        self.file.query("BEGIN IMMEDIATE")
        start = time.monotonic()
        self.assertRaises(Busy, ledger.record, *ORDER)
        self.assertTrue(0.19 < time.monotonic() - start < 2)
        self.file.query("ROLLBACK")
        self.assertEqual(self.keys(), [])
        ledger.record(*ORDER)

    def test_the_file_and_the_clock_are_read_under_the_lock(self) -> None:
        """Whoever waited sees what was committed meanwhile, at the time at which it has the lock."""
        ledger = self.opened()
        waiting, answers = threading.Event(), list[Any]()

        class Wait(tradeledger._Wait):
            def nap(self, longest: float = 0.004) -> bool:
                waiting.set()
                return super().nap(longest)

        def ask() -> None:
            try:
                answers.append(ledger.record(*ORDER).trade.created_at_us)
            except tradeledger.Denied as denied:
                answers.append((denied.reason, denied.retry_after, denied.winner))

        def while_locked(do: Callable[[], None]) -> Any:
            waiting.clear()
            self.file.query("BEGIN IMMEDIATE")
            thread = threading.Thread(target=ask)
            thread.start()
            self.assertTrue(waiting.wait(10))
            do()
            self.file.query("COMMIT")
            thread.join()
            return answers[-1]

        with mock.patch.object(tradeledger, "_Wait", Wait):
            created = while_locked(lambda: self.file.clock.advance(5_000_000))
            self.assertEqual(created, START_US + 5_000_000)
            self.file.clock.advance(900_000_000)
            reason, wait, winner = while_locked(self.insert_other)
        self.assertEqual((reason, wait, winner and winner.key), ("cooldown", 900.0, "other"))

    def test_a_signal_that_throws_into_a_call_leaves_nothing_locked(self) -> None:
        """As Celery's soft time limit does, in the moment in which the lock, or the turn, is had."""
        self.file.add_bot("fast", 0)
        ledger = self.opened(lock_wait=2)

        class Limit(Exception):
            pass

        def thrown_after(method: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **kwargs: Any) -> Any:
                method(*args, **kwargs)
                raise Limit

            return call

        lock = mock.Mock(wraps=ledger._lock)
        lock.acquire.side_effect = thrown_after(ledger._lock.acquire)
        with mock.patch.object(ledger, "_lock", lock):
            self.assertRaises(Limit, ledger.record, "fast", *ORDER[1:])
        turnstile = ledger._turnstile
        with mock.patch.object(turnstile, "_pass", thrown_after(turnstile._pass)):
            self.assertRaises(Limit, ledger.record, "fast", *ORDER[1:])
        self.assertEqual(self.gate(turnstile), 0)
        with mock.patch.object(turnstile, "leave", side_effect=[None, Limit]):
            self.assertRaises(Limit, ledger.record, "fast", *ORDER[1:])
        self.assertEqual(self.gate(turnstile), 1, "until its next call")
        # From another thread: whoever has a lock of this kind gets it again.
        answers = list[int]()
        thread = threading.Thread(
            target=lambda: answers.append(ledger.record("fast", *ORDER[1:]).trade.id)
        )
        thread.start()
        thread.join()
        self.assertEqual(len(answers), 1)
        self.assertEqual(self.gate(turnstile), 0)

    def gate(self, turnstile: Any) -> int:
        """How many are in it."""
        return int(tradeledger._libc.semctl(turnstile._set, turnstile._gate, 12))

    def test_a_call_from_within_a_call_is_busy(self) -> None:
        ledger = self.opened()
        errors = list[str]()

        def clock() -> tradeledger.Reading:
            with self.assertRaises(Busy) as raised:
                ledger.bots()
            errors.append(raised.exception.code)
            return self.file.clock()

        with mock.patch.object(ledger, "_clock", clock):
            ledger.record(*ORDER, key="k")
        self.assertGreater(len(errors), 1)
        self.assertEqual(len(self.keys()), 1)

    def test_a_close_from_within_a_call_lets_it_end(self) -> None:
        """As a handler of SIGTERM does, in the thread that works."""
        ledger = self.opened()

        def clock() -> tradeledger.Reading:
            ledger.close()
            return self.file.clock()

        with mock.patch.object(ledger, "_clock", clock):
            ledger.record(*ORDER, key="k")
        self.failed("configuration", ledger.bots)
        self.assertEqual(self.keys(), ["k"])
        ledger._database.connection.close()

    def insert_other(self) -> None:
        now = self.file.clock().wall_us
        self.file.run(
            "insertTrade", 1, "other", "record", "buy", "BTC-USD", "1", None, 900_000_000, None, 1,
            None, None, now, None, None, None, "filled", now, None, "1", None, now,
        )  # fmt: skip

    def test_a_log_stays_short(self) -> None:
        self.file.add_bot("fast", 0)
        ledger = self.opened()
        longest = 0
        for _ in range(400):
            ledger.record("fast", *ORDER[1:])
            longest = max(longest, ledger._frames)
        self.assertTrue(600 <= longest < 800, longest)
        self.assertLess(Path(self.file.path + "-wal").stat().st_size, 4200 * 1000)


class DurabilityTests(FileTestCase):
    def test_an_answer_is_committed_and_synced_before_it_is_given(self) -> None:
        trace = self.traced("trade", "-e", "trace=pwrite64,fdatasync,write")
        answer = next(n for n, line in enumerate(trace) if '"admitted' in line)
        written = max(n for n, line in enumerate(trace) if "pwrite64(" in line)
        self.assertLess(written, answer)
        self.assertTrue(any("fdatasync(" in line for line in trace[written:answer]), trace)
        self.assertEqual(self.keys(), ["k"])

    def test_an_answer_survives_kill_9(self) -> None:
        child = subprocess.run(
            [*WORKER, self.file.path, "die"], capture_output=True, text=True, check=False
        )
        self.assertEqual((child.returncode, child.stdout), (-signal.SIGKILL, "admitted k\n"))
        self.assertEqual(self.keys(), ["k"])

    def test_a_commit_that_fails_once_is_finally_not_written(self) -> None:
        out = self.traced("trade", "-e", "inject=fdatasync:error=EIO:when=1", answer=True)
        self.assertEqual(out, ["io safe", "admitted k"])
        self.assertEqual(self.keys(), ["k"])
        self.assertEqual(self.file.query("SELECT ticks FROM ledger"), [(1,)])

    def test_a_disk_that_fails_for_ever_leaves_the_outcome_unknown(self) -> None:
        out = self.traced("trade", "-e", "inject=fdatasync:error=EIO", answer=True)
        self.assertEqual(out, ["outcome_unknown check_first", "outcome_unknown check_first"])

    def traced(self, word: str, *options: str, answer: bool = False) -> list[str]:
        if shutil.which("strace") is None:
            self.skipTest("there is no strace")
        log = self.file.directory + "/trace"
        child = subprocess.run(
            ["strace", "-f", "-qq", "-s", "64", "-o", log, *options, *WORKER, self.file.path, word],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if child.returncode != 0 and "ptrace" in child.stderr:
            self.skipTest("tracing is not allowed here")
        self.assertEqual(child.returncode, 0, child.stderr)
        text = child.stdout if answer else Path(log).read_text(errors="replace")
        return text.splitlines()

    def test_a_replay_of_a_row_that_is_not_on_the_disk_syncs_first(self) -> None:
        ledger = self.opened()
        ledger.record(*ORDER, key="k")
        # Somebody commits and has not synced yet.
        self.file.query("PRAGMA synchronous = normal")
        self.file.add_bot("other")
        with mock.patch("os.fdatasync", wraps=os.fdatasync) as sync:
            self.assertTrue(ledger.record(*ORDER, key="k").replayed)
            self.assertEqual(sync.call_count, 1)
            self.assertTrue(ledger.record(*ORDER, key="k").replayed)
            self.assertEqual(sync.call_count, 1)

    def test_a_sync_that_failed_elsewhere_is_made_good_before_an_answer(self) -> None:
        ledger = self.opened()
        ledger._board.publish_failure()
        ledger.record(*ORDER)
        self.assertFalse(ledger._board.has_failure)
        self.assertEqual(self.file.query("SELECT ticks FROM ledger"), [(1,)])


class ForkTests(FileTestCase):
    def test_a_fork_is_refused_and_the_parent_is_unharmed(self) -> None:
        ledger = self.opened()
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            answer = "no error"
            try:
                ledger.record(*ORDER)
            except tradeledger.LedgerError as error:
                answer = f"{error.code}: {error.message}"
            os.write(writer, answer.encode())
            ledger.close()
            del ledger
            self._cleanups: list[Any] = []
            os._exit(0)
        os.close(writer)
        answer = os.read(reader, 1000).decode()
        os.close(reader)
        os.waitpid(child, 0)
        self.assertTrue(answer.startswith("configuration: this ledger belongs to process"), answer)
        ledger.record(*ORDER)

    def test_a_child_that_forgets_the_ledger_leaves_its_files_alone(self) -> None:
        """Closing the parent's connection in the child would touch files that others work on."""
        out = subprocess.run(
            [*WORKER, self.file.path, "fork"], capture_output=True, text=True, check=True
        ).stdout
        self.assertEqual(out, "still open\nadmitted k\n")

    def test_a_task_runner_opens_anew_in_the_fork(self) -> None:
        self.assertIs(Ledger.shared(self.file.path), Ledger.shared(self.file.path))
        tradeledger._shared.popitem()[1].close()

    def test_eight_processes_at_a_barrier_get_one_permit(self) -> None:
        reader, writer = os.pipe()
        workers = [
            subprocess.Popen(
                [*WORKER, self.file.path, "race"], stdin=reader, stdout=subprocess.PIPE, text=True
            )
            for _ in range(8)
        ]
        os.close(reader)
        outputs = [worker.stdout for worker in workers if worker.stdout is not None]
        self.assertEqual([out.readline() for out in outputs], ["ready\n"] * 8)
        os.close(writer)
        answers = sorted(out.readline().split()[0] for out in outputs)
        self.assertEqual(answers, ["admitted"] + ["in_progress"] * 7)
        for worker in workers:
            worker.wait()
            if worker.stdout is not None:
                worker.stdout.close()


if __name__ == "__main__":
    unittest.main()
