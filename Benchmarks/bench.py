#!/usr/bin/env python3
"""The table of docs/PERFORMANCE.md: each figure with its ceiling in the same run. Called by
scripts/bench.

`tradeledger bench` takes turns with the ceilings itself; here its lines are read, and the two
figures are measured that it has no case for: a command from spawn to exit, and the log while others
read.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from cost import Program, file_system, run, write_statements

NOISE = 1.5  # rounds of one ceiling further apart than this: something else used the disk
SPAWNS = (5, 20)  # runs in a row of one side, turns


class Row:
    """A figure: the value of each round, the bar, and whether it must be above or below."""

    def __init__(self, name, values, bar, reach, command, at_most=False, unit="",
                 is_noisy=False):
        self.name, self.bar, self.reach, self.command = name, bar, reach, command
        self.least, self.most = min(values), max(values)
        self.median = statistics.median(values)
        self.at_most, self.unit, self.is_noisy = at_most, unit, is_noisy

    @property
    def holds(self):
        return self.median <= self.bar if self.at_most else self.median >= self.bar

    @property
    def verdict(self):
        return ("holds" if self.holds else "missed") + (", noisy" if self.is_noisy else "")

    def text(self, value):
        digits = 1 if self.unit else 4 if value < 0.01 else 2
        return f"{value:.{digits}f}{self.unit}"

    def cells(self):
        spread = f"{self.text(self.least)} to {self.text(self.most)}"
        bound = "at most " if self.at_most else ""
        return [self.name, self.text(self.median), spread, f"{bound}{self.text(self.bar)}",
                self.text(self.reach), self.verdict]


class Table:
    def __init__(self, options):
        self.options = options
        self.rows = []
        self.is_noisy = False  # the run that the next rows come from
        self.lines = []

    def bench(self, case, processes, more=()):
        """The lines of one case, by process count, and the command as one would type it."""
        options = self.options
        words = ["bench", "--case", case, "--processes", processes, "--rounds",
                 str(options.rounds), "--duration", options.duration, *more]
        print("tradeledger " + " ".join(words), file=sys.stderr, flush=True)
        output = run([options.swift, *words, "--json", "--dir", options.dir,
                      "--ceiling", options.c])
        lines = [json.loads(line) for line in output.splitlines()]
        self.lines += lines
        self.is_noisy = any(is_noisy(line) for line in lines)
        return {line["processes"]: line for line in lines}, "tradeledger " + " ".join(words)

    def add(self, *arguments, **more):
        self.rows.append(Row(*arguments, is_noisy=self.is_noisy, **more))
        print("  ".join(self.rows[-1].cells()), flush=True)


def ceiling(line, design, processes=1):
    return next(entry for entry in line["ceilings"]
                if entry["design"] == design and entry["processes"] == processes)


def values(entry, key):
    """Least, median and largest of the rounds."""
    least, most = entry[key + "_range"]
    return [float(value) for value in (least, entry[key], most)]


def spread(line, design, processes=1):
    """The ratios to a ceiling."""
    return values(ceiling(line, design, processes), "ratio")


def schema_cost(line):
    """`same` over `bare`, round by round."""
    rounds = [ceiling(line, design)["per_second_rounds"]
              for design in ("same-accept", "bare-accept")]
    return [same / max(1, bare) for same, bare in zip(*rounds)]


def is_noisy(line):
    """Whether a ceiling, which does the same each time, did not take the same time."""
    rounds = [entry["per_second_rounds"] for entry in line["ceilings"] if entry["processes"] == 1]
    return any(max(each) > NOISE * max(1, min(each)) for each in rounds)


def cases(table):
    accept, command = table.bench("accept", "1,8,32")
    table.add("accept, 1 process, against `same`", spread(accept[1], "same-accept"), 0.95, 1.0,
              command)
    table.add("`same` against `bare` (what the schema's rules cost)", schema_cost(accept[1]),
              0.85, 0.95, command)
    table.add("accept, 8 processes, against `bare` with one", spread(accept[8], "bare-accept"),
              1.7, 2.0, command)
    for count in (8, 32):
        table.add(f"fairness, {count} processes, saturated", values(accept[count], "fairness"),
                  0.9, 0.97, command)
    table.add("longest wait, 8 processes, against busy_timeout's",
              values(ceiling(accept[8], "bare-accept", 8), "longest_ratio"), 1 / 20, 1 / 200,
              command, at_most=True)
    batch, command = table.bench("batch", "1")
    table.add("64 concurrent callers, against C with 64 attempts per transaction",
              spread(batch[1], "bare-batch"), 0.5, 0.8, command)
    hot, command = table.bench("hot-bot", "4")
    table.add("denials on a hot bot, 4 processes, against C from a snapshot",
              spread(hot[4], "bare-deny", 4), 0.6, 0.9, command)
    grown, command = table.bench("growth", "1", ("--trades", str(table.options.trades)))
    table.add(f"{table.options.trades} trades against 1000",
              values(grown[1], "ratio_to_small"), 0.7, 0.9, command)
    phases, command = table.bench("two-phase", "8")
    table.add("two-phase, 8 processes, against `bare` two-phase with one",
              spread(phases[8], "bare-two-phase"), 1.7, 2.0, command)


def spawned(table, folder):
    """One durable attempt from spawn to exit, in turns."""
    table.is_noisy = False
    options = table.options
    count, turns = SPAWNS
    total = count * (turns + 1)
    template = os.path.join(folder, "template.db")
    run([options.c, "prepare", template, str(total), options.schema])
    sides = {}
    for side in ("c", "swift"):
        ledger = os.path.join(folder, side + ".db")
        shutil.copy(template, ledger)
        os.chmod(ledger, 0o600)
        words = ([options.c, "once", ledger, options.c + ".statements", "%d"] if side == "c" else
                 [options.swift, "reserve", "--db", ledger, "--side", "buy", "--symbol", "BTC-USD",
                  "--quantity", "0.25", "bot-%d"])
        sides[side] = Program([options.c, "spawn", *words])
    ratios = []
    for turn in range(turns + 1):
        took = {side: statistics.median(program.attempts(count))
                for side, program in sides.items()}
        if turn > 0:  # the first turn warms the caches up
            ratios.append(took["swift"] / took["c"])
    for program in sides.values():
        program.end()
    table.add("a command from spawn to exit, against C", ratios, 2, 1.2, "scripts/bench",
              at_most=True)


def largest_log(table, folder):
    """Eight writers and four readers, who read through `tradeledger trades`."""
    options = table.options
    place = os.path.join(folder, "log")
    os.mkdir(place)
    seconds = options.log_seconds
    bench = subprocess.Popen(
        [options.swift, "bench", "--case", "accept", "--processes", "8", "--rounds", "1",
         "--duration", f"{seconds}s", "--json", "--dir", place],
        stdout=subprocess.PIPE, text=True)
    stop = threading.Event()

    def read():
        while not stop.is_set():
            found = [os.path.join(root, name) for root, _, names in os.walk(place)
                     for name in names if name == "ledger.db"]
            if not found:
                time.sleep(0.01)
                continue
            subprocess.run([options.swift, "trades", "--db", found[0]], check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    output = bench.communicate()[0]
    stop.set()
    for reader in readers:
        reader.join()
    if bench.returncode != 0:
        sys.exit("error: the writers failed; what they said stands above")
    size = json.loads(output)["wal_bytes"] / 1048576
    table.add(f"log after {seconds} s of 8 writers and 4 readers", [size], 16, 8, "scripts/bench",
              at_most=True, unit=" MB")


def markdown(table):
    heads = ["figure", "median", "rounds from and to", "bar", "reach for", ""]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(row.cells()) + " |" for row in table.rows]
    commands = dict.fromkeys(row.command for row in table.rows)
    lines += ["", "By:", "", "```sh", *commands, "```", "",
              "| case | processes | per second | / bare | / same | p50 | p99 | p99.9 | longest |"
              " fairness | WAL KB |", "|" + "---|" * 11]
    for line in table.lines:
        times = line["latency_us"]
        cells = [line["case"], line["processes"], line["per_second"], line["ratio_to_ceiling"],
                 line["ratio_to_same"], *(times[key] for key in ("p50", "p99", "p999", "max")),
                 line["fairness"], line["wal_bytes"] // 1024]
        lines.append("| " + " | ".join("-" if cell is None else str(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=5, help="turns of each side (5)")
    parser.add_argument("--duration", default="1s", help="of each side in a round (1s)")
    parser.add_argument("--trades", type=int, default=10_000_000,
                        help="in the large ledger (10000000)")
    parser.add_argument("--log-seconds", type=int, default=60,
                        help="how long the log is watched (60)")
    parser.add_argument("--markdown", help="write the table there, for docs/PERFORMANCE.md")
    parser.add_argument("--dir", help="where the ledgers lie (beside the build)")
    for name in ("c", "swift", "schema", "statements"):
        parser.add_argument("--" + name, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    write_statements(options.statements, options.schema, options.c + ".statements")
    table = Table(options)
    print(f"on {file_system(options.dir)}, {os.cpu_count()} processors, "
          f"load {os.getloadavg()[0]:.1f}")
    cases(table)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=options.dir) as folder:
        spawned(table, folder)
        largest_log(table, folder)
    if options.markdown:
        with open(options.markdown, "w", encoding="utf-8") as file:
            file.write(markdown(table))
    missed = [row.name for row in table.rows if not row.holds]
    print(f"{len(missed)} of {len(table.rows)} missed" if missed else "all hold")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
