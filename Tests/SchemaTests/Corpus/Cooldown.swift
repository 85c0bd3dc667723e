/// The cooldown, on the wall clock and on the boot clock (INV-1).
extension Corpus {
  /// T is when trade 1 happened. The cooldown of bot 1 is an hour.
  private static let t: Int64 = 1_757_276_933_000_000
  private static let hour: Int64 = 3_600_000_000

  @AttackList static var cooldown: [Attack] {
    wallClock
    bootClock
  }

  /// A trade, or what is left of it, that counts from T on.
  private static let counted: [(String, [String])] = [
    ("a record", [SQL.record(at: "\(t)")]),
    ("a fill", [SQL.reserve(at: "\(t - 5)"), SQL.fill(at: "\(t)")]),
    ("a fact of the past", [SQL.past("p", at: "\(t)", received: "\(t + 9)")]),
    ("a trade in doubt", [SQL.reserve(at: "\(t)"), SQL.doubt()]),
    (
      "a late fill",
      [SQL.reserve(at: "\(t - 2 * hour)"), SQL.doubt(), SQL.fill(at: "\(t)", with: ["late": "1"])]
    ),
    (
      "a conflict",
      [
        SQL.reserve(at: "\(t - 2 * hour)"), SQL.void(at: "\(t - 2 * hour)"),
        SQL.conflict(bot: 1, at: "\(t)"),
      ]
    ),
  ]

  /// S-13, S-14: a sliding window; the cooldown itself is enough, a microsecond less is not.
  @AttackList private static var wallClock: [Attack] {
    for (what, setup) in counted {
      for gap in [-1, 0, 1, hour / 2, hour - 1] {
        refused(
          "TL106", by: "reserving \(gap) us after \(what)", in: ownTime, after: setup,
          SQL.reserve("k2", at: "\(t + gap)"))
        refused(
          "TL106", by: "recording \(gap) us after \(what)", in: ownTime, after: setup,
          SQL.record("k2", at: "\(t + gap)"))
      }
      admitted(
        "reserving an hour after \(what)", in: ownTime, after: setup,
        SQL.reserve("k2", at: "\(t + hour)"))
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
      "another boot, whose clock says nothing of a conflict", in: ownTime,
      after: Array(conflictAtT.dropLast()) + [
        SQL.conflict(bot: 1, at: "\(t)", with: ["boot_id": "'two'", "boot_us": "\(9 * hour)"])
      ], trade("k2", wall: hour, boot: hour)),
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
}
