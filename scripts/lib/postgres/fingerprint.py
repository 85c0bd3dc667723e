"""Writes schema.postgres.fingerprint: what a server's catalogs say of a fresh ledger, by the same
statement that the clients ask. Then gives it to the Python client."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import tempfile

import psycopg
from server import Server

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent
CLIENT = ROOT / "clients" / "python"
sys.path.insert(0, str(CLIENT))

import generate  # noqa: E402


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tradeledger-") as directory:
        pathlib.Path(directory).chmod(0o755)
        server = Server(tempfile.mkdtemp(dir=directory))
        server.start()
        try:
            with psycopg.connect(server.url(), autocommit=True) as connection:
                schema = (ROOT / "schema.postgres.sql").read_text(encoding="utf-8")
                connection.execute(schema.encode())
                (text,) = connection.execute(generate.fingerprint_statement().encode()).fetchone()
        finally:
            server.stop()
    generate.FINGERPRINT.write_text(text + "\n", encoding="utf-8")
    subprocess.run([sys.executable, str(CLIENT / "generate.py")], check=True)


if __name__ == "__main__":
    main()
