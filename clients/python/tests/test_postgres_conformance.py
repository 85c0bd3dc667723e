"""The cases of Tests/Conformance on a PostgreSQL server, as its worker role."""

from __future__ import annotations

import json
from typing import Any

from postgres_support import ServerTestCase
from test_conformance import FOLDER, ROWS, Run

# The columns of the boot clock in rows.sql, which a server leaves empty.
BOOT_COLUMNS = (14, 15, 22, 23)
# Cases in which a wall clock that was set and the boot clock say different things.
NEED_TWO_CLOCKS = {
    "S-17: the wall clock goes back one hour",
    "S-17: the wall clock goes forward one hour",
    "a lease is over when both clocks say so",
    "a jump forth and back between two trades",
    "a fill with the right time after the wall clock was set ahead",
}
# In the words of this server: a name for the inner query, and one type for each column.
ROWS_OF_SERVER = (
    ROWS.replace(") ORDER BY", ") AS rows ORDER BY")
    .replace("bot_id, trade_id,", "bot_id, trade_id::text,")
    .replace("FROM trades", "FROM tradeledger.trades")
    .replace("FROM conflicts", "FROM tradeledger.conflicts")
)


def without_boot(row: str) -> str:
    words = row.split("|")
    for column in BOOT_COLUMNS:
        words[column] = "NULL"
    return "|".join(words)


class PostgresConformanceTests(ServerTestCase):
    def test_every_case_is_answered_as_written(self) -> None:
        count = 0
        for file in sorted(FOLDER.glob("*.json")):
            for case in json.loads(file.read_text(encoding="utf-8"))["cases"]:
                if case["name"] in NEED_TWO_CLOCKS:
                    continue
                count += 1
                with self.subTest(file=file.name, case=case["name"]):
                    self.play(case)
        self.assertGreaterEqual(count, 55, "cases have vanished")

    def play(self, case: dict[str, Any]) -> None:
        server = self.server
        server.reset()
        run = Run(server)  # type: ignore[arg-type]
        try:
            for number, step in enumerate(case["steps"]):
                answer = run.perform(number, step)
                expected = step.get("expect")
                self.assertEqual(answer is None, expected is None, f"step {number}: {step}")
                if answer is not None and expected is not None:
                    seen = {name: answer.get(name, "nothing") for name in expected}
                    self.assertEqual(seen, expected, f"step {number}: {step}")
            rows = [
                "|".join("NULL" if word is None else str(word) for word in row)
                for row in server.query(ROWS_OF_SERVER)
            ]
            self.assertEqual(rows, [without_boot(row) for row in case["rows"]], "the rows")
        finally:
            run.close()
