"""Many tasks, while kill -9 hits processes and whole workers at random."""

import contextlib
import os
import random
import signal
import threading
import time

import paper_exchange
from shop import CONCURRENCY, Shop, eventually

COOLDOWN = "1s"
BOTS = {f"bot-{number}": "2s" for number in range(1, 9)}
SIGNALS = 3


class Killer(threading.Thread):
    """Kills any process in four of five cases, else a worker, which comes back as by a supervisor.
    Most processes wait for work; so every tenth order loses its sender as well."""

    def __init__(self, shop: Shop, seed: int) -> None:
        super().__init__(daemon=True)
        self._shop, self._random = shop, random.Random(seed)
        self._ended = threading.Event()
        self.idlers: list[int] = []
        self.senders: list[int] = []
        self.workers: list[int] = []

    @property
    def count(self) -> int:
        return len(self.idlers) + len(self.senders) + len(self.workers)

    def meet_sender(self, pid: int) -> None:
        if self._random.random() < 0.1:
            self._kill(pid, self.senders)

    def run(self) -> None:
        while not self._ended.wait(self._random.uniform(0.1, 0.5)):
            worker = self._random.choice(self._shop.workers)
            children = worker.children()
            if len(children) < CONCURRENCY:
                continue  # it is still starting
            if self._random.random() < 0.8:
                self._kill(self._random.choice(children), self.idlers)
            else:
                self._shop.kill_worker(worker)
                self._shop.start_worker(worker.log.stem)
                self.workers.append(worker.pid)

    def _kill(self, pid: int, kind: list[int]) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            kind.append(pid)

    def end(self) -> None:
        self._ended.set()
        self.join()


class DeadlyExchange(paper_exchange.PaperExchange):
    killer: Killer

    def connected(self, pid: int) -> None:
        self.killer.meet_sender(pid)

    def executed(self, order: dict, pid: int) -> None:
        self.killer.meet_sender(pid)
        super().executed(order, pid)


def run(shop: Shop, execute_trade, kills: int, seed: int) -> bool:
    killer = Killer(shop, seed)
    exchange = DeadlyExchange("orders.ndjson")
    exchange.killer = killer
    threading.Thread(target=exchange.serve_forever, daemon=True).start()
    shop.start_worker("first")
    shop.start_worker("second")
    began = time.monotonic()
    killer.start()
    tasks = []
    while not tasks or killer.count < kills:
        wave = [
            execute_trade.delay(bot, "buy", "BTC-USD", "0.25") for bot in BOTS for _ in range(SIGNALS)
        ]
        tasks += wave
        eventually("the end of all tasks", lambda: all(task.ready() for task in wave), 120)
    killer.end()
    return judge(shop, tasks, killer, time.monotonic() - began)


def judge(shop: Shop, tasks: list, killer: Killer, seconds: float) -> bool:
    doubtful = shop.resolve()
    orders, trades = shop.orders(), shop.trades()
    by_key = paper_exchange.count_by_key(orders)
    close = paper_exchange.too_close(orders, float(COOLDOWN.removesuffix("s")))
    wrong = []
    for task in tasks:
        status = trades[task.id]["status"] if task.id in trades else "not in the ledger"
        if by_key[task.id] != {"filled": 1, "void": 0}.get(status):
            wrong.append(f"{task.id}: {status}, {by_key[task.id]} orders, task {task.state}")
    findings = shop.audit()
    replays = shop.replays()
    print(
        f"{shop.module}: {len(tasks)} tasks; killed: {len(killer.senders)} processes in the middle "
        f"of an order, {len(killer.idlers)} at any moment, {len(killer.workers)} whole workers, in "
        f"{seconds:.0f} s; {len(replays)} tasks were delivered again after they had begun to trade"
    )
    print(
        f"{shop.module}: {len(orders)} orders under {len(by_key)} keys, the most under one key "
        f"{max(by_key.values())}, inside the cooldown {len(close)}; {doubtful} were in doubt; "
        f"audit: {findings or 'no double trade'}"
    )
    for line in wrong:
        print(f"error: {line}")
    return not (wrong or close or findings) and max(by_key.values()) == 1 and bool(replays)
