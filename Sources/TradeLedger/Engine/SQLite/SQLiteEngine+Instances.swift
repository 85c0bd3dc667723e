internal import SQLite

extension SQLiteEngine {
  nonisolated func acquire(
    _ candidate: InstanceCandidate, _ processes: any ProcessTable, wait: WaitLimit
  ) async throws(LedgerError) -> InstanceAcquisition {
    try await acquireHere(candidate, processes, wait: wait)
  }

  nonisolated func renew(
    _ claim: InstanceClaim, _ heartbeat: Heartbeat?, _ processes: any ProcessTable, wait: WaitLimit
  ) async throws(LedgerError) -> InstanceLoss? {
    try await renewHere(claim, heartbeat, processes, wait: wait)
  }

  nonisolated func release(
    _ claim: InstanceClaim, wait: WaitLimit
  ) async throws(LedgerError) -> Bool {
    try await releaseHere(claim, wait: wait)
  }

  private func acquireHere(
    _ candidate: InstanceCandidate, _ processes: any ProcessTable, wait: WaitLimit
  ) throws(LedgerError) -> InstanceAcquisition {
    try checkUsable(forWriting: true)
    // A holder that the last committed state has, and that lives, is a "no" without the lock.
    state.database.connection.startWait(wait.remaining)
    let seen = try SQLiteEngine.instance(candidate.name, state.database)
    if let denial = SQLiteEngine.denial(seen, candidate.identity, processes, clock.now()) {
      return .denied(denial)
    }
    return try write(
      wait: wait,
      isThere: { (database, taken: InstanceAcquisition) throws(LedgerError) in
        guard case .taken(let claim) = taken else { return true }
        let stored = try SQLiteEngine.instance(candidate.name, database)
        return stored?.claim == claim && stored?.holder?.identity == candidate.identity
      },
      { (database, now) throws(LedgerError) in
        try SQLiteEngine.take(candidate, processes, database, now)
      })
  }

  /// Under the lock: looks again, takes the name, and reads back what was taken.
  private static func take(
    _ candidate: InstanceCandidate, _ processes: any ProcessTable, _ database: LedgerDatabase,
    _ now: ClockReading
  ) throws(LedgerError) -> TransactionDecision<InstanceAcquisition> {
    let stored = try instance(candidate.name, database)
    if let denial = denial(stored, candidate.identity, processes, now) {
      return .rollback(.denied(denial))
    }
    let holder = InstanceHolder(
      pid: candidate.identity.pid, bootID: candidate.identity.bootID,
      identity: candidate.identity, host: candidate.host, command: candidate.command,
      since: now.wall, heartbeatUntil: try heartbeatEnd(candidate.heartbeat, processes, now))
    try database.run(
      stored == nil ? Statements.insertInstance : Statements.takeInstance,
      [.text(candidate.name.description)] + holder.values)
    let expected = StoredInstance(
      name: candidate.name, epoch: Epoch((stored?.epoch.value ?? 0) &+ 1), holder: holder)
    guard try instance(candidate.name, database) == expected else {
      throw .bug("instance \(candidate.name) does not read back as it was taken")
    }
    return .commit(.taken(expected.claim))
  }

  /// Why the name cannot be had; nil where it is free, or its holder is proven dead.
  private static func denial(
    _ stored: StoredInstance?, _ observer: ProcessIdentity, _ processes: any ProcessTable,
    _ now: ClockReading
  ) -> Denial? {
    guard let stored, let holder = stored.holder else { return nil }
    var retryAfter: Duration?
    switch judge(holder, observer, processes, now) {
    case .dead: return nil
    case .alive: break
    case .unseen(let remaining): retryAfter = remaining
    }
    return Denial(.held, holder: Denial.Holder(stored.claim, holder), retryAfter: retryAfter)
  }

  static func judge(
    _ holder: InstanceHolder, _ observer: ProcessIdentity, _ processes: any ProcessTable,
    _ now: ClockReading
  ) -> HolderState {
    HolderRule.judge(
      holder, from: observer, sighting: processes.sighting(of: holder.pid),
      machineTime: machineTime(processes, now))
  }

  /// Microseconds of the machine's boot clock, the same in all of its time namespaces.
  private static func machineTime(_ processes: any ProcessTable, _ now: ClockReading) -> Int64? {
    guard let boot = now.boot, let offset = processes.bootClockOffset else { return nil }
    return boot.microseconds - offset
  }

  private static func heartbeatEnd(
    _ heartbeat: Heartbeat?, _ processes: any ProcessTable, _ now: ClockReading
  ) throws(LedgerError) -> Int64? {
    guard let heartbeat else { return nil }
    guard let machineTime = machineTime(processes, now) else {
      throw LedgerError(
        .configuration, "a heartbeat needs the boot clock, which this machine does not tell",
        hint: "mount /proc, or take the name without a heartbeat")
    }
    return machineTime + heartbeat.lease.wholeMicroseconds
  }

  private func renewHere(
    _ claim: InstanceClaim, _ heartbeat: Heartbeat?, _ processes: any ProcessTable, wait: WaitLimit
  ) throws(LedgerError) -> InstanceLoss? {
    guard let heartbeat else {
      let stored = try read(wait: wait, isForGood: false) { (database, _) throws(LedgerError) in
        try SQLiteEngine.instance(claim.name, database)
      }
      try state.watch.expectUnmoved()
      return StoredInstance.loss(of: claim, stored)
    }
    return try write(
      wait: wait,
      // A heartbeat that may not have been written is made again.
      isThere: { (_, _: InstanceLoss?) throws(LedgerError) in false },
      { (database, now) throws(LedgerError) in
        let stored = try SQLiteEngine.instance(claim.name, database)
        if let loss = StoredInstance.loss(of: claim, stored) { return .rollback(loss) }
        let end = try SQLiteEngine.heartbeatEnd(heartbeat, processes, now)
        try database.run(
          Statements.renewInstance,
          [.text(claim.name.description), .integer(claim.epoch.value), .integer(end)])
        return .commit(nil)
      })
  }

  private func releaseHere(_ claim: InstanceClaim, wait: WaitLimit) throws(LedgerError) -> Bool {
    try write(
      wait: wait,
      isThere: { (database, _: Bool) throws(LedgerError) in
        let stored = try SQLiteEngine.instance(claim.name, database)
        return stored?.claim != claim || stored?.holder == nil
      },
      { (database, _) throws(LedgerError) in
        let stored = try SQLiteEngine.instance(claim.name, database)
        guard StoredInstance.loss(of: claim, stored) == nil else { return .rollback(false) }
        try database.run(
          Statements.releaseInstance,
          [.text(claim.name.description), .integer(claim.epoch.value)])
        return .commit(true)
      })
  }

  func evict(_ name: InstanceName, wait: WaitLimit) throws(LedgerError) -> InstanceEviction {
    try write(
      wait: wait,
      isThere: { (database, outcome: InstanceEviction) throws(LedgerError) in
        guard case .evicted(_, let claim) = outcome else { return true }
        return try SQLiteEngine.instance(name, database)?.claim == claim
      },
      { (database, _) throws(LedgerError) in
        guard let stored = try SQLiteEngine.instance(name, database) else {
          throw .noSuchInstance(name, database.path)
        }
        guard let holder = stored.holder else { return .rollback(.free(stored.claim)) }
        try database.run(Statements.evictInstance, [.text(name.description)])
        let claim = InstanceClaim(name: name, epoch: Epoch(stored.epoch.value &+ 1))
        return .commit(.evicted(holder, claim))
      })
  }

  func instances(
    _ processes: any ProcessTable, wait: WaitLimit
  ) throws(LedgerError) -> [Instance] {
    let (stored, now) = try read(wait: wait) { (database, now) throws(LedgerError) in
      (try database.rows(Statements.instances, [], InstanceRow.read), now)
    }
    let observer = processes.identity(of: nil)
    return stored.map { stored in
      Instance(
        name: stored.name, epoch: stored.epoch, holder: stored.holder,
        state: stored.holder.map { holder in
          observer.map { SQLiteEngine.judge(holder, $0, processes, now) }
            ?? .unseen(remaining: nil)
        })
    }
  }

  private static func instance(
    _ name: InstanceName, _ database: LedgerDatabase
  ) throws(LedgerError) -> StoredInstance? {
    try database.first(
      Statements.instance, [.text(name.description)], InstanceRow.read)
  }
}
