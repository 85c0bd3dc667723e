#if PostgreSQL
  internal import PostgreSQL

  /// The rows of a ledger on a server, as its owner sees them.
  struct ServerRows: RowReader, RowWriter {
    let address: Address
    let wait: Duration
    let clock: any LedgerClock
    /// One statement reads or writes some thousand rows.
    private static let answerTime = Duration.seconds(60)

    func inSnapshot(
      _ body: (NextRows, ClockReading) throws(LedgerError) -> Void
    ) throws(LedgerError) {
      let connection = try connected()
      try translated { () throws(PostgreSQLError) in try connection.beginSnapshot(wait: wait) }
      let now = try PostgreSQLEngine.clock(
        run(connection, ServerStatements.serverNow, [LaneSetup.givenTime(clock).map { "\($0)" }]))
      try body(
        { (table, after) throws(LedgerError) in try rows(connection, table, after) }, now)
    }

    private func rows(
      _ connection: Connection, _ table: LedgerTable, _ after: String?
    ) throws(LedgerError) -> [StoredRow] {
      let answer = try run(
        connection, ServerStatements.rows(of: table), [after, "\(RowCopy.pieceSize)"])
      return (0..<answer.rowCount).map { row in table.columns.indices.map { answer.text(row, $0) } }
    }

    func fill(
      _ body: (RowWriter.Insert) throws(LedgerError) -> Void,
      verify: (NextRows) throws(LedgerError) -> Void
    ) throws(LedgerError) {
      try PostgreSQLEngine.installSchema(address, wait: wait)
      let connection = try connected()
      try translated { () throws(PostgreSQLError) in try connection.begin(wait: wait) }
      _ = try run(connection, ServerStatements.copyBegins)
      try body { (table, rows) throws(LedgerError) in
        let elements = try rows.map { row throws(LedgerError) in
          JSONElements.object(try zip(table.columns, row).map(ServerRows.field(of: table)))
        }
        _ = try run(
          connection, ServerStatements.insertRows(into: table), [JSONElements.array(elements)])
      }
      _ = try run(connection, ServerStatements.copyEnds)
      try verify { (table, after) throws(LedgerError) in try rows(connection, table, after) }
      do throws(PostgreSQLError) { try connection.commit(wait: ServerRows.answerTime) } catch {
        throw error.fate == .unknown
          ? LedgerError(
            .outcomeUnknown, "the answer to COMMIT was lost: \(escaped(error.message))",
            hint: "look whether it is there, whole or not at all: tradeledger status --db URL",
            retry: .checkFirst)
          : LedgerError(error, server: address.name)
      }
    }

    /// - Throws: `invalidInput` for what no text of a server can hold.
    private static func field(
      of table: LedgerTable
    ) -> (LedgerTable.Column, String?) throws(LedgerError) -> (String, JSONElements.Value) {
      { (column, value) throws(LedgerError) in
        if column.isInteger { return (column.name, .integer(value.flatMap { Int64($0) })) }
        guard value?.utf8.contains(0) != true else {
          throw LedgerError(
            .invalidInput, "a text with a NUL: column \(column.name) of \(table.name)",
            hint: "nothing was copied; a server takes no such text")
        }
        return (column.name, .text(value))
      }
    }

    private func run(
      _ connection: Connection, _ sql: String, _ values: [String?] = []
    ) throws(LedgerError) -> Answer {
      try translated { () throws(PostgreSQLError) in
        try connection.run(Query(sql, values), wait: ServerRows.answerTime)
      }
    }

    private func connected() throws(LedgerError) -> Connection {
      try translated { () throws(PostgreSQLError) in
        try Connection.open(address, wait: max(wait, .seconds(1)))
      }
    }

    private func translated<Result>(
      _ body: () throws(PostgreSQLError) -> Result
    ) throws(LedgerError) -> Result {
      do throws(PostgreSQLError) { return try body() } catch {
        if error.sqlState == "TL150" {
          throw LedgerError(
            .cannotCreate, "there is a ledger in \(quoted(address.name)) already",
            hint: "copy into an empty database")
        }
        throw LedgerError(error, server: address.name)
      }
    }
  }
#endif
