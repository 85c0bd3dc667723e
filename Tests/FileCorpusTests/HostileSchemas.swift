import Foundation
import TradeLedger

/// One thing that somebody may have done to the schema of a ledger.
struct HostileSchema {
  let name: String
  let script: String
  /// What the ledger says to a reader and to a writer; nil: it works, and truthfully.
  let reading: LedgerError.Code?
  let writing: LedgerError.Code?

  init(_ name: String, _ code: LedgerError.Code?, _ script: String) {
    self.init(name, reading: code, writing: code, script)
  }

  init(
    _ name: String, reading: LedgerError.Code?, writing: LedgerError.Code?, _ script: String
  ) {
    self.name = name
    self.script = script
    self.reading = reading
    self.writing = writing
  }

  /// Changes the text of a table behind SQLite's back.
  private static func rewrite(_ object: String, _ old: String, _ new: String) -> String {
    """
    UPDATE sqlite_schema SET sql = replace(sql, '\(old)', '\(new)') WHERE name = '\(object)';
    """
  }

  private static let evilTrigger = """
    CREATE TRIGGER %NAME% AFTER INSERT ON trades
    BEGIN UPDATE ledger SET ticks = ticks + witness(1); END
    """

  private static func hidden(
    _ name: String, _ kind: String, of table: String = "trades", _ sql: String
  ) -> String {
    """
    INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql)
    VALUES ('\(kind)', '\(name)', '\(table)', 0, '\(sql)');
    """
  }

  static let all: [HostileSchema] = altered + virtual + rewritten + damaged + headers + harmless

  /// What any client can add with plain DDL.
  private static let altered = [
    HostileSchema(
      "a trigger on trades", .schemaAltered,
      evilTrigger.replacingOccurrences(of: "%NAME%", with: "evil") + ";"),
    HostileSchema(
      "a trigger on bots", .schemaAltered,
      "CREATE TRIGGER evil BEFORE INSERT ON bots BEGIN SELECT witness(); END;"),
    HostileSchema(
      "a trigger that loads code", .schemaAltered,
      "CREATE TRIGGER evil AFTER INSERT ON trades BEGIN SELECT load_extension('/tmp/evil'); END;"),
    HostileSchema(
      "a view that the rules use calls a function", .schemaAltered,
      """
      DROP VIEW counted_trades;
      CREATE VIEW counted_trades AS SELECT * FROM trades WHERE status <> 'void' AND witness(id);
      """),
    HostileSchema(
      "a view in place of a table", .schemaAltered,
      """
      ALTER TABLE conflicts RENAME TO old;
      CREATE VIEW conflicts AS SELECT witness(id) AS id, * FROM old;
      """),
    HostileSchema(
      "a view of itself", .schemaAltered, "CREATE VIEW evil AS SELECT * FROM evil;"),
    HostileSchema(
      "a view without an end", .schemaAltered,
      """
      CREATE VIEW evil AS
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT witness(i) FROM n) SELECT i FROM n;
      """),
    HostileSchema(
      "a generated column", .schemaAltered,
      "ALTER TABLE trades ADD COLUMN evil INTEGER AS (witness(id)) VIRTUAL;"),
    HostileSchema(
      "an index on an expression", .schemaAltered, "CREATE INDEX evil ON trades (witness(id));"),
    HostileSchema(
      "an index on a condition", .schemaAltered,
      "CREATE INDEX evil ON trades (id) WHERE witness(id);"),
    HostileSchema(
      "a table with a CHECK and a default", .schemaAltered,
      "CREATE TABLE evil (a DEFAULT (witness()) CHECK (witness(a)), b AS (witness(a)) STORED);"),
    HostileSchema(
      "ten thousand tables", .schemaAltered,
      "BEGIN;" + (0..<10_000).map { "CREATE TABLE t\($0) (a);" }.joined() + "COMMIT;"),
    HostileSchema(
      "a name that is SQL", .schemaAltered,
      "CREATE VIEW \"evil\"\"; DELETE FROM bots; --\" AS SELECT witness();"),
    HostileSchema(
      "an altered schema outside WAL mode", .schemaAltered,
      "PRAGMA journal_mode = delete; DROP TRIGGER trade_kept;"),
  ]

  /// Virtual tables, whose code would read what their shadow tables say.
  private static let virtual = [
    HostileSchema(
      "a full text index with garbage", .schemaAltered,
      """
      CREATE VIRTUAL TABLE evil USING fts5(a);
      INSERT INTO evil VALUES ('x');
      UPDATE evil_data SET block = randomblob(4000);
      UPDATE evil_config SET v = -1;
      """),
    HostileSchema(
      "an old full text index with garbage", .schemaAltered,
      """
      CREATE VIRTUAL TABLE evil USING fts4(a);
      INSERT INTO evil VALUES ('x');
      UPDATE evil_segdir SET root = randomblob(4000);
      """),
    HostileSchema(
      "an R-tree with garbage", .schemaAltered,
      """
      CREATE VIRTUAL TABLE evil USING rtree(id, a, b);
      INSERT INTO evil VALUES (1, 1, 2);
      UPDATE evil_node SET data = randomblob(2000);
      """),
    HostileSchema(
      "a virtual table in place of a table", .schemaAltered,
      "DROP TABLE instances; CREATE VIRTUAL TABLE instances USING fts5(name, epoch);"),
    HostileSchema(
      "a virtual table that nobody knows", .schemaAltered,
      hidden("evil", "table", of: "evil", "CREATE VIRTUAL TABLE evil USING nobody(x)")),
  ]

  /// Edits of the schema's own rows.
  private static let rewritten = [
    HostileSchema(
      "a trigger that looks like SQLite's own", .schemaAltered,
      hidden(
        "sqlite_evil", "trigger",
        evilTrigger.replacingOccurrences(of: "%NAME%", with: "sqlite_evil"))),
    HostileSchema(
      "a trigger that looks like an index of a UNIQUE", .schemaAltered,
      hidden(
        "sqlite_autoindex_trades_9", "trigger",
        evilTrigger.replacingOccurrences(of: "%NAME%", with: "sqlite_autoindex_trades_9"))),
    HostileSchema(
      "a trigger by the name of SQLite's statistics", .schemaAltered,
      hidden(
        "sqlite_stat1", "trigger",
        evilTrigger.replacingOccurrences(of: "%NAME%", with: "sqlite_stat1"))),
    HostileSchema(
      "a CHECK that calls a function", .schemaAltered,
      rewrite("bots", "CHECK (id > 0)", "CHECK (witness(id))")),
    HostileSchema(
      "a CHECK that loads code", .schemaAltered,
      rewrite("bots", "CHECK (id > 0)", "CHECK (load_extension(''/tmp/evil''))")),
    HostileSchema(
      "a default that calls a function", .schemaAltered,
      rewrite("ledger", "DEFAULT 0", "DEFAULT (witness())")),
    HostileSchema(
      "another collation", .schemaAltered,
      rewrite("bots", "TEXT    NOT NULL UNIQUE", "TEXT COLLATE NOCASE NOT NULL UNIQUE")),
    HostileSchema(
      "a table of an attached file", .notALedger,
      hidden("evil", "view", of: "evil", "CREATE VIEW evil AS SELECT * FROM other.trades")),
    HostileSchema(
      "a trigger twice", .notALedger,
      """
      INSERT INTO sqlite_schema SELECT * FROM sqlite_schema WHERE name = 'trade_kept';
      """),
    HostileSchema(
      "a text that is no SQL", .notALedger,
      "UPDATE sqlite_schema SET sql = 'CREATE TRIGGER trade_kept BEFORE' WHERE name = 'trade_kept';"
    ),
    HostileSchema(
      "a text that is another statement", .notALedger,
      "UPDATE sqlite_schema SET sql = 'CREATE TEMP TABLE x AS SELECT witness()'"
        + " WHERE name = 'trade_kept';"),
  ]

  /// The pages that belong to a table are others.
  private static let damaged = [
    HostileSchema(
      "two tables exchanged", .notALedger,
      """
      UPDATE sqlite_schema SET rootpage = CASE name
        WHEN 'trades' THEN (SELECT rootpage FROM sqlite_schema WHERE name = 'conflicts')
        ELSE (SELECT rootpage FROM sqlite_schema WHERE name = 'trades') END
      WHERE name IN ('trades', 'conflicts');
      """),
    HostileSchema(
      "an index that is empty", .notALedger,
      """
      UPDATE sqlite_schema SET rootpage = (
        SELECT rootpage FROM sqlite_schema WHERE name = 'last_conflict')
      WHERE name = 'last_trade';
      """),
    HostileSchema(
      "a table beyond the end", .notALedger,
      "UPDATE sqlite_schema SET rootpage = 100000 WHERE name = 'trades';"),
  ]

  /// Numbers in the header that say what the file is.
  private static let headers = [
    HostileSchema("no application id", .notALedger, "PRAGMA application_id = 0;"),
    HostileSchema("the id of another", .notALedger, "PRAGMA application_id = 252006673;"),
    HostileSchema("layout 0", .notALedger, "PRAGMA user_version = 0;"),
    HostileSchema("a negative layout", .notALedger, "PRAGMA user_version = -1;"),
    HostileSchema("a newer layout", .newerSchema, "PRAGMA user_version = 2147483647;"),
    HostileSchema(
      "an older layout with triggers, views and names that are SQL", reading: .configuration,
      writing: nil,
      """
      \(evilTrigger.replacingOccurrences(of: "%NAME%", with: "evil"));
      CREATE VIEW "x" AS SELECT 1;
      CREATE VIEW "x""; DELETE FROM settings; --" AS SELECT witness();
      CREATE INDEX evil_index ON bots (witness(id));
      CREATE TRIGGER evil_bot BEFORE DELETE ON bots BEGIN SELECT witness(); END;
      PRAGMA user_version = 1;
      """),
    HostileSchema(
      "an older layout with a virtual table", reading: .configuration,
      writing: .schemaAltered,
      """
      CREATE VIRTUAL TABLE evil USING fts5(a);
      UPDATE evil_data SET block = randomblob(4000);
      PRAGMA user_version = 1;
      """),
    HostileSchema(
      "an older layout with a table of its own", reading: .configuration,
      writing: .schemaAltered,
      "CREATE TABLE \"evil\"\"; DROP TABLE bots; --\" (a); PRAGMA user_version = 1;"),
  ]

  /// What changes no rule.
  private static let harmless = [
    HostileSchema(
      "statistics that lie", nil,
      """
      ANALYZE;
      UPDATE sqlite_stat1 SET stat = '1 1 1 1 1 noskipscan unordered sz=99999999';
      INSERT INTO sqlite_stat1 VALUES ('trades', 'last_trade', hex(zeroblob(2000)));
      """),
    HostileSchema(
      "pages of 64 KiB", nil,
      "PRAGMA journal_mode = delete; PRAGMA page_size = 65536; VACUUM; PRAGMA journal_mode = wal;"),
    HostileSchema(
      "pages of 512 bytes", nil,
      "PRAGMA journal_mode = delete; PRAGMA page_size = 512; VACUUM; PRAGMA journal_mode = wal;"),
    HostileSchema(
      "out of WAL mode", reading: .configuration, writing: nil, "PRAGMA journal_mode = delete;"),
    HostileSchema("another schema version", nil, "PRAGMA schema_version = 4711;"),
  ]
}
