"""A proxy in front of a server that cuts the connection of an operation before it reaches the
server, while it is carried out, or after it was committed and before the client hears of it. For
tests it also stands still, forgets connections, lets answers trickle, keeps one waiting before it
begins, and gives the server another version."""

from __future__ import annotations

import collections
import contextlib
import random
import re
import socket
import struct
import threading
import time

KINDS = ("before", "during", "after")
# What an operation that writes looks like on its way to the server.
WRITES = (b"tradeledger.attempt(", b"tradeledger.settle(")


class CuttingProxy:
    """Cuts `rate` of the operations, until `limit` cuts were made, and those that it is told to."""

    def __init__(self, port: int, rate: float = 0, limit: int = 0, seed: int = 0) -> None:
        self._target = port
        # What passes, to the server and to the client.
        self.requests, self.answers = threading.Event(), threading.Event()
        self.resume()
        self._held: list[threading.Event] = []
        self._forgotten: list[threading.Event] = []
        self._is_closed = False
        # Seconds for each byte of an answer.
        self.delay = 0.0
        # The two digits that stand in the place of the server's version.
        self.version = b""
        self._wanted: list[str] = []
        # Connections, and messages of clients that ask something.
        self.connections = self.questions = 0
        self._rate, self._limit = rate, limit
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self.cuts: collections.Counter[str] = collections.Counter()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, kind: str) -> None:
        """The next operation."""
        with self._lock:
            self._wanted.append(kind)

    def stall(self) -> None:
        """Takes what comes, and passes nothing on."""
        self.requests.clear()
        self.answers.clear()

    def forget(self) -> None:
        """The connections of now pass nothing any longer, and are not closed."""
        self.stall()
        self._forgotten += [self.requests, self.answers]
        self.requests, self.answers = threading.Event(), threading.Event()
        self.resume()

    def hold_next(self) -> threading.Event:
        """The next connection begins when that is set."""
        self._held.append(threading.Event())
        return self._held[0]

    def resume(self) -> None:
        self.requests.set()
        self.answers.set()

    def close(self) -> None:
        self._is_closed = True
        self.resume()
        for event in self._forgotten:
            event.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @property
    def is_done(self) -> bool:
        with self._lock:
            return sum(self.cuts.values()) >= self._limit

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _choose(self) -> str | None:
        with self._lock:
            if self._wanted:
                return self._wanted.pop(0)
            made = sum(self.cuts.values())
            if made >= self._limit or self._random.random() >= self._rate:
                return None
            kind = KINDS[made % len(KINDS)]
            self.cuts[kind] += 1
            return kind

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            if self._held:
                self._held.pop().wait()
            server = socket.create_connection(("127.0.0.1", self._target))
            with server:
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                # Answers pass in a thread of their own, unless they are to be swallowed.
                self._pass_requests(client, server)

    def _answer(self, client: socket.socket, data: bytes) -> None:
        if self.version:
            data = re.sub(rb"(?<=server_version\0)\d\d", self.version, data)
        while self.delay and data:
            time.sleep(self.delay)
            client.sendall(data[:1])
            data = data[1:]
        client.sendall(data)

    def _pass_requests(self, client: socket.socket, server: socket.socket) -> None:
        requests, answers = self.requests, self.answers
        swallow = threading.Event()
        answered = threading.Event()

        def pass_answers() -> None:
            with contextlib.suppress(OSError):
                while data := server.recv(65_536):
                    answers.wait()
                    if swallow.is_set():
                        answered.set()
                    else:
                        self._answer(client, data)
            answered.set()
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

        threading.Thread(target=pass_answers, daemon=True).start()
        while data := client.recv(65_536):
            self.questions += data[:1] in (b"Q", b"P")
            requests.wait()
            if self._is_closed:
                break
            kind = self._choose() if any(word in data for word in WRITES) else None
            if kind == "before":
                break
            if kind is not None:
                swallow.set()
            server.sendall(data)
            if kind == "after":
                answered.wait(10)
                break
            if kind == "during":
                # At once, or while the server is at work on it.
                with self._lock:
                    pause = self._random.choice((0, 0.000_3, 0.001, 0.003))
                answered.wait(pause)
                break
        else:
            return
        for end in (client, server):
            # A reset, as after a failure of the network.
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RDWR)
