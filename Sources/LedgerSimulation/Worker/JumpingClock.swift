internal import TradeLedger

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// A wall clock that all workers share and that the supervisor sets. The boot clock is the true
/// one.
///
/// What it is ahead of the true one stands in a file of eight bytes, which is read at each reading
/// of the clock: so it jumps in all processes at the same moment.
final class JumpingClock: LedgerClock, Sendable {
  private let descriptor: Int32
  private let clock = SystemClock()

  /// - Throws: `io` where there is no such file.
  init(_ path: String) throws(LedgerError) {
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw LedgerError(
        .io, "cannot read the clock \(escaped(path)): error \(errno)",
        hint: "workers are started by 'tradeledger simulate', which makes this file")
    }
  }

  deinit { close(descriptor) }

  func now() -> ClockReading {
    let now = clock.now()
    var offset: Int64 = 0
    let count = unsafe pread(descriptor, &offset, 8, 0)
    precondition(count == 8, "the supervisor's clock is gone")
    return ClockReading(wall: now.wall.advanced(by: .microseconds(offset)), boot: now.boot)
  }
}

/// The supervisor's hand on that clock.
final class ClockSetter: Sendable {
  let path: String
  private let descriptor: Int32
  private let clock = MomentClock()

  /// - Throws: `cannotCreate`.
  init(_ path: String) throws(LedgerError) {
    self.path = path
    descriptor = unsafe open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
    guard descriptor >= 0, write(.zero) else {
      throw LedgerError(
        .cannotCreate, "cannot make \(escaped(path)): error \(errno)",
        hint: "look at the temporary directory, or set TMPDIR to another one")
    }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Sets the workers' wall clock `offset` ahead of the true one, or behind it.
  /// - Returns: nil where that failed.
  func set(_ offset: Duration) -> ClockJump? {
    let from = clock.now().boot
    guard write(offset) else { return nil }
    return ClockJump(from: from, to: clock.now().boot, offset: offset.wholeMicroseconds)
  }

  private func write(_ offset: Duration) -> Bool {
    var value = offset.wholeMicroseconds
    return unsafe pwrite(descriptor, &value, 8, 0) == 8
  }
}
