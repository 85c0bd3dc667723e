"""Ledgers on a PostgreSQL server for tests. TRADELEDGER_TEST_POSTGRES is the address of a server on
which databases and roles may be made (scripts/postgres starts one); without it these tests are
skipped. TRADELEDGER_TEST_PGBOUNCER is the address of a pooler in front of it."""

from __future__ import annotations

import contextlib
import os
import secrets
import unittest
import unittest.mock
import urllib.parse
from collections.abc import Iterator
from typing import Any

from support import ROOT, START_US, AnswerTestCase, ManualClock

import tradeledger

try:
    import psycopg
    import psycopg.types.json
except ImportError:
    psycopg = None  # type: ignore[assignment,unused-ignore]

SERVER = os.environ.get("TRADELEDGER_TEST_POSTGRES", "")
POOLER = os.environ.get("TRADELEDGER_TEST_PGBOUNCER", "")
SCHEMA = ROOT / "schema.postgres.sql"
WORKER = "tradeledger_test_worker"
TEMPLATE = f"tradeledger_test_{os.getpid()}"


def address(database: str, user: str | None = None, server: str = "") -> str:
    """The server's address with another database and user."""
    parts = urllib.parse.urlsplit(server or SERVER)
    host = parts.netloc.rpartition("@")[2]
    account = user if user is not None else parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{account}@{host}" if account else host, path=f"/{database}").geturl()


def administer(sql: str, database: str = "postgres") -> list[Any]:
    with psycopg.connect(address(database), autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


def schema() -> str:
    return os.environ.get("TRADELEDGER_TEST_SCHEMA") or SCHEMA.read_text(encoding="utf-8")


def make_template() -> None:
    """The schema once; every ledger is a copy of it."""
    administer(f"CREATE DATABASE {TEMPLATE}")
    if "TRADELEDGER_TEST_SCHEMA" in os.environ or os.environ.get("TRADELEDGER_TEST_ANY_SCHEMA"):
        # A rule was taken away: the tests are to see it, and not the client at opening.
        unittest.mock.patch.object(tradeledger._ServerLedger, "_expect_shipped").start()
    administer(schema(), TEMPLATE)
    if not administer(f"SELECT 1 FROM pg_roles WHERE rolname = '{WORKER}'"):
        administer(f"CREATE ROLE {WORKER} LOGIN IN ROLE tradeledger_worker")


def drop(database: str) -> None:
    administer(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


class ServerLedger:
    """A ledger in a database of its own, and an operator's hand on it."""

    def __init__(self, mode: str = "simulation", is_made: bool = True) -> None:
        self.name = f"tradeledger_test_{secrets.token_hex(6)}"
        administer(f"CREATE DATABASE {self.name} TEMPLATE {TEMPLATE}")
        self.operator = psycopg.connect(address(self.name), autocommit=True)
        self.clock = ManualClock()
        self.is_simulation = mode == "simulation"
        if is_made:
            self._make()

    def _make(self) -> None:
        mode = "simulation" if self.is_simulation else "live"
        self.query("SELECT tradeledger.make_ledger(%s, %s)", mode, self._now)

    def reset(self) -> None:
        """Empty again, by a superuser without triggers: faster than another database."""
        self.clock = ManualClock()
        self.query("SET session_replication_role = replica")
        tables = "ledger, bots, settings, instances, trades, conflicts, restores"
        names = ", ".join(f"tradeledger.{name}" for name in tables.split(", "))
        self.query(f"TRUNCATE {names} RESTART IDENTITY")
        self.query("RESET session_replication_role")
        self._make()

    @property
    def _now(self) -> int | None:
        return self.clock().wall_us if self.is_simulation else None

    def query(self, sql: str, *values: Any) -> list[Any]:
        cursor = self.operator.execute(sql, values or None)
        return cursor.fetchall() if cursor.description else []

    @contextlib.contextmanager
    def set(self, name: str, value: str) -> Iterator[None]:
        """As every new session of the database has it."""
        self.query(f"ALTER DATABASE {self.name} SET {name} = '{value}'")
        try:
            yield
        finally:
            self.query(f"ALTER DATABASE {self.name} RESET {name}")

    def add_bot(
        self, name: str = "momentum", cooldown_us: int = 900_000_000, lease_us: int = 30_000_000,
        in_doubt: str = "cooldown",
    ) -> None:  # fmt: skip
        self.query(
            "SELECT tradeledger.add_bot(%s, %s, %s, %s, 1, 5000, %s)", name, cooldown_us, lease_us,
            in_doubt, self._now,
        )  # fmt: skip

    def change_bot(self, name: str, **change: Any) -> None:
        enabled = change.get("enabled")
        self.query(
            "SELECT tradeledger.change_bot(%s, %s, %s, %s, %s, 5000, %s)", name,
            change.get("cooldown_us"), change.get("lease_us"), change.get("in_doubt"),
            None if enabled is None else int(enabled), self._now,
        )  # fmt: skip

    def take(self, instance: str) -> None:
        self.query(
            "SELECT tradeledger.acquire(%s, 'some-boot', 1, 1, 4711, 1, 'host', 'command', NULL, "
            "NULL, 5000, %s)", instance, self._now,
        )  # fmt: skip

    def evict(self, instance: str) -> None:
        self.query("SELECT tradeledger.evict(%s)", instance)

    def url(self, user: str = WORKER, server: str = "") -> str:
        return address(self.name, user, server)

    def open(self, url: str | None = None, **options: Any) -> tradeledger.Ledger:
        if self.is_simulation:
            options.setdefault("clock", self.clock)
        return tradeledger.Ledger(url or self.url(server=POOLER), **options)

    def close(self) -> None:
        self.operator.close()
        drop(self.name)


@unittest.skipUnless(SERVER and psycopg, "there is no TRADELEDGER_TEST_POSTGRES, or no psycopg")
class ServerTestCase(AnswerTestCase):
    """A test with a ledger on the server, which must be sound at its end."""

    mode = "simulation"
    server: ServerLedger

    @classmethod
    def setUpClass(cls) -> None:
        make_template()
        cls.addClassCleanup(drop, TEMPLATE)
        # One database for all, emptied for each.
        cls.server = ServerLedger(cls.mode)
        cls.addClassCleanup(cls.server.close)

    def setUp(self) -> None:
        self.server.reset()
        self.addCleanup(self.expect_sound)

    def expect_sound(self) -> None:
        doubles = self.server.query(
            "SELECT * FROM tradeledger.double_trades WHERE origin <> 'past'"
        )
        self.assertEqual(doubles, [], "INV-1")


__all__ = [
    "POOLER", "SERVER", "START_US", "WORKER", "ServerLedger", "ServerTestCase", "address",
    "administer", "psycopg", "schema",
]  # fmt: skip
