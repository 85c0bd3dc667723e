/// Attempts that admission must refuse: settings, clock, cooldown, other trades, instances.
extension Corpus {
  static let settingsInForce: [Attack] = [
    refused("TL102", by: "an unknown bot", SQL.reserve(with: ["bot_id": "99"])),
    refused("TL102", by: "a bot 0", SQL.reserve(with: ["bot_id": "0"])),
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
    ["- 2000000", "+ 2000000", "- 3600000000", "+ 3600000000", "- 1100000", "+ 1100000"]
      .flatMap { off -> [Attack] in
        let time = "\(SQL.now) \(off)"
        return [
          refused("TL103", by: "a trade at now \(off)", in: clockedModes, SQL.reserve(at: time)),
          admitted("a simulated trade at now \(off)", in: ownTime, SQL.reserve(at: time)),
          refused(
            "TL103", "TL100", by: "a record at now \(off)", in: clockedModes, SQL.record(at: time)),
          refused(
            "TL103", "TL100", by: "a record received at now \(off)", in: clockedModes,
            SQL.record(with: ["received_at": time])),
          refused(
            "TL103", "TL100", by: "a fact of the past received at now \(off)", in: clockedModes,
            SQL.past("p", at: "5", received: time)),
          refused(
            "TL114", by: "a fill received at now \(off)", in: clockedModes, after: State.pending,
            SQL.fill(at: "MAX(created_at, \(time))", with: ["received_at": time])),
          refused(
            "TL114", by: "a void received at now \(off)", in: clockedModes, after: State.pending,
            SQL.void(at: time)),
          refused(
            "TL120", by: "a conflict received at now \(off)", in: clockedModes, after: State.void,
            SQL.conflict(at: time)),
          refused(
            "TL134", by: "settings of now \(off)", in: clockedModes, SQL.settings(at: time)),
        ]
      }
    clockLimits
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
      "TL", by: "a trade at the end of time", SQL.reserve(at: "9223372036854775807")),
  ]

  /// T is when trade 1 happened. The cooldown of bot 1 is an hour.
  private static let t: Int64 = 1_757_276_933_000_000
  private static let hour: Int64 = 3_600_000_000

  @AttackList static var cooldown: [Attack] {
    wallClock
    bootClock
  }

  @AttackList private static var wallClock: [Attack] {
    [
      ([SQL.record(at: "\(t)")], "a record"),
      ([SQL.reserve(at: "\(t - 5)"), SQL.fill(at: "\(t)")], "a fill"),
      ([SQL.past("p", at: "\(t)", received: "\(t + 9)")], "a fact of the past"),
      (
        [SQL.reserve(at: "\(t)"), SQL.doubt()], "a trade in doubt"
      ),
      (
        [
          SQL.reserve(at: "\(t - 2 * hour)"), SQL.doubt(),
          SQL.fill(at: "\(t)", with: ["late": "1"]),
        ], "a late fill"
      ),
      (
        [
          SQL.reserve(at: "\(t - 2 * hour)"), SQL.void(at: "\(t - 2 * hour)"),
          SQL.conflict(bot: 1, at: "\(t)"),
        ], "a conflict"
      ),
    ].flatMap { setup, what in
      [-1, 0, 1, hour / 2, hour - 1].flatMap { gap in
        [
          refused(
            "TL106", by: "reserving \(gap) us after \(what)", in: ownTime, after: setup,
            SQL.reserve("k2", at: "\(t + gap)")),
          refused(
            "TL106", by: "recording \(gap) us after \(what)", in: ownTime, after: setup,
            SQL.record("k2", at: "\(t + gap)")),
        ]
      } + [
        admitted(
          "reserving an hour after \(what)", in: ownTime, after: setup,
          SQL.reserve("k2", at: "\(t + hour)"))
      ]
    }
    [
      refused(
        "TL106", by: "trading before a trade that lies ahead, without cooldown", in: ownTime,
        after: [SQL.record(bot: 2, at: "\(t)")], SQL.reserve("k2", bot: 2, at: "\(t - 1)")),
      admitted(
        "trading at the same microsecond, without cooldown", in: ownTime,
        after: [SQL.record(bot: 2, at: "\(t)")], SQL.reserve("k2", bot: 2, at: "\(t)")),
      refused("TL106", by: "a second trade now", after: [SQL.record()], SQL.reserve("k2")),
      refused(
        "TL106", by: "a trade after a fact of half an hour ago",
        after: [SQL.past("p", at: SQL.now + " - 1800000000")], SQL.reserve()),
      refused(
        "TL106", by: "a longer cooldown than when the last trade was admitted (S-15)",
        after: [
          SQL.record(bot: 2), SQL.settings(bot: 2),
        ],
        SQL.record(
          "k2", bot: 2, with: ["cooldown_us": "60000000"])),
      // S-11: trade 2 was created last, trade 1 was filled last.
      refused(
        "TL106", by: "a late fill that is newer than the newest trade (S-11)", in: ownTime,
        after: [
          SQL.reserve(bot: 2, at: "\(t)"), SQL.doubt(),
          SQL.record("k2", bot: 2, at: "\(t + 300_000_000)"),
          SQL.fill(at: "\(t + 1_200_000_000)", with: ["late": "1"]),
          SQL.settings(bot: 2, at: "\(t)", with: ["cooldown_us": "900000000"]),
        ],
        SQL.record(
          "k3", bot: 2, at: "\(t + 1_500_000_000)", with: ["cooldown_us": "900000000"])),
    ]
  }

  /// A trade at `wall` and `boot` microseconds after T.
  private static func trade(
    _ key: String, wall: Int64, boot: Int64, of id: String = "one"
  ) -> String {
    SQL.record(
      key, at: "\(t + wall)", with: ["boot_id": "'\(id)'", "created_boot_us": "\(boot)"])
  }

  /// A conflict of a trade of long ago, at T on the wall clock and 0 on the boot clock.
  private static let conflictAtT = [
    SQL.reserve(
      at: "\(t - 2 * hour)", with: ["boot_id": "'one'", "created_boot_us": "\(-2 * hour)"]),
    SQL.void(at: "\(t - 2 * hour)"),
    SQL.conflict(bot: 1, at: "\(t)", with: ["boot_id": "'one'", "boot_us": "0"]),
  ]

  /// The wall clock says that enough time has passed; the boot clock knows better.
  private static let bootClock: [Attack] = [
    refused(
      "TL106", by: "a wall clock that was set ahead", in: ownTime,
      after: [trade("k1", wall: 0, boot: 0)], trade("k2", wall: hour, boot: hour - 1)),
    admitted(
      "enough time on both clocks", in: ownTime, after: [trade("k1", wall: 0, boot: 0)],
      trade("k2", wall: hour, boot: hour)),
    admitted(
      "another boot, whose clock says nothing", in: ownTime,
      after: [trade("k1", wall: 0, boot: 0)], trade("k2", wall: hour, boot: 5, of: "two")),
    admitted(
      "a client without a boot clock", in: ownTime, after: [trade("k1", wall: 0, boot: 0)],
      SQL.record("k2", at: "\(t + hour)")),
    refused(
      "TL106", by: "a boot clock that runs ahead of the wall clock", in: ownTime,
      after: [trade("k1", wall: 0, boot: 0)], trade("k2", wall: hour - 1, boot: 9 * hour)),
    refused(
      "TL106", by: "a wall clock set ahead after a conflict", in: ownTime, after: conflictAtT,
      trade("k2", wall: hour, boot: hour - 1)),
    admitted(
      "an hour on both clocks after a conflict", in: ownTime, after: conflictAtT,
      trade("k2", wall: hour, boot: hour)),
    refused(
      "TL106", by: "a wall clock set ahead after a fill", in: ownTime,
      after: [
        SQL.reserve(at: "\(t)", with: ["boot_id": "'one'", "created_boot_us": "0"]),
        SQL.fill(at: "\(t + 10)", with: ["filled_boot_id": "'one'", "filled_boot_us": "10"]),
      ], trade("k2", wall: hour + 10, boot: hour + 9)),
    // The last trade by the wall clock is then the fact of the past; the first one happened a
    // second ago all the same.
    refused(
      "TL106", by: "a wall clock set ahead, and a fact entered into the gap", in: ownTime,
      after: [
        trade("k1", wall: 0, boot: 0),
        SQL.past(
          "p", at: "\(t + hour)", received: "\(t + 3 * hour)",
          with: ["boot_id": "'one'", "created_boot_us": "\(-2 * hour)"]),
      ], trade("k2", wall: 3 * hour, boot: 1_000_000)),
    refused(
      "TL106", by: "a wall clock set ahead, and two conflicts in the wrong order", in: ownTime,
      after: conflictAtT + [
        SQL.conflict(bot: 1, at: "\(t + 1)", with: ["boot_id": "'one'", "boot_us": "\(-2 * hour)"])
      ], trade("k2", wall: hour + 1, boot: hour - 1)),
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
