"""The example's processes under a hand that may kill them: Redis, workers, exchange, ledger."""

import contextlib
import datetime
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, TypeVar

import paper_exchange
import redis

T = TypeVar("T")
CONCURRENCY = 4


def eventually(what: str, look: Callable[[], T | None], limit: float = 60) -> T:
    """What `look` finds, as soon as it finds something."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.02)
    raise SystemExit(f"error: {what}: not within {limit:.0f} s, in {os.getcwd()}")


class Worker:
    """A Celery worker with its prefork children, in a process group of its own."""

    def __init__(self, module: str, name: str, directory: Path) -> None:
        self.log = directory / f"{name}.log"
        command = [
            sys.executable, "-m", "celery", "--app", module, "worker", "--hostname", f"{name}@demo",
            "--pool", "prefork", "--concurrency", str(CONCURRENCY), "--loglevel", "INFO",
            "--without-mingle", "--without-gossip",
        ]  # fmt: skip
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True, cwd=directory
            )
        self.pid = self._process.pid

    def children(self) -> list[int]:
        path = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        try:
            return [int(pid) for pid in path.read_text(encoding="ascii").split()]
        except FileNotFoundError:
            return []

    def has_given_up(self) -> bool:
        """Celery ends a worker whose processes die faster than it can start them."""
        return self._process.poll() is not None

    def kill_all(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


class Shop:
    """One directory with everything in it. `module` is the version of the task."""

    def __init__(self, module: str, bots: dict[str, str], tradeledger: str, cooldown: str) -> None:
        self.directory = Path.cwd()
        self.module = module
        self.is_naive = module == "tasks_naive"
        self._tradeledger = tradeledger
        self._redis = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", f"{self.directory}/redis.sock",
             "--save", "", "--logfile", f"{self.directory}/redis.log"]
        )  # fmt: skip
        self._broker = redis.Redis(unix_socket_path="redis.sock")
        self.workers: list[Worker] = []
        if self.is_naive:
            seconds = cooldown.removesuffix("s")
            subprocess.run(
                [sys.executable, "trading_service.py", "trades.db", seconds, *bots], check=True
            )
        else:
            self.ledger("init", "--mode", "paper")
            for name, lease in bots.items():
                self.ledger("bot", "add", name, "--cooldown", cooldown, "--lease", lease)

    def ledger(self, *arguments: str, may_end: tuple[int, ...] = (0,)) -> str:
        command = [self._tradeledger, "--db", "ledger.db", *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode not in may_end:
            raise SystemExit(f"error: {command} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def trades(self) -> dict[str, dict]:
        """The ledger's trades, by key."""
        lines = self.ledger("trades", "--all", "--ndjson").splitlines()
        found = [json.loads(line) for line in lines]
        trades = [line.get("trade", line) for line in found]
        return {trade["key"]: trade for trade in trades}

    def start_worker(self, name: str) -> Worker:
        worker = Worker(self.module, name, self.directory)
        self.workers.append(worker)
        return worker

    def kill_worker(self, worker: Worker) -> None:
        worker.kill_all()
        self.workers.remove(worker)

    def restart_worker(self, worker: Worker) -> None:
        """As a supervisor does."""
        self.kill_worker(worker)
        self.start_worker(worker.log.stem)

    def broker_is_empty(self) -> bool:
        """No message waits, and none is with a worker."""
        return self._broker.llen("celery") == 0 and self._broker.hlen("unacked") == 0

    def replays(self) -> set[str]:
        """The keys of which a worker said that they were delivered again."""
        logs = "".join(path.read_text(errors="replace") for path in self.directory.glob("*.log"))
        return set(re.findall(r"task delivered again key=(\S+)", logs))

    def close(self) -> None:
        for worker in self.workers:
            worker.kill_all()
        self._redis.terminate()
        self._redis.wait()

    # What happened

    def orders(self) -> list[dict]:
        return paper_exchange.read_orders("orders.ndjson")

    def resolve(self) -> int:
        """What an operator does with the trades in doubt: the exchange knows the key, or not."""

        def settled() -> bool:
            return all(trade["status"] != "pending" for trade in self.trades().values())

        eventually("the end of all leases", settled)
        executed = {order["client_order_id"]: order["at"] for order in self.orders()}
        doubtful = [key for key, trade in self.trades().items() if trade["status"] == "in_doubt"]
        for key in doubtful:
            if key in executed:
                at = datetime.datetime.fromtimestamp(executed[key], datetime.timezone.utc)
                found = ("--filled", "--filled-at", at.isoformat(), "--reason", "found")
            else:
                found = ("--void", "--reason", "the exchange does not know the key")
            self.ledger("resolve", "--key", key, *found)
        return len(doubtful)

    def audit(self) -> list[dict]:
        """What the audit finds, but for what follows from a kill: a fill that was looked up is
        late, and a trade after it began before that was known."""
        findings = json.loads(self.ledger("audit", "--json", may_end=(0, 1)))["findings"]
        known = {
            trade["id"]
            for trade in self.trades().values()
            if trade["late"] or trade["by_operator"]
        }

        def follows(finding: dict) -> bool:
            return finding["check"] in ("late-fill", "overlap") and finding["trades"][0] in known

        return [finding for finding in findings if not follows(finding)]
