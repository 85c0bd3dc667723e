/// What became of the schema of a ledger on a server.
public enum LedgerUpgrade: Equatable, Sendable {
  /// It was the one of this version, and was left alone.
  case current
  /// It was of an older layout, of this number.
  case upgraded(from: Int)
  /// Somebody had altered it, in these ways.
  case repaired([String])
}

extension Ledger {
  /// Makes the schema of a ledger on a PostgreSQL server the one of this version, in one
  /// transaction, while others may trade. They wait meanwhile, and see the old one or the new one.
  /// A file is migrated when it is opened.
  ///
  /// - Parameters:
  ///   - url: of the ledger, as a member of `tradeledger_owner`.
  ///   - repairing: whether a schema of this layout that was altered is made whole, too. What
  ///     others have added to it, triggers for example, is dropped; tables and rows stay.
  ///   - options: `lockWait` is the longest wait for those who trade.
  /// - Throws: `noLedger`, `newerSchema`; `schemaAltered` where it was altered and is not to be
  ///   repaired, or cannot be; `configuration` where something outside of the schema depends on it;
  ///   `permission`; `busy`, `unavailable` (safe to repeat); `io`. Then nothing was changed.
  ///   `outcomeUnknown` where the server stays away at the end: repeat it.
  public static func upgrade(
    _ url: String, repairing: Bool = false, options: Options = Options()
  ) async throws(LedgerError) -> LedgerUpgrade {
    guard isServer(url) else {
      throw LedgerError(
        .configuration, "\(quoted(url)) is a file",
        hint: "a file is migrated when it is opened; one that was altered goes back to a backup")
    }
    #if PostgreSQL
      return try await PostgreSQLEngine.upgrade(url, repairing: repairing, options: options)
    #else
      throw .noServerEngine
    #endif
  }
}
