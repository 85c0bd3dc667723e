/// Numbers and types (INV-11).
extension Corpus {
  @AttackList static var amounts: [Attack] {
    for text in badAmounts {
      [
        refused("TL100", by: "quantity \(text)", SQL.reserve(with: ["quantity": text])),
        refused("TL100", by: "price \(text)", SQL.reserve(with: ["price": text])),
        refused(
          "TL100", by: "recorded quantity \(text)", SQL.record(with: ["filled_quantity": text])),
        refused("TL100", by: "recorded price \(text)", SQL.record(with: ["filled_price": text])),
        refused(
          "TL114", by: "filled quantity \(text)", after: State.pending,
          SQL.fill(with: ["filled_quantity": text])),
        refused(
          "TL114", by: "filled price \(text)", after: State.pending,
          SQL.fill(with: ["filled_price": text])),
        refused(
          "TL120", by: "quantity \(text) of a conflict", after: State.void,
          SQL.conflict(with: ["quantity": text])),
        refused(
          "TL120", by: "price \(text) of a conflict", after: State.void,
          SQL.conflict(with: ["price": text])),
      ]
    }
    for text in [
      "'1'", "'0.5'", "'10'", "'100.05'", "'0.000000000000000001'",
      "'999999999999999999.999999999999999999'", "7", "1.5",
    ] {
      [
        admitted(
          "good quantity \(text)", SQL.record(with: ["quantity": text, "filled_quantity": text])),
        admitted(
          "good fill \(text)", after: State.pending,
          SQL.fill(with: ["filled_quantity": text, "filled_price": text])),
        admitted(
          "good conflict \(text)", after: State.void,
          SQL.conflict(with: ["quantity": text, "price": text])),
      ]
    }
  }

  private static let badAmounts = [
    "''", "'0'", "'0.0'", "'00'", "'-1'", "'+1'", "'1e3'", "'1,5'", "'.5'", "'5.'", "'01'",
    "'00.5'", "'1.50'", "'1.'", "'.'", "'1.2.3'", "'1..2'", "' 1'", "'1 '", "'12abc'", "'0x10'",
    "'NaN'",
    "'Inf'", "'١٢'", "'１'", "'1' || char(0)", "'1' || char(0) || '5'", "char(0) || '1'",
    "'1' || char(10)", "'1234567890123456789'", "'0.1234567890123456789'",
    "'1234567890123456789012345678901234567890'", "1e400", "-1", "0", "1.0", "1e30",
    "CAST(x'31ff' AS TEXT)",
  ]

  @AttackList static var types: [Attack] {
    for column in [
      "bot_id", "cooldown_us", "pid", "created_at", "lease_until", "late", "superseded",
    ] {
      for value in ["'abc'", "1.5", "1e400", "x'31'", "'1.5'", "''"] {
        refused("cannot store", by: "\(column) = \(value)", SQL.reserve(with: [column: value]))
      }
    }
    for column in ["key", "origin", "side", "symbol", "quantity", "price", "token", "status"] {
      refused("cannot store", by: "a blob as \(column)", SQL.reserve(with: [column: "x'3132'"]))
    }
    [
      refused(
        "TL1", "NOT NULL", by: "a quantity that is not a number (NULL)",
        SQL.reserve(with: ["quantity": "1e400 - 1e400"])),
      refused(
        "cannot store", by: "a fill at a time that is a word", after: State.pending,
        SQL.fill(with: ["filled_at": "'now'"])),
      refused(
        "cannot store", by: "a cooldown that is a word",
        SQL.settings(with: ["cooldown_us": "'15m'"])),
      refused("cannot store", by: "settings at a fraction", SQL.settings(with: ["at": "0.5"])),
      refused(
        "cannot store", by: "an epoch that is a word", SQL.instance(with: ["epoch": "'first'"])),
    ]
  }
}
