#if PostgreSQL
  import Foundation
  import LedgerTestSupport
  import XCTest

  /// A server whose disk is really full.
  final class FullDiskTests: XCTestCase {
    /// S-04, S-35, S-52: at the second phase, at the first, and while a name is taken. Each of them
    /// learns that nothing was written, the pending row stands, and all goes on when there is room.
    func testDisk_thatIsFull_losesNothing() throws {
      guard ProcessInfo.processInfo.environment["TRADELEDGER_TEST_POSTGRES"] == nil else {
        throw XCTSkip("needs a server of its own")
      }
      let server = try TestServer.orSkip()
      let mount = server.directory + "/small"
      try FileManager.default.createDirectory(atPath: mount, withIntermediateDirectories: false)
      defer { rmdir(mount) }
      let mounted = BuiltBinary.run("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", mount])
      try XCTSkipIf(mounted.status != 0, "no right to mount a small disk: \(mounted.stderr)")
      defer { _ = BuiltBinary.run("umount", ["-l", mount]) }
      _ = BuiltBinary.run("chown", ["--reference", server.directory, mount])
      let url = try server.database()
      let database = String(url.split(separator: "/").last ?? "")
      try TestServer.query(server.url, "CREATE TABLESPACE small LOCATION '\(mount)'")
      try TestServer.query(server.url, "ALTER DATABASE \(database) SET TABLESPACE small")
      defer {
        try? TestServer.drop(url)
        _ = try? TestServer.query(server.url, "DROP TABLESPACE small")
      }
      let worker = try LedgerWorker(url)
      XCTAssertEqual(worker.ask("create live"), "ok")
      for bot in ["b", "c"] { worker.ask("bot \(bot) 0s 30s cooldown") }
      let words = worker.ask("reserve b").split(separator: " ")
      XCTAssertEqual(words.first, "admitted")
      // First the pages that are there already fill up.
      let ballast = mount + "/ballast"
      _ = BuiltBinary.run("dd", ["if=/dev/zero", "of=\(ballast)", "bs=8k"])
      var answer = ""
      for _ in 0..<2000 where !answer.hasPrefix("error") { answer = worker.ask("record c") }
      // A connection that is made just then has no room either.
      XCTAssertTrue(
        answer.hasPrefix("error io safe the server has no room left")
          || answer.hasPrefix("error io safe ") && answer.contains("could not write init file"),
        answer)
      let taken = (0..<2000).lazy.map { worker.ask("acquire desk-\($0)") }
        .first { !$0.hasPrefix("acquired") }
      XCTAssertTrue(taken?.hasPrefix("error io safe ") ?? false, taken ?? "always taken")
      let names = try TestServer.query(url, "SELECT COUNT(*) FROM tradeledger.instances")
      var settled = worker.ask("fill \(words[1]) \(words[2])")
      if settled.hasPrefix("error") {
        XCTAssertTrue(settled.hasPrefix("error io safe "), settled)
        XCTAssertEqual(
          try TestServer.query(
            url, "SELECT status FROM tradeledger.trades WHERE id = \(words[1])"), [["pending"]])
      }
      unlink(ballast)
      settled = worker.ask("fill \(words[1]) \(words[2])")
      XCTAssertTrue(["settled filled ontime", "replayed filled"].contains(settled), settled)
      XCTAssertTrue(worker.ask("record c").hasPrefix("recorded "))
      XCTAssertEqual(worker.ask("acquire desk"), "acquired desk 1")
      let more = try TestServer.query(url, "SELECT COUNT(*) FROM tradeledger.instances")
      XCTAssertEqual((Int(names[0][0]) ?? -1) + 1, Int(more[0][0]), "nothing was left behind")
      try TestServer.verify(url)
    }
  }
#endif
