internal import ArgumentParser
internal import TradeLedger

struct Doctor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Examine the ledger file and where it lies.",
    discussion: """
      Reads every page. Exit 65 where the file is damaged.

      Examples:
        tradeledger doctor
        tradeledger doctor --json
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let diagnosis = try await global.withLedger(.readOnly) { try await $0.diagnosis() }
    let notes = Doctor.notes(diagnosis)
    if global.json {
      try Console.out(Doctor.json(diagnosis, notes))
    } else {
      try Console.out(Doctor.lines(diagnosis, notes))
    }
    guard diagnosis.integrity == "ok" else {
      // The answer is on stdout already, so this is not an error object.
      global.hint("copy the file away, then restore a backup")
      throw ExitStatus.badData
    }
  }

  private static func json(_ diagnosis: Diagnosis, _ notes: [String]) -> JSON {
    [
      "schema": "tradeledger.doctor/1", "path": .string(diagnosis.path),
      "mode": .string(diagnosis.mode.rawValue), "file_system": .string(diagnosis.fileSystem),
      "integrity": .string(diagnosis.integrity),
      "schema_version": .int(Int64(diagnosis.schemaVersion)),
      "sqlite_version": .string(diagnosis.sqliteVersion), "wal_bytes": .int(diagnosis.walBytes),
      "lock_holders": .array(diagnosis.lockHolders.map { .string($0) }),
      "wall_clock": .text(diagnosis.clock.wall), "boot_id": .text(diagnosis.clock.boot?.bootID),
      "boot_us": .number(diagnosis.clock.boot?.microseconds),
      "notes": .array(notes.map { .string($0) }),
    ]
  }

  private static func lines(_ diagnosis: Diagnosis, _ notes: [String]) -> String {
    var lines = Lines()
    lines.add("ledger", diagnosis.path)
    lines.add("mode", diagnosis.mode.rawValue)
    lines.add("integrity", diagnosis.integrity)
    lines.add("schema version", diagnosis.schemaVersion)
    lines.add("file system", diagnosis.fileSystem)
    lines.add("sqlite", diagnosis.sqliteVersion)
    lines.add("wal", "\(diagnosis.walBytes) bytes")
    for holder in diagnosis.lockHolders { lines.add("lock", holder) }
    lines.add("wall clock", diagnosis.clock.wall)
    lines.add("boot clock", diagnosis.clock.boot.map { "\($0.microseconds) us of \($0.bootID)" })
    for note in notes { lines.add("note", note) }
    return lines.text
  }

  /// What is not wrong but worth knowing.
  private static func notes(_ diagnosis: Diagnosis) -> [String] {
    var notes: [String] = []
    if hasCheckpointRace(diagnosis.sqliteVersion) {
      notes.append(
        "SQLite \(diagnosis.sqliteVersion) can corrupt a WAL when two checkpoints race. The ledger "
          + "avoids that: it makes its own checkpoints while it holds the write lock")
    }
    if environment("LD_PRELOAD") != nil {
      notes.append("LD_PRELOAD is set: a library may change what the clocks and files say")
    }
    if diagnosis.clock.boot == nil {
      notes.append("this machine does not tell its boot: the wall clock alone is used")
    }
    return notes
  }

  /// Before 3.51.3, apart from the repaired 3.50.7 and 3.44.6.
  private static func hasCheckpointRace(_ version: String) -> Bool {
    let parts = version.split(separator: ".").map { Int($0) ?? 0 }
    guard parts.count >= 3 else { return false }
    switch (parts[0], parts[1]) {
    case (3, 44): return parts[2] < 6
    case (3, 50): return parts[2] < 7
    case (3, 51): return parts[2] < 3
    default: return parts[0] < 3 || (parts[0] == 3 && parts[1] < 51)
    }
  }
}
