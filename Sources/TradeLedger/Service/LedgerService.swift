#if ServiceLifecycle
  public import ServiceLifecycle
  internal import Synchronization

  /// Holds an instance name for a service group (INV-7): takes it when the group starts, renews it,
  /// lets go of it when the group shuts down, and ends the group where the name is lost.
  ///
  /// ```swift
  /// let name = LedgerService(ledger, name: try InstanceName("desk"))
  /// let group = ServiceGroup(
  ///   services: [name, Trader(ledger, name)], gracefulShutdownSignals: [.sigterm], logger: logger)
  /// ```
  ///
  /// It stands before the services that trade: a group shuts down from the last service to the
  /// first, so the name is free only when they have ended. They ask for ``claim()`` and reserve
  /// with it. Of the trait `ServiceLifecycle`.
  public final class LedgerService: Service {
    private let ledger: Ledger
    private let name: InstanceName
    private let options: InstanceOptions
    private let holding = Holding()

    /// Nothing is taken before the group runs it.
    ///
    /// - Parameters:
    ///   - ledger: closed by whoever opened it, after the group has ended.
    ///   - name: what at most one process holds.
    ///   - options: ``InstanceOptions/wait`` is how long the start waits for a name that somebody
    ///     else holds.
    public init(
      _ ledger: Ledger, name: InstanceName, options: InstanceOptions = InstanceOptions()
    ) {
      self.ledger = ledger
      self.name = name
      self.options = options
    }

    /// What to reserve with, as soon as the name is held.
    ///
    /// - Throws: ``LedgerServiceError`` where it is not, and will not be; `CancellationError`.
    public func claim() async throws -> InstanceClaim { try await holding.claim() }

    /// Returns after a graceful shutdown, and where its task is cancelled; the name is free then.
    ///
    /// - Throws: ``LedgerServiceError``, and what `acquireInstance` and `release` throw.
    public func run() async throws {
      do {
        guard let lease = try await take() else { return holding.end(.ended(name)) }
        holding.begin(lease.claim)
        for await loss in lease.losses.cancelOnGracefulShutdown() {
          throw LedgerServiceError.lost(name, loss)
        }
        holding.end(.ended(name))
        try await lease.release()
      } catch {
        holding.end(error as? LedgerServiceError ?? .ended(name))
        throw error
      }
    }

    /// nil where the shutdown came first.
    private func take() async throws -> InstanceLease? {
      let outcome = try await cancelWhenGracefulShutdown { [ledger, name, options] in
        try await ledger.acquireInstance(name, options)
      }
      switch outcome {
      case .acquired(let lease): return lease
      case .denied where Task.isShuttingDownGracefully: return nil
      case .denied(let denial): throw LedgerServiceError.held(name, denial)
      }
    }
  }

  /// Why a ``LedgerService`` does not hold its name.
  public enum LedgerServiceError: Error, CustomStringConvertible {
    /// Another process has it.
    case held(InstanceName, Denial)
    /// It was held, and is not any more.
    case lost(InstanceName, InstanceLoss)
    /// The service has ended, or could not ask the ledger.
    case ended(InstanceName)

    public var description: String {
      switch self {
      case .held(let name, let denial):
        "\(name) is held by process \(denial.holder?.pid.map { "\($0)" } ?? "?")"
      case .lost(let name, let loss):
        switch loss {
        case .evicted: "\(name) is lost: an operator evicted it"
        case .takenOver: "\(name) is lost: another process has it"
        case .unreachable(let error): "\(name) is lost: \(error.message)"
        }
      case .ended(let name): "\(name) is not held any more"
      }
    }
  }

  /// Whether the name is held, and who waits to hear of it.
  private final class Holding: Sendable {
    private enum State {
      case waiting([UInt64: CheckedContinuation<InstanceClaim, any Error>])
      case held(InstanceClaim)
      case over(LedgerServiceError)
    }

    private let state = Mutex<(State, last: UInt64)>((.waiting([:]), 0))

    func claim() async throws -> InstanceClaim {
      let ticket = state.withLock { state in
        state.last += 1
        return state.last
      }
      return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
          let answer: Result<InstanceClaim, any Error>? = state.withLock { state in
            switch state.0 {
            case .held(let claim): return .success(claim)
            case .over(let error): return .failure(error)
            case .waiting where Task.isCancelled: return .failure(CancellationError())
            case .waiting(var waiting):
              waiting[ticket] = continuation
              state.0 = .waiting(waiting)
              return nil
            }
          }
          if let answer { continuation.resume(with: answer) }
        }
      } onCancel: {
        let waiter = state.withLock { state in
          guard case .waiting(var waiting) = state.0 else {
            return nil as CheckedContinuation<InstanceClaim, any Error>?
          }
          let waiter = waiting.removeValue(forKey: ticket)
          state.0 = .waiting(waiting)
          return waiter
        }
        waiter?.resume(throwing: CancellationError())
      }
    }

    func begin(_ claim: InstanceClaim) { settle(.held(claim), .success(claim)) }

    func end(_ error: LedgerServiceError) { settle(.over(error), .failure(error)) }

    private func settle(_ new: State, _ answer: Result<InstanceClaim, any Error>) {
      let waiters = state.withLock { state in
        let old = state.0
        state.0 = new
        guard case .waiting(let waiting) = old else {
          return [] as [CheckedContinuation<InstanceClaim, any Error>]
        }
        return Array(waiting.values)
      }
      for waiter in waiters { waiter.resume(with: answer) }
    }
  }
#endif
