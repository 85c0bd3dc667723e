/// Which process it is: told apart from every other one, past or future, that had the same pid.
public struct ProcessIdentity: Hashable, Sendable {
  /// The boot of the machine it runs on; equal in all containers of that machine.
  public let bootID: String
  /// Pids compare only within one PID namespace: the inode of /proc/PID/ns/pid.
  public let pidNamespace: Int64
  /// Start times compare only within one time namespace: the inode of /proc/PID/ns/time.
  public let timeNamespace: Int64
  /// From 1 on.
  public let pid: Int32
  /// When it was started: clock ticks since the boot, field 22 of /proc/PID/stat.
  public let startTicks: Int64
}

/// Who holds an instance name, as the ledger has it. What a foreign client left out is nil.
public struct InstanceHolder: Hashable, Sendable {
  /// From 1 on, in the holder's own PID namespace.
  public let pid: Int32
  /// The boot that it belongs to.
  public let bootID: String?
  /// All parts of it, or nil: such a holder cannot be looked at.
  public let identity: ProcessIdentity?
  /// For people. Two containers may have the same one.
  public let host: String?
  /// For people.
  public let command: String?
  /// Since when it has the name.
  public let since: Timestamp?
  /// Microseconds of the machine's boot clock. nil: judged by its process alone.
  let heartbeatUntil: Int64?
}

/// Why a holder is known to be gone.
public enum ProofOfDeath: String, CaseIterable, Sendable {
  /// It belongs to an earlier boot of the machine.
  case rebooted
  /// No process has its pid.
  case gone
  /// Its pid belongs to a process that was started at another time.
  case pidReused = "pid_reused"
  /// It has ended and waits to be reaped.
  case zombie
  /// It could not be looked at, and let its heartbeat run out.
  case silent
}

/// Whether a holder still lives, as far as it can be known from here.
public enum HolderState: Hashable, Sendable {
  /// Its process is there.
  case alive
  /// It is proven gone; the name is taken over at once.
  case dead(ProofOfDeath)
  /// In another namespace: taken as alive for that long, the rest of its heartbeat. nil: until it
  /// is evicted.
  case unseen(remaining: Duration?)
}

/// An instance name and who has it.
public struct Instance: Hashable, Sendable {
  /// The name.
  public let name: InstanceName
  /// The number of its take-overs, evictions included.
  public let epoch: Epoch
  /// nil: nobody.
  public let holder: InstanceHolder?
  /// nil where there is no holder.
  public let state: HolderState?
}

/// Why a lease of an instance name is no longer good. Whoever learns it stops.
public enum InstanceLoss: Equatable, Sendable {
  /// An operator raised the epoch.
  case evicted
  /// Another process has the name.
  case takenOver(InstanceHolder)
  /// The ledger could not be reached, and the heartbeat is about to run out or cannot come back.
  case unreachable(LedgerError)
}

/// The answer to `evictInstance`.
public enum InstanceEviction: Hashable, Sendable {
  /// The holder's next write is refused. The epoch is the one that stands now.
  case evicted(InstanceHolder, InstanceClaim)
  /// Nobody has the name; nothing was written.
  case free(InstanceClaim)
}
