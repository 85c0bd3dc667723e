/// What a caller asks when it wants a new trade on record.
struct Attempt: Sendable {
  enum Kind: Sendable {
    /// A pending row, to be settled by whoever has the token.
    case reserve(token: PermitToken)
    /// A filled row of now.
    case record(Fill)
    /// A filled row of the past.
    case past(Fill, at: Timestamp)
  }
  let order: Order
  let key: OrderKey
  let kind: Kind
  let instance: InstanceClaim?
  /// The ledger made the key for this attempt: no trade has it.
  var hasNewKey = false
  /// The ledger made the token for this attempt: no other call brings it.
  var hasNewToken = false
}

/// The answer to an ``Attempt``. Indirect, because it is large and handed on often.
indirect enum AttemptOutcome: Sendable {
  case admitted(Trade, Permit?)
  case replayed(Trade, Permit?)
  case denied(Denial)
}

/// What a caller says about the outcome of a trade.
struct Settlement: Sendable {
  enum Outcome: Sendable {
    case filled(Fill)
    case void
  }
  enum Authority: Sendable {
    case token(PermitToken)
    case `operator`
  }
  let trade: TradeReference
  let outcome: Outcome
  let authority: Authority
  /// Required to void, and for operators.
  let reason: String?
}

/// Who wants an instance name.
struct InstanceCandidate: Sendable {
  let name: InstanceName
  let identity: ProcessIdentity
  let host: String?
  let command: String?
  /// nil: judged by its process alone.
  let heartbeat: Heartbeat?
}

/// The answer to an ``InstanceCandidate``.
enum InstanceAcquisition: Sendable {
  case taken(InstanceClaim)
  case denied(Denial)
}

/// The operations of a ledger, each atomic. One engine for each kind of database.
///
/// No caller's code runs inside an operation and none suspends between its beginning and its
/// COMMIT, so that the time for which a lock is held is bounded by the engine's own statements.
/// `wait` says until when the lock may be waited for (INV-8); beyond it `busy` is thrown and
/// nothing was written.
protocol LedgerEngine: Actor {
  nonisolated var mode: LedgerMode { get }
  nonisolated var path: String { get }
  nonisolated var executor: any TaskExecutor { get }
  /// Processes of other machines use the ledger too: holders of instance names are judged by their
  /// heartbeats.
  nonisolated var isShared: Bool { get }

  /// Carries `request` out, perhaps together with those of other callers; each gets its own answer.
  nonisolated func submit(
    _ request: WriteRequest, wait: WaitLimit
  ) async throws(LedgerError) -> WriteAnswer
  /// Whether an order may still be sent under `permit`: its lease runs, and its epoch is current.
  func isLive(_ permit: Permit, wait: WaitLimit) throws(LedgerError) -> Bool
  func addBot(_ bot: Bot, wait: WaitLimit) throws(LedgerError) -> AddBotOutcome
  func changeBot(_ name: BotName, _ change: BotChange, wait: WaitLimit) throws(LedgerError) -> Bot

  /// Where a lease of an instance name looks after itself. What goes on there does not keep it
  /// waiting for longer than its own calls may.
  nonisolated var leaseExecutor: any TaskExecutor { get }
  /// Takes an instance name that is free or whose holder is proven dead (INV-7).
  nonisolated func acquire(
    _ candidate: InstanceCandidate, _ processes: any ProcessTable, wait: WaitLimit
  ) async throws(LedgerError) -> InstanceAcquisition
  /// Whether `claim` still stands; with a heartbeat, renews it in the same step.
  /// - Throws: `ledgerMoved` too, since a claim on a file that others do not open is worth nothing.
  nonisolated func renew(
    _ claim: InstanceClaim, _ heartbeat: Heartbeat?, _ processes: any ProcessTable, wait: WaitLimit
  ) async throws(LedgerError) -> InstanceLoss?
  /// Lets go of a name. - Returns: false where it was lost before.
  nonisolated func release(
    _ claim: InstanceClaim, wait: WaitLimit
  ) async throws(LedgerError) -> Bool
  /// Raises the epoch and leaves the name to nobody. - Returns: who had it.
  func evict(_ name: InstanceName, wait: WaitLimit) throws(LedgerError) -> InstanceEviction
  func instances(
    _ processes: any ProcessTable, wait: WaitLimit
  ) throws(LedgerError) -> [Instance]

  func check(_ bot: BotName, wait: WaitLimit) throws(LedgerError) -> CheckOutcome
  func status(_ bot: BotName?, wait: WaitLimit) throws(LedgerError) -> LedgerStatus
  func trades(_ query: TradeQuery, wait: WaitLimit) throws(LedgerError) -> TradePage
  func trade(_ reference: TradeReference, wait: WaitLimit) throws(LedgerError) -> Trade
  func audit(_ query: TradeQuery, wait: WaitLimit) throws(LedgerError) -> AuditReport
  func diagnosis(wait: WaitLimit) throws(LedgerError) -> Diagnosis
  func figures(wait: WaitLimit) throws(LedgerError) -> LedgerFigures
  /// Copies one snapshot into a new, empty file.
  func copy(into target: LedgerFile, wait: WaitLimit) throws(LedgerError) -> LedgerCopy

  func review(
    _ facts: [PastFact], newBots: Duration?, wait: WaitLimit
  ) throws(LedgerError) -> PastFactReview
  func enter(
    _ facts: [PastFact], addingBots bots: [Bot], wait: WaitLimit
  ) throws(LedgerError) -> Int
  func lastTrade(wait: WaitLimit) throws(LedgerError) -> TradeID
  func trades(_ piece: TradePiece, wait: WaitLimit) throws(LedgerError) -> [Trade]

  func work() -> WorkDone
  func close()
}

extension LedgerEngine {
  nonisolated func attempt(
    _ attempt: Attempt, wait: WaitLimit
  ) async throws(LedgerError) -> AttemptOutcome {
    guard case .attempt(let outcome) = try await submit(.attempt(attempt), wait: wait) else {
      throw .bug("an attempt was answered as a settlement")
    }
    return outcome
  }

  nonisolated func settle(
    _ settlement: Settlement, wait: WaitLimit
  ) async throws(LedgerError) -> SettleOutcome {
    guard case .settlement(let settled) = try await submit(.settlement(settlement), wait: wait)
    else { throw .bug("a settlement was answered as an attempt") }
    return settled.outcome
  }
}

/// What a ledger has done for its process.
public struct WorkDone: Equatable, Sendable {
  /// Statements of SQL, those that begin and end transactions included.
  public let statements: Int
  /// Syncs of the log. (Checkpoints make their own.)
  public let syncs: Int
}

/// What `doctor` looks at. Facts; the judgement is the reader's.
public struct Diagnosis: Sendable {
  /// The real path of the ledger file.
  public let path: String
  /// What the ledger is for.
  public let mode: LedgerMode
  /// The kind of file system that the ledger lies on, for example `ext4`.
  public let fileSystem: String
  /// The version of the SQLite library in this process.
  public let sqliteVersion: String
  /// The size of the write-ahead log.
  public let walBytes: Int64
  /// `ok`, or what SQLite's integrity check says.
  public let integrity: String
  /// Processes that hold a lock on the ledger now, by what they hold.
  public let lockHolders: [String]
  /// The layout of the file: `PRAGMA user_version`.
  public let schemaVersion: Int
  /// Both clocks at the time of the diagnosis.
  public let clock: ClockReading
  /// Both clocks when the newest trade was made.
  public let newestTrade: ClockReading?
  /// Of a ledger on a server; nil for a file.
  public var server: ServerDiagnosis?
}

/// What `doctor` says of the server of a ledger.
public struct ServerDiagnosis: Sendable {
  /// For example "15.18".
  public let version: String
  /// The protocol that encrypts the connection, for example "TLSv1.3"; nil: none.
  public let encryption: String?
  /// Who is connected.
  public let role: String
  /// Whether it may do all that the owner may.
  public let isOwner: Bool
  /// Whether the server follows another one, and takes no writes.
  public let isStandby: Bool
  /// `fsync` and `full_page_writes` are on: a power cut takes no answer back.
  public let keepsAnswers: Bool
  /// The setting `synchronous_commit`.
  public let synchronousCommit: String
  /// The setting `synchronous_standby_names`; empty: no standby is waited for.
  public let synchronousStandbys: String
  /// The setting `default_transaction_isolation`.
  public let isolation: String
  /// By how much the server's clock is certainly ahead of this machine's.
  public let clockAhead: Duration
  /// By how much it is certainly behind.
  public let clockBehind: Duration
}
