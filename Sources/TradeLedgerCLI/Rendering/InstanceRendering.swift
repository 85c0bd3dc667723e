internal import TradeLedger

extension JSON {
  static func instance(_ instance: Instance) -> JSON {
    [
      "name": .text(instance.name), "epoch": .int(instance.epoch.value),
      "state": .string(instance.stateName), "proof": .text(instance.proof?.rawValue),
      "silent_after_us": .number(instance.remaining?.wholeMicroseconds),
      "holder": instance.holder.map { .holder($0) } ?? .null,
    ]
  }

  private static func holder(_ holder: InstanceHolder) -> JSON {
    [
      "pid": .int(Int64(holder.pid)), "host": .text(holder.host), "since": .text(holder.since),
      "command": .text(holder.command), "boot_id": .text(holder.bootID),
      "pid_namespace": .number(holder.identity?.pidNamespace),
      "time_namespace": .number(holder.identity?.timeNamespace),
      "start_ticks": .number(holder.identity?.startTicks),
    ]
  }

  static func eviction(_ eviction: InstanceEviction) -> JSON {
    let outcome: String
    let holder: JSON
    switch eviction {
    case .evicted(let evicted, _): (outcome, holder) = ("evicted", .holder(evicted))
    case .free: (outcome, holder) = ("free", .null)
    }
    return [
      "schema": "tradeledger.eviction/1", "outcome": .string(outcome),
      "name": .text(eviction.claim.name), "epoch": .int(eviction.claim.epoch.value),
      "holder": holder,
    ]
  }

  /// What `guard --supervise` says when it has ended its command.
  static func instanceLoss(_ name: String, _ holder: InstanceHolder?) -> JSON {
    [
      "schema": "tradeledger.instance_lost/1", "name": .string(name),
      "reason": .string(holder == nil ? "evicted" : "taken_over"),
      "holder": holder.map { .holder($0) } ?? .null,
    ]
  }
}

extension InstanceEviction {
  fileprivate var claim: InstanceClaim {
    switch self {
    case .evicted(_, let claim), .free(let claim): claim
    }
  }
}

extension Instance {
  /// `free`, `alive`, `dead` or `unseen`.
  var stateName: String {
    switch state {
    case nil: "free"
    case .alive: "alive"
    case .dead: "dead"
    case .unseen: "unseen"
    }
  }

  fileprivate var proof: ProofOfDeath? {
    if case .dead(let proof) = state { proof } else { nil }
  }

  fileprivate var remaining: Duration? {
    if case .unseen(let remaining) = state { remaining } else { nil }
  }

  fileprivate var readableState: String {
    if let proof { return "dead (\(proof.rawValue))" }
    if let remaining { return "unseen (\(remaining.readable))" }
    return stateName
  }
}

extension InstanceHolder {
  /// `process 4711 on host since ...: python3 main.py`.
  var readable: String { readableHolder(pid, host, since, command) }
}

extension Denial.Holder {
  var readable: String { pid.map { readableHolder($0, host, since, command) } ?? "nobody" }
}

private func readableHolder(
  _ pid: Int32, _ host: String?, _ since: Timestamp?, _ command: String?
) -> String {
  "process \(pid)" + (host.map { " on \($0)" } ?? "") + (since.map { " since \($0)" } ?? "")
    + (command.map { ": \($0)" } ?? "")
}

extension Table {
  static func instances(_ instances: [Instance]) -> Table {
    var table = Table("INSTANCE", "EPOCH", "STATE", "PID", "HOST", "SINCE", "COMMAND")
    for instance in instances {
      let holder = instance.holder
      table.add(
        instance.name.description, instance.epoch.description, instance.readableState,
        holder.map { String($0.pid) } ?? "-", holder?.host ?? "-",
        holder?.since?.description ?? "-", holder?.command ?? "-")
    }
    return table
  }
}

extension Lines {
  static func eviction(_ eviction: InstanceEviction) -> String {
    var lines = Lines()
    switch eviction {
    case .evicted(let holder, let claim):
      lines.add("outcome", "evicted")
      lines.add("instance", claim.name)
      lines.add("epoch", claim.epoch)
      lines.add("was held by", holder.readable)
    case .free(let claim):
      lines.add("outcome", "free")
      lines.add("instance", claim.name)
      lines.add("epoch", claim.epoch)
    }
    return lines.text
  }
}
