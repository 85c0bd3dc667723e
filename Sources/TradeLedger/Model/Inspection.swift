/// What can be seen of a ledger without opening it: also of a damaged or a missing one.
public struct Inspection: Sendable {
  public struct File: Sendable {
    /// `ledger.db-wal`, for example.
    public let name: String
    /// Permission bits.
    public let mode: UInt32
    public let user: UInt32
    public let group: UInt32
    public let bytes: Int64
    /// A plain file of one name.
    public let isPlain: Bool
    /// This process may read and write it.
    public let isUsable: Bool
  }

  public struct User: Sendable {
    public let pid: Int32
    public let command: String
    /// Stopped by a signal or a debugger.
    public let isStopped: Bool
  }

  public struct Gate: Sendable {
    public let name: String
    /// The process that has gone through and not left yet.
    public let holder: User?
    public let waiting: Int
  }

  /// With every link resolved, where there is something.
  public let path: String
  /// The main file first; empty where it is missing.
  public let files: [File]
  public let directory: File?
  public let fileSystem: String
  public let isFileSystemSafe: Bool
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
  public static func inspect(_ path: String) -> Inspection { Inspector.inspect(path) }
}
