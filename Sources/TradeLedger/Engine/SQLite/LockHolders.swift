#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Who holds locks on a ledger, read from /proc/locks, which opens nothing of the ledger's.
enum LockHolders {
  /// For people: `pid 4711 (write lock)`. Empty where it cannot be known.
  static func of(_ path: String) -> [String] {
    var info = stat()
    guard unsafe stat(path + "-shm", &info) == 0, let table = readWholeFile("/proc/locks") else {
      return []
    }
    let inode = ":\(info.st_ino)"
    var found: [String] = []
    for line in table.split(separator: "\n") {
      // 1: POSIX  ADVISORY  WRITE 3405 fe:00:16269343 120 120
      let words = line.split(separator: " ")
      guard words.count >= 8, words[5].hasSuffix(inode), let what = name(words[6], words[7]) else {
        continue
      }
      found.append("pid \(words[4]) (\(what)\(stopped(words[4])))")
    }
    return found
  }

  /// Byte 120 of the -shm is the write lock, 121 the checkpoint's, 122 recovery
  /// (https://www.sqlite.org/walformat.html, "WAL Locks").
  private static func name(_ first: Substring, _ last: Substring) -> String? {
    guard let first = Int(first), let last = Int(last) else { return nil }
    if (first...max(first, last)).contains(120) { return "write lock" }
    if first == 121 { return "checkpoint" }
    return first == 122 ? "recovery" : nil
  }

  private static func stopped(_ pid: Substring) -> String {
    guard let status = readWholeFile("/proc/\(pid)/stat"), let end = status.lastIndex(of: ")")
    else { return "" }
    return status[end...].dropFirst(2).first == "T" ? ", stopped" : ""
  }
}

/// A file of the system (never of the ledger), or nil.
private func readWholeFile(_ path: String) -> String? {
  let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  var text: [UInt8] = []
  var bytes = [UInt8](repeating: 0, count: 65_536)
  while text.count < 4_000_000 {
    let count = unsafe read(descriptor, &bytes, bytes.count)
    if count <= 0 { break }
    text += bytes[..<count]
  }
  return String(decoding: text, as: UTF8.self)
}
