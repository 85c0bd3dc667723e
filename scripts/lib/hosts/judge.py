"""What the workers were told, what reached the exchange, and what stands in the ledger."""

import json
import os
from collections import Counter, defaultdict


def _lines(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="ascii") as file:
        # A worker that was killed may have left half a line.
        return [json.loads(line) for line in file if line.endswith("\n")]


class Evidence:
    """One run. `rows` are the trades of the ledger at its end: (key, bot, status)."""

    def __init__(self, answers, exchange, rows):
        self.answers = [line for path in answers for line in _lines(path)]
        self.sent = sorted(_lines(exchange), key=lambda order: order["at"])
        self.rows = {key: (bot, status) for key, bot, status in rows}

    @property
    def counts(self):
        return Counter(answer["what"] for answer in self.answers)

    @property
    def yes(self):
        return [answer for answer in self.answers if answer["what"] in ("admitted", "filled")]

    def untrue(self):
        """Answers that the ledger does not bear out."""
        wrong = []
        for answer in self.yes:
            row = self.rows.get(answer["key"])
            if row is None:
                wrong.append(f"{answer['what']} {answer['key']}: it is not in the ledger")
            elif answer["what"] == "filled" and row[1] != "filled":
                wrong.append(f"filled {answer['key']}: it is {row[1]} in the ledger")
        return wrong

    def doubles(self, least_ns):
        """Orders of one bot that reached the exchange closer together than `least_ns`, and keys
        that did so twice."""
        wrong = []
        before = defaultdict(dict)
        keys = Counter(order["key"] for order in self.sent)
        wrong += [f"{key} was sent {count} times" for key, count in keys.items() if count > 1]
        for order in self.sent:
            last = before.get(order["bot"])
            if last and order["at"] - last["at"] < least_ns:
                gap = (order["at"] - last["at"]) / 1e9
                wrong.append(f"{order['bot']}: {last['key']} and {order['key']}, {gap:.3f} s apart")
            before[order["bot"]] = order
        return wrong
