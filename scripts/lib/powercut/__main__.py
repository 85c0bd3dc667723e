"""Proves or refutes that an answer, once given, survives a power cut. See docs/TESTING.md."""

import argparse
import os
import shutil
import sys
import tempfile
from collections import Counter

from claims import schema_of
from cuts import FILE_SYSTEMS, Skipped, cut_power
from replay import replay
import subjects

# Distinct images and real cuts: of what is tried, and of each control.
LONG = {"images": 12000, "cuts": 240, "control_images": 1500, "control_cuts": 30}
SHORT = {"images": 1500, "cuts": 10, "control_images": 200, "control_cuts": 0}


def parse():
    parser = argparse.ArgumentParser(prog="scripts/powercut")
    parser.add_argument("--short", action="store_true", help="a minute or two, for CI")
    parser.add_argument("--images", type=int, help="distinct images of the program that is tried")
    parser.add_argument("--cuts", type=int, help="real cuts, shared out to ext4 and xfs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--subject", default="tradeledger",
                        choices=["tradeledger", *subjects.REFERENCES])
    parser.add_argument("--no-controls", action="store_true")
    parser.add_argument("--must-lose", action="store_true",
                        help="the worker options make it a control: it fails if nothing is lost")
    parser.add_argument("--binary", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--schema", required=True, help=argparse.SUPPRESS)
    parser.add_argument("worker_options", nargs="*",
                        help="after --: given to each answer-worker of tradeledger")
    return parser.parse_args()


def say(text):
    print(text, flush=True)


class Trial:
    """Tries subjects, and keeps count of verdicts."""

    def __init__(self, options, scratch):
        self.options, self.scratch = options, scratch
        self.schema = schema_of(options.schema)
        self.failures = []

    def run(self, subject, images, cuts):
        say(f"{subject.name}{' (must lose)' if subject.must_lose else ''}")
        if images:
            self._replay(subject, images)
        if cuts:
            self._cut(subject, cuts)

    def _replay(self, subject, images):
        for attempt in range(4):
            seed = self.options.seed + 1000 * attempt
            result = replay(subject, self.schema, images, seed, self.scratch, say)
            # Whether one process overtakes another's sync is up to the scheduler: a control that
            # had no occasion to lose gets another one.
            if result.bad or not subject.must_lose:
                break
        rate = result.images / result.seconds
        say(f"  {len(result.hashes)} distinct images of {result.images}, {rate:.0f}/s: "
            f"{result.bad} lost an answer"
            + (f"; {result.attempts} attempts of the program" if result.attempts else ""))
        self._verdict(subject, "replay", result.bad, result.kinds, result.examples)

    def _cut(self, subject, cuts):
        lost, share = 0, cuts // len(FILE_SYSTEMS)
        kinds, examples, tried = Counter(), [], 0
        for kind in FILE_SYSTEMS:
            try:
                found, kinds_found, texts = cut_power(
                    subject, self.schema, kind, share, self.options.seed, self.scratch, say)
            except Skipped as reason:
                say(f"  {kind}: skipped: {reason}")
                continue
            tried += 1
            lost += found
            kinds.update(kinds_found)
            examples += texts
        if tried:
            self._verdict(subject, "real cuts", lost, kinds, examples)

    def _verdict(self, subject, method, lost, kinds, examples):
        if lost:
            say(f"    kinds of answers: {dict(kinds)}")
            say("    " + "\n    ".join(dict.fromkeys(examples)))
        if bool(lost) != subject.must_lose:
            what = "lost answers" if lost else "was to lose answers and lost none"
            self.failures.append(f"{subject.name} {what} ({method}, seed {self.options.seed})")


def main():
    options = parse()
    size = SHORT if options.short else LONG
    scratch = tempfile.mkdtemp(
        prefix="tradeledger-powercut-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    trial = Trial(options, scratch)
    try:
        if options.subject == "tradeledger":
            subject = subjects.shipped(options.binary, options.worker_options)
            subject.must_lose = options.must_lose
        else:
            subject = subjects.reference(options.subject, options.schema)
        trial.run(
            subject, size["images"] if options.images is None else options.images,
            size["cuts"] if options.cuts is None else options.cuts)
        if not options.no_controls:
            for name in subjects.REFERENCES:
                cuts = size["control_cuts"] if name in ("full", "normal") else 0
                trial.run(subjects.reference(name, options.schema), size["control_images"], cuts)
    finally:
        shutil.rmtree(scratch)
    for failure in trial.failures:
        print(f"error: {failure}", file=sys.stderr)
    say("holds" if not trial.failures else "does not hold")
    return 1 if trial.failures else 0


sys.exit(main())
