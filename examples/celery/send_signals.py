"""Sends each bot several signals at the same moment, as several evaluators do, and waits for the
end of their tasks.

    send_signals.py tasks_naive|tasks_ledger SIGNALS BOT...
"""

import importlib
import sys

module = importlib.import_module(sys.argv[1])
signals, bots = int(sys.argv[2]), sys.argv[3:]
tasks = [
    module.execute_trade.delay(bot, "buy", "BTC-USD", "0.25")
    for bot in bots
    for _ in range(signals)
]
for task in tasks:
    task.get(timeout=120)
print(f"{len(tasks)} signals were sent to {len(bots)} bots, and {len(tasks)} tasks have ended")
