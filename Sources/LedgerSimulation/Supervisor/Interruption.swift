internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Remembers ^C and its relatives, so that a run can be ended in order.
enum Interruption {
  private static let handled = [SIGINT, SIGTERM, SIGHUP]

  /// Takes the signals over, except those that the parent of this process ignores (`nohup`).
  static func takeOver() {
    // The handler may run at any moment, so what it touches is made before it.
    received.store(0, ordering: .sequentiallyConsistent)
    for number in handled {
      var old = sigaction()
      unsafe _ = sigaction(number, nil, &old)
      let handler = unsafe unsafeBitCast(old.__sigaction_handler.sa_handler, to: Int.self)
      if unsafe handler == unsafeBitCast(SIG_IGN, to: Int.self) { continue }
      var action = sigaction()
      unsafe action.__sigaction_handler.sa_handler = remember
      action.sa_flags = Int32(SA_RESTART)
      unsafe _ = sigaction(number, &action, nil)
    }
  }

  /// The first signal that came, or nil.
  static var signal: Int32? {
    let number = received.load(ordering: .sequentiallyConsistent)
    return number == 0 ? nil : number
  }
}

private let received = Atomic<Int32>(0)

private func remember(_ number: Int32) {
  _ = received.compareExchange(
    expected: 0, desired: number, ordering: .sequentiallyConsistent)
}
