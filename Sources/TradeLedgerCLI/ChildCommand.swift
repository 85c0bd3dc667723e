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

    let names = variables.map { $0.0 + "=" }
    let kept = inheritedEnvironment().filter { entry in !names.contains { entry.hasPrefix($0) } }
    let settings = kept + variables.map { "\($0.0)=\($0.1)" }
    let arguments = unsafe words.map { unsafe strdup($0) } + [nil]
    let environment = unsafe settings.map { unsafe strdup($0) } + [nil]
    let pointers = unsafe arguments + environment
    defer { for index in unsafe pointers.indices { unsafe free(pointers[index]) } }
    var pid: pid_t = 0
    let code = unsafe posix_spawnp(&pid, words[0], nil, &attributes, arguments, environment)
    return (code, pid)
  }

  private static func wait(for pid: pid_t) -> CommandEnd {
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

  /// The environment as this process got it: nothing in this program changes it.
  private static func inheritedEnvironment() -> [String] {
    // By the calling convention of Linux and macOS it follows the arguments.
    var entry = unsafe CommandLine.unsafeArgv + Int(CommandLine.argc) + 1
    var entries: [String] = []
    while let text = unsafe entry.pointee {
      unsafe entries.append(String(cString: text))
      unsafe entry += 1
    }
    return entries
  }
}
