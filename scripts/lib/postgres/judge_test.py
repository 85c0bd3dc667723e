"""What the judge of faults.py must see, by planted rows. Run by scripts/postgres."""

from __future__ import annotations

import unittest
from typing import Any

from faults import double_trades
from mutants import MUTANTS

COOLDOWN, LEASE = 10, 100


def trade(number: int, at: int, status: str = "filled", settled: int | None = None) -> dict[str, Any]:
    """Recorded at `at`, or reserved then and settled at `settled`."""
    is_recorded = status == "filled" and settled is None
    received = at if is_recorded else settled
    return {
        "id": number, "bot": "a", "created_at": at, "cooldown_us": COOLDOWN, "status": status,
        "lease_until": None if is_recorded else at + LEASE, "received_at": received,
        "filled_at": received if status == "filled" else None,
    }  # fmt: skip


class JudgeTests(unittest.TestCase):
    def judged(self, *rows: dict[str, Any]) -> int:
        return len(double_trades(reversed(rows)))

    def test_the_cooldown_is_counted_to_the_microsecond(self) -> None:
        self.assertEqual(self.judged(trade(1, 0), trade(2, 10)), 0)
        self.assertEqual(self.judged(trade(1, 0), trade(2, 9)), 1)
        self.assertEqual(self.judged(trade(1, 0), trade(2, 9) | {"bot": "b"}), 0)
        # From the fill, and not from the admission.
        self.assertEqual(self.judged(trade(1, 0, settled=50), trade(2, 59)), 1)
        self.assertEqual(self.judged(trade(1, 0, settled=50), trade(2, 60)), 0)

    def test_not_neighbours_alone(self) -> None:
        self.assertEqual(self.judged(trade(1, 0), trade(2, 5), trade(3, 9)), 3)

    def test_a_trade_that_is_pending_lets_nobody_in(self) -> None:
        for status, settled in (("filled", 60), ("void", 60), ("pending", None)):
            self.assertEqual(self.judged(trade(1, 0, status, settled), trade(2, 59)), 1, status)
        self.assertEqual(self.judged(trade(1, 0, "pending"), trade(2, 100)), 0)

    def test_what_is_void_counts_for_nothing_from_then_on(self) -> None:
        self.assertEqual(self.judged(trade(1, 0, "void", 5), trade(2, 5)), 0)
        self.assertEqual(self.judged(trade(1, 0, "void", 5), trade(2, 4)), 1)

    def test_a_late_fill_counts_for_those_who_came_after_it(self) -> None:
        late = trade(1, 0, settled=150)
        # Admitted when nobody knew of the fill.
        self.assertEqual(self.judged(late, trade(2, 145)), 0)
        self.assertEqual(self.judged(late, trade(2, 100), trade(3, 159)), 1)
        self.assertEqual(self.judged(late, trade(2, 100), trade(3, 160)), 0)

    def test_the_mutants_fit_the_schema(self) -> None:
        for mutant in MUTANTS:
            mutant.schema()


if __name__ == "__main__":
    unittest.main()
