"""What the model of the disk must know, by planted traces. Run by scripts/powercut --self-test."""

import os
import random
import tempfile
import unittest

from claims import Claims, State
from disk import Disk, choices, torn
import trace

HOME = "/ledgers"
FILE = HOME + "/f"


def coded(text):
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


class Planted(unittest.TestCase):
    """Traces as strace writes them, three processes among them."""

    def follow(self, *lines):
        with tempfile.NamedTemporaryFile("w", suffix=".trace") as file:
            file.write("".join(line + "\n" for line in lines))
            file.flush()
            events = trace.read(file.name, HOME)
        disk = Disk()
        for kind, operation in events:
            disk.take(kind, operation)
        return disk

    def create(self, path=FILE):
        return f'7 openat(AT_FDCWD<{coded("/")}>, "{coded(path)}", O_RDWR|O_CREAT, 0600) = 3'

    def write(self, text, offset=0, pid=7, end=None):
        end = f") = {len(text)}" if end is None else end
        return f'{pid} pwrite64(3<{coded(FILE)}>, "{coded(text)}", {len(text)}, {offset}{end}'

    def sync(self, path=FILE, pid=7, end=") = 0"):
        return f"{pid} fdatasync(3<{coded(path)}>{end}"

    def left(self, disk):
        """Nothing younger than the last sync."""
        return disk.image([False] * len(disk.pending))

    def durable(self, *lines):
        return self.left(self.follow(self.create(), self.sync(HOME), *lines)).get(FILE)

    def test_sync_covers_what_was_completed_before_its_call(self):
        self.assertEqual(self.durable(self.write("abc"), self.sync()), b"abc")
        self.assertEqual(self.durable(self.write("abc")), b"")

    def test_sync_covers_the_writes_of_other_processes(self):
        self.assertEqual(self.durable(self.write("abc", pid=8), self.sync(pid=9)), b"abc")

    def test_sync_does_not_cover_a_write_that_came_during_it(self):
        unfinished = self.sync(end=" <unfinished ...>")
        resumed = "7 <... fdatasync resumed>) = 0"
        self.assertEqual(
            self.durable(self.write("ab"), unfinished, self.write("cd", 2, pid=8), resumed), b"ab")

    def test_sync_does_not_cover_a_write_that_ended_after_its_call(self):
        begun = self.write("ab", pid=8, end=" <unfinished ...>")
        ended = "8 <... pwrite64 resumed>) = 2"
        self.assertEqual(self.durable(begun, self.sync(), ended), b"")

    def test_sync_that_failed_or_did_not_end_covers_nothing(self):
        failed = self.sync(end=") = -1 EIO (Input/output error)")
        self.assertEqual(self.durable(self.write("ab"), failed), b"")
        self.assertEqual(self.durable(self.write("ab"), self.sync(end=" <unfinished ...>")), b"")

    def test_name_needs_a_sync_of_its_directory(self):
        disk = self.follow(self.create(), self.write("ab"), self.sync())
        self.assertEqual(self.left(disk), {})
        self.assertEqual(disk.image([True] * len(disk.pending)), {FILE: b"ab"})

    def test_unlinked_file_may_come_back(self):
        disk = self.follow(
            self.create(), self.sync(HOME), self.write("ab"), self.sync(),
            f'7 unlink("{coded(FILE)}") = 0')
        self.assertEqual(self.left(disk), {FILE: b"ab"})
        self.assertEqual(disk.image([True]), {})

    def test_rename_is_whole(self):
        other = HOME + "/g"
        disk = self.follow(
            self.create(), self.sync(HOME), f'7 rename("{coded(FILE)}", "{coded(other)}") = 0')
        self.assertEqual(set(self.left(disk)), {FILE})
        self.assertEqual(set(disk.image([True])), {other})

    def test_answer_counts_from_its_call_on(self):
        disk = self.follow(
            self.create(),
            f'7 write(1<{coded("/answers")}>, "{coded("created")}", 7 <unfinished ...>')
        self.assertEqual(len(disk.answers), 1)

    def test_write_is_torn_at_sectors_of_the_file(self):
        disk = self.follow(self.create(), self.sync(HOME), self.write("x" * 2000, offset=100))
        parts = [p for n in range(50) for p in torn(disk.pending[0][0], random.Random(n))]
        self.assertEqual({p.offset for p in parts}, {100, 512, 1024, 1536, 2048})

    def test_choices_hold_both_ends(self):
        disk = self.follow(self.create(), self.write("ab"))
        images = [disk.image(c) for c in choices(disk.pending, random.Random(1), 8)]
        self.assertEqual(images[:2], [{}, {FILE: b"ab"}])

    def test_turnstile_and_shm_may_be_mapped_and_written(self):
        for path in (FILE + "-shm", FILE + "-synced"):
            name = coded(path)
            disk = self.follow(
                self.create(path), self.sync(HOME),
                f"7 mmap(NULL, 9, PROT_READ|PROT_WRITE, MAP_SHARED, 3<{name}>, 0) = 0x1",
                f'7 write(3<{name}>, "{coded("ab")}", 2) = 2')
            self.assertEqual(self.left(disk), {path: b""})

    def test_what_is_not_modelled_is_an_error(self):
        for call in ("fallocate(3<{}>, 0, 0, 9) = 0", "writev(3<{}>, [], 1) = 2",
                     "mmap(NULL, 9, PROT_READ|PROT_WRITE, MAP_SHARED, 3<{}>, 0) = 0x1"):
            with self.assertRaises(trace.TraceError):
                self.follow("7 " + call.format(coded(FILE)))


class Answers(unittest.TestCase):
    """What a ledger must still say."""

    def broken(self, said, **state):
        claims, found = Claims(), State.absent()
        found.is_ledger = True
        claims.add(said.encode())
        for name, value in state.items():
            setattr(found, name, value)
        return [kind for kind, _ in claims.broken(found)]

    def test_row_that_is_gone_or_behind_is_found(self):
        self.assertEqual(self.broken("reserved 1 k\n"), ["reserved"])
        self.assertEqual(self.broken("reserved 1 k\n", trades={1: ("k", "void")}), [])
        self.assertEqual(self.broken("reserved 1 k\n", trades={1: ("j", "void")}), ["reserved"])
        self.assertEqual(self.broken("filled 1 k\n", trades={1: ("k", "pending")}), ["filled"])

    def test_answer_that_only_read_is_a_claim_too(self):
        for verb in ("replayed", "seen", "denied-in_progress"):
            self.assertEqual(self.broken(f"{verb} 1 k pending\n"), [verb])
            self.assertEqual(
                self.broken(f"{verb} 1 k void\n", trades={1: ("k", "filled")}), [verb])

    def test_conflicts_and_names_are_claims(self):
        void = {1: ("k", "void")}
        self.assertEqual(self.broken("conflict 1 k\n", trades=void), ["conflict"])
        self.assertEqual(self.broken("conflict 1 k\n", trades=void, conflicts={1}), [])
        self.assertEqual(self.broken("acquired n 2\n", instances={"n": (1, True)}), ["acquired"])
        self.assertEqual(self.broken("released n 2\n", instances={"n": (2, True)}), ["released"])
        self.assertEqual(self.broken("released n 2\n", instances={"n": (3, True)}), [])

    def test_ledger_that_is_gone_is_found(self):
        self.assertEqual(self.broken('{"outcome":"created"}\n', is_ledger=False), ["created"])

    def test_answer_that_is_not_understood_is_an_error(self):
        with self.assertRaises(ValueError):
            self.broken("perhaps 1 k\n")


if __name__ == "__main__":
    unittest.main()
