internal import CSQLite

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// See ``Connection/committedState``.
public struct CommittedState: Equatable, Sendable {
  typealias Words = [12 of UInt32]
  private let words: Words

  init(_ words: Words) { self.words = words }

  public static func == (one: CommittedState, other: CommittedState) -> Bool {
    one.words.indices.allSatisfy { one.words[$0] == other.words[$0] }
  }
}

extension Connection {
  /// Makes durable whatever any process has committed to the WAL before this call.
  ///
  /// **Lock**: none; it is meant to be called after COMMIT has let go of the write lock.
  /// - Errors: the disk's. What was committed is then visible to all and may be gone after a power
  ///   cut; a second sync that succeeds would prove nothing, because the system takes pages that it
  ///   could not write for clean: see ``rewriteLog()``.
  public func syncLog() throws(SQLiteError) {
    guard let (file, methods) = try unsafe logFile() else { return }
    counters.syncs += 1
    let code = unsafe methods.xSync(file, SQLITE_SYNC_NORMAL)
    guard code == SQLITE_OK else {
      throw SQLiteError(code: code, message: "the log could not be synced", operation: "sync")
    }
  }

  /// Writes every byte of the WAL once more, as it reads now, so that the next sync has all of it
  /// to write. Call it under the write lock, before anything was written: the log must stand still.
  public func rewriteLog() throws(SQLiteError) {
    guard let (file, methods) = try unsafe logFile() else { return }
    var size: sqlite3_int64 = 0
    var code = unsafe methods.xFileSize(file, &size)
    var chunk = [UInt8](repeating: 0, count: 65_536)
    var offset: sqlite3_int64 = 0
    while code == SQLITE_OK && offset < size {
      let count = Int32(min(Int64(chunk.count), size - offset))
      code = unsafe chunk.withUnsafeMutableBytes { bytes in
        let code = unsafe methods.xRead(file, bytes.baseAddress, count, offset)
        guard code == SQLITE_OK else { return code }
        return unsafe methods.xWrite(file, bytes.baseAddress, count, offset)
      }
      offset += Int64(count)
    }
    guard code == SQLITE_OK else {
      throw SQLiteError(code: code, message: "the log could not be rewritten", operation: "sync")
    }
  }

  /// Changes whenever what this connection reads has changed, by whomever.
  public var dataVersion: UInt32 {
    var version: UInt32 = 0
    unsafe _ = sqlite3_file_control(database, "main", SQLITE_FCNTL_DATA_VERSION, &version)
    return version
  }

  /// What has been committed by whomever, as one value: two that are equal say that nothing has
  /// been committed in between. nil where that cannot be told, or in a forked child.
  ///
  /// **Lock**: none; neither a statement nor a system call but for the process id. Meant for a
  /// connection that has read before.
  public var committedState: CommittedState? {
    guard processID == getpid() else { return nil }
    var header = CommittedState.Words(repeating: 0)
    var words = header.mutableSpan
    let isWhole = unsafe words.withUnsafeMutableBufferPointer { words in
      unsafe tl_sqlite3_wal_index_header(database, words.baseAddress) == 1
    }
    return isWhole ? CommittedState(header) : nil
  }

  /// SQLite's own open file of the log, so that no other descriptor is needed; nil before there is
  /// one.
  private func logFile() throws(SQLiteError) -> (
    UnsafeMutablePointer<sqlite3_file>, sqlite3_io_methods
  )? {
    var file: UnsafeMutablePointer<sqlite3_file>?
    let code = unsafe sqlite3_file_control(
      database, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file)
    guard code == SQLITE_OK else {
      throw SQLiteError(code: code, message: "there is no log file", operation: "sync")
    }
    guard let file = unsafe file, let methods = unsafe file.pointee.pMethods else { return nil }
    return unsafe (file, methods.pointee)
  }
}
