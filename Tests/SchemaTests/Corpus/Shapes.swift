/// Rows that are no trade: missing parts, parts of another kind of trade, names and amounts that
/// the library would never take, and values too large for any reader.
extension Corpus {
  @AttackList static var shapes: [Attack] {
    for (status, what) in [
      ("'filled'", "a reservation that is filled"), ("'void'", "a reservation that is void"),
      ("'in_doubt'", "a reservation in doubt"),
      ("'open'", "a reservation with a status of its own"),
    ] {
      refused("TL100", by: what, SQL.reserve(with: ["status": status]))
    }
    for (column, value) in [
      ("filled_at", SQL.now), ("received_at", SQL.now), ("exchange_at", SQL.now),
      ("filled_price", "'1'"), ("filled_quantity", "'1'"), ("reason", "'because'"),
      ("settled_with", SQL.token), ("late", "1"), ("superseded", "1"), ("late", "2"),
      ("filled_boot_id", "'boot'"), ("filled_boot_us", "5"),
      ("token", "NULL"), ("boot_id", "'boot'"), ("created_boot_us", "5"), ("side", "'hold'"),
      ("side", "'BUY'"), ("origin", "'import'"), ("pid", "0"), ("pid", "-1"),
      ("pid", "2147483648"), ("exchange_at", "9223372036854775807"),
    ] {
      refused(
        "TL100", by: "a reservation with \(column) = \(value)", SQL.reserve(with: [column: value]))
    }
    for (column, value) in [
      ("status", "'pending'"), ("status", "'void'"), ("token", SQL.token),
      ("lease_until", SQL.now), ("filled_at", SQL.now + " - 1"), ("filled_at", SQL.now + " + 1"),
      ("filled_at", "NULL"), ("filled_quantity", "NULL"), ("received_at", "NULL"),
      ("received_at", SQL.now + " - 1"), ("settled_with", "'operator'"), ("late", "1"),
      ("superseded", "1"), ("reason", "'because'"), ("filled_boot_id", "'boot'"),
      ("exchange_at", "9223372036854775807"), ("exchange_at", "-9223372036854775808"),
    ] {
      refused("TL100", by: "a record with \(column) = \(value)", SQL.record(with: [column: value]))
    }
    for (time, what) in [
      ("9223372036854775807", "the end"), ("-9223372036854775808", "the beginning"),
      ("253402300800000000", "the year 10000"),
    ] {
      refused(
        "TL100", by: "a reservation with a boot clock at \(what) of time",
        SQL.reserve(with: ["boot_id": "'boot'", "created_boot_us": time]))
    }
    [
      refused(
        "TL100", by: "a reservation with a boot id that no reader can take",
        SQL.reserve(with: ["boot_id": SQL.long(129), "created_boot_us": "5"])),
      refused(
        "TL100", by: "a boot id hidden behind a NUL",
        SQL.reserve(with: ["boot_id": "'b' || char(0) || \(SQL.long(200))", "created_boot_us": "5"])
      ),
      refused(
        "TL100", by: "a reservation as a fact of the past", SQL.reserve(with: ["origin": "'past'"])),
      refused(
        "TL100", by: "a pending fact of the past",
        SQL.past("p", at: "5", with: ["status": "'pending'", "filled_at": "NULL"])),
    ]
    for column in [
      "bot_id", "key", "origin", "side", "symbol", "quantity", "cooldown_us", "created_at",
      "status", "late", "superseded",
    ] {
      for verb in ["INSERT INTO", "INSERT OR REPLACE INTO", "INSERT OR FAIL INTO"] {
        // Which rule says no first is of no matter; that none of them lets a NULL through is.
        refused(
          "TL1", "NOT NULL", by: "\(verb) with \(column) = NULL",
          SQL.reserve(verb: verb, with: [column: "NULL"]))
      }
    }
  }

  @AttackList static var names: [Attack] {
    for (text, what) in badNames {
      [
        refused("TL100", by: "a symbol that is \(what)", SQL.reserve(with: ["symbol": text])),
        refused(
          "TL130", by: "a bot name that is \(what)", "INSERT INTO bots (name) VALUES (\(text))"),
        refused("TL140", by: "an instance name that is \(what)", SQL.instance(text)),
      ]
    }
    for (text, what) in badKeys {
      refused("TL100", by: "a key that is \(what)", SQL.reserve(with: ["key": text]))
    }
    for (text, what) in badKeys.dropFirst() {
      refused("TL100", by: "a token that is \(what)", SQL.reserve(with: ["token": text]))
    }
    [
      refused("TL100", by: "a token of 15", SQL.reserve(with: ["token": "'0123456789abcde'"])),
      refused(
        "TL100", by: "a token of 16 of which one hides behind a NUL",
        SQL.reserve(with: ["token": "'0123456789abcdef' || char(0)"])),
      admitted("a token of 16", SQL.reserve(with: ["token": "'0123456789abcdef'"])),
      admitted("a token of 128", SQL.reserve(with: ["token": SQL.long(128)])),
      admitted("a key of 128", SQL.reserve(with: ["key": SQL.long(128)])),
      admitted("a key of one", SQL.reserve(with: ["key": "'~'"])),
      admitted("a symbol of 64", SQL.reserve(with: ["symbol": SQL.long(64)])),
      refused("TL100", by: "a symbol of 65", SQL.reserve(with: ["symbol": SQL.long(65)])),
      refused(
        "TL130", by: "a bot name of 65", "INSERT INTO bots (name) VALUES (\(SQL.long(65)))"),
      refused("TL140", by: "an instance name of 65", SQL.instance(SQL.long(65))),
    ]
  }

  private static let badNames: [(String, String)] = [
    ("''", "empty"), ("'a b'", "two words"), ("' a'", "indented"), ("'-a'", "an option"),
    ("'a' || char(0)", "a followed by NUL"), ("'a' || char(0) || 'b'", "a, NUL, b"),
    ("char(0)", "NUL"), ("'a' || char(10)", "a and a line break"),
    ("char(27) || '[31m'", "an escape sequence"), ("'a' || char(127)", "a and DEL"),
    ("'it''s'", "quoted"), ("'a\"b'", "double-quoted"), ("'''; DROP TABLE trades; --'", "SQL"),
    ("'a' || char(8238) || 'b'", "written right to left"), ("char(1072)", "a Cyrillic a"),
    ("'a,b'", "a list"), ("'a\\b'", "a path of another system"), ("'a`b'", "a command"),
    ("CAST(x'ff' AS TEXT)", "no UTF-8"), ("CAST(x'6100ff' AS TEXT)", "no UTF-8 behind a NUL"),
    ("'é'", "accented"), ("'%s'", "a format"),
  ]

  private static let badKeys: [(String, String)] = [
    ("''", "empty"), (SQL.long(129), "of 129 characters"), ("'0123456789abcdef 0'", "two words"),
    ("'0123456789abcdef' || char(10)", "a line"),
    ("'0123456789abcdef' || char(0) || 'x'", "cut by a NUL"),
    ("'0123456789abcdef' || char(0) || \(SQL.long(200))", "long behind a NUL"),
    ("'0123456789abcdefé'", "accented"), ("'0123456789abcdef' || char(8238)", "right to left"),
    ("CAST(x'30313233343536373839616263646566ff' AS TEXT)", "no UTF-8"),
  ]
}

extension SQL {
  /// A word of `count` letters.
  static func long(_ count: Int) -> String { "'\(String(repeating: "a", count: count))'" }
}
