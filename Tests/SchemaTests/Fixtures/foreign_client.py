"""A foreign client: Python's sqlite3 module, with no help from TradeLedger but schema.sql.

    foreign_client.py attack CORPUS.json    runs every attack, prints what happened to each
    foreign_client.py mutate CORPUS.json    drops each trigger in turn, prints what then gets through
    foreign_client.py blob CORPUS.json      opens every value for writing in place, prints which it got

CORPUS.json holds `schema` (text), `base` (statements that fill a new ledger; MODE stands for the
mode), `life` (legal statements that leave a row in each table) and `attacks`, each with `name`,
`modes`, `setup`, `sql`, `rules` (that may refuse it; none where it is legal), `isIsolated` and
`isAttached`. An isolated attack gets a file of its own, named by {path} in its statements; the
others run inside a transaction that is rolled back.
"""

import json
import os
import re
import sqlite3
import sys
import tempfile

TABLES = ("ledger", "bots", "settings", "instances", "trades", "conflicts", "restores")
PRAGMAS = ("recursive_triggers", "foreign_keys", "ignore_check_constraints")
# Every pair of settings of two pragmas occurs.
SETTINGS = ((0, 0, 1), (1, 1, 1), (0, 1, 0), (1, 0, 0))


def connect(path, settings=(0, 0, 0)):
    client = sqlite3.connect(path, isolation_level=None, cached_statements=1000)
    for name, value in zip(PRAGMAS, settings):
        client.execute(f"PRAGMA {name} = {value}")
    return client


def new_ledger(path, corpus, mode, without=None):
    """A ledger in which nobody has traded yet. `without` is a trigger that is taken out first."""
    client = connect(path)
    client.executescript(corpus["schema"])
    if without:
        client.execute(f"DROP TRIGGER {without}")
    for statement in corpus["base"]:
        client.execute(statement.replace("MODE", mode))
    return client


def rows(client):
    return [client.execute(f"SELECT * FROM main.{table}").fetchall() for table in TABLES]


def attempt(client, attack, look, path=""):
    """Runs the setup, then the attack. Says what came of it; `look` gives all rows."""
    try:
        for statement in attack["setup"]:
            client.execute(statement.replace("{path}", path))
    except sqlite3.Error as error:
        return f"setup failed: {error}"
    before = look()
    try:
        client.execute(attack["sql"].replace("{path}", path))
        answer = "admitted"
    except sqlite3.Error as error:
        answer = f"refused: {error}"
    is_changed = look() != before
    if answer == "admitted":
        return "admitted" if is_changed else "nothing"
    return answer + (" BUT ROWS CHANGED" if is_changed else "")


def attempt_in_transaction(client, attack):
    client.execute("BEGIN IMMEDIATE")
    try:
        return attempt(client, attack, lambda: rows(client))
    finally:
        if client.in_transaction:
            client.execute("ROLLBACK")


def attempt_alone(attack, corpus, mode, settings):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "ledger.db")
        witness = new_ledger(path, corpus, mode)
        client = connect(":memory:" if attack.get("isAttached") else path, settings)
        try:
            return attempt(client, attack, lambda: rows(witness), path)
        finally:
            client.close()
            witness.close()


def run_attacks(corpus):
    """What happened to each attack: {name: {mode: {outcome: [settings of the three pragmas]}}}."""
    results = {}

    def note(attack, mode, settings, outcome):
        seen = results.setdefault(attack["name"], {}).setdefault(mode, {})
        seen.setdefault(outcome, []).append("".join(map(str, settings)))

    for mode in ("live", "paper", "simulation"):
        base = new_ledger(":memory:", corpus, mode)
        chosen = [attack for attack in corpus["attacks"] if mode in attack["modes"]]
        for settings in SETTINGS:
            client = connect(":memory:", settings)
            base.backup(client)
            for attack in chosen:
                if not attack["isIsolated"]:
                    note(attack, mode, settings, attempt_in_transaction(client, attack))
            client.close()
        for attack in chosen:
            if attack["isIsolated"]:
                for settings in SETTINGS:
                    note(attack, mode, settings, attempt_alone(attack, corpus, mode, settings))
    return results


def run_mutations(corpus):
    """An attack that gets through without each trigger, or null: {trigger: name}."""
    results = {}
    for trigger, code in re.findall(
        r"\nCREATE TRIGGER (\w+).*?RAISE\(ABORT, '(TL\d+)", corpus["schema"], re.DOTALL
    ):
        attacks = [attack for attack in corpus["attacks"] if attack["rules"]]
        # First those that this very trigger refuses.
        attacks.sort(key=lambda attack: code not in attack["rules"])
        results[trigger] = None
        for mode in ("live", "simulation"):
            if not results[trigger]:
                results[trigger] = first_success(corpus, attacks, mode, without=trigger)
    return results


def first_success(corpus, attacks, mode, without):
    client = new_ledger(":memory:", corpus, mode, without)
    client.execute("PRAGMA ignore_check_constraints = 1")
    for attack in attacks:
        if mode in attack["modes"] and not attack["isIsolated"]:
            outcome = attempt_in_transaction(client, attack)
            if outcome == "admitted" or outcome.endswith("CHANGED"):
                return attack["name"]
    return None


def writable_values(corpus, drop=()):
    """Values that SQLite's incremental blob interface lets a client change behind every trigger."""
    client = new_ledger(":memory:", corpus, "live")
    for index in drop:
        client.execute(f"DROP INDEX {index}")
    for statement in corpus["life"]:
        client.execute(statement)
    found = []
    for table in TABLES:
        for column in [row[1] for row in client.execute(f"PRAGMA table_xinfo({table})")]:
            try:
                client.blobopen(table, column, 1).close()
                found.append(f"{table}.{column}")
            except sqlite3.Error as error:
                if "cannot open" not in str(error):
                    raise
    return found


def run_blobs(corpus):
    """What can be written in place: as it is, and without the indexes that seal the tables."""
    seals = re.findall(r"^CREATE INDEX (\w+_seal)", corpus["schema"], re.MULTILINE)
    return {"sealed": writable_values(corpus), "unsealed": writable_values(corpus, seals)}


if __name__ == "__main__":
    with open(sys.argv[2], encoding="utf-8") as file:
        corpus = json.load(file)
    run = {"attack": run_attacks, "mutate": run_mutations, "blob": run_blobs}[sys.argv[1]]
    json.dump(run(corpus), sys.stdout)
