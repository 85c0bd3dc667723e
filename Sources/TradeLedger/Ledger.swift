public import Logging

/// A trade ledger that any number of processes share.
///
/// Two processes that ask for the same bot at the same time get one "yes" and one "no", whatever
/// they are written in and whenever they are killed (docs/INVARIANTS.md). All methods may be called
/// from any task; the blocking work happens on a thread of the ledger's own.
///
/// ```swift
/// let ledger = try await Ledger.open("/var/lib/bots/ledger.db")
/// let outcome = try await ledger.withTrade(order) { permit in
///   try await exchange.send(order, clientOrderID: permit.key, validUntil: permit.validUntil)
/// }
/// ```
public final class Ledger: Sendable {
  /// How a ledger is opened.
  public struct Options: Sendable {
    /// What the process wants to do.
    public enum Access: Sendable {
      /// May trade, settle and change bots.
      case readWrite
      /// No call can change a row; nothing is left beside the file (INV-10).
      case readOnly
    }
    /// The longest wait for the write lock, for each call (INV-8). Ten years at most.
    public var lockWait: Duration = .seconds(5)
    /// What the process wants to do.
    public var access: Access = .readWrite
    /// What an answer survives.
    public enum Durability: String, CaseIterable, Sendable {
      /// Everything that the disk survives, a power cut included (INV-4).
      case full
      /// The end of every process, kill -9 included; a power cut may take the latest answers back.
      case normal
    }
    /// What an answer survives.
    public var durability: Durability = .full
    /// How many concurrent calls of this process share one transaction at most; at least one.
    public var batchLimit = 256
    /// How many connections to a PostgreSQL server this process opens at most; at least one. More
    /// than one lets bots trade side by side.
    public var connectionLimit = 4
    /// Where time comes from. Anything but the system's clocks works on `simulation` ledgers only.
    public var clock: any LedgerClock = SystemClock()
    /// Gets `trade lock acquired` and `cooldown remaining` at info level. Off by default.
    public var logger = Logger(label: "tradeledger") { _ in SwiftLogNoOpLogHandler() }
    /// A ledger that others of the file's group may open too (mode 0660).
    public var isGroupShared = false
    /// A thread that exists already, for the ledger to work on; nil: one of its own.
    package var thread: LedgerThread?
    /// Who is asked whether the holder of an instance name lives.
    var processes: any ProcessTable = SystemProcesses()

    /// Read and write, five seconds for the write lock, every answer durable.
    public init() {}
  }

  private let opened: any LedgerEngine
  private let process = OpeningProcess()
  let options: Options
  let metrics = LedgerMetrics()
  /// What another process opens the ledger with: its path, or the URL with everything in it.
  package let place: String

  init(engine: any LedgerEngine, options: Options, url: String? = nil) {
    opened = engine
    self.options = options
    place = url ?? engine.path
  }

  /// - Throws: `configuration` in a fork of the process that opened the ledger.
  var engine: any LedgerEngine {
    get throws(LedgerError) {
      try process.expectThisOne()
      return opened
    }
  }

  /// Set when the ledger was created; it never changes.
  public var mode: LedgerMode { opened.mode }
  /// The real path of the ledger file; of a ledger on a server its URL without the password.
  public var path: String { opened.path }

  /// The thread on which the ledger works, for a worker whose loop does little else.
  ///
  /// Each call from another thread is handed to this one and its answer back, which on an idle
  /// processor takes a tenth of a whole attempt. A loop that runs on the executor is
  /// spared both:
  ///
  /// ```swift
  /// try await withTaskExecutorPreference(ledger.executor) {
  ///   while let order = try await nextOrder() { ... ledger.withTrade(order) ... }
  /// }
  /// ```
  ///
  /// What the loop computes and whatever else it calls without suspending keeps the ledger's other
  /// callers waiting; what it awaits does not.
  public var executor: any TaskExecutor { opened.executor }

  /// Whether `place` names a ledger on a PostgreSQL server, and no file.
  public static func isServer(_ place: String) -> Bool {
    place.hasPrefix("postgresql://") || place.hasPrefix("postgres://")
  }

  /// `place` as it may be shown: of a URL neither the password nor anything else that is secret.
  public static func displayName(of place: String) -> String {
    guard isServer(place) else { return noPath(place) ?? place }
    #if PostgreSQL
      return (try? PostgreSQLEngine.name(of: place)) ?? "postgresql://..."
    #else
      return "postgresql://..."
    #endif
  }

  /// What may be shown of an address that is not a path, `mysql://...` for example, and may have a
  /// password in it. nil of a path.
  static func noPath(_ place: String) -> String? {
    let scheme = place.prefix { $0 != "/" && $0 != ":" }
    if !scheme.isEmpty && place.dropFirst(scheme.count).hasPrefix("://") {
      return scheme.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
        ? "\(scheme)://..." : "...://..."
    }
    // libpq's other way to say where a server is.
    let words = place.lowercased().filter { !$0.isWhitespace }
    let isPath = words.hasPrefix("/") || words.hasPrefix(".")
    return !isPath && words.contains("password=") ? "...password=..." : nil
  }

  /// Whether processes on other machines may use this ledger too. Whoever holds an instance name
  /// then needs a heartbeat.
  public var isShared: Bool { opened.isShared }

  /// Opens the ledger at `path`, or at a URL as libpq takes it. An older file is migrated; an older
  /// ledger on a server is refused (``upgrade(_:repairing:options:)``).
  ///
  /// - Throws: `noLedger`, `notALedger`, `newerSchema`, `schemaAltered`, `configuration`,
  ///   `permission` (final); `busy`, `unavailable` (safe to repeat); `io`.
  public static func open(
    _ path: String, options: Options = Options()
  ) async throws(LedgerError) -> Ledger {
    if isServer(path) { return try await server(path, creating: nil, options) }
    return Ledger(engine: try await SQLiteEngine.open(path, options: options), options: options)
  }

  /// Creates the ledger at `path`, or opens it where it exists with the same mode. Any number of
  /// processes may do so at once: one creates it, all of them get it.
  ///
  /// - Throws: as ``open(_:options:)``, and `cannotCreate`; `configuration` where it exists with
  ///   another mode.
  public static func create(
    _ path: String, mode: LedgerMode, options: Options = Options()
  ) async throws(LedgerError) -> Ledger {
    if isServer(path) { return try await server(path, creating: mode, options) }
    return Ledger(
      engine: try await SQLiteEngine.create(path, mode: mode, options: options), options: options)
  }

  private static func server(
    _ url: String, creating mode: LedgerMode?, _ options: Options
  ) async throws(LedgerError) -> Ledger {
    #if PostgreSQL
      Ledger(
        engine: try await PostgreSQLEngine.open(url, creating: mode, options: options),
        options: options, url: url)
    #else
      throw .noServerEngine
    #endif
  }

  /// How much the ledger has done for this process since it was opened, for measurements.
  public func work() async -> WorkDone {
    process.isThisOne ? await opened.work() : WorkDone(statements: 0, syncs: 0)
  }

  /// Closes the file. Later calls fail; calls under way end first. Nothing in a fork.
  public func close() async {
    if process.isThisOne { await opened.close() }
  }
}

// MARK: - Trading

extension Ledger {
  /// Phase 1: asks whether `order` may be sent now, and puts it on record if so.
  ///
  /// - Parameters:
  ///   - order: what to trade, for which bot.
  ///   - key: the client order id; nil to have one made. Repeat the same key after a lost answer.
  ///   - token: what the permit is settled with; nil to have one made. A caller that repeats key
  ///     and token gets its permit back while the lease runs.
  ///   - instance: the caller's instance and epoch, to be fenced by (INV-7).
  /// - Returns: `.admitted` with a permit: send it. Anything else: do not trade.
  /// - Throws: `busy` (nothing written; safe to repeat with the same key), `outcomeUnknown` (send
  ///   no order; look the key up), `noSuchBot`, `io`, `ledgerMoved`, `schemaAltered`.
  ///
  /// **Lock**: the write lock for five statements, waited for at most `lockWait`, at this process's
  /// turn; concurrent callers share it. None for a denial that the last committed state already
  /// justifies, and none during the sync.
  /// **Durability**: an answer is durable before it is given (INV-4).
  /// **Idempotency**: by key. **Complexity**: 6 statements and 1 fsync at most, which answers for
  /// everybody who committed before it began; a denial 2 statements, none while nothing changes.
  public func reserve(
    _ order: Order, key: OrderKey? = nil, token: PermitToken? = nil,
    instance: InstanceClaim? = nil
  ) async throws(LedgerError) -> ReserveOutcome {
    let attempt = Attempt(
      order: order, key: key ?? .random(at: options.clock.now().wall),
      kind: .reserve(token: token ?? .random()), instance: instance, hasNewKey: key == nil,
      hasNewToken: token == nil)
    let outcome = try await measured(attempt)
    switch outcome {
    case .admitted(let trade, let permit):
      guard let permit else { throw .bug("a reservation was admitted without a permit") }
      return .admitted(trade, permit)
    case .replayed(let trade, let permit): return .replayed(trade, permit)
    case .denied(let denial): return .denied(denial)
    }
  }

  /// Both phases in one, for an order that is already done or needs no exchange.
  ///
  /// Without `fill.at` the trade is of now and admitted like any other. With it, it is a fact of
  /// the past: stored whatever its neighbours, counted for the cooldown from now on, and reported
  /// by the audit where it violates it.
  ///
  /// - Throws: as ``reserve(_:key:token:instance:)``; `invalidInput` for a time in the future.
  public func record(
    _ order: Order, fill: Fill = Fill(), key: OrderKey? = nil, instance: InstanceClaim? = nil
  ) async throws(LedgerError) -> RecordOutcome {
    let attempt = Attempt(
      order: order, key: key ?? .random(at: options.clock.now().wall),
      kind: fill.at.map { .past(fill, at: $0) } ?? .record(fill), instance: instance,
      hasNewKey: key == nil)
    switch try await measured(attempt) {
    case .admitted(let trade, _): return .recorded(trade)
    case .replayed(let trade, _): return .replayed(trade)
    case .denied(let denial): return .denied(denial)
    }
  }

  /// Phase 2: the order was executed.
  ///
  /// No fill is refused for its time. After the lease it is taken and flagged late; after a void it
  /// is denied `already_settled`, kept in `conflicts`, and counts for the cooldown (INV-6).
  ///
  /// - Returns: `.settled`; `.replayed` for the same fill again; `.denied` with `already_settled`
  ///   (and the trade as it stands) or `wrong_token`.
  /// - Throws: `noSuchTrade`; `busy` and `io` (safe to repeat); `outcomeUnknown`.
  ///
  /// **Lock**, **Durability**: as `reserve`. **Idempotency**: by trade. **Complexity**: 5
  /// statements and 1 fsync.
  public func fill(
    _ trade: TradeID, token: PermitToken, _ fill: Fill = Fill()
  ) async throws(LedgerError) -> SettleOutcome {
    try await settle(
      Settlement(
        trade: .id(trade), outcome: .filled(fill), authority: .token(token), reason: nil))
  }

  /// Phase 2: the order was proven not sent. Say so only on proof: a void trade does not count.
  ///
  /// - Parameters:
  ///   - trade: its number, from the permit.
  ///   - token: the permit's.
  ///   - reason: 1 to 256 bytes on one line.
  /// - Returns and throws: as ``fill(_:token:_:)``.
  public func void(
    _ trade: TradeID, token: PermitToken, reason: String
  ) async throws(LedgerError) -> SettleOutcome {
    try await settle(
      Settlement(
        trade: .id(trade), outcome: .void, authority: .token(token),
        reason: try checkedReason(reason)))
  }

  /// An operator settles a trade in doubt, after looking its key up at the exchange.
  ///
  /// - Parameters:
  ///   - trade: its number or its key.
  ///   - fill: what the exchange says, or nil where it never got the order.
  ///   - reason: for whoever reads the trade later: 1 to 256 bytes on one line.
  /// - Returns: as ``fill(_:token:_:)``; denied `in_progress` while the lease still runs.
  /// - Throws: as ``fill(_:token:_:)``; `invalidInput`. **Complexity**: as `fill`.
  public func resolve(
    _ trade: TradeReference, fill: Fill?, reason: String
  ) async throws(LedgerError) -> SettleOutcome {
    try await settle(
      Settlement(
        trade: trade, outcome: fill.map { .filled($0) } ?? .void, authority: .operator,
        reason: try checkedReason(reason)))
  }

  /// Whether an order may still be sent under `permit`. Ask right before the exchange call.
  ///
  /// Looks at the lease on the boot clock, and at the epoch where the permit has one (INV-7).
  ///
  /// - Returns: false where nothing may be sent any more: call ``void(_:token:reason:)``.
  /// - Throws: `busy` and `io` (safe to repeat); send nothing.
  /// **Lock**: none. **Complexity**: 4 statements; none where the permit has no instance.
  public func isLive(_ permit: Permit) async throws(LedgerError) -> Bool {
    try await engine.isLive(permit, wait: WaitLimit(options.lockWait))
  }
}

// MARK: - Bots

extension Ledger {
  /// Adds a bot. Adding it again with the same settings changes nothing.
  ///
  /// - Throws: `busy` and `io` (safe to repeat); `outcomeUnknown`: add it again.
  /// **Lock**, **Durability**: as ``reserve(_:key:token:instance:)``. **Idempotency**: by name.
  public func addBot(
    _ name: BotName, _ settings: BotSettings
  ) async throws(LedgerError) -> AddBotOutcome {
    try await engine.addBot(Bot(name: name, settings: settings), wait: WaitLimit(options.lockWait))
  }

  /// Changes the settings of a bot, from its next attempt on.
  ///
  /// - Returns: the bot with the settings that are now in force.
  /// - Throws: `noSuchBot`, `invalidInput` (nothing was written); `busy` and `io` (safe to repeat);
  ///   `outcomeUnknown`: change it again.
  /// **Lock**, **Durability**: as ``reserve(_:key:token:instance:)``. **Idempotency**: by content.
  public func changeBot(_ name: BotName, _ change: BotChange) async throws(LedgerError) -> Bot {
    try await engine.changeBot(name, change, wait: WaitLimit(options.lockWait))
  }
}

// MARK: - Looking

extension Ledger {
  /// Whether `reserve` would admit now. Reads only; an answer that another process can change.
  ///
  /// - Throws: `noSuchBot`; `busy` and `io` (safe to repeat).
  /// **Lock**: none that a writer waits for. **Complexity**: 4 to 6 statements.
  public func check(_ bot: BotName) async throws(LedgerError) -> CheckOutcome {
    try await engine.check(bot, wait: WaitLimit(options.lockWait))
  }

  /// Where the ledger stands, for one bot or all of them, in one snapshot (INV-10).
  ///
  /// - Parameter bot: nil for all.
  /// - Throws: `noSuchBot`; `busy` and `io` (safe to repeat).
  /// **Lock**: none that a writer waits for. **Complexity**: 6 statements, and 2 to 4 for each bot.
  public func status(_ bot: BotName? = nil) async throws(LedgerError) -> LedgerStatus {
    try await engine.status(bot, wait: WaitLimit(options.lockWait))
  }

  /// Trades, newest first, in memory: the other `trades` reads a long ledger in pieces.
  ///
  /// - Throws: `noSuchBot`; `busy` and `io` (safe to repeat).
  /// **Lock**: none that a writer waits for. **Complexity**: at most 6 statements.
  public func trades(_ query: TradeQuery = TradeQuery()) async throws(LedgerError) -> TradePage {
    try await engine.trades(query, wait: WaitLimit(options.lockWait))
  }

  /// One trade, by number or key.
  ///
  /// - Throws: `noSuchTrade`; `busy` and `io` (safe to repeat).
  /// **Lock**: none that a writer waits for. **Complexity**: 4 statements.
  public func trade(_ reference: TradeReference) async throws(LedgerError) -> Trade {
    try await engine.trade(reference, wait: WaitLimit(options.lockWait))
  }

  /// Looks for double trades and everything else that an operator should know about.
  ///
  /// - Parameter query: `bot` and `since` narrow it down; the rest is not looked at.
  /// - Throws: `noSuchBot`; `notALedger` where a page or an index is damaged; `busy` and `io` (safe
  ///   to repeat).
  /// **Lock**: none that a writer waits for; the log cannot begin anew while it reads.
  /// **Complexity**: reads every page, and every trade several times; keeps what it finds.
  public func audit(_ query: TradeQuery = TradeQuery()) async throws(LedgerError) -> AuditReport {
    try await engine.audit(query, wait: WaitLimit(options.lockWait))
  }

  /// What `tradeledger metrics` shows beside the status.
  ///
  /// - Throws: `busy` and `io` (safe to repeat).
  /// **Lock**: none that a writer waits for. **Complexity**: reads every trade.
  public func figures() async throws(LedgerError) -> LedgerFigures {
    try await engine.figures(wait: WaitLimit(options.lockWait))
  }

  /// What `tradeledger doctor` shows, a full integrity check included.
  ///
  /// - Throws: `busy` and `io` (safe to repeat).
  /// **Lock**: none that a writer waits for. **Complexity**: reads every page and index.
  public func diagnosis() async throws(LedgerError) -> Diagnosis {
    try await engine.diagnosis(wait: WaitLimit(options.lockWait))
  }
}
