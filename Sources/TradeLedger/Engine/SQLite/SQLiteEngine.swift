actor SQLiteEngine: LedgerEngine {
  nonisolated let mode: LedgerMode = .paper
  nonisolated let path = ""
  init(clock: any LedgerClock) {}
  func open(_ path: String, options: Ledger.Options) throws(LedgerError) -> any LedgerEngine { throw .bug("stub") }
  func create(_ path: String, mode: LedgerMode, options: Ledger.Options) throws(LedgerError) -> any LedgerEngine { throw .bug("stub") }
  func attempt(_ attempt: Attempt, wait: Duration) throws(LedgerError) -> AttemptOutcome { throw .bug("stub") }
  func settle(_ settlement: Settlement, wait: Duration) throws(LedgerError) -> SettleOutcome { throw .bug("stub") }
  func isLive(_ permit: Permit, wait: Duration) throws(LedgerError) -> Bool { throw .bug("stub") }
  func addBot(_ bot: Bot, wait: Duration) throws(LedgerError) -> AddBotOutcome { throw .bug("stub") }
  func changeBot(_ name: BotName, _ change: BotChange, wait: Duration) throws(LedgerError) -> Bot { throw .bug("stub") }
  func check(_ bot: BotName, wait: Duration) throws(LedgerError) -> CheckOutcome { throw .bug("stub") }
  func status(_ bot: BotName?, wait: Duration) throws(LedgerError) -> LedgerStatus { throw .bug("stub") }
  func trades(_ query: TradeQuery, wait: Duration) throws(LedgerError) -> TradePage { throw .bug("stub") }
  func trade(_ reference: TradeReference, wait: Duration) throws(LedgerError) -> Trade { throw .bug("stub") }
  func audit(_ query: TradeQuery, wait: Duration) throws(LedgerError) -> AuditReport { throw .bug("stub") }
  func diagnosis(wait: Duration) throws(LedgerError) -> Diagnosis { throw .bug("stub") }
  func close() {}
}
