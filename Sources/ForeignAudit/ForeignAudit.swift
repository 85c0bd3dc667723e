/// What to examine, and how. Columns that are not named are guessed from their names, and the
/// report says which were taken.
public struct ForeignAuditOptions: Sendable {
  /// The table or view with the trades.
  public var table: String?
  public var bot: String?
  public var time: String?
  public var id: String?
  public var status: String?
  /// Of every bot. Without it, the file itself has to say.
  public var cooldown: Duration?
  /// Whether cancelled, rejected and failed trades count too.
  public var ignoresStatus = false
  /// Longest wait for a lock.
  public var wait: Duration = .seconds(5)

  public init() {}
}

/// Finds double trades in files that are no ledgers: neighbours of one bot, in the order of time,
/// that are closer together than its cooldown.
///
/// Reads only. No byte of the file is changed and nothing new is left beside it.
public enum ForeignAudit {
  /// Trades of these statuses were not executed and do not count, in whatever capitals.
  public static var uncountedStatuses: [String] { Vocabulary.uncounted.sorted() }

  /// Examines a table of a SQLite database, in one snapshot, even while others write.
  ///
  /// **Lock**: a shared one while rows are read. It never blocks a writer in WAL mode; in a
  /// rollback-journal database a COMMIT waits for it. This process must have no other connection to
  /// the file.
  /// - Throws: ``ForeignAuditError``; `usage` where nobody says what the cooldown is.
  public static func sqlite(
    _ path: String, _ options: ForeignAuditOptions
  ) throws(ForeignAuditError) -> ForeignReport {
    try SQLiteSource(path, options).report()
  }

  /// Examines a CSV file (RFC 4180) whose first line names the columns.
  /// - Throws: ``ForeignAuditError``; `usage` where nobody says what the cooldown is.
  public static func csv(
    _ path: String, _ options: ForeignAuditOptions
  ) throws(ForeignAuditError) -> ForeignReport {
    try CSVSource(path, options).report()
  }
}
