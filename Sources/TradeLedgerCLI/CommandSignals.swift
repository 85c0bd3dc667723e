internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// What happens to signals while a command is prepared, runs, and is settled.
///
/// Before the command starts they are remembered: it is then not started, and the trade is void.
/// While it runs, SIGINT and SIGQUIT are left to it, since a terminal sends them to both; SIGTERM
/// and SIGHUP are forwarded. After its end they are ignored, so that the trade is settled.
enum CommandSignals {
  private static let handled = [SIGINT, SIGQUIT, SIGTERM, SIGHUP]

  /// Takes the signals over. Those that the parent of this process ignores stay ignored.
  static func takeOver() {
    // The handler may run at any moment, so what it touches is made before it.
    _ = commandPID.load(ordering: .relaxed)
    _ = remembered.load(ordering: .relaxed)
    for number in handled where !isIgnored(number) {
      var action = sigaction()
      unsafe action.__sigaction_handler.sa_handler = receive
      action.sa_flags = Int32(SA_RESTART)
      unsafe _ = sigaction(number, &action, nil)
    }
  }

  /// A signal that came before the command was started.
  static var first: Int32? {
    let bits = remembered.load(ordering: .acquiring)
    return handled.first { bits & (1 << $0) != 0 }
  }

  /// Forwards what came in the last moment before the start.
  static func commandStarted(_ pid: pid_t) {
    commandPID.store(pid, ordering: .sequentiallyConsistent)
    let bits = remembered.load(ordering: .sequentiallyConsistent)
    for number in handled where bits & (1 << number) != 0 { kill(pid, number) }
  }

  static func commandEnded() { commandPID.store(-1, ordering: .sequentiallyConsistent) }

  /// The signals that a command gets back in their default state: those of this program's own
  /// making. `nohup tradeledger execute ...` still means that SIGHUP is ignored.
  static var toReset: [Int32] {
    [SIGPIPE, SIGXFSZ, SIGCHLD] + handled.filter { !isIgnored($0) }
  }

  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    unsafe _ = sigaction(number, nil, &action)
    return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
      == unsafeBitCast(SIG_IGN, to: Int.self)
  }
}

/// 0: not started yet; -1: ended.
private let commandPID = Atomic<Int32>(0)
/// One bit for each signal that came before the start.
private let remembered = Atomic<UInt32>(0)

private func receive(_ number: Int32) {
  let pid = commandPID.load(ordering: .sequentiallyConsistent)
  if pid == 0 {
    remembered.bitwiseOr(1 << UInt32(number), ordering: .sequentiallyConsistent)
  } else if pid > 0 && (number == SIGTERM || number == SIGHUP) {
    let code = errno
    kill(pid, number)
    errno = code
  }
}
