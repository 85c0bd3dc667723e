"""What may be on a disk after a power cut.

A sync makes durable what had been completed on that file, by any process, before the sync was
*called*. Everything younger may be there or not, each write for itself, in part (sectors of 512
bytes), or as room that was allocated and never written. Directory entries need a sync of their
directory; a rename is whole.
"""

import os

SECTOR = 512


class File:
    def __init__(self):
        self.durable = bytearray()


class ModelError(Exception):
    """The trace does something that the model has no answer for."""


class Disk:
    """Follows a trace, event by event; at each point it can say what a cut would leave."""

    def __init__(self):
        # Names as the processes see them, and as the disk has them for certain.
        self.names = {}
        self.durable_names = {}
        # Everything that may still be lost, oldest first: [operation, is completed, file or names].
        self.pending = []
        self.answers = []

    def take(self, kind, operation):
        if operation.kind == "answer":
            # From the call on: whoever reads may have it before the call returns.
            if kind == "call":
                self.answers.append(operation)
        elif operation.kind == "sync":
            self._sync(kind, operation)
        elif kind == "call":
            self._begin(operation)
        else:
            self._complete(operation)

    def _sync(self, kind, operation):
        is_directory = operation.path not in self.names
        file = None if is_directory else self.names[operation.path]
        if kind == "call":
            operation.covers = [
                entry for entry in self.pending
                if entry[1] and self._is_of(entry, operation.path, file)
            ]
            return
        if operation.failed:
            return
        covered = {id(entry) for entry in operation.covers}
        kept = []
        for entry in self.pending:
            if id(entry) not in covered:
                kept.append(entry)
            elif file is not None:
                self._expect_order(entry, kept)
                apply(file.durable, entry[0])
            else:
                rename(self.durable_names, entry[2])
        self.pending = kept

    def _is_of(self, entry, path, file):
        if file is not None:
            return entry[2] is file
        if isinstance(entry[2], File):
            return False
        return any(os.path.dirname(name) == path for name in entry[2])

    def _expect_order(self, entry, earlier):
        start, end = extent(entry[0])
        for other in earlier:
            if other[2] is entry[2]:
                other_start, other_end = extent(other[0])
                if other_start < end and start < other_end:
                    raise ModelError(f"two writes at once to {entry[0].path} at {start}")

    def _begin(self, operation):
        if operation.kind in ("write", "truncate"):
            file = self.names.get(operation.path)
            if file is None:
                raise ModelError(f"a write to {operation.path}, which was never created")
            self.pending.append([operation, False, file])

    def _complete(self, operation):
        if operation.kind in ("write", "truncate"):
            for entry in self.pending:
                if entry[0] is operation:
                    if operation.failed:
                        self.pending.remove(entry)
                    entry[1] = True
                    return
            return
        if operation.failed:
            return
        changes = self._changes(operation)
        if changes:
            rename(self.names, changes)
            self.pending.append([operation, True, changes])

    def _changes(self, operation):
        """Names and what they stand for afterwards; None: nothing."""
        path, file = operation.path, self.names.get(operation.path)
        if operation.kind == "create":
            return {} if file else {path: File()}
        if operation.kind == "unlink":
            return {path: None}
        if operation.kind == "link":
            return {operation.target: file}
        return {path: None, operation.target: file}

    def image(self, choice):
        """The files after a cut. `choice` says of each pending entry what is left: True, False, or
        the operations that are left of it."""
        names = dict(self.durable_names)
        contents = {}
        for entry, left in zip(self.pending, choice):
            if left is False:
                continue
            operation, _, subject = entry
            if isinstance(subject, dict):
                rename(names, subject)
                continue
            if subject not in contents:
                contents[subject] = bytearray(subject.durable)
            for part in [operation] if left is True else left:
                apply(contents[subject], part)
        return {name: bytes(contents.get(file, file.durable)) for name, file in names.items()}


def rename(names, changes):
    for name, file in changes.items():
        if file is None:
            names.pop(name, None)
        else:
            names[name] = file


def extent(operation):
    if operation.kind == "truncate":
        return operation.offset, 1 << 62
    return operation.offset, operation.offset + len(operation.data)


def apply(content, operation):
    start, end = operation.offset, operation.offset + len(operation.data)
    if len(content) < start:
        content.extend(bytes(start - len(content)))
    if operation.kind == "truncate":
        del content[start:]
    elif operation.kind == "room":
        if len(content) < end:
            content.extend(bytes(end - len(content)))
    else:
        content[start:end] = operation.data


class _Part:
    def __init__(self, kind, offset, data):
        self.kind, self.offset, self.data = kind, offset, data


def torn(operation, random):
    """Some sectors of a write."""
    if operation.kind != "write":
        return [operation]
    start, end = extent(operation)
    parts = []
    while start < end:
        stop = min(end, (start // SECTOR + 1) * SECTOR)
        if random.random() < 0.5:
            data = operation.data[start - operation.offset : stop - operation.offset]
            parts.append(_Part("write", start, data))
        start = stop
    return parts


def room(operation):
    """A write whose place was allocated, and no more."""
    if operation.kind != "write":
        return [operation]
    return [_Part("room", operation.offset, operation.data)]


def choices(pending, random, count):
    """`count` ways in which a cut may go, the two ends among them; fewer where there are fewer."""
    size = len(pending)
    yield [False] * size
    if not size or count < 2:
        return
    yield [True] * size
    for number in range(count - 2):
        way = number % 6
        if way == 0:  # torn in the middle
            end = random.randrange(size)
            yield [
                True if i < end else torn(entry[0], random) if i == end else False
                for i, entry in enumerate(pending)
            ]
        elif way == 1:  # one is missing
            lost = random.randrange(size)
            yield [i != lost for i in range(size)]
        elif way == 2:  # any, whole
            yield [random.random() < 0.5 for _ in pending]
        elif way == 3:  # any, torn
            yield [torn(entry[0], random) for entry in pending]
        elif way == 4:  # files and names grow at different speeds
            kept = {id(e[2]) for e in pending if random.random() < 0.5}
            yield [id(e[2]) in kept for e in pending]
        else:  # room without data
            yield [
                True if random.random() < 0.6 else room(entry[0]) for entry in pending
            ]
