"""A proxy in front of a server that cuts the connection of an operation before it reaches the
server, while it is carried out, or after it was committed and before the client hears of it."""

from __future__ import annotations

import collections
import contextlib
import random
import socket
import struct
import threading

KINDS = ("before", "during", "after")
# What an operation that writes looks like on its way to the server.
WRITES = (b"tradeledger.attempt(", b"tradeledger.settle(")


class CuttingProxy:
    """Cuts `rate` of the operations, until `limit` cuts were made."""

    def __init__(self, port: int, rate: float, limit: int, seed: int) -> None:
        self._target = port
        self._rate, self._limit = rate, limit
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self.cuts: collections.Counter[str] = collections.Counter()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def is_done(self) -> bool:
        with self._lock:
            return sum(self.cuts.values()) >= self._limit

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _choose(self) -> str | None:
        with self._lock:
            made = sum(self.cuts.values())
            if made >= self._limit or self._random.random() >= self._rate:
                return None
            kind = KINDS[made % len(KINDS)]
            self.cuts[kind] += 1
            return kind

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            server = socket.create_connection(("127.0.0.1", self._target))
            with server:
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                # Answers pass in a thread of their own, unless they are to be swallowed.
                self._pass_requests(client, server)

    def _pass_requests(self, client: socket.socket, server: socket.socket) -> None:
        swallow = threading.Event()
        answered = threading.Event()

        def pass_answers() -> None:
            with contextlib.suppress(OSError):
                while data := server.recv(65_536):
                    if swallow.is_set():
                        answered.set()
                    else:
                        client.sendall(data)
            answered.set()
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

        threading.Thread(target=pass_answers, daemon=True).start()
        while data := client.recv(65_536):
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
