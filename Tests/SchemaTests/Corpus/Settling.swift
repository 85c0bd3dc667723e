/// What may not happen to a trade once it is written.
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
        after: State.filled + [SQL.reserve("k2", bot: 2)],
        SQL.fill(2, verb: "UPDATE OR REPLACE", with: ["id": "1"])),
      refused(
        "TL110", by: "one trade over another by key",
        after: State.filled + [SQL.reserve("k2", bot: 2)],
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

  /// All 16 pairs. What the row needs in its new state is brought along.
  @AttackList static var transitions: [Attack] {
    states.flatMap { from, setup in
      [
        ("pending", "UPDATE trades SET status = 'pending', filled_at = NULL, reason = NULL"),
        ("in_doubt", "UPDATE trades SET status = 'in_doubt', filled_at = NULL, reason = NULL"),
        ("filled", SQL.fill(with: ["late": "1"])),
        ("void", SQL.void(with: ["late": "1", "filled_at": "NULL", "filled_quantity": "NULL"])),
      ].map { to, sql in
        let isLegal =
          from == "pending" && to != "pending"
          || from == "in_doubt" && (to == "filled" || to == "void")
        return isLegal
          ? admitted("from \(from) to \(to)", after: setup, sql)
          : refused("TL111", by: "from \(from) to \(to)", after: setup, sql)
      }
    }
    [
      refused(
        "TL11", by: "a status of its own", after: State.pending,
        SQL.fill(with: ["status": "'done'"])),
      refused("TL11", by: "no status", after: State.pending, SQL.fill(with: ["status": "NULL"])),
      refused(
        "TL111", by: "no change at all", after: State.filled, "UPDATE trades SET status = status"),
      refused(
        "TL111", by: "a fill of everything", after: State.filled + [SQL.reserve("k2", bot: 2)],
        "UPDATE trades SET status = 'filled', filled_at = \(SQL.now), received_at = \(SQL.now), "
          + "filled_quantity = quantity, settled_with = token"),
      refused(
        "TL111", by: "void, then fill again (S-09)", after: [SQL.reserve(), SQL.void()],
        SQL.fill()),
      refused(
        "TL111", by: "fill twice (S-09)", after: [SQL.reserve(), SQL.fill()], SQL.fill()),
      refused(
        "TL111", by: "a better price afterwards", after: State.filled,
        "UPDATE trades SET filled_price = '1'"),
      refused(
        "TL111", by: "an earlier fill afterwards", after: State.filled,
        "UPDATE trades SET filled_at = created_at"),
      refused(
        "TL111", by: "a record made void", after: State.recorded,
        SQL.void(with: ["filled_at": "NULL"])),
    ]
  }

  @AttackList static var settlements: [Attack] {
    authority
    lateness
    fillTimes
    outcomes
  }

  @AttackList private static var authority: [Attack] {
    [
      ("NULL", "no token"), ("''", "an empty token"), ("'token-of-somebody-else'", "a wrong token"),
      ("'operator'", "an operator's word"), ("\(SQL.token) || ' '", "almost the token"),
      ("upper(\(SQL.token))", "the token in capitals"),
      ("substr(\(SQL.token), 1, 16)", "the beginning of the token"),
      ("\(SQL.token) || char(0)", "the token and a NUL"),
    ].flatMap { mark, what -> [Attack] in
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
        "TL112", by: "an operator fills with an empty reason", after: State.inDoubt,
        SQL.fill(with: ["late": "1", "settled_with": "'operator'", "reason": "''"])),
      refused(
        "TL112", by: "an operator voids without reason", after: State.inDoubt,
        SQL.void(with: ["late": "1", "settled_with": "'operator'", "reason": nil])),
      refused(
        "TL112", by: "a wrong token for what is in doubt", after: State.inDoubt,
        SQL.fill(with: [
          "late": "1", "settled_with": "'token-of-somebody-else'", "reason": "'seen'",
        ])),
    ]
  }

  private static let lateness: [Attack] = [
    refused(
      "TL113", by: "a doubt while the lease runs", in: clockedModes, after: State.pending,
      SQL.doubt()),
    refused(
      "TL113", by: "a doubt that also fills", after: State.overdue,
      SQL.doubt(with: ["filled_quantity": "'1'"])),
    refused(
      "TL113", by: "a doubt with a price", after: State.overdue,
      SQL.doubt(with: ["filled_price": "'1'"])),
    refused(
      "TL113", by: "a doubt with a mark", after: State.overdue,
      SQL.doubt(with: ["settled_with": SQL.token])),
    refused(
      "TL113", by: "a doubt with a reason", after: State.overdue,
      SQL.doubt(with: ["reason": "'lost'"])),
    refused(
      "TL113", by: "a doubt that is late", after: State.overdue, SQL.doubt(with: ["late": "1"])),
    refused(
      "TL113", by: "a doubt that is superseded", after: State.overdue,
      SQL.doubt(with: ["superseded": "1"])),
    refused(
      "TL113", by: "a doubt with an outcome", after: State.overdue,
      SQL.doubt(with: ["received_at": SQL.now])),
    refused(
      "TL113", by: "a doubt with an exchange time", after: State.overdue,
      SQL.doubt(with: ["exchange_at": SQL.now])),
    refused(
      "TL113", by: "a doubt with a boot time", after: State.overdue,
      SQL.doubt(with: ["filled_boot_id": "'boot'", "filled_boot_us": "5"])),
    refused(
      "TL114", by: "a fill called late in time", after: State.pending,
      SQL.fill(with: ["late": "1"])),
    refused(
      "TL114", by: "a void called late in time", after: State.pending,
      SQL.void(with: ["late": "1"])),
    refused("TL114", by: "an overdue fill not called late", after: State.overdue, SQL.fill()),
    refused("TL114", by: "an overdue void not called late", after: State.overdue, SQL.void()),
    refused("TL114", by: "a fill out of doubt not called late", after: State.inDoubt, SQL.fill()),
    refused("TL114", by: "a void out of doubt not called late", after: State.inDoubt, SQL.void()),
    refused(
      "TL114", by: "an overdue fill that another boot calls in time",
      after: [
        SQL.reserve(
          bot: 2, at: SQL.now + " - 500000",
          with: ["boot_id": "'boot'", "created_boot_us": "5000000"])
      ], SQL.fill(with: ["filled_boot_id": "'later'", "filled_boot_us": "5000100"])),
    refused(
      "TL114", "NOT NULL", by: "neither late nor in time", after: State.pending,
      SQL.fill(with: ["late": "NULL"])),
    refused("TL114", by: "late by two", after: State.overdue, SQL.fill(with: ["late": "2"])),
    refused(
      "TL114", by: "a fill called superseded by nobody", after: State.pending,
      SQL.fill(with: ["superseded": "1"])),
    refused(
      "TL114", by: "a fill whose process had lost its name, not flagged (INV-7)",
      after: [
        SQL.reserve(with: ["instance": "'desk'", "epoch": "1"]),
        "UPDATE instances SET epoch = 2 WHERE name = 'desk'",
      ], SQL.fill()),
    refused(
      "TL114", by: "a void whose process had lost its name, not flagged (INV-7)",
      after: [
        SQL.reserve(with: ["instance": "'desk'", "epoch": "1"]),
        "UPDATE instances SET epoch = 2 WHERE name = 'desk'",
      ], SQL.void()),
    refused(
      "TL114", by: "a fill flagged though its process holds its name",
      after: [SQL.reserve(with: ["instance": "'desk'", "epoch": "1"])],
      SQL.fill(with: ["superseded": "1"])),
  ]

  /// Rows of CHECK constraints, too, where those are not switched off.
  private static let fillTimes: [Attack] = [
    refused(
      "TL114", by: "a fill before its order", after: State.pending,
      SQL.fill(with: ["filled_at": "created_at - 1"])),
    refused(
      "TL114", by: "a fill in the future", after: State.pending,
      SQL.fill(with: ["filled_at": SQL.now + " + 1"])),
    refused(
      "TL114", by: "a fill in an hour", after: State.pending,
      SQL.fill(with: ["filled_at": SQL.now + " + 3600000000"])),
    refused(
      "TL114", by: "a fill dated back without the exchange's word",
      after: [SQL.reserve(at: SQL.now + " - 500000")], SQL.fill(with: ["filled_at": "created_at"])),
    refused(
      "TL114", by: "a fill at another time than the exchange's",
      after: [SQL.reserve(at: SQL.now + " - 500000")],
      SQL.fill(with: ["exchange_at": "created_at + 5"])),
    admitted(
      "a fill at the exchange's time", after: [SQL.reserve(at: SQL.now + " - 500000")],
      SQL.fill(with: ["exchange_at": "created_at + 5", "filled_at": "created_at + 5"])),
    admitted(
      "an exchange whose clock is behind", after: State.pending,
      SQL.fill(with: ["exchange_at": "5", "filled_at": "created_at"])),
    admitted(
      "an exchange whose clock is ahead", after: State.pending,
      SQL.fill(with: ["exchange_at": "4000000000000000000"])),
    refused(
      "TL114", by: "an exchange time that no sum can hold", after: State.pending,
      SQL.fill(with: ["exchange_at": "-9223372036854775808", "filled_at": "created_at"])),
    refused(
      "CHECK", "TL114", by: "a fill at no time", after: State.pending,
      SQL.fill(with: ["filled_at": "NULL"])),
    refused(
      "TL114", by: "a fill without receipt", after: State.pending,
      SQL.fill(with: ["received_at": "NULL"])),
    refused(
      "CHECK", "TL114", by: "a boot clock without boot", after: State.pending,
      SQL.fill(with: ["filled_boot_us": "5"])),
    refused(
      "CHECK", "TL114", by: "a boot without clock", after: State.pending,
      SQL.fill(with: ["filled_boot_id": "'boot'"])),
    refused(
      "TL114", by: "a boot clock at the end of time", after: State.pending,
      SQL.fill(with: ["filled_boot_id": "'boot'", "filled_boot_us": "9223372036854775807"])),
    refused(
      "TL114", by: "a boot clock at the beginning of time", after: State.pending,
      SQL.fill(with: ["filled_boot_id": "'boot'", "filled_boot_us": "-9223372036854775808"])),
    refused(
      "TL114", by: "a boot id that no reader can take", after: State.pending,
      SQL.fill(with: ["filled_boot_id": SQL.long(129), "filled_boot_us": "5"])),
    refused(
      "TL114", by: "a fill before its order on the boot clock",
      after: [SQL.reserve(with: ["boot_id": "'boot'", "created_boot_us": "50"])],
      SQL.fill(with: ["filled_boot_id": "'boot'", "filled_boot_us": "49"])),
  ]

  @AttackList private static var outcomes: [Attack] {
    [
      ("'a' || char(0) || 'b'", "with a NUL"), ("'a' || char(10)", "of two lines"),
      ("char(27) || '[2J'", "with an escape sequence"), ("char(127)", "with a DEL"),
      (SQL.long(257), "of 257 bytes"), ("'a' || char(0) || \(SQL.long(999))", "long behind a NUL"),
    ].flatMap { text, what -> [Attack] in
      [
        refused(
          "TL112", "TL114", by: "a reason \(what)", after: State.pending,
          SQL.void(with: ["reason": text])),
        refused(
          "TL112", "TL114", by: "a fill with a reason \(what)", after: State.pending,
          SQL.fill(with: ["reason": text])),
        refused(
          "TL112", "TL114", by: "an operator's reason \(what)", after: State.inDoubt,
          SQL.void(with: ["late": "1", "settled_with": "'operator'", "reason": text])),
      ]
    }
    [
      refused(
        "TL114", by: "a void without reason", after: State.pending, SQL.void(with: ["reason": nil])),
      refused(
        "TL114", by: "a void with an empty reason", after: State.pending,
        SQL.void(with: ["reason": "''"])),
      refused(
        "TL114", by: "a fill with an empty reason", after: State.pending,
        SQL.fill(with: ["reason": "''"])),
      refused(
        "CHECK", "TL114", by: "a void at a time", after: State.pending,
        SQL.void(with: ["filled_at": SQL.now])),
      refused(
        "TL114", by: "a void with a quantity", after: State.pending,
        SQL.void(with: ["filled_quantity": "'1'"])),
      refused(
        "TL114", by: "a void with a price", after: State.pending,
        SQL.void(with: ["filled_price": "'1'"])),
      refused(
        "TL114", by: "a void with an exchange time", after: State.pending,
        SQL.void(with: ["exchange_at": SQL.now])),
      refused(
        "TL114", by: "a void on the boot clock", after: State.pending,
        SQL.void(with: ["filled_boot_id": "'boot'", "filled_boot_us": "5"])),
      refused(
        "TL114", by: "a fill without quantity", after: State.pending,
        SQL.fill(with: ["filled_quantity": nil])),
    ]
  }
}
