"""Processes that reserve for one bot by plain SQL, all at the same moment.

    reservation_race.py LEDGER PROCESSES ROUNDS

The ledger is a simulation with one bot: cooldown one minute, lease one second. In round n every
process reserves (in every other round: records) at the n-th minute. Prints, as JSON, what each
process was told in each round.
"""

import json
import multiprocessing
import sqlite3
import sys

START = 1_757_276_933_000_000
MINUTE = 60_000_000


def insert(process, number):
    at = START + number * MINUTE
    row = {
        "bot_id": 1, "key": f"round-{number}-{process}", "side": "buy", "symbol": "BTC-USD",
        "quantity": "0.5", "cooldown_us": MINUTE, "pid": process + 1, "created_at": at,
    }
    if number % 2:
        row |= {"origin": "record", "status": "filled", "filled_at": at, "received_at": at,
                "filled_quantity": "0.5"}
    else:
        row |= {"origin": "reserve", "status": "pending", "token": f"token-of-process-{process}",
                "lease_until": at + 1_000_000}
    columns = ", ".join(row)
    return f"INSERT INTO trades ({columns}) VALUES ({', '.join(':' + name for name in row)})", row


def fill(process, number):
    at = START + number * MINUTE
    return (
        "UPDATE trades SET status = 'filled', filled_at = :at, received_at = :at,"
        " filled_quantity = quantity, settled_with = token WHERE key = :key",
        {"at": at, "key": f"round-{number}-{process}"},
    )


def work(path, process, rounds, barrier, answers):
    client = sqlite3.connect(path, isolation_level=None, timeout=30)
    told = []
    for number in range(rounds):
        statement, row = insert(process, number)
        barrier.wait()
        client.execute("BEGIN IMMEDIATE")
        try:
            client.execute(statement, row)
            client.execute("COMMIT")
            told.append("admitted")
        except sqlite3.IntegrityError as error:
            client.execute("ROLLBACK")
            told.append(str(error))
        barrier.wait()
        # Only when all have their answer is the way made free for the next round.
        if told[-1] == "admitted" and number % 2 == 0:
            client.execute(*fill(process, number))
    answers.put(told)


if __name__ == "__main__":
    path, processes, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    barrier = multiprocessing.Barrier(processes)
    answers = multiprocessing.Queue()
    workers = [
        multiprocessing.Process(target=work, args=(path, number, rounds, barrier, answers))
        for number in range(processes)
    ]
    for worker in workers:
        worker.start()
    told = [answers.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join()
    json.dump(told, sys.stdout)
