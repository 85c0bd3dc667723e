#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// A new file of mode 0600 for the result of a command. Never an existing one, and no link.
final class ResultFile {
  private let path: String
  private let descriptor: Int32

  init(_ path: String) throws(Failure) {
    // A stray file of such a name would be taken for a part of a ledger.
    guard !["-wal", "-shm", "-journal"].contains(where: { path.hasSuffix($0) }) else {
      throw .usage(
        "a result file must not be named like a part of a ledger: \(shortened(path))",
        hint: "choose a name that does not end in -wal, -shm or -journal")
    }
    self.path = path
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    descriptor = unsafe open(path, flags, mode_t(0o600))
    guard descriptor >= 0 else {
      let exists = errno == EEXIST
      throw Failure(
        "cannot_create", .cannotCreate,
        "cannot create the result file \(shortened(path)): \(systemMessage(errno))",
        hint: exists
          ? "an existing file is never overwritten: name a new one; nothing was reserved"
          : "name a new file in a directory that you may write to; nothing was reserved")
    }
  }

  func write(_ json: JSON) throws(Failure) {
    let code = Console.writeAll(json.rendered + "\n", to: descriptor)
    guard code == 0 else {
      throw Failure(
        "io", .ioFailed, "cannot write the result file \(shortened(path)): \(systemMessage(code))",
        hint: "the trade itself is on record; look with 'tradeledger trades'")
    }
  }

  deinit { close(descriptor) }
}
