/// What every engine says in the same words. `place` is the path or the name of the ledger.
extension LedgerError {
  static func noSuchBot(_ bot: BotName, _ place: String) -> LedgerError {
    LedgerError(
      .noSuchBot, "no bot \(quoted(bot.description)) in \(quoted(place))",
      hint: "list them with `tradeledger bot list`, or add it: tradeledger bot add NAME --cooldown "
        + "15m")
  }

  static func noSuchTrade(_ reference: TradeReference, _ place: String) -> LedgerError {
    let name =
      switch reference {
      case .id(let id): id.description
      case .key(let key): "with key \(quoted(key.description))"
      }
    return LedgerError(
      .noSuchTrade, "no trade \(name) in \(quoted(place))",
      hint: "list them with `tradeledger trades --all`")
  }

  static func noSuchInstance(_ name: InstanceName, _ place: String) -> LedgerError {
    LedgerError(
      .noSuchInstance, "no instance \(quoted(name.description)) in \(quoted(place))",
      hint: "list them with `tradeledger instances`")
  }

  static func factConflict(_ key: String, _ trade: String) -> LedgerError {
    LedgerError(
      .invalidInput,
      "key \(quoted(key)) has just been given to trade \(trade), which says something else",
      hint: "nothing of this transaction was written; look with `tradeledger trade show \(trade)`")
  }

  static let outOfTime = LedgerError(
    .busy, "no answer within the wait limit: other callers of this process came first",
    hint: "nothing was written; try again with the same key, or raise the wait limit",
    retry: .safe)

  static let noServerEngine = LedgerError(
    .unavailable, "this program was built without the PostgreSQL engine",
    hint: "build the package with its trait PostgreSQL, or give the path of a ledger file")

  /// The URL itself is not repeated: there may be a password in it.
  static func noEngine(_ address: String) -> LedgerError {
    LedgerError(
      .unavailable, "not a path: '\(address)'",
      hint: "give the path of a file; a ledger on a server is at postgresql://USER@HOST/DATABASE")
  }

  /// Somebody who may write has to: a look does not.
  static func notDurable(_ cause: String, _ place: String) -> LedgerError {
    LedgerError(
      .io, "what \(quoted(place)) says may not be on the disk: \(escaped(cause))",
      hint: "check the disk and the kernel log; then the next trade puts it right, or "
        + "tradeledger init", retry: .safe)
  }

  static let closed = LedgerError(
    .configuration, "the ledger was closed", hint: "open it again before the next call")

  static let openedForReading = LedgerError(
    .configuration, "this ledger was opened for reading", hint: "open it with readWrite access")

  static func otherMode(_ mode: LedgerMode, _ place: String) -> LedgerError {
    LedgerError(
      .configuration, "\(quoted(place)) is a \(mode.rawValue) ledger",
      hint: "the mode of a ledger never changes; name another ledger")
  }

  static func newerLayout(_ found: Int64, _ known: Int64, _ place: String) -> LedgerError {
    LedgerError(
      .newerSchema, "\(quoted(place)) has layout \(found); this version knows \(known)",
      hint: "use the newer tradeledger that wrote it; nothing was touched")
  }

  static func olderLayout(_ found: Int64, _ known: Int64, _ place: String) -> LedgerError {
    LedgerError(
      .configuration, "\(quoted(place)) has the older layout \(found); this version knows \(known)",
      hint: "let an operator bring it up to date: tradeledger init --db with the same URL")
  }
}
