"""Reads what strace saw of one directory into operations, in the order in which they happened.

An operation is an interval: it takes effect somewhere between its call and its return. What the
model of the disk does not know how to take back is an error here, never passed over.
"""

import re
from dataclasses import dataclass, field

CALLS = (
    "open,openat,openat2,creat,pwrite64,write,pwritev,pwritev2,writev,ftruncate,truncate,fallocate,"
    "fdatasync,fsync,sync,syncfs,sync_file_range,msync,unlink,unlinkat,rename,renameat,renameat2,"
    "link,linkat,symlink,symlinkat,sendfile,copy_file_range,splice,io_uring_enter,mmap"
)
OPTIONS = ["-f", "-y", "-xx", "-s", "1000000", "--seccomp-bpf", "-e", "trace=" + CALLS]

# Files whose content nothing may rest on after a cut: SQLite makes the -shm anew, and the
# board says what is synced in this boot only. They are there or not, with nothing or noise in them.
VOLATILE = ("-shm", "-synced")

_LINE = re.compile(rb"(\d+) +(.*)", re.S)
_CALL = re.compile(rb"(\w+)\((.*)", re.S)
_RESULT = re.compile(rb"\) += (-?\d+)[^=]*$")
_STRING = re.compile(rb'"([^"]*)"(\.\.\.)?')
_FILE = re.compile(rb"(\d+)<([^>]*)>")
_SYNCS = {b"fdatasync", b"fsync"}


class TraceError(Exception):
    """The trace cannot be judged."""


@dataclass(eq=False)
class Operation:
    # write, truncate, sync, create, unlink, rename, link or answer
    kind: str
    path: str
    offset: int = 0
    data: bytes = b""
    target: str = ""
    failed: bool = False
    # For a sync: the operations that it makes durable when it returns.
    covers: list = field(default_factory=list)


def _plain(text):
    return bytes.fromhex(text.replace(b"\\x", b"").decode())


def read(path, directory):
    """Events of `directory`: ("call" or "return", Operation), in the order of the trace."""
    reader = _Reader(directory)
    with open(path, "rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                reader.take(line.rstrip(b"\n"))
            except (TraceError, ValueError) as error:
                raise TraceError(f"line {number}: {error}: {line[:300]!r}") from error
    return reader.events


class _Reader:
    def __init__(self, directory):
        self.directory = directory
        self.mark = directory.encode().hex(" ").replace(" ", "\\x").encode()
        self.events = []
        self.open_calls = {}

    def take(self, line):
        match = _LINE.match(line)
        if not match:
            raise TraceError("not a line of a trace")
        pid, rest = match.groups()
        if rest.startswith((b"---", b"+++")):
            return
        if rest.startswith(b"<..."):
            if operation := self.open_calls.pop(pid, None):
                self._end(operation, rest)
            return
        is_unfinished = rest.endswith(b"<unfinished ...>")
        operation = self._operation(rest)
        if operation is None:
            return
        self.events.append(("call", operation))
        if is_unfinished:
            self.open_calls[pid] = operation
        else:
            self._end(operation, rest)

    def _end(self, operation, text):
        result = _RESULT.search(text)
        # "= ?": the process was killed inside the call, which may have done anything.
        if not result:
            return
        value = int(result.group(1))
        operation.failed = value < 0
        if operation.kind in ("write", "answer") and value >= 0:
            operation.data = operation.data[:value]
        self.events.append(("return", operation))

    def _operation(self, text):
        match = _CALL.match(text)
        if not match:
            raise TraceError("not a call")
        name, rest = match.groups()
        if name == b"write" and rest.startswith(b"1<"):
            return Operation("answer", "", data=self._data(rest))
        if name in (b"sync", b"syncfs", b"io_uring_enter"):
            raise TraceError(f"{name.decode()} is not modelled")
        if self.mark not in rest:
            return None
        return self._on_ledger(name, rest)

    def _on_ledger(self, name, rest):
        if name in (b"open", b"openat", b"creat"):
            if b"O_CREAT" not in rest and name != b"creat":
                if b"O_TRUNC" in rest and not self._strings(rest)[0].endswith(VOLATILE):
                    raise TraceError("O_TRUNC is not modelled")
                return None
            return Operation("create", self._strings(rest)[0])
        if name == b"mmap":
            file = self._file(rest[rest.index(b"MAP_") :])
            if b"MAP_SHARED" in rest and b"PROT_WRITE" in rest and not file.endswith(VOLATILE):
                raise TraceError("a mapping of the ledger that can be written is not modelled")
            return None
        if name in (b"unlink", b"unlinkat"):
            return Operation("unlink", self._strings(rest)[0])
        if name in (b"rename", b"renameat", b"renameat2", b"link", b"linkat"):
            if b"RENAME_EXCHANGE" in rest:
                raise TraceError("RENAME_EXCHANGE is not modelled")
            old, new = self._strings(rest)
            kind = "link" if name.startswith(b"link") else "rename"
            return Operation(kind, old, target=new)
        # On a file that has no name any more nothing can be lost.
        if b"(deleted)" in rest[:4000]:
            return None
        path = self._file(rest)
        if path.endswith(VOLATILE):
            return None
        if name in _SYNCS:
            return Operation("sync", path)
        if name == b"pwrite64":
            tail = rest[rest.rindex(b'"') :].split(b",")
            offset = int(re.match(rb" *(\d+)", tail[2]).group(1))
            return Operation("write", path, offset, self._data(rest))
        if name == b"ftruncate":
            size = int(re.search(rb">, (\d+)", rest).group(1))
            return Operation("truncate", path, size)
        raise TraceError(f"{name.decode()} on a file of the ledger is not modelled")

    def _file(self, text):
        match = _FILE.search(text)
        if not match:
            raise TraceError("no file")
        return _plain(match.group(2)).decode()

    def _strings(self, text):
        return [self._absolute(_plain(found).decode()) for found, _ in _STRING.findall(text)]

    def _absolute(self, path):
        if not path.startswith("/"):
            raise TraceError("a relative path is not modelled")
        return path

    def _data(self, text):
        match = _STRING.search(text)
        if not match or match.group(2):
            raise TraceError("the data of a write is not whole")
        return _plain(match.group(1))
