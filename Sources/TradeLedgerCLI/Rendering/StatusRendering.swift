internal import TradeLedger

extension JSON {
  static func bot(_ bot: Bot) -> JSON {
    [
      "name": .text(bot.name), "cooldown_us": .int(bot.settings.cooldown.wholeMicroseconds),
      "lease_us": .int(bot.settings.lease.wholeMicroseconds),
      "in_doubt": .string(bot.settings.inDoubt.rawValue),
      "enabled": .bool(bot.settings.isEnabled),
    ]
  }

  static func botAnswer(_ outcome: String, _ bot: Bot) -> JSON {
    ["schema": "tradeledger.bot/1", "outcome": .string(outcome), "bot": .bot(bot)]
  }

  static func status(_ status: LedgerStatus) -> JSON {
    [
      "schema": "tradeledger.status/1", "path": .string(status.path),
      "mode": .string(status.mode.rawValue), "read_at": .text(status.readAt),
      "needs_attention": .bool(status.needsAttention), "trades": .int(Int64(status.trades)),
      "conflicts": .int(Int64(status.conflicts)), "wal_bytes": .int(status.walBytes),
      "sqlite_version": .string(status.sqliteVersion),
      "server_version": .text(status.serverVersion),
      "bots": .array(status.bots.map { .botStatus($0) }),
    ]
  }

  private static func botStatus(_ status: BotStatus) -> JSON {
    [
      "bot": .bot(status.bot), "state": .string(status.state),
      "retry_after_us": .number(status.denial?.retryAfter?.wholeMicroseconds),
      "clock_behind_us": .number(status.denial?.clockBehind?.wholeMicroseconds),
      "pending": status.pending.map { .trade($0) } ?? .null,
      "in_doubt": .array(status.inDoubt.map { .trade($0) }),
      "last_trade_at": .text(status.lastTradeAt),
    ]
  }
}

extension BotStatus {
  /// Why a reserve would be refused; nil where it would be admitted.
  var denial: Denial? {
    if case .denied(let denial) = check { denial } else { nil }
  }

  /// `ready`, or the reason of the denial.
  var state: String { denial?.reason.rawValue ?? "ready" }
}

extension Table {
  static func bots(_ bots: [Bot]) -> Table {
    var table = Table("BOT", "COOLDOWN", "LEASE", "IN DOUBT", "ENABLED")
    for bot in bots {
      table.add(
        bot.name.description, bot.settings.cooldown.readable, bot.settings.lease.readable,
        bot.settings.inDoubt.rawValue, bot.settings.isEnabled ? "yes" : "no")
    }
    return table
  }

  static func status(_ bots: [BotStatus]) -> Table {
    var table = Table("BOT", "STATE", "WAIT", "PENDING", "IN DOUBT", "LAST TRADE", "COOLDOWN")
    for status in bots {
      let doubts = status.inDoubt.map(\.id.description).joined(separator: ",")
      table.add(
        status.bot.name.description, status.state, status.denial?.retryAfter?.readable ?? "-",
        status.pending?.id.description ?? "-", doubts.isEmpty ? "-" : doubts,
        status.lastTradeAt?.description ?? "-", status.bot.settings.cooldown.readable)
    }
    return table
  }
}

extension Lines {
  static func bot(_ outcome: String, _ bot: Bot) -> String {
    var lines = Lines()
    lines.add("outcome", outcome)
    lines.add("bot", bot.name)
    lines.add("cooldown", bot.settings.cooldown.readable)
    lines.add("lease", bot.settings.lease.readable)
    lines.add("in doubt", bot.settings.inDoubt.rawValue)
    lines.add("enabled", bot.settings.isEnabled ? "yes" : "no")
    return lines.text
  }

  static func status(_ status: LedgerStatus) -> String {
    var lines = Lines()
    lines.add("ledger", status.path)
    lines.add("mode", status.mode.rawValue)
    lines.add("trades", status.trades)
    lines.add("conflicts", status.conflicts)
    if let version = status.serverVersion {
      lines.add("server", "PostgreSQL " + version)
    } else {
      lines.add("wal", "\(status.walBytes) bytes")
    }
    return lines.text
  }
}
