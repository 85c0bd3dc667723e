"""Random statements by a client that means no good, and a judge that knows nothing of triggers.

    fuzz.py SCHEMA.sql SEED STATEMENTS

Most statements are legal ones with a column or two gone wrong, so that they get far. After each one
the judge compares all rows before and after with the contract. Prints one JSON object: how many
statements were tried, how many had an effect, by kind, and the first violation, if any.
"""

import json
import random
import re
import sqlite3
import sys

COOLDOWNS = {1: 0, 2: 1_000, 3: 3_600_000_000}
LEASE = 1_000
TOKENS = ("token-0123456789abcdef", "token-of-somebody-else")
FIXED = (
    "id bot_id key origin side symbol quantity price cooldown_us token pid instance epoch"
    " created_at lease_until boot_id created_boot_us"
).split()
VERBS = ("INSERT", "INSERT", "INSERT", "INSERT OR REPLACE", "REPLACE", "INSERT OR IGNORE")
UPDATES = ("UPDATE", "UPDATE", "UPDATE OR REPLACE", "UPDATE OR IGNORE")
TAILS = (
    "", "", "", " ON CONFLICT DO NOTHING", " ON CONFLICT (key) DO UPDATE SET status = 'void'",
    " ON CONFLICT (id) DO UPDATE SET key = excluded.key, bot_id = excluded.bot_id",
    " RETURNING id",
)
VALUES = (
    None, None, 0, 1, 2, 3, -1, 7, 2**31, 2**63 - 1, -(2**63), 1.5, 1e308, "", "x", "NaN", "0",
    "1", "1.50", "-1", "a\0b", b"1", "pending", "in_doubt", "filled", "void", "past", "record",
    "reserve", "operator", "desk", "boot", "later", "live", "9" * 30, "a" * 300, *TOKENS,
)
NAME = re.compile(r"[A-Za-z0-9._/:@+=^#][A-Za-z0-9._/:@+=^#-]{0,63}")
AMOUNT = re.compile(r"(0|[1-9][0-9]{0,17})(\.[0-9]{0,17}[1-9])?")


class Client:
    """Makes statements. `now` is a clock that mostly stands still."""

    def __init__(self, source):
        self.source = source
        self.now = 1_000_000_000
        self.boot = 500_000_000
        self.last_key = 0

    def time(self):
        near = (0, 0, 0, 1, -1, 999, 1_000, 1_001, -1_000, 3_600_000_000, -3_600_000_000)
        return self.now + self.source.choice(near)

    def key(self):
        if self.source.random() < 0.85:
            self.last_key += 1
        return f"k{self.last_key}"

    def statement(self):
        kinds = (
            (30, self.reserve), (15, self.record), (8, self.past), (30, self.settle),
            (12, self.doubt), (6, self.conflict), (3, self.settings), (2, self.bot),
            (4, self.instance), (1, self.tick), (6, self.delete), (10, self.scribble),
            (4, self.trigger),
        )
        weights, makers = zip(*kinds)
        if self.source.random() < 0.4:
            step = self.source.choice((1, 500, 999, 1_000, 1_001, 3_600_000_000))
            self.now += step
            self.boot += self.source.choice((step, step, step, 1))
        maker = self.source.choices(makers, weights)[0]
        return maker.__name__, *maker()

    def spoiled(self, row, columns):
        """`row`, with none, one or two columns changed, added or left out."""
        for _ in range(self.source.choice((0, 0, 0, 1, 1, 2))):
            column = self.source.choice(columns)
            if self.source.random() < 0.15:
                row.pop(column, None)
            elif self.source.random() < 0.3:
                row[column] = self.time()
            else:
                row[column] = self.source.choice(VALUES)
        return row

    def insert(self, table, row, tail=""):
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        verb = self.source.choice(VERBS)
        return f"{verb} INTO {table} ({names}) VALUES ({marks}){tail}", list(row.values())

    def trade(self, origin):
        bot, at = self.source.choice((1, 2, 2, 3)), self.time()
        row = {
            "bot_id": bot, "key": self.key(), "origin": origin, "side": "buy", "symbol": "S",
            "quantity": "1", "cooldown_us": COOLDOWNS[bot], "created_at": at,
        }
        if self.source.random() < 0.6:
            row |= {"boot_id": self.source.choice(("one", "two")), "created_boot_us": self.boot}
        if self.source.random() < 0.2:
            row |= {"instance": "desk", "epoch": self.source.choice((1, 1, 2, 3))}
        return row

    def reserve(self):
        row = self.trade("reserve")
        row |= {"status": "pending", "token": TOKENS[0], "lease_until": row["created_at"] + LEASE}
        return self.insert("trades", self.spoiled(row, COLUMNS), self.source.choice(TAILS))

    def record(self, origin="record"):
        row = self.trade(origin)
        at = row["created_at"]
        row |= {"status": "filled", "filled_at": at, "received_at": at, "filled_quantity": "1"}
        return self.insert("trades", self.spoiled(row, COLUMNS), self.source.choice(TAILS))

    def past(self):
        return self.record("past")

    def update(self, row, columns=None):
        row = self.spoiled(row, columns or COLUMNS)
        changes = ", ".join(f"{name} = ?" for name in row)
        where = self.source.choice(
            ("", f" WHERE bot_id = {self.source.randint(1, 3)}")
            + (" WHERE id = (SELECT MAX(id) FROM trades)", " WHERE status = 'pending'",
               " WHERE status = 'in_doubt'", " WHERE rowid = 1") * 2
        )
        verb = self.source.choice(UPDATES)
        return f"{verb} trades SET {changes}{where}", list(row.values())

    def settle(self):
        at = self.time()
        row = {"received_at": at, "settled_with": TOKENS[0], "late": self.source.choice((0, 1))}
        if self.source.random() < 0.5:
            row |= {"status": "filled", "filled_at": at, "filled_quantity": "1"}
            if self.source.random() < 0.3:
                row |= {"filled_boot_id": "one", "filled_boot_us": self.boot}
        else:
            row |= {"status": "void", "reason": "no"}
        if self.source.random() < 0.2:
            row |= {"settled_with": "operator", "reason": "seen", "late": 1}
        return self.update(row)

    def doubt(self):
        return self.update({"status": "in_doubt"})

    def conflict(self):
        at = self.time()
        row = {
            "bot_id": self.source.choice((1, 2, 3)), "trade_id": self.source.randint(1, 9),
            "kind": "fill_after_void", "token": TOKENS[0], "at": at, "quantity": "1",
            "received_at": at,
        }
        columns = list(row) + ["id", "boot_id", "boot_us", "exchange_at", "price"]
        return self.insert("conflicts", self.spoiled(row, columns))

    def settings(self):
        bot = self.source.choice((1, 2, 3))
        row = {
            "bot_id": bot, "cooldown_us": COOLDOWNS[bot], "lease_us": LEASE,
            "in_doubt": self.source.choice(("cooldown", "cooldown", "block")), "enabled": 1,
            "at": self.now,
        }
        return self.insert("settings", self.spoiled(row, list(row) + ["id"]))

    def bot(self):
        row = {"name": self.source.choice(("one", "other", "x" * 70))}
        return self.insert("bots", self.spoiled(row, ["id", "name"]))

    def instance(self):
        if self.source.random() < 0.5:
            row = {"name": self.source.choice(("desk", "more")), "epoch": 1, "pid": 5}
            return self.insert("instances", self.spoiled(row, list(row) + ["host", "boot_id"]))
        change = self.source.choice(("epoch = epoch + 1", "epoch = epoch - 1", "epoch = epoch + 2",
                                     "pid = NULL", "pid = 9", "name = 'x'", "since = 5"))
        return f"UPDATE instances SET {change}", []

    def tick(self):
        change = self.source.choice(("ticks = ticks + 1", "ticks = 9", "mode = 'live'"))
        return f"UPDATE ledger SET {change}", []

    def delete(self):
        table = self.source.choice(TABLES)
        return f"DELETE FROM {table}{self.source.choice(('', ' WHERE rowid = 1'))}", []

    def scribble(self):
        column = self.source.choice(COLUMNS + ["rowid", "oid", "_rowid_"])
        value = self.source.choice(VALUES + ("id + 1", "bot_id + 1"))
        return f"{self.source.choice(UPDATES)} trades SET {column} = ?", [value]

    def trigger(self):
        """A trigger of the client's own, around the rules; or the end of it."""
        if self.source.random() < 0.3:
            return "DROP TRIGGER IF EXISTS temp.own", []
        when = self.source.choice(("BEFORE", "AFTER"))
        event = self.source.choice(("INSERT", "UPDATE"))
        statement, values = self.source.choice(
            (self.record, self.settle, self.settle, self.doubt, self.delete, self.scribble,
             self.halt, self.halt))()
        statement = re.sub(r"\sRETURNING \w+| ON CONFLICT.*", "", statement)
        for value in values:
            statement = statement.replace("?", literal(value), 1)
        return f"CREATE TEMP TRIGGER own {when} {event} ON main.trades BEGIN {statement}; END", []


    def halt(self):
        """Ends the statement before the rules that would come later; FAIL keeps what was done."""
        how = self.source.choice(("FAIL, 'mine'", "FAIL, 'mine'", "ABORT, 'mine'", "IGNORE"))
        return f"SELECT RAISE({how})", []


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    if isinstance(value, str):
        return f"CAST(x'{value.encode().hex()}' AS TEXT)"
    return repr(value)


class Violation(Exception):
    pass


def claim(truth, what):
    if not truth:
        raise Violation(what)


def is_counted(trade):
    return trade["status"] != "void"


class Judge:
    """Compares two states of a ledger. Each is {table: [row]}."""

    def __init__(self, before, after):
        self.before, self.after = before, after
        self.old = {row["id"]: row for row in before["trades"]}

    def judge(self):
        for table in ("bots", "settings", "conflicts"):
            claim(self.after[table][: len(self.before[table])] == self.before[table],
                  f"rows of {table} changed")
        old, new = self.before["ledger"][0], self.after["ledger"][0]
        claim(len(self.after["ledger"]) == 1, "a second ledger")
        claim(old["mode"] == new["mode"] and old["created_at"] == new["created_at"], "mode")
        self.instances()
        ids = [row["id"] for row in self.after["trades"]]
        claim(ids == list(range(1, len(ids) + 1)), "a gap in the ids")
        claim(len(ids) >= len(self.old), "a trade was deleted")
        claim(len({row["key"] for row in self.after["trades"]}) == len(ids), "INV-3")
        for bot in COOLDOWNS:
            pending = [row for row in self.after["trades"]
                       if row["bot_id"] == bot and row["status"] == "pending"]
            claim(len(pending) <= 1, "INV-2")
        for row in self.after["trades"]:
            if row["id"] in self.old:
                self.change(self.old[row["id"]], row)
            else:
                self.birth(row)
            self.shape(row)

    def instances(self):
        after = {row["name"]: row for row in self.after["instances"]}
        for old in self.before["instances"]:
            new = after.get(old["name"])
            claim(new and new["epoch"] >= old["epoch"], "INV-7 an epoch was lost")
            same = new["epoch"] == old["epoch"]
            claim(not same or new["pid"] in (None, old["pid"]), "INV-7 holder swapped")
        for row in self.after["instances"]:
            claim(NAME.fullmatch(row["name"]), "instance name")

    def change(self, old, new):
        for column in FIXED:
            claim(old[column] == new[column], f"{column} changed")
        if old["status"] in ("filled", "void"):
            claim(old == new, "INV-5 a final trade changed")
        elif old != new:
            claim(new["status"] != "pending", "back to pending")
            if new["status"] in ("filled", "void"):
                claim(new["settled_with"] in (old["token"], "operator"), "INV-5 token")
                claim(new["late"] == 1 or old["status"] == "pending", "INV-6 late")
                claim(new["settled_with"] != "operator" or new["reason"], "INV-5 reason")

    def birth(self, new):
        claim(new["key"] not in {row["key"] for row in self.before["trades"]}, "INV-3")
        if new["origin"] == "past":
            return
        settings = [row for row in self.after["settings"] if row["bot_id"] == new["bot_id"]]
        claim(new["cooldown_us"] == settings[-1]["cooldown_us"], "another cooldown")
        claim(settings[-1]["enabled"], "disabled")
        for other in self.after["trades"]:
            if other["bot_id"] != new["bot_id"] or other["id"] >= new["id"]:
                continue
            known = self.old.get(other["id"], other)
            if not (is_counted(known) and is_counted(other)):
                continue
            claim(known["status"] != "pending" or other["status"] != "pending", "INV-2 occupied")
            at = min(known["effective_at"], other["effective_at"])
            claim(new["created_at"] - at >= new["cooldown_us"], "INV-1")
            for row in (known, other):
                if row == other and known != other:
                    continue
                self.boot(new, row["effective_boot_id"], row["effective_boot_us"])
        for other in self.before["conflicts"]:
            if other["bot_id"] == new["bot_id"]:
                claim(new["created_at"] - other["at"] >= new["cooldown_us"], "INV-1 conflict")
                self.boot(new, other["boot_id"], other["boot_us"])

    def boot(self, new, boot_id, boot_us):
        if boot_id is not None and boot_id == new["boot_id"]:
            claim(new["created_boot_us"] - boot_us >= new["cooldown_us"], "INV-1 boot clock")

    def shape(self, row):
        claim(NAME.fullmatch(row["symbol"]), "symbol")
        claim(re.fullmatch(r"[!-~]{1,128}", row["key"]), "key")
        for column in ("quantity", "price", "filled_quantity", "filled_price"):
            value = row[column]
            claim(value is None or AMOUNT.fullmatch(value) and value != "0", column)
        claim((row["status"] == "filled") == (row["filled_at"] is not None), "filled_at")
        if row["status"] in ("pending", "in_doubt"):
            claim(row["settled_with"] is None and row["received_at"] is None, "unsettled")
        if row["status"] == "filled":
            claim(row["created_at"] <= row["filled_at"], "filled before its order")
            claim(row["filled_at"] <= max(row["created_at"], row["received_at"]), "filled later")
            claim(row["filled_quantity"], "filled nothing")
        for value in row.values():
            claim(not isinstance(value, (bytes, float)), "a value of another type")
            claim(not isinstance(value, str) or len(value) <= 256, "a long value")


TABLES = ("trades", "conflicts", "bots", "settings", "instances", "ledger")
COLUMNS = []


def state(client):
    return {
        table: [dict(row) for row in client.execute(f"SELECT * FROM {table} ORDER BY 1")]
        for table in TABLES
    }


def new_ledger(schema, source):
    client = sqlite3.connect(":memory:", isolation_level=None)
    client.row_factory = sqlite3.Row
    if hasattr(client, "setlimit"):  # a trigger that starts itself costs a thousand rounds else
        client.setlimit(sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 20)
    client.executescript(schema)
    client.execute("INSERT INTO ledger (id, mode, created_at) VALUES (1, 'simulation', 0)")
    for bot, cooldown in COOLDOWNS.items():
        client.execute("INSERT INTO bots (name) VALUES (?)", (f"bot-{bot}",))
        client.execute(
            "INSERT INTO settings (bot_id, cooldown_us, lease_us, in_doubt, enabled, at)"
            " VALUES (?, ?, ?, 'cooldown', 1, 0)", (bot, cooldown, LEASE))
    client.execute("INSERT INTO instances (name, epoch, pid) VALUES ('desk', 1, 5)")
    for pragma in ("recursive_triggers", "foreign_keys", "ignore_check_constraints",
                   "reverse_unordered_selects"):
        client.execute(f"PRAGMA {pragma} = {source.randint(0, 1)}")
    COLUMNS[:] = [row[1] for row in client.execute("PRAGMA table_info(trades)")]
    return client


def main(path, seed, count):
    with open(path, encoding="utf-8") as file:
        schema = file.read()
    source = random.Random(seed)
    result = {"tried": 0, "taken": {}, "violation": None}
    while result["tried"] < count:
        client, maker, history = new_ledger(schema, source), Client(source), []
        before = state(client)
        for _ in range(min(150, count - result["tried"])):
            result["tried"] += 1
            kind, sql, values = maker.statement()
            try:
                client.execute(sql, values).fetchall()
            except (sqlite3.Error, OverflowError):
                # Refused. With a trigger of the client's own even that may have had an effect.
                if not client.execute("SELECT 1 FROM temp.sqlite_schema").fetchone():
                    continue
            after = state(client)
            if after == before and kind != "trigger":
                continue
            result["taken"][kind] = result["taken"].get(kind, 0) + 1
            history.append(sql + "   " + repr(values))
            try:
                Judge(before, after).judge()
            except Violation as violation:
                result["violation"] = {"what": str(violation), "statements": history}
                return result
            before = after
        client.close()
    return result


if __name__ == "__main__":
    json.dump(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])), sys.stdout, indent=1)
