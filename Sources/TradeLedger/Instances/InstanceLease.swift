/// The right to act under an instance name, until it is released or lost (INV-7).
///
/// A process that ends loses it by ending, in whatever way. While it lives it can lose the name to
/// an operator who evicts it, and, where it is judged by its heartbeat, to its own silence: whoever
/// holds a lease listens to ``losses`` and stops. Trades that are reserved with ``claim`` are
/// refused from that moment on, whether or not it listens.
public final class InstanceLease: Sendable {
  /// For `reserve(instance:)`, `record(instance:)` and `withTrade(instance:)`.
  public let claim: InstanceClaim
  /// The process that holds the name: this one, unless another was named.
  public let identity: ProcessIdentity
  /// nil: no heartbeat; the name is held until the process ends.
  public let heartbeat: Duration?
  /// At most one element: why the lease is lost. Ends without one when it is released. For one
  /// listener.
  public let losses: AsyncStream<InstanceLoss>

  /// How long what runs under the name may take to end once it is lost, so that it is gone before
  /// another process may take the name.
  public let grace: Duration

  /// The name that is held.
  public var name: InstanceName { claim.name }
  /// The epoch under which it is held: what the process acts under until it ends.
  public var epoch: Epoch { claim.epoch }

  private let keeper: Keeper
  private let watch: Task<Void, Never>

  init(
    _ claim: InstanceClaim, _ candidate: InstanceCandidate, start: ContinuousClock.Instant,
    _ engine: any LedgerEngine, _ options: Ledger.Options
  ) {
    self.claim = claim
    identity = candidate.identity
    heartbeat = candidate.heartbeat?.lease
    grace = candidate.heartbeat?.grace ?? Heartbeat.longestGrace
    let keeper = Keeper(
      claim: claim, heartbeat: candidate.heartbeat, engine: engine, options: options)
    self.keeper = keeper
    let (losses, ended) = AsyncStream<InstanceLoss>.makeStream()
    self.losses = losses
    // On a thread of the ledger's, so that a busy or blocked pool delays no heartbeat.
    watch = Task(executorPreference: engine.leaseExecutor) {
      if let loss = await keeper.watch(since: start) { ended.yield(loss) }
      ended.finish()
    }
  }

  deinit { watch.cancel() }

  /// Looks now whether the name is still held, and renews the heartbeat where there is one. The
  /// lease does so by itself; this is for whoever wants to be sure right now.
  ///
  /// - Returns: nil while it is held, else why not.
  /// - Throws: `busy` and `io` (safe to repeat), `ledgerMoved`.
  /// **Complexity**: with a heartbeat 5 statements and 1 fsync, else 4 statements.
  public func renew() async throws(LedgerError) -> InstanceLoss? {
    try await keeper.renew(keeper.heartbeat, wait: keeper.options.lockWait)
  }

  /// Lets go of the name. The epoch stays as it is until somebody takes the name again.
  ///
  /// - Returns: false where it was lost before.
  /// - Throws: `busy` and `io` (safe to repeat); the end of the process does the same.
  @discardableResult
  public func release() async throws(LedgerError) -> Bool {
    watch.cancel()
    return try await keeper.engine.release(claim, wait: WaitLimit(keeper.options.lockWait))
  }
}

/// What a lease needs to look after itself.
private struct Keeper: Sendable {
  let claim: InstanceClaim
  let heartbeat: Heartbeat?
  let engine: any LedgerEngine
  let options: Ledger.Options

  /// How often the name is looked at, so that an eviction is known.
  private static let look = Duration.seconds(1)

  func renew(
    _ heartbeat: Heartbeat?, wait: Duration
  ) async throws(LedgerError) -> InstanceLoss? {
    try await engine.renew(
      claim, heartbeat, options.processes, wait: WaitLimit(min(wait, options.lockWait)))
  }

  /// Looks and renews until the lease is lost, or its task is cancelled.
  func watch(since start: ContinuousClock.Instant) async -> InstanceLoss? {
    // Measured from before the call that wrote the heartbeat, so that it ends here first.
    var renewed = start
    let pause = heartbeat.map { min($0.renewEvery / 2, Keeper.look) } ?? Keeper.look
    while true {
      guard (try? await Task.sleep(for: pause)) != nil else { return nil }
      let now = ContinuousClock.now
      let isDue = heartbeat.map { now - renewed >= $0.renewEvery } ?? false
      let giveUp = heartbeat.map { renewed + $0.giveUpAfter }
      do throws(LedgerError) {
        let limit = giveUp.map { max(.zero, $0 - now) } ?? options.lockWait
        let loss = try await renew(isDue ? heartbeat : nil, wait: limit)
        if Task.isCancelled { return nil }
        if let loss { return loss }
        if isDue { renewed = now }
      } catch {
        if Task.isCancelled { return nil }
        let isOver = giveUp.map { ContinuousClock.now >= $0 } ?? false
        if error.retry == .never || isOver { return .unreachable(error) }
      }
    }
  }
}
