#if PostgreSQL
  #if canImport(Glibc)
    internal import Glibc
  #else
    internal import Darwin
  #endif

  /// Until when the network is waited for.
  struct Deadline {
    private let end: SuspendingClock.Instant

    init(_ wait: Duration) { end = SuspendingClock.now + wait }

    var remaining: Duration { max(.zero, end - SuspendingClock.now) }

    enum Readiness {
      case ready
      case outOfTime
    }

    /// Waits until something can be read from the socket, or written to it.
    func wait(for socket: Int32, reading: Bool, writing: Bool) -> Readiness {
      while true {
        let left = remaining
        // Rounded up, so that the last millisecond is slept and not spun away.
        let milliseconds = min((left + .microseconds(999)) / .milliseconds(1), 60_000)
        var entry = pollfd(
          fd: socket, events: Int16((reading ? POLLIN : 0) | (writing ? POLLOUT : 0)), revents: 0)
        let count = unsafe poll(&entry, 1, Int32(milliseconds))
        if count > 0 { return .ready }
        if count < 0 && errno != EINTR { return .ready }
        if left <= .zero { return .outOfTime }
      }
    }
  }
#endif
