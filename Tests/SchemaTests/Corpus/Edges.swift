/// The last value that is allowed, and the first that is not (INV-11).
extension Corpus {
  /// The furthest instants that an exchange's or a boot clock may claim, so that no sum overflows.
  private static let exchangeLimit: Int64 = 4_000_000_000_000_000_000
  private static let bootLimit: Int64 = 253_402_300_799_999_999

  static var edges: [Attack] { sizes + instants + leaseEnd + plainText }

  @AttackList private static var sizes: [Attack] {
    admitted("pid 1", SQL.reserve(with: ["pid": "1"]))
    admitted("the largest pid", SQL.reserve(with: ["pid": "2147483647"]))
    admitted("a bot name of 64", "INSERT INTO bots (name) VALUES (\(SQL.long(64)))")
    admitted(
      "an instance with the longest name, host, command and boot id",
      SQL.instance(
        SQL.long(64),
        with: [
          "host": SQL.long(256), "command": SQL.long(4096), "boot_id": SQL.long(128),
        ]))
    admitted(
      "a take-over with the longest host, command and boot id",
      "UPDATE instances SET epoch = 2, host = \(SQL.long(256)), command = \(SQL.long(4096)), "
        + "boot_id = \(SQL.long(128))")
    for (column, value) in [
      ("pid", "1"), ("pid", "2147483647"), ("start_ticks", "0"),
      ("start_ticks", "253402300799999999"), ("since", "0"), ("since", "253402300799999999"),
      ("heartbeat_until", "253402300799999999"),
    ] {
      [
        admitted(
          "an instance with \(column) = \(value)", SQL.instance(with: [column: value])),
        admitted(
          "a take-over with \(column) = \(value)",
          "UPDATE instances SET epoch = 2, \(column) = \(value) WHERE name = 'desk'"),
      ]
    }
    admitted(
      "the longest boot id", SQL.reserve(with: ["boot_id": SQL.long(128), "created_boot_us": "5"]))
    admitted(
      "the longest boot id of a fill", after: State.pending,
      SQL.fill(with: ["filled_boot_id": SQL.long(128), "filled_boot_us": "5"]))
    admitted(
      "the longest boot id of a conflict", after: State.void,
      SQL.conflict(with: ["boot_id": SQL.long(128), "boot_us": "5"]))
    admitted(
      "the longest reason", after: State.pending, SQL.void(with: ["reason": SQL.long(256)]))
    admitted(
      "a reason of one letter", after: State.pending, SQL.void(with: ["reason": "'x'"]))
  }

  @AttackList private static var instants: [Attack] {
    for sign in [-1, 1] as [Int64] {
      let boot = sign * bootLimit
      let exchange = sign * exchangeLimit
      admitted(
        "boot clock \(boot)", SQL.reserve(with: ["boot_id": "'b'", "created_boot_us": "\(boot)"]))
      refused(
        "TL100", by: "boot clock \(boot + sign)",
        SQL.reserve(with: ["boot_id": "'b'", "created_boot_us": "\(boot + sign)"]))
      admitted(
        "a fill at boot clock \(boot)", after: State.pending,
        SQL.fill(with: ["filled_boot_id": "'b'", "filled_boot_us": "\(boot)"]))
      refused(
        "TL114", by: "a fill at boot clock \(boot + sign)", after: State.pending,
        SQL.fill(with: ["filled_boot_id": "'b'", "filled_boot_us": "\(boot + sign)"]))
      admitted(
        "a conflict at boot clock \(boot)", after: State.void,
        SQL.conflict(with: ["boot_id": "'b'", "boot_us": "\(boot)"]))
      refused(
        "TL120", by: "a conflict at boot clock \(boot + sign)", after: State.void,
        SQL.conflict(with: ["boot_id": "'b'", "boot_us": "\(boot + sign)"]))
      admitted(
        "exchange time \(exchange) of a fact",
        SQL.past("p", at: "5", with: ["exchange_at": "\(exchange)"]))
      refused(
        "TL100", by: "exchange time \(exchange + sign) of a fact",
        SQL.past("p", at: "5", with: ["exchange_at": "\(exchange + sign)"]))
      let held = sign < 0 ? "created_at" : SQL.now
      admitted(
        "exchange time \(exchange)", after: State.pending,
        SQL.fill(with: ["exchange_at": "\(exchange)", "filled_at": held]))
      refused(
        "TL114", by: "exchange time \(exchange + sign)", after: State.pending,
        SQL.fill(with: ["exchange_at": "\(exchange + sign)", "filled_at": held]))
      let heldByTrade = sign < 0 ? "(SELECT created_at FROM trades)" : SQL.now
      admitted(
        "exchange time \(exchange) of a conflict", after: State.void,
        SQL.conflict(with: ["exchange_at": "\(exchange)", "at": heldByTrade]))
      refused(
        "TL120", by: "exchange time \(exchange + sign) of a conflict", after: State.void,
        SQL.conflict(with: ["exchange_at": "\(exchange + sign)", "at": heldByTrade]))
    }
    admitted(
      "a fill at the very moment of its order on the boot clock",
      after: [SQL.reserve(with: ["boot_id": "'boot'", "created_boot_us": "50"])],
      SQL.fill(with: ["filled_boot_id": "'boot'", "filled_boot_us": "50"]))
    admitted(
      "a conflict at the very moment of its trade on the boot clock",
      after: [SQL.reserve(with: ["boot_id": "'boot'", "created_boot_us": "50"]), SQL.void()],
      SQL.conflict(bot: 1, with: ["boot_id": "'boot'", "boot_us": "50"]))
  }

  /// The lease of bot 2 ends a millisecond after its trade.
  @AttackList private static var leaseEnd: [Attack] {
    let pending = [SQL.reserve(bot: 2, at: "5000")]
    admitted("in time", in: ownTime, after: pending, SQL.fill(at: "5999"))
    refused(
      "TL114", by: "in time, called late", in: ownTime, after: pending,
      SQL.fill(at: "5999", with: ["late": "1"]))
    admitted(
      "at the end of the lease", in: ownTime, after: pending,
      SQL.fill(at: "6000", with: ["late": "1"]))
    refused(
      "TL114", by: "at the end of the lease, called in time", in: ownTime, after: pending,
      SQL.fill(at: "6000"))
    admitted(
      "a void after the lease by a client with a boot clock", in: ownTime,
      after: [SQL.reserve(bot: 2, at: "5000", with: ["boot_id": "'b'", "created_boot_us": "5"])],
      SQL.void(at: "6000"))
  }

  @AttackList private static var plainText: [Attack] {
    for code in [0, 1, 9, 10, 13, 27, 31, 127] {
      refused(
        "TL114", by: "a reason with character \(code)", after: State.pending,
        SQL.void(with: ["reason": "'a' || char(\(code)) || 'b'"]))
    }
    for code in [32, 34, 39, 126, 160, 8364, 128512] {
      admitted(
        "a reason with character \(code)", after: State.pending,
        SQL.void(with: ["reason": "'a' || char(\(code)) || 'b'"]))
    }
  }
}
