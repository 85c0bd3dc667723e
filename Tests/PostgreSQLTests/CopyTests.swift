#if PostgreSQL
  import LedgerTestSupport
  import XCTest

  @testable import TradeLedger

  /// A ledger moves to a server and back, with every row as it is.
  final class CopyTests: XCTestCase {
    private func expectSame(
      _ left: String, _ right: String, file: StaticString = #filePath, line: UInt = #line
    ) throws {
      for table in LedgerTable.all {
        let rows = try [left, right].map { path in
          try LedgerFileCheck.query(
            path, "SELECT \(table.list) FROM \(table.name) ORDER BY \(table.columns[0].name)")
        }
        guard table.name == "instances" else {
          XCTAssertEqual(rows[0], rows[1], table.name, file: file, line: line)
          continue
        }
        // Released, with the next epoch.
        XCTAssertEqual(
          rows[1].map { [$0[0], $0[1], $0[5], $0[10]] }, [["i", "2", "NULL", "NULL"]])
      }
    }

    /// Every kind of row.
    private func original() async throws -> TestLedger {
      let test = try await TestLedger(mode: .live)
      let ledger = test.ledger
      for name in ["a", "b", "c"] {
        try await test.addBot(
          name, cooldown: name == "c" ? .seconds(900) : .zero, lease: .seconds(5))
      }
      _ = try await ledger.changeBot(BotName("b"), BotChange(lease: .milliseconds(1)))
      let instance = try await ledger.acquireInstance(InstanceName("i"))
      guard case .acquired(let lease) = instance else { throw CancellationError() }
      let first = try await ledger.reserve(
        .example("a", price: "100.25"), key: OrderKey("it's \"one\"".filter { $0 != " " }),
        instance: lease.claim)
      let permit = try XCTUnwrap(first.permit)
      _ = try await ledger.fill(permit.trade, token: permit.token, Fill(price: Amount("99.5")))
      let second = try await ledger.reserve(.example("a"))
      let other = try XCTUnwrap(second.permit)
      _ = try await ledger.void(other.trade, token: other.token, reason: "grüße \\ \"quoted\"")
      _ = try await ledger.fill(other.trade, token: other.token, Fill(price: Amount("98")))
      _ = try await ledger.reserve(.example("b"))
      _ = try await ledger.record(.example("c"), key: OrderKey("c-1"))
      _ = try await ledger.record(
        .example("c", side: .sell), fill: Fill(at: Timestamp(microseconds: 1_700_000_000_000_000)))
      XCTAssertTrue(
        eventually {
          (try? test.query("SELECT MAX(lease_until) FROM trades"))
            .flatMap { Int64($0[0][0]) }.map { $0 < SystemClock().now().wall.microseconds } ?? false
        })
      let status = try await ledger.status()
      XCTAssertEqual(status.bots.compactMap(\.pending), [])
      return test
    }

    func testLedger_goesToAServerAndBack() async throws {
      let test = try await original()
      let url = try TestServer.orSkip().database()
      let there = try await Ledger.copy(from: test.path, to: url)
      XCTAssertEqual(there.rows["trades"], 5)
      XCTAssertEqual(there.rows["conflicts"], 1)
      XCTAssertEqual(there.rows["settings"], 4)
      XCTAssertEqual(there.mode, .live)
      let server = try await Ledger.open(url)
      let audits = (try await test.ledger.audit(), try await server.audit())
      XCTAssertEqual(audits.0.findings, audits.1.findings)
      let conflicts = audits.1.findings.filter { $0.check == .conflict }
      XCTAssertEqual(conflicts.map(\.filledQuantity), [try Amount("0.5")])
      XCTAssertEqual(conflicts.map(\.filledPrice), [try Amount("98")])
      // The cooldown of the last trade holds there, too.
      let denied = try await server.reserve(.example("c"))
      guard case .denied(let denial) = denied else { return XCTFail("\(denied)") }
      XCTAssertEqual(denial.reason, .cooldown)
      XCTAssertEqual(denial.winner?.key.description, "c-1")
      await server.close()
      let directory = TemporaryDirectory()
      let back = try await Ledger.copy(from: url, to: directory.file("back.db"))
      XCTAssertEqual(back.digest, there.digest)
      XCTAssertEqual(back.rows, there.rows)
      try expectSame(test.path, directory.file("back.db"))
      // It is a ledger like any other: with its rules, and nothing left in a log.
      let opened = try await Ledger.open(directory.file("back.db"))
      let again = try await opened.reserve(.example("c"))
      guard case .denied = again else { return XCTFail("\(again)") }
      let admitted = try await opened.reserve(.example("a"))
      XCTAssertNotNil(admitted.permit)
      XCTAssertEqual(admitted.permit?.trade, TradeID(6))
      await opened.close()
      try LedgerFileCheck.verify(directory.file("back.db"))
      // And so does the ledger on the server go on counting.
      let next = try await Ledger.open(url)
      let more = try await next.reserve(.example("a"))
      XCTAssertEqual(more.permit?.trade, TradeID(6))
      await next.close()
    }

    func testTarget_thatIsNotEmpty_isLeftAlone() async throws {
      let test = try await original()
      let server = try await ServerLedger()
      await expectError(.cannotCreate, saying: "empty") {
        _ = try await Ledger.copy(from: test.path, to: server.url)
      }
      XCTAssertEqual(try server.count(), 0)
      await expectError(.cannotCreate) {
        _ = try await Ledger.copy(from: server.url, to: test.path)
      }
      XCTAssertEqual(try test.query("SELECT COUNT(*) FROM trades"), [["5"]])
      await expectError(.configuration, saying: "backup") {
        _ = try await Ledger.copy(from: test.path, to: test.path + ".copy")
      }
      await expectError(.configuration, saying: "pg_dump") {
        _ = try await Ledger.copy(from: server.url, to: server.url)
      }
    }

    func testSource_thatIsAtWork_isNotCopied() async throws {
      let test = try await TestLedger(mode: .live)
      try await test.addBot("a")
      _ = try await test.ledger.reserve(.example("a"))
      let url = try TestServer.orSkip().database()
      await expectError(.busy, saying: "stop the bots") {
        _ = try await Ledger.copy(from: test.path, to: url)
      }
      await expectError(.noLedger) { _ = try await Ledger.open(url) }
    }

    /// More rows than go over at a time.
    func testLedger_thatIsLong_arrivesWhole() async throws {
      let test = try await TestLedger(mode: .live)
      try await test.addBot("a")
      let facts = try (0..<4500).map { number in
        PastFact(
          order: .example("a"), key: try OrderKey("fact-\(number)"),
          at: Timestamp(microseconds: 1_600_000_000_000_000 + Int64(number) * 1000))
      }
      _ = try await test.ledger.enter(facts)
      let url = try TestServer.orSkip().database()
      let move = try await Ledger.copy(from: test.path, to: url)
      XCTAssertEqual(move.rows["trades"], 4500)
      XCTAssertEqual(
        try TestServer.query(url, "SELECT COUNT(DISTINCT key), MAX(id) FROM tradeledger.trades"),
        [["4500", "4500"]])
    }
  }
#endif
