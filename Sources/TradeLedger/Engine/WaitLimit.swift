/// The moment at which a call must have the lock it waits for, counted from the call itself: time
/// spent behind other callers of the same engine is part of the wait (INV-8).
struct WaitLimit: Sendable {
  let deadline: SuspendingClock.Instant

  /// Whether the caller was ready to wait at all.
  let wasPositive: Bool

  /// Nothing that sleeps until then knows a moment without end. Ten years.
  private static let longest = Duration.seconds(315_360_000)

  init(_ wait: Duration) {
    self.init(
      until: SuspendingClock.now + min(wait, WaitLimit.longest), wasPositive: wait > .zero)
  }

  private init(until deadline: SuspendingClock.Instant, wasPositive: Bool) {
    self.deadline = deadline
    self.wasPositive = wasPositive
  }

  /// The same limit, so much later.
  func later(by time: Duration) -> WaitLimit {
    WaitLimit(until: deadline + time, wasPositive: wasPositive)
  }

  var isOver: Bool { SuspendingClock.now >= deadline }

  /// What is left, at least zero: with zero a free lock is still taken.
  var remaining: Duration { max(.zero, deadline - SuspendingClock.now) }
}
