#if PostgreSQL
  import Foundation
  import LedgerTestSupport
  import PostgreSQL
  import XCTest

  /// The thin module over libpq.
  final class ConnectionTests: XCTestCase {
    private func connect(_ url: String? = nil) throws -> Connection {
      try Connection.open(
        try Address(url ?? TestServer.orSkip().database()), wait: .seconds(20))
    }

    func testName_hasNoSecrets() throws {
      let names = [
        "postgresql://ann:s3cret@db.example:5433/bots": "postgresql://ann@db.example:5433/bots",
        "postgresql://ann@a,b:5433/bots?password=s3cret&sslpassword=s3cret":
          "postgresql://ann@a,b:5433/bots",
        "postgres://%2Frun%2Fpg/bots?user=ann&passfile=/s3cret":
          "postgresql://ann@%2Frun%2Fpg/bots",
      ]
      for (url, name) in names { XCTAssertEqual(try Address(url).name, name) }
    }

    func testURL_thatCannotBeReadIsNotRepeated() {
      for url in [
        "postgresql://ann:s3c/ret@db/bots", "postgresql://ann:s3c%zzret@db/bots", "s3cret",
        "postgresql://ann:a@s3cret@db/bots",
      ] {
        XCTAssertThrowsError(try Address(url)) { error in
          XCTAssertFalse("\(error)".contains("s3c"), "\(error)")
        }
      }
    }

    func testAnswer_hasTextsAndNulls() throws {
      let connection = try connect()
      let answer = try connection.run(
        Query("SELECT $1::text AS a, $2::bigint AS b, $3::text", ["x'\"ü", "7", nil]),
        wait: .seconds(10))
      XCTAssertEqual(answer.text(0, 0), "x'\"ü")
      XCTAssertEqual(answer.integer(0, 1), 7)
      XCTAssertNil(answer.text(0, 2))
      XCTAssertNil(answer.text(1, 0), "a row that is not there")
    }

    /// Whatever the URL says: a text in another encoding would be written as another text.
    func testTexts_areUTF8() throws {
      let connection = try connect(TestServer.orSkip().database() + "?client_encoding=latin1")
      let answer = try connection.run(Query("SELECT length($1)", ["5 €"]), wait: .seconds(10))
      XCTAssertEqual(answer.integer(0, 0), 3)
    }

    func testStatement_isPreparedFromTheSecondTimeOn() throws {
      let connection = try connect()
      func prepared() throws -> Int64? {
        try connection.run(
          Query("SELECT count(*) FROM pg_prepared_statements WHERE name = 'plus'"),
          wait: .seconds(10)
        ).integer(0, 0)
      }
      func plus(_ number: Int) throws -> Int64? {
        try connection.run(
          Query("SELECT $1::integer + 1", ["\(number)"]), preparedAs: "plus", wait: .seconds(10)
        ).integer(0, 0)
      }
      XCTAssertEqual(try plus(1), 2)
      XCTAssertEqual(try prepared(), 0)
      XCTAssertEqual(try plus(2), 3)
      XCTAssertEqual(try prepared(), 1)
      XCTAssertEqual(try plus(3), 4)
      // Another server connection, from a pooler: the name is not there.
      _ = try connection.run(Query("DEALLOCATE plus"), wait: .seconds(10))
      XCTAssertEqual(try plus(4), 5)
      XCTAssertEqual(try prepared(), 0)
      XCTAssertEqual(try plus(5), 6)
      XCTAssertEqual(try prepared(), 0)
    }

    /// Another client's, behind the same pooler. It is not taken for one's own.
    func testStatement_whoseNameIsTaken() throws {
      let connection = try connect()
      _ = try connection.run(Query("PREPARE taken AS SELECT 7"), wait: .seconds(10))
      for number: Int64 in 1...3 {
        let answer = try connection.run(
          Query("SELECT $1::integer", ["\(number)"]), preparedAs: "taken", wait: .seconds(10))
        XCTAssertEqual(answer.integer(0, 0), number)
      }
    }

    /// libpq takes a text up to its first NUL.
    func testText_withANUL_isNotCutOff() throws {
      let connection = try connect()
      let query = Query("SELECT $1::text", ["a\0b"])
      for send in [
        { _ = try connection.run(query, wait: .seconds(10)) },
        { _ = try connection.run(query, preparedAs: "a", wait: .seconds(10)) },
        { _ = try connection.run(together: [query], wait: .seconds(10)) },
      ] {
        XCTAssertThrowsError(try send()) {
          XCTAssertEqual(($0 as? PostgreSQLError)?.sqlState, "22021")
          XCTAssertEqual(($0 as? PostgreSQLError)?.fate, .notExecuted)
        }
      }
      XCTAssertEqual(try connection.run(Query("SELECT 1"), wait: .seconds(10)).integer(0, 0), 1)
    }

    func testError_hasItsStateAndHarmsNothing() throws {
      let connection = try connect()
      XCTAssertThrowsError(try connection.run(Query("SELECT 1 / 0"), wait: .seconds(10))) { error in
        let error = error as? PostgreSQLError
        XCTAssertEqual(error?.sqlState, "22012")
        XCTAssertEqual(error?.fate, .notExecuted)
        XCTAssertEqual(error?.isConnectionLost, false)
      }
      XCTAssertEqual(try connection.run(Query("SELECT 1"), wait: .seconds(10)).integer(0, 0), 1)
    }

    /// As when somebody ends the wait for a standby: committed here, and perhaps not there.
    func testWarning_leavesTheOutcomeUnknown() throws {
      let warning = Query("DO $$ BEGIN RAISE WARNING 'perhaps'; END $$")
      for asked in [[warning], [Query("SELECT 1"), warning]] {
        let connection = try connect()
        XCTAssertThrowsError(
          try asked.count == 1
            ? [connection.run(asked[0], wait: .seconds(10))]
            : connection.run(together: asked, wait: .seconds(10))
        ) { error in
          let error = error as? PostgreSQLError
          XCTAssertEqual(error?.message, "perhaps")
          XCTAssertEqual(error?.fate, .unknown)
        }
        XCTAssertTrue(connection.isLost)
      }
      let connection = try connect()
      let notice = Query("DO $$ BEGIN RAISE NOTICE 'by the way'; END $$")
      XCTAssertNoThrow(try connection.run(notice, wait: .seconds(10)))
    }

    func testStatementsTogether_areDoneAllOrNone() throws {
      let url = try TestServer.orSkip().database()
      let connection = try connect(url)
      try connection.run(
        script: "CREATE TABLE t (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)", wait: .seconds(10))
      let insert = Query("INSERT INTO t VALUES ($1::int) RETURNING a", ["1"])
      XCTAssertThrowsError(
        try connection.run(together: [insert, Query("SELECT 1 / 0"), insert], wait: .seconds(10)))
      // This one fails at COMMIT alone, after each statement was answered.
      XCTAssertThrowsError(
        try connection.run(together: [insert, insert], wait: .seconds(10))
      ) { XCTAssertEqual(($0 as? PostgreSQLError)?.sqlState, "23505") }
      XCTAssertThrowsError(
        try connection.run(Query("INSERT INTO t VALUES (2), (2) RETURNING a"), wait: .seconds(10))
      ) { XCTAssertEqual(($0 as? PostgreSQLError)?.sqlState, "23505") }
      XCTAssertEqual(try TestServer.query(url, "SELECT * FROM t"), [])
      let answers = try connection.run(
        together: [insert, Query("SELECT COUNT(*) FROM t")], wait: .seconds(10))
      XCTAssertEqual(answers.map { $0.integer(0, 0) }, [1, 1])
      XCTAssertEqual(try TestServer.query(url, "SELECT * FROM t"), [["1"]])
    }

    func testSnapshot_isOneAndWritesNothing() throws {
      let url = try TestServer.orSkip().database()
      let connection = try connect(url)
      try connection.run(script: "CREATE TABLE t (a int)", wait: .seconds(10))
      let ids = try connection.run(
        inOneSnapshot: [
          Query("SELECT pg_current_snapshot()"), Query("SELECT pg_sleep(0)"),
          Query("SELECT pg_current_snapshot()"),
        ], wait: .seconds(10)
      ).map { $0.text(0, 0) }
      XCTAssertEqual(ids.first, ids.last)
      XCTAssertThrowsError(
        try connection.run(
          inOneSnapshot: [Query("INSERT INTO t VALUES (1)")], wait: .seconds(10))
      ) { XCTAssertEqual(($0 as? PostgreSQLError)?.sqlState, "25006") }
      XCTAssertEqual(try connection.run(Query("SELECT 1"), wait: .seconds(10)).integer(0, 0), 1)
    }

    func testAnswer_thatDoesNotComeIsUnknown() throws {
      let connection = try connect()
      let start = ContinuousClock.now
      XCTAssertThrowsError(
        try connection.run(Query("SELECT pg_sleep(30)"), wait: .milliseconds(100))
      ) { XCTAssertEqual(($0 as? PostgreSQLError)?.fate, .unknown) }
      XCTAssertLessThan(ContinuousClock.now - start, .seconds(5))
      XCTAssertTrue(connection.isLost)
      XCTAssertThrowsError(try connection.run(Query("SELECT 1"), wait: .seconds(1)))
    }

    func testConnection_thatIsCutIsUnknownWhileItAsksAndLostBetween() throws {
      let url = try TestServer.orSkip().database()
      let connection = try connect(url)
      let pid = try connection.run(Query("SELECT pg_backend_pid()"), wait: .seconds(10)).text(0, 0)!
      XCTAssertThrowsError(
        // Ends itself in the middle of its answer.
        try connection.run(
          Query("SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(5)"), wait: .seconds(10))
      ) { XCTAssertEqual(($0 as? PostgreSQLError)?.fate, .unknown) }
      XCTAssertTrue(connection.isLost)
      let other = try connect(url)
      XCTAssertFalse(other.hasHungUp)
      let second = try other.run(Query("SELECT pg_backend_pid()"), wait: .seconds(10)).text(0, 0)!
      XCTAssertNotEqual(pid, second)
      _ = try TestServer.query(url, "SELECT pg_terminate_backend(\(second), 5000)")
      XCTAssertTrue(other.hasHungUp)
    }

    func testOpening_saysWhyAndWaitsNoLongerThanItMay() throws {
      let server = try TestServer.orSkip()
      XCTAssertThrowsError(
        try connect(TestServer.url(server.url, database: "no_such_database"))
      ) { XCTAssertEqual(($0 as? PostgreSQLError)?.sqlState, "3D000", "\($0)") }
      // Nobody answers at this address (RFC 5737), and refuses nothing either.
      let start = ContinuousClock.now
      XCTAssertThrowsError(
        try Connection.open(try Address("postgresql://a@192.0.2.1/b"), wait: .milliseconds(200)))
      XCTAssertLessThan(ContinuousClock.now - start, .seconds(3))
    }

    func testHosts_areTriedInTurn() throws {
      let url = try TestServer.orSkip().database()
      var parts = try XCTUnwrap(URLComponents(string: url))
      let place = "\(parts.host ?? ""):\(parts.port ?? 5432)"
      parts.host = nil
      let several = "postgresql://owner@127.0.0.1:1,\(place)\(parts.path)"
      let connection = try connect(several)
      XCTAssertEqual(try connection.run(Query("SELECT 1"), wait: .seconds(10)).integer(0, 0), 1)
    }
  }
#endif
