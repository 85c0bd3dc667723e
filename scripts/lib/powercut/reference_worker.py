"""A worker on the shipped schema that needs nothing but Python: what `scripts/powercut` is tried
on. Takes the same commands as tradeledger does from it.

    reference_worker.py full|synced|blind|normal|early SCHEMA init|bot|answer-worker ...
"""

import os
import sqlite3
import sys
import time

TOKEN = "0123456789abcdef"
CHECKPOINT = 400


class Ledger:
    def __init__(self, sync):
        self.path = os.environ["TRADELEDGER_DB"]
        self.sync = sync
        self.database = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        self.database.execute(
            f"PRAGMA synchronous = {'FULL' if sync == 'full' else 'NORMAL'}")
        self.database.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT}")
        self.log = None

    def write(self, answer, *statements):
        """One transaction, and its answer."""
        self.database.execute("BEGIN IMMEDIATE")
        try:
            for sql, values in statements:
                self.database.execute(sql, values)
        except sqlite3.Error:
            self.database.execute("ROLLBACK")
            raise
        self.database.execute("COMMIT")
        if self.sync in ("synced", "blind"):
            self._sync_log()
        say(answer)
        if self.sync == "early":
            self._sync_log()

    def say_read(self, answer):
        """An answer that only read may rest on what another process has not synced yet."""
        if self.sync == "synced":
            self._sync_log()
        say(answer)

    def _sync_log(self):
        # Opened once: a close would let go of nothing here, but the log's file must not change.
        if self.log is None:
            self.log = os.open(self.path + "-wal", os.O_RDWR)
        os.fdatasync(self.log)

    def one(self, sql, *values):
        return self.database.execute(sql, values).fetchone()


def say(line):
    data = (line + "\n").encode()
    if os.write(1, data) != len(data):
        raise OSError("a short write of an answer")


def now():
    return time.time_ns() // 1000


def create(ledger, schema):
    ledger.database.execute("PRAGMA journal_mode = WAL")
    # The making of a ledger is not what the controls are about.
    ledger.database.execute("PRAGMA synchronous = FULL")
    with open(schema, encoding="utf-8") as text:
        ledger.database.executescript("BEGIN IMMEDIATE;" + text.read() + "COMMIT;")
    ledger.database.execute("INSERT INTO ledger (id, mode, created_at) VALUES (1, 'simulation', ?)",
                            (now(),))
    # SQLite makes the log's name durable, but not that of the file.
    directory = os.open(os.path.dirname(ledger.path), os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(directory)
    say("created")


def add_bot(ledger, name):
    bot = 1 + ledger.one("SELECT COALESCE(MAX(id), 0) FROM bots")[0]
    ledger.write(
        f"added {name}",
        ("INSERT INTO bots (id, name) VALUES (?, ?)", (bot, name)),
        ("INSERT INTO settings (bot_id, cooldown_us, lease_us, in_doubt, enabled, at)"
         " VALUES (?, 0, 30000000, 'cooldown', 1, ?)", (bot, now())))


def reserve(ledger, bot, key):
    """The number of the new trade, or None after an answer that only read."""
    database = ledger.database
    # The look without the lock: it may see what another process has not made durable yet.
    found = ledger.one("SELECT id, status FROM trades WHERE key = ?", key)
    if found:
        ledger.say_read(f"replayed {found[0]} {key} {found[1]}")
        return None
    database.execute("BEGIN IMMEDIATE")
    found = ledger.one("SELECT id, key, status FROM trades WHERE key = ? OR status = 'pending'"
                       " AND bot_id = (SELECT id FROM bots WHERE name = ?)", key, bot)
    if found:
        database.execute("ROLLBACK")
        verb = "replayed" if found[1] == key else "denied-in_progress"
        ledger.say_read(f"{verb} {found[0]} {found[1]} {found[2]}")
        return None
    number = 1 + ledger.one("SELECT COALESCE(MAX(id), 0) FROM trades")[0]
    at = now()
    database.execute("ROLLBACK")
    try:
        ledger.write(f"reserved {number} {key}", (
            "INSERT INTO trades (id, bot_id, key, origin, side, symbol, quantity, cooldown_us,"
            " token, created_at, lease_until, status) SELECT ?, id, ?, 'reserve', 'buy', 'X', '1',"
            " 0, ?, ?, ?, 'pending' FROM bots WHERE name = ?",
            (number, key, TOKEN, at, at + 30000000, bot)))
    except sqlite3.IntegrityError:
        say("denied another was faster")
        return None
    return number


def settle(ledger, number, key, status):
    at = now()
    is_fill = status == "filled"
    ledger.write(f"{status} {number} {key}", (
        "UPDATE trades SET status = ?, filled_at = ?, filled_quantity = ?, received_at = ?,"
        " settled_with = token, reason = ? WHERE id = ?",
        (status, max(at, created(ledger, number)) if is_fill else None, "1" if is_fill else None,
         max(at, created(ledger, number)), None if is_fill else "not sent", number)))


def created(ledger, number):
    return ledger.one("SELECT created_at FROM trades WHERE id = ?", number)[0]


def conflict(ledger, number, key):
    at = max(now(), created(ledger, number))
    ledger.write(f"conflict {number} {key}", (
        "INSERT INTO conflicts (bot_id, trade_id, kind, token, at, quantity, received_at)"
        " SELECT bot_id, id, 'fill_after_void', token, ?, '1', ? FROM trades WHERE id = ?",
        (at, at, number)))


def work(ledger, prefix, shared, count, first):
    for step in range(first, first + count):
        bot = shared if step % 2 == 0 else prefix + "1"
        key = f"{bot}-{step}"
        number = reserve(ledger, bot, key)
        if number is None:
            continue
        if step % 8 == 1:
            settle(ledger, number, key, "void")
            conflict(ledger, number, key)
        else:
            settle(ledger, number, key, "filled")


def main():
    sync, schema, command, *words = sys.argv[1:]
    ledger = Ledger(sync)
    if command == "init":
        create(ledger, schema)
    elif command == "bot":
        add_bot(ledger, words[1])
    else:
        options = dict(zip(words[::2], words[1::2]))
        work(ledger, options["--bots"], options["--shared"], int(options["--count"]),
             int(options["--first-step"]))


main()
