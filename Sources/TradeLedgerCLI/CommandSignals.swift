internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// What happens to signals while a command is prepared, runs, and is settled.
///
/// Under `execute`, before the command starts they are remembered: it is then not started, and the
/// trade is void. While it runs, SIGINT and SIGQUIT are left to it, since a terminal sends them to
/// both; SIGTERM and SIGHUP are forwarded. After its end they are ignored, so that the trade is
/// settled.
///
/// Under `guard --supervise` every signal that a process sends is forwarded; what a terminal sends
/// has reached the command already.
enum CommandSignals {
  private static let handled = [SIGINT, SIGQUIT, SIGTERM, SIGHUP]

  /// Every signal that a handler can have, but for the child's end, for those by which this program
  /// itself can fail, and for the two that glibc keeps for itself.
  private static let everySignal: [Int32] = {
    let left = [
      SIGKILL, SIGSTOP, SIGCHLD, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, 32, 33,
    ]
    return (1...64).filter { !left.contains($0) }
  }()

  /// Takes the signals over. Those that the parent of this process ignores stay ignored.
  static func takeOver() {
    install(on: handled) { action in
      unsafe action.__sigaction_handler.sa_handler = { receive($0, isFromProcess: true) }
    }
  }

  /// Takes every signal over, to be forwarded where a process has sent it.
  static func superviseAll() {
    forwardsAll.store(true, ordering: .sequentiallyConsistent)
    // The program ignores these two for itself; its command does not.
    for number in [SIGPIPE, SIGXFSZ] { _ = signal(number, SIG_DFL) }
    install(on: everySignal) { action in
      action.sa_flags |= Int32(SA_SIGINFO)
      unsafe action.__sigaction_handler.sa_sigaction = { number, information, _ in
        guard let information = unsafe information else { return }
        let isSent = unsafe information.pointee.si_code <= 0
        let sender = unsafe information.pointee._sifields._kill.si_pid
        receive(number, isFromProcess: isSent && sender != getpid())
      }
    }
  }

  private static func install(on numbers: [Int32], _ set: (inout sigaction) -> Void) {
    // The handler may run at any moment, so what it touches is made before it.
    _ = commandPID.load(ordering: .relaxed)
    _ = remembered.load(ordering: .relaxed)
    _ = forwardsAll.load(ordering: .relaxed)
    for number in numbers where !isIgnored(number) {
      var action = sigaction()
      action.sa_flags = Int32(SA_RESTART)
      set(&action)
      unsafe _ = sigaction(number, &action, nil)
    }
  }

  /// A signal that came before the command was started.
  static var first: Int32? {
    let bits = remembered.load(ordering: .acquiring)
    return handled.first { bits & bit($0) != 0 }
  }

  /// Forwards what came in the last moment before the start. It may have ended already.
  static func commandStarted(_ pid: pid_t) {
    let (isFirst, _) = commandPID.compareExchange(
      expected: 0, desired: pid, ordering: .sequentiallyConsistent)
    guard isFirst else { return }
    let bits = remembered.load(ordering: .sequentiallyConsistent)
    for number in Int32(1)...64 where bits & bit(number) != 0 { kill(pid, number) }
  }

  static func commandEnded() { commandPID.store(-1, ordering: .sequentiallyConsistent) }

  /// Sends `number` to the command, if it runs.
  static func send(_ number: Int32) {
    let pid = commandPID.load(ordering: .sequentiallyConsistent)
    if pid > 0 { kill(pid, number) }
  }

  /// The signals that a command gets back in their default state: those of this program's own
  /// making. `nohup tradeledger execute ...` still means that SIGHUP is ignored.
  static var toReset: [Int32] {
    [SIGPIPE, SIGXFSZ, SIGCHLD] + handled.filter { !isIgnored($0) }
  }

  /// Makes this process fit to become a command: what ``toReset`` says, and an empty mask.
  static func resetForCommand() {
    for number in toReset { _ = signal(number, SIG_DFL) }
    var none = sigset_t()
    unsafe sigemptyset(&none)
    unsafe _ = pthread_sigmask(SIG_SETMASK, &none, nil)
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
private let remembered = Atomic<UInt64>(0)
private let forwardsAll = Atomic<Bool>(false)

private func bit(_ number: Int32) -> UInt64 { 1 << UInt64(number - 1) }

/// - Parameter isFromProcess: not from a terminal or the kernel.
private func receive(_ number: Int32, isFromProcess: Bool) {
  let pid = commandPID.load(ordering: .sequentiallyConsistent)
  let forwardsAll = forwardsAll.load(ordering: .sequentiallyConsistent)
  guard isFromProcess else {
    // ^Z stops the command and must stop its supervisor, or no shell gets its terminal back.
    if number == SIGTSTP || number == SIGTTIN || number == SIGTTOU { raise(SIGSTOP) }
    return
  }
  if pid == 0 {
    remembered.bitwiseOr(bit(number), ordering: .sequentiallyConsistent)
  } else if pid > 0 && (forwardsAll || number == SIGTERM || number == SIGHUP) {
    let code = errno
    kill(pid, number)
    errno = code
  }
}
