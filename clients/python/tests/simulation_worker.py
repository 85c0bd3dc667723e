"""A worker of `tradeledger simulate` that trades through the Python client.

Started by the simulator (`--foreign-command`) in the place of one of its own workers, it speaks the
same protocol (Sources/LedgerSimulation/Wire.swift) and behaves as SimulationWorker.swift does, so
that the simulator's checker judges both by one measure.
"""

from __future__ import annotations

import os
import random
import secrets
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import tradeledger  # noqa: E402

clock = tradeledger.SystemClock()


def moment() -> str:
    now = clock()
    return f"{now.wall_us} {now.boot_us}"


def say(line: str) -> None:
    """Writes a line whole, or ends the process: nobody is there to hear it."""
    data = (line + "\n").encode()
    while data:
        try:
            data = data[os.write(1, data) :]
        except OSError:
            os._exit(0)


class JumpingClock:
    """A wall clock that all workers share and that the simulator sets."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def __call__(self) -> tradeledger.Reading:
        now = clock()
        offset = int.from_bytes(os.pread(self._descriptor, 8, 0), sys.byteorder, signed=True)
        return replace(now, wall_us=now.wall_us + offset)


class Input:
    """What the simulator says. When it is gone, so is the worker: at once."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.stopping = threading.Event()
        self._replies: dict[int, list[str]] = {}
        self._replied = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in sys.stdin:
            words = line.split()
            if words[0] == "reply":
                with self._replied:
                    self._replies[int(words[1])] = words[2:]
                    self._replied.notify_all()
            else:
                if words[0] == "stop":
                    self.stopping.set()
                self.released.set()
        os._exit(0)

    def reply(self, number: int) -> list[str]:
        with self._replied:
            self._replied.wait_for(lambda: number in self._replies)
            return self._replies.pop(number)


class OutcomeNotKnown(Exception):
    """The exchange has seen the key before, or its answer was lost."""


@dataclass
class Question:
    bot: int
    side: str
    key: str
    token: str


class Worker:
    def __init__(self, words: list[str]) -> None:
        (_, path, worker, incarnation, seed, self.run, cooldown, lock_wait, _, _, clock_path) = (
            words[:11]
        )
        # A URL, which may hold a password, is in the environment.
        self.path = None if path == "-" else path
        self.bots = words[14:]
        self.place = f"{self.run}-{worker}.{incarnation}"
        self.cooldown = int(cooldown) / 1_000_000
        self.lock_wait = int(lock_wait) / 1_000_000
        self.clock = None if clock_path == "-" else JumpingClock(clock_path)
        self.random = random.Random(f"{seed}/{worker}/{incarnation}")
        self.number = 0
        self.again: dict[int, Question] = {}
        self.input = Input()
        self.ledger = self.opened()

    def opened(self) -> tradeledger.Ledger:
        deadline = time.monotonic() + 30
        while True:
            try:
                return tradeledger.Ledger(self.path, self.lock_wait, clock=self.clock)
            except tradeledger.Busy:
                if time.monotonic() > deadline:
                    raise

    def work(self) -> None:
        say(f"ready {os.getpid()}")
        self.input.released.wait()
        due = dict.fromkeys(range(len(self.bots)), 0.0)
        while not self.input.stopping.is_set():
            now = time.monotonic()
            ready = [bot for bot in due if due[bot] <= now]
            self.random.shuffle(ready)
            for bot in ready:
                if not self.input.stopping.is_set():
                    answer, retry_after = self.attempt(bot)
                    due[bot] = time.monotonic() + self.pause(bot, answer, retry_after)
            # In slices, so that "stop" is heard during a long cooldown.
            time.sleep(max(0.0, min(min(due.values()) - time.monotonic(), 0.05)))
        self.ledger.close()

    def attempt(self, bot: int) -> tuple[str, float | None]:
        self.number += 1
        question = self.again.pop(bot, None) or Question(
            bot, self.random.choice(("buy", "sell")), f"{self.place}.{self.number}",
            secrets.token_hex(16),
        )  # fmt: skip
        say(f"call {self.number} {bot} {question.key} {moment()}")
        answer, retry_after = self.trade(question)
        say(f"told {self.number} 0 {moment()} {answer}")
        if answer == "busy":
            self.again[bot] = question
        elif answer.startswith("in_doubt") or (
            answer.startswith("filled") and self.random.random() < 0.1
        ):
            # The same task once more, as queues deliver it: it must not be traded again.
            self.again[bot] = replace(question, token=secrets.token_hex(16))
        return answer, retry_after

    def trade(self, question: Question) -> tuple[str, float | None]:
        trade = 0
        sent = False
        try:
            with self.ledger.trade(
                self.bots[question.bot], question.side, "BTC-USD", "0.25", "100",
                key=question.key, token=question.token,
            ) as permit:  # fmt: skip
                trade, sent = permit.id, True
                permit.filled(at=self.send(permit))
            return f"filled {trade}", None
        except tradeledger.OrderNotSent:
            return f"void {trade}", None
        except OutcomeNotKnown:
            return f"in_doubt {trade}", None
        except (tradeledger.Replayed, tradeledger.TooLate) as refused:
            word = "void" if isinstance(refused, tradeledger.TooLate) else "replayed"
            return f"{word} {refused.winner.id if refused.winner else '-'}", None
        except tradeledger.Denied as denied:
            winner = denied.winner.id if denied.winner else "-"
            return f"denied {denied.reason} {winner}", denied.retry_after
        except tradeledger.LedgerError as error:
            if isinstance(error, tradeledger.Busy) and not sent:
                return "busy", None
            kind = "unknown" if error.code in ("busy", "outcome_unknown") else "error"
            print(f"worker {self.place}: {error}", file=sys.stderr)
            return f"{kind} {error.code}", None

    def send(self, permit: tradeledger.Permit) -> int:
        """The time of the execution, by the exchange's clock."""
        until = permit.valid_until_boot_us or permit.valid_until_us
        say(f"order {self.number} {permit.id} {permit.key} {until} {moment()}")
        match self.input.reply(self.number):
            case ["accepted", at]:
                return int(at)
            case ["refused"] | ["expired"]:
                raise tradeledger.OrderNotSent("refused by the exchange")
        raise OutcomeNotKnown

    def pause(self, bot: int, answer: str, retry_after: float | None) -> float:
        """Half of the workers come back in the very moment at which the wait ends, so that there is
        always a crowd; the others ask too early, as impatient bots do."""
        wait = 0.005
        if bot not in self.again and answer.startswith("denied"):
            wait = min(0.05 if retry_after is None else retry_after, max(self.cooldown, 0.1))
        elif bot not in self.again and answer.startswith(("filled", "in_doubt")):
            wait = self.cooldown
        if self.random.random() < 0.5:
            return max(wait + self.random.uniform(-0.002, 0.001), 0.0002)
        return self.random.uniform(min(wait, 0.001), min(wait, 0.1))


def main() -> int:
    try:
        Worker(sys.argv[1:]).work()
    except Exception as error:
        say("failed " + " ".join(str(error).split()))
        return 70
    return 0


if __name__ == "__main__":
    sys.exit(main())
