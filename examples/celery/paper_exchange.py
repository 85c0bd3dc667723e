"""A paper exchange that executes whatever it is sent, and keeps count.

    paper_exchange.py start ORDERS [SECONDS]  listens at exchange.sock, and appends to ORDERS;
                                              answers after SECONDS, or within a fifth of one
    paper_exchange.py sender ORDERS           waits for an order; the process that sent the latest
    paper_exchange.py stop
    paper_exchange.py count ORDERS COOLDOWN   ends with 1 if a bot traded twice, by these orders

It is as careless as an exchange can be: it does not refuse an order that it had before. So its
count is the count of what the bots did.
"""

import collections
import json
import os
import random
import signal
import socket
import socketserver
import struct
import sys
import threading
import time


class PaperExchange(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, orders: str, seconds: float | None = None) -> None:
        self._orders = open(orders, "a", encoding="utf-8")
        self._seconds = seconds
        self._lock = threading.Lock()
        super().__init__("exchange.sock", _Connection)

    def connected(self, pid: int) -> None:
        """A process connected, and has not sent its order yet."""

    def executed(self, order: dict, pid: int) -> None:
        """An order stands; its sender has no answer yet. The market takes its time."""
        time.sleep(random.uniform(0.02, 0.2) if self._seconds is None else self._seconds)

    def execute(self, order: dict, pid: int) -> None:
        with self._lock:
            line = {"at": time.time(), "pid": pid, **order}
            self._orders.write(json.dumps(line) + "\n")
            self._orders.flush()


class _Connection(socketserver.StreamRequestHandler):
    server: PaperExchange

    def handle(self) -> None:
        size = struct.calcsize("3i")
        credentials = self.request.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        pid = struct.unpack("3i", credentials)[0]
        self.server.connected(pid)
        try:
            self.wfile.write(b"ready\n")
            line = self.rfile.readline()
            if not line.endswith(b"\n"):
                return
            order = json.loads(line)
            self.server.execute(order, pid)
            self.server.executed(order, pid)
            price = f"{random.uniform(60_000, 65_000):.2f}"
            self.wfile.write(json.dumps({"price": price}).encode() + b"\n")
        except (BrokenPipeError, ConnectionResetError):
            pass  # whoever sent it was killed; an order that arrived stands


def read_orders(path: str) -> list[dict]:
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def count_by_key(orders: list[dict]) -> collections.Counter:
    return collections.Counter(order["client_order_id"] for order in orders)


def too_close(orders: list[dict], cooldown: float) -> list[tuple[str, float]]:
    """Neighbours of one bot that are closer together than its cooldown: the bot and the gap."""
    found, last = [], {}
    for order in sorted(orders, key=lambda order: order["at"]):
        gap = order["at"] - last.get(order["bot"], float("-inf"))
        if gap < cooldown:
            found.append((order["bot"], gap))
        last[order["bot"]] = order["at"]
    return found


def count(path: str, cooldown: float) -> int:
    orders = read_orders(path)
    keys = count_by_key(orders)
    repeated = [key for key, times in keys.items() if times > 1]
    close = too_close(orders, cooldown)
    print(
        f"{len(orders)} orders under {len(keys)} keys: {len(repeated)} keys more than once, "
        f"{len(close)} orders inside the cooldown"
    )
    for bot, gap in close[:3]:
        print(f"  {bot}: again after {gap:.3f} s")
    return 1 if repeated or close or not orders else 0


def sender(path: str) -> int:
    while not (orders := read_orders(path)):
        time.sleep(0.05)
    return orders[-1]["pid"]


def start(orders: str, seconds: float | None = None) -> None:
    """Returns when it listens."""
    exchange = PaperExchange(orders, seconds)
    child = os.fork()
    if child == 0:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        exchange.serve_forever()
    with open("exchange.pid", "w", encoding="ascii") as file:
        file.write(str(child))


def stop() -> None:
    with open("exchange.pid", encoding="ascii") as file:
        os.kill(int(file.read()), signal.SIGTERM)
    os.unlink("exchange.sock")


if __name__ == "__main__":
    if sys.argv[1] == "start":
        start(sys.argv[2], *map(float, sys.argv[3:]))
    elif sys.argv[1] == "sender":
        print(sender(sys.argv[2]))
    elif sys.argv[1] == "stop":
        stop()
    else:
        sys.exit(count(sys.argv[2], float(sys.argv[3])))
