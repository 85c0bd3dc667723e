#if PostgreSQL
  internal import CLibPQ

  #if canImport(Glibc)
    internal import Glibc
  #else
    internal import Darwin
  #endif

  /// A statement with the values of its parameters, all as text.
  public struct Query: Sendable {
    public let sql: String
    public let values: [String?]

    public init(_ sql: String, _ values: [String?] = []) {
      self.sql = sql
      self.values = values
    }
  }

  /// One connection to one server. Synchronous, with a limit for every wait, and not `Sendable`:
  /// the compiler keeps it on the thread, or in the actor, that opened it.
  ///
  /// The handle is closed by `deinit` alone: that is why the class is `@safe`.
  @safe
  public final class Connection {
    private let handle: OpaquePointer
    /// The process that opened it, and the only one that may use it.
    private let processID = getpid()
    /// The connection was lost, or an answer did not come: every later call fails.
    public private(set) var isLost = false

    private let warnings = Warnings()
    private var preparations = Preparations()

    /// What the server warned of since the last question. Somebody may have ended the wait for a
    /// standby, pg_cancel_backend for example: the server then says that it has committed, and with
    /// a warning that the standby may not have it.
    private final class Warnings {
      var last: String?
    }

    private init(_ handle: OpaquePointer) {
      unsafe self.handle = handle
      unsafe _ = PQsetNoticeReceiver(
        handle,
        { context, result in
          guard let context = unsafe context, let result = unsafe result,
            unsafe Connection.field("C", result) == "01000"
          else { return }
          let warnings = unsafe Unmanaged<Warnings>.fromOpaque(context).takeUnretainedValue()
          warnings.last = unsafe Connection.field("M", result) ?? "a warning"
        }, Unmanaged.passUnretained(warnings).toOpaque())
    }

    deinit {
      // A fork must not say goodbye in its parent's name.
      guard processID == getpid() else { return }
      unsafe PQfinish(handle)
    }

    // MARK: Opening

    /// Tries each host in turn, and each of its addresses, with an equal share of the wait.
    public static func open(
      _ address: Address, wait: Duration
    ) throws(PostgreSQLError) -> Connection {
      try first(of: address.hosts, Deadline(wait)) { (host, share) throws(PostgreSQLError) in
        let places = try Resolver.places(host, share)
        return try first(of: places, share) { (place, share) throws(PostgreSQLError) in
          try open(address.settings, place, share)
        }
      }
    }

    private static func first<Place>(
      of places: [Place], _ deadline: Deadline,
      _ body: (Place, Deadline) throws(PostgreSQLError) -> Connection
    ) throws(PostgreSQLError) -> Connection {
      var failure = PostgreSQLError.outOfTime(.notExecuted)
      for (index, place) in places.enumerated() {
        let share = Deadline(deadline.remaining / (places.count - index))
        do throws(PostgreSQLError) { return try body(place, share) } catch { failure = error }
      }
      throw failure
    }

    /// What holds where the URL says nothing else: a server that is gone is noticed in 20 seconds,
    /// also by a connection that waits for nothing.
    private static let defaults: [(keyword: String, value: String)] = [
      ("fallback_application_name", "tradeledger"), ("keepalives_idle", "10"),
      ("keepalives_interval", "3"), ("keepalives_count", "3"), ("tcp_user_timeout", "20000"),
    ]

    private static func open(
      _ settings: [(keyword: String, value: String)], _ host: [(keyword: String, value: String)],
      _ deadline: Deadline
    ) throws(PostgreSQLError) -> Connection {
      // (Of two values for one keyword libpq takes the last.)
      let all = defaults + settings + host + [("client_encoding", "UTF8")]
      let handle = unsafe withCStrings(all.map { $0.keyword }) { keywords in
        unsafe withCStrings(all.map { $0.value }) { values in
          unsafe PQconnectStartParams(keywords, values, 0)
        }
      }
      guard let handle = unsafe handle else {
        throw PostgreSQLError(message: "no memory for a connection", isConnectionLost: true)
      }
      let connection = unsafe Connection(handle)
      // So that the SQLSTATE of a login that fails is in the message: nothing else tells it.
      unsafe _ = PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
      try connection.finishOpening(deadline)
      unsafe _ = PQsetErrorVerbosity(handle, PQERRORS_DEFAULT)
      return connection
    }

    private func finishOpening(_ deadline: Deadline) throws(PostgreSQLError) {
      guard unsafe PQstatus(handle) != CONNECTION_BAD else { throw failure(.notExecuted) }
      var step = PGRES_POLLING_WRITING
      while step != PGRES_POLLING_OK {
        let readiness = unsafe deadline.wait(
          for: PQsocket(handle), reading: step == PGRES_POLLING_READING,
          writing: step == PGRES_POLLING_WRITING)
        guard readiness == .ready else { throw .outOfTime(.notExecuted) }
        step = unsafe PQconnectPoll(handle)
        if step == PGRES_POLLING_FAILED { throw failure(.notExecuted) }
      }
      guard unsafe PQsetnonblocking(handle, 1) == 0 else { throw failure(.notExecuted) }
    }

    /// 150004 for 15.4.
    public var serverVersion: Int { unsafe Int(PQserverVersion(handle)) }
    /// nil where the traffic is not encrypted, else the protocol, for example `TLSv1.3`.
    public var encryption: String? {
      guard unsafe PQsslInUse(handle) == 1, let name = unsafe PQsslAttribute(handle, "protocol")
      else { return nil }
      return unsafe String(cString: name)
    }
    /// A setting that the server tells by itself, for example `server_version`.
    public func parameter(_ name: String) -> String? {
      guard let value = unsafe PQparameterStatus(handle, name) else { return nil }
      return unsafe String(cString: value)
    }

    /// Whether the server, or a pooler before it, has hung up since the last answer. Asks nothing.
    public var hasHungUp: Bool {
      guard !isLost else { return true }
      var entry = unsafe pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
      // Something is there although nothing was asked: a notice, or last words and then the end.
      for _ in 0..<3 {
        guard unsafe poll(&entry, 1, 0) > 0 else { break }
        if unsafe PQconsumeInput(handle) == 0 { return true }
      }
      return unsafe PQstatus(handle) != CONNECTION_OK
    }

    // MARK: Asking

    /// One statement, in a transaction of its own. One round trip.
    public func run(_ query: Query, wait: Duration) throws(PostgreSQLError) -> Answer {
      let deadline = Deadline(wait)
      try expectUsable([query])
      guard send(query) else { throw lost(.unknown) }
      return try receive(deadline)
    }

    /// The same of a statement that will be asked again: from the second time on the server has it
    /// prepared, which spares it a third of its work. (The second time is two round trips.)
    ///
    /// A pooler that gives each transaction another server connection may stand in between: then
    /// nothing is prepared any more once the first name was not to be had there.
    ///
    /// - Parameter name: made of the text, so that two clients behind one pooler that have the same
    ///   name, of two versions for example, mean the same statement.
    public func run(
      _ query: Query, preparedAs name: String, wait: Duration
    ) throws(PostgreSQLError) -> Answer {
      let deadline = Deadline(wait)
      try expectUsable([query])
      guard try prepare(query.sql, as: name, deadline) else {
        return try run(query, wait: deadline.remaining)
      }
      do throws(PostgreSQLError) {
        guard send(query, prepared: name) else { throw lost(.unknown) }
        return try receive(deadline)
      } catch {
        guard error.sqlState == PostgreSQLError.noSuchPreparedStatement, !isLost else {
          throw error
        }
        // Nothing was carried out.
        preparations.end()
        return try run(query, wait: deadline.remaining)
      }
    }

    /// - Returns: whether the server has the statement under that name.
    private func prepare(
      _ sql: String, as name: String, _ deadline: Deadline
    ) throws(PostgreSQLError) -> Bool {
      switch preparations.next(name) {
      case .unprepared: return false
      case .prepared: return true
      case .due: break
      }
      do throws(PostgreSQLError) {
        guard unsafe PQsendPrepare(handle, name, sql, 0, nil) == 1 else {
          throw lost(.notExecuted)
        }
        _ = try receive(deadline)
        return true
      } catch {
        preparations.end()
        // Another client's, on a server connection that a pooler lends to both.
        if error.sqlState == PostgreSQLError.duplicatePreparedStatement, !isLost { return false }
        var failure = error
        failure.fate = .notExecuted
        throw failure
      }
    }

    /// Several statements of one text, without parameters, in one transaction: a schema.
    public func run(script: String, wait: Duration) throws(PostgreSQLError) {
      let deadline = Deadline(wait)
      try expectUsable()
      guard unsafe PQsendQuery(handle, script) == 1 else { throw lost(.unknown) }
      _ = try receive(deadline)
    }

    private static let snapshot = Query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    /// All that is read from here on is of one snapshot, until the connection is closed.
    public func beginSnapshot(wait: Duration) throws(PostgreSQLError) {
      _ = try run(Connection.snapshot, wait: wait)
    }

    /// A transaction of many statements. It is undone where the connection ends before `commit`.
    public func begin(wait: Duration) throws(PostgreSQLError) {
      _ = try run(Query("BEGIN ISOLATION LEVEL READ COMMITTED"), wait: wait)
    }

    public func commit(wait: Duration) throws(PostgreSQLError) {
      _ = try run(Query("COMMIT"), wait: wait)
    }

    /// Several statements that read, in one round trip and one snapshot.
    public func run(
      inOneSnapshot queries: [Query], wait: Duration
    ) throws(PostgreSQLError) -> [Answer] {
      let deadline = Deadline(wait)
      let all = [Connection.snapshot] + queries + [Query("COMMIT")]
      do throws(PostgreSQLError) {
        return Array(try run(together: all, wait: wait).dropFirst().dropLast())
      } catch {
        // The COMMIT was passed over with all that came after the error.
        if !isLost, unsafe PQtransactionStatus(handle) != PQTRANS_IDLE {
          _ = try? run(Query("ROLLBACK"), wait: deadline.remaining)
        }
        throw error
      }
    }

    /// Several statements in one round trip and one transaction: all of them, or none.
    ///
    /// - Returns: an answer for each, once the transaction is committed.
    public func run(
      together queries: [Query], wait: Duration
    ) throws(PostgreSQLError) -> [Answer] {
      let deadline = Deadline(wait)
      try expectUsable(queries)
      guard unsafe PQenterPipelineMode(handle) == 1 else { throw failure(.notExecuted) }
      for query in queries {
        guard send(query) else { throw lost(.notExecuted) }
      }
      // Nothing is carried out for good before the server has this.
      guard unsafe PQpipelineSync(handle) == 1 else { throw lost(.unknown) }
      let answers = try receivePipeline(queries.count, deadline)
      guard unsafe PQexitPipelineMode(handle) == 1 else {
        isLost = true
        return answers
      }
      return answers
    }

    private func expectUsable(_ queries: [Query] = []) throws(PostgreSQLError) {
      guard processID == getpid() else {
        throw PostgreSQLError(
          message: "this connection belongs to process \(processID); open another after a fork")
      }
      guard !isLost else {
        throw PostgreSQLError(message: "the connection was lost", isConnectionLost: true)
      }
      // It would end there, unnoticed. The server says the same of one inside of JSON.
      for query in queries {
        for case let text? in query.values where unsafe strlen(text) < text.utf8.count {
          throw PostgreSQLError(sqlState: "22021", message: "a text with a NUL")
        }
      }
      warnings.last = nil
    }

    private func send(_ query: Query) -> Bool {
      unsafe withCStrings(query.values) { values in
        unsafe PQsendQueryParams(
          handle, query.sql, Int32(query.values.count), nil, values, nil, nil, 0) == 1
      }
    }

    private func send(_ query: Query, prepared name: String) -> Bool {
      unsafe withCStrings(query.values) { values in
        unsafe PQsendQueryPrepared(
          handle, name, Int32(query.values.count), values, nil, nil, 0) == 1
      }
    }

    // MARK: Receiving

    /// The answer to one statement, once the server is ready for the next one: by then its
    /// transaction is committed, or undone.
    private func receive(_ deadline: Deadline) throws(PostgreSQLError) -> Answer {
      var answer: Answer?
      var error: PostgreSQLError?
      while true {
        try waitForResult(deadline)
        guard let result = unsafe PQgetResult(handle) else { break }
        switch unsafe take(result) {
        case .success(let found): answer = found
        // The first one says why; what a failed COMMIT says comes last.
        case .failure(let failure): error = error ?? failure
        }
      }
      if unsafe PQstatus(handle) != CONNECTION_OK { throw lost(of: error) }
      if let error { throw error }
      try expectNoWarning()
      guard let answer else { throw PostgreSQLError(message: "the server gave no answer") }
      return answer
    }

    private func receivePipeline(
      _ count: Int, _ deadline: Deadline
    ) throws(PostgreSQLError) -> [Answer] {
      var answers: [Answer] = []
      var error: PostgreSQLError?
      var isSynced = false
      // Each statement ends with "no more results"; the end of the pipeline has a result of its
      // own.
      while !isSynced {
        try waitForResult(deadline)
        guard let result = unsafe PQgetResult(handle) else {
          if unsafe PQstatus(handle) != CONNECTION_OK { throw lost(of: error) }
          continue
        }
        switch unsafe PQresultStatus(result) {
        case PGRES_PIPELINE_SYNC:
          isSynced = true
          unsafe PQclear(result)
        case PGRES_PIPELINE_ABORTED: unsafe PQclear(result)
        default:
          switch unsafe take(result) {
          case .success(let answer): answers.append(answer)
          case .failure(let failure): error = error ?? failure
          }
        }
      }
      if let error {
        unsafe _ = PQexitPipelineMode(handle)
        throw error
      }
      try expectNoWarning()
      guard answers.count == count else {
        throw PostgreSQLError(message: "the server gave \(answers.count) answers of \(count)")
      }
      return answers
    }

    private func expectNoWarning() throws(PostgreSQLError) {
      guard let warning = warnings.last else { return }
      isLost = true
      throw PostgreSQLError(
        sqlState: "01000", message: warning, fate: .unknown, isConnectionLost: true)
    }

    private func take(_ result: OpaquePointer) -> Result<Answer, PostgreSQLError> {
      switch unsafe PQresultStatus(result) {
      case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
        return unsafe .success(Answer(result))
      default:
        defer { unsafe PQclear(result) }
        let message =
          unsafe Connection.field("M", result)
          ?? String(cString: PQresultErrorMessage(result))
        var error = unsafe PostgreSQLError(
          sqlState: Connection.field("C", result) ?? "", message: trimmed(message))
        // By the meaning of these classes the transaction may have been carried out all the same.
        if error.sqlState == "40003" || error.sqlState.hasPrefix("08") { error.fate = .unknown }
        error.detail = unsafe Connection.field("D", result)
        error.hint = unsafe Connection.field("H", result)
        return .failure(error)
      }
    }

    /// A field of an error: `C` is the SQLSTATE, `M` the message, and so on (postgres_ext.h).
    private static func field(_ letter: Character, _ result: OpaquePointer) -> String? {
      let code = Int32(letter.asciiValue ?? 0)
      return unsafe PQresultErrorField(result, code).map { unsafe String(cString: $0) }
    }

    /// Waits until a result can be taken without waiting.
    private func waitForResult(_ deadline: Deadline) throws(PostgreSQLError) {
      var hasToSend = true
      while true {
        if hasToSend {
          let left = unsafe PQflush(handle)
          if left < 0 { throw lost(.unknown) }
          hasToSend = left == 1
        }
        if unsafe !hasToSend && PQisBusy(handle) == 0 { return }
        let readiness = unsafe deadline.wait(
          for: PQsocket(handle), reading: true, writing: hasToSend)
        guard readiness == .ready else {
          isLost = true
          throw .outOfTime(.unknown)
        }
        // What the server said before it hung up is still to be had.
        if unsafe PQconsumeInput(handle) == 0, unsafe PQisBusy(handle) != 0 {
          throw lost(.unknown)
        }
      }
    }

    // MARK: Failures

    private func failure(_ fate: PostgreSQLError.Fate) -> PostgreSQLError {
      // ... FATAL:  28P01: password authentication failed for user "x"
      // LOCATION:  auth_failed, auth.c:338
      let lines = unsafe String(cString: PQerrorMessage(handle)).split(separator: "\n")
        .filter { !$0.hasPrefix("LOCATION:") }
      let message = lines.map { String($0.drop(while: \.isWhitespace)) }.joined(separator: "; ")
      let marked = #/:  ([0-9A-Z]{5}):[ ]/#
      // With and without encryption both were tried, and one of the two may not be allowed at all:
      // what counts is what the other was told.
      let states = message.matches(of: marked).map { String($0.1) }
      return PostgreSQLError(
        sqlState: states.first { $0 != "28000" } ?? states.first ?? "",
        message: message.replacing(marked, with: ":  "), fate: fate, isConnectionLost: true)
    }

    private func lost(_ fate: PostgreSQLError.Fate) -> PostgreSQLError {
      isLost = true
      return failure(fate)
    }

    /// The connection ended before the server was ready again: whether it has committed is unknown,
    /// whatever it said before, but for an error of the statement itself.
    private func lost(of error: PostgreSQLError?) -> PostgreSQLError {
      isLost = true
      var found = error ?? failure(.unknown)
      found.isConnectionLost = true
      found.fate = .unknown
      return found
    }
  }

  /// Without the line break at the end.
  private func trimmed(_ text: String) -> String {
    var text = Substring(text)
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return String(text)
  }

  /// `strings` as C has them: an array of pointers that ends with NULL, good for the call.
  private func withCStrings<Result>(
    _ strings: [String?],
    _ body: (UnsafePointer<UnsafePointer<CChar>?>?) throws -> Result
  ) rethrows -> Result {
    let copies = unsafe strings.map { unsafe $0.map { unsafe strdup($0) } ?? nil }
    defer {
      for index in strings.indices { unsafe free(copies[index]) }
    }
    let pointers = unsafe copies.map { unsafe UnsafePointer($0) } + [nil]
    return unsafe try pointers.withUnsafeBufferPointer { unsafe try body($0.baseAddress) }
  }
#endif
