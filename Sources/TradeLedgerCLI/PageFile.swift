internal import TradeLedger

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// A page for people, or metrics, written whole or not at all. `-` is standard output.
struct PageFile {
  private let path: String
  private let kind: Kind
  /// What a new file gets, or what the old one had.
  private let mode: mode_t

  /// What may be replaced: an older file of the same kind, told by its beginning.
  enum Kind {
    case html, metrics

    fileprivate var beginning: String {
      switch self {
      case .html: "<!DOCTYPE html>"
      case .metrics: "# HELP tradeledger_"
      }
    }
    fileprivate var name: String {
      switch self {
      case .html: "an HTML page"
      case .metrics: "a file of tradeledger's metrics"
      }
    }
    fileprivate var example: String {
      switch self {
      case .html: "report.html"
      case .metrics: "tradeledger.prom"
      }
    }
    /// Metrics are read by another user's process, and hold no key and no token.
    fileprivate var mode: mode_t {
      switch self {
      case .html: 0o600
      case .metrics: 0o644
      }
    }
  }

  /// Looks whether the page can be written, before any work is done for it.
  ///
  /// An older page is replaced; anything else that has the name, a ledger for example, is not.
  /// - Throws: 64 for the name of a ledger's part, 73 or 74 where it cannot be written.
  init(_ path: String, _ kind: Kind = .html) throws(Failure) {
    self.path = path
    self.kind = kind
    guard path != "-" else {
      mode = 0
      return
    }
    guard !path.isEmpty, !["-wal", "-shm", "-journal"].contains(where: path.hasSuffix) else {
      throw .usage(
        "not a name for a page: \(shortened(path))",
        hint: "choose one such as \(kind.example), or - for standard output")
    }
    var status = stat()
    if unsafe lstat(path, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFREG, try PageFile.isPage(path, status, kind) else {
        throw Failure(
          "cannot_create", .cannotCreate, "\(shortened(path)) exists and is not \(kind.name)",
          hint: "only an older one is replaced: choose another name")
      }
      mode = status.st_mode & 0o777
    } else {
      guard errno == ENOENT else { throw PageFile.failure("look at", path, errno) }
      mode = kind.mode
    }
    guard unsafe access(PageFile.folder(of: path), W_OK | X_OK) == 0 else {
      throw PageFile.failure("write into the folder of", path, errno)
    }
  }

  /// - Throws: 74. An older page then stands as it was.
  func write(_ page: String) throws(Failure) {
    if path == "-" { return try Console.out(page) }
    var template = Array("\(path).XXXXXX".utf8CString)
    let descriptor = unsafe mkstemp(&template)
    guard descriptor >= 0 else { throw PageFile.failure("create", path, errno) }
    var code = Console.writeAll(page, to: descriptor)
    if code == 0 && (fchmod(descriptor, mode) != 0 || fsync(descriptor) != 0) { code = errno }
    if close(descriptor) != 0 && code == 0 { code = errno }
    if code == 0, unsafe rename(template, path) != 0 { code = errno }
    if code != 0 {
      unsafe _ = unlink(template)
      throw PageFile.failure("write", path, code)
    }
  }

  /// Empty, or beginning as pages do.
  private static func isPage(
    _ path: String, _ status: stat, _ kind: Kind
  ) throws(Failure) -> Bool {
    if status.st_size == 0 { return true }
    let descriptor = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw failure("read", path, errno) }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: kind.beginning.utf8.count)
    let count = unsafe read(descriptor, &bytes, bytes.count)
    return count == bytes.count && bytes.elementsEqual(kind.beginning.utf8)
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private static func failure(_ what: String, _ path: String, _ code: Int32) -> Failure {
    Failure(
      "io", .ioFailed, "cannot \(what) \(shortened(path)): \(systemMessage(code))",
      hint: "name a file in a directory that you may write to, with room for a few megabytes")
  }
}
