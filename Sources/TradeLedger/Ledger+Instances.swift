internal import Logging

/// How an instance name is taken.
public struct InstanceOptions: Sendable {
  /// How long to wait while another process holds the name. Zero: not at all.
  public var wait: Duration = .zero
  /// How long processes that cannot look at the holder, in other containers, wait for it when it is
  /// silent: 100 ms to a day. nil: no heartbeat; such processes wait until it is evicted.
  public var heartbeat: Duration? = InstanceOptions.usualHeartbeat
  /// The process that is to hold the name, in this process's own PID namespace; nil: this one.
  public var process: Int32?
  /// For people, at most 256 bytes of it; nil: the command line of the process.
  public var command: String?

  /// No wait, and what a process of this kind usually needs.
  public init() {}

  /// Half a minute in a container, none elsewhere.
  public static var usualHeartbeat: Duration? { isContainer ? sharedHeartbeat : nil }
  /// Half a minute: where none is given for a ledger that other machines use.
  public static let sharedHeartbeat = Duration.seconds(30)

  /// Whether this process runs in a PID namespace of its own, so that others cannot look at it.
  public static var isContainer: Bool { SystemProcesses().isContainer }
}

/// The answer to `acquireInstance`.
public enum InstanceOutcome: Sendable {
  /// The name is this process's, until the lease is released or lost.
  case acquired(InstanceLease)
  /// With the reason `held` and the holder.
  case denied(Denial)
}

extension Ledger {
  /// Takes the instance name, so that no other process acts under it (INV-7).
  ///
  /// The name is free, or its holder is proven dead, or the answer is no. It is taken over at once
  /// from the dead, with the next epoch, which fences whatever they may still write.
  ///
  /// - Returns: `.acquired` with a lease, or `.denied` with `held` and the holder. A cancelled wait
  ///   ends with the denial that it waited on.
  /// - Throws: `busy` (safe to repeat), `outcomeUnknown` (ask again: a name that was taken by a
  ///   process that has ended is free), `configuration` where the machine does not say who a
  ///   process is, `invalidInput`, `io`, `ledgerMoved`, `schemaAltered`.
  ///
  /// **Lock**: the write lock for six statements, waited for at most `lockWait`; none for a denial.
  /// **Durability**: an answer is durable before it is given.
  /// **Complexity**: 7 statements, 1 fsync, 4 files of /proc; a denial 1 statement and 6 files.
  public func acquireInstance(
    _ name: InstanceName, _ options: InstanceOptions = InstanceOptions()
  ) async throws(LedgerError) -> InstanceOutcome {
    let candidate = try candidate(name, options)
    let deadline = ContinuousClock.now + options.wait
    while true {
      let start = ContinuousClock.now
      let answer = try await engine.acquire(
        candidate, self.options.processes, wait: WaitLimit(self.options.lockWait))
      switch answer {
      case .taken(let claim):
        self.options.logger.info(
          LogMessage.instanceAcquired,
          metadata: ["instance": "\(claim.name)", "epoch": "\(claim.epoch)"])
        return .acquired(
          InstanceLease(claim, candidate, start: start, try engine, self.options))
      case .denied(let denial):
        let rest = deadline - .now
        guard rest > .zero, (try? await Task.sleep(for: min(rest, Ledger.patience))) != nil else {
          self.options.logger.info(
            LogMessage.instanceHeld,
            metadata: [
              "instance": "\(name)", "pid": "\(denial.holder?.pid.map { String($0) } ?? "-")",
            ])
          return .denied(denial)
        }
      }
    }
  }

  /// How often a waiting process looks. A look reads one row and a few files of /proc.
  private static let patience = Duration.milliseconds(20)

  private func candidate(
    _ name: InstanceName, _ options: InstanceOptions
  ) throws(LedgerError) -> InstanceCandidate {
    let processes = self.options.processes
    // Without one, other machines could tell only by an operator's word that the holder is gone.
    let heartbeat = options.heartbeat ?? (isShared ? InstanceOptions.sharedHeartbeat : nil)
    guard let identity = processes.identity(of: options.process) else {
      throw LedgerError(
        .configuration, "the machine does not say which process this is",
        hint: "mount the /proc of this PID namespace (unshare --mount-proc); without it nobody "
          + "could tell whether the holder of \(name) lives")
    }
    return InstanceCandidate(
      name: name, identity: identity, host: processes.host.map { cut($0, bytes: 256) },
      command: options.command.map { cut($0, bytes: 256) }
        ?? processes
        .command(of: options.process),
      heartbeat: try heartbeat.map { lease throws(LedgerError) in
        try Heartbeat(lease: lease)
      })
  }

  /// Takes the name away from its holder: the epoch goes up, and the holder's next reserve, record
  /// or look before the exchange call is refused. What it has sent may still be settled.
  ///
  /// On a server it is the holder of when the call began, and nobody who follows it: where another
  /// one has the name by the time of the answer, that one keeps it, with the epoch that is given.
  ///
  /// - Returns: `.evicted` with who had it; `.free` where nobody has it.
  /// - Throws: `noSuchInstance`; `busy` and `io` (safe to repeat); `outcomeUnknown`: look who has
  ///   it before it is repeated, since a new call is about the holder of then.
  public func evictInstance(
    _ name: InstanceName
  ) async throws(LedgerError) -> InstanceEviction {
    try await engine.evict(name, wait: WaitLimit(options.lockWait))
  }

  /// All instance names, by name, and whether their holders live: what a worker looks at when it
  /// starts. Reads only.
  ///
  /// - Throws: `busy` and `io` (safe to repeat).
  /// **Lock**: none that a writer waits for. **Complexity**: 4 statements, 6 files of /proc each.
  public func instances() async throws(LedgerError) -> [Instance] {
    try await engine.instances(options.processes, wait: WaitLimit(options.lockWait))
  }
}
