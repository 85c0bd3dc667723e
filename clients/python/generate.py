"""Writes into tradeledger.py what it shares with the Swift engine: every SQL text of
Statements.swift that it uses, the layout and the fingerprint of schema.sql, and those of
schema.postgres.sql.

    python3 generate.py            writes
    python3 generate.py --check    ends with 1 where the module is not what it would write

There is one truth for each of them, and it is not in Python.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
MODULE = HERE / "tradeledger.py"
SCHEMA = ROOT / "schema.sql"
FINGERPRINT = ROOT / "schema.postgres.fingerprint"
STATEMENTS = ROOT / "Sources" / "TradeLedger" / "Engine" / "SQLite"
SERVER_STATEMENTS = STATEMENTS.parent / "PostgreSQL" / "ServerStatements+Schema.swift"
BEGIN = "# >>> Written by generate.py: do not edit.\n"
END = "# <<< Written by generate.py.\n"

# What the module runs.
USED = (
    "schemaVersion", "journalMode", "allObjects", "ledgerMode", "tick",
    "integrityCheck", "foreignKeyCheck", "restores", "admission", "lastConflicts", "insertTrade",
    "expire", "hasKeyAndToken", "currentEpoch", "settle", "isSettled", "insertConflict",
    "hasConflict", "bots", "tradeByID", "tradeByKey",
)  # fmt: skip


def swift_statements() -> dict[str, str]:
    """The constants of Statements*.swift by name, put together as the compiler does it."""
    texts: dict[str, str] = {}
    # Statements.swift itself comes first: the others build on it.
    for file in sorted(STATEMENTS.glob("Statements*.swift"), key=lambda file: file.stem):
        source = file.read_text(encoding="utf-8")
        for match in re.finditer(r"static let (\w+)(?:: String)? =", source):
            texts[match[1]] = evaluate(source[match.end() :], texts)
    return texts


def fingerprint_statement() -> str:
    """What a server is asked for the digests of its schema."""
    source = SERVER_STATEMENTS.read_text(encoding="utf-8")
    return evaluate(source.partition("static let fingerprint =")[2], {})


def evaluate(source: str, known: dict[str, str]) -> str:
    """The value of an expression of literals and names with + between them."""
    value, rest = term(source, known)
    while (after := rest.lstrip()).startswith("+"):
        more, rest = term(after[1:], known)
        value += more
    return value


def term(source: str, known: dict[str, str]) -> tuple[str, str]:
    source = source.lstrip()
    if match := re.match(r'"""\n(.*?)\n( *)"""', source, re.DOTALL):
        indent = match[2]
        lines = [line.removeprefix(indent) for line in match[1].split("\n")]
        return interpolated("\n".join(lines), known), source[match.end() :]
    if match := re.match(r'"((?:[^"\\\n]|\\\(\w+\)|\\[nt"\\])*)"', source):
        return interpolated(match[1], known), source[match.end() :]
    if match := re.match(r"\w+", source):
        return known[match[0]], source[match.end() :]
    raise SystemExit(f"generate.py: cannot read this Swift: {source[:60]!r}")


def interpolated(text: str, known: dict[str, str]) -> str:
    text = re.sub(r"\\\((\w+)\)", lambda name: known[name[1]], text)
    if "\\" in text:
        raise SystemExit(f"generate.py: an escape that is not known here: {text!r}")
    return text


def schema_database() -> sqlite3.Connection:
    database = sqlite3.connect(":memory:")
    database.executescript(SCHEMA.read_text(encoding="utf-8"))
    return database


def fingerprints(database: sqlite3.Connection, all_objects: str) -> dict[str, str]:
    """Of each object of a schema: the first half of the SHA-256 of its text."""
    return {
        name: hashlib.sha256(sql.encode()).hexdigest()[:32]
        for name, sql in database.execute(all_objects)
    }


def server_objects() -> list[list[str]]:
    lines = FINGERPRINT.read_text(encoding="utf-8").splitlines()
    return [line.rsplit("\t", 1) for line in lines]


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z]+)", r"_\1", name).upper()


def generated() -> str:
    statements = swift_statements()
    database = schema_database()
    (application_id,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    objects = fingerprints(database, statements["allObjects"])
    lines = [
        "# The layout of schema.sql, and the fingerprint of each of its objects.",
        f"_APPLICATION_ID: Final = {application_id}",
        f"_LAYOUT: Final = {version}",
        "_SCHEMA: Final = {",
        *(f'    "{name}": "{digest}",' for name, digest in sorted(objects.items())),
        "}",
        "# The fingerprint of schema.postgres.sql, and what a server is asked for its own.",
        "_SERVER_SCHEMA: Final = {",
        *(f'    "{name}": "{digest}",' for name, digest in server_objects()),
        "}",
        '_SERVER_FINGERPRINT: Final = """',
        fingerprint_statement() + '"""',
        "",
        "",
        "class _SQL:",
        '    """The statements of Statements.swift."""',
        "",
    ]
    for name in USED:
        text = statements[name]
        if "\n" in text or len(text) > 60:
            lines += [f'    {snake(name)}: Final = """', text + '"""']
        else:
            lines += [f'    {snake(name)}: Final = "{text}"']
    return "\n".join(lines) + "\n"


def with_generated(module: str) -> str:
    before, found, rest = module.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not found or not closed:
        raise SystemExit(f"generate.py: {MODULE.name} lacks its marks")
    return before + BEGIN + generated() + END + after


def main() -> int:
    module = MODULE.read_text(encoding="utf-8")
    wanted = with_generated(module)
    if module == wanted:
        return 0
    if "--check" in sys.argv[1:]:
        print("tradeledger.py is not what the schemas and Statements.swift say", file=sys.stderr)
        print("hint: run clients/python/generate.py", file=sys.stderr)
        return 1
    MODULE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
