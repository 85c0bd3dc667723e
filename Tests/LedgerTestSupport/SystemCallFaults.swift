internal import Foundation

/// Makes system calls of a running process fail, with strace.
public final class SystemCallFaults: Sendable {
  private let tracer: ChildProcess
  private let log: String

  /// Why faults cannot be injected here, or nil where they can.
  public static let unavailable: String? =
    BuiltBinary.run("strace", ["-qq", "-o", "/dev/null", "true"]).status == 0
    ? nil : "strace is not installed, or tracing is not allowed here"

  /// Attaches to `pid` and injects `fault`, for example `fdatasync:error=EIO:when=1`; traces that
  /// call, and others if they are named.
  public convenience init(
    pid: Int32, fault: String, tracing others: String = "", in directory: TemporaryDirectory
  ) throws {
    let calls = fault.prefix { $0 != ":" } + (others.isEmpty ? "" : "," + others)
    try self.init(pid, ["-y", "-e", "trace=\(calls)", "-e", "inject=\(fault)"], directory)
  }

  /// Attaches to `pid` and only counts `calls`, for example `fdatasync,fsync`.
  public convenience init(pid: Int32, counting calls: String, in directory: TemporaryDirectory)
    throws
  {
    try self.init(pid, ["-e", "trace=\(calls)"], directory)
  }

  private init(_ pid: Int32, _ options: [String], _ directory: TemporaryDirectory) throws {
    log = directory.file("strace-\(UUID().uuidString).log")
    tracer = try ChildProcess("strace", ["-f", "-qq", "-o", log] + options + ["-p", "\(pid)"])
    let isAttached = eventually {
      let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
      return !tasks.isEmpty
        && tasks.allSatisfy { task in
          let file = "/proc/\(pid)/task/\(task)/status"
          let status = try? String(contentsOfFile: file, encoding: .utf8)
          return status.map { !$0.contains("TracerPid:\t0\n") } ?? true
        }
    }
    if !isAttached { throw NotAttached(reason: tracer.standardError) }
  }

  public struct NotAttached: Error { public let reason: String }

  /// How often a call was really made to fail so far.
  public var injectedCount: Int { count("(INJECTED)") }

  /// How often `text` stands in the trace so far.
  public func count(_ text: String) -> Int { trace.components(separatedBy: text).count - 1 }

  /// The calls so far, one line each.
  public var trace: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

  /// Lets go of the process.
  public func stop() {
    tracer.signal(SIGINT)
    _ = tracer.wait(timeout: 20)
  }

  deinit { tracer.signal(SIGKILL) }
}
