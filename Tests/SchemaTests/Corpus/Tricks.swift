/// Clients that bring triggers, tables and databases of their own. None of it is DDL in the ledger,
/// so no fingerprint would show it.
extension Corpus {
  /// A trigger of the client's own, which lives in its connection alone.
  private static func own(_ when: String, _ condition: String, _ body: String) -> String {
    "CREATE TEMP TRIGGER own \(when) ON main.trades WHEN \(condition) BEGIN \(body); END"
  }

  /// What a trigger's body may write: qualified names are not allowed there.
  private static let inner = SQL.record("inner")
  private static let isOuter = "NEW.key = 'outer'"

  static let triggers: [Attack] = reentry + switching + halting + shadows

  private static let reentry: [Attack] = [
    refused(
      "TL106", by: "a record slipped in before a reservation",
      after: [own("BEFORE INSERT", isOuter, inner)], SQL.reserve("outer")),
    refused(
      "TL10", by: "a record slipped in after a reservation",
      after: [own("AFTER INSERT", isOuter, inner)], SQL.reserve("outer")),
    refused(
      "TL106", by: "a record slipped in before a record",
      after: [own("BEFORE INSERT", isOuter, inner)], SQL.record("outer")),
    refused(
      "TL106", by: "a record slipped in after a record",
      after: [own("AFTER INSERT", isOuter, inner)], SQL.record("outer")),
    refused(
      "TL101", by: "the same key slipped in before",
      after: [own("BEFORE INSERT", "NEW.side = 'sell'", SQL.record(bot: 2))],
      SQL.record(bot: 3, verb: "INSERT OR REPLACE INTO", with: ["side": "'sell'"])),
    refused(
      "TL106", by: "a trade slipped in while a fill is written",
      after: State.pending + [own("BEFORE UPDATE", "NEW.status = 'filled'", inner)]
        + [SQL.settings(with: ["cooldown_us": "3600000000", "lease_us": "30000000"])],
      SQL.fill()),
    refused(
      "TL150", by: "a second ledger slipped in",
      after: [
        own(
          "BEFORE INSERT", isOuter,
          "INSERT OR REPLACE INTO ledger (id, mode, created_at) VALUES (1, 'simulation', 0)")
      ], SQL.reserve("outer")),
    refused(
      "TL151", by: "the mode changed for one trade", in: clockedModes,
      after: [
        own("BEFORE INSERT", isOuter, "UPDATE ledger SET mode = 'simulation', ticks = ticks + 1")
      ], SQL.reserve("outer", at: SQL.now + " + 5000000")),
    Attack(
      name: "a trade dropped by its own client", modes: everyMode,
      setup: [own("BEFORE INSERT", isOuter, "SELECT RAISE(IGNORE)")], sql: SQL.reserve("outer"),
      expected: .nothing),
    Attack(
      name: "a doubt dropped by its own client", modes: everyMode,
      setup: State.overdue + [own("BEFORE UPDATE", "TRUE", "SELECT RAISE(IGNORE)")],
      sql: SQL.doubt(), expected: .nothing),
  ]

  /// The outer statement was judged by the row as it was before the inner one.
  private static let switching: [Attack] = [
    refused(
      "TL111", by: "a fill turned into a void in one statement",
      after: State.pending + [own("BEFORE UPDATE", "NEW.status = 'void'", SQL.fill())],
      SQL.void()),
    refused(
      "TL111", by: "a fill turned into a doubt in one statement",
      after: State.overdue + [
        own("BEFORE UPDATE", "NEW.status = 'in_doubt'", SQL.fill(with: ["late": "1"]))
      ], SQL.doubt()),
    refused(
      "TL111", by: "a void turned into a doubt in one statement",
      after: State.overdue + [
        own("BEFORE UPDATE", "NEW.status = 'in_doubt'", SQL.void(with: ["late": "1"]))
      ], SQL.doubt()),
    refused(
      "TL11", by: "a row moved from under a fill",
      after: State.pending + [
        own("BEFORE UPDATE", "NEW.status = 'filled'", "UPDATE trades SET id = 9 WHERE id = 1")
      ], SQL.fill()),
    refused(
      "TL115", by: "a row deleted from under a fill",
      after: State.pending + [
        own("BEFORE UPDATE", "NEW.status = 'filled'", "DELETE FROM trades WHERE id = 1")
      ], SQL.fill()),
    refused(
      "TL11", by: "a fill undone after it was written",
      after: State.pending + [own("AFTER UPDATE", "NEW.status = 'filled'", SQL.void())],
      SQL.fill()),
    refused(
      "TL11", by: "an order changed after it was written",
      after: [own("AFTER INSERT", isOuter, "UPDATE trades SET quantity = '9' WHERE key = 'outer'")],
      SQL.reserve("outer")),
    refused(
      "TL111", by: "a void turned into a fill in one statement",
      after: State.pending + [own("BEFORE UPDATE", "NEW.status = 'filled'", SQL.void())],
      SQL.fill()),
  ]

  /// RAISE(FAIL) ends a statement and keeps what it has done so far. A client's own triggers come
  /// first, so a rule that came after the row was written would never be asked.
  private static let halting: [Attack] = [
    refused(
      "TL107", by: "a gap, halted before it is noticed",
      after: [own("AFTER INSERT", "TRUE", halt)], SQL.record(with: ["id": "7"])),
    refused(
      "CHECK", "integer overflow", by: "a negative id, halted before it is noticed",
      after: [own("AFTER INSERT", "TRUE", halt)], SQL.record(with: ["id": "-1"])),
    refused(
      "TL106", by: "a trade inside the cooldown, halted before it is noticed",
      after: [SQL.record(), own("AFTER INSERT", "TRUE", halt)], SQL.reserve("k2")),
    refused(
      "TL113", by: "a doubt while the lease runs, halted before it is noticed", in: clockedModes,
      after: State.pending + [own("AFTER UPDATE", "TRUE", halt)], SQL.doubt()),
    refused(
      "TL114", by: "a void without reason, halted before it is noticed",
      after: State.pending + [own("AFTER UPDATE", "TRUE", halt)], SQL.void(with: ["reason": nil])),
    refused(
      "TL112", by: "a fill without token, halted before it is noticed",
      after: State.pending + [own("AFTER UPDATE", "TRUE", halt)],
      SQL.fill(with: ["settled_with": nil])),
    refused(
      "TL135", by: "settings that nobody can follow, halted before it is noticed",
      after: [
        "CREATE TEMP TRIGGER own AFTER INSERT ON main.settings BEGIN \(halt); END"
      ], SQL.settings(with: ["id": "9223372036854775807"])),
    refused(
      "TL121", by: "a gap in the conflicts, halted before it is noticed",
      after: State.void + [
        "CREATE TEMP TRIGGER own AFTER INSERT ON main.conflicts BEGIN \(halt); END"
      ], SQL.conflict(with: ["id": "5"])),
    refused(
      "TL131", by: "a gap in the bots, halted before it is noticed",
      after: ["CREATE TEMP TRIGGER own AFTER INSERT ON main.bots BEGIN \(halt); END"],
      "INSERT INTO bots (id, name) VALUES (9, 'x')"),
  ]

  private static let halt = "SELECT RAISE(FAIL, 'enough')"

  /// Tables and views of the client's own, named like those that the rules ask.
  private static let shadows: [Attack] = [
    refused(
      "TL103", by: "a clock of its own", in: clockedModes,
      after: [
        "CREATE TEMP VIEW clock AS SELECT 5 AS now_us, 0 AS earliest, 1000000000000000000 AS "
          + "latest, 1000000000000000000 AS lease_now"
      ], SQL.reserve(at: "5")),
    refused(
      "TL103", by: "a ledger of its own", in: clockedModes,
      after: [
        "CREATE TEMP TABLE ledger AS SELECT 1 AS id, 'simulation' AS mode, 0 AS created_at, "
          + "0 AS ticks"
      ], SQL.reserve(at: "5")),
    refused(
      "TL102", by: "settings of its own",
      after: [
        """
        CREATE TEMP VIEW current_settings AS SELECT 1 AS bot_id, 'patient' AS name, 1 AS id,
          0 AS cooldown_us, 1000 AS lease_us, 'cooldown' AS in_doubt, 1 AS enabled, 0 AS at
        """
      ],
      SQL.reserve(with: ["cooldown_us": "0", "lease_until": SQL.now + " + 1000"])),
    refused(
      "TL106", by: "a history of its own",
      after: [
        SQL.record(), "CREATE TEMP VIEW counted_trades AS SELECT * FROM trades WHERE 0",
        "CREATE TEMP VIEW occupying_trades AS SELECT * FROM trades WHERE 0",
      ], SQL.record("k2")),
    refused(
      "TL103", by: "a clock of its own in a common table expression", in: clockedModes,
      """
      WITH clock AS (SELECT 0 AS now_us, 0 AS earliest, 1000000000000000000 AS latest,
        1000000000000000000 AS lease_now)
      """ + " " + SQL.reserve(at: "5")),
    refused(
      "TL106", by: "a history of its own in a common table expression", after: [SQL.record()],
      "WITH counted_trades AS (SELECT * FROM trades WHERE 0) " + SQL.record("k2")),
    refused(
      "TL104", by: "instances of its own",
      after: ["CREATE TEMP TABLE instances AS SELECT 'desk' AS name, 9 AS epoch"],
      SQL.reserve(with: ["instance": "'desk'", "epoch": "9"])),
  ]

  private static let attach = "ATTACH '{path}' AS book"

  static let attachments: [Attack] = [
    refused(
      "TL106", by: "an attached ledger", in: ownTime,
      after: [attach, SQL.record(at: "1000", verb: "INSERT INTO book.")],
      SQL.record("k2", at: "1001", verb: "INSERT INTO book.")
    ).isolated(attached: true),
    refused(
      "TL103", by: "an attached ledger beside a mode of its own", in: clockedModes,
      after: [
        attach, "CREATE TABLE ledger (id, mode, created_at, ticks)",
        "INSERT INTO main.ledger VALUES (1, 'simulation', 0, 0)",
      ], SQL.reserve(at: "5", verb: "INSERT INTO book.")
    ).isolated(attached: true),
    refused(
      "TL102", by: "an attached ledger beside settings of its own", in: ownTime,
      after: [
        attach,
        """
        CREATE VIEW current_settings AS SELECT 1 AS bot_id, 'patient' AS name, 1 AS id,
          0 AS cooldown_us, 1000 AS lease_us, 'cooldown' AS in_doubt, 1 AS enabled, 0 AS at
        """,
      ],
      SQL.reserve(
        at: "5", verb: "INSERT INTO book.", with: ["cooldown_us": "0", "lease_until": "1005"]
      )
    ).isolated(attached: true),
    refused(
      "TL115", by: "deleting in an attached ledger", in: ownTime,
      after: [attach, SQL.record(at: "1000", verb: "INSERT INTO book.")],
      "DELETE FROM book.trades"
    ).isolated(attached: true),
    refused(
      "TL106", by: "the ledger attached to itself", in: ownTime,
      after: [
        "ATTACH '{path}' AS twin", SQL.record(at: "1000"),
      ], SQL.record("k2", at: "1001", verb: "INSERT INTO twin.")
    ).isolated(),
  ]
}
