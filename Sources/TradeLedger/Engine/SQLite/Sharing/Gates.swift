internal import CLedgerSystem

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// The queues of one ledger, shared by all processes that use it: one before the write lock, one
/// before the sync of the log. First come, first served, kept by the kernel, which lets the next
/// one through when a holder dies.
///
/// They give order and speed and nothing else. A queue that cannot be had, that was removed, or
/// whose holder stands still is gone past, and what makes the ledger safe never asks for it.
struct Gates {
  enum Gate: UInt16 {
    /// Before BEGIN IMMEDIATE.
    case turnstile = 0
    /// Before the sync of the log.
    case sync = 1
  }

  /// The longest wait in a queue: many times what a healthy one takes.
  static let longestWait = Duration.milliseconds(250)
  /// How long nobody waits at a gate again whose holder stood still.
  private static let distrust = Duration.seconds(1)

  private let key: Int32
  private let owner: (user: UInt32, group: UInt32, mode: UInt32)
  let first: UInt16
  private(set) var set: Int32?
  private var distrustedUntil: SuspendingClock.Instant?
  /// The sets in which gates were entered: left in another one, a gate would stay closed for all.
  private var entered: [Gate: Int32] = [:]

  /// - Parameters: the file's device and inode, and who may open it. Each user (or group, for a
  ///   shared ledger) has one set of gates, and each ledger two gates in it; two ledgers that
  ///   happen to have the same ones wait for each other.
  init(device: UInt64, inode: UInt64, user: UInt32, group: UInt32, isGroupShared: Bool) {
    owner = (user, group, isGroupShared ? 0o660 : 0o600)
    var scope = StableHash()
    scope.add("TradeLedger gates")
    scope.add(isGroupShared ? UInt64(group) | 1 << 40 : UInt64(user))
    // Key 0 would be a set of its own for each process.
    key = Int32(truncatingIfNeeded: scope.value) | 1
    var ledger = StableHash()
    ledger.add(device)
    ledger.add(inode)
    first = UInt16(ledger.value % UInt64(tl_gates_count() / 2)) * 2
    set = open()
  }

  private func open() -> Int32? {
    var set: Int32 = -1
    let code = unsafe tl_gates_open(key, owner.user, owner.group, owner.mode, &set)
    return code == 0 ? set : nil
  }

  /// Goes through `gate`, at its turn, or past it when `limit` is over.
  /// - Returns: whether it went through, so that ``leave(_:)`` has to follow.
  mutating func enter(_ gate: Gate, limit: Duration = longestWait) -> Bool {
    guard let known = set else { return false }
    var wait = min(Gates.longestWait, limit)
    if let until = distrustedUntil {
      if SuspendingClock.now < until { wait = .zero } else { distrustedUntil = nil }
    }
    entered[gate] = known
    var code = pass(known, gate, wait)
    if code == EINVAL || code == EIDRM {
      // Somebody removed the set. There may be a new one.
      set = open()
      guard let renewed = set else { return false }
      entered[gate] = renewed
      code = pass(renewed, gate, wait)
    }
    if code == EAGAIN && wait == Gates.longestWait {
      distrustedUntil = SuspendingClock.now + Gates.distrust
    }
    return code == 0
  }

  private func pass(_ set: Int32, _ gate: Gate, _ wait: Duration) -> Int32 {
    let end = SuspendingClock.now + wait
    var left = wait
    while true {
      let code = tl_gate_enter(set, first + gate.rawValue, left.wholeMicroseconds * 1000)
      // A signal ends the wait; a stopped process must not have a place in the queue.
      if code != EINTR { return code }
      left = max(.zero, end - SuspendingClock.now)
    }
  }

  func leave(_ gate: Gate) {
    if let set = entered[gate] { _ = tl_gate_leave(set, first + gate.rawValue) }
  }

  /// Removes the whole set, as an operator can (`ipcrm`). For tests.
  func remove() {
    if let set { _ = tl_gates_remove(set) }
  }

  /// Whether others stand at `gate`.
  func hasQueue(_ gate: Gate) -> Bool {
    guard let set else { return false }
    return tl_gate_has_queue(set, first + gate.rawValue)
  }
}
