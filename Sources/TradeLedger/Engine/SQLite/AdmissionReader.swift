internal import SQLite

/// Reads what admission depends on: one statement, and one more where a key, a pending trade or
/// conflicts were found.
struct AdmissionReader {
  let botID: Int64
  let facts: AdmissionFacts

  /// - Throws: `noSuchBot`.
  init(
    _ database: LedgerDatabase, _ bot: BotName, _ attempt: Attempt?, bootID: String?
  ) throws(LedgerError) {
    let values: [Value] = [
      .text(bot.description), .text(attempt?.key.description),
      .text(attempt?.instance?.name.description), .text(bootID),
    ]
    let found = try database.first(Statements.admission, values) { row throws(SQLiteError) in
      try Found(row)
    }
    guard let found else { throw .noSuchBot(bot, database.path) }
    botID = found.botID
    var facts = found.facts
    facts.sameKey = try AdmissionReader.load(found.sameKey, database)
    facts.pending = try AdmissionReader.load(found.pending, database)
    if found.hasConflicts {
      let values: [Value] = [.integer(botID), .text(bootID)]
      facts.lastConflicts = try database.rows(Statements.lastConflicts, values) {
        row throws(SQLiteError) in try Found.last(row, 0)
      }.compactMap { $0 }
    }
    facts.restores = database.restores
    self.facts = facts
  }

  /// The columns of `Statements.admission`.
  private struct Found {
    let botID: Int64
    let sameKey: Int64?
    let pending: Int64?
    let hasConflicts: Bool
    let facts: AdmissionFacts

    init(_ row: borrowing Row) throws(SQLiteError) {
      botID = try row.integer(0)
      sameKey = try row.optionalInteger(5)
      pending = try row.optionalInteger(6)
      hasConflicts = try row.integer(16) != 0
      facts = AdmissionFacts(
        settings: try TradeRow.settings(row, 1),
        currentEpoch: try row.optionalInteger(17).map { Epoch($0) },
        currentHolder: try row.optionalInteger(18).map { Int32(truncatingIfNeeded: $0) },
        inDoubt: try row.optionalInteger(7).map { TradeID($0) },
        lastTrades: try [Found.last(row, 8), Found.last(row, 12)].compactMap { $0 })
    }

    static func last(
      _ row: borrowing Row, _ index: Int
    ) throws(SQLiteError) -> AdmissionFacts.LastTrade? {
      guard let id = try row.optionalInteger(index) else { return nil }
      return AdmissionFacts.LastTrade(
        id: TradeID(id),
        at: ClockReading(
          wall: try TradeRow.requiredInstant(row, index + 1),
          boot: try TradeRow.boot(row, index + 2)))
    }
  }

  /// The answer where it is not an admission.
  func outcome(
    _ verdict: AdmissionDecision.Verdict, _ database: LedgerDatabase, _ now: ClockReading
  ) throws(LedgerError) -> AttemptOutcome? {
    switch verdict {
    case .admit: return nil
    case .replay(let withPermit):
      guard let same = facts.sameKey else { throw .bug("a replay without its trade") }
      return .replayed(same.seen(at: now), withPermit ? same.permit() : nil)
    case .deny(var denial, let winner):
      if let winner, denial.winner == nil {
        denial.winner = try AdmissionReader.load(winner.value, database)?.seen(at: now)
      }
      return .denied(denial)
    }
  }

  /// What `reserve` would say.
  func check(
    _ database: LedgerDatabase, _ now: ClockReading
  ) throws(LedgerError) -> CheckOutcome {
    let decision = Admission.decide(nil, facts: facts, now: now)
    guard case .denied(let denial) = try outcome(decision.verdict, database, now) else {
      return .admissible
    }
    return .denied(denial)
  }

  static func load(_ id: Int64?, _ database: LedgerDatabase) throws(LedgerError) -> StoredTrade? {
    guard let id else { return nil }
    return try database.first(Statements.tradeByID, [.integer(id)], TradeRow.read)
  }

  static func currentEpoch(
    _ claim: InstanceClaim?, _ database: LedgerDatabase
  ) throws(LedgerError) -> Epoch? {
    guard let claim else { return nil }
    let name = Value.text(claim.name.description)
    return try database.first(Statements.currentEpoch, [name]) { row throws(SQLiteError) in
      Epoch(try row.integer(0))
    }
  }
}
