#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Which processes have a ledger's files open: from /proc, which opens nothing of the ledger's.
struct FileUsers: Sendable {
  /// A process and its command line.
  struct User: Hashable, Sendable {
    let pid: Int32
    let command: String
    /// Stopped by a signal or a debugger: it keeps what it holds until somebody continues it.
    let isStopped: Bool

    var readable: String {
      "process \(pid)\(isStopped ? ", stopped" : "")\(command.isEmpty ? "" : " (\(command))")"
    }
  }
  let users: [User]
  /// Processes whose files could not be looked at: other users', unless root looks.
  let hidden: Int

  /// Of the file at `path`, its -wal and its -shm, this process left out.
  static func of(_ path: String) -> FileUsers {
    var files: Set<FileID> = []
    for suffix in ["", "-wal", "-shm"] {
      var info = stat()
      if unsafe stat(path + suffix, &info) == 0 { files.insert(FileID(info)) }
    }
    guard !files.isEmpty else { return FileUsers(users: [], hidden: 0) }
    var users: [User] = []
    var hidden = 0
    for pid in entries(of: "/proc").compactMap({ Int32($0) }) where pid != getpid() {
      let folder = "/proc/\(pid)/fd"
      if unsafe access(folder, R_OK | X_OK) != 0 {
        if errno == EACCES { hidden += 1 }
        continue
      }
      let isUser = entries(of: folder).contains { name in
        var info = stat()
        return unsafe stat("\(folder)/\(name)", &info) == 0 && files.contains(FileID(info))
      }
      if isUser { users.append(user(pid)) }
    }
    return FileUsers(users: users.sorted { $0.pid < $1.pid }, hidden: hidden)
  }

  static func user(_ pid: Int32) -> User {
    let processes = SystemProcesses()
    let state = processes.details(of: pid)?.state
    return User(
      pid: pid, command: processes.command(of: pid) ?? "", isStopped: state == "T" || state == "t")
  }

  private struct FileID: Hashable {
    let device: UInt64
    let inode: UInt64
    init(_ info: stat) {
      device = UInt64(info.st_dev)
      inode = UInt64(info.st_ino)
    }
  }

  /// The names in a directory; none where it cannot be read.
  static func entries(of path: String) -> [String] {
    guard let directory = unsafe opendir(path) else { return [] }
    defer { unsafe _ = closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
          unsafe String(cString: $0)
        }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }
}
