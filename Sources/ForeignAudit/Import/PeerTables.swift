internal import SQLite
internal import TradeLedger

/// What the readers of peers' databases share.
struct PeerTables {
  let database: ForeignDatabase
  /// Whose database it should be.
  let peer: String

  /// The table, which must have these columns.
  func table(
    _ name: String, _ columns: [String]
  ) throws(ForeignAuditError) -> TableShape {
    guard let table = try database.schema().table(name) else {
      throw notTheirs("it has no table \(quoted(name))")
    }
    for column in columns where !table.columns.contains(column) {
      throw notTheirs("its table \(quoted(name)) has no column \(quoted(column))")
    }
    return table
  }

  private func notTheirs(_ why: String) -> ForeignAuditError {
    ForeignAuditError(
      .badData,
      "\(quoted(database.file.path)) is no database of a \(peer) that is known here: "
        + why,
      hint: "let a current \(peer) open it once, which migrates it; or read a table with --sqlite "
        + "FILE --table NAME")
  }

  func count(_ sql: String) throws(ForeignAuditError) -> Int {
    var count: Int64 = 0
    try database.forEachRow(sql) { row, _ in
      var bytes: [UInt8] = []
      if case .integer(let value) = row.stored(0, bytes: &bytes) { count = value }
    }
    return Int(count)
  }

  /// The digits of a whole number as a cell.
  static func integer(_ text: String) -> Field {
    var field = Field()
    if let value = Int64(text) {
      field.value = .integer(value)
    } else {
      field = Field(value: .text, bytes: Array(text.utf8))
    }
    return field
  }

  func report(
    _ collector: TradeCollector, _ options: ForeignAuditOptions, table: String, id: String,
    columns: [(what: String, column: String)]
  ) -> ForeignReport {
    func column(_ what: String) -> String { columns.first { $0.what == what }?.column ?? "" }
    return ForeignReport(
      path: database.file.path,
      columns: ExaminedColumns(
        table: table, bot: column("bot"), botName: nil, time: column("time"), id: id, status: nil,
        cooldown: nil),
      collector: collector,
      judge: CooldownJudge(given: options.cooldown, collector: collector, bots: [:]), names: [:],
      look: .sqlite(path: database.file.path, table: table, id: id))
  }
}

extension ForeignAudit {
  /// Examines the executed orders of a freqtrade database.
  /// - Throws: ``ForeignAuditError``; `usage` without a cooldown, which it does not say.
  public static func freqtrade(
    _ path: String, _ options: ForeignAuditOptions
  ) throws(ForeignAuditError) -> ForeignReport {
    guard options.cooldown != nil else { throw ColumnChoice.noPeerCooldown }
    return try FreqtradeFile(path, bot: options.bot, wait: options.wait).report(options)
  }

  /// Examines the executed orders of a hummingbot database. Fills of one order are one trade.
  /// - Throws: ``ForeignAuditError``; `usage` without a cooldown, which it does not say.
  public static func hummingbot(
    _ path: String, _ options: ForeignAuditOptions
  ) throws(ForeignAuditError) -> ForeignReport {
    guard options.cooldown != nil else { throw ColumnChoice.noPeerCooldown }
    return try HummingbotFile(path, bot: options.bot, wait: options.wait).report(options)
  }
}

extension ColumnChoice {
  fileprivate static var noPeerCooldown: ForeignAuditError {
    ForeignAuditError(
      .usage, "nothing says what the cooldown is", hint: "give it, for example --cooldown 15m")
  }
}
