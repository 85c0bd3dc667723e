import XCTest

@testable import TradeLedger

/// The rules about time, as tables: cooldown, lease, and when a fill happened.
final class CooldownRuleTests: XCTestCase {
  private struct WaitCase {
    let name: String
    let last: ClockReading
    let now: ClockReading
    let cooldown: Duration
    /// nil: no wait.
    let remaining: Duration?
    var behind: Duration?
  }

  /// INV-1, S-12, S-13, S-17, S-46: `now - last < cooldown` refuses, on the slower of two clocks.
  func testWait_table() {
    let hour = 3600.0
    let cases: [WaitCase] = [
      WaitCase(
        name: "equal is enough", last: reading(100), now: reading(160), cooldown: .seconds(60),
        remaining: nil),
      WaitCase(
        name: "a microsecond less is not", last: reading(100), now: reading(159.999999),
        cooldown: .seconds(60), remaining: .microseconds(1)),
      WaitCase(
        name: "just now", last: reading(100), now: reading(100), cooldown: .seconds(60),
        remaining: .seconds(60)),
      WaitCase(
        name: "zero means zero", last: reading(100), now: reading(100), cooldown: .zero,
        remaining: nil),
      WaitCase(
        name: "the longest cooldown", last: reading(0), now: reading(315_575_999.999999),
        cooldown: BotSettings.longestCooldown, remaining: .microseconds(1)),
      WaitCase(
        name: "both clocks enough", last: reading(100, boot: 10), now: reading(160, boot: 70),
        cooldown: .seconds(60), remaining: nil),
      WaitCase(
        name: "the boot half alone refuses", last: reading(100, boot: 10),
        now: reading(160, boot: 69.999999), cooldown: .seconds(60), remaining: .microseconds(1)),
      WaitCase(
        name: "the wall half alone refuses", last: reading(100, boot: 10),
        now: reading(159.999999, boot: 70), cooldown: .seconds(60), remaining: .microseconds(1)),
      WaitCase(
        name: "wall ahead one hour opens nothing", last: reading(100, boot: 10),
        now: reading(101 + hour, boot: 11), cooldown: .seconds(60), remaining: .seconds(59)),
      WaitCase(
        name: "wall back one hour: longer by the jump", last: reading(2 * hour, boot: 10),
        now: reading(1 * hour + 1, boot: 11), cooldown: .seconds(60),
        remaining: .seconds(3659), behind: .seconds(3600)),
      WaitCase(
        name: "wall back by exactly a second is adjustment", last: reading(100, boot: 10),
        now: reading(100, boot: 11), cooldown: .seconds(60), remaining: .seconds(60)),
      WaitCase(
        name: "wall back by more than a second is named", last: reading(100, boot: 10),
        now: reading(99.999999, boot: 11), cooldown: .seconds(60),
        remaining: .seconds(60) + .microseconds(1), behind: .microseconds(1_000_001)),
      WaitCase(
        name: "no boot clock: wall alone", last: reading(100), now: reading(150, boot: 1),
        cooldown: .seconds(60), remaining: .seconds(10)),
      WaitCase(
        name: "boot clock lost since: wall alone", last: reading(100, boot: 1),
        now: reading(150), cooldown: .seconds(60), remaining: .seconds(10)),
      WaitCase(
        name: "wall behind without boot clock", last: reading(100), now: reading(40),
        cooldown: .seconds(60), remaining: .seconds(120), behind: .seconds(60)),
      WaitCase(
        name: "zero cooldown, wall behind", last: reading(100, boot: 1),
        now: reading(40, boot: 2), cooldown: .zero, remaining: .seconds(60),
        behind: .seconds(61)),
    ]
    for wanted in cases {
      let wait = Cooldown.wait(since: wanted.last, now: wanted.now, cooldown: wanted.cooldown)
      XCTAssertEqual(wait?.remaining, wanted.remaining, wanted.name)
      XCTAssertEqual(wait?.clockBehind, wanted.behind, wanted.name)
    }
  }

  /// S-46: after a reboot, or in another time namespace, the boot clocks do not compare.
  func testWait_ofAnotherBoot_isJudgedByTheWallClockAlone() {
    let last = reading(100, boot: 50_000, id: "before")
    let now = reading(160, boot: 3, id: "after")
    XCTAssertNil(Cooldown.wait(since: last, now: now, cooldown: .seconds(60)))
    let wait = Cooldown.wait(since: last, now: now, cooldown: .seconds(61))
    XCTAssertEqual(wait, Cooldown.Wait(remaining: .seconds(1), clockBehind: nil))
  }

  /// A row of a foreign writer can hold any integer. It must not stop the process.
  func testWait_withAbsurdStoredClocks_doesNotTrap() {
    for absurd in [Int64.min, .min + 1, -1, 0, .max - 1, .max] {
      let last = ClockReading(
        wall: Timestamp(microseconds: 0),
        boot: BootInstant(bootID: "boot-a", microseconds: absurd))
      for boot in [Int64.min, 0, 1_000_000, .max] {
        let now = ClockReading(
          wall: .latest, boot: BootInstant(bootID: "boot-a", microseconds: boot))
        let wait = Cooldown.wait(since: last, now: now, cooldown: .seconds(60))
        let elapsed = Duration.microseconds(boot) - Duration.microseconds(absurd)
        XCTAssertEqual(wait == nil, elapsed >= .seconds(60), "\(absurd) \(boot)")
        _ = Lease(until: .latest, created: last).remaining(at: now)
        _ = FillTime(exchange: nil, created: last, receipt: now)
      }
    }
  }

  // MARK: Lease

  /// A lease is over when both clocks say so, and at its end, not after it.
  func testLease_isOverWhenBothClocksSaySo() {
    let lease = Lease(start: reading(1000, boot: 10), length: .seconds(30))
    XCTAssertEqual(lease.until, reading(1030).wall)
    let table: [(wall: Double, boot: Double, remaining: Double)] = [
      (1000, 10, 30), (1029.999999, 39.999999, 0.000001), (1030, 40, 0), (1031, 41, -1),
      (4600, 10, 30),  // wall ahead: the boot clock still counts
      (4630, 39, 1), (4630, 40, 0),
      (400, 41, 630),  // wall back: longer by the jump
      (1030, 39, 1), (1029, 40, 1),
    ]
    for row in table {
      let now = reading(row.wall, boot: row.boot)
      let expected = Duration.microseconds(Int64((row.remaining * 1_000_000).rounded()))
      XCTAssertEqual(lease.remaining(at: now), expected, "\(row)")
      XCTAssertEqual(lease.isOver(at: now), row.remaining <= 0, "\(row)")
    }
  }

  /// S-46: of another boot, or without a boot clock, the wall clock alone counts.
  func testLease_acrossReboot_isJudgedByTheWallClock() {
    let lease = Lease(start: reading(1000, boot: 10), length: .seconds(30))
    XCTAssertTrue(lease.isOver(at: reading(1030, boot: 1, id: "boot-b")))
    XCTAssertFalse(lease.isOver(at: reading(1029, boot: 9000, id: "boot-b")))
    XCTAssertTrue(lease.isOver(at: reading(1030)))
    XCTAssertFalse(lease.isOver(at: reading(1029)))
    let blind = Lease(start: reading(1000), length: .seconds(30))
    XCTAssertNil(blind.bootUntil)
    XCTAssertTrue(blind.isOver(at: reading(1030, boot: 10)))
  }

  /// The end that a row stores gives back the same lease on both clocks.
  func testLease_rebuiltFromTheRow_isTheSame() {
    let start = reading(1000.123456, boot: 10.5)
    let given = Lease(start: start, length: .milliseconds(1500))
    XCTAssertEqual(Lease(until: given.until, created: start), given)
  }
}
