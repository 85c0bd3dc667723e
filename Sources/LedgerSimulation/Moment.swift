internal import TradeLedger

/// When something was done: both clocks of the machine, in microseconds.
struct Moment: Equatable, Sendable {
  /// Microseconds since 1970: what the rows of a ledger are written in.
  let wall: Int64
  /// Microseconds since boot: what no clock setting moves.
  let boot: Int64
}

/// Reads the true clocks, whatever the workers' wall clock is set to, through the ledger's own
/// clock, the one place of the package that does.
struct MomentClock: Sendable {
  private let clock = SystemClock()

  func now() -> Moment {
    let reading = clock.now()
    let wall = reading.wall.microseconds
    return Moment(wall: wall, boot: reading.boot?.microseconds ?? wall)
  }

  /// The difference of the two clocks. They are read one after the other, boot first, and a process
  /// may be stopped in between: the smallest of several differences is the right one.
  func wallAheadOfBoot() -> Int64 {
    (0..<16).reduce(Int64.max) { least, _ in
      let moment = now()
      return min(least, moment.wall - moment.boot)
    }
  }
}
