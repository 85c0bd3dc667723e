"""Method 2: real processes on a real file system, which is shut down under them without a flush."""

import fcntl
import os
import random
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import time
from collections import Counter

from claims import Claims, State
from replay import LEDGER
from subjects import preparation, side_by_side

_SHUTDOWN = 0x8004587D  # FS_IOC_SHUTDOWN
_NO_LOG_FLUSH = struct.pack("I", 2)
_SIZE = 512 << 20  # XFS wants 300 MB; the file is sparse.
FILE_SYSTEMS = {"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-f"]}
# So many cuts does a ledger live through before a new one is made.
_LIVES = 8


class Skipped(Exception):
    """Real cuts are not possible here."""


class FileSystem:
    """A file system in a file, mounted by loop."""

    def __init__(self, kind, scratch):
        if os.geteuid() != 0:
            raise Skipped("mounting needs root")
        if not shutil.which(FILE_SYSTEMS[kind][0]):
            raise Skipped(f"there is no {FILE_SYSTEMS[kind][0]}")
        self.kind = kind
        self.image = os.path.join(scratch, kind + ".img")
        self.place = os.path.join(scratch, kind)
        os.mkdir(self.place)
        with open(self.image, "wb") as file:
            file.truncate(_SIZE)
        self._run([*FILE_SYSTEMS[kind], self.image])
        self.is_mounted = False
        self.mount()

    def _run(self, command):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Skipped(f"{command[0]}: {done.stderr.strip()[:200]}")

    def mount(self):
        self._run(["mount", "-t", self.kind, "-o", "loop", self.image, self.place])
        self.is_mounted = True

    def cut(self):
        """Nothing that was not on the disk by now gets there any more."""
        descriptor = os.open(self.place, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, _NO_LOG_FLUSH)
        except OSError as error:
            raise Skipped(f"{self.kind} cannot be shut down: {error}") from error
        finally:
            os.close(descriptor)

    def unmount(self):
        # The dead hold their files until the kernel is done with them.
        end = time.monotonic() + 20
        while self.is_mounted:
            done = subprocess.run(["umount", self.place], capture_output=True, check=False)
            if done.returncode == 0:
                self.is_mounted = False
            elif time.monotonic() > end:
                raise SystemExit(f"error: umount {self.place}: {done.stderr.decode().strip()}")
            else:
                time.sleep(0.01)


def cut_power(subject, schema, kind, count, seed, scratch, say):
    """`count` cuts; how many of them took an answer back, and which."""
    source = random.Random(f"{seed} {kind}")
    lost, kinds, examples, answers = 0, Counter(), [], 0
    began = time.monotonic()
    directory = tempfile.mkdtemp(prefix="cuts-", dir=scratch)
    system = FileSystem(kind, directory)
    try:
        for number in range(count):
            if number % _LIVES == 0:
                claims = Claims()
                home = os.path.join(system.place, f"ledger-{number}")
                os.mkdir(home, 0o700)
                # That there is such a directory is not the ledger's promise.
                subprocess.run(["sync", "-f", system.place], check=True)
            before = sum(claims.kinds.values())
            _work_until_cut(subject, system, home, number, claims, source)
            system.unmount()
            system.mount()
            answers += sum(claims.kinds.values()) - before
            broken = claims.broken(_look(home, directory, schema))
            if broken:
                lost += 1
                kinds.update({name for name, _ in broken})
                examples.append(f"{kind}, cut {number}: {broken[0][1]}")
                # What is lost stays lost: the next cut is judged by a new ledger.
                claims = Claims()
                home = os.path.join(system.place, f"ledger-{number}-after")
                os.mkdir(home, 0o700)
                subprocess.run(["sync", "-f", system.place], check=True)
    finally:
        system.unmount()
        shutil.rmtree(directory)
    seconds = time.monotonic() - began
    say(f"  {kind}: {count} cuts in {seconds:.0f} s, {answers} answers, {lost} cuts lost some")
    if count > 5 and answers < count:
        raise SystemExit(f"error: {answers} answers in {count} cuts: nothing was at stake")
    return lost, kinds, examples[:3]


def _work_until_cut(subject, system, home, number, claims, source):
    prefixes = [f"c{number}-{worker}-" for worker in "abc"[: source.choice((1, 3))]]
    shared = f"shared-{number}"
    is_new = not claims.is_created
    lines = preparation(subject, prefixes, 1, shared, is_new)
    lines += side_by_side([
        subject.work(prefix, 100000, shared=shared) for prefix in prefixes
    ])
    environment = dict(os.environ, TRADELEDGER_DB=os.path.join(home, LEDGER))
    worker = subprocess.Popen(
        ["sh", "-c", "\n".join(["set -e"] + lines)], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, env=environment, start_new_session=True)
    try:
        # The cut comes at any moment: while the ledger is made, or well into its life.
        seconds = source.choice((0.06, 0.4, 0.8)) * source.random()
        said = _read_for(worker.stdout.fileno(), seconds)
        system.cut()
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        worker.stdout.close()
    # Only what was read before the cut counts: a sync under way during it may return 0 falsely.
    claims.add(said[: said.rfind(b"\n") + 1])


def _read_for(descriptor, seconds):
    os.set_blocking(descriptor, False)
    said = bytearray()
    end = time.monotonic() + seconds
    while (rest := end - time.monotonic()) > 0:
        if select.select([descriptor], [], [], rest)[0]:
            data = os.read(descriptor, 65536)
            if not data:
                break
            said += data
    return bytes(said)


def _look(home, directory, schema):
    """The state of a copy: what the check itself writes must not be cut off the next time."""
    copy = os.path.join(directory, "copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(home, copy)
    path = os.path.join(copy, LEDGER)
    return State(path, schema) if os.path.exists(path) else State.absent()
