#if PostgreSQL
  import Foundation
  import LedgerTestSupport
  import XCTest

  /// S-34: the ledger is gone, or another one answers at its address, while processes have it open.
  final class ReplacedTests: XCTestCase {
    private func worker(_ url: String, _ open: String = "open") throws -> LedgerWorker {
      let worker = try LedgerWorker(url, wait: "1s")
      XCTAssertEqual(worker.ask(open), "ok")
      return worker
    }

    /// A database that is dropped, and made anew with a ledger of another mode, and then one of the
    /// same mode, with a bot of the same name: nobody trades there who has opened the first one.
    func testLedger_thatIsReplaced_isRefused() throws {
      let server = try TestServer.orSkip()
      let url = try server.database()
      let database = String(url.split(separator: "/").last ?? "")
      let first = try worker(url, "create live")
      first.ask("bot b 0s 30s cooldown")
      let holder = try worker(url)
      XCTAssertTrue(holder.ask("trade b").hasPrefix("sending "))
      XCTAssertEqual(first.ask("acquire desk 2s"), "acquired desk 1")
      try TestServer.drop(url)
      let gone = first.ask("reserve b")
      XCTAssertTrue(gone.hasPrefix("error no_ledger "), gone)
      for mode in ["paper", "live"] {
        try TestServer.query(server.url, "CREATE DATABASE \(database)")
        let other = try worker(url, "create \(mode)")
        other.ask("bot b 0s 30s cooldown")
        for command in ["reserve b", "record b", "check b", "fill 1 some-token-of-mine"] {
          let answer = first.ask(command)
          XCTAssertTrue(answer.hasPrefix("error ledger_moved never "), "\(command): \(answer)")
        }
        if mode == "paper" {
          let answer = holder.ask("ok")
          XCTAssertTrue(
            answer.hasPrefix("error ledger_moved check_first the order was sent"), answer)
          XCTAssertTrue(first.ask("loss").hasPrefix("unreachable "))
        }
        XCTAssertTrue(other.ask("reserve b").hasPrefix("admitted 1 "), "it harms nobody else")
        try TestServer.drop(url)
      }
    }

    /// A ledger that went to another server with its rows is the same ledger.
    func testLedger_thatWasMovedWithItsRows_isTheSame() throws {
      let server = try TestServer.orSkip()
      let url = try server.database()
      let database = String(url.split(separator: "/").last ?? "")
      let first = try worker(url, "create live")
      first.ask("bot b 0s 30s cooldown")
      XCTAssertTrue(first.ask("record b").hasPrefix("recorded "))
      let directory = TemporaryDirectory()
      let file = directory.file("ledger.db")
      for (source, target) in [(url, file), (file, url)] {
        let result = BuiltBinary.run(["copy", "--from", source, "--to", target])
        XCTAssertEqual(result.status, 0, result.stderr)
        if source == url {
          try TestServer.drop(url)
          try TestServer.query(server.url, "CREATE DATABASE \(database)")
        }
      }
      XCTAssertTrue(first.ask("record b").hasPrefix("recorded "))
      try TestServer.verify(url)
      try TestServer.drop(url)
    }
  }
#endif
