"""hosts --program TRADELEDGER [--only NAME]... [--rounds N]

Each scenario in a place of its own. Ends with 0 where all of them went as they should."""

import argparse
import os
import sys
import tempfile

import failover
import partition
from network import Skipped
from place import Place

SCENARIOS = {
    "partition": partition.crowd,
    "instance": partition.instance,
    "synchronous": failover.synchronous,
    "asynchronous": failover.asynchronous,
}


def _play(name, program, number):
    with tempfile.TemporaryDirectory(prefix="tradeledger-hosts-") as scratch:
        os.chmod(scratch, 0o755)  # The server runs as somebody else.
        with Place(scratch, program) as place:
            wrong, evidence = SCENARIOS[name](place)
    counts = ", ".join(f"{count} {what}" for what, count in sorted(evidence.counts.items()))
    print(f"{name} {number}: {len(evidence.sent)} orders; {counts}")
    for line in wrong[:5]:
        print(f"  {line}")
    print(f"  {len(wrong)} violations" if wrong else "  holds")
    sys.stdout.flush()
    return not wrong


def main():
    parser = argparse.ArgumentParser(prog="hosts", description=__doc__)
    parser.add_argument("--program", required=True,
                        help="the program, built with the trait PostgreSQL")
    parser.add_argument("--only", action="append", choices=SCENARIOS)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    names = options.only or SCENARIOS
    try:
        good = [_play(name, options.program, number) for number in range(1, options.rounds + 1)
                for name in names]
    except Skipped as reason:
        print(f"skipped: {reason}")
        return 0
    return 0 if all(good) else 1


sys.exit(main())
