/// An instance name as it stands in the ledger.
struct StoredInstance: Equatable, Sendable {
  let name: InstanceName
  let epoch: Epoch
  let holder: InstanceHolder?

  var claim: InstanceClaim { InstanceClaim(name: name, epoch: epoch) }

  /// Why `claim` is no longer good; nil where it is.
  static func loss(of claim: InstanceClaim, _ stored: StoredInstance?) -> InstanceLoss? {
    if stored?.claim == claim, stored?.holder != nil { return nil }
    return stored?.holder.map { .takenOver($0) } ?? .evicted
  }
}

extension InstanceHolder {
  /// Of what stands in a row: with an identity only where all of its parts are there.
  init(
    pid: Int32, bootID: String?, pidNamespace: Int64?, timeNamespace: Int64?, startTicks: Int64?,
    host: String?, command: String?, since: Timestamp?, heartbeatUntil: Int64?
  ) {
    var identity: ProcessIdentity?
    if let bootID, pid > 0, let pidNamespace, let timeNamespace, let startTicks {
      identity = ProcessIdentity(
        bootID: bootID, pidNamespace: pidNamespace, timeNamespace: timeNamespace, pid: pid,
        startTicks: startTicks)
    }
    self.init(
      pid: pid, bootID: bootID, identity: identity, host: host, command: command, since: since,
      heartbeatUntil: heartbeatUntil)
  }
}

extension Denial.Holder {
  init(_ claim: InstanceClaim, _ holder: InstanceHolder) {
    self.init(
      pid: holder.pid, instance: claim, host: holder.host, since: holder.since,
      command: holder.command)
  }
}
