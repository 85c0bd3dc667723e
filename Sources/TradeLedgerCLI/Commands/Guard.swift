internal import ArgumentParser
internal import TradeLedger

struct GuardCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "guard",
    abstract: "Run a command as the only instance of a name.",
    discussion: """
      Takes the name and becomes the command, which finds TRADELEDGER_DB, TRADELEDGER_INSTANCE and \
      TRADELEDGER_EPOCH in its environment. Where another process has the name, exit 75 with the \
      holder on standard error. The name is free when the command has ended, in whatever way.

      With --supervise, which is the default inside a container, guard stays as its parent, passes \
      signals on, returns its exit code, and ends it when the name is lost.

      Examples:
        tradeledger guard trading_bot -- python3 main.py
        tradeledger guard trading_bot --wait 1m -- ./bot --market spot
      """)

  @Argument(help: "The instance name.", completion: LiveNames.instances) var name: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How long to wait for the holder to end.", valueName: "duration"))
  var wait = "0s"

  @Option(
    name: .customLong("conflict-exit-code"), parsing: .unconditional,
    help: ArgumentHelp(
      "The exit code, 1 to 255, where another process has the name, or takes it.",
      valueName: "code"))
  var conflictExitCode = "75"

  @Flag(
    inversion: .prefixedNo,
    help: "Stay as the parent of the command. (default: inside a container)")
  var supervise: Bool?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "With --supervise: how long other containers wait for a silent holder. "
        + "(default: 30s inside a container and for a ledger on a server, none elsewhere)",
      valueName: "duration"))
  var heartbeat: String?

  @OptionGroup(title: "Global options") var global: GlobalOptions

  @Argument(
    parsing: .postTerminator,
    help: ArgumentHelp("The command and its arguments, after --.", valueName: "command"),
    completion: .file())
  var command: [String] = []

  func run() async throws {
    guard let program = command.first, !program.isEmpty else {
      throw Failure.usage(
        "no command is given", hint: "write it after --, as in: guard NAME -- python3 main.py")
    }
    let isShared = Ledger.isServer(try global.path())
    let supervises = supervise ?? (isShared || InstanceOptions.isContainer)
    guard supervises || !isShared else {
      throw Failure.usage(
        "a ledger on a server needs --supervise",
        hint:
          "other machines wait for a heartbeat, which a command that guard becomes does not have")
    }
    guard supervises || heartbeat == nil else {
      throw Failure.usage(
        "--heartbeat needs --supervise", hint: "a command that guard becomes has nobody to renew it"
      )
    }
    let conflict = ExitCode(try commandExitCode(conflictExitCode))
    var options = InstanceOptions()
    options.wait = try Duration(interval: wait)
    options.heartbeat =
      supervises
      ? try duration(heartbeat)
        ?? (isShared ? InstanceOptions.sharedHeartbeat : InstanceOptions.usualHeartbeat)
      : nil
    options.command = command.joined(separator: " ")
    let guarding = Guarding(
      name: try InstanceName(name), command: command, options: options)
    try CommandProgram.expect(program)
    let end = try await global.withLedger { ledger in
      supervises ? try await guarding.supervise(ledger) : try await guarding.become(ledger)
    }
    throw try finish(end, program, conflict)
  }

  private func finish(
    _ end: GuardEnd, _ program: String, _ conflict: ExitCode
  ) throws -> ExitCode {
    switch end {
    case .command(.exited(let code)): return ExitCode(code)
    case .command(.killed(let number)): return ExitCode(128 + number)
    case .command(.notStarted(let code)): throw CommandProgram.failure(program, code)
    case .held(let denial):
      global.say(denial, of: name)
      return conflict
    case .lost(.unreachable(let error)):
      throw Failure(
        LedgerError(
          error.code, "\(name) was given up and its command ended: \(error.message)",
          hint: error.hint))
    case .lost(let loss):
      global.say(loss, of: name)
      return conflict
    }
  }
}

/// What guard has to say goes to standard error: standard output belongs to the command.
extension GlobalOptions {
  fileprivate func say(_ denial: Denial, of name: String) {
    if json { return Console.error(JSON.denial(denial).rendered + "\n") }
    note("\(name) is held by " + (denial.holder?.readable ?? "another process"))
    hint(denial.advice)
  }

  fileprivate func say(_ loss: InstanceLoss, of name: String) {
    let holder: InstanceHolder? = if case .takenOver(let holder) = loss { holder } else { nil }
    if json {
      return Console.error(
        JSON.instanceLoss(name, holder).rendered + "\n")
    }
    let how = holder.map { "taken over by " + $0.readable } ?? "evicted by an operator"
    note("\(name) was \(how); its command was ended")
  }
}
