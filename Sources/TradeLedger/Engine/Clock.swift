#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// A reading of the boot clock. Two of them compare only where `bootID` is equal.
public struct BootInstant: Hashable, Sendable {
  /// The boot of the machine together with the time namespace: the first 16 hexadecimal digits of
  /// /proc/sys/kernel/random/boot_id, a slash, and the inode of /proc/self/ns/time.
  public let bootID: String
  /// Microseconds since that boot, time asleep included.
  public let microseconds: Int64

  /// A reading that a clock of your own gives.
  public init(bootID: String, microseconds: Int64) {
    self.bootID = bootID
    self.microseconds = microseconds
  }
}

/// Both clocks, read together.
public struct ClockReading: Hashable, Sendable {
  /// The time of day, which people and daemons can set.
  public let wall: Timestamp
  /// nil where the machine does not say.
  public let boot: BootInstant?

  /// A reading that a clock of your own gives.
  public init(wall: Timestamp, boot: BootInstant?) {
    self.wall = wall
    self.boot = boot
  }
}

/// Where the ledger gets its time. Tests on a `simulation` ledger bring their own.
public protocol LedgerClock: Sendable {
  /// Both clocks now. Called from any thread, also with the write lock held: it must not wait.
  func now() -> ClockReading
}

/// The clocks of this machine: CLOCK_REALTIME and CLOCK_BOOTTIME. The one place that reads them.
public struct SystemClock: LedgerClock {
  private let bootID: String?

  /// Learns which boot this is; reads two files of /proc.
  public init() { bootID = SystemClock.readBootID() }

  /// Both clocks of the machine. Costs two reads of a clock.
  public func now() -> ClockReading {
    // Boot first: if the process is stopped between the two, the wall clock is the later one, and
    // the smaller of the two intervals counts.
    let boot = boot()
    return ClockReading(wall: SystemClock.wallTime(), boot: boot)
  }

  /// The machine's boot clock alone.
  func boot() -> BootInstant? {
    bootID.map { BootInstant(bootID: $0, microseconds: SystemClock.read(SystemClock.bootClock)) }
  }

  /// The machine's wall clock, for what has to do with its files and not with trades.
  static func wallTime() -> Timestamp { Timestamp(microseconds: read(CLOCK_REALTIME)) }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    unsafe _ = clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }

  #if os(Linux)
    private static let bootClock = CLOCK_BOOTTIME

    private static func readBootID() -> String? {
      guard let boot = readSmallFile("/proc/sys/kernel/random/boot_id"),
        let namespace = readLink("/proc/self/ns/time")
      else { return nil }
      // 64 of its random bits tell the boots of one machine apart.
      let digits = boot.filter { $0 != "-" && $0 != "\n" }.prefix(16)
      let inode = namespace.filter { ("0"..."9").contains($0) }
      return digits + "/" + inode
    }
  #else
    private static let bootClock = CLOCK_MONOTONIC
    private static func readBootID() -> String? { nil }
  #endif
}

/// The first 255 bytes of a file of the system (never of the ledger), or nil.
func readSmallFile(_ path: String) -> String? {
  let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  var bytes = [UInt8](repeating: 0, count: 255)
  let count = unsafe read(descriptor, &bytes, bytes.count)
  return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
}

/// Where a symbolic link points to, or nil.
func readLink(_ path: String) -> String? {
  var bytes = [CChar](repeating: 0, count: 4096)
  let count = unsafe readlink(path, &bytes, bytes.count)
  guard count > 0 else { return nil }
  return String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
