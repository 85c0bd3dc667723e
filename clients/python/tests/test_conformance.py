"""The cases of Tests/Conformance, which the Swift library passes too (ConformanceTests).

    python3 test_conformance.py --record    writes down the rows that the cases leave behind
"""

from __future__ import annotations

import json
import sys
import unittest
from pathlib import Path
from typing import Any

from support import ROOT, START_US, LedgerFile
from tradeledger import Answer, Denial, Denied, Ledger, LedgerError, Permit, Replayed, Trade

FOLDER = ROOT / "Tests" / "Conformance"
ROWS = (FOLDER / "rows.sql").read_text(encoding="utf-8")


class Run:
    """One case on a ledger of its own."""

    def __init__(self, file: LedgerFile) -> None:
        self.file = file
        self.ledgers: dict[tuple[str | None, int | None], Ledger] = {}
        self.permits: dict[str, Permit] = {}

    def close(self) -> None:
        for ledger in self.ledgers.values():
            ledger.close()

    def ledger(self, step: dict[str, Any]) -> Ledger:
        claim = (step.get("instance"), step.get("epoch"))
        if claim not in self.ledgers:
            self.ledgers[claim] = self.file.open(instance=claim[0], epoch=claim[1])
        return self.ledgers[claim]

    def perform(self, number: int, step: dict[str, Any]) -> dict[str, Any] | None:
        """What is answered; None where nothing is asked."""
        bot, us = step.get("bot", "momentum"), step.get("us", 0)
        match step["do"]:
            case "bot":
                self.file.add_bot(
                    bot, step["cooldown_us"], step["lease_us"], step.get("in_doubt", "cooldown")
                )
            case "set":
                names = ("cooldown_us", "enabled", "in_doubt")
                self.file.change_bot(bot, **{name: step[name] for name in names if name in step})
            case "advance":
                self.file.clock.advance(us)
            case "jump":
                self.file.clock.jump(us)
            case "reboot":
                self.file.clock.reboot(step["boot"])
            case "take":
                self.file.take(step["instance"])
            case "evict":
                self.file.evict(step["instance"])
            case _:
                return self.answer(number, step, bot)
        return None

    def answer(self, number: int, step: dict[str, Any], bot: str) -> dict[str, Any]:
        try:
            return self.ask(number, step, bot)
        except Replayed as replay:
            assert replay.winner is not None
            return told("replayed", replay.winner, permit=False)
        except Denied as denied:
            return told_denial(denied.denial)
        except LedgerError as error:
            return {"outcome": "error", "code": error.code, "retry": error.retry}

    def ask(self, number: int, step: dict[str, Any], bot: str) -> dict[str, Any]:
        ledger = self.ledger(step)
        order = (
            bot, step.get("side", "buy"), step.get("symbol", "BTC-USD"),
            step.get("quantity", "1"), step.get("price"),
        )  # fmt: skip
        key = step.get("key", f"key-of-step-{number:04}")
        at = START_US + step["at_us"] if "at_us" in step else None
        match step["do"]:
            case "reserve":
                token = step.get("token", f"token-of-step-{number:04}")
                permit = ledger.reserve(*order, key=key, token=token)
                self.permits[step.get("as", "")] = permit
                outcome = "replayed" if permit.replayed else "admitted"
                return told(outcome, permit.trade, permit=True) | {
                    "valid_until": permit.valid_until_us - START_US
                }
            case "record":
                price, quantity = step.get("filled_price"), step.get("filled_quantity")
                return told_answer(
                    "recorded",
                    ledger.record(
                        *order, key=key, filled_price=price, filled_quantity=quantity, at=at
                    ),
                )
            case "check":
                denial = ledger.check(bot)
                return {"outcome": "admissible"} if denial is None else told_denial(denial)
        trade: Permit | int = step["trade"] if "trade" in step else self.permits[step["of"]]
        token = step.get("token")
        if step["do"] == "void":
            reason = step.get("reason", "not sent")
            return told_answer("settled", ledger.void(trade, reason, token=token))
        price, quantity = step.get("price"), step.get("quantity")
        return told_answer(
            "settled", ledger.fill(trade, token=token, price=price, quantity=quantity, at=at)
        )

    def rows(self) -> list[str]:
        found = self.file.query(ROWS)
        return ["|".join("NULL" if word is None else str(word) for word in row) for row in found]


def told(outcome: str, trade: Trade, **more: Any) -> dict[str, Any]:
    filled = None if trade.filled_at_us is None else trade.filled_at_us - START_US
    return more | {
        "outcome": outcome, "trade": trade.id, "status": trade.status, "late": trade.late,
        "superseded": trade.superseded, "filled_at": filled, "filled_price": trade.filled_price,
        "filled_quantity": trade.filled_quantity,
    }  # fmt: skip


def told_answer(word: str, answer: Answer) -> dict[str, Any]:
    return told("replayed" if answer.replayed else word, answer.trade)


def told_denial(denial: Denial) -> dict[str, Any]:
    return {
        "outcome": "denied", "reason": denial.reason, "transient": denial.transient,
        "winner": denial.winner.id if denial.winner else None,
        "retry_after_us": denial.retry_after_us, "clock_behind_us": denial.clock_behind_us,
        "holder_epoch": denial.holder[1] if denial.holder else None,
    }  # fmt: skip


class ConformanceTests(unittest.TestCase):
    def test_every_case_is_answered_as_written(self) -> None:
        files = sorted(FOLDER.glob("*.json"))
        count = 0
        for file in files:
            for case in json.loads(file.read_text(encoding="utf-8"))["cases"]:
                count += 1
                with self.subTest(file=file.name, case=case["name"]):
                    self.play(case)
        self.assertGreaterEqual(count, 60, "cases have vanished")

    def play(self, case: dict[str, Any]) -> list[str]:
        file = LedgerFile()
        run = Run(file)
        try:
            for number, step in enumerate(case["steps"]):
                answer = run.perform(number, step)
                expected = step.get("expect")
                self.assertEqual(answer is None, expected is None, f"step {number}: {step}")
                if answer is not None and expected is not None:
                    seen = {name: answer.get(name, "nothing") for name in expected}
                    self.assertEqual(seen, expected, f"step {number}: {step}")
            if "--record" not in sys.argv:
                self.assertEqual(run.rows(), case["rows"], "the rows")
            return run.rows()
        finally:
            run.close()
            file.close()


def record() -> None:
    for file in sorted(FOLDER.glob("*.json")):
        cases = json.loads(file.read_text(encoding="utf-8"))["cases"]
        for case in cases:
            case["rows"] = ConformanceTests().play(case)
        file.write_text(formatted(cases), encoding="utf-8")


def formatted(cases: list[dict[str, Any]]) -> str:
    """One line for each step and each row."""

    def lines(values: list[Any]) -> str:
        return ",\n".join("      " + json.dumps(value, ensure_ascii=False) for value in values)

    texts = []
    for case in cases:
        name, rows = json.dumps(case["name"]), lines(case["rows"])
        rows = f"[\n{rows}\n    ]" if rows else "[]"
        steps = lines(case["steps"])
        texts.append(f'  {{\n    "name": {name},\n    "steps": [\n{steps}\n    ],\n    "rows": {rows}\n  }}')
    return '{"cases": [\n' + ",\n".join(texts) + "\n]}\n"


if __name__ == "__main__":
    if "--record" in sys.argv:
        record()
    else:
        unittest.main()
