/// What came of putting a backup back.
public struct Restoration: Sendable {
  /// The backup that was put back; it is still where it was.
  public let backup: String
  /// Where the ledger lies.
  public let path: String
  /// Where the ledger that it has replaced lies now; nil where there was none.
  public let replaced: String?
  /// What an interrupted restore had left, under new names.
  public let leftovers: [String]
  /// What the ledger is for.
  public let mode: LedgerMode
  /// From then on every bot waits one cooldown.
  public let restoredAt: Timestamp
  /// Of the restored ledger.
  public let status: LedgerStatus
  /// The new epoch of each instance name: who had it before is refused.
  public let epochs: [String: Int64]
  /// How many trades the replaced ledger has; nil where there was none, or it cannot be read.
  public let replacedTrades: Int?
}

extension Ledger {
  /// Puts a backup into the place of the ledger at `path`, which nobody may use meanwhile.
  ///
  /// What was there is kept beside it under a new name. Afterwards every bot waits one whole
  /// cooldown, since what was traded after the backup is not in it, and no process from before can
  /// trade under an instance name that it had. Trades that were pending in the backup are in doubt
  /// once their lease is over.
  ///
  /// - Throws: `busy` while a process has the ledger open, holds an instance name or works on a
  ///   trade, by name; `notALedger`, `newerSchema`, `schemaAltered` for a backup that cannot be
  ///   used; `configuration` for a backup of another mode, or a ledger that is in use. Then nothing
  ///   has changed.
  public static func restore(
    _ backup: String, to path: String, options: Options = Options()
  ) async throws(LedgerError) -> Restoration {
    try await Restorer().restore(backup, to: path, options)
  }
}
