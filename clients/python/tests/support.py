"""Ledgers for tests: made from schema.sql, with the statements of the Swift engine."""

from __future__ import annotations

import faulthandler
import shutil
import sqlite3
import sys
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
sys.path.insert(0, str(HERE.parent))

import generate  # noqa: E402
import tradeledger  # noqa: E402

STATEMENTS = generate.swift_statements()
# Of Tests/LedgerTestSupport/ManualClock.swift.
START_US = 1_757_276_933_000_000
# Longer than any test takes, in seconds.
HANGS = 180


class ManualClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.reading = tradeledger.Reading(START_US, "test-boot", 3_600_000_000)

    def __call__(self) -> tradeledger.Reading:
        return self.reading

    def advance(self, us: int) -> None:
        now = self.reading
        self.reading = replace(now, wall_us=now.wall_us + us, boot_us=now.boot_us + us)

    def jump(self, us: int) -> None:
        self.reading = replace(self.reading, wall_us=self.reading.wall_us + us)

    def reboot(self, boot_id: str) -> None:
        self.reading = replace(self.reading, boot_id=boot_id, boot_us=1_000_000)


class LedgerFile:
    """A ledger in a directory of its own, and an operator's hand on it."""

    def __init__(self, mode: str = "simulation") -> None:
        self.directory = tempfile.mkdtemp(prefix="tradeledger-")
        self.path = self.directory + "/ledger.db"
        self.clock = ManualClock()
        self.is_simulation = mode == "simulation"
        with open(self.path, "xb"):
            Path(self.path).chmod(0o600)
        self._database = self._connect()
        self._database.execute("PRAGMA journal_mode = wal")
        self._database.executescript(generate.SCHEMA.read_text(encoding="utf-8"))
        self.run("insertLedger", mode, self._now)
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path, isolation_level=None, timeout=30)
        database.execute("PRAGMA wal_autocheckpoint = 0")
        return database

    def reopen(self) -> None:
        """Whatever file has the name now."""
        self._database.close()
        self._database = self._connect()

    @property
    def _now(self) -> int:
        clock = self.clock if self.is_simulation else tradeledger.SystemClock()
        return int(clock().wall_us)

    def run(self, statement: str, *values: Any) -> list[Any]:
        """A statement of the Swift engine, by its name there."""
        return self._database.execute(STATEMENTS[statement], values).fetchall()

    def query(self, sql: str) -> list[Any]:
        return self._database.execute(sql).fetchall()

    def add_bot(
        self, name: str = "momentum", cooldown_us: int = 900_000_000, lease_us: int = 30_000_000,
        in_doubt: str = "cooldown",
    ) -> None:  # fmt: skip
        self.run("insertBot", name)
        self.run("insertSettings", name, cooldown_us, lease_us, in_doubt, 1, self._now)

    def change_bot(self, name: str, **change: Any) -> None:
        row = self.run("bots", name)[0]
        before = dict(zip(("cooldown_us", "lease_us", "in_doubt", "enabled"), row[1:], strict=True))
        after = before | change
        self.run("insertSettings", name, *after.values(), self._now)

    def take(self, instance: str) -> None:
        """Somebody takes the name."""
        holder = ("some-boot", 1, 1, 4711, 1, "host", "command", self._now, None)
        if self.run("instance", instance):
            self.run("takeInstance", instance, *holder)
        else:
            self.run("insertInstance", instance, *holder)

    def evict(self, instance: str) -> None:
        self.run("evictInstance", instance)

    def open(self, **options: Any) -> tradeledger.Ledger:
        if self.is_simulation:
            options.setdefault("clock", self.clock)
        return tradeledger.Ledger(self.path, **options)

    def close(self) -> None:
        self._database.close()
        shutil.rmtree(self.directory)


class AnswerTestCase(unittest.TestCase):
    """Calls that do not end well."""

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        # A test that hangs ends its process and shows where, even if all threads stand still.
        faulthandler.dump_traceback_later(HANGS, exit=True)
        try:
            return super().run(result)
        finally:
            faulthandler.cancel_dump_traceback_later()

    def denied(self, call: Any, *args: Any, **kwargs: Any) -> tradeledger.Denied:
        with self.assertRaises(tradeledger.Denied) as raised:
            call(*args, **kwargs)
        return raised.exception

    def failed(self, code: str, call: Any, *args: Any, **kwargs: Any) -> tradeledger.LedgerError:
        with self.assertRaises(tradeledger.LedgerError) as raised:
            call(*args, **kwargs)
        self.assertEqual(raised.exception.code, code, raised.exception)
        return raised.exception


class LedgerTestCase(AnswerTestCase):
    """A test with a ledger, which must be sound at its end."""

    mode = "simulation"

    def setUp(self) -> None:
        self.file = LedgerFile(self.mode)
        self.addCleanup(self.file.close)
        self.addCleanup(self.expect_sound)

    def expect_sound(self) -> None:
        if not Path(self.file.path + "-wal").exists():
            return
        self.assertEqual(self.file.query("PRAGMA integrity_check"), [("ok",)])
        doubles = self.file.query(
            "SELECT bot_id FROM trades WHERE status = 'pending' GROUP BY bot_id HAVING COUNT(*) > 1"
        )
        self.assertEqual(doubles, [], "INV-2")
