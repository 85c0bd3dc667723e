internal import TradeLedger
public import XCTest

/// Tests that are played with a ledger in a file and, in a subclass, with one on a server.
///
/// Such a subclass has a test of its own, or takes one over by name: a class without any is not
/// found by `swift test`.
open class PlacedTestCase: XCTestCase {
  public enum Engine: Sendable { case file, server }

  /// Where the ledgers of these tests lie.
  open class var engine: Engine { .file }

  public static var isOnServer: Bool { engine == .server }

  private var directories: [TemporaryDirectory] = []
  private var databases: [String] = []

  /// The path of a file that is not there, in a directory of its own, or the URL of an empty
  /// database. Both are gone at the end of the test.
  public func newPlace() throws -> String {
    #if PostgreSQL
      if Self.isOnServer {
        databases.append(try TestServer.orSkip().database())
        return databases[databases.count - 1]
      }
    #endif
    directories.append(TemporaryDirectory())
    return directories[directories.count - 1].file("ledger.db")
  }

  /// A ledger at a new place, with a clock that the test moves.
  public func newLedger(clock: ManualClock = ManualClock()) async throws -> TestLedger {
    try await TestLedger(at: Self.isOnServer ? newPlace() : nil, clock: clock)
  }

  open override func tearDown() async throws {
    #if PostgreSQL
      for url in databases { try TestServer.drop(url) }
    #endif
    databases = []
    directories = []
  }
}

/// Looks at a ledger, wherever it lies, without the library.
public enum LedgerCheck {
  /// The rows of one statement, as texts; NULL for NULL.
  @discardableResult
  public static func query(_ place: String, _ sql: String) throws -> [[String]] {
    #if PostgreSQL
      if Ledger.isServer(place) {
        return try TestServer.query(TestServer.url(place, setting: "search_path=tradeledger"), sql)
      }
    #endif
    return try LedgerFileCheck.query(place, sql)
  }

  /// Whatever must hold in the rows: INV-1, INV-2, and that a file is sound.
  public static func verify(
    _ place: String, file: StaticString = #filePath, line: UInt = #line
  ) throws {
    #if PostgreSQL
      if Ledger.isServer(place) { return try TestServer.verify(place, file: file, line: line) }
    #endif
    try LedgerFileCheck.verify(place, file: file, line: line)
  }
}
