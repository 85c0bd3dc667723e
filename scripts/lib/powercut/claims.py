"""What was answered, and whether a ledger still says so."""

import json
import re
import sqlite3
from collections import Counter

# How sure a status is: a later answer may say more, never less.
_FINAL = ("filled", "void")


class Claims:
    """Answers, boiled down to what must be in the file from now on."""

    def __init__(self):
        self.is_created = False
        self.bots = set()
        # id: (key, final status or None, verbs)
        self.trades = {}
        self.conflicts = set()
        self.epochs = {}
        self.released = {}
        self.kinds = Counter()

    def add(self, data):
        """The bytes of one write."""
        if data and not data.endswith(b"\n"):
            raise ValueError(f"not a whole answer: {data!r}")
        for line in data.decode().splitlines():
            self._line(line)

    def _line(self, line):
        if line.startswith("{"):
            answer = json.loads(line)
            name = answer.get("bot", {}).get("name", "")
            line = f"{answer['outcome']} {name}".strip()
        verb, *words = line.split(" ")
        self.kinds[verb.split("-")[0]] += 1
        if verb in ("created", "current"):
            self.is_created = True
        elif verb in ("added", "same"):
            self.bots.add(words[0])
        elif verb == "acquired":
            self.epochs[words[0]] = max(int(words[1]), self.epochs.get(words[0], 0))
        elif verb == "released":
            self.released[words[0]] = max(int(words[1]), self.released.get(words[0], 0))
        elif verb == "reserved":
            self._trade(verb, int(words[0]), words[1], "pending")
        elif verb in ("filled", "recorded"):
            self._trade(verb, int(words[0]), words[1], "filled")
        elif verb == "void":
            self._trade(verb, int(words[0]), words[1], "void")
        elif verb == "conflict":
            self._trade(verb, int(words[0]), words[1], "void")
            self.conflicts.add(int(words[0]))
        elif verb in ("replayed", "seen") or verb.startswith("denied-"):
            self._trade(verb, int(words[0]), words[1], words[2])
        elif verb not in ("denied", "failed"):
            raise ValueError(f"not an answer: {line!r}")

    def _trade(self, verb, number, key, status):
        old_key, old_status, old_verb = self.trades.get(number, (key, None, verb))
        final = status if status in _FINAL else None
        if old_key != key or (old_status and final and old_status != final):
            verb, final = "contradiction", f"{old_key} {old_status}, then {key} {status}"
        elif final is None or old_status == final:
            verb, final = old_verb, old_status
        self.trades[number] = (key, final, verb)

    def broken(self, state):
        """What the ledger no longer says, as (kind of answer, text)."""
        found = [("file", text) for text in state.faults]
        if self.is_created and not state.is_ledger:
            found.append(("created", "the ledger is gone"))
        for bot in self.bots - state.bots:
            found.append(("added", f"bot {bot} is gone"))
        for number, (key, final, verb) in self.trades.items():
            row = state.trades.get(number)
            if row is None:
                found.append((verb, f"trade {number} {key} is gone"))
            elif row[0] != key:
                found.append((verb, f"trade {number} has key {row[0]}, not {key}"))
            elif final and row[1] != final:
                found.append((verb, f"trade {number} {key} is {row[1]}, not {final}"))
        for number in self.conflicts - state.conflicts:
            found.append(("conflict", f"the conflict of trade {number} is gone"))
        for name, epoch in self.epochs.items():
            if state.instances.get(name, (0, None))[0] < epoch:
                found.append(("acquired", f"instance {name} is not at epoch {epoch}"))
        for name, epoch in self.released.items():
            if state.instances.get(name, (0, None)) < (epoch, False):
                found.append(("released", f"instance {name} is behind epoch {epoch}"))
            elif state.instances[name] == (epoch, True):
                found.append(("released", f"instance {name} is held under epoch {epoch}"))
        return found


class State:
    """What a ledger says after it was opened, by SQLite alone."""

    def __init__(self, path, schema):
        self._clear()
        try:
            database = sqlite3.connect(f"file:{path}?mode=rw", uri=True, isolation_level=None)
        except sqlite3.Error as error:
            self.faults.append(f"does not open: {error}")
            return
        try:
            self._read(database, schema)
        except sqlite3.Error as error:
            self.faults.append(f"cannot be read: {error}")
        finally:
            database.close()

    def _clear(self):
        self.faults = []
        self.is_ledger = False
        self.trades, self.instances = {}, {}
        self.bots, self.conflicts = set(), set()

    @classmethod
    def absent(cls):
        """There is no file of that name."""
        state = cls.__new__(cls)
        state._clear()
        return state

    def _read(self, database, schema):
        database.execute("PRAGMA synchronous = OFF")
        found = read_schema(database)
        check = [row[0] for row in database.execute("PRAGMA integrity_check")]
        if check != ["ok"]:
            self.faults.append(f"integrity_check: {check[0]}")
        if not found:
            return  # Nothing of it had been promised yet, or `broken` says so.
        if found != schema:
            self.faults.append("the schema is not that of schema.sql")
            return
        if database.execute("PRAGMA foreign_key_check").fetchall():
            self.faults.append("foreign_key_check finds something")
        self.is_ledger = database.execute("SELECT count(*) FROM ledger").fetchone() == (1,)
        self.trades = {
            number: (key, status)
            for number, key, status in database.execute("SELECT id, key, status FROM trades")
        }
        if self.trades and max(self.trades) != len(self.trades):
            self.faults.append("trades are missing between others")
        self.bots = {row[0] for row in database.execute("SELECT name FROM bots")}
        self.conflicts = {row[0] for row in database.execute("SELECT trade_id FROM conflicts")}
        self.instances = {
            name: (epoch, is_held) for name, epoch, is_held in
            ((n, e, bool(h)) for n, e, h in
             database.execute("SELECT name, epoch, pid IS NOT NULL FROM instances"))
        }


def read_schema(database):
    return {
        name: re.sub(r"\s+", " ", sql)
        for name, sql in database.execute(
            "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
    }


def schema_of(path):
    database = sqlite3.connect(":memory:")
    with open(path, encoding="utf-8") as text:
        database.executescript(text.read())
    return read_schema(database)
