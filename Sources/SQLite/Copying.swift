internal import CSQLite

extension Connection {
  /// Copies the whole database, page by page, into the one that `destination` has open.
  ///
  /// Call it in a ``read(wait:_:)``: then it copies that snapshot, however long it takes and
  /// whatever others write meanwhile. **Lock**: the reader's; writers go on. No descriptor but
  /// SQLite's own touches the file.
  /// **Durability**: what was copied is on the disk when this returns.
  public func copy(into destination: Connection) throws(SQLiteError) {
    let (source, target) = unsafe (database, destination.database)
    guard let backup = unsafe sqlite3_backup_init(target, "main", source, "main") else {
      throw unsafe SQLiteError(sqlite3_extended_errcode(target), database: target, "copy")
    }
    var code = SQLITE_OK
    while code == SQLITE_OK { code = unsafe sqlite3_backup_step(backup, 4096) }
    let finish = unsafe sqlite3_backup_finish(backup)
    guard code == SQLITE_DONE, finish == SQLITE_OK else {
      throw unsafe SQLiteError(code == SQLITE_DONE ? finish : code, database: target, "copy")
    }
  }

  /// Whether the path that was opened leads to another file now, or to none.
  public var hasMoved: Bool {
    var answer: Int32 = 0
    let code = unsafe sqlite3_file_control(database, "main", SQLITE_FCNTL_HAS_MOVED, &answer)
    return code == SQLITE_OK && answer != 0
  }
}
