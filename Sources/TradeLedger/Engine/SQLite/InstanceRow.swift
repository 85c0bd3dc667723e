internal import SQLite

/// An instance name as it stands in the file.
struct StoredInstance: Equatable, Sendable {
  let name: InstanceName
  let epoch: Epoch
  let holder: InstanceHolder?

  var claim: InstanceClaim { InstanceClaim(name: name, epoch: epoch) }
}

/// Reads the columns of `Statements.instanceColumns`.
enum InstanceRow {
  static func read(_ row: borrowing Row) throws(SQLiteError) -> StoredInstance {
    StoredInstance(
      name: InstanceName(stored: try row.text(0)), epoch: Epoch(try row.integer(1)),
      holder: try holder(row))
  }

  private static func holder(_ row: borrowing Row) throws(SQLiteError) -> InstanceHolder? {
    guard let stored = try row.optionalInteger(2) else { return nil }
    let pid = Int32(truncatingIfNeeded: stored)
    let bootID = try row.optionalText(3)
    var identity: ProcessIdentity?
    if let bootID, pid > 0, let pidNamespace = try row.optionalInteger(4),
      let timeNamespace = try row.optionalInteger(5), let ticks = try row.optionalInteger(6)
    {
      identity = ProcessIdentity(
        bootID: bootID, pidNamespace: pidNamespace, timeNamespace: timeNamespace, pid: pid,
        startTicks: ticks)
    }
    return InstanceHolder(
      pid: pid, bootID: bootID, identity: identity, host: try row.optionalText(7),
      command: try row.optionalText(8), since: try TradeRow.instant(row, 9),
      heartbeatUntil: try row.optionalInteger(10))
  }
}

extension InstanceHolder {
  /// The parameters of `Statements.insertInstance` and `takeInstance`, after the name.
  var values: [Value] {
    [
      .text(bootID), .integer(identity?.pidNamespace), .integer(identity?.timeNamespace),
      .integer(Int64(pid)), .integer(identity?.startTicks), .text(host), .text(command),
      .integer(since?.microseconds), .integer(heartbeatUntil),
    ]
  }
}
