"""Who is tried: the shipped program, or a worker in Python that keeps or breaks its word."""

import os
import shlex
import sys
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
SHARED = "shared"

# A worker in Python: what its answers wait for, and whether it must be found out.
REFERENCES = {
    # synchronous=FULL: SQLite's own promise.
    "full": False,
    # NORMAL, and a sync of its own between COMMIT and the answer.
    "synced": False,
    # NORMAL, and no sync: a power cut takes answers back.
    "normal": True,
    # NORMAL, and the sync comes right after the answer.
    "early": True,
}


@dataclass
class Subject:
    """The command lines of one subject."""

    name: str
    program: list
    extra: list
    must_lose: bool = False

    def create(self):
        return self.program + ["init", "--mode", "simulation", "--json"]

    def add_bot(self, name):
        return self.program + ["bot", "add", name, "--cooldown", "0s", "--json"]

    def work(self, prefix, count, callers=1, first_step=1):
        return self.program + [
            "answer-worker", "--bots", prefix, "--shared", SHARED, "--count", str(count),
            "--callers", str(callers), "--first-step", str(first_step),
        ] + self.extra


def shipped(binary, extra):
    name = " ".join(["tradeledger"] + extra)
    return Subject(name, [os.path.abspath(binary)], extra)


def reference(sync, schema):
    program = [sys.executable, "-S", os.path.join(HERE, "reference_worker.py"), sync, schema]
    return Subject(f"reference {sync}", program, [], must_lose=REFERENCES[sync])


def bots(prefixes, callers):
    return [SHARED] + [f"{prefix}{n}" for prefix in prefixes for n in range(1, callers + 1)]


def script(subject, prefixes, callers, rounds, count):
    """A shell script: a new ledger, its bots, and rounds of workers side by side."""
    lines = [shlex.join(subject.create())]
    lines += [shlex.join(subject.add_bot(name)) for name in bots(prefixes, callers)]
    for number in range(rounds):
        workers = [
            shlex.join(subject.work(prefix, count, callers, 1 + number * count))
            for prefix in prefixes
        ]
        lines += [f"{worker} & pids=\"$pids $!\"" for worker in workers]
        lines += ["for pid in $pids; do wait $pid || exit 1; done", "pids="]
    return "set -e\npids=\n" + "\n".join(lines) + "\n"
