internal import SQLite

/// Makes, checks and migrates the schema of a file. Every function runs inside a transaction that
/// its caller opened.
enum SchemaInstaller {
  /// What a file is, by its header and its tables.
  enum Finding: Equatable {
    case empty
    case current
    case older(Int64)
    case newer(Int64)
    /// Not a ledger at all.
    case foreign
  }

  static func look(_ database: LedgerDatabase) throws(LedgerError) -> Finding {
    let application = try database.pragma("application_id")
    let version = try database.pragma("user_version")
    if application == SchemaText.applicationID {
      if version == SchemaText.version { return .current }
      if version > SchemaText.version { return .newer(version) }
      let tables = try count(Statements.countOldTables, database)
      return version >= 1 && tables == 3 ? .older(version) : .foreign
    }
    let objects = try count(Statements.countObjects, database)
    return application == 0 && version == 0 && objects == 0 ? .empty : .foreign
  }

  private static func count(
    _ sql: String, _ database: LedgerDatabase
  ) throws(LedgerError) -> Int64 {
    try database.first(sql) { row throws(SQLiteError) in try row.integer(0) } ?? 0
  }

  static func install(
    _ database: LedgerDatabase, mode: LedgerMode, at now: Timestamp
  ) throws(LedgerError) {
    try database.runScript(SchemaText.sql)
    try database.run(
      Statements.insertLedger, [.text(mode.rawValue), .integer(now.microseconds)])
  }

  /// Throws `schemaAltered` unless the schema is, letter for letter, the one of `schema.sql`.
  static func verify(_ database: LedgerDatabase) throws(LedgerError) {
    let found = try database.rows(Statements.allObjects) { row throws(SQLiteError) in
      (try row.text(0), try row.text(1))
    }
    var missing = SchemaText.objects
    for (name, sql) in found {
      guard let expected = missing.removeValue(forKey: name) else {
        throw altered("\(quoted(name)) does not belong to it", database)
      }
      guard expected == sql else { throw altered("\(quoted(name)) was changed", database) }
    }
    if let name = missing.keys.min() { throw altered("\(quoted(name)) is missing", database) }
  }

  private static func altered(_ what: String, _ database: LedgerDatabase) -> LedgerError {
    LedgerError(
      .schemaAltered, "the schema of \(quoted(database.path)) was altered: \(what)",
      hint: "somebody changed the rules of this ledger; compare with `tradeledger schema`, or go "
        + "back to a backup. Nothing was written")
  }

  /// Throws `schemaAltered` where an older layout has a table that no ledger ever had: the tables
  /// are renamed and read to migrate them, which for a virtual table would run code of its choice.
  static func expectMigratable(_ database: LedgerDatabase) throws(LedgerError) {
    let known = tableStatements.map(SchemaText.name(of:))
    for (kind, name, sql) in try objects(database) where kind == "table" {
      guard known.contains(name), sql.hasPrefix("CREATE TABLE ") else {
        throw altered("\(quoted(name)) does not belong to it", database)
      }
    }
  }

  /// `name` as SQL writes the name of an object, whatever is in it.
  private static func identifier(_ name: String) -> String {
    "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
      + "\""
  }

  /// Rebuilds an older layout: new tables, the columns that both have copied over, then indexes,
  /// views and triggers of the new layout. Afterwards the file is what a new one would be.
  static func migrate(_ database: LedgerDatabase) throws(LedgerError) {
    try expectMigratable(database)
    for (kind, name, _) in try objects(database) where kind != "table" {
      try database.runUncached("DROP \(kind.uppercased()) \(identifier(name))")
    }
    let old = try objects(database).map { $0.name }
    for name in old {
      try database.runUncached("ALTER TABLE \"\(name)\" RENAME TO \"old_\(name)\"")
    }
    try makeTables(database)
    let names = tableStatements.map(SchemaText.name(of:))
    for name in names where old.contains(name) {
      let new = try columns(database, name)
      let shared = try columns(database, "old_" + name).filter(new.contains).joined(separator: ", ")
      try database.runUncached("INSERT INTO \(name) (\(shared)) SELECT \(shared) FROM old_\(name)")
    }
    for name in names.reversed() where old.contains(name) {
      try database.runUncached("DROP TABLE old_\(name)")
    }
    try makeRules(database)
    try verify(database)
  }

  private static let tableStatements = SchemaText.statements(startingWith: "CREATE TABLE")

  static func makeTables(_ database: LedgerDatabase) throws(LedgerError) {
    for statement in tableStatements { try database.runUncached(statement) }
  }

  /// All but the tables: what refuses rows that are not of now.
  static func makeRules(_ database: LedgerDatabase) throws(LedgerError) {
    for statement in SchemaText.statements where !statement.hasPrefix("CREATE TABLE") {
      try database.runUncached(statement)
    }
  }

  private static func objects(
    _ database: LedgerDatabase
  ) throws(LedgerError) -> [(kind: String, name: String, sql: String)] {
    try database.rows(Statements.droppableObjects) { row throws(SQLiteError) in
      (try row.text(0), try row.text(1), try row.text(2))
    }
  }

  private static func columns(
    _ database: LedgerDatabase, _ table: String
  ) throws(LedgerError) -> [String] {
    try database.rows(Statements.columns, [.text(table)]) { row throws(SQLiteError) in
      try row.text(0)
    }
  }
}
