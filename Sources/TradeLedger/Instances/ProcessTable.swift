#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// What the machine says about its processes: the seam between the rules and the system.
protocol ProcessTable: Sendable {
  /// The identity of `pid` in this process's own namespaces; of this process where it is nil.
  /// - Returns: nil where there is no such process, or the machine does not say.
  func identity(of pid: Int32?) -> ProcessIdentity?
  func sighting(of pid: Int32) -> ProcessSighting
  /// Microseconds by which this process's boot clock differs from the machine's, because of its
  /// time namespace. nil where that cannot be known.
  var bootClockOffset: Int64? { get }
  /// The command line of `pid` (of this process where it is nil), for people, at most 256 bytes.
  func command(of pid: Int32?) -> String?
  /// For people.
  var host: String? { get }
  /// Whether others look at this process from another PID namespace: it is in a container.
  var isContainer: Bool { get }
}

/// The processes of this machine. What depends on the system is in an extension of its own.
struct SystemProcesses: ProcessTable {
  func sighting(of pid: Int32) -> ProcessSighting {
    let code = kill(pid, 0) == 0 ? 0 : errno
    let details = details(of: pid)
    switch code {
    case ESRCH: return ProcessSighting(answer: .noSuchProcess, details: details)
    case EPERM: return ProcessSighting(answer: .forbidden, details: details)
    default: return ProcessSighting(answer: .permitted, details: details)
    }
  }

  var host: String? {
    var bytes = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&bytes, bytes.count - 1) == 0 else { return nil }
    return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// `text`, cut to `limit` bytes of whole characters.
func cut(_ text: String, bytes limit: Int) -> String {
  var result = ""
  var count = 0
  for scalar in text.unicodeScalars {
    count += UTF8.width(scalar)
    if count > limit { break }
    result.unicodeScalars.append(scalar)
  }
  return result
}
