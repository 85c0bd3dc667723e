internal import SQLite

/// Reads the columns of `Statements.instanceColumns`.
enum InstanceRow {
  static func read(_ row: borrowing Row) throws(SQLiteError) -> StoredInstance {
    StoredInstance(
      name: InstanceName(stored: try row.text(0)), epoch: Epoch(try row.integer(1)),
      holder: try holder(row))
  }

  private static func holder(_ row: borrowing Row) throws(SQLiteError) -> InstanceHolder? {
    guard let stored = try row.optionalInteger(2) else { return nil }
    return InstanceHolder(
      pid: Int32(truncatingIfNeeded: stored), bootID: try row.optionalText(3),
      pidNamespace: try row.optionalInteger(4), timeNamespace: try row.optionalInteger(5),
      startTicks: try row.optionalInteger(6), host: try row.optionalText(7),
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
