/// What can be seen of a ledger without opening it: also of a damaged or a missing one.
public struct Inspection: Sendable {
  /// What the system says of one file.
  public struct File: Sendable {
    /// `ledger.db-wal`, for example.
    public let name: String
    /// Permission bits.
    public let mode: UInt32
    /// The number of the user who owns it.
    public let user: UInt32
    /// The number of the group that owns it.
    public let group: UInt32
    /// Its size.
    public let bytes: Int64
    /// A plain file of one name.
    public let isPlain: Bool
    /// This process may read and write it.
    public let isUsable: Bool
  }

  /// A process that uses the ledger.
  public struct User: Sendable {
    /// As this process sees it in /proc.
    public let pid: Int32
    /// Its command line, cut, for people.
    public let command: String
    /// Stopped by a signal or a debugger.
    public let isStopped: Bool
  }

  /// A queue of the processes that use the ledger.
  public struct Gate: Sendable {
    /// `turnstile`, before the write lock, or `sync`, before the sync of the log.
    public let name: String
    /// The process that has gone through and not left yet.
    public let holder: User?
    /// How many processes wait in it now.
    public let waiting: Int
  }

  /// With every link resolved, where there is something.
  public let path: String
  /// The main file first; empty where it is missing.
  public let files: [File]
  /// The directory of the ledger; nil where it is missing.
  public let directory: File?
  /// The kind of file system, for example `ext4`.
  public let fileSystem: String
  /// Whether locks and shared memory hold there. Network file systems are not safe.
  public let isFileSystemSafe: Bool
  /// Free for the ledger; nil where the system does not say.
  public let freeBytes: Int64?
  /// Who has one of its files open. Empty too where that cannot be seen.
  public let users: [User]
  /// Processes that could not be looked at, because they are other users'.
  public let hiddenProcesses: Int
  /// Who reads from the log now and keeps it from being begun anew.
  public let logReaders: [User]
  /// Who has the write lock now.
  public let writer: User?
  /// nil where the machine has no queues.
  public let gates: [Gate]?
  /// Whether the kernel takes the wall clock for synchronized; nil where it does not say.
  public let isClockSynchronized: Bool?
  /// Files that an interrupted backup or restore has left.
  public let leftovers: [String]
}

extension Ledger {
  /// Looks at the ledger at `path` from outside. Never fails: what cannot be seen is missing.
  ///
  /// **Lock**: none, and the file is not opened. **Complexity**: looks at each process once.
  public static func inspect(_ path: String) -> Inspection { Inspector.inspect(path) }
}
