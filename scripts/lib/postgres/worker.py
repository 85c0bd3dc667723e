"""One worker under faults: trades with a ledger on a server, sends its orders to a paper exchange,
and writes down what it asked and what it was answered. Ends when its standard input does.

    python3 worker.py URL DIRECTORY NUMBER SEED BOT...
"""

from __future__ import annotations

import json
import os
import random
import select
import sys
import time
import unittest.mock
import uuid

import tradeledger


class Worker:
    def __init__(self, url: str, directory: str, number: int, seed: int, bots: list[str]) -> None:
        self.random = random.Random(seed * 1000 + number)
        self.bots = bots
        self.number = number
        self.orders = 0
        # What is asked for: an admission, or a settlement by the status that it brings.
        self.step = ""
        self.log = os.open(
            f"{directory}/worker-{number}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644
        )
        self.exchange = os.open(
            f"{directory}/exchange", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644
        )
        if os.environ.get("TRADELEDGER_TEST_ANY_SCHEMA"):
            # A rule was taken away: the judge is to see it, and not the client at opening.
            unittest.mock.patch.object(tradeledger._ServerLedger, "_expect_shipped").start()
        self.ledger = tradeledger.Ledger(url, lock_wait=10.0)

    def say(self, what: str, key: str, **more: object) -> None:
        os.write(self.log, (json.dumps({"what": what, "key": key} | more) + "\n").encode())

    def send(self, key: str, bot: str) -> None:
        """The order reaches the exchange."""
        line = {"key": key, "bot": bot, "at_us": time.time_ns() // 1000, "worker": self.number}
        os.write(self.exchange, (json.dumps(line) + "\n").encode())

    def work(self) -> None:
        while not select.select([sys.stdin], [], [], 0)[0]:
            bot = self.random.choice(self.bots)
            key = str(uuid.uuid4())
            self.step = "admission"
            try:
                if self.random.random() < 0.5:
                    self.trade(bot, key)
                else:
                    self.record(bot, key)
            except tradeledger.TooLate:
                self.say("too_late", key)
            except tradeledger.Denied as denied:
                self.say("denied", key, reason=denied.reason)
                time.sleep(min(denied.retry_after or 0.01, 0.05))
            except tradeledger.LedgerError as error:
                self.say("error", key, code=error.code, retry=error.retry, text=str(error),
                         step=self.step)  # fmt: skip

    def trade(self, bot: str, key: str) -> None:
        token = uuid.uuid4().hex if self.random.random() < 0.5 else None
        permit = self.ledger.reserve(bot, "buy", "BTC-USD", "0.25", key=key, token=token)
        self.say("permit", key, trade=permit.id, token=permit.token, replayed=permit.replayed)
        if permit.replayed:
            # The first answer was lost. This very call wrote it, since nobody else has this token;
            # the client cannot know that of a token that its caller brought.
            assert token is not None, "a replay of a token that was made for this call"
        self.step = "look"
        if not self.ledger.is_live(permit):
            self.step = "void"
            self.ledger.void(permit, "too late")
            self.say("void", key)
            return
        self.send(key, bot)
        self.orders += 1
        if self.orders % 16 == 3:
            # A slow exchange: the fill comes after the end of the lease.
            time.sleep(max(0.0, permit.valid_until_us / 1e6 - time.time()) + 0.01)
        self.step = "filled"
        answer = self.ledger.fill(permit, price="100")
        self.say("filled", key, status=answer.trade.status)

    def record(self, bot: str, key: str) -> None:
        answer = self.ledger.record(bot, "sell", "BTC-USD", "0.5", "100", key=key)
        self.say("recorded", key, trade=answer.trade.id)
        self.send(key, bot)


if __name__ == "__main__":
    Worker(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:]).work()
