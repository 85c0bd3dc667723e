#if PostgreSQL
  import Foundation
  import LedgerTestSupport
  import TradeLedger
  import XCTest

  /// Clocks that are wrong, of clients and of the server: real processes under faketime.
  final class ClockTests: XCTestCase {
    private static let order = ["--side", "buy", "--symbol", "BTC-USD", "--quantity", "1"]
    private let directory = TemporaryDirectory()

    override func setUpWithError() throws {
      _ = try TestServer.orSkip()
      if let reason = FakedClock.unavailable { throw XCTSkip(reason) }
    }

    /// S-17: the wall clock of a client is an hour off, in either direction. Nobody asks it: lease,
    /// fill and cooldown are those of the server's clock.
    func testClient_withAWrongClock_changesNothing() throws {
      for wall in ["+1h", "-1h"] {
        let url = try TestServer.orSkip().database()
        func json(_ arguments: [String], _ status: Int32) -> [String: Any] {
          let words =
            FakedClock.wall(wall) + [BuiltBinary.path, "--json", "--db", url] + arguments
          let result = BuiltBinary.run(words[0], Array(words.dropFirst()), timeout: 60)
          XCTAssertEqual(result.status, status, "\(wall) \(arguments) \(result.stderr)")
          let object = try? JSONSerialization.jsonObject(with: Data(result.stdout.utf8))
          return object as? [String: Any] ?? [:]
        }
        _ = json(["init", "--mode", "live"], 0)
        _ = json(["bot", "add", "m", "--cooldown", "15m"], 0)
        let admitted = json(["reserve", "m"] + Self.order, 0)
        let permit = admitted["permit"] as? [String: Any]
        let pending = json(["reserve", "m"] + Self.order, 1)
        XCTAssertEqual(pending["reason"] as? String, "in_progress")
        XCTAssertTrue((1...30_000_000).contains(pending["retry_after_us"] as? Int ?? 0))
        let filled = json(["fill", "1", "--token", permit?["token"] as? String ?? ""], 0)
        XCTAssertEqual((filled["trade"] as? [String: Any])?["late"] as? Bool, false)
        let denied = json(["reserve", "m"] + Self.order, 1)
        XCTAssertEqual(denied["reason"] as? String, "cooldown")
        XCTAssertTrue(
          (840_000_000...900_000_000).contains(denied["retry_after_us"] as? Int ?? 0), "\(denied)")
        XCTAssertNil(denied["clock_behind_us"] as? Int)
        try TestServer.drop(url)
      }
    }

    /// S-17: the server's own clock. An hour back it opens nothing, and says so; an hour ahead it
    /// opens what an hour would have opened, because it is the only clock: nothing else.
    /// S-18: ten minutes ahead is also what a machine sees that was asleep: the lease is over, and
    /// the fill of its holder is late.
    func testServer_whoseClockJumps() throws {
      guard ProcessInfo.processInfo.environment["TRADELEDGER_TEST_POSTGRES"] == nil else {
        throw XCTSkip("needs a server of its own")
      }
      let file = directory.file("clock")
      // The server's user reads it.
      chmod(directory.path, 0o755)
      func setClock(_ offset: String) throws {
        try Data("\(offset)\n".utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
        chmod(file, 0o644)
      }
      try setClock("+0")
      let server = try TestServer.ownOrSkip(under: FakedClock.server(file))
      defer { server.stop() }
      let url = try server.database()
      let holder = try LedgerWorker(url)
      XCTAssertEqual(holder.ask("create live"), "ok")
      for bot in ["long", "short", "asleep"] {
        holder.ask("bot \(bot) \(bot == "short" ? "15m" : "3h") 30s cooldown")
      }
      let other = try LedgerWorker(url)
      XCTAssertEqual(other.ask("open"), "ok")
      XCTAssertTrue(holder.ask("trade asleep").hasPrefix("sending "))
      try setClock("+10m")
      XCTAssertEqual(other.ask("reserve asleep"), "denied cooldown 1")
      XCTAssertEqual(holder.ask("ok"), "filled 1 late")
      for bot in ["long", "short"] {
        XCTAssertTrue(holder.ask("record \(bot)").hasPrefix("recorded "))
      }
      for (clock, opened) in [("-50m", []), ("+10m", []), ("+70m", ["short"])] {
        try setClock(clock)
        let open = ["long", "short", "asleep"].filter { other.ask("check \($0)") == "admissible" }
        XCTAssertEqual(open, opened, clock)
      }
      // The clock is behind: the denial says by how much.
      try setClock("-50m")
      let denied = BuiltBinary.run(["--json", "--db", url, "check", "long"])
      let behind = denied.stdout.firstMatch(of: /"clock_behind_us":(\d+)/).flatMap { Int($0.1) }
      XCTAssertEqual(Double(behind ?? 0), 3600e6, accuracy: 60e6, denied.stdout)
    }
  }
#endif
