internal import TradeLedger

extension History {
  static let schemaName = "tradeledger.history/"
  static let version = "2"

  /// The whole file.
  func bytes() -> [UInt8] {
    var output: [UInt8] = []
    var count: Int64 = 0
    func put(_ object: FlatObject) {
      object.write(to: &output)
      output.append(0x0a)
      count += 1
    }
    put(header)
    for (worker, kills) in kills.enumerated() {
      put(
        .line("worker") {
          $0.add("worker", Int64(worker))
          $0.add("kills", Int64(kills))
        })
    }
    for failure in failures { put(.line("failure") { $0.add("what", failure) }) }
    for bot in evidence.bots { put(bot.line) }
    for call in evidence.calls { put(call.line) }
    for row in evidence.rows { put(row.line) }
    for tenure in evidence.tenures { put(tenure.line) }
    for conflict in evidence.conflicts { put(conflict.line) }
    for order in evidence.orders { put(order.line) }
    for jump in evidence.clockJumps { put(jump.line) }
    for strike in evidence.strikes { put(strike.line) }
    put(.line("end") { $0.add("lines", count) })
    return output
  }

  private var header: FlatObject {
    var object = FlatObject()
    object.add("schema", History.schemaName + History.version)
    object.add("strategy", options.strategy.rawValue)
    object.add("order_of_each_bot", evidence.isSerial ? nil : 1)
    object.add("workers", Int64(options.workers))
    object.add("bots", Int64(options.bots))
    object.add("instances", options.instances.map { Int64($0) })
    object.add("duration_us", options.duration.wholeMicroseconds)
    object.add("cooldown_us", options.cooldown.wholeMicroseconds)
    object.add("exchange_fastest_us", options.exchangeLatency.lowerBound.wholeMicroseconds)
    object.add("exchange_slowest_us", options.exchangeLatency.upperBound.wholeMicroseconds)
    object.add("failures_per_million", Int64(options.failuresPerMillion))
    object.add("exchange_careless", Int64(options.isExchangeCareless ? 1 : 0))
    object.add("chaos", options.chaos.map(\.rawValue).sorted().joined(separator: ","))
    object.add("seed", Int64(options.seed))
    object.add("lock_wait_us", options.lockWait.wholeMicroseconds)
    object.add("elapsed_us", elapsed.wholeMicroseconds)
    object.add("interruption", interruption.map { Int64($0) })
    object.add("pauses", Int64(faults.pauses))
    object.add("cleanups", Int64(faults.cleanups))
    object.add("files_deleted", Int64(faults.filesDeleted))
    object.add("busy_errors", Int64(faults.busyErrors))
    object.add("late_fills", Int64(faults.lateFills))
    object.add("locked_out_us", faults.lockedOut)
    return object
  }
}

extension FlatObject {
  fileprivate static func line(
    _ kind: String, _ fill: (inout FlatObject) -> Void
  ) -> FlatObject {
    var object = FlatObject()
    object.add("line", kind)
    fill(&object)
    return object
  }

  fileprivate mutating func add(_ name: String, _ moment: Moment?) {
    add(name + "_at_us", moment?.wall)
    add(name + "_boot_us", moment?.boot)
  }
}

extension BotTerms {
  fileprivate var line: FlatObject {
    .line("bot") { object in
      object.add("bot", name)
      object.add("cooldown_us", cooldown)
      object.add("lease_us", lease)
      object.add("blocks", Int64(blocks ? 1 : 0))
      object.add("enabled", Int64(isEnabled ? 1 : 0))
    }
  }
}

extension Call {
  fileprivate var line: FlatObject {
    .line("call") { object in
      object.add("worker", Int64(worker))
      object.add("pid", Int64(pid))
      object.add("bot", bot)
      object.add("key", key)
      object.add("called", called)
      object.add("ordered", ordered)
      object.add("trade", trade)
      object.add("told", told)
      object.add("answer", answer?.text)
    }
  }
}

extension TradeRow {
  fileprivate var line: FlatObject {
    .line("row") { object in
      object.add("id", id)
      object.add("bot", bot)
      object.add("key", key)
      object.add("status", status.rawValue)
      object.add("created_at_us", createdAt)
      object.add("created_boot_us", createdBoot)
      object.add("filled_at_us", filledAt)
      object.add("filled_boot_us", filledBoot)
      object.add("received_at_us", receivedAt)
      object.add("received_boot_us", receivedBoot)
      object.add("cooldown_us", cooldown)
      object.add("lease_until_us", leaseUntil)
      object.add("pid", pid.map { Int64($0) })
      object.add("settled_by", settledBy?.rawValue)
      object.add("instance", instance)
      object.add("epoch", epoch)
    }
  }
}

extension Tenure {
  fileprivate var line: FlatObject {
    .line("tenure") { object in
      object.add("worker", Int64(worker))
      object.add("pid", Int64(pid))
      object.add("name", name)
      object.add("asked", asked)
      object.add("told", told)
      object.add("answer", answer?.text)
      object.add("leaving", leaving)
      object.add("left", left)
      object.add("killed_boot_us", killed)
      object.add("gone_boot_us", gone)
    }
  }
}

extension ConflictRow {
  fileprivate var line: FlatObject {
    .line("conflict") { object in
      object.add("bot", bot)
      object.add("trade", trade)
    }
  }
}

extension ExchangeOrder {
  fileprivate var line: FlatObject {
    .line("order") { object in
      object.add("key", key)
      object.add("bot", bot)
      object.add("pid", Int64(pid))
      object.add("decision", decision.text)
      object.add("decided", at)
    }
  }
}

extension ClockJump {
  fileprivate var line: FlatObject {
    .line("jump") { object in
      object.add("from_boot_us", from)
      object.add("to_boot_us", to)
      object.add("offset_us", offset)
    }
  }
}

extension Strike {
  fileprivate var line: FlatObject {
    .line("strike") { object in
      object.add("kind", kind.rawValue)
      object.add("worker", Int64(worker))
      object.add("pid", Int64(pid))
      object.add("boot_us", at)
    }
  }
}
