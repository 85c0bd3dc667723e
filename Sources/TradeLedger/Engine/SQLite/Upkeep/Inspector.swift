internal import CLedgerSystem

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Looks at a ledger with stat, /proc and the queues alone, never through a descriptor of it.
enum Inspector {
  static func inspect(_ path: String) -> Inspection {
    let real = LedgerFile.realPath(path) ?? path
    let directory = LedgerFile.realPath(LedgerFile.parent(of: real)) ?? "."
    let info = NewLedgerFile.status(real)
    let users = FileUsers.of(real)
    var type: UInt64 = 0
    let judged =
      unsafe tl_filesystem_type(directory, &type) == 0
      ? LedgerFileSystem.judge(type) : (name: "unknown", isAllowed: true)
    return Inspection(
      path: Ledger.displayName(of: real),
      files: info == nil
        ? []
        : ["", "-wal", "-shm", "-journal", SyncBoard.suffix].compactMap {
          file(real + $0)
        },
      directory: file(directory), fileSystem: judged.name, isFileSystemSafe: judged.isAllowed,
      freeBytes: LedgerFile.freeBytes(directory).map { Int64(clamping: $0) },
      users: users.users.map(process), hiddenProcesses: users.hidden,
      logReaders: LockHolders.logReaders(of: real).map { process(FileUsers.user($0)) },
      writer: LockHolders.writer(of: real).map { process(FileUsers.user($0)) },
      gates: info.flatMap { gates($0) }, isClockSynchronized: isClockSynchronized(),
      leftovers: leftovers(real, directory))
  }

  private static func file(_ path: String) -> Inspection.File? {
    guard let info = NewLedgerFile.status(path) else { return nil }
    let kind = info.st_mode & S_IFMT
    return Inspection.File(
      name: path.split(separator: "/").last.map(String.init) ?? path,
      mode: UInt32(info.st_mode & 0o7777), user: info.st_uid, group: info.st_gid,
      bytes: Int64(info.st_size),
      isPlain: kind == S_IFDIR || kind == S_IFREG && info.st_nlink == 1,
      isUsable: unsafe access(path, R_OK | W_OK) == 0)
  }

  private static func process(_ user: FileUsers.User) -> Inspection.User {
    Inspection.User(pid: user.pid, command: user.command, isStopped: user.isStopped)
  }

  private static func gates(_ info: stat) -> [Inspection.Gate]? {
    let gates = Gates(
      device: UInt64(info.st_dev), inode: UInt64(info.st_ino), user: info.st_uid,
      group: info.st_gid, isGroupShared: info.st_mode & 0o020 != 0)
    guard let set = gates.set else { return nil }
    return [("turnstile", Gates.Gate.turnstile), ("sync", Gates.Gate.sync)].compactMap {
      name, gate in
      var state = tl_gate_state()
      guard unsafe tl_gate_look(set, gates.first + gate.rawValue, &state) == 0 else { return nil }
      return Inspection.Gate(
        name: name,
        holder: state.is_closed ? process(FileUsers.user(state.last_pid)) : nil,
        waiting: Int(state.waiting))
    }
  }

  private static func isClockSynchronized() -> Bool? {
    var answer = false
    return unsafe tl_clock_is_synchronized(&answer) == 0 ? answer : nil
  }

  /// Without what SQLite and the ledger keep beside them.
  private static func leftovers(_ path: String, _ directory: String) -> [String] {
    guard let name = path.split(separator: "/").last.map(String.init) else { return [] }
    let entries = Set(FileUsers.entries(of: directory))
    return entries.filter { entry in
      let isBeside = ["-wal", "-shm", "-synced"].contains { suffix in
        entry.hasSuffix(suffix) && entries.contains(String(entry.dropLast(suffix.count)))
      }
      if isBeside { return false }
      return entry == name + RestorePlace.suffix || entry.hasPrefix(name + ".left")
        || NewLedgerFile.isUnfinished(entry)
    }.sorted()
  }
}
