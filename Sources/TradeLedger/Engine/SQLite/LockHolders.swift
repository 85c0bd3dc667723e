#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Who holds locks on a ledger, read from /proc/locks, which opens nothing of the ledger's.
enum LockHolders {
  /// For people: `pid 4711 (write lock)`. Empty where it cannot be known.
  static func of(_ path: String) -> [String] {
    locks(path).compactMap { lock in
      name(lock).map { "pid \(lock.pid) (\($0)\(stopped(lock.pid)))" }
    }
  }

  /// Whether a process reads from the log: such readers keep it from being begun anew. Bytes 124 to
  /// 127; byte 123 is that of readers who need nothing of it.
  static func areReadersInLog(of path: String) -> Bool {
    locks(path).contains { $0.bytes.overlaps(124...127) }
  }

  /// Who reads from the log: bytes 124 to 127.
  static func logReaders(of path: String) -> [Int32] {
    Set(locks(path).filter { $0.bytes.overlaps(124...127) }.compactMap { Int32($0.pid) }).sorted()
  }

  /// Who has the write lock.
  static func writer(of path: String) -> Int32? {
    locks(path).first { $0.bytes.contains(120) }.flatMap { Int32($0.pid) }
  }

  private struct Lock {
    let pid: Substring
    /// Of the -shm.
    let bytes: ClosedRange<Int>
  }

  private static func locks(_ path: String) -> [Lock] {
    var info = stat()
    guard unsafe stat(path + "-shm", &info) == 0, let table = readWholeFile("/proc/locks") else {
      return []
    }
    let inode = ":\(info.st_ino)"
    return table.split(separator: "\n").compactMap { line in
      // 1: POSIX  ADVISORY  WRITE 3405 fe:00:16269343 120 120
      let words = line.split(separator: " ")
      guard words.count >= 8, words[5].hasSuffix(inode), let first = Int(words[6]) else {
        return nil
      }
      return Lock(pid: words[4], bytes: first...max(first, Int(words[7]) ?? first))
    }
  }

  /// Byte 120 of the -shm is the write lock, 121 the checkpoint's, 122 recovery
  /// (https://www.sqlite.org/walformat.html, "WAL Locks").
  private static func name(_ lock: Lock) -> String? {
    if lock.bytes.contains(120) { return "write lock" }
    switch lock.bytes.lowerBound {
    case 121: return "checkpoint"
    case 122: return "recovery"
    default: return nil
    }
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
