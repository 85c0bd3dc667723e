#if PostgreSQL
  internal import PostgreSQL
  internal import Synchronization

  /// Instance names across hosts. A holder that this process can look at, on the same boot of the
  /// same machine, is judged by that; every other one by its heartbeat, on the server's clock.
  extension PostgreSQLEngine {
    nonisolated var isShared: Bool { true }
    nonisolated var leaseExecutor: any TaskExecutor { names.thread }

    nonisolated func acquire(
      _ candidate: InstanceCandidate, _ processes: any ProcessTable, wait: WaitLimit
    ) async throws(LedgerError) -> InstanceAcquisition {
      try checkUsable(forWriting: true)
      return try await names.acquire(candidate, processes, wait: wait)
    }

    nonisolated func renew(
      _ claim: InstanceClaim, _ heartbeat: Heartbeat?, _: any ProcessTable, wait: WaitLimit
    ) async throws(LedgerError) -> InstanceLoss? {
      try await names.renew(claim, heartbeat, wait: wait)
    }

    nonisolated func release(
      _ claim: InstanceClaim, wait: WaitLimit
    ) async throws(LedgerError) -> Bool {
      try await names.release(claim, wait: wait)
    }

    func evict(_ name: InstanceName, wait: WaitLimit) throws(LedgerError) -> InstanceEviction {
      // Whoever has it now, and nobody who comes later: an answer that is lost is asked for again.
      let found = try read(wait: wait, ServerStatements.instance, [name.description]).rows.first
      guard let seen = try found.map({ row throws(LedgerError) in try row.instance(0) }) else {
        throw .noSuchInstance(name, path)
      }
      guard let holder = seen.holder else { return .free(seen.claim) }
      let reply = try write(wait: wait, ServerStatements.evict) {
        [name.description, $0, "\(seen.epoch)"]
      }
      let stored = try reply.answer.first().instance(3)
      // Of the same epoch still: the holder has let go by itself.
      return stored.epoch == seen.epoch ? .free(stored.claim) : .evicted(holder, stored.claim)
    }

    func instances(
      _ processes: any ProcessTable, wait: WaitLimit
    ) throws(LedgerError) -> [Instance] {
      let observer = processes.identity(of: nil)
      var found: [Instance] = []
      for row in try read(wait: wait, ServerStatements.instances, [now]).rows {
        let stored = try row.instance(1)
        let at = try row.integer(0)
        let state = stored.holder.map { holder in
          HolderRule.judge(
            holder, from: observer,
            heartbeatLeft: holder.heartbeatUntil.map { .microseconds($0) - .microseconds(at) },
            sighting: processes.sighting(of: holder.pid))
        }
        found.append(
          Instance(name: stored.name, epoch: stored.epoch, holder: stored.holder, state: state))
      }
      return found
    }
  }

  /// Takes names and keeps them, with a connection and a thread of its own: a heartbeat waits for
  /// no trade and for no long answer, and its holder learns in time that it could not renew it.
  actor ServerNames {
    nonisolated let thread = LedgerThread()
    private let session: ServerSession
    private let setup: LaneSetup
    private var isClosed = false
    /// What this process has taken, by ledger, through whichever address: a name that it is found
    /// to have is the work of a lost try only where it is none of these.
    private static let claims = Mutex<[String: Set<InstanceClaim>]>([:])

    init(_ address: Address, _ setup: LaneSetup) {
      session = ServerSession(address, setup.counter, setup.opened)
      self.setup = setup
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor {
      unsafe thread.asUnownedSerialExecutor()
    }

    func close() {
      isClosed = true
      session.disconnect()
    }

    private var now: String? { setup.givenTime.map { String($0) } }

    func acquire(
      _ candidate: InstanceCandidate, _ processes: any ProcessTable, wait: WaitLimit
    ) throws(LedgerError) -> InstanceAcquisition {
      let identity = candidate.identity
      var dead: Epoch?
      while true {
        let values: [String?] = [
          candidate.name.description, identity.bootID, "\(identity.pidNamespace)",
          "\(identity.timeNamespace)", "\(identity.pid)", "\(identity.startTicks)",
          candidate.host, candidate.command,
          candidate.heartbeat.map { "\($0.lease.wholeMicroseconds)" }, dead.map { "\($0)" },
        ]
        let reply = try ask(ServerStatements.acquire, wait: wait) { values + [$0, now] }
        let row = try reply.answer.first()
        let stored = try row.instance(3)
        if try row.text(0) == "taken" { return taken(stored.claim) }
        guard let holder = stored.holder else { throw .bug("a name is held by nobody") }
        // The answer to an earlier try was lost, and it is this process that has the name.
        if reply.isRepeated, holder.identity == identity, !has(stored.claim) {
          return taken(stored.claim)
        }
        let left = row.optionalInterval(1)
        let state = HolderRule.judge(
          holder, from: identity, heartbeatLeft: left, sighting: processes.sighting(of: holder.pid))
        if case .dead = state, dead != stored.epoch {
          // With proof: for this epoch alone, should somebody else have been faster.
          dead = stored.epoch
          continue
        }
        return .denied(
          Denial(.held, holder: Denial.Holder(stored.claim, holder), retryAfter: left))
      }
    }

    private func taken(_ claim: InstanceClaim) -> InstanceAcquisition {
      ServerNames.claims.withLock { claims in
        let others = (claims[setup.opened.key] ?? []).filter { $0.name != claim.name }
        claims[setup.opened.key] = others.union([claim])
      }
      return .taken(claim)
    }

    private func has(_ claim: InstanceClaim) -> Bool {
      ServerNames.claims.withLock { $0[setup.opened.key]?.contains(claim) ?? false }
    }

    private func forget(_ claim: InstanceClaim) {
      ServerNames.claims.withLock { _ = $0[setup.opened.key]?.remove(claim) }
    }

    /// Takes no longer than `wait`: beyond it the holder has to stop, whatever the answer. (A
    /// heartbeat that may not have been written is made again.)
    func renew(
      _ claim: InstanceClaim, _ heartbeat: Heartbeat?, wait: WaitLimit
    ) throws(LedgerError) -> InstanceLoss? {
      let values: [String?] = [
        claim.name.description, "\(claim.epoch)",
        heartbeat.map { "\($0.lease.wholeMicroseconds)" },
      ]
      let reply = try ask(ServerStatements.renew, wait: wait, isWriting: false, patience: .zero) {
        values + [$0, now]
      }
      let row = try reply.answer.first()
      guard try row.text(0) != "held" else { return nil }
      forget(claim)
      let stored = row.optionalText(3) == nil ? nil : try row.instance(3)
      return StoredInstance.loss(of: claim, stored) ?? .evicted
    }

    func release(_ claim: InstanceClaim, wait: WaitLimit) throws(LedgerError) -> Bool {
      let reply = try ask(ServerStatements.release, wait: wait) {
        [claim.name.description, "\(claim.epoch)", $0]
      }
      forget(claim)
      return try reply.answer.first().flag(0) || reply.isRepeated
    }

    private func ask(
      _ sql: String, wait: WaitLimit, isWriting: Bool = true,
      patience: Duration = ServerSession.patience, _ values: (_ wait: String) -> [String?]
    ) throws(LedgerError) -> ServerSession.Reply {
      if isClosed { throw .closed }
      return try session.ask(wait: wait, isWriting: isWriting, patience: patience) { remaining in
        Query(sql, values(TradingCall.milliseconds(remaining)))
      }
    }
  }
#endif
