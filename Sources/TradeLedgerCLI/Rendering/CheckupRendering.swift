internal import TradeLedger

extension JSON {
  static func checkup(_ checkup: Checkup, _ findings: [Finding]) -> JSON {
    let opened = try? checkup.opened.get()
    let diagnosis = opened?.diagnosis
    let inspection = checkup.inspection
    return [
      "schema": "tradeledger.doctor/1",
      "verdict": .string(findings.allSatisfy(\.isHealthy) ? "healthy" : "findings"),
      "path": .string(inspection.path), "mode": .text(diagnosis?.mode.rawValue),
      "file_system": .string(inspection.fileSystem), "integrity": .text(diagnosis?.integrity),
      "schema_version": .number(diagnosis?.schemaVersion),
      "sqlite_version": .string(Ledger.sqliteVersion),
      "wal_bytes": .int(inspection.files.first { $0.name.hasSuffix("-wal") }?.bytes ?? 0),
      "free_bytes": .number(inspection.freeBytes),
      "open_in": .array(inspection.users.map { .process($0) }),
      "log_readers": .array(inspection.logReaders.map { .process($0) }),
      "lock_holders": .array((diagnosis?.lockHolders ?? []).map { .string($0) }),
      "wall_clock": .text(diagnosis?.clock.wall), "boot_id": .text(diagnosis?.clock.boot?.bootID),
      "boot_us": .number(diagnosis?.clock.boot?.microseconds),
      "checks": checks(findings),
    ]
  }

  static func checkup(_ checkup: ServerCheckup, _ findings: [Finding]) -> JSON {
    let diagnosis = (try? checkup.opened.get())?.diagnosis
    return [
      "schema": "tradeledger.doctor/1",
      "verdict": .string(findings.allSatisfy(\.isHealthy) ? "healthy" : "findings"),
      "path": .string(checkup.name), "mode": .text(diagnosis?.mode.rawValue),
      "schema_version": .number(diagnosis?.schemaVersion),
      "server_version": .text(diagnosis?.server?.version),
      "encryption": .text(diagnosis?.server?.encryption),
      "role": .text(diagnosis?.server?.role), "wall_clock": .text(diagnosis?.clock.wall),
      "checks": checks(findings),
    ]
  }

  private static func checks(_ findings: [Finding]) -> JSON {
    .array(
      findings.map { finding in
        [
          "check": .string(finding.check), "status": .string(finding.grade.rawValue),
          "message": .string(finding.message), "advice": .text(finding.advice),
        ]
      })
  }

  private static func process(_ process: Inspection.User) -> JSON {
    [
      "pid": .int(Int64(process.pid)), "command": .string(process.command),
      "stopped": .bool(process.isStopped),
    ]
  }
}

extension Lines {
  /// A line for each check, what is wrong with what to do beneath it, the verdict at the end.
  static func findings(_ findings: [Finding], _ colors: Colors) -> String {
    let width = findings.map(\.check.count).max() ?? 0
    var text = ""
    for finding in findings {
      let word = finding.grade.rawValue
      let grade = word + String(repeating: " ", count: 4 - word.count)
      let painted =
        switch finding.grade {
        case .ok: colors.good(grade)
        case .note: colors.strong(grade)
        case .warn, .fail: colors.bad(grade)
        }
      let blanks = String(repeating: " ", count: width - finding.check.count)
      text +=
        "\(painted)  \(finding.check)\(blanks)  "
        + folded(escaped(finding.message), indent: width + 8) + "\n"
      if let advice = finding.advice {
        text +=
          String(repeating: " ", count: width + 8)
          + folded(escaped("do: " + advice), indent: width + 8) + "\n"
      }
    }
    let wrong = findings.filter { !$0.isHealthy }.count
    return text
      + (wrong == 0
        ? colors.good("healthy") : colors.bad(wrong == 1 ? "1 finding" : "\(wrong) findings"))
      + "\n"
  }
}
