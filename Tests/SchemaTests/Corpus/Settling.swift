/// Outcomes that are told wrongly: in doubt too early, late or not, at the wrong time, with less or
/// more than an outcome has.
extension Corpus {
  static let lateness: [Attack] = [
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
    refused(
      "CHECK", "TL114", by: "late by two", after: State.overdue, SQL.fill(with: ["late": "2"])),
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
  static let fillTimes: [Attack] = [
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
      "TL114", by: "a fill with a boot clock at the end of time", after: State.pending,
      SQL.fill(with: ["filled_boot_id": "'boot'", "filled_boot_us": "9223372036854775807"])),
    refused(
      "TL114", by: "a fill with a boot clock at the beginning of time", after: State.pending,
      SQL.fill(with: ["filled_boot_id": "'boot'", "filled_boot_us": "-9223372036854775808"])),
    refused(
      "TL114", by: "a fill with a boot id that no reader can take", after: State.pending,
      SQL.fill(with: ["filled_boot_id": SQL.long(129), "filled_boot_us": "5"])),
    refused(
      "TL114", by: "a fill before its order on the boot clock",
      after: [SQL.reserve(with: ["boot_id": "'boot'", "created_boot_us": "50"])],
      SQL.fill(with: ["filled_boot_id": "'boot'", "filled_boot_us": "49"])),
  ]

  @AttackList static var outcomes: [Attack] {
    for (text, what) in [
      ("'a' || char(0) || 'b'", "with a NUL"), ("'a' || char(10)", "of two lines"),
      ("char(27) || '[2J'", "with an escape sequence"), ("char(127)", "with a DEL"),
      (SQL.long(257), "of 257 bytes"), ("'a' || char(0) || \(SQL.long(999))", "long behind a NUL"),
    ] {
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
