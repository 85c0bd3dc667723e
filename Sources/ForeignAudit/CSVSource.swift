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
    let header = try header(&reader, descriptor)
    guard let columns = try ColumnChoice(options, among: header) else {
      throw ColumnChoice.cannotGuess("the first line of \(quoted(file.path))", header)
    }
    guard options.cooldown != nil || columns.cooldown != nil else { throw ColumnChoice.noCooldown }
    let places = try places(of: columns, in: header)
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

  /// The names of the columns. Where the first line has no comma, semicolons or tabs divide it.
  private func header(
    _ reader: inout CSVReader, _ descriptor: Int32
  ) throws(ForeignAuditError) -> [String] {
    guard try reader.next() else {
      throw ForeignAuditError(
        .noInput, "\(quoted(file.path)) has no lines", hint: "there is nothing to examine")
    }
    if reader.ends.count == 1 {
      let others = [UInt8(ascii: ";"), UInt8(ascii: "\t")]
      if let separator = others.first(where: { reader.bytes.contains($0) }) {
        reader = try CSVReader(descriptor, path: file.path, separator: separator)
        _ = try reader.next()
      }
    }
    return reader.ends.indices.map { index in
      var name: [UInt8] = []
      reader.field(index, into: &name)
      let text = String(decoding: name, as: UTF8.self)
      return String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
  }

  /// Pairs of a column's number and the place of its field.
  private func places(
    of columns: ColumnChoice, in header: [String]
  ) throws(ForeignAuditError) -> [(Int, Int)] {
    var places: [(Int, Int)] = []
    for (column, name) in columns.names.enumerated() {
      guard let name, let place = header.firstIndex(of: name) else { continue }
      guard header.lastIndex(of: name) == place else {
        throw ForeignAuditError(
          .badData, "two columns are called \(quoted(name))",
          hint: "give them different names in the first line")
      }
      places.append((column, place))
    }
    return places
  }
}
