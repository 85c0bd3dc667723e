#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Where an instance of a name leaves its files.
struct InstanceFiles {
  let stem: String
  var lock: String { stem + ".lock" }
  var pid: String { stem + ".pid" }

  init(_ configuration: WorkerConfiguration) {
    // A name may have slashes in it, a number has none.
    let number = configuration.worker % max(1, configuration.instances) + 1
    stem = "\(configuration.directory)/trading_bot_\(number)"
  }

  struct Failure: Error {
    let code: Int32
  }

  /// Locks the lock file and writes the pid file, after deleting both where the pid file does not
  /// name a process that runs.
  /// - Returns: the descriptor of the locked file; nil where somebody else has locked it.
  func take() -> Result<Int32?, Failure> {
    if unsafe access(lock, F_OK) == 0, !isPidFileValid() {
      // "Stale".
      unsafe _ = unlink(lock)
      unsafe _ = unlink(pid)
    }
    let descriptor = unsafe open(lock, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return .failure(Failure(code: errno)) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      return .success(nil)
    }
    writePidFile()
    return .success(descriptor)
  }

  /// Whoever wrote the pid file by now.
  func release(_ descriptor: Int32) {
    unsafe _ = unlink(pid)
    if descriptor >= 0 { close(descriptor) }
  }

  /// A failure is only worth a warning, as in the incident.
  private func writePidFile() {
    let file = unsafe open(pid, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { return }
    let text = Array("\(getpid())".utf8)
    unsafe _ = text.withUnsafeBytes { unsafe write(file, $0.baseAddress, $0.count) }
    close(file)
  }

  /// Whether the pid file names a process that runs.
  private func isPidFileValid() -> Bool {
    let file = unsafe open(pid, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return false }
    defer { close(file) }
    var text = [UInt8](repeating: 0, count: 16)
    let count = unsafe read(file, &text, text.count)
    guard count > 0, let number = Int32(String(decoding: text[..<count], as: UTF8.self)),
      number > 0
    else { return false }
    return kill(number, 0) == 0 || errno == EPERM
  }
}
