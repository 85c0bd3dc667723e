internal import Foundation
internal import LedgerTestSupport
internal import XCTest

/// What `doctor` finds, and what it says to do about it.
final class DoctorTests: CommandLineTestCase {
  private func checks(
    _ result: BuiltBinary.Result, file: StaticString = #filePath, line: UInt = #line
  ) -> [String: (status: String, message: String, advice: String?)] {
    let list = json(result, file: file, line: line)["checks"] as? [[String: Any]] ?? []
    XCTAssertGreaterThan(list.count, 5, result.stdout, file: file, line: line)
    return Dictionary(
      list.map {
        (
          $0["check"] as? String ?? "?",
          (
            $0["status"] as? String ?? "?", $0["message"] as? String ?? "?",
            $0["advice"] as? String
          )
        )
      }
    ) { first, _ in first }
  }

  /// Whatever is wrong has an advice, the verdict is the exit code, and nothing is changed by it.
  @discardableResult
  private func expectFinding(
    _ check: String, _ status: String, _ words: String..., file: StaticString = #filePath,
    line: UInt = #line
  ) -> String {
    let result = run(["doctor", "--json"])
    expect(result, 1, check, file: file, line: line)
    XCTAssertEqual(json(result)["verdict"] as? String, "findings", file: file, line: line)
    let found = checks(result, file: file, line: line)[check]
    XCTAssertEqual(found?.status, status, result.stdout, file: file, line: line)
    XCTAssertFalse(found?.advice?.isEmpty ?? true, result.stdout, file: file, line: line)
    for word in words {
      XCTAssertTrue(found?.message.contains(word) == true, result.stdout, file: file, line: line)
    }
    let text = run(["doctor"])
    expect(text, 1, check, file: file, line: line)
    XCTAssertTrue(text.stdout.contains("\(status)  \(check)"), text.stdout, file: file, line: line)
    return found?.advice ?? ""
  }

  func testDoctor_ofAHealthyLedger_findsNothing() {
    makeLedger()
    let result = run(["doctor", "--json"])
    expect(result, 0)
    XCTAssertEqual(json(result)["verdict"] as? String, "healthy")
    let found = checks(result)
    XCTAssertTrue(found.values.allSatisfy { $0.status == "ok" || $0.status == "note" })
    XCTAssertEqual(found["integrity"]?.status, "ok")
    XCTAssertTrue(run(["doctor"]).stdout.hasSuffix("\nhealthy\n"))
  }

  func testDoctor_withoutALedger_saysSo() {
    XCTAssertTrue(expectFinding("file", "fail", "no file").contains("restore"))
    expectFinding("ledger", "fail", "no ledger")
  }

  func testDoctor_ofADamagedLedger_saysSo() throws {
    makeLedger()
    // Nothing in the log, which would stand for the pages of the file.
    expect(BuiltBinary.run("sqlite3", [ledger, "PRAGMA wal_checkpoint(TRUNCATE)"]), 0)
    try Data(repeating: 7, count: 9000).write(to: URL(fileURLWithPath: ledger))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: ledger)
    expectFinding("ledger", "fail", "damaged")
  }

  /// A ledger that is too large to be looked at whenever it is opened: one key of a row is not the
  /// one of its index.
  func testDoctor_ofALargeLedger_findsTheDamagedIndex() throws {
    makeLedger()
    let rows = (10_000..<15_000).map { "\($0),m,buy,X,1,2,\(1_700_000_000 + $0 * 900)" }
    let file = directory.file("f.csv")
    try (["id,bot,side,symbol,quantity,price,ts"] + rows).joined(separator: "\n")
      .write(toFile: file, atomically: true, encoding: .utf8)
    let columns = ["--bot", "bot", "--time", "ts", "--key", "id"]
    expect(run(["import", file, "--source", "x"] + columns), 0)
    expect(run(["doctor"]), 0)
    expect(BuiltBinary.run("sqlite3", [ledger, "PRAGMA wal_checkpoint(TRUNCATE)"]), 0)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: ledger))
    XCTAssertGreaterThan(bytes.count, 1 << 20)
    let key = try XCTUnwrap(bytes.firstRange(of: Data("12500".utf8)))
    bytes.replaceSubrange(key, with: Data("99999".utf8))
    let handle = try XCTUnwrap(FileHandle(forWritingAtPath: ledger))
    try handle.write(contentsOf: bytes)
    try handle.close()
    XCTAssertTrue(expectFinding("integrity", "fail", "index").contains("restore"))
  }

  func testDoctor_namesTradesInDoubt() {
    makeLedger(lease: "1ms")
    let trade = reserve()
    waitUntil("it is in doubt") { run(["status"]).status == 1 }
    let advice = expectFinding("trades", "warn", "trade \(trade.id) of m", trade.key)
    XCTAssertTrue(advice.contains("resolve \(trade.id)"), advice)
  }

  func testDoctor_namesAStoppedWriterAndTheQueue() throws {
    makeLedger()
    let shell = try ChildProcess("sqlite3", [ledger])
    shell.write(".output stdout\nBEGIN IMMEDIATE;\nSELECT 'locked';\n")
    XCTAssertEqual(shell.readLine(), "locked")
    shell.signal(SIGSTOP)
    let advice = expectFinding("write-lock", "fail", "\(shell.pid), stopped")
    XCTAssertTrue(advice.contains("kill -CONT \(shell.pid)"), advice)
    let answer = run(["doctor", "--json"])
    let users = json(answer)["open_in"] as? [[String: Any]]
    XCTAssertEqual(users?.map { $0["pid"] as? Int32 }, [shell.pid])
    shell.signal(SIGKILL)
    XCTAssertNotNil(shell.wait())
    expect(run(["doctor"]), 0)
  }

  /// A reader that stays keeps the log growing: it is named.
  func testDoctor_namesWhoPinsTheLog() throws {
    makeLedger(cooldown: "0s")
    let reader = try ChildProcess("sqlite3", [ledger])
    reader.write(".output stdout\nBEGIN;\nSELECT COUNT(*) FROM trades;\n")
    XCTAssertEqual(reader.readLine(), "0")
    let filler = """
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 14000)
      INSERT INTO trades (bot_id, key, origin, side, symbol, quantity, cooldown_us, created_at,
        status, filled_at, filled_quantity, received_at)
      SELECT 1, 'k' || i || hex(zeroblob(50)), 'past', 'buy', 'X', '1', 0, 5, 'filled', 5, '1',
        now_us FROM n, clock;
      """
    var rounds = 0
    let log = ledger + "-wal"
    while rounds < 12 {
      rounds += 1
      let script =
        "PRAGMA wal_autocheckpoint = 0;\n"
        + filler.replacingOccurrences(
          of: "'k'", with: "'\(rounds)-'")
      XCTAssertEqual(BuiltBinary.run("sqlite3", [ledger], stdin: script).status, 0)
      let size = try FileManager.default.attributesOfItem(atPath: log)[.size] as? Int ?? 0
      if size > 17 << 20 { break }
    }
    let advice = expectFinding("log", "warn", "held up by \(reader.pid)", "MiB")
    XCTAssertTrue(advice.contains("reader"), advice)
    reader.closeInput()
    _ = reader.wait()
  }

  func testDoctor_namesWrongPermissions() throws {
    makeLedger()
    try FileManager.default.setAttributes([.posixPermissions: 0o622], ofItemAtPath: ledger)
    expectFinding("permissions", "fail", "everybody may write to ledger.db")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: ledger)
    let folder = (ledger as NSString).deletingLastPathComponent
    try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder)
    expectFinding("permissions", "fail", "others may write to the directory")
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder)
    if geteuid() == 0 {
      XCTAssertEqual(chown(ledger + "-wal", 12345, 12345), 0)
      // Once: SQLite gives it back to the owner of the ledger when root opens it.
      let found = checks(run(["doctor", "--json"]))["permissions"]
      XCTAssertEqual(found?.status, "fail")
      XCTAssertEqual(found?.message.contains("ledger.db-wal belongs to user 12345"), true)
    }
  }

  /// A shared ledger's log belongs to whoever of the group made it: only its group counts.
  func testDoctor_ofASharedLedger_wantsOneGroup() throws {
    try XCTSkipIf(geteuid() != 0, "only root can give a file away")
    makeLedger()
    XCTAssertEqual(chown(ledger, 12345, 4000), 0)
    for suffix in ["", "-wal", "-shm", "-synced"] { chmod(ledger + suffix, 0o660) }
    for (group, status, words) in [
      (4000, "ok", "mode 660"), (4001, "fail", "ledger.db-wal is not for group 4000"),
    ] as [(gid_t, String, String)] {
      // Each time: SQLite gives them back to the owner of the ledger when root opens it.
      for suffix in ["-wal", "-shm", "-synced"] {
        XCTAssertEqual(chown(ledger + suffix, 12346, group), 0)
      }
      let found = checks(run(["doctor", "--json"]))["permissions"]
      XCTAssertEqual(found?.status, status)
      XCTAssertEqual(found?.message.contains(words), true, found?.message ?? "?")
    }
  }

  /// The clock set ahead and back: seen by the boot clock, which cannot be set.
  func testDoctor_seesThatTheClockWasSet() throws {
    if let reason = FakedClock.unavailable { throw XCTSkip(reason) }
    makeLedger(cooldown: "0s")
    expect(run(["record", "m"] + Self.order), 0)
    for (offset, words) in [("+90", "ahead by 1m"), ("-90", "in the future")] {
      let command =
        FakedClock.wall(offset) + [BuiltBinary.path, "--db", ledger, "doctor", "--json"]
      let result = BuiltBinary.run(command[0], Array(command.dropFirst()))
      expect(result, 1, offset)
      let found = checks(result)["clock"]
      XCTAssertEqual(found?.status, "warn", offset)
      XCTAssertTrue(found?.message.contains(words) == true, "\(offset): \(found?.message ?? "?")")
      XCTAssertEqual(checks(result)["environment"]?.status, "note")
    }
  }

  func testDoctor_namesLeftovers() throws {
    makeLedger()
    try Data().write(to: URL(fileURLWithPath: ledger + "-restore"))
    expectFinding("leftovers", "warn", "ledger.db-restore")
  }

  /// A backup has another name than the ledger, wherever it lies.
  func testDoctor_namesAKilledBackup_withoutItsLog() throws {
    makeLedger()
    let name = "b.db.00000000-0000-7d7f-b723-c0a1a679bd55.partial"
    for suffix in ["", "-wal", "-shm"] {
      try Data().write(to: URL(fileURLWithPath: directory.file(name + suffix)))
    }
    try Data().write(to: URL(fileURLWithPath: directory.file("download.partial")))
    let found = checks(run(["doctor", "--json"]))["leftovers"]
    XCTAssertEqual(found?.message, name)
  }
}
