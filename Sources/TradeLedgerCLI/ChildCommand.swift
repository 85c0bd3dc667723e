#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// How a command ended.
enum CommandEnd: Equatable {
  /// It never ran: errno.
  case notStarted(Int32)
  case exited(Int32)
  case killed(Int32)

  var readable: String {
    switch self {
    case .notStarted(let code): "could not be started: \(systemMessage(code))"
    case .exited(let code): "exit code \(code)"
    case .killed(let number): "killed by signal \(number)"
    }
  }
}

/// Runs a command as a shell would: it inherits stdin, stdout and stderr, starts with the default
/// signal handling, an empty signal mask and this process's environment with some variables set.
enum ChildCommand {
  /// Starts `words` and waits for the end. Blocks the thread; nothing else is to be done meanwhile.
  static func run(_ words: [String], setting variables: [(String, String)]) -> CommandEnd {
    let (code, pid) = start(words, setting: variables)
    guard code == 0 else { return .notStarted(code) }
    CommandSignals.commandStarted(pid)
    return wait(for: pid)
  }

  private static func start(
    _ words: [String], setting variables: [(String, String)]
  ) -> (Int32, pid_t) {
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe _ = posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    for number in CommandSignals.toReset { unsafe sigaddset(&signals, number) }
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    unsafe posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))
    let image = CommandImage(words, setting: variables)
    var pid: pid_t = 0
    let code = unsafe posix_spawnp(
      &pid, words[0], nil, &attributes, image.arguments, image.environment)
    return (code, pid)
  }

  /// Waits for the end of a child of this process. Blocks the thread.
  static func wait(for pid: pid_t) -> CommandEnd {
    // The end is seen before the pid is given back, so that no signal is forwarded to a stranger.
    var information = unsafe siginfo_t()
    while unsafe waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
    CommandSignals.commandEnded()
    var status: Int32 = 0
    while unsafe waitpid(pid, &status, 0) < 0 {
      // Somebody else took the exit code. It may have been any.
      if errno != EINTR { return .killed(0) }
    }
    let signal = status & 0x7f
    return signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal)
  }
}

/// Arguments and environment as the system takes them.
@safe
final class CommandImage {
  let arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  let environment: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  let environmentCount: Int

  /// The variables stand at the end of the environment, in their order.
  init(_ words: [String], setting variables: [(String, String)]) {
    let names = variables.map { $0.0 + "=" }
    let kept = inheritedEnvironment().filter { entry in !names.contains { entry.hasPrefix($0) } }
    unsafe arguments = CommandImage.list(words)
    unsafe environment = CommandImage.list(kept + variables.map { "\($0.0)=\($0.1)" })
    environmentCount = kept.count + variables.count
  }

  deinit {
    unsafe CommandImage.free(arguments)
    unsafe CommandImage.free(environment)
  }

  private static func list(
    _ texts: [String]
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
    let list = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(
      capacity: texts.count + 1)
    for (index, text) in texts.enumerated() {
      unsafe (list + index).initialize(to: strdup(text))
    }
    unsafe (list + texts.count).initialize(to: nil)
    return unsafe list
  }

  private static func free(_ list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) {
    var entry = unsafe list
    while let text = unsafe entry.pointee {
      #if canImport(Glibc)
        unsafe Glibc.free(text)
      #else
        unsafe Darwin.free(text)
      #endif
      unsafe entry += 1
    }
    unsafe list.deallocate()
  }
}

/// The environment as this process got it: nothing in this program changes it.
private func inheritedEnvironment() -> [String] {
  // By the calling convention of Linux and macOS it follows the arguments.
  var entry = unsafe CommandLine.unsafeArgv + Int(CommandLine.argc) + 1
  var entries: [String] = []
  while let text = unsafe entry.pointee {
    unsafe entries.append(String(cString: text))
    unsafe entry += 1
  }
  return entries
}
