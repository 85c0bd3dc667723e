"""A worker on one host: trades for its bots until it is told to end, through the Python client.

Says "ready", begins with the first line that it reads and ends with the second. Writes what it was told into one file and what it
sent to the exchange into another, which all workers share; each line is on record before the step
that follows it."""

import argparse
import json
import os
import random
import secrets
import sys
import threading
import time

from tradeledger import Denied, Ledger, LedgerError, Replayed


_PATIENCE = 60.0  # seconds that a worker asks for one answer


class Worker:
    def __init__(self, options):
        self.options = options
        self.is_over = threading.Event()
        self.answers = open(options.answers, "a", buffering=1, encoding="ascii")
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self.exchange = os.open(options.exchange, flags, 0o644)
        self.ledger = None

    def tell(self, **what):
        self.answers.write(json.dumps(what) + "\n")

    def insist(self, ask):
        """The answer, asked for with the same key until there is one. None where none came."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            try:
                if self.ledger is None:
                    self.ledger = Ledger(self.options.ledger, lock_wait=2.0)
                return ask()
            except LedgerError as error:
                self.tell(what="error", code=error.code, retry=error.retry)
                if error.retry == "never":
                    raise
        return None

    def trade(self, bot, key):
        token = secrets.token_hex(16)
        try:
            permit = self.insist(
                lambda: self.ledger.reserve(bot, "buy", "BTC-USD", "0.25", key=key, token=token))
        except Replayed:
            # Ours, but its lease was over before the answer came: nothing may be sent.
            self.tell(what="replayed", key=key, bot=bot)
            return
        except Denied as denied:
            self.tell(what="denied", key=key, bot=bot, reason=denied.reason)
            return
        if permit is None:
            self.tell(what="unanswered", key=key, bot=bot)
            return
        self.tell(what="admitted", key=key, bot=bot, id=permit.id)
        try:
            if not self.insist(lambda: self.ledger.is_live(permit)):
                self.tell(what="too late", key=key, bot=bot)
                return
        except Denied as denied:
            self.tell(what="denied", key=key, bot=bot, reason=denied.reason)
            return
        sent = {"key": key, "bot": bot, "at": time.time_ns(), "host": os.uname().nodename}
        os.write(self.exchange, (json.dumps(sent) + "\n").encode())
        try:
            if self.insist(lambda: self.ledger.fill(permit, price="64250.10")):
                self.tell(what="filled", key=key, bot=bot, id=permit.id)
        except Denied as denied:
            self.tell(what="denied fill", key=key, bot=bot, reason=denied.reason)

    def run(self):
        if self.insist(lambda: True) is None:
            raise SystemExit("the ledger could not be opened")
        print("ready", flush=True)
        sys.stdin.readline()
        threading.Thread(target=self._listen, daemon=True).start()
        chance = random.Random(self.options.name)
        number = 0
        while not self.is_over.is_set():
            number += 1
            self.trade(chance.choice(self.options.bots), f"{self.options.name}-{number}")
            # What a bot thinks about: two processors for two hosts and two servers.
            self.is_over.wait(chance.uniform(0, 0.03))

    def _listen(self):
        sys.stdin.readline()
        self.is_over.set()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ledger", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--bots", required=True, type=lambda text: text.split(","))
    parser.add_argument("--answers", required=True)
    parser.add_argument("--exchange", required=True)
    Worker(parser.parse_args()).run()


if __name__ == "__main__":
    main()
