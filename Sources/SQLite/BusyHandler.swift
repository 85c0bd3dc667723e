internal import CSQLite

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// The bounded wait for a lock.
///
/// SQLite's own `busy_timeout` backs off to 100 ms and lets one process starve for seconds. This
/// handler sleeps a random 0.1 to 4 ms and stops at a deadline on the monotonic clock, so that the
/// wait is fair enough and never longer than was asked (INV-8).
@safe
final class BusyHandler {
  private var deadline: UInt64 = 0
  private var random = SystemRandomNumberGenerator()

  /// Sets the moment at which waiting ends, `wait` from now. Negative durations count as zero.
  func start(wait: Duration) {
    deadline = BusyHandler.now() &+ UInt64(clamping: max(.zero, wait).nanoseconds)
  }

  /// Sleeps a little. False once the deadline has passed.
  func sleepOrGiveUp() -> Bool {
    let now = BusyHandler.now()
    guard now < deadline else { return false }
    let nap = UInt64.random(in: 100_000...4_000_000, using: &random)
    var request = timespec(tv_sec: 0, tv_nsec: Int(min(nap, deadline - now)))
    unsafe _ = nanosleep(&request, nil)
    return true
  }

  /// Blocks the thread, so that others can end what they are at.
  static func pause(_ time: Duration) {
    var request = timespec(tv_sec: 0, tv_nsec: Int(min(time.nanoseconds, 999_999_999)))
    unsafe _ = nanosleep(&request, nil)
  }

  /// Nanoseconds on the monotonic clock.
  static func now() -> UInt64 {
    var time = timespec()
    unsafe _ = clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }

  func install(on database: OpaquePointer) {
    let context = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe _ = sqlite3_busy_handler(
      database,
      { context, _ in
        guard let context = unsafe context else { return 0 }
        let handler = unsafe Unmanaged<BusyHandler>.fromOpaque(context).takeUnretainedValue()
        return handler.sleepOrGiveUp() ? 1 : 0
      }, context)
  }
}

extension Duration {
  /// Whole nanoseconds, saturating.
  var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return seconds < 0 ? .min : .max }
    let (sum, carry) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
    return carry ? .max : sum
  }
}
