#!/usr/bin/env python3
"""What one durable attempt costs through the library, next to plain C. Called by scripts/cost.

Both sides reserve on bots that have not traded yet, in ledgers that began as copies of one file on
one file system, in turns, and measure each attempt with their own clock. Start-up is not counted.
"""
import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

WARM_UP = 25  # attempts of each process that are not counted: caches, statements


def statement_texts(source):
    """The texts of `static let NAME = "..."` in Statements.swift, by name."""
    texts = {}
    for match in re.finditer(
        r'static let (\w+) = (?:"""\n(.*?)\n *"""|"([^"\n]*)")', source, re.DOTALL
    ):
        texts[match[1]] = match[3] if match[2] is None else match[2]
    return texts


class Bench:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.bot = 0
        with open(options.statements, encoding="utf-8") as file:
            texts = statement_texts(file.read())
        for name in ("admission", "schemaVersion", "insertTrade"):
            with open(os.path.join(folder, name + ".sql"), "w", encoding="utf-8") as file:
                file.write(texts[name])

    def path(self, name):
        return os.path.join(self.folder, name)

    def prepare(self, bots):
        """One ledger, and a copy of it for each side."""
        template = self.path("template.db")
        run([self.options.c, "prepare", template, str(bots), self.options.schema])
        os.chmod(template, 0o600)
        for name in ("c.db", "swift.db", "c-traced.db", "swift-traced.db"):
            shutil.copy(template, self.path(name))

    def command(self, side, first, count, ledger=None):
        if side == "c":
            ledger = ledger or self.path("c.db")
            return [self.options.c, "reserve", ledger, str(first), str(count), self.folder]
        ledger = ledger or self.path("swift.db")
        return [self.options.swift, ledger, str(first), str(count)]

    def measure(self, side, first):
        """Nanoseconds of each attempt."""
        count = self.options.attempts + WARM_UP
        return [int(line) for line in run(self.command(side, first, count)).split()][WARM_UP:]

    def system_calls(self, side):
        """System calls of one attempt: what 40 attempts make more than 20, start-up taken out."""
        counts = []
        ledger = self.path(side + "-traced.db")
        # The first process begins the log; it is not counted.
        run(self.command(side, 0, 1, ledger))
        for first, count in ((1, 20), (21, 40)):
            log = self.path("strace.log")
            run(["strace", "-f", "-qq", "-e", "signal=none", "-o", log]
                + self.command(side, first, count, ledger))
            names = {}
            with open(log, encoding="utf-8", errors="replace") as file:
                for line in file:
                    match = re.match(r"\d+ +(\w+)\(", line)
                    if match:
                        names[match[1]] = names.get(match[1], 0) + 1
            counts.append(names)
        each = {
            name: (counts[1].get(name, 0) - counts[0].get(name, 0)) / 20
            for name in counts[0] | counts[1]
        }
        return {
            "fsyncs": each.get("fdatasync", 0) + each.get("fsync", 0),
            "writes": each.get("pwrite64", 0) + each.get("write", 0),
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
    parser.add_argument("--pairs", type=int, default=15, help="turns of both sides (15)")
    parser.add_argument("--attempts", type=int, default=300, help="attempts counted a turn (300)")
    parser.add_argument("--bar", type=float, default=1.15, help="the ratio allowed (1.15)")
    parser.add_argument("--dir", help="where the ledgers lie (beside the build)")
    for name in ("c", "swift", "schema", "statements"):
        parser.add_argument("--" + name, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cost-", dir=options.dir) as folder:
        sys.exit(report(Bench(options, folder)))


def report(bench):
    options = bench.options
    per_turn = options.attempts + WARM_UP
    bench.prepare(options.pairs * per_turn)
    print(f"{options.pairs} pairs of {options.attempts} attempts on {file_system(bench.folder)}")
    print(f"{'pair':>4} {'C us':>9} {'library us':>11} {'ratio':>7}   medians of an attempt")
    ratios, typical = [], []
    for pair in range(options.pairs):
        # Who goes first changes from pair to pair, so that a drift of the disk favours neither.
        order = ("c", "swift") if pair % 2 == 0 else ("swift", "c")
        took = {side: bench.measure(side, pair * per_turn) for side in order}
        mean = {side: statistics.mean(took[side]) / 1000 for side in took}
        middle = {side: statistics.median(took[side]) / 1000 for side in took}
        ratios.append(mean["swift"] / mean["c"])
        typical.append(middle["swift"] / middle["c"])
        print(f"{pair + 1:>4} {mean['c']:>9.1f} {mean['swift']:>11.1f} {ratios[-1]:>7.3f}"
              f"   {middle['c']:.1f} and {middle['swift']:.1f}: {typical[-1]:.3f}")
    for side, name in (("c", "C"), ("swift", "library")):
        calls = bench.system_calls(side)
        print(f"{name}: {calls['fsyncs']:g} fsyncs, {calls['writes']:g} writes, "
              f"{calls['all']:g} system calls an attempt")
    print(f"statements an attempt: {run([options.c, 'statements']).strip()} on both sides "
          "(a test counts the library's)")
    quarters = statistics.quantiles(ratios, n=4)
    ratio = statistics.median(ratios)
    print(f"ratio of means: median {ratio:.3f}, quartiles {quarters[0]:.3f} to {quarters[2]:.3f}, "
          f"extremes {min(ratios):.3f} to {max(ratios):.3f}")
    print(f"ratio of medians: median {statistics.median(typical):.3f}")
    print(f"{'holds' if ratio <= options.bar else 'MISSED'}: the bar is {options.bar}")
    return 0 if ratio <= options.bar else 1


if __name__ == "__main__":
    main()
