"""Writes schema.postgres.fingerprint: what a server's catalogs say of a fresh ledger, by the same
statement that the clients ask. Then gives it to the Python client.

    python3 fingerprint.py URL    ends with 1 where a server of another version says something else;
                                  makes a database there, and drops it
"""

from __future__ import annotations

import pathlib
import secrets
import subprocess
import sys
import tempfile

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


def try_on(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        (version,) = connection.execute("SHOW server_version").fetchone()
        name = f"tradeledger_test_{secrets.token_hex(6)}"
        connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            found = fingerprint(connection.info.dsn + f" dbname={name}")
        finally:
            connection.execute(f"DROP DATABASE {name}".encode())
    if found != generate.FINGERPRINT.read_text(encoding="utf-8"):
        sys.exit(f"error: {version} says something else")
    print(f"PostgreSQL {version}: the same")


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
