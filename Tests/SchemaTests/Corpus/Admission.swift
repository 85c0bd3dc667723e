/// Attempts that admission must refuse: settings, clock, cooldown, other trades, instances.
extension Corpus {
  static let settingsInForce: [Attack] = [
    refused("TL102", by: "an unknown bot", SQL.reserve(with: ["bot_id": "99"])),
    refused("TL102", by: "a trade of bot 0", SQL.reserve(with: ["bot_id": "0"])),
    refused(
      "TL102", by: "a bot without settings", after: ["INSERT INTO bots (name) VALUES ('new')"],
      SQL.reserve(with: ["bot_id": "5"])),
    refused("TL102", by: "a disabled bot", SQL.reserve(bot: 4)),
    refused("TL102", by: "a record of a disabled bot", SQL.record(bot: 4)),
    refused("TL102", by: "a cooldown of its own", SQL.reserve(with: ["cooldown_us": "0"])),
    refused(
      "TL102", by: "a longer cooldown than set", SQL.reserve(with: ["cooldown_us": "3600000001"])),
    refused(
      "TL102", by: "a record with a cooldown of its own", SQL.record(with: ["cooldown_us": "0"])),
    refused(
      "TL102", by: "a fact of the past with a cooldown of its own",
      SQL.past("p", at: "5", with: ["cooldown_us": "0"])),
    refused(
      "TL102", by: "a lease of its own", SQL.reserve(with: ["lease_until": SQL.now + " + 30000001"])
    ),
    refused("TL10", by: "a reservation without lease", SQL.reserve(with: ["lease_until": "NULL"])),
    refused("TL102", by: "a lease that is over", SQL.reserve(with: ["lease_until": SQL.now])),
    refused(
      "TL102", by: "the cooldown of an older setting", after: [SQL.settings()], SQL.reserve()),
    admitted(
      "the cooldown of the newest setting", after: [SQL.settings()],
      SQL.reserve(with: [
        "cooldown_us": "60000000", "lease_until": SQL.now + " + 1000000",
      ])),
    refused(
      "TL102", by: "a bot disabled since", after: [SQL.settings(with: ["enabled": "0"])],
      SQL.reserve()),
  ]

  @AttackList static var clock: [Attack] {
    for off in ["- 2000000", "+ 2000000", "- 3600000000", "+ 3600000000", "- 1100000", "+ 1100000"]
    {
      at("\(SQL.now) \(off)", "now \(off)")
    }
    clockLimits
  }

  private static func at(_ time: String, _ name: String) -> [Attack] {
    [
      refused("TL103", by: "a trade at \(name)", in: clockedModes, SQL.reserve(at: time)),
      admitted("a simulated trade at \(name)", in: ownTime, SQL.reserve(at: time)),
      refused(
        "TL103", "TL100", by: "a record at \(name)", in: clockedModes, SQL.record(at: time)),
      refused(
        "TL103", "TL100", by: "a record received at \(name)", in: clockedModes,
        SQL.record(with: ["received_at": time])),
      refused(
        "TL103", "TL100", by: "a fact of the past received at \(name)", in: clockedModes,
        SQL.past("p", at: "5", received: time)),
      refused(
        "TL114", by: "a fill received at \(name)", in: clockedModes, after: State.pending,
        SQL.fill(at: "MAX(created_at, \(time))", with: ["received_at": time])),
      refused(
        "TL114", by: "a void received at \(name)", in: clockedModes, after: State.pending,
        SQL.void(at: time)),
      refused(
        "TL120", by: "a conflict received at \(name)", in: clockedModes, after: State.void,
        SQL.conflict(at: time)),
      refused(
        "TL134", by: "settings of \(name)", in: clockedModes, SQL.settings(at: time)),
    ]
  }

  private static let clockLimits: [Attack] = [
    admitted("a trade at now - 0.5 s", SQL.reserve(at: SQL.now + " - 500000")),
    admitted("a trade at now + 0.5 s", SQL.reserve(at: SQL.now + " + 500000")),
    refused(
      "TL103", "TL100", by: "a fact of the past in the future", in: clockedModes,
      SQL.past("p", at: SQL.now + " + 2000000", received: SQL.now + " + 2000000")),
    refused("TL103", by: "a trade before 1970", SQL.past("p", at: "-1")),
    refused("TL103", by: "a simulated trade before 1970", in: ownTime, SQL.record(at: "-1")),
    refused(
      "TL103", by: "a simulated trade after 9999", in: ownTime,
      SQL.record(at: "253402300800000000")),
    refused(
      "TL134", by: "simulated settings before 1970", in: ownTime, SQL.settings(at: "-1")),
    refused(
      "cannot store REAL", by: "a trade at the end of time", SQL.reserve(at: "9223372036854775807")),
  ]

  static let alone: [Attack] = [
    refused(
      "TL105", by: "a second reservation", after: [SQL.reserve(bot: 2)], SQL.reserve("k2", bot: 2)),
    refused(
      "TL105", by: "a record beside a pending trade", after: [SQL.reserve(bot: 2)],
      SQL.record("k2", bot: 2)),
    refused(
      "TL105", by: "a reservation beside an overdue trade", after: State.overdue,
      SQL.reserve("k2", bot: 2)),
    refused(
      "TL105", by: "a reservation beside a doubt under the policy block",
      after: [SQL.reserve(bot: 3, at: SQL.now + " - 500000"), SQL.doubt()],
      SQL.reserve("k2", bot: 3)),
    refused(
      "TL105", by: "a record beside a doubt under the policy block",
      after: [SQL.reserve(bot: 3, at: SQL.now + " - 500000"), SQL.doubt()],
      SQL.record("k2", bot: 3)),
  ]

  private static let takenOver = ["UPDATE instances SET epoch = 2, pid = 101 WHERE name = 'desk'"]

  @AttackList static var fences: [Attack] {
    fenced("reserving") { SQL.reserve(with: $0) }
    fenced("recording") { SQL.record(with: $0) }
    [
      refused(
        "TL104", by: "a fact of the past with an older epoch", after: takenOver,
        SQL.past("p", at: "5", with: ["instance": "'desk'", "epoch": "1"]))
    ]
  }

  private static func fenced(
    _ what: String, _ make: (SQL.Overrides) -> String
  ) -> [Attack] {
    [
      refused(
        "TL104", by: "\(what) with an older epoch", after: takenOver,
        make(["instance": "'desk'", "epoch": "1"])),
      admitted(
        "\(what) with the current epoch", after: takenOver,
        make(["instance": "'desk'", "epoch": "2"])),
      refused(
        "TL104", by: "\(what) with an epoch to come",
        make(["instance": "'desk'", "epoch": "2"])),
      refused("TL104", by: "\(what) with an epoch 0", make(["instance": "'desk'", "epoch": "0"])),
      refused(
        "TL104", by: "\(what) under an unknown name",
        make(["instance": "'nobody'", "epoch": "1"])),
      refused("TL104", by: "\(what) under a name without epoch", make(["instance": "'desk'"])),
      refused("TL104", by: "\(what) with an epoch of nobody", make(["epoch": "1"])),
      refused(
        "TL104", by: "\(what) under another spelling of the name",
        make(["instance": "'Desk'", "epoch": "1"])),
    ]
  }
}
