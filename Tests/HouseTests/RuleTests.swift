import XCTest

/// Rules of this code base that no compiler knows.
final class RuleTests: XCTestCase {
  // MARK: SQL

  /// One for each kind of database. But for the re-enacted bugs, whose transactions are part of the
  /// bug.
  func testTransactionWords_standInOneFile() throws {
    let words = try Regex(
      #""\s*(BEGIN( (DEFERRED|IMMEDIATE|EXCLUSIVE))?|COMMIT|ROLLBACK|END|SAVEPOINT \w+"#
        + #"|RELEASE \w+)( TRANSACTION)?;?\s*""#)
    let home = "Sources/SQLite/Transaction.swift"
    let homes = [home, "Sources/PostgreSQL/Connection.swift"]
    for file in try Checkout.files("Sources") where !homes.contains(file.path) {
      if file.path.hasPrefix("Sources/LedgerSimulation/Strategies/") { continue }
      XCTAssertEqual(file.matches(words), [], "transactions are the business of \(homes)")
    }
    let found = try Checkout.file(home).matches(words)
    XCTAssertEqual(found.count, 4, "\(found)")
  }

  /// Outside `Statements.swift` there is no SQL but pragmas of the generic module, statements whose
  /// names are made of the tables of an older layout, what is asked of foreign files, and the
  /// re-enacted bugs.
  func testSQL_standsInOneFile() throws {
    let sql = try Regex(
      #"(^|")\s*(SELECT|INSERT INTO|INSERT OR|UPDATE|DELETE FROM|CREATE|DROP|ALTER|WITH|PRAGMA|"#
        + #"ATTACH|VACUUM|REPLACE INTO|REINDEX|ANALYZE|EXPLAIN)\s+["\\\w(*]"#)
    let exceptions = [
      "Sources/TradeLedger/Engine/SQLite/Statements.swift",
      "Sources/TradeLedger/Engine/SQLite/Statements+Upkeep.swift",
      "Sources/TradeLedger/Engine/SQLite/Statements+Facts.swift",
      "Sources/TradeLedger/Engine/SQLite/Statements+Copying.swift",
      "Sources/TradeLedger/Engine/PostgreSQL/ServerStatements.swift",
      "Sources/TradeLedger/Engine/PostgreSQL/ServerStatements+Copying.swift",
      "Sources/TradeLedger/Engine/PostgreSQL/ServerStatements+Schema.swift",
      "Sources/TradeLedger/Engine/SQLite/SchemaInstaller.swift",
      "Sources/LedgerSimulation/Strategies/",
      "Sources/LedgerSimulation/Benchmark/BenchRows.swift",
      "Sources/ForeignAudit/ForeignStatements.swift",
      "Sources/SQLite/Open.swift", "Sources/SQLite/Transaction.swift",
    ]
    for file in try Checkout.files("Sources") {
      if exceptions.contains(where: file.path.hasPrefix) { continue }
      XCTAssertEqual(file.matches(sql), [], "SQL belongs into Statements.swift")
    }
    let statements = try Checkout.file(exceptions[0]).matches(sql)
    XCTAssertGreaterThan(statements.count, 20, "the pattern sees no SQL")
  }

  /// Values are bound, never pasted: no statement is put together from anything but other
  /// statements of the same file.
  func testStatements_arePastedTogetherFromStatementsAlone() throws {
    let files = [
      "SQLite/Statements.swift", "SQLite/Statements+Facts.swift",
      "PostgreSQL/ServerStatements.swift",
    ]
    let pasted = try files.flatMap { name in
      try Checkout.file("Sources/TradeLedger/Engine/" + name)
        .text.matches(of: /\\\(([^)]*)\)/).map { String($0.1) }
    }
    XCTAssertEqual(
      Set(pasted).subtracting([
        "tradeColumns", "matching", "audited", "single", "objects", "neighbours", "fingerprint",
        "instanceColumns",
      ]), [])
  }

  // MARK: Threads and clocks

  func testUncheckedSendable_isUsedOnce() throws {
    let unchecked = try Regex(#"@unchecked\s+Sendable|nonisolated\(unsafe\)"#)
    let found = try Checkout.files("Sources").flatMap { $0.matches(unchecked) }
    XCTAssertEqual(found.count, 1, "\(found)")
    XCTAssertTrue(
      found.allSatisfy { $0.hasPrefix("Sources/TradeLedger/Engine/LedgerThread.swift") })
  }

  /// Every other file asks a `LedgerClock`, or measures a stretch of time with a monotonic one.
  func testSystemClock_isReadInOnePlace() throws {
    let reading = try Regex(
      #"\b(clock_gettime|gettimeofday|timespec_get|strftime|ftime)\b|\bDate(\(|\.now\b)|[^.\w]time\("#
    )
    let allowed = [
      "Sources/TradeLedger/Engine/Clock.swift",  // both clocks of a ledger
      "Sources/SQLite/BusyHandler.swift",  // the monotonic one: how long a lock was waited for
    ]
    for file in try Checkout.files("Sources") where !allowed.contains(file.path) {
      XCTAssertEqual(file.matches(reading), [], "time comes from a LedgerClock")
    }
    for path in allowed {
      XCTAssertEqual(try Checkout.file(path).matches(reading).count, 1, path)
    }
  }

  // MARK: Shape

  func testFiles_areSmall() throws {
    let sources = try Checkout.files("Sources")
    for file in try sources + Checkout.files("Tests") where file.lines.count > 501 {
      XCTFail("\(file.path) has \(file.lines.count) lines; 500 at most")
    }
    let counts = sources.map(\.lines.count).sorted()
    XCTAssertLessThan(counts[counts.count / 2], 120, "the median of the files in Sources")
  }

  /// The format check lets comments and SQL pass.
  func testLines_areShort() throws {
    for file in try Checkout.files("Sources") + [
      Checkout.file("schema.sql"), Checkout.file("schema.postgres.sql"),
    ] {
      for (offset, line) in file.lines.enumerated() where line.count > 100 {
        XCTFail("\(file.path):\(offset + 1) has \(line.count) columns; 100 at most")
      }
    }
  }

  // MARK: Strangers

  /// Nothing in the project depends on the machine of whoever wrote it.
  func testProject_namesNoDevelopersMachine() throws {
    let folders = [
      ".ci", "Benchmarks", "Examples", "Sources", "Tests", "docs", "examples", "packaging",
      "scripts",
    ]
    var files = try folders.flatMap { try Checkout.files($0, [""]) }
    let single = [
      "README.md", "Dockerfile", "Package.swift", "schema.sql", "schema.postgres.sql", ".gitignore",
      ".swift-format",
    ]
    for path in single {
      files.append(try Checkout.file(path))
    }
    // What stands at the root of this machine and of no other, and the homes of people.
    let everywhere: Set = [
      "bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "libx32", "lost+found", "media",
      "mnt", "opt", "proc", "run", "sbin", "srv", "sys", "tmp", "usr", "var",
    ]
    let top = try FileManager.default.contentsOfDirectory(atPath: "/")
    let own = top.filter { !everywhere.contains($0) }.map(NSRegularExpression.escapedPattern)
    let names = (own + ["root", #"home/\w+"#]).joined(separator: "|")
    let machine = try Regex(#"(^|[\s"'`(=:])/(\#(names))/"#)
    for file in files {
      for (offset, line) in file.lines.enumerated() where line.contains(machine) {
        XCTFail("\(file.path):\(offset + 1): \(line)")
      }
    }
  }
}
