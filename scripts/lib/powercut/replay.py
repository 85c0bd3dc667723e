"""Method 1: record real processes with strace, make the images that a cut may leave, open them."""

import hashlib
import multiprocessing
import os
import random
import subprocess
import tempfile
import time
from collections import Counter

from claims import Claims, State
from disk import Disk, choices
from subjects import SHARED, recording
import trace

LEDGER = "ledger.db"
# Images for each point at which the power is cut.
WAYS = 8
# The share of images in which the program itself makes another attempt.
ATTEMPTS = 0.02
# Processes, callers in each, rounds of opening and closing, steps of each caller in a round. And
# how long each sync takes at least, in microseconds: while one waits, the others go on.
RECORDINGS = [(3, 1, 2, 40, 2000), (1, 1, 1, 130, 0), (2, 4, 1, 16, 1000), (3, 2, 2, 12, 0)]


class Result:
    def __init__(self):
        self.hashes = set()
        self.images = 0
        self.bad = 0
        self.kinds = Counter()
        self.examples = []
        self.answers = Counter()
        self.found = Counter()
        self.attempts = 0

    def merge(self, other):
        self.attempts += other.attempts
        self.hashes |= other.hashes
        self.images += other.images
        self.bad += other.bad
        self.kinds += other.kinds
        self.examples = (self.examples + other.examples)[:5]


def record(subject, shape, scratch):
    """Runs the subject under strace; the events of its directory."""
    processes, callers, rounds, count, delay = shape
    directory = tempfile.mkdtemp(prefix="recording-", dir=scratch)
    ledgers = os.path.join(directory, "ledgers")
    os.mkdir(ledgers, 0o700)
    log = os.path.join(directory, "trace")
    prefixes = ["bot-" + chr(ord("a") + n) + "-" for n in range(processes)]
    text = recording(subject, prefixes, callers, rounds, count)
    environment = dict(os.environ, TRADELEDGER_DB=os.path.join(ledgers, LEDGER))
    slow = ["-e", f"inject=fdatasync,fsync:delay_enter={delay}"] if delay else []
    with open(os.path.join(directory, "answers"), "wb") as answers:
        done = subprocess.run(
            ["strace", "-qq", "-o", log, *trace.OPTIONS, *slow, "sh", "-c", text],
            stdout=answers, stderr=subprocess.PIPE, env=environment, timeout=300, check=False)
    if done.returncode:
        raise SystemExit(f"error: the recording failed: {done.stderr.decode()[-2000:]}")
    events = trace.read(log, ledgers)
    os.remove(log)
    return ledgers, events


def describe(events, ledgers):
    """What of interest is in a recording, so that none passes that holds nothing."""
    database = os.path.join(ledgers, LEDGER)
    begun = Counter()
    for kind, operation in events:
        if kind == "return":
            begun[operation.kind] += 1
            if operation.kind == "write" and operation.path == database:
                begun["checkpointed pages"] += 1
            if operation.kind == "write" and operation.path == database + "-wal" \
                    and operation.offset == 0:
                begun["logs begun"] += 1
    return begun


def _judge(job):
    """One process's share of the cuts of a recording."""
    events, ledgers, schema, cuts, seed, share, shares, scratch, attempt = job
    result = Result()
    disk, claims, said = Disk(), Claims(), 0
    # Contents that came up a moment ago: a later cut may leave the same, with more answers.
    recent = {}
    with tempfile.TemporaryDirectory(prefix="image-", dir=scratch) as directory:
        for number, (kind, operation) in enumerate(events):
            disk.take(kind, operation)
            if number not in cuts or cuts[number] % shares != share:
                continue
            for answer in disk.answers[said:]:
                claims.add(answer.data)
            said = len(disk.answers)
            source = random.Random(f"{seed} {number}")
            for choice in choices(disk.pending, source, WAYS):
                files = disk.image(choice)
                digest = _digest(files)
                state = recent.get(digest)
                if state is None:
                    state = open_image(files, ledgers, directory, schema, source)
                    if len(recent) > 200:
                        recent.clear()
                    recent[digest] = state
                broken = claims.broken(state)
                if attempt and SHARED in claims.bots and source.random() < ATTEMPTS:
                    lay_out(files, ledgers, directory, source)
                    broken += _try(attempt, os.path.join(directory, LEDGER))
                    result.attempts += 1
                _count(result, broken, digest, f"cut {number}, seed {seed}")
    return result


def _try(attempt, path):
    """The program itself goes on with a ledger after a cut: yes or no, and no failure."""
    environment = dict(os.environ, TRADELEDGER_DB=path)
    done = subprocess.run(attempt, env=environment, capture_output=True, text=True, check=False)
    if done.returncode in (0, 1):
        return []
    return [("attempt", f"exit {done.returncode}: {done.stdout.strip()} {done.stderr.strip()}")]


def _digest(files):
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(files):
        digest.update(f"{name} {len(files[name])}\n".encode())
        # What nothing may rest on makes no image another one.
        if not name.endswith(trace.VOLATILE):
            digest.update(files[name])
    return digest.digest()


def _count(result, broken, digest, place):
    result.images += 1
    result.hashes.add(digest)
    if broken:
        result.bad += 1
        result.kinds.update({kind for kind, _ in broken})
        if len(result.examples) < 5:
            result.examples.append(f"{place}: {broken[0][1]}")


def open_image(files, ledgers, directory, schema, source):
    """What SQLite finds in an image."""
    lay_out(files, ledgers, directory, source)
    path = os.path.join(directory, LEDGER)
    return State(path, schema) if os.path.exists(path) else State.absent()


def lay_out(files, ledgers, directory, source):
    for name in os.listdir(directory):
        os.remove(os.path.join(directory, name))
    for name, content in files.items():
        # Whatever was in the memory of the dead may be in these.
        if name.endswith(trace.VOLATILE) and source.random() < 0.5:
            content = source.randbytes(32768)
        place = os.path.join(directory, os.path.relpath(name, ledgers))
        with open(place, "wb") as file:
            file.write(content)
        os.chmod(place, 0o600)


def plan(events, wanted, source):
    """The points at which the power is cut: right after an answer, and in between."""
    answers = [n for n, (kind, op) in enumerate(events) if op.kind == "answer" and kind == "call"]
    others = [n for n, (_, op) in enumerate(events) if op.kind != "answer"]
    count = wanted // WAYS + 1
    chosen = source.sample(answers, min(len(answers), count))
    chosen += source.sample(others, min(len(others), count * 2))
    return {number: turn for turn, number in enumerate(sorted(chosen))}


def replay(subject, schema, wanted, seed, scratch, say, shares=2):
    """Records and judges until there are `wanted` distinct images."""
    total = Result()
    began = time.monotonic()
    number = 0
    with multiprocessing.Pool(shares) as pool:
        while len(total.hashes) < wanted:
            shape = RECORDINGS[number % len(RECORDINGS)]
            if not subject.name.startswith("tradeledger"):
                shape = (shape[0], 1) + shape[2:]
            ledgers, events = record(subject, shape, scratch)
            found = describe(events, ledgers)
            claims = Claims()
            for kind, operation in events:
                if operation.kind == "answer" and kind == "call":
                    claims.add(operation.data)
            total.answers += claims.kinds
            total.found += found
            expect_content(found, claims, shape)
            before = len(total.hashes)
            source = random.Random(f"{seed} {number}")
            share = max(200, wanted // len(RECORDINGS))
            cuts = plan(events, min(share, wanted - before), source)
            jobs = [
                (events, ledgers, schema, cuts, f"{seed}-{number}", n, shares, scratch,
                 subject.attempt())
                for n in range(shares)
            ]
            for result in pool.imap_unordered(_judge, jobs):
                total.merge(result)
            number += 1
            say(f"  {shape[0]} processes, {shape[1]} callers each: "
                f"{sum(claims.kinds.values())} answers, {found['write']} writes, "
                f"{found['sync']} syncs, {found['checkpointed pages']} pages checkpointed, "
                f"log begun {found['logs begun']} times: "
                f"{len(total.hashes) - before} images")
    if not total.found["checkpointed pages"] or total.found["logs begun"] < number + 1:
        raise SystemExit("error: no recording has a checkpoint and a log that is begun anew")
    total.seconds = time.monotonic() - began
    return total


def expect_content(found, claims, shape):
    """A recording that provokes nothing proves nothing."""
    if sum(claims.kinds.values()) < 50:
        raise SystemExit(f"error: a recording of {shape} holds too little: {dict(found)}")
