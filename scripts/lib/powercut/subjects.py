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
    # NORMAL, and a sync of its own before each answer, also before one that only read.
    "synced": False,
    # The same, but what it has only read is not made durable first: another's commit may be lost.
    "blind": True,
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

    def attempt(self):
        """What the program must be able to answer after a cut; None: it has no such command."""
        if self.name.startswith("reference"):
            return None
        order = ["--side", "buy", "--symbol", "BTC-USD", "--quantity", "1", "--json"]
        return self.program + ["reserve", SHARED] + order

    def work(self, prefix, count, callers=1, first_step=1, shared=SHARED):
        return self.program + [
            "answer-worker", "--bots", prefix, "--shared", shared, "--count", str(count),
            "--callers", str(callers), "--first-step", str(first_step),
        ] + self.extra


def shipped(binary, extra):
    name = " ".join(["tradeledger"] + extra)
    return Subject(name, [os.path.abspath(binary)], extra)


def reference(sync, schema):
    program = [sys.executable, "-S", os.path.join(HERE, "reference_worker.py"), sync, schema]
    return Subject(f"reference {sync}", program, [], must_lose=REFERENCES[sync])


def preparation(subject, prefixes, callers, shared, is_new):
    """Lines of a shell script: a ledger, if it is to be new, and bots."""
    names = [shared] + [f"{prefix}{n}" for prefix in prefixes for n in range(1, callers + 1)]
    commands = ([subject.create()] if is_new else []) + [subject.add_bot(name) for name in names]
    return [shlex.join(command) for command in commands]


def side_by_side(commands):
    """Lines of a shell script: runs all, and fails where one does."""
    lines = [f"{shlex.join(command)} & pids=\"$pids $!\"" for command in commands]
    return ["pids="] + lines + ["for pid in $pids; do wait $pid || exit 1; done"]


def recording(subject, prefixes, callers, rounds, count):
    """A shell script: a new ledger, its bots, and rounds of workers side by side."""
    lines = preparation(subject, prefixes, callers, SHARED, is_new=True)
    for number in range(rounds):
        lines += side_by_side([
            subject.work(prefix, count, callers, 1 + number * count) for prefix in prefixes
        ])
    return "\n".join(["set -e"] + lines) + "\n"
