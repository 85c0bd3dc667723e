/// A backup that was made and verified by opening it.
public struct Backup: Sendable {
  /// The ledger.
  public let source: String
  /// The backup: one file, which may be copied like any other.
  public let path: String
  /// What the ledger is for.
  public let mode: LedgerMode
  /// What the backup shows is what was committed then.
  public let takenAt: Timestamp
  /// The size of the backup.
  public let bytes: Int64
  /// What the backup itself says, after it was opened, checked and compared with the source.
  public let trades: Int
  /// Fills after a void that the backup holds.
  public let conflicts: Int
  /// What an audit of the backup found. (A finding is history, and no fault of the backup.)
  public let findings: Int
}

/// What an engine has copied.
struct LedgerCopy: Sendable {
  let takenAt: Timestamp
  let trades: Int
  let conflicts: Int
}
