/// How long a permit may be used for sending.
///
/// A lease is over when both clocks say so. A wall clock that jumps ahead therefore ends no lease
/// early, and one that jumps back makes it longer at most by the jump.
struct Lease: Hashable, Sendable {
  let until: Timestamp
  /// The same end on the boot clock of the machine that gave it.
  let bootUntil: BootInstant?

  init(start: ClockReading, length: Duration) {
    until = start.wall.advanced(by: length)
    bootUntil = start.boot?.advanced(by: length)
  }

  init(until: Timestamp, bootUntil: BootInstant?) {
    self.until = until
    self.bootUntil = bootUntil
  }

  init(until: Timestamp, created: ClockReading) {
    self.until = until
    bootUntil = created.boot?.advanced(by: until.elapsed(since: created.wall))
  }

  /// What is left; zero or less once it is over.
  func remaining(at now: ClockReading) -> Duration {
    let wall = until.elapsed(since: now.wall)
    guard let bootUntil, let boot = bootUntil.elapsed(since: now.boot) else { return wall }
    return max(wall, boot)
  }

  func isOver(at now: ClockReading) -> Bool { remaining(at: now) <= .zero }

  /// Whether an order may still be sent: judged by the boot clock, where it can be asked. Others
  /// wait until both clocks say that the lease is over; its holder does not use the longer of them.
  func maySend(at now: ClockReading) -> Bool {
    let boot = bootUntil?.elapsed(since: now.boot)
    return boot ?? until.elapsed(since: now.wall) > .zero
  }
}

extension BootInstant {
  /// Saturating: a foreign writer may have stored any integer.
  func advanced(by interval: Duration) -> BootInstant {
    let advanced = Duration.microseconds(microseconds) + interval
    return BootInstant(bootID: bootID, microseconds: advanced.wholeMicroseconds)
  }

  /// The time from `earlier` to `self`, or nil where they are of different boots.
  func elapsed(since earlier: BootInstant?) -> Duration? {
    guard let earlier, earlier.bootID == bootID else { return nil }
    return .microseconds(microseconds) - .microseconds(earlier.microseconds)
  }
}
