internal import SQLite

extension LedgerError {
  /// What an error of SQLite means for a caller of the ledger. Nothing was written: a COMMIT that
  /// failed does not come through here (INV-4).
  init(_ error: SQLiteError, path: String) {
    let file = quoted(path)
    if error.isBusy {
      let holders = LockHolders.of(path)
      let who = holders.isEmpty ? "" : "; locks are held by \(holders.joined(separator: ", "))"
      self.init(
        .busy, "no answer within the wait limit: \(file) is locked\(who)",
        hint: "nothing was written; try again with the same key, or raise the wait limit",
        retry: .safe)
    } else if error.isNotADatabase {
      self.init(
        .notALedger, "\(file) is not a ledger, or is damaged: \(escaped(error.message))",
        hint: "give the path of a ledger, or go back to a backup; the file was not touched")
    } else if error.isMisuse {
      self.init(
        .configuration, "\(file): \(escaped(error.message))",
        hint: "open the ledger in the process that uses it, after a fork anew")
    } else if error.isFull {
      self.init(
        .io, "no room left for \(file)",
        hint: "nothing was written and nothing was lost; make room and try again", retry: .safe)
    } else if error.isReadOnly || error.isCannotOpen {
      self.init(
        .permission, "\(file) cannot be opened for this: \(escaped(error.message))",
        hint: "check the owner and the mode of the file and its directory, and whether the file "
          + "system is mounted read-only")
    } else if error.isConstraint {
      self.init(
        .internalError, "the schema refused a write: \(escaped(error.message))",
        hint: "nothing was written; this is a bug of TradeLedger or a wrong clock, please report it"
      )
    } else {
      self.init(
        .io, "\(file): \(escaped(error.message)) (SQLite \(error.code))",
        hint: "nothing was written; check the disk and the kernel log, then try again",
        retry: .safe)
    }
  }
}
