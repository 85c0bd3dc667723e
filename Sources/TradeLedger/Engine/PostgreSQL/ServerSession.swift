#if PostgreSQL
  internal import PostgreSQL
  internal import Synchronization

  #if canImport(Glibc)
    internal import Glibc
  #else
    internal import Darwin
  #endif

  /// Statements that were sent, by all connections of one ledger.
  final class StatementCounter: Sendable {
    private let count = Mutex(0)

    func add(_ more: Int) { count.withLock { $0 += more } }
    var value: Int { count.withLock { $0 } }
  }

  /// A connection to the server that is made anew whenever it is lost.
  ///
  /// Everything that is asked through it may be asked twice: a reserve or record is carried out
  /// once under its key, a settlement once for its trade. So an answer that does not come is
  /// fetched by asking again, and never by a second order (INV-4).
  final class ServerSession {
    let address: Address
    private var connection: Connection?
    private let counter: StatementCounter
    let opened: OpenedLedger
    /// How long an answer may take beyond the wait for locks; and how much longer than the wait
    /// limit it may take to find out what became of a write whose answer did not come.
    static let patience = Duration.seconds(2)

    init(_ address: Address, _ counter: StatementCounter, _ opened: OpenedLedger) {
      self.address = address
      self.opened = opened
      self.counter = counter
    }

    /// An answer, and whether the question may have been carried out before, with its answer lost.
    struct Reply {
      let answer: Answer
      let isRepeated: Bool
    }

    /// One statement in a transaction of its own.
    ///
    /// - Parameters:
    ///   - query: made anew for each try, with what is left of the wait.
    ///   - isWriting: an answer that never comes is an unknown outcome, and no plain failure.
    ///   - patience: how long an answer may take beyond the wait. Zero: the wait is the end of it.
    func ask(
      wait: WaitLimit, isWriting: Bool, patience: Duration = ServerSession.patience,
      _ query: (Duration) -> Query
    ) throws(LedgerError) -> Reply {
      let (answer, isRepeated) = try attempt(
        wait: wait, isWriting: isWriting, patience: patience
      ) { (connection, remaining) throws(PostgreSQLError) in
        counter.add(1)
        let query = query(remaining)
        return try connection.run(
          query, preparedAs: ServerSession.name(query.sql), wait: remaining + patience)
      }
      return Reply(answer: answer, isRepeated: isRepeated)
    }

    /// Several statements that read, in one snapshot and one round trip.
    func read(_ queries: [Query], wait: WaitLimit) throws(LedgerError) -> [Answer] {
      try attempt(wait: wait, isWriting: false) {
        (connection, remaining) throws(PostgreSQLError) in
        counter.add(queries.count)
        return queries.count == 1
          ? [try connection.run(queries[0], wait: remaining + ServerSession.patience)]
          : try connection.run(inOneSnapshot: queries, wait: remaining + ServerSession.patience)
      }.0
    }

    /// Runs `body` with a connection until it succeeds, fails for good, or the wait is over.
    func attempt<Result>(
      wait: WaitLimit, isWriting: Bool, patience: Duration = ServerSession.patience,
      _ body: (Connection, Duration) throws(PostgreSQLError) -> Result
    ) throws(LedgerError) -> (Result, Bool) {
      var unknown: PostgreSQLError?
      var pause = Duration.milliseconds(2)
      while true {
        let failure: PostgreSQLError
        do throws(PostgreSQLError) {
          let isLate = unknown != nil && wait.isOver
          let remaining = isLate ? patience : wait.remaining
          // Without any wait one still gets a server that is there.
          let connection = try connected(max(remaining, min(patience, .seconds(1))))
          let result = try body(connection, isLate ? patience : wait.remaining)
          return (result, unknown != nil)
        } catch { failure = error }
        // A standby: the address may lead to the primary by now. And a statement that was prepared
        // for a schema that is gone.
        if failure.isConnectionLost || ["25006", "0A000"].contains(failure.sqlState) {
          disconnect()
        }
        if isWriting && failure.fate == .unknown { unknown = failure }
        let isOver = unknown == nil ? wait.isOver : wait.isOver(by: patience)
        let mayPass = failure.mayPass(severalHosts: address.hasSeveralHosts)
        if isOver || !mayPass && failure.fate != .unknown {
          if let unknown {
            throw LedgerError(unknown: unknown, last: failure, server: address.name)
          }
          throw LedgerError(failure, server: address.name)
        }
        ServerSession.sleep(pause)
        pause = min(pause * 2, .milliseconds(100))
      }
    }

    private static func name(_ sql: String) -> String {
      var hash = StableHash()
      hash.add(sql)
      return "tradeledger_" + hash.hexadecimal
    }

    private func connected(_ remaining: Duration) throws(PostgreSQLError) -> Connection {
      if let connection, !connection.hasHungUp { return connection }
      disconnect()
      let limit = WaitLimit(remaining)
      let new = try Connection.open(address, wait: remaining)
      try opened.expect(at: new, wait: limit.remaining)
      connection = new
      return new
    }

    func disconnect() { connection = nil }

    /// The server's version and the protocol of encryption, of a connection that is there.
    var server: (version: Int, text: String, encryption: String?)? {
      connection.map {
        ($0.serverVersion, $0.parameter("server_version") ?? "", $0.encryption)
      }
    }

    private static func sleep(_ pause: Duration) {
      _ = poll(nil, 0, Int32(pause / .milliseconds(1)))
    }
  }
#endif
