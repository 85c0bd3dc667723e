internal import SQLite

/// Reads the columns of `Statements.tradeColumns`.
enum TradeRow {
  static func read(_ row: borrowing Row) throws(SQLiteError) -> StoredTrade {
    let createdAt = try requiredInstant(row, 13)
    let trade = Trade(
      id: TradeID(try row.integer(0)), key: OrderKey(stored: try row.text(2)),
      order: Order(
        bot: BotName(stored: try row.text(1)), side: try enumeration(row, 4),
        symbol: Symbol(stored: try row.text(5)), quantity: Amount(stored: try row.text(6)),
        price: try row.optionalText(7).map { Amount(stored: $0) }),
      origin: try enumeration(row, 3), status: try enumeration(row, 17), createdAt: createdAt,
      cooldown: .microseconds(try inRange(row.integer(8))), leaseUntil: try instant(row, 14),
      filledAt: try instant(row, 18),
      filledQuantity: try row.optionalText(20).map { Amount(stored: $0) },
      filledPrice: try row.optionalText(19).map { Amount(stored: $0) },
      exchangeAt: try row.optionalInteger(21).map { Timestamp(microseconds: $0) },
      receivedAt: try instant(row, 22),
      isLate: try row.integer(25) == 1, isSuperseded: try row.integer(26) == 1,
      isSettledByOperator: try row.optionalText(23) == Settling.operatorMark,
      reason: try row.optionalText(24),
      pid: try row.optionalInteger(10).map { Int32(truncatingIfNeeded: $0) },
      instance: try claim(row))
    return StoredTrade(
      trade: trade, token: try row.optionalText(9).map { PermitToken(stored: $0) },
      created: ClockReading(wall: createdAt, boot: try boot(row, 15)))
  }

  /// Microseconds that the rules may add and subtract without an overflow. The schema lets nothing
  /// else in; damage, or an edit past the triggers, may.
  private static func inRange(_ microseconds: Int64) throws(SQLiteError) -> Int64 {
    guard microseconds.magnitude <= 1_000_000_000_000_000_000 else {
      throw SQLiteError(
        code: 11, message: "no ledger holds the time \(microseconds)", operation: "read a row")
    }
    return microseconds
  }

  static func requiredInstant(
    _ row: borrowing Row, _ index: Int
  ) throws(SQLiteError) -> Timestamp {
    Timestamp(microseconds: try inRange(row.integer(index)))
  }

  static func instant(_ row: borrowing Row, _ index: Int) throws(SQLiteError) -> Timestamp? {
    guard let microseconds = try row.optionalInteger(index) else { return nil }
    return Timestamp(microseconds: try inRange(microseconds))
  }

  /// A boot id in column `index` and its microseconds in the next one.
  static func boot(_ row: borrowing Row, _ index: Int) throws(SQLiteError) -> BootInstant? {
    guard let id = try row.optionalText(index), let at = try row.optionalInteger(index + 1) else {
      return nil
    }
    return BootInstant(bootID: id, microseconds: try inRange(at))
  }

  static func settings(_ row: borrowing Row, _ index: Int) throws(SQLiteError) -> BotSettings {
    BotSettings(
      storedCooldown: .microseconds(try inRange(row.integer(index))),
      lease: .microseconds(try inRange(row.integer(index + 1))),
      inDoubt: try enumeration(row, index + 2),
      isEnabled: try row.integer(index + 3) == 1)
  }

  private static func claim(_ row: borrowing Row) throws(SQLiteError) -> InstanceClaim? {
    guard let name = try row.optionalText(11), let epoch = try row.optionalInteger(12) else {
      return nil
    }
    return InstanceClaim(name: InstanceName(stored: name), epoch: Epoch(epoch))
  }

  private static func enumeration<T: RawRepresentable<String>>(
    _ row: borrowing Row, _ index: Int
  ) throws(SQLiteError) -> T {
    let text = try row.text(index)
    guard let value = T(rawValue: text) else {
      throw SQLiteError(code: 20, message: "unknown word \(quoted(text))", operation: "read a row")
    }
    return value
  }
}
