internal import SQLite
internal import TradeLedger

/// Reads facts out of a CSV file.
struct CSVFacts {
  private let file: ForeignFile
  private let options: ForeignFactOptions

  init(_ path: String, _ options: ForeignFactOptions) throws(ForeignAuditError) {
    file = try ForeignFile(path)
    self.options = options
  }

  func read(into collector: FactCollector) throws(ForeignAuditError) {
    try ForeignFile.reading(file.path) { descriptor throws(ForeignAuditError) in
      var reader = try CSVReader(descriptor, path: file.path)
      let header = try reader.header(descriptor, path: file.path)
      let columns = try FactColumns(
        options, among: header, place: "the first line of \(quoted(file.path))")
      let places = try CSVReader.places(of: columns.names, in: header)
      collector.result.path = file.path
      collector.result.columns = columns.shown
      while try reader.next() {
        guard reader.ends.count == header.count else {
          collector.reject(
            .line(reader.line), "it has \(reader.ends.count) fields, the header \(header.count)")
          continue
        }
        for (column, place) in places {
          collector.row.fill(column) { bytes in
            reader.field(place, into: &bytes)
            return .text
          }
        }
        for field in [FactField.key, .bot, .symbol] { collector.row.unguard(field) }
        collector.take(.line(reader.line))
      }
    }
  }
}

/// Reads facts out of a table of a SQLite database.
struct SQLiteFacts {
  private let database: ForeignDatabase
  private let options: ForeignFactOptions

  init(_ path: String, _ options: ForeignFactOptions) throws(ForeignAuditError) {
    database = try ForeignDatabase(path, wait: options.wait)
    self.options = options
  }

  func read(into collector: FactCollector) throws(ForeignAuditError) {
    try database.snapshot { () throws(ForeignAuditError) in
      let schema = try database.schema()
      let (table, columns) = try schema.trades(named: options.table) {
        shape throws(ForeignAuditError) in
        try FactColumns(
          options, among: shape.columns, primaryKey: shape.key,
          place: "table \(quoted(shape.name))")
      }
      collector.result.path = database.file.path
      collector.result.columns = [(what: "table", column: table.name)] + columns.shown
      if let column = columns.names[FactField.bot.rawValue],
        let bots = try schema.bots(of: table, column: column)
      {
        collector.botNames = try database.read(bots, withCooldown: false).0
      }
      let place = table.hasRowid ? "rowid" : columns.names[FactField.id.rawValue]
      let names = columns.names + [place]
      try forEachRow(of: table.name, names) { row in
        for column in columns.names.indices where columns.names[column] != nil {
          collector.row.fill(column) { row.stored(column, bytes: &$0) }
        }
        var field = Field()
        field.value = row.stored(columns.names.count, bytes: &field.bytes)
        collector.take(.id(field.text))
      }
    }
  }

  private func forEachRow(
    of table: String, _ columns: [String?], _ body: (borrowing Row) -> Void
  ) throws(ForeignAuditError) {
    try database.forEachRow(ForeignStatements.rows(of: table, columns: columns)) { row, _ in
      body(row)
    }
  }
}
