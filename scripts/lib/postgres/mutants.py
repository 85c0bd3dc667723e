"""Takes a rule away from schema.postgres.sql, and expects the judge of faults.py to see it.

    python3 mutants.py --seed N [--check]    --check: do they fit, and nothing else
"""

from __future__ import annotations

import argparse
import pathlib
import subprocess
import sys
import tempfile
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
SCHEMA = HERE.parent.parent.parent / "schema.postgres.sql"


@dataclass(frozen=True)
class Mutant:
    """Each patch is (old, new), and `old` stands exactly once in the schema."""

    text: str
    case: tuple[str, ...]
    patches: tuple[tuple[str, str], ...]

    def schema(self) -> str:
        text = SCHEMA.read_text(encoding="utf-8")
        for old, new in self.patches:
            if (count := text.count(old)) != 1:
                sys.exit(f"error: {self.text}: the patch fits {count} times: {old!r}")
            text = text.replace(old, new)
        return text


MUTANTS = (
    Mutant("attempts without the lock of the bot", ("cuts", "100"), (
        ("IF p_kind IN ('reserve', 'record') AND p_now_us IS NULL THEN\n", "IF false THEN\n"),
        ("      FOR NO KEY UPDATE OF b;", "      ;"),
        ("WHERE id = v_bot FOR NO KEY UPDATE;", "WHERE id = v_bot;"))),
    Mutant("an admission that remembers no cooldown", ("cuts", "100"), (
        ("p_now_us IS NULL THEN v_now + v_cooldown\n", "p_now_us IS NULL THEN v_now\n"),)),
    Mutant("a late fill that counts for nothing", ("cuts", "300"), (
        ("        SELECT id, effective_at FROM trades WHERE bot_id = b.id AND status <> 'void'\n",
         "        SELECT id, effective_at FROM trades\n"
         "        WHERE bot_id = b.id AND status <> 'void' AND late = 0\n"),)),
    Mutant("answers before they are durable", ("kills", "5"), (
        ("  IF p_wait_ms > 0 THEN PERFORM",
         "  PERFORM set_config('synchronous_commit', 'off', true);\n"
         "  IF p_wait_ms > 0 THEN PERFORM"),)),
    # With every rule in its place.
    Mutant("a standby that nobody waits for", ("promote", "3", "--asynchronous"), ()),
)  # fmt: skip


def try_one(mutant: Mutant, seed: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(mutant.schema())
        file.flush()
        done = subprocess.run(
            [sys.executable, str(HERE / "faults.py"), *mutant.case, "--seed", seed, "--schema",
             file.name], capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode == 0:
        sys.exit(f"error: the judge saw nothing wrong: {mutant.text}\n{done.stdout}")
    if not any(line.startswith("wrong: ") for line in done.stderr.splitlines()):
        sys.exit(f"error: not judged: {mutant.text}\n{done.stdout}{done.stderr}")
    print(f"seen: {mutant.text}: {done.stderr.splitlines()[-1]}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", required=True)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    for mutant in MUTANTS:
        mutant.schema()
    for mutant in () if options.check else MUTANTS:
        try_one(mutant, options.seed)


if __name__ == "__main__":
    main()
