internal import Foundation
internal import LedgerTestSupport
internal import XCTest

/// S-17 on a live ledger, with the system's own clock: each call is a process of its own whose wall
/// clock may be an hour off, in SQLite and in the triggers too. The boot clock is always true.
final class FakedClockTests: CommandLineTestCase {
  private static let hour = 3_600_000_000
  private static let quarter = 900_000_000

  override func setUpWithError() throws {
    if let reason = FakedClock.unavailable { throw XCTSkip(reason) }
  }

  private func run(_ arguments: [String], wall: String) -> BuiltBinary.Result {
    let command = FakedClock.wall(wall) + [BuiltBinary.path, "--db", ledger] + arguments
    return BuiltBinary.run(command[0], Array(command.dropFirst()), timeout: 30)
  }

  /// Asks for the bot under a wall clock that is off by `wall`, and insists on a denial.
  private func denial(
    _ wall: String, _ reason: String, file: StaticString = #filePath, line: UInt = #line
  ) -> (wait: Int, behind: Int?) {
    let result = run(["reserve", "m", "--json"] + Self.order, wall: wall)
    expect(result, 1, "at \(wall)", file: file, line: line)
    let answer = json(result, file: file, line: line)
    XCTAssertEqual(answer["reason"] as? String, reason, "at \(wall)", file: file, line: line)
    return (answer["retry_after_us"] as? Int ?? -1, answer["clock_behind_us"] as? Int)
  }

  private func findings() -> [String] {
    let audit = json(run(["audit", "--json", "--exit-zero"]))
    let findings = audit["findings"] as? [[String: Any]] ?? []
    return findings.compactMap { $0["check"] as? String }.sorted()
  }

  /// S-17: forward one hour. The lease still runs, the fill is on time, the cooldown is not over.
  func testReserve_wallClockAnHourAhead_opensNothingEarly() {
    makeLedger()
    let trade = reserve()
    let pending = denial("+1h", "in_progress")
    XCTAssertTrue((1...30_000_000).contains(pending.wait), "\(pending)")
    let fill = run(["fill", trade.id, "--token", trade.token, "--json"], wall: "+1h")
    expect(fill, 0)
    XCTAssertEqual((json(fill)["trade"] as? [String: Any])?["late"] as? Bool, false)
    let cooldown = denial("+1h", "cooldown")
    XCTAssertTrue((Self.quarter - 60_000_000...Self.quarter).contains(cooldown.wait), "\(cooldown)")
    XCTAssertNil(cooldown.behind)
    // The clock is put right: the fill now lies ahead, which lengthens the wait by that much at most.
    let corrected = denial("+0", "cooldown")
    XCTAssertLessThanOrEqual(corrected.wait, Self.quarter + Self.hour)
    XCTAssertEqual(Double(corrected.behind ?? 0), Double(Self.hour), accuracy: 60e6)
  }

  /// S-17: back one hour. The cooldown holds, the denial says what is wrong with the clock.
  func testReserve_wallClockAnHourBack_saysClockBehind() {
    makeLedger()
    let trade = reserve()
    expect(run(["fill", trade.id, "--token", trade.token]), 0)
    let back = denial("-1h", "cooldown")
    XCTAssertEqual(Double(back.behind ?? 0), Double(Self.hour), accuracy: 60e6)
    XCTAssertLessThanOrEqual(back.wait, Self.quarter + Self.hour)
    XCTAssertGreaterThan(back.wait, Self.hour)
    let right = denial("+0", "cooldown")
    XCTAssertNil(right.behind)
    XCTAssertLessThanOrEqual(right.wait, Self.quarter, "nothing is left of the jump")
  }

  /// S-17: the audit says so. The exchange's clock is right; the ledger's was an hour off.
  func testAudit_ofTradesUnderAWrongClock_findsTheClock() {
    for wall in ["-1h", "+1h"] {
      setUp()
      makeLedger()
      let reserved = json(run(["reserve", "m", "--json"] + Self.order, wall: wall))
      let token = (reserved["permit"] as? [String: Any])?["token"] as? String ?? "?"
      let now = ISO8601DateFormatter().string(from: Date())
      let fill = run(["fill", "1", "--token", token, "--filled-at", now], wall: wall)
      expect(fill, 0, "no fill is refused for its time")
      XCTAssertEqual(findings(), ["clock"], wall)
      _ = denial("+0", "cooldown")
    }
    setUp()
    makeLedger()
    let trade = reserve()
    expect(run(["fill", trade.id, "--token", trade.token]), 0)
    XCTAssertEqual(findings(), [], "under the true clock there is nothing to find")
  }

  /// S-17 and INV-11: Python's sqlite3, which knows the file alone. The triggers' own clock is as
  /// wrong as the client's; the boot clock in the rows is not.
  func testInsert_byPythonUnderAWrongClock_isHeldByTheBootClock() throws {
    makeLedger()
    let trade = reserve()
    expect(run(["fill", trade.id, "--token", trade.token]), 0)
    for wall in ["+0", "+1h", "-1h"] {
      XCTAssertEqual(try insert(wall, boot: true), "TL106", wall)
    }
    // Without the boot clock the wall clock alone decides: it refuses what lies behind the last trade.
    XCTAssertEqual(try insert("-1h", boot: false), "TL106")
    // Once the wait is over by both clocks it is admitted: the refusals were not for another reason.
    expect(run(["bot", "set", "m", "--cooldown", "0s"]), 0)
    // A wrong time that the client gives while the machine's clock is right.
    XCTAssertEqual(try insert("+0", boot: true, ahead: Self.hour), "TL103")
    XCTAssertEqual(try insert("+1h", boot: true), "admitted")
  }

  /// Inserts a trade as a foreign client would: the time is its own, and `boot` its boot clock.
  /// - Returns: "admitted", or the number of the trigger that refused it.
  private func insert(_ wall: String, boot: Bool, ahead: Int = 0) throws -> String {
    let script = """
      import sqlite3, sys, time, os, uuid
      db = sqlite3.connect(sys.argv[1], timeout=5, isolation_level=None)
      now = time.time_ns() // 1000 + int(sys.argv[3])
      ids = open('/proc/sys/kernel/random/boot_id').read().strip().replace('-', '')[:16]
      ids += '/' + os.readlink('/proc/self/ns/time')[6:-1]
      boot = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000
      clock = (ids, boot) if sys.argv[2] == 'true' else (None, None)
      try:
          db.execute("INSERT INTO trades (bot_id, key, origin, side, symbol, quantity, cooldown_us,"
              " token, created_at, lease_until, boot_id, created_boot_us, status) SELECT bot_id, ?,"
              " 'reserve', 'buy', 'X', '1', cooldown_us, 'token-of-a-foreigner', ?, ? + lease_us, ?,"
              " ?, 'pending' FROM current_settings WHERE name = 'm'",
              (str(uuid.uuid4()), now, now, *clock))
          print('admitted')
      except sqlite3.IntegrityError as refusal:
          print(str(refusal)[:5])
      """
    let command = FakedClock.wall(wall) + ["python3", "-c", script, ledger, "\(boot)", "\(ahead)"]
    let result = BuiltBinary.run(command[0], Array(command.dropFirst()))
    XCTAssertEqual(result.status, 0, result.stderr)
    return String(result.stdout.dropLast())
  }
}
