"""faults.py redelivery|kills MODULE DIRECTORY TRADELEDGER [KILLS SEED]

DIRECTORY holds a copy of the example, and gets its Redis, its workers and its files.
"""

import importlib
import os
import sys

CASE, MODULE, DIRECTORY, TRADELEDGER = sys.argv[1:5]
os.chdir(DIRECTORY)
sys.path.insert(0, DIRECTORY)
# Longer than a retry waits, shorter than a task that is held.
os.environ["BOTS_VISIBILITY_TIMEOUT"] = "4"

import kills  # noqa: E402
import redelivery  # noqa: E402
from shop import Shop  # noqa: E402


def main() -> int:
    case = {"redelivery": redelivery, "kills": kills}[CASE]
    shop = Shop(MODULE, case.BOTS, TRADELEDGER, case.COOLDOWN)
    try:
        execute_trade = importlib.import_module(MODULE).execute_trade
        is_as_expected = case.run(shop, execute_trade, *map(int, sys.argv[5:]))
    finally:
        shop.close()
    return 0 if is_as_expected else 1


if __name__ == "__main__":
    sys.exit(main())
