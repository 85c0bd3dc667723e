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
        self.given_up: list[int] = []

    @property
    def count(self) -> int:
        return len(self.idlers) + len(self.senders) + len(self.workers)

    def meet_sender(self, pid: int) -> None:
        if self._random.random() < 0.1:
            self._kill(pid, self.senders)

    def run(self) -> None:
        while not self._ended.wait(self._random.uniform(0.1, 0.5)):
            worker = self._random.choice(self._shop.workers)
            if worker.has_given_up():
                self.given_up.append(worker.pid)
                self._shop.restart_worker(worker)
                continue
            children = worker.children()
            if len(children) < CONCURRENCY:
                continue  # it is still starting
            if self._random.random() < 0.8:
                self._kill(self._random.choice(children), self.idlers)
            else:
                self._shop.restart_worker(worker)
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


class Ending:
    """All tasks of a wave have ended, or the broker has none of them any more. Redis hands a
    message out before it notes who has it: a worker that is killed in between takes it along."""

    _MESSAGE_IN_FLIGHT = 3.0

    def __init__(self, shop: Shop, wave: list) -> None:
        self._shop, self._wave = shop, wave
        self._empty_since: float | None = None

    def is_there(self) -> bool:
        if all(task.ready() for task in self._wave):
            return True
        now = time.monotonic()
        if not self._shop.broker_is_empty():
            self._empty_since = None
        elif self._empty_since is None:
            self._empty_since = now
        return self._empty_since is not None and now - self._empty_since > self._MESSAGE_IN_FLIGHT


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
            execute_trade.delay(bot, "buy", "BTC-USD", "0.25")
            for bot in BOTS
            for _ in range(SIGNALS)
        ]
        tasks += wave
        eventually("the end of all tasks", Ending(shop, wave).is_there, 120)
    killer.end()
    return judge(shop, tasks, killer, time.monotonic() - began)


def judge(shop: Shop, tasks: list, killer: Killer, seconds: float) -> bool:
    doubtful = shop.resolve()
    orders, trades = shop.orders(), shop.trades()
    by_key = paper_exchange.count_by_key(orders)
    most = max(by_key.values(), default=0)
    close = paper_exchange.too_close(orders, float(COOLDOWN.removesuffix("s")))
    wrong, lost = [], 0
    for task in tasks:
        if task.id not in trades and by_key[task.id] == 0 and not task.ready():
            lost += 1
            continue
        status = trades[task.id]["status"] if task.id in trades else "not in the ledger"
        if by_key[task.id] != {"filled": 1, "void": 0}.get(status):
            wrong.append(f"{task.id}: {status}, {by_key[task.id]} orders, task {task.state}")
    findings = shop.audit()
    replays = shop.replays()
    print(
        f"{shop.module}: {len(tasks)} tasks; killed: {len(killer.senders)} processes in the middle "
        f"of an order, {len(killer.idlers)} at any moment, {len(killer.workers)} whole workers, in "
        f"{seconds:.0f} s; {len(killer.given_up)} workers gave up, {lost} tasks were lost by the "
        f"broker; {len(replays)} tasks were delivered again after they had begun to trade"
    )
    print(
        f"{shop.module}: {len(orders)} orders under {len(by_key)} keys, the most under one key "
        f"{most}, inside the cooldown {len(close)}; {doubtful} were in doubt; "
        f"audit: {findings or 'no double trade'}"
    )
    if lost > len(killer.workers) + len(killer.given_up):
        wrong.append("more tasks were lost than workers")
    for line in wrong:
        print(f"error: {line}")
    return not (wrong or close or findings) and most == 1 and bool(replays)
