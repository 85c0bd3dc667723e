"""Writes schema.postgres.fingerprint: what a server's catalogs say of a fresh ledger, by the same
statement that the clients ask. Then gives it to the Python client.

    python3 fingerprint.py URL    ends with 1 where a server of another version says something else,
                                  and says how long it takes to ask; makes a database there, and
                                  drops it
"""

from __future__ import annotations

import pathlib
import secrets
import statistics
import subprocess
import sys
import tempfile
import time

import psycopg
from server import Server

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent
CLIENT = ROOT / "clients" / "python"
sys.path.insert(0, str(CLIENT))

import generate  # noqa: E402


def fingerprint(url: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((ROOT / "schema.postgres.sql").read_text(encoding="utf-8").encode())
        (text,) = connection.execute(generate.fingerprint_statement().encode()).fetchone()
    return str(text) + "\n"


def asked(place: str) -> tuple[float, float, float]:
    """How long it takes to connect, to ask, and to ask again, in milliseconds."""
    moments = [time.perf_counter()]
    with psycopg.connect(place, autocommit=True) as connection:
        for _ in range(2):
            moments.append(time.perf_counter())
            connection.execute(generate.fingerprint_statement().encode()).fetchall()
        moments.append(time.perf_counter())
    first, second, third, last = moments
    return (second - first) * 1000, (third - second) * 1000, (last - third) * 1000


def try_on(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        (version,) = connection.execute("SHOW server_version").fetchone()
        name = f"tradeledger_test_{secrets.token_hex(6)}"
        connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            place = connection.info.dsn + f" dbname={name}"
            found = fingerprint(place)
            times = [asked(place) for _ in range(30)]
        finally:
            connection.execute(f"DROP DATABASE {name}".encode())
    if found != generate.FINGERPRINT.read_text(encoding="utf-8"):
        sys.exit(f"error: {version} says something else")
    connecting, first, again = (statistics.median(column) for column in zip(*times, strict=True))
    print(
        f"PostgreSQL {version}: the same; {connecting:.1f} ms to connect, {first:.1f} ms to ask, "
        f"{again:.1f} ms to ask again"
    )


def main() -> None:
    if len(sys.argv) > 1:
        return try_on(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="tradeledger-") as directory:
        pathlib.Path(directory).chmod(0o755)
        server = Server(tempfile.mkdtemp(dir=directory))
        server.start()
        try:
            text = fingerprint(server.url())
        finally:
            server.stop()
    generate.FINGERPRINT.write_text(text, encoding="utf-8")
    subprocess.run([sys.executable, str(CLIENT / "generate.py")], check=True)


if __name__ == "__main__":
    main()
