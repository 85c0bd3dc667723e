internal import TradeLedger

extension JSON {
  static func denial(_ denial: Denial) -> JSON {
    [
      "schema": "tradeledger.denial/1", "outcome": "denied",
      "reason": .string(denial.reason.rawValue), "transient": .bool(denial.isTransient),
      "retry_after_us": .number(denial.retryAfter?.wholeMicroseconds),
      "winner": denial.winner.map { .trade($0) } ?? .null,
      "holder": denial.holder.map { .holder($0) } ?? .null,
      "clock_behind_us": .number(denial.clockBehind?.wholeMicroseconds),
      "restored_at": .text(denial.restoredAt),
    ]
  }

  private static func holder(_ holder: Denial.Holder) -> JSON {
    [
      "pid": .number(holder.pid), "instance": .text(holder.instance?.name),
      "epoch": .number(holder.instance?.epoch.value), "host": .text(holder.host),
      "since": .text(holder.since), "command": .text(holder.command),
    ]
  }
}

extension Lines {
  static func denial(_ denial: Denial) -> String {
    var lines = Lines()
    lines.add("outcome", "denied")
    lines.add(
      "reason",
      denial.restoredAt == nil
        ? denial.reason.readable : "cooldown (the ledger was restored too recently)")
    if let winner = denial.winner {
      lines.add("because of trade", winner.id)
      lines.add("key", winner.key)
      lines.add("status", winner.status.readable)
      lines.add("created at", winner.createdAt)
      lines.add("filled at", winner.filledAt)
      lines.add("lease until", winner.status == .pending ? winner.leaseUntil : nil)
    }
    lines.add("holder pid", denial.holder?.pid)
    lines.add(
      "holder instance", denial.holder?.instance.map { "\($0.name), epoch \($0.epoch)" })
    lines.add("holder host", denial.holder?.host)
    lines.add("holder since", denial.holder?.since)
    lines.add("holder command", denial.holder?.command)
    lines.add("ledger restored at", denial.restoredAt)
    lines.add("retry after", denial.retryAfter?.readable)
    lines.add("clock behind", denial.clockBehind?.readable)
    return lines.text
  }
}

extension Denial.Reason {
  var readable: String {
    switch self {
    case .superseded: "superseded (the instance has a newer epoch)"
    case .keyConflict: "key_conflict (the key names another order)"
    case .disabled: "disabled (the bot may not trade)"
    case .inProgress: "in_progress (a trade of the bot is pending)"
    case .inDoubt: "in_doubt (a trade of the bot is in doubt and its policy is to block)"
    case .cooldown: "cooldown (the last trade is too recent)"
    case .alreadySettled: "already_settled (the trade has another outcome)"
    case .wrongToken: "wrong_token (the token is not the permit's)"
    case .held: "held (another process has the name)"
    }
  }
}

extension Denial {
  /// What to do about it.
  var advice: String {
    switch reason {
    case .superseded: "stop: another process acts under this name now"
    case .keyConflict: "use a new key for a new order"
    case .disabled: "'tradeledger bot enable NAME' lets it trade again"
    case .inProgress, .cooldown:
      retryAfter.map { "ask again in \($0.readable)" } ?? "ask again later"
    case .inDoubt:
      "look key \(winner?.key.description ?? "-") up at the exchange, then "
        + "'tradeledger resolve \(winner?.id.description ?? "TRADE") --filled' or '--void'"
    case .alreadySettled: "the outcome that stands is final; 'tradeledger trade show' has it"
    case .wrongToken: "only the permit's holder settles; an operator uses 'tradeledger resolve'"
    case .held:
      retryAfter.map { "it cannot be looked at from here: silent for \($0.readable), it is over" }
        ?? "wait for it to end (--wait), or 'tradeledger instances evict NAME'"
    }
  }
}
