internal import SQLite
internal import TradeLedger

/// Reads the trades of a CSV file.
struct CSVSource {
  private let file: ForeignFile
  private let options: ForeignAuditOptions

  init(_ path: String, _ options: ForeignAuditOptions) throws(ForeignAuditError) {
    file = try ForeignFile(path)
    self.options = options
  }

  func report() throws(ForeignAuditError) -> ForeignReport {
    try ForeignFile.reading(file.path) { descriptor throws(ForeignAuditError) in
      try examine(descriptor)
    }
  }

  private func examine(_ descriptor: Int32) throws(ForeignAuditError) -> ForeignReport {
    var reader = try CSVReader(descriptor, path: file.path)
    let header = try reader.header(descriptor, path: file.path)
    guard let columns = try ColumnChoice(options, among: header) else {
      throw ColumnChoice.cannotGuess("the first line of \(quoted(file.path))", header)
    }
    guard options.cooldown != nil || columns.cooldown != nil else { throw ColumnChoice.noCooldown }
    let places = try CSVReader.places(of: columns.names, in: header)
    let collector = TradeCollector(
      ignoresStatus: options.ignoresStatus, cooldownColumn: columns.cooldown)
    while try reader.next() {
      guard reader.ends.count == header.count else {
        collector.malformed.add("line \(reader.line)")
        continue
      }
      for (column, place) in places {
        reader.field(place, into: &collector.fields[column].bytes)
        collector.fields[column].value = .text
      }
      try collector.take(line: reader.line)
    }
    let shown = ExaminedColumns(
      table: nil, bot: columns.bot, botName: nil, time: columns.time, id: columns.id,
      status: columns.status, cooldown: columns.cooldown?.name)
    return ForeignReport(
      path: file.path, columns: shown, collector: collector,
      judge: CooldownJudge(given: options.cooldown, collector: collector, bots: [:]), names: [:],
      look: .csv(path: file.path))
  }
}
