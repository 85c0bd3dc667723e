internal import Foundation
internal import LedgerTestSupport
internal import XCTest

/// Files that are no ledger, or none that is safe to use: a named exit code, two lines that say
/// so, no wait, and the file as it was.
final class BadFileTests: CommandLineTestCase {
  private static let reading = ["status"]
  private static let writing =
    ["reserve", "m", "--side", "buy", "--symbol", "B", "--quantity", "1"]

  /// Reading, writing and creating, by the path itself and by a symbolic link to it.
  private func expectRefused(
    _ path: String, _ status: Int32, creating: Int32? = nil, file: StaticString = #filePath,
    line: UInt = #line
  ) {
    let before = FileManager.default.contents(atPath: path)
    let link = directory.file("link-to-" + (path as NSString).lastPathComponent)
    XCTAssertEqual(symlink(path, link), 0, file: file, line: line)
    for name in [path, link] {
      expectError(Self.reading, status, db: name, file: file, line: line)
      expectError(Self.writing, status, db: name, file: file, line: line)
      expectError(["audit"], status, db: name, file: file, line: line)
      expectError(["init"], creating ?? status, db: name, file: file, line: line)
    }
    XCTAssertEqual(
      FileManager.default.contents(atPath: path), before, "\(path) was changed", file: file,
      line: line)
  }

  /// Runs the `sqlite3` shell.
  private func shell(_ path: String, _ sql: String) throws {
    let result = BuiltBinary.run("sqlite3", [path, sql])
    if result.status == 127 { throw XCTSkip("the sqlite3 shell is not installed") }
    expect(result, 0, sql)
  }

  func testMissing_file_isNoInput() {
    expectError(Self.reading, 66)
    expectError(Self.writing, 66)
    XCTAssertFalse(FileManager.default.fileExists(atPath: ledger), "looking made a ledger")
    expectRefused(directory.file("no such directory") + "/ledger.db", 66, creating: 73)
    // A link to nothing: SQLite would create what it points to.
    let link = directory.file("link")
    symlink(directory.file("nothing"), link)
    expectError(Self.reading, 66, db: link)
    expectError(["init"], 73, db: link)
    XCTAssertFalse(FileManager.default.fileExists(atPath: directory.file("nothing")))
  }

  func testDirectory_isNoLedger() throws {
    let path = directory.file("directory")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    for name in [path, path + "/"] {
      expectError(Self.reading, 65, db: name)
      expectError(["init"], 65, db: name)
    }
    expectRefused(path, 65)
  }

  func testFIFOAndDevice_areNoLedgers_andNobodyWaitsForThem() {
    let path = directory.file("fifo")
    XCTAssertEqual(mkfifo(path, 0o600), 0)
    for arguments in [Self.reading, Self.writing, ["init"]] {
      expectError(arguments, 65, db: path)
      expectError(arguments, 65, db: "/dev/null")
    }
  }

  /// S-55: not a database, and databases of somebody else.
  func testForeignFiles_areNoLedgers() throws {
    let contents: [String: Data] = [
      "text": Data("hello, this is a diary\n".utf8),
      "zeros": Data(count: 8192), "noise": Data((0..<8192).map { UInt8(truncatingIfNeeded: $0) }),
      "header": Data("SQLite format 3\0".utf8),
    ]
    for (name, data) in contents {
      XCTAssertTrue(
        FileManager.default.createFile(atPath: directory.file(name), contents: data))
      expectRefused(directory.file(name), 65)
    }
    // An empty file is what a killed `init` leaves behind: looking refuses it, `init` goes on.
    let empty = directory.file("empty")
    XCTAssertTrue(FileManager.default.createFile(atPath: empty, contents: Data()))
    chmod(empty, 0o600)
    expectError(Self.reading, 65, db: empty)
    expectError(Self.writing, 65, db: empty)
    expect(run(["init"], db: empty), 0)
    let foreign = directory.file("foreign.db")
    try shell(foreign, "CREATE TABLE trades (id); INSERT INTO trades VALUES (1)")
    expectRefused(foreign, 65)
  }

  /// S-55: a truncated ledger.
  func testTruncatedLedger_isRefused() throws {
    makeLedger()
    try shell(ledger, "PRAGMA wal_checkpoint(TRUNCATE)")
    let whole = try XCTUnwrap(FileManager.default.contents(atPath: ledger))
    for length in [50, 1000, 4096, whole.count / 2, whole.count - 4096, whole.count - 1] {
      let path = directory.file("truncated-\(length).db")
      let part = whole.prefix(length)
      XCTAssertTrue(FileManager.default.createFile(atPath: path, contents: part))
      expectRefused(path, 65)
    }
  }

  /// S-56: a newer layout.
  func testNewerSchema_isRefused() throws {
    makeLedger()
    try shell(ledger, "PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE)")
    expectRefused(ledger, 65)
  }

  func testAlteredSchema_isRefused() throws {
    makeLedger()
    try shell(ledger, "DROP INDEX one_pending; PRAGMA wal_checkpoint(TRUNCATE)")
    expectError(Self.reading, 65)
    expectError(Self.writing, 65)
  }

  func testHardLinkedLedger_isRefused() {
    makeLedger()
    let path = directory.file("second-name.db")
    XCTAssertEqual(link(ledger, path), 0)
    expectRefused(ledger, 78)
    expectRefused(path, 78)
  }

  func testLedger_whereOthersMayWrite_isRefused() throws {
    let open = directory.file("open")
    try FileManager.default.createDirectory(atPath: open, withIntermediateDirectories: false)
    XCTAssertEqual(chmod(open, 0o777), 0)
    expectError(["init"], 78, db: open + "/ledger.db")
    XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: open), [])
  }

  /// S-43: by a symbolic link, a relative path or `//` it is the same ledger.
  func testOtherSpelling_isTheSameLedger() {
    makeLedger()
    let trade = reserve()
    let link = directory.file("link.db")
    XCTAssertEqual(symlink(ledger, link), 0)
    let folder = (ledger as NSString).deletingLastPathComponent
    for path in [link, folder + "//ledger.db", folder + "/./ledger.db"] {
      let result = run(["reserve", "m", "--json"] + Self.order, db: path)
      expect(result, 1, path)
      let winner = json(result)["winner"] as? [String: Any]
      XCTAssertEqual(winner?["key"] as? String, trade.key, path)
    }
  }

  func testURIs_areNoPaths() {
    for path in ["file:ledger.db", "file:ledger.db?mode=memory"] {
      expectError(["init"], 65, db: path)
    }
    for path in ["postgresql://localhost/ledger", "postgres://localhost/ledger"] {
      expectError(["init"], 69, db: path)
    }
  }

  /// A look promises what it tells: after a disk's error that takes somebody who writes.
  func testLooks_afterADiskThatFailed_areRefusedUntilInit() {
    makeLedger()
    let record = [BuiltBinary.path, "--db", ledger, "record", "m"] + Self.order
    expect(BuiltBinary.run("sh", ["-c", "ulimit -f 100; exec \"$0\" \"$@\""] + record), 70)
    for arguments in [["status"], ["audit"], ["bot", "list"]] {
      let result = run(arguments)
      expect(result, 74)
      XCTAssertTrue(result.stderr.contains("tradeledger init"), result.stderr)
    }
    expect(run(["init"]), 0)
    for arguments in [["status"], ["audit"], ["bot", "list"]] { expect(run(arguments), 0) }
  }

  /// What looks like the URL of another database may have a password in it.
  func testURLs_ofOtherEngines_areRefusedAndNotRepeated() {
    func expectSilence(_ arguments: [String], _ status: Int32, db url: String) {
      let result = run(arguments, db: url)
      expect(result, status, "\(arguments)")
      XCTAssertFalse((result.stdout + result.stderr).contains("s3cret"), "\(arguments) \(result)")
    }
    for url in [
      "mysql://bot:s3cret@h/d", "postgresql+psycopg://a:s3cret@h/d", "POSTGRES://s3cret",
      "my_sql://bot:s3cret@h/d", "Password = s3cret dbname=d",
    ] {
      for arguments in [Self.reading, Self.writing, ["init"], ["metrics"]] {
        expectSilence(arguments, 69, db: url)
      }
      expectSilence(["doctor"], 1, db: url)
    }
    makeLedger()
    expectSilence(["backup", "-o", "postgresql://bot:s3cret@h/d"], 69, db: ledger)
  }

  func testPathsWithEscapes_areShownHarmlessly() {
    expectError(Self.reading, 66, db: directory.file("a\u{1b}[2J\u{202e}\nb"))
  }

  /// Root may read and write everything, so these run as nobody.
  func testPermissions_areNamed() throws {
    guard geteuid() == 0 else { throw XCTSkip("needs root, to become nobody") }
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", BuiltBinary.path]
    let probe = BuiltBinary.run("setpriv", nobody + ["--version"])
    guard probe.status == 0 else {
      throw XCTSkip("nobody cannot start the binary: \(probe.stderr)")
    }
    makeLedger()
    let folder = (ledger as NSString).deletingLastPathComponent
    func asNobody(_ arguments: [String], _ status: Int32, _ line: UInt = #line) {
      let result = BuiltBinary.run("setpriv", nobody + ["--db", ledger] + arguments)
      expect(result, status, "\(arguments)", line: line)
      if status >= 64 {
        XCTAssertTrue(result.stderr.hasPrefix("error: "), result.stderr, line: line)
        XCTAssertTrue(result.stderr.contains("\nhint: "), result.stderr, line: line)
      }
    }
    // The directory is closed to others.
    asNobody(Self.reading, 77)
    asNobody(Self.writing, 77)
    // The directory is open for reading, the ledger is root's alone.
    chmod(folder, 0o755)
    asNobody(Self.reading, 77)
    asNobody(Self.writing, 77)
    asNobody(["init"], 77)
    let doctor = BuiltBinary.run("setpriv", nobody + ["--db", ledger, "doctor"])
    expect(doctor, 1)
    XCTAssertTrue(doctor.stdout.contains("note  queues       they are the owner's"), doctor.stdout)
    // S-54: nobody's own ledger, but read-only.
    let before = snapshot()
    for name in [ledger, ledger + "-wal", ledger + "-shm"] {
      chown(name, 65534, 65534)
      chmod(name, 0o400)
    }
    asNobody(Self.writing, 77)
    XCTAssertEqual(snapshot(), before)
  }
}
