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
    /// How much longer than its wait for locks a call may take, whatever happens: for the network,
    /// and to find out what became of a write whose answer did not come.
    static let patience = Duration.seconds(2)
    /// The same for what goes over all rows: as long as a server may need for that. (One that is
    /// gone is noticed earlier, by the keepalives of the connection.)
    static let patienceForAll = Duration.seconds(600)
    /// Without any wait one still gets a server that is there, or one's turn.
    static let leastWait = Duration.seconds(1)
    private static let oldestServer = 150_000

    init(_ address: Address, _ counter: StatementCounter, _ opened: OpenedLedger) {
      self.address = address
      self.opened = opened
      self.counter = counter
    }

    /// How long one try may take.
    struct Time {
      /// For a lock.
      let lock: Duration
      /// For the answer, with the wait for the lock.
      let answer: Duration
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
    func ask(
      wait: WaitLimit, isWriting: Bool, patience: Duration = ServerSession.patience,
      _ query: (Duration) -> Query
    ) throws(LedgerError) -> Reply {
      let (answer, isRepeated) = try attempt(
        wait: wait, isWriting: isWriting, patience: patience
      ) { (connection, time) throws(PostgreSQLError) in
        counter.add(1)
        let query = query(time.lock)
        return try connection.run(
          query, preparedAs: ServerSession.name(query.sql), wait: time.answer)
      }
      return Reply(answer: answer, isRepeated: isRepeated)
    }

    /// Several statements that read, in one snapshot and one round trip.
    func read(
      _ queries: [Query], wait: WaitLimit, patience: Duration = ServerSession.patience
    ) throws(LedgerError) -> [Answer] {
      try attempt(wait: wait, isWriting: false, patience: patience) {
        (connection, time) throws(PostgreSQLError) in
        counter.add(queries.count)
        return queries.count == 1
          ? [try connection.run(queries[0], wait: time.answer)]
          : try connection.run(inOneSnapshot: queries, wait: time.answer)
      }.0
    }

    /// Runs `body` with a connection until it succeeds, fails for good, or the time is over.
    ///
    /// - Parameter patience: one limit for all tries together, beyond the wait. Zero: the wait is
    ///   the end of it.
    func attempt<Result>(
      wait: WaitLimit, isWriting: Bool, patience: Duration = ServerSession.patience,
      _ body: (Connection, Time) throws(PostgreSQLError) -> Result
    ) throws(LedgerError) -> (Result, Bool) {
      let end = wait.later(by: patience)
      if end.isOver { throw .outOfTime }
      var unknown: PostgreSQLError?
      var pause = Duration.milliseconds(2)
      while true {
        let failure: PostgreSQLError
        do throws(PostgreSQLError) {
          let isLate = unknown != nil
          let least = isLate ? end.remaining : min(end.remaining, ServerSession.leastWait)
          let connection = try connected(max(wait.remaining, least))
          // A write leaves time to be looked up, should its answer not come.
          let time = Time(
            lock: isLate ? end.remaining : wait.remaining,
            answer: isWriting && !isLate
              ? min(end.remaining, wait.remaining + patience / 2) : end.remaining)
          return (try body(connection, time), isLate)
        } catch { failure = error }
        // A standby: the address may lead to the primary by now. And a statement that was prepared
        // for a schema that is gone.
        if failure.isConnectionLost || ["25006", "0A000"].contains(failure.sqlState) {
          disconnect()
        }
        if isWriting && failure.fate == .unknown { unknown = failure }
        let isOver = unknown == nil ? wait.isOver : end.isOver
        let mayPass = failure.mayPass(severalHosts: address.hasSeveralHosts)
        if isOver || !mayPass && failure.fate != .unknown {
          if let unknown {
            throw LedgerError(unknown: unknown, last: failure, server: address.name)
          }
          throw LedgerError(failure, server: address.name)
        }
        ServerSession.sleep(min(pause, end.remaining))
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
      // (Zero: a pooler that does not say.)
      guard new.serverVersion == 0 || new.serverVersion >= ServerSession.oldestServer else {
        throw PostgreSQLError(
          sqlState: "TL001",
          message: "PostgreSQL \(new.parameter("server_version") ?? "") is too old")
      }
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
