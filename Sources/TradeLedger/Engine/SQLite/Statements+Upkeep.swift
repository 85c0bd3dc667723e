/// What backup, restore, doctor and metrics ask.
extension Statements {
  /// When the ledger went back to a backup.
  static let restores = "SELECT at, boot_id, boot_us FROM restores"
  static let insertRestore = "INSERT INTO restores (at, boot_id, boot_us) VALUES (?1, ?2, ?3)"
  static let hasRestore = "SELECT 1 FROM restores WHERE at = ?1"
  /// The raw name: a foreign client may have written one that the library would not take.
  static let instanceEpochs = "SELECT name, epoch FROM instances"
  static let pendingTrades = tradeColumns + " WHERE t.status = 'pending' ORDER BY t.id"
}
