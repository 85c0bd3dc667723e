internal import Foundation
internal import LedgerTestSupport
internal import XCTest

/// A foreign client, the `sqlite3` shell, that holds the write lock of a ledger.
struct LockHolder {
  private let process: ChildProcess

  init(_ path: String) throws {
    do {
      process = try ChildProcess("sqlite3", [path])
    } catch { throw XCTSkip("the sqlite3 shell is not installed") }
    process.write(".output stdout\nBEGIN IMMEDIATE;\nSELECT 'locked';\n")
    XCTAssertEqual(process.readLine(timeout: 20), "locked")
  }

  func release() {
    process.write("ROLLBACK;\n")
    process.closeInput()
    XCTAssertEqual(process.wait(timeout: 20), 0)
  }
}
