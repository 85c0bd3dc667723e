internal import SQLite
internal import TradeLedger

/// A table of a foreign database, or a view that was named.
struct TableShape: Equatable {
  let name: String
  let columns: [String]
  /// The one column of the primary key.
  let key: String?
  /// A view or a table WITHOUT ROWID has none.
  let hasRowid: Bool
}

/// The table of the bots that trades point to.
struct BotTable: Equatable {
  let table: String
  let key: String
  let name: String?
  let cooldown: CooldownColumn?

  var nameColumn: String? { name.map { "\(table).\($0)" } }
  var cooldownColumn: String? { cooldown.map { "\(table).\($0.name)" } }
}

/// Finds out which table holds trades and which one their bots.
struct SchemaReader {
  private let connection: Connection
  private let file: ForeignFile
  private let tables: [TableShape]
  /// Only their names: a view is not even looked at before somebody names it.
  private let views: [String]

  init(connection: Connection, file: ForeignFile) throws(ForeignAuditError) {
    self.connection = connection
    self.file = file
    do throws(SQLiteError) {
      let names = try connection.rows(ForeignStatements.tables) { row throws(SQLiteError) in
        (try row.text(0), try row.integer(1) == 1)
      }
      views = names.filter(\.1).map(\.0)
      var tables: [TableShape] = []
      for (name, isView) in names where !isView {
        tables.append(try SchemaReader.shape(of: name, connection))
      }
      self.tables = tables
    } catch { throw file.translate(error) }
  }

  private static func shape(
    of name: String, _ connection: Connection
  ) throws(SQLiteError) -> TableShape {
    let columns = try connection.rows(ForeignStatements.columns(of: name)) {
      row throws(SQLiteError) in (name: try row.text(1), isKey: try row.integer(5) != 0)
    }
    let keys = columns.filter(\.isKey)
    let probe = ForeignStatements.rowidProbe(of: name)
    return TableShape(
      name: name, columns: columns.map(\.name), key: keys.count == 1 ? keys[0].name : nil,
      hasRowid: (try? connection.run(probe)) != nil)
  }

  /// The table or view of that name: as it is spelled, else in other capitals, as SQLite has it.
  private func named(_ wanted: String) throws(ForeignAuditError) -> TableShape {
    let names = tables.map(\.name) + views
    let found =
      names.first { $0 == wanted } ?? names.first { $0.lowercased() == wanted.lowercased() }
    guard let found else {
      throw ForeignAuditError(
        .noInput, "\(quoted(file.path)) has no table \(quoted(wanted))",
        hint: "its tables are: " + list(tables.map(\.name)))
    }
    if let table = tables.first(where: { $0.name == found }) { return table }
    do throws(SQLiteError) {
      return try SchemaReader.shape(of: found, connection)
    } catch { throw file.translate(error) }
  }

  /// The table with the trades, and its columns.
  /// - Throws: `noInput` where a name is not there, `badData` where it cannot be told.
  func trades(
    _ options: ForeignAuditOptions
  ) throws(ForeignAuditError) -> (TableShape, ColumnChoice) {
    let (table, columns) = try trades(named: options.table) { shape throws(ForeignAuditError) in
      try ColumnChoice(options, among: shape.columns)
    }
    return (table, try withID(columns, of: table, options))
  }

  /// The table of that name, else the only one that is called like trades and in which `choose`
  /// finds its columns.
  func trades<Choice>(
    named wanted: String?, _ choose: (TableShape) throws(ForeignAuditError) -> Choice?
  ) throws(ForeignAuditError) -> (TableShape, Choice) {
    if let wanted {
      let table = try named(wanted)
      guard let columns = try choose(table) else {
        throw ColumnChoice.cannotGuess("table \(quoted(table.name))", table.columns)
      }
      return (table, columns)
    }
    var candidates: [(TableShape, Choice)] = []
    var lastError: ForeignAuditError?
    for table in tables where Vocabulary.namesTrades(table.name) {
      do throws(ForeignAuditError) {
        if let columns = try choose(table) { candidates.append((table, columns)) }
      } catch { lastError = error }
    }
    guard candidates.count == 1 else {
      throw lastError.flatMap { candidates.isEmpty ? $0 : nil }
        ?? cannotTell(candidates.map(\.0.name), among: tables.map(\.name))
    }
    return candidates[0]
  }

  /// The table that is called so, in whatever capitals.
  func table(_ name: String) -> TableShape? {
    tables.first { $0.name.lowercased() == name.lowercased() }
  }

  private func cannotTell(_ candidates: [String], among names: [String]) -> ForeignAuditError {
    if names.isEmpty {
      return ForeignAuditError(
        .noInput, "\(quoted(file.path)) has no tables", hint: "check the path")
    }
    if candidates.isEmpty {
      return ForeignAuditError(
        .badData, "\(quoted(file.path)) has no table that looks like trades",
        hint: "name it with --table; the tables are: " + list(names))
    }
    return ForeignAuditError(
      .badData, "several tables of \(quoted(file.path)) look like trades: " + list(candidates),
      hint: "name one with --table")
  }

  /// The primary key is the best id; the rowid the last.
  private func withID(
    _ columns: ColumnChoice, of table: TableShape, _ options: ForeignAuditOptions
  ) throws(ForeignAuditError) -> ColumnChoice {
    var columns = columns
    if options.id == nil { columns.id = table.key ?? columns.id }
    if columns.id == nil && table.hasRowid { columns.id = "rowid" }
    return columns
  }

  /// The table that `column` of `trades` points to, by a foreign key or by its name: `bot_id` to
  /// `bots.id`, `bot` to `bots.name`. nil where there is none that would say something.
  func bots(of trades: TableShape, column: String) throws(ForeignAuditError) -> BotTable? {
    let references: [(String, String?)]
    do throws(SQLiteError) {
      references = try connection.rows(ForeignStatements.references(of: trades.name)) {
        row throws(SQLiteError) in
        try row.text(3).lowercased() == column.lowercased()
          ? (try row.text(2), try row.optionalText(4)) : ("", nil)
      }
    } catch { throw file.translate(error) }
    if let (name, key) = references.first(where: { !$0.0.isEmpty }) {
      let table = tables.first { $0.name.lowercased() == name.lowercased() }
      return table.flatMap { botTable($0, key: key ?? $0.key) }
    }
    let plain = Vocabulary.plain(column)
    let isID = plain.hasSuffix("id")
    let stem = isID ? String(plain.dropLast(2)) : plain.replacing("name", with: "")
    let found = tables.first {
      $0 != trades && [stem, stem + "s"].contains(Vocabulary.plain($0.name))
    }
    guard let found else { return nil }
    let keys = isID ? ["id", column] : Vocabulary.names
    return botTable(found, key: Vocabulary.first(keys, in: found.columns))
  }

  private func botTable(_ table: TableShape, key: String?) -> BotTable? {
    guard let key, let spelled = Vocabulary.first([key], in: table.columns) else { return nil }
    let name = Vocabulary.first(Vocabulary.names, in: table.columns)
    return BotTable(
      table: table.name, key: spelled, name: name == spelled ? nil : name,
      cooldown: CooldownColumn.first(in: table.columns))
  }
}
