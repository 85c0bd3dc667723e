public import Foundation

#if canImport(Glibc)
  internal import Glibc
#endif

/// A real child process whose output is drained while it runs.
///
/// Started with posix_spawn: default signals, an empty mask, and no descriptor but 0, 1 and 2.
public final class ChildProcess: @unchecked Sendable {
  // `@unchecked`: everything mutable is guarded by `condition`.
  public let pid: pid_t
  private static let spawning = NSLock()
  private let condition = NSCondition()
  private var output: [Int32: Data] = [1: Data(), 2: Data()]
  private var openStreams: Set<Int32> = [1, 2]
  private var consumed = 0
  private var waitStatus: Int32?
  private var input: Int32

  public init(
    _ executable: String, _ arguments: [String], environment: [String: String] = [:]
  ) throws {
    // Writing to a child that has died is no end of the tests.
    Glibc.signal(SIGPIPE, SIG_IGN)
    // One spawn at a time: a pipe made by another thread must not leak into this child.
    ChildProcess.spawning.lock()
    defer { ChildProcess.spawning.unlock() }
    var pipes = [Int32](repeating: -1, count: 6)
    for index in 0..<3 {
      guard pipe(&pipes[index * 2]) == 0 else { throw SpawnError(errno) }
    }
    for descriptor in pipes { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, pipes[0], 0)
    posix_spawn_file_actions_adddup2(&actions, pipes[3], 1)
    posix_spawn_file_actions_adddup2(&actions, pipes[5], 2)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    var merged = ProcessInfo.processInfo.environment
    merged.merge(environment) { _, new in new }
    let argv = ([executable] + arguments).map { strdup($0) } + [nil]
    let envp = merged.map { strdup("\($0)=\($1)") } + [nil]
    defer {
      for pointer in argv + envp { free(pointer) }
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    var child: pid_t = 0
    let code = posix_spawnp(&child, executable, &actions, &attributes, argv, envp)
    for index in [0, 3, 5] { close(pipes[index]) }
    input = pipes[1]
    pid = child
    guard code == 0 else {
      for index in [1, 2, 4] { close(pipes[index]) }
      throw SpawnError(code)
    }
    drain(pipes[2], 1)
    drain(pipes[4], 2)
    Thread.detachNewThread { [self] in reap() }
  }

  public struct SpawnError: Error {
    public let code: Int32
    init(_ code: Int32) { self.code = code }
  }

  /// Writes to the child's standard input.
  public func write(_ text: String) {
    let bytes = Array(text.utf8)
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.write(input, $0.baseAddress! + offset, bytes.count - offset)
      }
      if count <= 0 { return }
      offset += count
    }
  }

  public func closeInput() {
    if input >= 0 { close(input) }
    input = -1
  }

  /// SIGSTOP: back when it has stopped, which takes a moment in which it may still do something.
  public func signal(_ number: Int32) {
    kill(pid, number)
    if number == SIGSTOP {
      var found = siginfo_t()
      waitid(P_PID, id_t(pid), &found, WSTOPPED | WEXITED | WNOWAIT)
    }
  }

  /// The next whole line of standard output, or nil at its end or at the deadline.
  public func readLine(timeout: TimeInterval = 60) -> String? {
    let deadline = Date().addingTimeInterval(timeout)
    condition.lock()
    defer { condition.unlock() }
    while true {
      let rest = output[1]!.dropFirst(consumed)
      if let end = rest.firstIndex(of: 10) {
        consumed = end + 1
        return String(decoding: rest[..<end], as: UTF8.self)
      }
      if !openStreams.contains(1) || !condition.wait(until: deadline) { return nil }
    }
  }

  /// Waits for the end of the child and of its output.
  /// - Returns: the exit code, or 128 + the signal that ended it; nil at the deadline.
  public func wait(timeout: TimeInterval = 120) -> Int32? {
    let deadline = Date().addingTimeInterval(timeout)
    condition.lock()
    defer { condition.unlock() }
    while waitStatus == nil || !openStreams.isEmpty {
      if !condition.wait(until: deadline) { return nil }
    }
    let status = waitStatus!
    return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
  }

  public var standardOutput: String { text(1) }
  public var standardError: String { text(2) }

  private func text(_ stream: Int32) -> String {
    condition.lock()
    defer { condition.unlock() }
    return String(decoding: output[stream]!, as: UTF8.self)
  }

  private func drain(_ descriptor: Int32, _ stream: Int32) {
    Thread.detachNewThread { [self] in
      var buffer = [UInt8](repeating: 0, count: 65_536)
      while true {
        let count = read(descriptor, &buffer, buffer.count)
        if count < 0 && errno == EINTR { continue }
        condition.lock()
        if count > 0 { output[stream]!.append(contentsOf: buffer[..<count]) }
        if count <= 0 { openStreams.remove(stream) }
        condition.broadcast()
        condition.unlock()
        if count <= 0 { break }
      }
      close(descriptor)
    }
  }

  private func reap() {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    condition.lock()
    waitStatus = status
    condition.broadcast()
    condition.unlock()
  }
}
