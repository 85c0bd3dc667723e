/// Everything that is not a trade: conflicts, bots, settings, instances, the row of the ledger.
extension Corpus {
  /// Each table, with a row in it, and the rule that keeps it.
  @AttackList private static var deletions: [Attack] {
    for (table, rule, row, setup) in [
      ("trades", "TL115", "filled", State.filled), ("trades", "TL115", "void", State.void),
      ("trades", "TL115", "pending", State.pending), ("trades", "TL115", "doubt", State.inDoubt),
      ("conflicts", "TL123", "any", State.void + [SQL.conflict()]), ("bots", "TL133", "any", []),
      ("settings", "TL137", "any", []), ("instances", "TL142", "any", []),
      ("ledger", "TL152", "any", []), ("restores", "TL162", "any", State.restored),
    ] {
      [
        refused(
          rule, by: "emptying \(table) (\(row))", after: setup, "DELETE FROM \(table)"),
        refused(
          rule, by: "deleting one row of \(table) (\(row))", after: setup,
          "DELETE FROM \(table) WHERE \(table == "instances" ? "name = 'desk'" : "id = 1")"),
      ]
    }
  }

  @AttackList static var conflicts: [Attack] {
    deletions
    [
      refused("TL120", by: "a conflict of a filled trade", after: State.filled, SQL.conflict()),
      refused("TL120", by: "a conflict of a pending trade", after: State.overdue, SQL.conflict()),
      refused("TL120", by: "a conflict of a doubt", after: State.inDoubt, SQL.conflict()),
      refused("TL120", by: "a conflict of no trade", SQL.conflict()),
      refused(
        "TL120", by: "a conflict with a wrong token", after: State.void,
        SQL.conflict(with: ["token": "'token-of-somebody-else'"])),
      refused(
        "TL120", "NOT NULL", by: "a conflict without token", after: State.void,
        SQL.conflict(with: ["token": "NULL"])),
      refused(
        "TL120", by: "a conflict of another bot", after: State.void, SQL.conflict(bot: 1)),
      refused(
        "TL120", by: "a conflict of a kind of its own", after: State.void,
        SQL.conflict(with: ["kind": "'double'"])),
      refused(
        "TL120", by: "a conflict before its trade", after: State.void,
        SQL.conflict(with: ["at": "(SELECT created_at - 1 FROM trades)"])),
      refused(
        "TL120", by: "a conflict dated back without the exchange's word", after: State.void,
        SQL.conflict(with: ["at": "(SELECT created_at FROM trades)"])),
      refused(
        "TL120", by: "a conflict in the future", after: State.void,
        SQL.conflict(with: ["at": SQL.now + " + 1"])),
      refused(
        "TL120", by: "an exchange time of a conflict that no sum can hold", after: State.void,
        SQL.conflict(with: ["exchange_at": "9223372036854775807"])),
      refused(
        "TL120", by: "a conflict on a boot clock without boot", after: State.void,
        SQL.conflict(with: ["boot_us": "5"])),
      refused(
        "TL120", by: "a conflict at the end of time", after: State.void,
        SQL.conflict(with: ["boot_id": "'boot'", "boot_us": "9223372036854775807"])),
      refused(
        "TL120", by: "a conflict with an endless boot id", after: State.void,
        SQL.conflict(with: ["boot_id": SQL.long(129), "boot_us": "5"])),
      refused(
        "TL120", by: "a conflict before its trade on the boot clock",
        after: [SQL.reserve(with: ["boot_id": "'boot'", "created_boot_us": "50"]), SQL.void()],
        SQL.conflict(bot: 1, with: ["boot_id": "'boot'", "boot_us": "49"])),
      refused(
        "TL121", by: "one conflict in the place of another", after: State.void + [SQL.conflict()],
        SQL.conflict(verb: "INSERT OR REPLACE INTO", with: ["id": "1", "quantity": "'9'"])),
      refused(
        "TL121", by: "a gap in the conflicts", after: State.void, SQL.conflict(with: ["id": "5"])),
      refused(
        "TL121", by: "a negative conflict", after: State.void, SQL.conflict(with: ["id": "-5"])),
      refused(
        "TL122", by: "a conflict made smaller", after: State.void + [SQL.conflict()],
        "UPDATE conflicts SET quantity = '0.1'"),
      refused(
        "TL122", by: "a conflict dated back", after: State.void + [SQL.conflict()],
        "UPDATE conflicts SET at = 5"),
    ]
  }

  /// A restore that is made up, changed or denied would open a cooldown, or close all of them.
  @AttackList static var restores: [Attack] {
    [
      refused(
        "TL160", by: "a restore in the future", in: ["live", "paper"],
        restore(at: SQL.now + " + 9999999")),
      refused(
        "TL160", by: "a restore dated back", in: ["live", "paper"],
        restore(at: SQL.now + " - 9999999")),
      refused("TL160", by: "a restore before 1970", restore(at: "-1")),
      refused("TL160", by: "a gap in the restores", restore(id: "7")),
      refused("TL160", by: "a negative restore", restore(id: "-7")),
      refused(
        "TL160", by: "one restore in the place of another", after: State.restored,
        restore(verb: "INSERT OR REPLACE INTO", id: "1")),
      refused("TL160", by: "a restore of no boot", restore(boot: "NULL, 5")),
      refused("TL160", by: "a restore of an endless boot", restore(boot: "\(SQL.long(129)), 5")),
      refused(
        "TL161", by: "a restore dated back later", after: State.restored,
        "UPDATE restores SET at = 5"),
      refused("TL108", by: "a trade right after a restore", after: State.restored, SQL.reserve()),
      refused("TL108", by: "a record right after a restore", after: State.restored, SQL.record()),
      refused(
        "TL108", by: "a trade on the boot clock of a restore",
        in: ["simulation"], after: [restore(at: "0", boot: "'boot', 50")],
        SQL.reserve(with: ["boot_id": "'boot'", "created_boot_us": "51"])),
      admitted("a bot without cooldown after a restore", after: State.restored, SQL.record(bot: 2)),
      admitted("a fact of the past after a restore", after: State.restored, SQL.past("k", at: "5")),
      admitted("a restore of now", restore()),
    ]
  }

  static func restore(
    verb: String = "INSERT INTO", id: String = "NULL", at: String = SQL.now,
    boot: String = "NULL, NULL"
  ) -> String {
    "\(verb) restores (id, at, boot_id, boot_us) VALUES (\(id), \(at), \(boot))"
  }

  @AttackList static var bots: [Attack] {
    [
      refused("TL132", by: "a bot renamed", "UPDATE bots SET name = 'other' WHERE id = 1"),
      refused("TL132", by: "a bot renumbered", "UPDATE bots SET id = 9 WHERE id = 1"),
      refused(
        "TL132", by: "a bot in the place of another",
        "UPDATE OR REPLACE bots SET name = 'eager' WHERE id = 1"),
      refused("TL130", by: "a bot twice", "INSERT INTO bots (name) VALUES ('patient')"),
      refused(
        "TL130", by: "a bot replaced by name", "REPLACE INTO bots (name) VALUES ('patient')"),
      refused(
        "TL131", by: "a bot replaced by id", "REPLACE INTO bots (id, name) VALUES (1, 'other')"),
      refused(
        "TL130", by: "a bot upserted",
        "INSERT INTO bots (name) VALUES ('patient') ON CONFLICT (name) DO UPDATE SET name = 'x'"),
      refused(
        "TL130", by: "a bot without name", "INSERT INTO bots (name) VALUES (NULL)"),
      refused("TL131", by: "a gap in the bots", "INSERT INTO bots (id, name) VALUES (9, 'x')"),
      refused(
        "TL131", by: "a bot below the others", "INSERT INTO bots (id, name) VALUES (-9, 'x')"),
      refused("TL131", by: "a bot 0", "INSERT INTO bots (id, name) VALUES (0, 'x')"),
      refused("TL134", by: "settings of nobody", SQL.settings(bot: 99)),
      refused(
        "TL135", by: "settings replaced", SQL.settings(verb: "REPLACE INTO", with: ["id": "1"])),
      refused("TL135", by: "a gap in the settings", SQL.settings(with: ["id": "99"])),
      refused("TL135", by: "settings below the others", SQL.settings(with: ["id": "-99"])),
      refused(
        "TL135", by: "settings that nobody can follow",
        SQL.settings(with: ["id": "9223372036854775807"])),
      refused("TL136", by: "no cooldown, by edit", "UPDATE settings SET cooldown_us = 0"),
      refused("TL136", by: "enabled by edit", "UPDATE settings SET enabled = 1 WHERE id = 4"),
      refused("TL136", by: "old settings brought back", "UPDATE settings SET id = 99 WHERE id = 1"),
      refused(
        "TL136", by: "settings handed to another bot",
        "UPDATE settings SET bot_id = 1 WHERE bot_id = 2"),
    ]
    for (column, value) in [
      ("cooldown_us", "-1"), ("cooldown_us", "315576000000001"), ("lease_us", "999"),
      ("lease_us", "0"), ("lease_us", "-1"), ("lease_us", "86400000001"), ("in_doubt", "'wait'"),
      ("enabled", "2"), ("enabled", "-1"),
    ] {
      refused(
        "TL134", by: "settings with \(column) = \(value)", SQL.settings(with: [column: value]))
    }
    for column in ["bot_id", "cooldown_us", "lease_us", "in_doubt", "enabled", "at"] {
      refused("TL134", by: "settings without \(column)", SQL.settings(with: [column: "NULL"]))
    }
    [
      admitted("the longest cooldown", SQL.settings(with: ["cooldown_us": "315576000000000"])),
      admitted("no cooldown", SQL.settings(with: ["cooldown_us": "0"])),
      admitted("the shortest lease", SQL.settings(with: ["lease_us": "1000"])),
      admitted("the longest lease", SQL.settings(with: ["lease_us": "86400000000"])),
    ]
  }

  @AttackList static var instances: [Attack] {
    [
      refused("TL140", by: "born with epoch 2", SQL.instance(with: ["epoch": "2"])),
      refused("TL140", by: "born with epoch 0", SQL.instance(with: ["epoch": "0"])),
      refused("TL140", "NOT NULL", by: "born without epoch", SQL.instance(with: ["epoch": "NULL"])),
      refused("TL140", by: "a name twice", SQL.instance("'desk'")),
      refused("TL140", by: "a name replaced", SQL.instance("'desk'", verb: "REPLACE INTO")),
      refused(
        "TL140", by: "a name upserted",
        SQL.instance("'desk'") + " ON CONFLICT (name) DO UPDATE SET epoch = 9"),
      refused("TL140", "NOT NULL", by: "an instance without name", SQL.instance("NULL")),
      refused("TL140", by: "an endless command", SQL.instance(with: ["command": SQL.long(4097)])),
      refused("TL140", by: "an endless host", SQL.instance(with: ["host": SQL.long(257)])),
      refused("TL140", by: "an endless boot id", SQL.instance(with: ["boot_id": SQL.long(129)])),
    ]
    for (column, value) in [
      ("pid", "0"), ("pid", "-1"), ("pid", "2147483648"), ("start_ticks", "-1"),
      ("start_ticks", "253402300800000000"), ("pid_namespace", "-1"), ("time_namespace", "-1"),
      ("since", "-1"), ("since", "253402300800000000"), ("heartbeat_until", "-1"),
      ("heartbeat_until", "253402300800000000"),
    ] {
      [
        refused(
          "TL140", by: "an instance with \(column) = \(value)",
          SQL.instance(with: [column: value])),
        refused(
          "TL141", by: "a take-over with \(column) = \(value)",
          "UPDATE instances SET epoch = 2, \(column) = \(value) WHERE name = 'desk'"),
      ]
    }
    for (change, what) in [
      ("epoch = epoch + 2", "two epochs at once"), ("epoch = epoch - 1", "an epoch back"),
      ("epoch = 9223372036854775807", "the last epoch"), ("epoch = NULL", "no epoch"),
      ("name = 'other'", "a new name"), ("name = 'other', epoch = epoch + 1", "a new name, taken"),
      ("name = 'Desk'", "another spelling"),
      ("pid = 101", "another process in the same epoch"),
      ("start_ticks = 501", "a reused pid in the same epoch"),
      ("boot_id = 'later'", "another boot in the same epoch"),
      ("pid_namespace = 9", "another container in the same epoch"),
      ("time_namespace = 9", "another time namespace in the same epoch"),
      ("since = since + 1", "another start in the same epoch"),
      ("command = \(SQL.long(4097))", "an endless command later"),
      ("host = \(SQL.long(257))", "an endless host later"),
      ("epoch = 2, boot_id = \(SQL.long(129))", "an endless boot id later"),
    ] {
      refused("TL141", by: what, "UPDATE instances SET \(change) WHERE name = 'desk'")
    }
    [
      refused(
        "TL141", by: "a name taken again in the same epoch after it was let go",
        after: ["UPDATE instances SET pid = NULL WHERE name = 'desk'"],
        "UPDATE instances SET pid = 100 WHERE name = 'desk'")
    ]
  }

  @AttackList static var ledgerRow: [Attack] {
    for (change, modes) in [
      ("mode = 'simulation', ticks = ticks + 1", ["live", "paper"]),
      ("mode = 'live', ticks = ticks + 1", ["paper", "simulation"]),
      ("mode = 'test', ticks = ticks + 1", everyMode), ("ticks = ticks + 2", everyMode),
      ("ticks = ticks - 1", everyMode), ("ticks = ticks", everyMode),
      ("ticks = NULL", everyMode), ("created_at = 5, ticks = ticks + 1", everyMode),
      ("id = 2, ticks = ticks + 1", everyMode), ("rowid = 2, ticks = ticks + 1", everyMode),
    ] {
      refused("TL151", by: "ledger: \(change)", in: modes, "UPDATE ledger SET \(change)")
    }
    for verb in ["INSERT INTO", "REPLACE INTO", "INSERT OR IGNORE INTO"] {
      [
        refused(
          "TL150", by: "\(verb) ledger, second row",
          "\(verb) ledger (id, mode, created_at) VALUES (2, 'simulation', 0)"),
        refused(
          "TL150", by: "\(verb) ledger, same row",
          "\(verb) ledger (id, mode, created_at) VALUES (1, 'simulation', 0)"),
      ]
    }
  }
}
