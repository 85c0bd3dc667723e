internal import TradeLedger

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// A file for people or programs, written whole or not at all. `-` is standard output.
struct PageFile {
  /// What such files are, and how each of them begins: only an older one of the kind is replaced.
  struct Kind {
    let name: String
    let beginning: String
    let example: String
    /// Of a new file.
    var mode: mode_t = 0o600

    static let page = Kind(
      name: "an HTML page", beginning: "<!DOCTYPE html>", example: "report.html")
    /// Read by another user's process; they hold no key and no token.
    static let metrics = Kind(
      name: "a file of tradeledger's metrics", beginning: "# HELP tradeledger_",
      example: "tradeledger.prom", mode: 0o644)
  }

  private let path: String
  private let kind: Kind
  /// What a new file gets, or what the old one had.
  private let mode: mode_t

  /// Looks whether the page can be written, before any work is done for it.
  ///
  /// An older page is replaced; anything else that has the name, a ledger for example, is not.
  /// - Throws: 64 for the name of a ledger's part, 73 or 74 where it cannot be written.
  init(_ path: String, _ kind: Kind = .page) throws(Failure) {
    self.path = path
    self.kind = kind
    guard path != "-" else {
      mode = 0
      return
    }
    guard !path.isEmpty, !["-wal", "-shm", "-journal"].contains(where: path.hasSuffix) else {
      throw .usage(
        "not a name for \(kind.name): \(shortened(path))",
        hint: "choose one such as \(kind.example), or - for standard output")
    }
    var status = stat()
    if unsafe lstat(path, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFREG, try PageFile.isOne(path, status, kind) else {
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
    let draft = try Draft(path)
    try draft.append(page)
    try draft.finish(mode)
  }

  /// Writes what `body` gives, piece by piece. Where it throws, an older file stands as it was.
  func write(_ body: ((String) throws(Failure) -> Void) async throws -> Void) async throws {
    let draft = path == "-" ? nil : try Draft(path)
    var text = ""
    func flush() throws(Failure) {
      if let draft { try draft.append(text) } else { try Console.out(text) }
      text = ""
    }
    try await body { piece throws(Failure) in
      text += piece
      if text.utf8.count > 1 << 16 { try flush() }
    }
    try flush()
    try draft?.finish(mode)
  }

  /// A file under another name, until it is finished. Gone with this object if it never is.
  private final class Draft {
    private let path: String
    private var template: [CChar]
    private var descriptor: Int32
    private var isTemporary = false

    init(_ path: String) throws(Failure) {
      self.path = path
      template = Array("\(path).XXXXXX".utf8CString)
      descriptor = unsafe mkstemp(&template)
      guard descriptor >= 0 else { throw PageFile.failure("create", path, errno) }
      isTemporary = true
    }

    func append(_ text: String) throws(Failure) {
      let code = Console.writeAll(text, to: descriptor)
      if code != 0 { throw PageFile.failure("write", path, code) }
    }

    func finish(_ mode: mode_t) throws(Failure) {
      var code: Int32 = 0
      if fchmod(descriptor, mode) != 0 || fsync(descriptor) != 0 { code = errno }
      if close(descriptor) != 0 && code == 0 { code = errno }
      descriptor = -1
      if code == 0, unsafe rename(template, path) != 0 { code = errno }
      if code != 0 { throw PageFile.failure("write", path, code) }
      isTemporary = false
    }

    deinit {
      if descriptor >= 0 { close(descriptor) }
      if isTemporary { unsafe _ = unlink(template) }
    }
  }

  /// Empty, or beginning as pages do.
  private static func isOne(
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
