"""Workers on several hosts that trade for the same bots."""

import os
import subprocess
import sys

from judge import Evidence

_HERE = os.path.dirname(os.path.abspath(__file__))
_CLIENT = os.path.join(_HERE, *[".."] * 3, "clients", "python")
_WORKERS = 4  # on each host
BOTS = [f"bot-{number}" for number in range(1, 7)]


class Crowd:
    """`ledger` is where they find it. `exchange`: of an earlier crowd, which goes on there."""

    def __init__(self, place, ledger, exchange=None):
        self.place, self.ledger = place, ledger
        self.directory = place.new_directory("crowd")
        self.exchange = exchange or os.path.join(self.directory, "exchange")
        self.workers = {}

    def __enter__(self):
        return self

    def begin(self):
        """Starts the workers of all hosts, and lets them go at once."""
        for host in self.place.hosts:
            for number in range(1, _WORKERS + 1):
                self.add(host, f"{host.name}-{number}")
        for name in self.workers:
            self.expect_ready(name)
        for name in self.workers:
            self.release(name)

    def add(self, host, name, under=()):
        """Starts a worker, or the command `under` that starts it."""
        self.workers[name] = host.start(
            [*under, sys.executable, os.path.join(_HERE, "worker.py"), "--ledger", self.ledger,
             "--name", f"{os.path.basename(self.directory)}-{name}", "--bots", ",".join(BOTS), "--answers", self._answers(name),
             "--exchange", self.exchange],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=dict(os.environ, PYTHONPATH=_CLIENT, PYTHONDONTWRITEBYTECODE="1"))

    def expect_ready(self, name):
        """Waits until that worker has opened the ledger."""
        if self.workers[name].stdout.readline() != "ready\n":
            raise RuntimeError(f"{name} could not open the ledger")

    def release(self, name):
        self._tell(name, "begin")

    def _tell(self, name, what):
        self.workers[name].stdin.write(f"{what}\n")
        self.workers[name].stdin.flush()

    def _answers(self, name):
        return os.path.join(self.directory, f"answers-{name}")

    def finish(self, *names):
        """Has those workers end, each after the trade that it is at; all where none is named."""
        names = names or tuple(self.workers)
        for name in names:
            self._tell(name, "end")
        for name in names:
            if self.workers[name].wait(timeout=120) != 0:
                raise RuntimeError(f"{name} ended with {self.workers[name].returncode}")

    def stop(self):
        """kill -9 of all of them."""
        for worker in self.workers.values():
            worker.kill()
            worker.wait()

    def evidence(self, server):
        rows = server.sql("SELECT key, bot, status FROM tradeledger.trade_rows")
        return Evidence([self._answers(name) for name in self.workers], self.exchange, rows)

    def __exit__(self, *_):
        self.stop()
