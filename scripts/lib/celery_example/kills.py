"""Many tasks, while kill -9 hits processes and whole workers at random."""

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
    """Kills a process in four of five cases, else a worker, which comes back as by a supervisor."""

    def __init__(self, shop: Shop, seed: int) -> None:
        super().__init__(daemon=True)
        self._shop, self._random = shop, random.Random(seed)
        self._ended = threading.Event()
        self.processes = self.workers = 0

    def run(self) -> None:
        while not self._ended.wait(self._random.uniform(0.1, 0.6)):
            worker = self._random.choice(self._shop.workers)
            children = worker.children()
            if len(children) < CONCURRENCY:
                continue  # it is still starting
            if self._random.random() < 0.8:
                os.kill(self._random.choice(children), signal.SIGKILL)
                self.processes += 1
            else:
                self._shop.kill_worker(worker)
                self._shop.start_worker(worker.log.stem)
                self.workers += 1

    def end(self) -> None:
        self._ended.set()
        self.join()


def run(shop: Shop, execute_trade, kills: int, seed: int) -> bool:
    exchange = paper_exchange.PaperExchange("orders.ndjson")
    threading.Thread(target=exchange.serve_forever, daemon=True).start()
    shop.start_worker("first")
    shop.start_worker("second")
    killer = Killer(shop, seed)
    began = time.monotonic()
    killer.start()
    tasks = []
    while not tasks or killer.processes + killer.workers < kills:
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
    findings = [each for each in shop.audit() if each["check"] != "late-fill"]
    replays = shop.replays()
    print(
        f"{shop.module}: {len(tasks)} tasks, {killer.processes} processes and {killer.workers} "
        f"workers killed in {seconds:.0f} s; {len(replays)} tasks were delivered again after they "
        f"had begun to trade"
    )
    print(
        f"{shop.module}: {len(orders)} orders under {len(by_key)} keys, the most under one key "
        f"{max(by_key.values())}, inside the cooldown {len(close)}; {doubtful} were in doubt; "
        f"audit: {findings or 'no findings'}"
    )
    for line in wrong:
        print(f"error: {line}")
    return not (wrong or close or findings) and max(by_key.values()) == 1 and bool(replays)
