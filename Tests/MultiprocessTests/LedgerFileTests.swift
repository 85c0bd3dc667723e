import Foundation
import LedgerTestSupport
import TradeLedger
import XCTest

/// The file under living processes: replaced, older, newer.
final class LedgerFileTests: XCTestCase {
  private var directory = TemporaryDirectory()
  private var path: String { directory.file("ledger.db") }

  override func setUp() { directory = TemporaryDirectory() }

  /// A file of the layout before the views for people, made by a foreign client.
  private func makeOlderLedger(_ path: String, userVersion: Int) throws {
    let people = try XCTUnwrap(Ledger.schemaSQL.range(of: "-- Views for people"))
    let old = String(Ledger.schemaSQL[..<people.lowerBound])
    let script = """
      PRAGMA journal_mode = wal;
      BEGIN; \(old)
      PRAGMA user_version = \(userVersion);
      INSERT INTO ledger (id, mode, created_at) VALUES (1, 'paper', 1);
      INSERT INTO bots (name) VALUES ('old');
      INSERT INTO settings (bot_id, cooldown_us, lease_us, in_doubt, enabled, at)
        SELECT 1, 900000000, 30000000, 'cooldown', 1, now_us FROM clock;
      INSERT INTO trades (bot_id, key, origin, side, symbol, quantity, cooldown_us, created_at,
        status, filled_at, filled_quantity, received_at)
        SELECT 1, 'k', 'record', 'buy', 'X', '1', 900000000, now_us, 'filled', now_us, '1', now_us
        FROM clock;
      COMMIT;
      """
    let made = BuiltBinary.run("sqlite3", ["-batch", "-bail", path], stdin: script)
    XCTAssertEqual(made.status, 0, made.stderr)
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
  }

  private func schemaVersion(_ path: String) throws -> String {
    try LedgerFileCheck.query(path, "PRAGMA schema_version")[0][0]
  }

  /// S-56: an older ledger that eight processes open at once is migrated exactly once.
  func testOpen_ofAnOlderLedgerByEight_migratesOnce() throws {
    let single = directory.file("single.db")
    try makeOlderLedger(single, userVersion: 1)
    XCTAssertEqual(try LedgerWorker(single).ask("open"), "ok")
    let versionAfterOne = try schemaVersion(single)
    for round in 0..<6 {
      let file = directory.file("older-\(round).db")
      try makeOlderLedger(file, userVersion: 1)
      let workers = try (0..<8).map { _ in try LedgerWorker(file, wait: "20s") }
      let answers = LedgerWorker.together(workers) { _ in "open" }
      XCTAssertEqual(answers, Array(repeating: "ok", count: 8))
      XCTAssertEqual(try schemaVersion(file), versionAfterOne, "migrated more than once")
      XCTAssertEqual(try LedgerFileCheck.query(file, "PRAGMA user_version"), [["4"]])
      XCTAssertEqual(workers[3].ask("reserve old"), "denied cooldown 1", "the history is kept")
      try LedgerFileCheck.verify(file)
    }
  }

  /// S-34: whoever was waiting for a ledger while a restore put another file there has opened the
  /// old one, and would write its pages into the log of the new one.
  func testOpen_whileARestorePutsAnotherFileThere_isRefused() throws {
    try openWhileReplaced { try makeLedger($0, bot: "old") }
  }

  /// S-34, S-56: a migration of it would undo the restore.
  func testOpen_ofAnOlderLedgerThatIsReplacedMeanwhile_migratesNothing() throws {
    try openWhileReplaced { try makeOlderLedger($0, userVersion: 1) }
  }

  private func makeLedger(_ path: String, bot: String) throws {
    let maker = try LedgerWorker(path)
    XCTAssertEqual(maker.ask("create paper"), "ok")
    XCTAssertEqual(maker.ask("bot \(bot) 0s 30s cooldown"), "added")
    maker.process.closeInput()
    _ = maker.process.wait()
    XCTAssertEqual(
      try LedgerFileCheck.query(path, "PRAGMA wal_checkpoint(TRUNCATE)"), [["0", "0", "0"]])
  }

  private func openWhileReplaced(_ makeOld: (String) throws -> Void) throws {
    let restored = directory.file("restored.db")
    try makeLedger(restored, bot: "new")
    try makeOld(path)
    // As a restore keeps everybody out: see ReplacedLedger.
    let holder = try ChildProcess("sqlite3", ["-batch", "-bail", path])
    holder.write(
      "PRAGMA locking_mode = exclusive;\nBEGIN IMMEDIATE;\nROLLBACK;\n"
        + "PRAGMA wal_checkpoint(TRUNCATE);\n")
    XCTAssertEqual(holder.readLine(), "exclusive")
    XCTAssertEqual(holder.readLine(), "0|0|0")
    let worker = try LedgerWorker(path, wait: "30s")
    worker.send("open")
    XCTAssertTrue(eventually { self.openFiles(worker.pid).contains(self.path) })
    for suffix in ["-wal", "-shm"] { unlink(path + suffix) }
    XCTAssertEqual(rename(path, path + ".replaced"), 0)
    XCTAssertEqual(rename(restored, path), 0)
    holder.closeInput()

    let answer = worker.answer()
    XCTAssertTrue(answer.hasPrefix("error ledger_moved safe "), answer)
    XCTAssertEqual(worker.ask("open"), "ok", "it can be opened again")
    XCTAssertEqual(try LedgerFileCheck.query(path, "SELECT name FROM bots"), [["new"]])
    try LedgerFileCheck.verify(path)
  }

  private func openFiles(_ pid: Int32) -> [String] {
    let folder = "/proc/\(pid)/fd"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: folder + "/" + $0)
    }
  }

  /// A file that is mounted by itself, as containers often have it, has another log at each place:
  /// one bot would get a "yes" at each of them. Its directory may be mounted anywhere.
  func testOpen_ofAFileThatIsMountedByItself_isRefused() throws {
    let probe = BuiltBinary.run("unshare", ["--mount", "true"])
    try XCTSkipIf(probe.status != 0, "mounting is not allowed here: \(probe.stderr)")
    let maker = try LedgerWorker(path)
    XCTAssertEqual(maker.ask("create live"), "ok")
    maker.ask("bot b 15m 30s cooldown")
    let place = directory.file("place")
    try FileManager.default.createDirectory(
      atPath: place, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    let alone = place + "/alone.db"
    XCTAssertTrue(FileManager.default.createFile(atPath: alone, contents: nil))
    func answers(_ source: String, on target: String, as path: String) throws -> [String] {
      let worker = try LedgerWorker(
        path,
        under: [
          "unshare", "--mount", "sh", "-c", "mount --bind \"$1\" \"$2\" && shift 2 && exec \"$@\"",
          "sh", source, target,
        ])
      return ["open", "create live", "reserve b"].map { worker.ask($0) }
    }
    for answer in try answers(path, on: alone, as: alone).prefix(2) {
      XCTAssertTrue(
        answer.hasPrefix("error configuration never '\(alone)' is mounted by itself"), answer)
    }
    let shared = try answers(directory.path, on: place, as: place + "/ledger.db")
    XCTAssertEqual(shared.prefix(2), ["ok", "ok"])
    XCTAssertTrue(shared[2].hasPrefix("admitted"), shared[2])
    XCTAssertTrue(maker.ask("reserve b").hasPrefix("denied in_progress"))
  }

  /// S-56: a newer ledger is refused and not touched.
  func testOpen_ofANewerLedger_isRefused() throws {
    try makeOlderLedger(path, userVersion: 99)
    let before = FileManager.default.contents(atPath: path)
    let worker = try LedgerWorker(path)
    XCTAssertTrue(worker.ask("open").hasPrefix("error newer_schema never "))
    XCTAssertTrue(worker.ask("create paper").hasPrefix("error newer_schema never "))
    XCTAssertEqual(FileManager.default.contents(atPath: path), before)
  }

  /// S-34: the ledger is moved away, its log deleted, or the file replaced, while processes hold
  /// it. Each of them refuses its next write; nobody writes to a file that others cannot see.
  func testWrite_afterTheFileWasMovedOrItsLogDeleted_isRefused() throws {
    let attacks: [(String, (String) throws -> Void)] = [
      ("moved", { try FileManager.default.moveItem(atPath: $0, toPath: $0 + ".away") }),
      ("deleted", { try FileManager.default.removeItem(atPath: $0) }),
      ("log deleted", { try FileManager.default.removeItem(atPath: $0 + "-wal") }),
      (
        "log and index deleted",
        {
          try FileManager.default.removeItem(atPath: $0 + "-wal")
          try FileManager.default.removeItem(atPath: $0 + "-shm")
        }
      ),
      (
        "replaced by a copy",
        {
          try FileManager.default.copyItem(atPath: $0, toPath: $0 + ".copy")
          XCTAssertEqual(rename($0 + ".copy", $0), 0)
        }
      ),
    ]
    for (index, (name, attack)) in attacks.enumerated() {
      let file = directory.file("attacked-\(index).db")
      let workers = try (0..<2).map { _ in try LedgerWorker(file) }
      XCTAssertEqual(workers[0].ask("create live"), "ok")
      XCTAssertEqual(workers[1].ask("open"), "ok")
      workers[0].ask("bot b 0s 30s cooldown")
      try attack(file)
      for worker in workers {
        let answer = worker.ask("reserve b")
        XCTAssertTrue(answer.hasPrefix("error ledger_moved never "), "\(name): \(answer)")
      }
    }
  }

  /// S-34: only the -shm is deleted. New openers would not see the locks of the old ones.
  func testWrite_afterTheIndexWasDeleted_isRefused() throws {
    let worker = try LedgerWorker(path)
    XCTAssertEqual(worker.ask("create live"), "ok")
    worker.ask("bot b 0s 30s cooldown")
    try FileManager.default.removeItem(atPath: path + "-shm")
    let answer = worker.ask("reserve b")
    XCTAssertTrue(answer.hasPrefix("error ledger_moved never "), answer)
  }
}
