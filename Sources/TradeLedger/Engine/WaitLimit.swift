/// The moment at which a call must have the lock it waits for, counted from the call itself: time
/// spent behind other callers of the same engine is part of the wait (INV-8).
struct WaitLimit: Sendable {
  private let deadline: SuspendingClock.Instant

  /// Whether the caller was ready to wait at all.
  let wasPositive: Bool

  init(_ wait: Duration) {
    deadline = SuspendingClock.now + wait
    wasPositive = wait > .zero
  }

  var isOver: Bool { isOver(by: .zero) }

  /// Whether it was over that long ago.
  func isOver(by time: Duration) -> Bool { SuspendingClock.now >= deadline + time }

  /// What is left, at least zero: with zero a free lock is still taken.
  var remaining: Duration { max(.zero, deadline - SuspendingClock.now) }
}
