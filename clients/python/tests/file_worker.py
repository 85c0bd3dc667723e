"""A process of test_file.py: file_worker.py PATH WORD."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
path, word = sys.argv[1:]
opened: list[str] = []


def hook(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and str(arguments[0]).startswith(path):
        opened.append(str(arguments[0]))


if word == "audit":
    sys.addaudithook(hook)

import tradeledger  # noqa: E402

# The ledgers of these tests are made for a clock of the test's own: any time will do.
ledger = tradeledger.Ledger(path)


def trade() -> str:
    try:
        return "admitted " + ledger.reserve("momentum", "buy", "BTC-USD", "0.25", key="k").key
    except tradeledger.Denied as denied:
        return denied.reason
    except tradeledger.LedgerError as error:
        return f"{error.code} {error.retry}"


match word:
    case "audit":
        trade()
        # A checkpoint and a close are part of it.
        ledger._next_checkpoint = 0
        ledger._checkpoint_if_due()
        ledger.close()
        print(json.dumps(opened))
    case "die":
        print(trade(), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    case "race":
        print("ready", flush=True)
        sys.stdin.read()
        try:
            ledger.reserve("momentum", "buy", "BTC-USD", "0.25")
            print("admitted", flush=True)
        except tradeledger.Denied as denied:
            print(denied.reason, flush=True)
    case "fork":
        child = os.fork()
        if child == 0:
            log = os.stat(path + "-wal")
            del ledger
            gc.collect()
            is_open = bool(tradeledger._descriptors_of(log))
            print("still open" if is_open else "closed", flush=True)
            sys.exit(0)
        os.waitpid(child, 0)
        print(trade(), flush=True)
    case "trade":
        answer = trade()
        print(answer, flush=True)
        if not answer.startswith("admitted"):
            print(trade(), flush=True)
