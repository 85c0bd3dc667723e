internal import TradeLedger

/// What an admitted worker takes to the exchange.
struct Ticket: Sendable {
  /// nil where the strategy has written no row yet.
  let trade: Int64?
  let key: String
  /// Microseconds since boot, the one clock that worker and exchange share; nil where the strategy
  /// knows no leases.
  let validUntil: Int64?
}

/// The exchange call of a worker: returns the time of the execution.
/// - Throws: ``OrderNotSent`` where the exchange did not take the order.
typealias SendOrder = nonisolated(nonsending) (Ticket) async throws -> Int64

/// An attempt's answer, and how long to wait before the next one.
struct Attempted: Sendable {
  let answer: Answer
  /// nil: nothing was said about it.
  var retryAfter: Duration?
  /// How often the database was locked on the way.
  var busyErrors = 0
}

/// How a worker trades. The ledger, or a bug that is re-enacted.
///
/// One instance belongs to one worker process, which asks it one thing at a time.
protocol WorkerStrategy {
  nonisolated(nonsending) func attempt(
    _ order: Order, key: OrderKey, token: PermitToken, send: SendOrder
  ) async -> Attempted

  /// Asks once for the instance name of this worker.
  nonisolated(nonsending) func claim() async -> NameAnswer

  /// Lets go of it.
  nonisolated(nonsending) func leave() async throws

  nonisolated(nonsending) func close() async
}

extension WorkerStrategy {
  nonisolated(nonsending) func claim() async -> NameAnswer { .failed(code: "no_instances") }
  nonisolated(nonsending) func leave() async throws {}
}

/// What the workers of a strategy trade on, seen from the supervisor.
protocol StrategyStore: Sendable {
  /// The file that workers open.
  var path: String { get }
  /// The bots of this run.
  var bots: [String] { get }
  /// The instance names of this run.
  var names: [String] { get }
  /// Makes the file and the bots.
  func prepare() async throws
  /// What the bots of this run have on record.
  func rows() async throws -> StoredRows
}

extension SimulationOptions.Strategy {
  /// - Parameter directory: private to this run.
  func store(_ options: SimulationOptions, run: String, directory: String) -> any StrategyStore {
    switch self {
    case .ledger: LedgerStore(options, run: run, directory: directory)
    case .naive, .deferred, .ttlLock, .pidFile: BrokenStore(options, directory: directory)
    }
  }

  func open(_ configuration: WorkerConfiguration) async throws -> any WorkerStrategy {
    switch self {
    case .ledger: try await LedgerStrategy(configuration)
    case .naive: try NaiveStrategy(configuration)
    case .deferred: try DeferredStrategy(configuration)
    case .ttlLock: try LockStrategy(configuration)
    case .pidFile: try PidFileStrategy(configuration)
    }
  }
}
