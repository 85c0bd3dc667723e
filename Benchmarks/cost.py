#!/usr/bin/env python3
"""What one durable attempt costs through the library, next to plain C. Called by scripts/cost.

All sides reserve for the same bots over and over and void what they reserved, in ledgers that began
as copies of one file on one file system. All programs run all the time and are asked in turns, a few
attempts at a time, so that a drift of the disk or of the machine meets all; each attempt is measured
by its own program's clock. Start-up, the first attempts and the voids are not counted.
"""
import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

NOISE = 0.15  # quartiles further apart than this share of the median judge nothing
WARM_UP = 5  # turns of each program that are not counted: caches, statements
TRACED = (40, 60)  # attempts in two runs under strace; the difference is looked at
# Plain C; the library on its own executor, which the bar is for; and from another task.
SIDES = ("c", "swift", "elsewhere")


def statement_texts(source):
    """The texts of `static let NAME = "..."` in Statements.swift, by name."""
    texts = {}
    for match in re.finditer(
        r'static let (\w+) = (?:"""\n(.*?)\n *"""|"([^"\n]*)")', source, re.DOTALL
    ):
        texts[match[1]] = match[3] if match[2] is None else match[2]
    return texts


def write_statements(source, schema, folder):
    """Writes the texts that the C program uses into `folder`, so that nothing is said twice."""
    with open(source, encoding="utf-8") as file:
        texts = statement_texts(file.read())
    texts["instance"] = texts["instanceColumns"] + " WHERE name = ?1"
    os.makedirs(folder, exist_ok=True)
    for name in ("admission", "schemaVersion", "insertTrade", "instance", "takeInstance",
                 "releaseInstance"):
        with open(os.path.join(folder, name + ".sql"), "w", encoding="utf-8") as file:
            file.write(texts[name])
    shutil.copy(schema, os.path.join(folder, "schema.sql"))


class Program:
    """One side, running: it is asked for attempts and says how long each took."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def attempts(self, count):
        """Nanoseconds of each attempt."""
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        took = [int(word) for word in self.process.stdout.readline().split()]
        if len(took) != count:
            sys.exit("error: a program ended early; what it said stands above")
        return took

    def end(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            sys.exit("error: a program failed; what it said stands above")


class Bench:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        write_statements(options.statements, options.schema, folder)
        run([options.c, "prepare", self.path("template.db"), str(max(options.turn, *TRACED)), options.schema])

    def path(self, name):
        return os.path.join(self.folder, name)

    def command(self, side, name):
        """The command of a side, on a copy of the ledger with that name."""
        ledger = self.path(f"{side}-{name}.db")
        shutil.copy(self.path("template.db"), ledger)
        os.chmod(ledger, 0o600)
        if side == "c":
            return [self.options.c, self.options.case, ledger, self.folder]
        return [self.options.swift, ledger, side, self.options.case]

    def measure(self):
        """For each pair the nanoseconds of the attempts of each side."""
        programs = {side: Program(self.command(side, "measured")) for side in SIDES}
        for program in programs.values():
            for _ in range(WARM_UP):
                program.attempts(self.options.turn)
        turns = 0
        for _ in range(self.options.pairs):
            took = {side: [] for side in SIDES}
            while len(took["c"]) < self.options.attempts:
                count = min(self.options.turn, self.options.attempts - len(took["c"]))
                # Who goes first changes from turn to turn.
                first = turns % len(SIDES)
                for side in SIDES[first:] + SIDES[:first]:
                    took[side] += programs[side].attempts(count)
                turns += 1
            yield took
        for program in programs.values():
            program.end()

    def system_calls(self, side):
        """System calls of one attempt: what the longer run makes more than the shorter."""
        counts = []
        for attempts in TRACED:
            log = self.path("strace.log")
            program = Program(
                ["strace", "-f", "-qq", "-e", "signal=none", "-o", log]
                + self.command(side, f"traced-{attempts}"))
            program.attempts(attempts)
            program.end()
            names = {}
            with open(log, encoding="utf-8", errors="replace") as file:
                for line in file:
                    match = re.match(r"\d+ +(\w+)\(", line)
                    if match:
                        names[match[1]] = names.get(match[1], 0) + 1
            counts.append(names)
        each = {
            name: (counts[1].get(name, 0) - counts[0].get(name, 0)) / (TRACED[1] - TRACED[0])
            for name in counts[0] | counts[1]
        }
        return {
            "fsyncs": each.get("fdatasync", 0) + each.get("fsync", 0),
            "writes": each.get("pwrite64", 0),
            "all": sum(each.values()),
        }


def run(command):
    try:
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {error}")


def file_system(folder):
    kind = run(["stat", "-f", "-c", "%T", folder]).strip()
    return "ext4" if kind == "ext2/ext3" else kind


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, default=15, help="ratios that are taken (15)")
    parser.add_argument("--attempts", type=int, default=400, help="attempts for each ratio (400)")
    parser.add_argument("--turn", type=int, default=20, help="attempts in a row of one side (20)")
    parser.add_argument("--case", choices=("reserve", "instance"), default="reserve",
                        help="one attempt, or taking an instance name and letting go (reserve)")
    parser.add_argument("--bar", type=float, help="the ratio allowed (1.15; of instance 1.3)")
    parser.add_argument("--dir", help="where the ledgers lie (beside the build)")
    for name in ("c", "swift", "schema", "statements"):
        parser.add_argument("--" + name, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.bar = options.bar or {"reserve": 1.15, "instance": 1.3}[options.case]
    with tempfile.TemporaryDirectory(prefix="cost-", dir=options.dir) as folder:
        sys.exit(report(Bench(options, folder)))


def report(bench):
    options = bench.options
    print(f"{options.pairs} pairs of {options.attempts} attempts, {options.turn} in a row, "
          f"on {file_system(bench.folder)}")
    print("microseconds: mean (median) of an attempt; library: on its executor; elsewhere: from another "
          "task")
    print(f"{'pair':>4} {'C':>15} {'library':>15} {'elsewhere':>15} {'library/C':>10}")
    ratios, typical, elsewhere = [], [], []
    for number, took in enumerate(bench.measure()):
        mean = {side: statistics.mean(took[side]) / 1000 for side in took}
        middle = {side: statistics.median(took[side]) / 1000 for side in took}
        ratios.append(mean["swift"] / mean["c"])
        elsewhere.append(mean["elsewhere"] / mean["c"])
        typical.append(middle["swift"] / middle["c"])
        columns = " ".join(f"{mean[side]:>7.1f} ({middle[side]:5.1f})" for side in SIDES)
        print(f"{number + 1:>4} {columns} {ratios[-1]:>10.3f}")
    for side, name in (("c", "C"), ("swift", "library")):
        calls = bench.system_calls(side)
        print(f"{name}: {calls['fsyncs']:g} fsyncs, {calls['writes']:g} writes, "
              f"{calls['all']:g} system calls an attempt")
    if options.case == "reserve":
        print(f"statements an attempt: {run([options.c, 'statements']).strip()} on both sides "
              "(a test counts the library's)")
    quarters = statistics.quantiles(ratios, n=4)
    ratio = statistics.median(ratios)
    print(f"ratio of means: median {ratio:.3f}, quartiles {quarters[0]:.3f} to {quarters[2]:.3f}, "
          f"extremes {min(ratios):.3f} to {max(ratios):.3f}")
    print(f"ratio of medians: median {statistics.median(typical):.3f}")
    print(f"ratio of means from another task: median {statistics.median(elsewhere):.3f}")
    if quarters[2] - quarters[0] > NOISE * ratio:
        print("too noisy to judge: something else uses the disk or the processors; run it again")
        return 2
    print(f"{'holds' if ratio <= options.bar else 'MISSED'}: the bar is {options.bar}")
    return 0 if ratio <= options.bar else 1


if __name__ == "__main__":
    main()
