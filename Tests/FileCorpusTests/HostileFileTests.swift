import Foundation
import LedgerTestSupport
import TradeLedger
import XCTest

/// S-55: files that somebody made in order to do harm. Each is refused with the reason, or works
/// and tells the truth; nothing that stands in it is run; and what is refused stays as it was.
final class HostileFileTests: XCTestCase {
  /// S-55: a hostile schema.
  func testOpen_ofAHostileSchema_isRefusedAndRunsNothing() async throws {
    for hostile in HostileSchema.all {
      let victim = try await VictimLedger()
      do { try HostileClient.run(victim.path, hostile.script) } catch {
        XCTFail("\(hostile.name): not made: \(error)")
        continue
      }
      _ = Witness.takeCalls()
      let before = victim.bytes
      let accesses = [
        (Ledger.Options.Access.readOnly, hostile.reading), (.readWrite, hostile.writing),
      ]
      for (access, expected) in accesses {
        let what = "\(hostile.name), \(access)"
        do {
          let error = try await victim.refusal(access)
          XCTAssertEqual(error?.code, expected, "\(what): \(error as Any)")
          XCTAssertEqual(error?.hint.isEmpty ?? false, false, what)
        } catch { XCTFail("\(what): \(error)") }
        XCTAssertEqual(Witness.takeCalls(), 0, "\(what): something of the schema was run")
        if expected != nil { XCTAssertEqual(victim.bytes, before, "\(what): changed") }
      }
      if hostile.writing == nil { try LedgerFileCheck.verify(victim.path) }
    }
  }

  /// The witness of the tests above does see a schema that is run.
  func testWitness_ofATriggerThatRuns_counts() async throws {
    let victim = try await VictimLedger()
    let trigger = "CREATE TRIGGER evil BEFORE INSERT ON bots BEGIN SELECT witness(); END;"
    try HostileClient.run(victim.path, trigger)
    _ = Witness.takeCalls()
    try HostileClient.run(victim.path, "INSERT INTO bots (name) VALUES ('b')")
    XCTAssertEqual(Witness.takeCalls(), 1)
  }

  /// S-55: what lies beside a ledger belongs to SQLite: garbage in it is passed over.
  func testOpen_withGarbageBesideIt_tellsTheTruth() async throws {
    let noise = Data((0..<40_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) })
    let logStart = Data([0x37, 0x7f, 0x06, 0x82, 0, 0x2d, 0xe2, 0x18, 0, 0, 0x10, 0])
    let journalStart = Data([0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7])
    let companions: [(suffix: String, bytes: Data, readable: Bool)] = [
      ("-wal", noise, true), ("-wal", logStart + noise, true), ("-wal", logStart, true),
      ("-shm", noise, true), ("-shm", noise + noise, true), ("-shm", Data(), true),
      ("-journal", noise, false), ("-journal", journalStart, false), ("-journal", Data(), true),
    ]
    for (suffix, bytes, isReadable) in companions {
      let victim = try await VictimLedger()
      let what = "\(suffix) of \(bytes.count) bytes"
      let made = FileManager.default.createFile(
        atPath: victim.path + suffix, contents: bytes, attributes: [.posixPermissions: 0o600])
      XCTAssertTrue(made)
      let before = victim.bytes
      do {
        let reading = try await victim.refusal(.readOnly)
        XCTAssertEqual(reading?.code, isReadable ? nil : .configuration, what)
        XCTAssertEqual(victim.bytes, before, "\(what): a reader wrote")
        let writing = try await victim.refusal(.readWrite)
        XCTAssertNil(writing, what)
        try LedgerFileCheck.verify(victim.path)
      } catch { XCTFail("\(what): \(error)") }
    }
  }

  /// S-55: the log of another ledger beside this one, its salts and checksums sound. The trades of
  /// this one are then not what the file holds; that is refused, or the other's trades are told.
  func testOpen_withTheLogOfAnother_isRefusedOrTruthful() async throws {
    let victim = try await VictimLedger()
    let other = try await VictimLedger()
    _ = try await other.refusal(.readWrite)
    let log = try XCTUnwrap(FileManager.default.contents(atPath: other.path + "-wal"))
    XCTAssertGreaterThan(log.count, 4096)
    let made = FileManager.default.createFile(
      atPath: victim.path + "-wal", contents: log, attributes: [.posixPermissions: 0o600])
    XCTAssertTrue(made)
    let before = victim.bytes
    for access in [Ledger.Options.Access.readOnly, .readWrite] {
      do {
        let error = try await victim.refusal(access)
        XCTAssertEqual(error?.code, .notALedger)
      } catch is VictimLedger.Lie {
        // The two are twins: with the log of the other this file is the other.
        try LedgerFileCheck.verify(victim.path)
        XCTAssertEqual(
          try LedgerFileCheck.query(victim.path, "SELECT COUNT(*) FROM trades"), [["7"]])
      }
      XCTAssertEqual(victim.bytes, before)
    }
  }

  /// S-55: a transaction of a rollback journal that was cut off lies beside the ledger. A writer
  /// undoes it, as SQLite does; a reader, who must not write, says so.
  func testOpen_withAHotJournal_isUndoneByAWriterAlone() async throws {
    let victim = try await VictimLedger()
    try HostileClient.run(victim.path, "PRAGMA journal_mode = delete")
    let whole = try XCTUnwrap(victim.bytes)
    // The journal of a transaction that has reached the file: the shell is killed inside it.
    let shell = try ChildProcess("sqlite3", ["-batch", victim.path])
    shell.write(
      """
      PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE;
      CREATE TABLE wide (a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT
      500) INSERT INTO wide SELECT printf('%01000d', i) FROM n;
      SELECT 'in the middle';\n
      """)
    var line = shell.readLine()
    while let text = line, text != "in the middle" { line = shell.readLine() }
    XCTAssertEqual(line, "in the middle", shell.standardError)
    shell.signal(SIGKILL)
    _ = shell.wait()
    let torn = victim.bytes
    XCTAssertNotEqual(torn, whole, "nothing has reached the file")
    let reading = try await victim.refusal(.readOnly)
    XCTAssertEqual(reading?.code, .configuration, "\(reading as Any)")
    XCTAssertEqual(victim.bytes, torn)
    let writing = try await victim.refusal(.readWrite)
    XCTAssertNil(writing)
    try LedgerFileCheck.verify(victim.path)
  }

  /// S-55: in place of -wal, -shm or -journal lies what SQLite would wait at for ever, or would write
  /// through into somebody else's file.
  func testOpen_withStrangeThingsBesideIt_isRefusedAtOnce() async throws {
    let things: [(name: String, make: (String, String) -> Int32)] = [
      ("FIFO", { path, _ in mkfifo(path, 0o600) }),
      ("symbolic link", { path, other in symlink(other, path) }),
      ("dangling link", { path, other in symlink(other + "-nothing", path) }),
      ("hard link", { path, other in link(other, path) }),
      ("directory", { path, _ in mkdir(path, 0o700) }),
    ]
    for suffix in ["-wal", "-shm", "-journal"] {
      for (name, make) in things {
        let victim = try await VictimLedger()
        let other = victim.directory.file("somebody-elses")
        try Data("untouched".utf8).write(to: URL(fileURLWithPath: other))
        XCTAssertEqual(make(victim.path + suffix, other), 0)
        let before = victim.bytes
        for access in [Ledger.Options.Access.readOnly, .readWrite] {
          let error = try await victim.refusal(access)
          XCTAssertEqual(error?.code, .configuration, "\(name) as \(suffix): \(error as Any)")
        }
        XCTAssertEqual(victim.bytes, before, "\(name) as \(suffix)")
        XCTAssertEqual(FileManager.default.contents(atPath: other), Data("untouched".utf8))
      }
    }
  }

  /// S-55: cut at each page and at places between. What is left is refused and left alone.
  func testOpen_ofATruncatedLedger_isRefused() async throws {
    let victim = try await VictimLedger()
    let whole = try XCTUnwrap(victim.bytes)
    let lengths =
      stride(from: 1024, to: whole.count, by: 1024).map { $0 } + [1, 99, 100, 511, 4095]
    for length in lengths {
      let part = whole.prefix(length)
      try part.write(to: URL(fileURLWithPath: victim.path))
      for access in [Ledger.Options.Access.readOnly, .readWrite] {
        let error = try await victim.refusal(access)
        XCTAssertEqual(error?.code, .notALedger, "\(length) bytes: \(error as Any)")
        XCTAssertEqual(victim.bytes, part, "\(length) bytes: changed")
      }
    }
  }

  /// S-55: one flipped bit in every entry of the index that the cooldown is read from. Nobody gets a
  /// trade out of it.
  func testOpen_ofADamagedIndex_isRefused() async throws {
    let victim = try await VictimLedger()
    let whole = try XCTUnwrap(victim.bytes)
    let end = try victim.endOfLastTradeIndex()
    var mutants = 0
    // Cell content grows from the end of the page.
    for place in (end - 6 * 14)..<end {
      var bytes = whole
      bytes[place] ^= 0x10
      try bytes.write(to: URL(fileURLWithPath: victim.path))
      do {
        _ = try await Ledger.open(victim.path)
        XCTFail("byte \(place): opened")
      } catch { XCTAssertEqual(error.code, .notALedger, "byte \(place)") }
      mutants += 1
    }
    XCTAssertEqual(mutants, 84)
  }

  /// S-55: a ledger that is too large to be looked at in full at every opening is looked at in full
  /// by the audit.
  func testAudit_ofADamagedLargeLedger_isRefused() async throws {
    let victim = try await VictimLedger()
    try HostileClient.run(
      victim.path,
      """
      CREATE TABLE padding (a); INSERT INTO padding VALUES (zeroblob(2000000)); DROP TABLE padding;
      """)
    var bytes = try XCTUnwrap(victim.bytes)
    bytes[try victim.endOfLastTradeIndex() - 4] ^= 0x10
    try bytes.write(to: URL(fileURLWithPath: victim.path))
    var options = Ledger.Options()
    options.clock = victim.clock
    let ledger = try await Ledger.open(victim.path, options: options)
    do {
      let report = try await ledger.audit()
      XCTFail("\(report)")
    } catch {
      XCTAssertEqual(error.code, .notALedger)
      XCTAssertTrue(error.message.contains("is damaged"), error.message)
    }
    let diagnosis = try await ledger.diagnosis()
    XCTAssertNotEqual(diagnosis.integrity, "ok")
    await ledger.close()
  }

  /// S-55: numbers so large that adding to them overflows, put past the triggers into every time of
  /// the rows. An error, and no crash.
  func testLooking_atTimesBeyondAllBounds_isRefused() async throws {
    let columns = [
      "lease_until", "created_boot_us", "cooldown_us", "received_at", "filled_boot_us",
    ]
    for column in columns {
      for value in [Int64.min, .max] {
        let victim = try await VictimLedger()
        let boot = column == "filled_boot_us" ? ", filled_boot_id = 'b'" : ""
        try HostileClient.run(
          victim.path,
          """
          DROP TRIGGER trade_immutable; DROP TRIGGER trade_transition; DROP TRIGGER trade_token;
          DROP TRIGGER trade_settled;
          UPDATE trades SET \(column) = \(value)\(boot);
          """)
        let dropped = ["trade_immutable", "trade_transition", "trade_token", "trade_settled"]
        for name in dropped { try putBack(name, victim.path) }
        for access in [Ledger.Options.Access.readOnly, .readWrite] {
          do {
            let error = try await victim.refusal(access)
            XCTAssertEqual(error?.code, .notALedger, "\(column) \(value): \(error as Any)")
          } catch let lie as VictimLedger.Lie {
            XCTFail("\(column) \(value): \(lie)")
          }
        }
      }
    }
  }

  private func putBack(_ trigger: String, _ path: String) throws {
    let start = try XCTUnwrap(Ledger.schemaSQL.range(of: "CREATE TRIGGER \(trigger) "))
    let rest = Ledger.schemaSQL[start.lowerBound...]
    let end = try XCTUnwrap(rest.range(of: "END;"))
    try HostileClient.run(path, String(rest[..<end.upperBound]))
  }

  /// The same in the settings of a bot, in a ledger that is open already.
  func testReserve_withSettingsBeyondAllBounds_isRefused() async throws {
    for column in ["lease_us", "cooldown_us"] {
      for value in [Int64.min, .max] {
        let victim = try await VictimLedger()
        var options = Ledger.Options()
        options.clock = victim.clock
        let ledger = try await Ledger.open(victim.path, options: options)
        try HostileClient.run(
          victim.path,
          """
          PRAGMA ignore_check_constraints = ON; DROP TRIGGER settings_fixed;
          UPDATE settings SET \(column) = \(value);
          """)
        try putBack("settings_fixed", victim.path)
        do throws(LedgerError) {
          let outcome = try await ledger.reserve(.example("free"))
          XCTFail("\(column) \(value): \(outcome)")
        } catch {
          XCTAssertEqual(error.code, .notALedger, "\(column) \(value): \(error)")
        }
        await ledger.close()
      }
    }
  }
}
