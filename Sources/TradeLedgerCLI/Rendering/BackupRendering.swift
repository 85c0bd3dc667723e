internal import TradeLedger

extension JSON {
  static func backup(_ backup: Backup) -> JSON {
    [
      "schema": "tradeledger.backup/1", "outcome": "backed_up", "path": .string(backup.source),
      "output": .string(backup.path), "mode": .string(backup.mode.rawValue),
      "taken_at": .text(backup.takenAt), "bytes": .int(backup.bytes),
      "trades": .int(Int64(backup.trades)), "conflicts": .int(Int64(backup.conflicts)),
      "findings": .int(Int64(backup.findings)),
    ]
  }
}

extension Lines {
  static func backup(_ backup: Backup) -> String {
    var lines = Lines()
    lines.add("outcome", "backed up and verified")
    lines.add("ledger", backup.source)
    lines.add("backup", backup.path)
    lines.add("taken at", backup.takenAt)
    lines.add("bytes", backup.bytes)
    lines.add("trades", backup.trades)
    lines.add("conflicts", backup.conflicts)
    return lines.text
  }
}
