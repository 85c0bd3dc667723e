internal import SQLite

extension SQLiteEngine {
  /// Copies one snapshot into `target`, a new and empty file.
  func copy(into target: LedgerFile, wait: WaitLimit) throws(LedgerError) -> LedgerCopy {
    let destination: Connection
    do throws(SQLiteError) {
      destination = try Connection.open(
        target.path, options: OpenOptions(purpose: .writing, wait: wait.remaining))
    } catch { throw LedgerError(error, path: target.path) }
    return try read(wait: wait) { (database, now) throws(LedgerError) in
      let copy = LedgerCopy(
        takenAt: now.wall, trades: try SQLiteEngine.count(Statements.countTrades, database),
        conflicts: try SQLiteEngine.count(Statements.countConflicts, database))
      do throws(SQLiteError) { try database.connection.copy(into: destination) } catch {
        throw LedgerError(error, path: target.path)
      }
      return copy
    }
  }
}
