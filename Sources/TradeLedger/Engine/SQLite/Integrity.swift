internal import SQLite

/// The full look at a file: every page, every index against its table, every CHECK and reference.
///
/// A flipped bit in an index can hide the last trade of a bot while everything else reads well. So
/// the look is taken at each opening of a small ledger, and at each audit of any. It reads the
/// whole file: about 15 ms for each MiB.
enum Integrity {
  /// Ledgers of up to this size (some 3,000 trades) are looked at when they are opened.
  static let bytesCheckedAtOpen: Int64 = 1_048_576

  /// What is wrong with the file, or "ok". Runs inside a transaction that its caller opened.
  static func report(_ database: LedgerDatabase) throws(LedgerError) -> String {
    let lines = try database.rows(Statements.integrityCheck) { row throws(SQLiteError) in
      try row.text(0)
    }
    let orphans = try SQLiteEngine.count(Statements.foreignKeyCheck, database)
    return (lines + (orphans == 0 ? [] : ["\(orphans) rows without their parent"]))
      .joined(separator: "; ")
  }

  /// Throws `notALedger` unless the file is sound.
  static func expectSound(_ database: LedgerDatabase) throws(LedgerError) {
    let found = try report(database)
    guard found == "ok" else {
      throw LedgerError(
        .notALedger, "\(quoted(database.path)) is damaged: \(escaped(found))",
        hint: "stop all workers, go back to a backup, and look up at the exchange what it lacks")
    }
  }
}
