internal import Histogram
internal import Subprocess

/// The hand on a running worker process.
struct WorkerHandle: Sendable {
  let pid: Int32
  let say: @Sendable (SupervisorLine) async -> Void
  /// - Returns: whether the process was there to get it.
  let signal: @Sendable (Signal) -> Bool
}

/// One worker's place: the processes that fill it, one after the other.
struct WorkerPlace: Sendable {
  /// How many processes have been here before.
  var incarnation = 0
  /// nil between two processes.
  var handle: WorkerHandle?
  var isReady = false
  /// The process that is here now has been sent a kill. Its end is then no surprise.
  var wasKilled = false
  /// It has been stopped, and will be continued.
  var isPaused = false
  /// It was stopped in an attempt, but not at the exchange: perhaps inside a transaction.
  var mayHoldLock = false
  /// Its order is on the way, and the answer has not been given.
  var isAtExchange = false
  /// Faults that wait for this worker's next question.
  var armed: [Fault] = []
  /// The position of the call under way in the list of all calls.
  var openCall: Int?
  /// The position of its attempt to be an instance, or of its time as one, in the list of those.
  var openTenure: Int?
  /// It asks for its name or lets go of it: perhaps inside a transaction.
  var isAtName = false
  /// Until when, in microseconds since boot, the order of the call under way may be sent.
  var validUntil: Int64?
  var kills = 0
  var pauses = 0
  /// Time from asking to the answer, without the exchange, in microseconds.
  var latency = Histogram<UInt64>(numberOfSignificantValueDigits: .three)

  mutating func record(from start: Moment, to end: Moment) {
    // The histogram grows as needed, so nothing is lost; it starts at one.
    _ = latency.record(UInt64(max(1, end.boot - start.boot)))
  }
}

/// Starts a worker process and stays until it has ended and its output is read to the end.
///
/// - Parameters:
///   - command: another program that does a worker's work; nil: this one.
///   - started: called once, before anything is heard.
///   - heard: called with the lines as they come; nil for one that makes no sense.
/// - Returns: how it ended.
func runWorkerProcess(
  _ configuration: WorkerConfiguration, command: [String]?,
  started: @Sendable (WorkerHandle) async -> Void,
  heard: @Sendable ([WorkerLine?]) async -> Void
) async throws -> TerminationStatus {
  let own = ["simulate-worker", "--"]
  return try await runOwnProcess(
    (command.map { Array($0.dropFirst()) } ?? own) + configuration.arguments,
    program: command?.first, ledger: configuration.path,
    started: { process in
      await started(
        WorkerHandle(
          pid: process.pid, say: { line in await process.say(line.text) },
          signal: process.signal))
    }, heard: { lines in await heard(lines.map { WorkerLine($0) }) })
}

/// The hand on a running process of this program.
struct OwnProcess: Sendable {
  let pid: Int32
  /// Writes a line to its input.
  let say: @Sendable (String) async -> Void
  /// - Returns: whether the process was there to get it.
  let signal: @Sendable (Signal) -> Bool
}

/// Runs this very program with other arguments, or `program`, for the ledger at `ledger`, and stays
/// until it has ended and its output is read to the end. `started` and `heard` as for
/// ``runWorkerProcess(_:command:started:heard:)``.
func runOwnProcess(
  _ words: [String], program: String? = nil, ledger: String,
  started: @Sendable (OwnProcess) async -> Void,
  heard: @Sendable ([String]) async -> Void
) async throws -> TerminationStatus {
  let arguments = Arguments(
    executablePathOverride: program ?? "tradeledger", remainingValues: words)
  // The program itself, even if its file has been replaced in the meantime.
  var platform = PlatformOptions()
  // A group of its own. ^C is for the supervisor; and a stopped process whose supervisor is killed
  // gets SIGHUP and SIGCONT from the kernel, which do not leave it behind.
  platform.processGroupID = 0
  let result = try await Subprocess.run(
    program.map { .name($0) } ?? .path(literal("/proc/self/exe")), arguments: arguments,
    environment: LedgerPlace.environment(ledger), platformOptions: platform,
    input: .inputWriter, output: .sequence, error: .currentStandardError
  ) { execution in
    let writer = execution.standardInputWriter
    await started(
      OwnProcess(
        pid: execution.processIdentifier.value,
        // Nobody hears what is said to the dead.
        say: { line in _ = try? await writer.write(line + "\n") },
        signal: { signal in (try? execution.send(signal: signal)) != nil }))
    var splitter = LineSplitter()
    for try await buffer in execution.standardOutput {
      let lines = unsafe buffer.withUnsafeBytes { bytes in
        unsafe splitter.lines(adding: bytes)
      }
      await heard(lines)
    }
  }
  return result.terminationStatus
}

/// A value of a type whose module this one does not import.
private func literal<Value: ExpressibleByStringLiteral>(
  _ text: Value.StringLiteralType
) -> Value { Value(stringLiteral: text) }
