internal import Synchronization
public import TradeLedger

/// A clock that stands still until a test moves it. For `simulation` ledgers.
public final class ManualClock: LedgerClock {
  private let reading: Mutex<(wall: Int64, boot: Int64, bootID: String?)>

  /// Starts at 2025-09-07 20:28:53 UTC, one hour after boot.
  public init(bootID: String? = "test-boot") {
    reading = Mutex((1_757_276_933_000_000, 3_600_000_000, bootID))
  }

  public func now() -> ClockReading {
    reading.withLock { state in
      ClockReading(
        wall: Timestamp(microseconds: state.wall),
        boot: state.bootID.map { BootInstant(bootID: $0, microseconds: state.boot) })
    }
  }

  /// Time passes: both clocks move.
  public func advance(_ interval: Duration) {
    reading.withLock { state in
      state.wall += interval.wholeMicroseconds
      state.boot += interval.wholeMicroseconds
    }
  }

  /// Somebody sets the wall clock; no time passes.
  public func jumpWall(_ interval: Duration) {
    reading.withLock { $0.wall += interval.wholeMicroseconds }
  }

  /// The machine starts again: the boot clock begins anew under another id.
  public func reboot(_ bootID: String) {
    reading.withLock { state in
      state.boot = 1_000_000
      state.bootID = bootID
    }
  }
}
