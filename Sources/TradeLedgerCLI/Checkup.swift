internal import LedgerReport
internal import TradeLedger

/// One thing that `doctor` has looked at.
struct Finding {
  enum Grade: String {
    case ok
    /// Worth knowing; nobody has to do anything.
    case note
    /// Somebody has to look, before it gets worse.
    case warn
    /// Broken.
    case fail
  }
  let check: String
  let grade: Grade
  let message: String
  /// What to do.
  let advice: String?

  init(_ check: String, _ grade: Grade, _ message: String, do advice: String? = nil) {
    self.check = check
    self.grade = grade
    self.message = message
    self.advice = advice
  }

  var isHealthy: Bool { grade == .ok || grade == .note }
}

/// What `doctor` sees from outside, and what the opened ledger says; judged here and nowhere else.
struct Checkup {
  let inspection: Inspection
  /// nil: the ledger cannot be opened, for this reason.
  let opened: Result<Opened, LedgerError>

  struct Opened {
    let diagnosis: Diagnosis
    let status: LedgerStatus
    let instances: [Instance]
  }

  static func of(_ global: GlobalOptions) async throws -> Checkup {
    Checkup(inspection: Ledger.inspect(try global.path()), opened: try await open(global))
  }

  /// What the ledger says once it is open, or why it cannot be opened.
  static func open(_ global: GlobalOptions) async throws -> Result<Opened, LedgerError> {
    do {
      return .success(
        try await global.withLedger(.readOnly) { ledger in
          Opened(
            diagnosis: try await ledger.diagnosis(), status: try await ledger.status(),
            instances: try await ledger.instances())
        })
    } catch let error as LedgerError {
      return .failure(error)
    }
  }

  var findings: [Finding] {
    let outside = [file, permissions, fileSystem, room, leftovers]
    let shared = inspection.files.isEmpty ? [] : [log, processes, writeLock, queues]
    return outside + [ledger] + inside + shared + sqlite + [clockSync, environment]
  }

  private var inside: [Finding] {
    guard case .success(let opened) = opened else { return [] }
    return [
      integrity(opened.diagnosis), clock(opened.diagnosis),
      Checkup.instances(opened.instances), Checkup.trades(opened.status),
    ]
  }

  // MARK: The file

  private var file: Finding {
    guard let main = inspection.files.first else {
      return Finding(
        "file", .fail, "there is no file at \(inspection.path)",
        do: "check the path; 'tradeledger restore BACKUP' puts a ledger back, 'tradeledger init' "
          + "makes a new one that knows no last trade")
    }
    return main.isPlain
      ? Finding("file", .ok, "\(inspection.path), \(Checkup.size(main.bytes))")
      : Finding(
        "file", .fail, "\(inspection.path) is not a plain file of one name",
        do: "remove the other names; a second name means a second log and lost trades")
  }

  private var permissions: Finding {
    var wrong: [String] = []
    // A ledger of a group (init --shared-group): its log belongs to whoever of them made it.
    let isShared = (inspection.files.first?.mode ?? 0) & 0o020 != 0
    for file in inspection.files {
      if !file.isUsable { wrong.append("\(file.name) may not be read and written by this user") }
      if file.mode & 0o002 != 0 { wrong.append("everybody may write to \(file.name)") }
      if !file.isPlain { wrong.append("\(file.name) is not a plain file of one name") }
      guard let main = inspection.files.first else { continue }
      if !isShared && file.user != main.user {
        wrong.append("\(file.name) belongs to user \(file.user), the ledger to \(main.user)")
      }
      if isShared && (file.group != main.group || file.mode & 0o060 != 0o060) {
        wrong.append("\(file.name) is not for group \(main.group), which the ledger is shared with")
      }
    }
    if let directory = inspection.directory {
      let allowed: UInt32 = isShared ? 0o002 : 0o022
      if directory.mode & allowed != 0 { wrong.append("others may write to the directory") }
    }
    guard let main = inspection.files.first, wrong.isEmpty else {
      return wrong.isEmpty
        ? Finding("permissions", .ok, "of the directory")
        : Finding(
          "permissions", .fail, wrong.joined(separator: "; "),
          do: (isShared
            ? "chgrp all of its files and the directory to that group; chmod 660 the files, 2770 "
              + "the directory"
            : "chown all of its files to one user; chmod 600 the files, 700 the directory")
            + "; no read-only mount")
    }
    let owner = isShared ? "group \(main.group)" : "user \(main.user)"
    return Finding(
      "permissions", .ok, "mode \(String(main.mode, radix: 8)), \(owner), all its files")
  }

  private var fileSystem: Finding {
    guard inspection.isFileSystemSafe else {
      return Finding(
        "file-system", .fail, "\(inspection.fileSystem): locks or shared memory do not hold there",
        do: "move the ledger to a local disk (ext4, xfs, btrfs, zfs): backup, then restore there")
    }
    switch inspection.fileSystem {
    case "tmpfs":
      return Finding("file-system", .note, "tmpfs: the ledger is gone with the next reboot")
    case "overlayfs":
      return Finding(
        "file-system", .note, "overlayfs: the ledger is gone with its container",
        do: "put it on a volume")
    default: return Finding("file-system", .ok, inspection.fileSystem)
    }
  }

  private var room: Finding {
    guard let free = inspection.freeBytes else {
      return Finding("room", .note, "the system does not say how much is free")
    }
    let grade: Finding.Grade = free < 1 << 20 ? .fail : free < 256 << 20 ? .warn : .ok
    return Finding(
      "room", grade, "\(Checkup.size(free)) free",
      do: grade == .ok ? nil : "make room: a ledger without it takes no new trades")
  }

  private var leftovers: Finding {
    inspection.leftovers.isEmpty
      ? Finding("leftovers", .ok, "nothing of an interrupted backup or restore")
      : Finding(
        "leftovers", .warn, inspection.leftovers.joined(separator: ", "),
        do: "a .partial is an unfinished backup: delete it, unless one is running. A -restore or a "
          + ".left may be the replaced ledger: see with 'tradeledger trades --db' what it has and "
          + "the ledger lacks, then delete it, and what has its name and a suffix")
  }

  private var ledger: Finding {
    switch opened {
    case .success(let opened):
      return Finding(
        "ledger", .ok,
        "\(opened.status.mode.rawValue), layout \(opened.diagnosis.schemaVersion), schema as it "
          + "should be, \(counted(opened.status.trades, "trade"))")
    case .failure(let error):
      return Finding("ledger", .fail, error.message, do: error.hint)
    }
  }

  private func integrity(_ diagnosis: Diagnosis) -> Finding {
    diagnosis.integrity == "ok"
      ? Finding("integrity", .ok, "every page, index and reference")
      : Finding(
        "integrity", .fail, diagnosis.integrity,
        do: "stop all workers, keep the file, then 'tradeledger restore BACKUP'")
  }

  // MARK: The shared parts

  private var log: Finding {
    let bytes = inspection.files.first { $0.name.hasSuffix("-wal") }?.bytes ?? 0
    let readers = inspection.logReaders.map(Checkup.readable).joined(separator: ", ")
    guard bytes > 16 << 20 else {
      return Finding(
        "log", .ok, Checkup.size(bytes) + (readers.isEmpty ? "" : ", read by \(readers)"))
    }
    return Finding(
      "log", .warn,
      "\(Checkup.size(bytes)), "
        + (readers.isEmpty ? "and nobody reads from it now" : "held up by \(readers)"),
      do: readers.isEmpty
        ? "the next few hundred trades begin it anew; if not, look at who has the ledger open"
        : "end the reader: a query or a cursor that stays open keeps the log growing")
  }

  private var processes: Finding {
    let users = inspection.users.map(Checkup.readable).joined(separator: ", ")
    let hidden =
      inspection.hiddenProcesses > 0
      ? "; \(inspection.hiddenProcesses) processes of other users could not be looked at" : ""
    return Finding(
      "processes", .ok, (users.isEmpty ? "nobody has it open" : "open in \(users)") + hidden)
  }

  private var writeLock: Finding {
    guard let writer = inspection.writer else {
      return Finding("write-lock", .ok, "free")
    }
    return writer.isStopped
      ? Finding(
        "write-lock", .fail, "held by \(Checkup.readable(writer)): everybody waits for it",
        do: "kill -CONT \(writer.pid), or kill -9 \(writer.pid): its transaction is then undone")
      : Finding("write-lock", .ok, "held at this moment by \(Checkup.readable(writer))")
  }

  private var queues: Finding {
    guard let gates = inspection.gates else {
      return Finding(
        "queues", .note, "this machine has no semaphores for them: who waits is served by chance",
        do: "raise kernel.sem, if it is used up (ipcs -s)")
    }
    guard !gates.isEmpty else {
      return Finding("queues", .note, "they are the owner's of the ledger: not seen by this user")
    }
    let words = gates.map { gate in
      "\(gate.name) " + (gate.holder.map { "at \(Checkup.readable($0))" } ?? "open")
        + (gate.waiting > 0 ? ", \(gate.waiting) waiting" : "")
    }.joined(separator: "; ")
    let stopped = gates.compactMap(\.holder).first { $0.isStopped }
    return Finding(
      "queues", stopped == nil ? .ok : .warn, words,
      do: stopped.map { "kill -CONT \($0.pid), or end it; until then others go past it" })
  }

  private static func readable(_ process: Inspection.User) -> String {
    let command = String(process.command.prefix(48))
    return "\(process.pid)\(process.isStopped ? ", stopped" : "")"
      + (command.isEmpty ? "" : " (\(command))")
  }

  static func size(_ bytes: Int64) -> String {
    if bytes < 10 << 10 { return "\(bytes) bytes" }
    if bytes < 10 << 20 { return "\(bytes >> 10) KiB" }
    return bytes < 10 << 30 ? "\(bytes >> 20) MiB" : "\(bytes >> 30) GiB"
  }
}
