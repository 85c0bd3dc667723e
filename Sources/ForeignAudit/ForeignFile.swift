internal import SQLite
internal import TradeLedger

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// A file of somebody else's, judged before anything reads its content.
struct ForeignFile {
  /// Absolute, with every link resolved.
  let path: String
  let size: Int64

  /// - Throws: `noInput` where it is missing or empty, `badData` where it is no file, `permission`.
  init(_ path: String) throws(ForeignAuditError) {
    guard !path.isEmpty, !path.utf8.contains(0), let real = ForeignFile.realPath(path) else {
      throw ForeignFile.cannotReach(path, path.isEmpty || path.utf8.contains(0) ? ENOENT : errno)
    }
    var info = stat()
    guard unsafe stat(real, &info) == 0 else { throw ForeignFile.cannotReach(path, errno) }
    guard info.st_mode & S_IFMT == S_IFREG else {
      let kind = info.st_mode & S_IFMT == S_IFDIR ? "a directory" : "no regular file"
      throw ForeignAuditError(
        .badData, "\(quoted(path)) is \(kind)", hint: "give the path of a database or CSV file")
    }
    guard unsafe access(real, R_OK) == 0 else { throw ForeignFile.cannotReach(path, errno) }
    guard info.st_size > 0 else {
      throw ForeignAuditError(
        .noInput, "\(quoted(path)) is empty", hint: "check the path; there is nothing to examine")
    }
    self.path = real
    size = Int64(info.st_size)
  }

  /// How the database can be read so that it is not changed and nothing new is left beside it.
  ///
  /// The header is read with a descriptor of its own, so this process must have no other connection
  /// to the file: closing the descriptor would drop its locks.
  /// - Throws: `badData` for what is no SQLite database; `io` and `permission` where reading would
  ///   change something.
  func traces() throws(ForeignAuditError) -> OpenOptions.Traces {
    let header = try ForeignFile.head(of: path, count: 100)
    guard header.starts(with: "SQLite format 3\0".utf8), header.count == 100 else {
      throw notADatabase(header)
    }
    let isWAL = header[18] == 2 || header[19] == 2
    guard isWAL else { return .readOnly }
    if let journal = try? ForeignFile.head(of: path + "-journal", count: 1), journal != [0],
      !journal.isEmpty
    {
      throw hotJournal
    }
    let hasLog = exists("-wal")
    if hasLog && exists("-shm") { return .readOnly }
    let directory = path.prefix(through: path.lastIndex(of: "/") ?? path.startIndex)
    guard unsafe access(path, W_OK) == 0,
      unsafe hasLog || access(String(directory), W_OK) == 0
    else {
      throw ForeignAuditError(
        .permission,
        "\(quoted(path)) is in WAL mode, and SQLite cannot read it without writing beside it, "
          + "which is not allowed here",
        hint: "copy it with its -wal to a directory of yours and examine the copy")
    }
    return hasLog ? .alone : .takesLogAway
  }

  /// What an error of SQLite means here.
  func translate(_ error: SQLiteError) -> ForeignAuditError {
    let name = quoted(path)
    if error.isBusy {
      return ForeignAuditError(
        .busy, "\(name) is locked by another process", hint: "try again, or raise --lock-wait")
    }
    if error.needsRollback { return hotJournal }
    if error.isNotADatabase {
      return ForeignAuditError(
        .badData, "\(name) is damaged or no SQLite database: \(escaped(error.message))",
        hint: "restore a backup, or recover what can be read with `sqlite3 FILE .recover`")
    }
    if error.isForbidden {
      return ForeignAuditError(
        .badData, "the schema of \(name) wants more than to be read: \(escaped(error.message))",
        hint: "name a plain table with --table")
    }
    if error.isReadOnly || error.isCannotOpen {
      return ForeignAuditError(
        .permission, "\(name) cannot be read as it lies there: \(escaped(error.message))",
        hint: "copy it with its -wal to a directory of yours and examine the copy")
    }
    return ForeignAuditError(
      error.primaryCode == 1 ? .badData : .io,
      "\(name) cannot be read: \(escaped(error.message)) (SQLite \(error.code))",
      hint: "nothing was changed; check the schema and the disk")
  }

  private var hotJournal: ForeignAuditError {
    ForeignAuditError(
      .io,
      "\(quoted(path)) has a hot journal: a writer ended in the middle of a transaction, and "
        + "whoever reads the file now has to roll that back, which changes it",
      hint: "examine a copy: cp the file and its -journal together, under the same names, into "
        + "another directory, and open the copy once with sqlite3")
  }

  private func notADatabase(_ header: [UInt8]) -> ForeignAuditError {
    let isText = header.allSatisfy { $0 >= 0x20 && $0 != 0x7f || (0x09...0x0d).contains($0) }
    if isText {
      return ForeignAuditError(
        .badData, "\(quoted(path)) is no SQLite database but text",
        hint: "for comma-separated values there is --csv FILE")
    }
    // Whole pages of which not even the first bytes can be read.
    if size % 512 == 0, Set(header).count > 48 {
      return ForeignAuditError(
        .badData, "\(quoted(path)) is no SQLite database; it looks encrypted",
        hint: "export a plain copy with the program that has the key, and examine that")
    }
    return ForeignAuditError(
      .badData, "\(quoted(path)) is no SQLite database",
      hint: "give the path of a SQLite 3 file, or export the trades and use --csv FILE")
  }

  private func exists(_ suffix: String) -> Bool {
    var info = stat()
    return unsafe stat(path + suffix, &info) == 0
  }

  static func head(of path: String, count: Int) throws(ForeignAuditError) -> [UInt8] {
    try reading(path) { descriptor throws(ForeignAuditError) in
      var bytes = [UInt8](repeating: 0, count: count)
      let got = unsafe read(descriptor, &bytes, count)
      guard got >= 0 else { throw cannotReach(path, errno) }
      return Array(bytes.prefix(got))
    }
  }

  /// Opens, runs `body` and closes again, whatever happens.
  static func reading<Result>(
    _ path: String, _ body: (Int32) throws(ForeignAuditError) -> Result
  ) throws(ForeignAuditError) -> Result {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { throw cannotReach(path, errno) }
    defer { close(descriptor) }
    return try body(descriptor)
  }

  static func cannotReach(_ path: String, _ code: Int32) -> ForeignAuditError {
    switch code {
    case ENOENT, ENOTDIR:
      ForeignAuditError(.noInput, "there is no file \(quoted(path))", hint: "check the path")
    case EACCES, EPERM:
      ForeignAuditError(
        .permission, "\(quoted(path)) may not be read",
        hint: "run as its owner, or copy it to where you may read it")
    default:
      ForeignAuditError(
        .io, "\(quoted(path)): \(unsafe String(cString: strerror(code)))",
        hint: "check the path and the disk")
    }
  }

  private static func realPath(_ path: String) -> String? {
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }
}
