import Glibc

/// Bytes of files, read and written whole. Never of a ledger that this process has open.
enum Files {
  static func read(_ path: String) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var info = stat()
    fstat(descriptor, &info)
    var bytes = [UInt8](repeating: 0, count: Int(info.st_size))
    let count = Glibc.read(descriptor, &bytes, bytes.count)
    return Array(bytes.prefix(max(0, count)))
  }

  static func write(_ bytes: [UInt8], _ path: String) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0, Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
      fatalError("\(path): errno \(errno)")
    }
    close(descriptor)
  }

  static func remove(_ path: String) { unlink(path) }
}
