internal import LedgerReport
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

extension JSON {
  static func restoration(_ restoration: Restoration) -> JSON {
    [
      "schema": "tradeledger.restore/1", "outcome": "restored",
      "path": .string(restoration.path), "backup": .string(restoration.backup),
      "replaced": .text(restoration.replaced), "mode": .string(restoration.mode.rawValue),
      "restored_at": .text(restoration.restoredAt),
      "longest_wait_us": .int(restoration.longestWait.wholeMicroseconds),
      "trades": .int(Int64(restoration.status.trades)),
      "replaced_trades": .number(restoration.replacedTrades),
      "unsettled": .array(restoration.unsettled.map { .trade($0) }),
      "epochs": .array(
        restoration.epochs.sorted { $0.key < $1.key }.map {
          ["name": .string($0.key), "epoch": .int($0.value)]
        }),
      "leftovers": .array(restoration.leftovers.map { .string($0) }),
    ]
  }
}

extension Lines {
  static func restoration(_ restoration: Restoration) -> String {
    var lines = Lines()
    lines.add("outcome", "restored")
    lines.add("ledger", restoration.path)
    lines.add("from", restoration.backup)
    lines.add("replaced ledger kept at", restoration.replaced)
    lines.add("restored at", restoration.restoredAt)
    lines.add("bots wait until", restoration.restoredAt.advanced(by: restoration.longestWait))
    lines.add("trades", restoration.status.trades)
    lines.add("trades in the replaced ledger", restoration.replacedTrades)
    for trade in restoration.unsettled {
      lines.add("unsettled", "trade \(trade.id) of \(trade.bot), key \(trade.key)")
    }
    for (name, epoch) in restoration.epochs.sorted(by: { $0.key < $1.key }) {
      lines.add("instance", "\(name), epoch \(epoch)")
    }
    return lines.text
  }
}

extension Restoration {
  /// The longest cooldown of all bots.
  fileprivate var longestWait: Duration {
    status.bots.map(\.bot.settings.cooldown).max() ?? .zero
  }

  /// Trades without an outcome in the backup.
  fileprivate var unsettled: [Trade] {
    status.bots.flatMap { ($0.pending.map { [$0] } ?? []) + $0.inDoubt }
  }

  /// What to do before the bots are started again.
  var advice: String {
    let lost = replacedTrades.map { max(0, $0 - status.trades) } ?? 0
    guard let replaced else { return "look up at the exchange what was traded since the backup" }
    return lost == 0
      ? "'tradeledger trades --db \(replaced)' has what the backup may lack"
      : "\(counted(lost, "trade")) of the replaced ledger alone: "
        + "'tradeledger trades --db \(replaced)'; "
        + "enter them with 'tradeledger record BOT ... --filled-at'"
  }
}
