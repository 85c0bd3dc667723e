"""What an attempt costs on a server, beside the least that anybody would write there: a row lock, an
advisory lock, a function of three statements, and an INSERT that neither looks nor locks. The
clients are processes on libpq with prepared statements (bench.c), on the same server in the same
minutes, taking turns round by round.

    python3 bench.py [--rounds N] [--seconds S] [--processes N]

own: each client has its own bot. hot: all share one. The bots have no cooldown, so every attempt
is admitted. Every commit is durable (synchronous_commit = on, fsync = on).
"""

from __future__ import annotations

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import psycopg
from server import Server, programs

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent
BATCH = 64
WORK = f"work, {BATCH} at once"

PEERS = """
CREATE SCHEMA peer;
CREATE TABLE peer.bots (id integer PRIMARY KEY, name text NOT NULL UNIQUE);
INSERT INTO peer.bots SELECT n, 'bot-' || n FROM generate_series(0, 1023) AS n;
CREATE TABLE peer.trades (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, bot_id integer NOT NULL,
  key text NOT NULL UNIQUE, side text NOT NULL, symbol text NOT NULL, quantity text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE INDEX ON peer.trades (bot_id, created_at);
CREATE FUNCTION peer.attempt(
  p_bot text, p_key text, p_side text, p_symbol text, p_quantity text, p_cooldown interval
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_bot integer;
  v_last timestamptz;
  v_id bigint;
BEGIN
  SELECT id INTO v_bot FROM peer.bots WHERE name = p_bot FOR UPDATE;
  SELECT max(created_at) INTO v_last FROM peer.trades WHERE bot_id = v_bot;
  IF clock_timestamp() - v_last < p_cooldown THEN RETURN NULL; END IF;
  INSERT INTO peer.trades (bot_id, key, side, symbol, quantity)
  VALUES (v_bot, p_key, p_side, p_symbol, p_quantity) RETURNING id INTO v_id;
  RETURN v_id;
END
$$;
"""

# Name, what bench.c calls it, whose bots, and how many processes (None: as many as asked for).
PEER_CASES = [("row lock", "row"), ("advisory lock", "advisory"), ("function", "function")]
CASES: dict[str, tuple[str, str, int | None]] = {
    **{f"{bots}: {name}": (case, bots, None) for bots in ("own", "hot") for name, case in PEER_CASES},
    "own: attempt": ("attempt", "own", None),
    "hot: attempt": ("attempt", "hot", None),
    "own: a bare INSERT": ("insert", "own", None),
    "own, 1 process: function": ("function", "own", 1),
    "own, 1 process: attempt": ("attempt", "own", 1),
    "denied": ("attempt", "denied", None),
    WORK: ("work", "own", None),
}


class Bench:
    def __init__(self, directory: str, options: argparse.Namespace) -> None:
        self.directory = pathlib.Path(directory)
        self.options = options
        (self.directory / "server").mkdir()
        self.server = Server(str(self.directory / "server"), {"shared_buffers": "128MB"})
        self.program = self.compile()
        self.server.start()
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            connection.execute((ROOT / "schema.postgres.sql").read_text(encoding="utf-8").encode())
            connection.execute(PEERS.encode())
            connection.execute("SELECT tradeledger.make_ledger('live')")
            connection.execute(
                "SELECT count(tradeledger.add_bot('bot-' || n, 0, 30000000, 'cooldown', 1)) "
                "FROM generate_series(0, 1023) AS n"
            )
            connection.execute(
                "SELECT tradeledger.add_bot('denied', 86400000000, 30000000, 'cooldown', 1)"
            )
            connection.execute("VACUUM ANALYZE")

    def compile(self) -> str:
        program = str(self.directory / "bench")
        flags = subprocess.run(
            ["pkg-config", "--cflags", "--libs", "libpq"], capture_output=True, text=True, check=True
        ).stdout.split()
        source = str(pathlib.Path(__file__).with_name("bench.c"))
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", program, source, *flags], check=True)
        return program

    def measure(self, case: str, bots: str, processes: int | None) -> tuple[float, float]:
        """Operations a second, and the 99th percentile of one, in milliseconds."""
        place = f"host={self.server.directory} port={self.server.port} user=postgres dbname=postgres"
        done = subprocess.run(
            [self.program, place, case, bots, str(processes or self.options.processes),
             str(self.options.seconds)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            sys.exit(f"error: {case}: {done.stderr}")
        rate, *times = map(float, done.stdout.split())
        times.sort()
        return rate, times[int(len(times) * 0.99)] / 1000

    def lock_of_another_bot(self) -> tuple[float, float]:
        """p99 and longest wait of a bot, in milliseconds, while the lock of another is held for a
        second at a time."""
        ended = threading.Event()

        def hold() -> None:
            with psycopg.connect(self.server.url()) as connection:
                while not ended.is_set():
                    connection.execute(
                        "SELECT 1 FROM tradeledger.bots WHERE name = 'bot-900' FOR UPDATE"
                    )
                    ended.wait(1)
                    connection.rollback()

        holder = threading.Thread(target=hold)
        holder.start()
        times = []
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            end = time.monotonic() + max(3, self.options.seconds)
            while time.monotonic() < end:
                start = time.monotonic()
                connection.execute(
                    "SELECT * FROM tradeledger.attempt('record', 'bot-901', gen_random_uuid()::text,"
                    " 'buy', 'B', '1', NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, 5000)"
                )
                times.append((time.monotonic() - start) * 1000)
        ended.set()
        holder.join()
        times.sort()
        return times[int(len(times) * 0.99)], times[-1]

    def run(self) -> None:
        rounds = self.options.rounds
        figures: dict[str, list[tuple[float, float]]] = {name: [] for name in CASES}
        for _ in range(rounds):
            for name, case in CASES.items():
                figures[name].append(self.measure(*case))
        print(
            f"{self.options.processes} processes, {rounds} rounds of {self.options.seconds} s, "
            "medians\n\n| case | a second | p99 in ms |\n|---|---|---|"
        )
        rates = {name: [rate for rate, _ in runs] for name, runs in figures.items()}
        rates[WORK] = [rate * BATCH for rate in rates[WORK]]
        for name, runs in figures.items():
            p99 = statistics.median(p99 for _, p99 in runs)
            print(f"| {name} | {statistics.median(rates[name]):.0f} | {p99:.1f} |")

        def ratio(name: str, bots: str) -> str:
            """Of each round, to the fastest peer of that round: median, least and most."""
            found = sorted(
                mine / max(rates[f"{bots}: {peer}"][n] for peer, _ in PEER_CASES)
                for n, mine in enumerate(rates[name])
            )
            return f"{statistics.median(found):.2f} ({found[0]:.2f} to {found[-1]:.2f})"

        p99, longest = self.lock_of_another_bot()
        print(
            f"\nagainst the fastest peer: attempt {ratio('own: attempt', 'own')}, on one bot "
            f"{ratio('hot: attempt', 'hot')}; a bare INSERT {ratio('own: a bare INSERT', 'own')}; "
            f"{WORK} {ratio(WORK, 'own')}; a bot while another's lock is held for a second: p99 "
            f"{p99:.1f} ms, longest {longest:.1f} ms"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--processes", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tradeledger-") as directory:
        os.chmod(directory, 0o755)
        bench = Bench(directory, options)
        try:
            bench.run()
        finally:
            bench.server.stop()


if __name__ == "__main__":
    main()
