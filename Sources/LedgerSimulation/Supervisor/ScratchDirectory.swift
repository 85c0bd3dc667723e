internal import TradeLedger

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// A fresh directory that nobody else can read (mode 0700), for the files of one run.
struct ScratchDirectory: Sendable {
  let path: String

  /// In `place`, or in TMPDIR, or in /tmp.
  /// - Throws: `cannotCreate`.
  init(_ purpose: String, in place: String? = nil) throws(LedgerError) {
    let parent = place ?? ScratchDirectory.parent()
    var template = Array("\(parent)/tradeledger-\(purpose)-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else {
      throw LedgerError(
        .cannotCreate,
        "cannot make a temporary directory in \(escaped(parent)): "
          + systemMessage(errno),
        hint: "set TMPDIR to a directory that can be written to, or give "
          + (place == nil ? "--db" : "another one with --dir"))
    }
    // The ledger is opened by its real path.
    guard let real = unsafe realpath(template, nil) else {
      throw LedgerError(
        .cannotCreate, "the temporary directory vanished", hint: "give --db")
    }
    path = unsafe String(cString: real)
    unsafe free(real)
  }

  /// Deletes the files in it and the directory itself. There are no directories in it.
  func remove() {
    removeFiles()
    unsafe _ = rmdir(path)
  }

  /// Deletes the files in it.
  func removeFiles() {
    for name in ScratchDirectory.names(in: path) { unsafe _ = unlink(path + "/" + name) }
  }

  /// The names in a directory; none where it cannot be read.
  static func names(in path: String) -> [String] {
    guard let directory = unsafe opendir(path) else { return [] }
    defer { unsafe _ = closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }

  private static func parent() -> String {
    guard let value = unsafe getenv("TMPDIR") else { return "/tmp" }
    let path = unsafe String(cString: value)
    return path.isEmpty ? "/tmp" : path
  }
}
