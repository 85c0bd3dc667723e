/// Trades that would take the place of another one, or a number that is not theirs (INV-3).
extension Corpus {
  @AttackList static var replacements: [Attack] {
    [
      refused("TL101", by: "same key again", after: State.filled, SQL.reserve(bot: 2)),
      refused(
        "TL101", by: "same key for another bot", after: State.filled, SQL.reserve(bot: 3)),
      refused(
        "TL101", by: "a fact of the past with a known key", after: State.filled,
        SQL.past("k1", bot: 2, at: "5")),
      refused(
        "TL105", by: "REPLACE the pending trade by its place in the pending index",
        after: [SQL.reserve(bot: 2)], SQL.reserve("k2", bot: 2, verb: "INSERT OR REPLACE INTO")),
      refused(
        "TL101", by: "upsert that turns a known key into another outcome", after: State.filled,
        SQL.reserve(bot: 2, tail: "ON CONFLICT (key) DO UPDATE SET status = 'void'")),
      refused(
        "TL107", by: "upsert by id", after: State.filled,
        SQL.reserve(
          "k2", bot: 2, tail: "ON CONFLICT (id) DO UPDATE SET key = excluded.key", with: ["id": "1"]
        )),
      refused(
        "TL101", by: "upsert that does nothing", after: State.filled,
        SQL.reserve(bot: 2, tail: "ON CONFLICT DO NOTHING")),
      refused(
        "TL105", by: "upsert by the pending index", after: [SQL.reserve(bot: 2)],
        SQL.reserve(
          "k2", bot: 2,
          tail: "ON CONFLICT (bot_id) WHERE status = 'pending' DO UPDATE SET pid = 5")),
      refused(
        "TL105", by: "two reservations of a bot in one statement",
        SQL.reserve(bot: 2) + SQL.another(SQL.reserve("k2", bot: 2))),
      refused(
        "TL106", by: "two records of a bot in one statement",
        SQL.record() + SQL.another(SQL.record("k2"))),
      refused(
        "TL101", by: "one key twice in one statement",
        SQL.record(bot: 2) + SQL.another(SQL.record(bot: 3))),
      refused(
        "TL106", by: "one record by SELECT, doubled by a join",
        """
        INSERT INTO trades (bot_id, key, origin, side, symbol, quantity, cooldown_us, created_at,
          status, filled_at, filled_quantity, received_at)
        SELECT 1, 'k' || n, 'record', 'buy', 'S', '1', 3600000000, t, 'filled', t, '1', t
        FROM (SELECT 1 AS n UNION ALL SELECT 2), (SELECT now_us AS t FROM clock)
        """),
    ]
    for verb in [
      "INSERT OR REPLACE INTO", "REPLACE INTO", "INSERT OR IGNORE INTO", "INSERT OR FAIL INTO",
    ] {
      [
        refused(
          "TL101", by: "\(verb), known key", after: State.filled, SQL.reserve(bot: 2, verb: verb)),
        refused(
          "TL101", by: "\(verb), known key of a void trade", after: State.void,
          SQL.reserve(bot: 2, verb: verb)),
        refused(
          "TL107", by: "\(verb), known id", after: State.filled,
          SQL.reserve("k2", bot: 2, verb: verb, with: ["id": "1"])),
        refused(
          "TL10", by: "\(verb), known id and key", after: State.filled,
          SQL.record(bot: 2, verb: verb, with: ["id": "1"])),
      ]
    }
    [
      refused(
        "TL101", by: "INSERT OR ROLLBACK, known key", after: State.filled,
        SQL.reserve(bot: 2, verb: "INSERT OR ROLLBACK INTO")
      ).isolated()
    ]
    for id in ["-1", "- 1"] {
      // The one number that a rule cannot tell from "choose one"; a CHECK and an index can.
      refused(
        "CHECK constraint failed: id > 0", "integer overflow", by: "first trade with id \(id)",
        SQL.record(with: ["id": id]))
    }
    for id in ["0", "-5", "2", "9223372036854775807", "-9223372036854775808"] {
      refused("TL107", by: "first trade with id \(id)", SQL.record(with: ["id": id]))
    }
    [
      refused(
        "TL107", by: "a gap in the ids", after: State.filled,
        SQL.record("k2", bot: 2, with: ["id": "3"])),
      refused(
        "TL107", by: "an id below the others", after: State.filled,
        SQL.record("k2", bot: 2, with: ["id": "0"])),
      refused("TL107", by: "a gap by rowid", SQL.record(with: ["rowid": "7"])),
      refused("datatype mismatch", by: "an id that is a word", SQL.record(with: ["id": "'abc'"])),
      refused("datatype mismatch", by: "an id that is a fraction", SQL.record(with: ["id": "1.5"])),
      admitted(
        "the id that comes next", after: State.filled, SQL.record("k2", bot: 2, with: ["id": "2"])),
      refused(
        "cannot INSERT into generated column", by: "an effective time of its own",
        SQL.record(with: ["effective_at": "5"])),
    ]
  }
}
