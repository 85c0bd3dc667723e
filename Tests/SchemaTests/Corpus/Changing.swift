/// What may not happen to a trade once it is written: the order stays, the outcome is final, and
/// only who is entitled to it says it.
extension Corpus {
  /// The columns of an order, each with another value that would be legal in it.
  private static let fixedColumns: [(String, String)] = [
    ("id", "2"), ("rowid", "2"), ("_rowid_", "2"), ("oid", "2"), ("bot_id", "3"), ("key", "'k9'"),
    ("origin", "'record'"), ("side", "'sell'"), ("symbol", "'ETH-USD'"), ("quantity", "'5'"),
    ("price", "'5'"), ("cooldown_us", "1"), ("token", "'token-of-somebody-else'"), ("pid", "5"),
    ("instance", "'desk'"), ("epoch", "1"), ("created_at", "created_at - 1"),
    ("lease_until", "lease_until + 1"), ("boot_id", "'boot'"), ("created_boot_us", "5"),
  ]

  @AttackList static var immutability: [Attack] {
    fixedColumns.flatMap { column, value in
      [
        refused(
          "TL11", by: "\(column) of a pending trade", after: State.pending,
          "UPDATE trades SET \(column) = \(value)"),
        refused(
          "TL110", by: "\(column), together with a fill", after: State.pending,
          SQL.fill(with: [column: value])),
        refused(
          "TL110", by: "\(column), together with a void", after: State.pending,
          SQL.void(with: [column: value])),
        refused(
          "TL110", by: "\(column), together with a doubt", after: State.overdue,
          SQL.doubt(with: [column: value])),
        refused(
          "TL11", by: "\(column) of a filled trade", after: State.filled,
          "UPDATE trades SET \(column) = \(value)"),
        refused(
          "TL11", by: "\(column) of a void trade", after: State.void,
          "UPDATE OR REPLACE trades SET \(column) = \(value)"),
      ]
    }
    [
      refused(
        "TL110", by: "one trade over another by id",
        after: State.filled + [SQL.reserve("k2")],
        SQL.fill(2, verb: "UPDATE OR REPLACE", with: ["id": "1"])),
      refused(
        "TL110", by: "one trade over another by key",
        after: State.filled + [SQL.reserve("k2")],
        SQL.fill(2, verb: "UPDATE OR REPLACE", with: ["key": "'k1'"])),
      refused(
        "cannot UPDATE generated column", by: "the effective time", after: State.filled,
        "UPDATE trades SET effective_at = 5"),
      refused(
        "cannot modify", by: "the view of counted trades", after: State.filled,
        "DELETE FROM counted_trades"),
    ]
  }

  private static let states: [(String, [String])] = [
    ("pending", State.overdue), ("in_doubt", State.inDoubt), ("filled", State.filled),
    ("void", State.void),
  ]

  private static let legalChanges = [
    "pending to filled", "pending to void", "pending to in_doubt", "in_doubt to filled",
    "in_doubt to void",
  ]

  /// All 16 pairs. What the row needs in its new state is brought along.
  @AttackList static var transitions: [Attack] {
    for (from, setup) in states {
      for (to, sql) in [
        ("pending", "UPDATE trades SET status = 'pending', filled_at = NULL, reason = NULL"),
        ("in_doubt", "UPDATE trades SET status = 'in_doubt', filled_at = NULL, reason = NULL"),
        ("filled", SQL.fill(with: ["late": "1"])),
        ("void", SQL.void(with: ["late": "1", "filled_at": "NULL", "filled_quantity": "NULL"])),
      ] {
        legalChanges.contains("\(from) to \(to)")
          ? admitted("from \(from) to \(to)", after: setup, sql)
          : refused("TL11", by: "from \(from) to \(to)", after: setup, sql)
      }
    }
    [
      refused(
        "TL11", by: "a status of its own", after: State.pending,
        SQL.fill(with: ["status": "'done'"])),
      refused("TL11", by: "no status", after: State.pending, SQL.fill(with: ["status": "NULL"])),
      refused(
        "TL11", by: "no change at all", after: State.filled, "UPDATE trades SET status = status"),
      refused(
        "TL11", by: "a fill of everything", after: State.filled + [SQL.reserve("k2", bot: 2)],
        "UPDATE trades SET status = 'filled', filled_at = \(SQL.now), received_at = \(SQL.now), "
          + "filled_quantity = quantity, settled_with = token"),
      refused(
        "TL111", by: "void, then fill again (S-09)", after: [SQL.reserve(), SQL.void()],
        SQL.fill()),
      refused(
        "TL111", by: "fill twice (S-09)", after: [SQL.reserve(), SQL.fill()], SQL.fill()),
      refused(
        "TL11", by: "a better price afterwards", after: State.filled,
        "UPDATE trades SET filled_price = '1'"),
      refused(
        "TL11", by: "an earlier fill afterwards", after: State.filled,
        "UPDATE trades SET filled_at = created_at"),
      refused(
        "TL11", by: "a record made void", after: State.recorded,
        SQL.void(with: ["filled_at": "NULL"])),
    ]
  }

  @AttackList static var authority: [Attack] {
    for (mark, what) in [
      ("NULL", "no token"), ("''", "an empty token"), ("'token-of-somebody-else'", "a wrong token"),
      ("'operator'", "an operator's word"), ("\(SQL.token) || ' '", "almost the token"),
      ("upper(\(SQL.token))", "the token in capitals"),
      ("substr(\(SQL.token), 1, 16)", "the beginning of the token"),
      ("\(SQL.token) || char(0)", "the token and a NUL"),
    ] {
      [
        refused(
          "TL112", by: "a fill with \(what) (S-10)", after: State.pending,
          SQL.fill(with: ["settled_with": mark, "reason": "'because'"])),
        refused(
          "TL112", by: "a void with \(what) (S-10)", after: State.pending,
          SQL.void(with: ["settled_with": mark])),
      ]
    }
    [
      refused(
        "TL112", by: "an operator settles an overdue trade that nobody has called in doubt",
        after: State.overdue,
        SQL.fill(with: ["late": "1", "settled_with": "'operator'", "reason": "'seen'"])),
      refused(
        "TL112", by: "an operator fills without reason", after: State.inDoubt,
        SQL.fill(with: ["late": "1", "settled_with": "'operator'"])),
      refused(
        "TL11", by: "an operator fills with an empty reason", after: State.inDoubt,
        SQL.fill(with: ["late": "1", "settled_with": "'operator'", "reason": "''"])),
      refused(
        "TL11", by: "an operator voids without reason", after: State.inDoubt,
        SQL.void(with: ["late": "1", "settled_with": "'operator'", "reason": nil])),
      refused(
        "TL112", by: "a wrong token for what is in doubt", after: State.inDoubt,
        SQL.fill(with: [
          "late": "1", "settled_with": "'token-of-somebody-else'", "reason": "'seen'",
        ])),
    ]
  }
}
