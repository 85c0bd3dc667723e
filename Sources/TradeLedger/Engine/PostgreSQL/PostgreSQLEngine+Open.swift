#if PostgreSQL
  internal import PostgreSQL

  extension PostgreSQLEngine {
    /// The layout of `schema.postgres.sql` that this version knows.
    static let layout: Int64 = 4

    /// Opens an existing ledger, on a thread of its own.
    static func open(
      _ url: String, creating mode: LedgerMode?, options: Ledger.Options
    ) async throws(LedgerError) -> PostgreSQLEngine {
      let address = try address(url)
      return try await EngineOpener(options.thread).open { thread throws(LedgerError) in
        try Opening.open(address, creating: mode, options: options, thread: thread)
      }
    }

    /// Makes the schema where it is missing, without the row that makes a ledger of it.
    static func installSchema(_ address: Address, wait: Duration) throws(LedgerError) {
      try Opening.installSchema(
        ServerSession(address, StatementCounter(), OpenedLedger()), WaitLimit(wait))
    }

    /// Makes the schema of an existing ledger that of this version, on a thread of its own.
    static func upgrade(
      _ url: String, repairing: Bool, options: Ledger.Options
    ) async throws(LedgerError) -> LedgerUpgrade {
      let address = try address(url)
      return try await EngineOpener(options.thread).run { () throws(LedgerError) in
        let session = ServerSession(address, StatementCounter(), OpenedLedger())
        return try ServerUpgrade(
          session: session, wait: WaitLimit(options.lockWait), isRepair: repairing
        ).run()
      }
    }

    static func name(of url: String) throws(LedgerError) -> String { try address(url).name }

    static func address(_ url: String) throws(LedgerError) -> Address {
      do throws(PostgreSQLError) { return try Address(url) } catch {
        throw LedgerError(
          .invalidInput, error.message, hint: "give the URL of the database of the ledger")
      }
    }
  }

  private enum Opening {
    static func open(
      _ address: Address, creating mode: LedgerMode?, options: Ledger.Options,
      thread: LedgerThread
    ) throws(LedgerError) -> PostgreSQLEngine {
      let counter = StatementCounter()
      let session = ServerSession(address, counter, OpenedLedger())
      let wait = WaitLimit(options.lockWait)
      var found = try look(session, wait)
      if found == nil, let mode {
        try make(mode, session, options, wait)
        found = try look(session, wait)
      }
      guard let found else { throw .noLedger(on: address.name) }
      if let mode, found != mode { throw .otherMode(found, address.name) }
      return PostgreSQLEngine(
        thread: thread, mode: found, session: session, counter: counter, options: options)
    }

    /// The mode of the ledger; nil where there is none yet.
    private static func look(
      _ session: ServerSession, _ wait: WaitLimit
    ) throws(LedgerError) -> LedgerMode? {
      let answer: Answer
      do throws(LedgerError) {
        answer = try session.read([Query(ServerStatements.ledger)], wait: wait)[0]
      } catch {
        guard error.code == .noLedger else { throw error }
        // No database, no schema in it, or a part of the schema is gone.
        guard session.server != nil else { throw error }
        let answer = try session.read([Query(ServerStatements.fingerprint)], wait: wait)[0]
        try expectShipped(try answer.first().optionalText(0), session)
        return nil
      }
      let row = try answer.first()
      let layout = try row.integer(1)
      guard layout <= PostgreSQLEngine.layout else {
        throw .newerLayout(layout, PostgreSQLEngine.layout, session.address.name)
      }
      guard layout == PostgreSQLEngine.layout else {
        throw .olderLayout(layout, PostgreSQLEngine.layout, session.address.name)
      }
      try expectShipped(row.optionalText(2), session)
      let mode = row.optionalText(0).flatMap { LedgerMode(rawValue: $0) }
      if mode != nil { session.opened.remember(row.optionalText(0), row.optionalText(3)) }
      return mode
    }

    /// Throws `schemaAltered` unless the schema is the one of `schema.postgres.sql`, or there is
    /// none.
    private static func expectShipped(
      _ fingerprint: String?, _ session: ServerSession
    ) throws(LedgerError) {
      let alterations = fingerprint.map { ServerFingerprint($0).alterations } ?? []
      guard alterations.isEmpty else { throw .altered(alterations, session.address.name) }
    }

    private static func noLedger(_ name: String) -> LedgerError {
      LedgerError(
        .noLedger, "there is no ledger in \(quoted(name))",
        hint: "create it as the owner of the database: tradeledger init --db with the same URL")
    }

    /// Any number of processes may do this at once: one makes it, the others wait and find it.
    private static func make(
      _ mode: LedgerMode, _ session: ServerSession, _ options: Ledger.Options, _ wait: WaitLimit
    ) throws(LedgerError) {
      guard options.access == .readWrite else { throw .noLedger(on: session.address.name) }
      try installSchema(session, wait)
      _ = try session.attempt(wait: wait, isWriting: true) {
        (connection, time) throws(PostgreSQLError) in
        do throws(PostgreSQLError) {
          _ = try connection.run(
            Query(
              ServerStatements.makeLedger,
              [mode.rawValue, LaneSetup.givenTime(options.clock).map { String($0) }]),
            wait: time.answer)
        } catch {
          // It has its row by now: whose mode it is, is looked at next.
          guard error.sqlState == "TL150" else { throw error }
        }
      }
    }

    static func installSchema(
      _ session: ServerSession, _ wait: WaitLimit
    ) throws(LedgerError) {
      let hasSchema = try session.read([Query(ServerStatements.hasSchema)], wait: wait)[0]
      guard hasSchema.rowCount == 0 else { return }
      do throws(LedgerError) {
        // A schema takes longer to write than a trade.
        _ = try session.attempt(wait: wait, isWriting: true, patience: .seconds(60)) {
          (connection, time) throws(PostgreSQLError) in
          do throws(PostgreSQLError) {
            try connection.run(script: ServerSchemaText.sql, wait: time.answer)
          } catch {
            var error = error
            // The script has left a transaction open that failed.
            error.isConnectionLost = true
            // Another process has made it at this moment.
            if ["42P06", "42710", "23505"].contains(error.sqlState) { return }
            throw error
          }
        }
        session.disconnect()
      } catch {
        guard error.code == .permission || error.code == .io else { throw error }
        throw LedgerError(
          error.code == .permission ? .permission : .cannotCreate, error.message,
          hint: "init needs a superuser, or the owner of the database with CREATEROLE")
      }
    }
  }
#endif
