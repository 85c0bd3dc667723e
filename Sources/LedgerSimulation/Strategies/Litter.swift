#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// What bots leave lying around: a lock file, a pid file, a file that is being written, a log.
/// Nobody reads them, so that it does not matter who deletes them.
struct Litter {
  private let paths: [String]

  init(_ configuration: WorkerConfiguration) {
    let files = InstanceFiles(configuration)
    paths = [files.lock, files.pid, files.stem + ".tmp", files.stem + ".log"]
  }

  /// Leaves those that are not there.
  func drop() {
    for path in paths {
      let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
      if descriptor >= 0 { close(descriptor) }
    }
  }
}
