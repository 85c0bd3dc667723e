"""Four tasks, each delivered twice: killed before its order was sent, killed after the exchange had
it (the process, then the whole worker), and one that lives and takes longer than the visibility
timeout. The naive version has to send the second order; with the ledger nobody may."""

import os
import queue
import signal
import threading

import paper_exchange
from shop import Shop, eventually

COOLDOWN = "1s"
BOTS = {"unsent": "3s", "child": "3s", "worker": "3s", "slow": "60s"}


class HeldExchange(paper_exchange.PaperExchange):
    """Says what happens. Holds the first answer to each bot until it is let go, or its sender dead;
    before that, it greets nobody until it is told to."""

    def __init__(self, orders: str) -> None:
        super().__init__(orders)
        self.connections: queue.Queue[int] = queue.Queue()
        self.executions: dict[str, queue.Queue[int]] = {bot: queue.Queue() for bot in BOTS}
        self.greets, self.answers = threading.Event(), threading.Event()
        self._held: set[str] = set()

    def connected(self, pid: int) -> None:
        self.connections.put(pid)
        self.greets.wait()

    def executed(self, order: dict, pid: int) -> None:
        bot = order["bot"]
        is_first = bot not in self._held
        self._held.add(bot)
        self.executions[bot].put(pid)
        if is_first and bot != "unsent":
            self.answers.wait()

    def next_order(self, bot: str) -> int:
        """The process that sent it."""
        return self.executions[bot].get(timeout=60)


class Deliveries:
    def __init__(self, shop: Shop, exchange: HeldExchange, execute_trade) -> None:
        self.shop, self.exchange, self._execute_trade = shop, exchange, execute_trade
        self.tasks = {}

    def send(self, bot: str) -> None:
        self.tasks[bot] = self._execute_trade.delay(bot, "buy", "BTC-USD", "0.25")

    def expect_second(self, bot: str) -> None:
        """Returns when the task was delivered again and has done what it does then."""
        if self.shop.is_naive:
            self.exchange.next_order(bot)
        else:
            key = self.tasks[bot].id
            eventually(f"second delivery of {bot}", lambda: key in self.shop.replays())

    def run(self) -> None:
        exchange = self.exchange
        self.send("unsent")
        os.kill(exchange.connections.get(timeout=60), signal.SIGKILL)
        exchange.greets.set()
        self.expect_second("unsent")

        self.send("child")
        os.kill(exchange.next_order("child"), signal.SIGKILL)
        self.expect_second("child")

        self.send("worker")
        pid = exchange.next_order("worker")
        self.shop.kill_worker(next(each for each in self.shop.workers if pid in each.children()))
        # The message comes back after the visibility timeout. Meanwhile a task that lives:
        self.send("slow")
        exchange.next_order("slow")
        self.expect_second("worker")
        self.expect_second("slow")
        exchange.answers.set()
        for task in self.tasks.values():
            task.get(timeout=60)


def run(shop: Shop, execute_trade) -> bool:
    exchange = HeldExchange("orders.ndjson")
    threading.Thread(target=exchange.serve_forever, daemon=True).start()
    shop.start_worker("first")
    shop.start_worker("second")
    deliveries = Deliveries(shop, exchange, execute_trade)
    deliveries.run()
    orders = shop.orders()
    counts = {bot: sum(order["bot"] == bot for order in orders) for bot in BOTS}
    print(f"{shop.module}: 4 tasks, each delivered twice; orders at the exchange:", counts)
    if shop.is_naive:
        # What is killed before it sent its order sends one, the second time.
        return counts["unsent"] >= 1 and all(counts[bot] >= 2 for bot in BOTS if bot != "unsent")
    by_key = paper_exchange.count_by_key(orders)
    expected = {task.id: int(bot != "unsent") for bot, task in deliveries.tasks.items()}
    status = {bot: shop.trades()[task.id]["status"] for bot, task in deliveries.tasks.items()}
    print(f"{shop.module}: in the ledger:", status)
    doubtful = shop.resolve()
    after = {bot: shop.trades()[task.id]["status"] for bot, task in deliveries.tasks.items()}
    findings = shop.audit()
    print(f"{shop.module}: {doubtful} in doubt, looked up at the exchange:", after)
    print(f"{shop.module}: tradeledger audit: {findings or 'no double trade'}")
    wanted = {"unsent": "void", "child": "filled", "worker": "filled", "slow": "filled"}
    return dict(by_key) == {key: 1 for key, sent in expected.items() if sent} and (
        doubtful == 3 and after == wanted and not findings
    )
