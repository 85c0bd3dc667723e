"""Faults of the server and of the way to it, under load, with real processes, and a judge that
compares three witnesses: the ledger's rows, the exchange's orders, and what each worker was told.

    python3 faults.py cuts N       N cuts of a connection, a third each before, during and after
                                   COMMIT
    python3 faults.py kills N      N times kill -9 of the whole server, and a restart
    python3 faults.py promote N    N seconds of load, then kill -9 of the primary while its standby
                                   hears nothing any more, and promotion of the standby
    [--asynchronous] (promote)     the standby is not waited for: answers must be lost
    [--seed N] [--workers N] [--schema FILE] [--pooler]

Ends with 1 where an answer was not true or two trades are closer than the cooldown.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
CLIENT = ROOT / "clients" / "python"
SCHEMA = ROOT / "schema.postgres.sql"

import psycopg  # noqa: E402
from proxy import CuttingProxy  # noqa: E402
from server import WORKER, Pooler, Server, until  # noqa: E402

COOLDOWN_US = 15_000
# Workers take longer now and then, so that there are late fills.
LEASE_US = 300_000
BOTS = [f"bot-{number}" for number in range(1, 5)]


class Load:
    """Workers on a ledger of their own."""

    def __init__(self, server: Server, directory: str, schema: str) -> None:
        self.server = server
        self.directory = directory
        self.workers: list[subprocess.Popen[bytes]] = []
        self.standby: Server | None = None
        self.is_shipped = schema == SCHEMA.read_text(encoding="utf-8")
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE faults")
        with psycopg.connect(server.url("faults"), autocommit=True) as connection:
            connection.execute(schema.encode())
            connection.execute("SELECT tradeledger.make_ledger('live')")
            connection.execute(f"CREATE ROLE {WORKER} LOGIN IN ROLE tradeledger_worker")
            for bot in BOTS:
                connection.execute(
                    "SELECT tradeledger.add_bot(%s, %s, %s, 'cooldown', 1)",
                    (bot, COOLDOWN_US, LEASE_US),
                )

    def start(self, count: int, seed: int, port: int, url: str = "") -> None:
        url = url or self.server.url("faults", WORKER, port)
        environment = os.environ | {
            "PYTHONPATH": str(CLIENT), "PYTHONDONTWRITEBYTECODE": "1",
            "TRADELEDGER_TEST_ANY_SCHEMA": "" if self.is_shipped else "yes",
        }  # fmt: skip
        for number in range(count):
            self.workers.append(
                subprocess.Popen(
                    [sys.executable, str(HERE / "worker.py"), url, self.directory, str(number),
                     str(seed), *BOTS],
                    stdin=subprocess.PIPE, env=environment,
                )  # fmt: skip
            )

    def expect_alive(self) -> None:
        if any(worker.poll() is not None for worker in self.workers):
            sys.exit("error: a worker has ended by itself")

    def end(self) -> None:
        for worker in self.workers:
            assert worker.stdin is not None
            worker.stdin.close()
        for worker in self.workers:
            if worker.wait(60) != 0:
                sys.exit("error: a worker ended with an error")

    def answers(self) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = []
        for log in sorted(pathlib.Path(self.directory).glob("worker-*.log")):
            lines += [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        return lines

    def orders(self) -> list[dict[str, Any]]:
        text = (pathlib.Path(self.directory) / "exchange").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def rows(self) -> dict[str, dict[str, Any]]:
        with psycopg.connect(self.server.url("faults")) as connection:
            cursor = connection.execute(
                "SELECT t.*, b.name AS bot FROM tradeledger.trades AS t "
                "JOIN tradeledger.bots AS b ON b.id = t.bot_id ORDER BY t.id"
            )
            names = [column.name for column in cursor.description or []]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        return {row["key"]: row for row in rows}


def stands_against(earlier: dict[str, Any], later: dict[str, Any]) -> str | None:
    """Why `later` should not have been admitted when it was, by what was known of `earlier` then
    (INV-1, INV-2). What has become of it since says nothing: a fill that arrived later is late."""
    now = later["created_at"]
    if earlier["received_at"] is not None and earlier["received_at"] <= now:
        last = earlier["filled_at"]  # NULL of what is void, and counts for nothing.
    elif earlier["lease_until"] is not None and now < earlier["lease_until"]:
        return "it was pending"
    else:
        last = earlier["created_at"]
    if last is not None and now - last < later["cooldown_us"]:
        return f"{now - last} us before"
    return None


def double_trades(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Each pair of a bot's trades, in the order of their admission."""
    wrong: list[str] = []
    by_bot: dict[str, list[dict[str, Any]]] = collections.defaultdict(list)
    for later in sorted(rows, key=lambda row: row["id"]):
        for earlier in by_bot[later["bot"]]:
            if why := stands_against(earlier, later):
                ids = f"{earlier['id']} and {later['id']}"
                wrong.append(f"double trade: {ids} of {later['bot']}, {why}")
        by_bot[later["bot"]].append(later)
    return wrong


def judge(load: Load) -> list[str]:
    """What does not fit together."""
    rows, orders, answers = load.rows(), load.orders(), load.answers()
    wrong = double_trades(rows.values())
    doubles = len(wrong)
    sent = collections.Counter(order["key"] for order in orders)
    wrong += [f"sent {count} times: {key}" for key, count in sent.items() if count > 1]
    for key in sent:
        if key not in rows or rows[key]["status"] == "void":
            wrong.append(f"an order that is not on record: {key}")
    told = collections.Counter(answer["what"] for answer in answers)
    for answer in answers:
        row = rows.get(answer["key"])
        what = answer["what"]
        if what in ("permit", "recorded", "filled", "void", "too_late") and row is None:
            wrong.append(f"{what}, and there is no row: {answer}")
        elif what == "permit" and (row["token"], row["id"]) != (answer["token"], answer["trade"]):
            wrong.append(f"a permit of another row: {answer}")
        elif what in ("filled", "recorded") and row["status"] != "filled":
            wrong.append(f"{what}, and it is {row['status']}: {answer}")
        elif what in ("void", "too_late") and row["status"] != "void":
            wrong.append(f"{what}, and it is {row['status']}: {answer}")
        elif what == "denied" and answer["reason"] == "replayed":
            # Its answer was lost for longer than its lease, so that nobody may send the order.
            if row is None or answer["key"] in sent:
                wrong.append(f"a replay of what is not there, or was sent: {answer}")
        elif what == "denied" and row is not None:
            wrong.append(f"denied, and there is a row: {answer}")
        elif what == "error" and answer["retry"] == "safe" and row is not None:
            if answer["step"] == "admission" or row["status"] == answer["step"]:
                wrong.append(f"nothing was written, and there is: {answer}")
        elif what == "error" and answer["code"] in ("internal", "invalid_input"):
            wrong.append(f"an error that should not be: {answer}")
    errors = collections.Counter(
        f"{answer['code']} {answer['retry']}" for answer in answers if answer["what"] == "error"
    )
    print(
        f"{len(rows)} rows, {len(orders)} orders at the exchange, answers {dict(told)}, errors "
        f"{dict(errors)}; {doubles} double trades"
    )
    late = sum(row["late"] for row in rows.values())
    if 0 in (told["permit"], told["recorded"], told["denied"], late):
        wrong.append("too little was done to judge by")
    return wrong


def cuts(load: Load, options: argparse.Namespace) -> None:
    target = load.server.port
    pooler = Pooler(load.server) if options.pooler else None
    if pooler is not None:
        target = pooler.port
    proxy = CuttingProxy(target, 0.2, options.count, options.seed)
    try:
        load.start(options.workers, options.seed, proxy.port)
        while not proxy.is_done:
            load.expect_alive()
            time.sleep(0.05)
        time.sleep(0.3)
        load.end()
    finally:
        if pooler is not None:
            pooler.stop()
    print(f"cuts: {dict(proxy.cuts)}")


def kills(load: Load, options: argparse.Namespace) -> None:
    chance = random.Random(options.seed)
    load.start(options.workers, options.seed, load.server.port)
    for _ in range(options.count):
        time.sleep(chance.uniform(0.3, 1.2))
        load.expect_alive()
        load.server.kill()
        load.server.start()
    time.sleep(1)
    load.end()
    print(f"kills: {options.count}")


def promote(load: Load, options: argparse.Namespace) -> None:
    """The answers of the last moments are what a standby may lack."""
    primary = load.server
    place = tempfile.mkdtemp(dir=load.directory)
    standby = Server(place, {"synchronous_standby_names": "''"}, primary)
    standby.start()
    load.standby = standby
    with psycopg.connect(primary.url(), autocommit=True) as connection:
        if not options.asynchronous:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
        wanted = "async" if options.asynchronous else "sync"
        state = "SELECT sync_state FROM pg_stat_replication"
        until(lambda: connection.execute(state).fetchone() == (wanted,), "replication")
    hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
    url = f"postgresql://{WORKER}@{hosts}/faults?target_session_attrs=read-write"
    load.start(options.workers, options.seed, 0, url)
    time.sleep(options.count)
    with psycopg.connect(standby.url(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET primary_conninfo = ''")
        connection.execute("SELECT pg_reload_conf()")
        receiver = "SELECT count(*) FROM pg_stat_wal_receiver"
        until(lambda: connection.execute(receiver).fetchone() == (0,), "the end of replication")
    if options.asynchronous:
        # Answers that the standby does not have.
        before = len(load.orders())
        until(lambda: len(load.orders()) >= before + 20, "more orders")
    else:
        time.sleep(0.5)
    load.expect_alive()
    primary.kill()
    standby.promote()
    load.server = standby
    time.sleep(2)
    load.expect_alive()
    load.end()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("case", choices=("cuts", "kills", "promote"))
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--schema", default=str(SCHEMA))
    parser.add_argument("--pooler", action="store_true")
    parser.add_argument("--asynchronous", action="store_true")
    options = parser.parse_args()
    print(f"{options.case} {options.count}, seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="tradeledger-") as directory:
        os.chmod(directory, 0o755)
        server = Server(tempfile.mkdtemp(dir=directory))
        server.start()
        load = None
        try:
            load = Load(server, directory, pathlib.Path(options.schema).read_text(encoding="utf-8"))
            began = time.monotonic()
            {"cuts": cuts, "kills": kills, "promote": promote}[options.case](load, options)
            wrong = judge(load)
            print(f"{time.monotonic() - began:.0f} s")
        finally:
            if load is not None and load.standby is not None:
                load.standby.stop()
            server.stop()
    for text in wrong[:20]:
        print(f"wrong: {text}", file=sys.stderr)
    if wrong:
        sys.exit(f"error: {len(wrong)} answers or trades are wrong")


if __name__ == "__main__":
    main()
