#if PostgreSQL
  internal import PostgreSQL

  /// Makes the schema on a server that of `schema.postgres.sql`: its tables are changed step by
  /// step where they are of an older layout, everything else is made anew. One transaction, under a
  /// lock that nobody trades beside.
  struct ServerUpgrade {
    let session: ServerSession
    let wait: WaitLimit
    /// Whether a schema of this layout that somebody altered is made whole.
    let isRepair: Bool
    /// What leads from a layout to the next one.
    var steps = ServerStatements.layoutSteps
    /// How long a statement may take: an index is made of many rows.
    private static let patience = Duration.seconds(3600)

    /// What is there in the place of the shipped schema.
    private struct Found: Equatable {
      let layout: Int64
      let fingerprint: ServerFingerprint

      init?(_ answer: Answer) {
        guard let text = answer.text(0, 1) else { return nil }
        // Where nothing tells the layout, the tables will.
        layout = answer.integer(0, 0) ?? PostgreSQLEngine.layout
        fingerprint = ServerFingerprint(text)
      }
    }

    func run() throws(LedgerError) -> LedgerUpgrade {
      while true {
        let answer = try session.read([Query(ServerStatements.installed)], wait: wait)[0]
        guard let found = Found(answer) else { throw .noLedger(on: place) }
        let alterations = found.fingerprint.alterations
        let known = PostgreSQLEngine.layout
        guard found.layout <= known else { throw .newerLayout(found.layout, known, place) }
        let isOlder = found.layout < known
        if !isOlder && alterations.isEmpty { return .current }
        guard isOlder || isRepair else { throw .altered(alterations, place) }
        guard (found.layout..<known).allSatisfy({ steps[$0] != nil }) else {
          throw LedgerError(
            .configuration, "nothing leads from layout \(found.layout) to \(known)",
            hint: "use the tradeledger that made it; nothing was touched")
        }
        // Where another upgrade came first, there is another schema to look at.
        guard let left = try replaceWhenFree(found) else { continue }
        guard left.isEmpty else {
          throw .altered(
            left, place,
            hint: "this is not put right by itself: do it by hand, by `tradeledger schema "
              + "--postgresql`. Nothing was changed")
        }
        return isOlder ? .upgraded(from: Int(found.layout)) : .repaired(alterations)
      }
    }

    private var place: String { session.address.name }

    /// Those who trade go first; all wait for this for half a second at a time, at most.
    private func replaceWhenFree(_ found: Found) throws(LedgerError) -> [String]? {
      var turn = 50
      while true {
        do throws(LedgerError) {
          return try session.attempt(wait: wait, isWriting: true) {
            (connection, _) throws(PostgreSQLError) in
            do throws(PostgreSQLError) { return try replace(found, connection, turn) } catch {
              // Its transaction ends with it, whatever became of it.
              session.disconnect()
              throw error
            }
          }.0
        } catch {
          guard error.code == .busy, !wait.isOver else { throw error }
          turn = min(turn * 2, 500)
        }
      }
    }

    /// - Returns: what is still not as it was shipped; then nothing was changed. nil: it is not
    ///   what was found.
    private func replace(
      _ found: Found, _ connection: Connection, _ turn: Int
    ) throws(PostgreSQLError) -> [String]? {
      func ask(_ sql: String) throws(PostgreSQLError) -> Answer {
        try connection.run(Query(sql), wait: ServerUpgrade.patience)
      }
      func run(_ sql: String) throws(PostgreSQLError) {
        try connection.run(script: sql, wait: ServerUpgrade.patience)
      }
      try connection.begin(wait: ServerUpgrade.patience)
      try run(ServerStatements.beginUpgrade(milliseconds: turn))
      guard Found(try ask(ServerStatements.installed)) == found else {
        session.disconnect()
        return nil
      }
      let grants = try ask(ServerStatements.grants)
      try run(ServerStatements.dropRules)
      for layout in found.layout..<PostgreSQLEngine.layout { try run(steps[layout] ?? "") }
      for name in found.fingerprint.objects(unlike: .shipped) where name.hasPrefix("index ") {
        let index = name.dropFirst("index ".count)
        try run(ServerStatements.dropIndex(index))
        if let statement = ServerSchemaText.indexes[index] { try run(String(statement)) }
      }
      try run(String(ServerSchemaText.rules))
      for row in 0..<grants.rowCount {
        guard ServerFingerprint.shipped.has(grants.text(row, 0) ?? "") else { continue }
        try run(grants.text(row, 1) ?? "")
      }
      try run(ServerStatements.forget)
      let left = Found(try ask(ServerStatements.installed))?.fingerprint.alterations ?? []
      guard left.isEmpty else {
        session.disconnect()
        return left
      }
      try connection.commit(wait: ServerUpgrade.patience)
      return []
    }
  }
#endif
