"""What an attempt costs on a server, beside the least that anybody would write there: a row lock, an
advisory lock and a function of five statements, by pgbench (libpq, prepared statements), on the
same server in the same minutes, taking turns round by round.

    python3 bench.py [--rounds N] [--seconds S] [--clients N]

own: each client has its own bot. hot: all share one. The bots have no cooldown, so every attempt
is admitted. Every commit is durable (synchronous_commit = on, fsync = on).
"""

from __future__ import annotations

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import threading
import time

import psycopg
from server import Server, programs

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent
BATCH = 64

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

# As the clients make them: a UUID of version 7 grows at one end.
KEY = (
    "to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint) || "
    "substr(gen_random_uuid()::text, 9)"
)
INSERT = f"""INSERT INTO peer.trades (bot_id, key, side, symbol, quantity)
  VALUES (:bot, {KEY}, 'buy', 'BTC-USD', '0.25') RETURNING id;
"""
LAST = "SELECT max(created_at) FROM peer.trades WHERE bot_id = :bot;\n"
ORDER = f"{KEY}, 'buy', 'BTC-USD', '0.25', NULL"

SCRIPTS = {
    "row lock": "BEGIN;\nSELECT id FROM peer.bots WHERE id = :bot FOR UPDATE;\n" + LAST + INSERT
    + "COMMIT;\n",
    "advisory lock": "BEGIN;\nSELECT pg_advisory_xact_lock(:bot);\n" + LAST + INSERT + "COMMIT;\n",
    "function": f"SELECT peer.attempt('bot-' || :bot, {KEY}, 'buy', 'BTC-USD', '0.25', "
    "interval '0');\n",
    "attempt": "SELECT * FROM tradeledger.attempt('record', 'bot-' || :bot, " + ORDER + ", NULL, 1, "
    "NULL, NULL, NULL, NULL, NULL, 5000);\n",
}  # fmt: skip
WORK = (
    "SELECT count(*) FROM tradeledger.work((SELECT jsonb_agg(jsonb_build_object('do', 'attempt', "
    "'kind', 'record', 'bot', 'bot-' || (:bot + n), 'key', " + KEY + ", 'side', 'buy', "
    "'symbol', 'BTC-USD', 'quantity', '0.25', 'pid', 1)) FROM generate_series(0, "
    f"{BATCH - 1}) AS n), 5000);\n"
)
DENY = (
    "SELECT * FROM tradeledger.attempt('record', 'denied', " + ORDER + ", NULL, 1, NULL, NULL, NULL,"
    " NULL, NULL, 5000);\n"
)


class Bench:
    def __init__(self, directory: str, options: argparse.Namespace) -> None:
        self.directory = pathlib.Path(directory)
        self.options = options
        (self.directory / "server").mkdir()
        self.server = Server(str(self.directory / "server"), {"shared_buffers": "128MB"})
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

    def pgbench(self, script: str, bot: str, clients: int) -> tuple[float, float]:
        """Operations a second, and the 99th percentile of one, in milliseconds."""
        file = self.directory / "script.sql"
        file.write_text(f"\\set bot {bot}\n{script}", encoding="utf-8")
        with tempfile.TemporaryDirectory(dir=self.directory) as logs:
            done = subprocess.run(
                [f"{programs()}/pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j",
                 str(min(clients, os.cpu_count() or 1)), "-T", str(self.options.seconds), "-l",
                 f"--log-prefix={logs}/log", "-f", str(file), "-h", str(self.server.directory), "-p",
                 str(self.server.port), "-U", "postgres", "postgres"],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            times = sorted(
                int(line.split()[2])
                for log in pathlib.Path(logs).iterdir()
                for line in log.read_text(encoding="utf-8").splitlines()
            )
        found = re.search(r"tps = ([0-9.]+) \(without", done.stdout)
        assert found is not None, done.stdout + done.stderr
        return float(found[1]), times[int(len(times) * 0.99)] / 1000

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
        clients, rounds = self.options.clients, self.options.rounds
        own = ":client_id"
        cases: dict[str, tuple[str, str, int]] = {}
        for name, script in SCRIPTS.items():
            cases[f"own: {name}"] = (script, own, clients)
            cases[f"hot: {name}"] = (script, "0", clients)
        cases["own, 1 client: function"] = (SCRIPTS["function"], own, 1)
        cases["own, 1 client: attempt"] = (SCRIPTS["attempt"], own, 1)
        cases["denied"] = (DENY, "0", clients)
        cases[f"work, {BATCH} at once"] = (WORK, f":client_id * {BATCH}", clients)
        figures: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
        for _ in range(rounds):
            for name, case in cases.items():
                figures[name].append(self.pgbench(*case))
        rates = {name: statistics.median(rate for rate, _ in runs) for name, runs in figures.items()}
        rates[f"work, {BATCH} at once"] *= BATCH
        print(f"{clients} clients, {rounds} rounds of {self.options.seconds} s, medians\n")
        print("| case | a second | p99 in ms |\n|---|---|---|")
        for name, rate in rates.items():
            p99 = statistics.median(p99 for _, p99 in figures[name])
            print(f"| {name} | {rate:.0f} | {p99:.1f} |")
        peers = ("row lock", "advisory lock", "function")
        own_best = max(rates[f"own: {peer}"] for peer in peers)
        hot_best = max(rates[f"hot: {peer}"] for peer in peers)
        p99, longest = self.lock_of_another_bot()
        print(
            f"\nattempt against the fastest peer: own {rates['own: attempt'] / own_best:.2f}, hot "
            f"{rates['hot: attempt'] / hot_best:.2f}; work against the fastest: "
            f"{rates[f'work, {BATCH} at once'] / own_best:.2f}; a bot while another's lock is held "
            f"for a second: p99 {p99:.1f} ms, longest {longest:.1f} ms"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=8)
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
