internal import ArgumentParser
internal import TradeLedger

struct Execute: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Reserve, run a command that sends the order, and settle by its exit code.",
    discussion: """
      0 fills the trade as ordered, unless the command settled it itself. The code given as \
      --not-sent-code voids it, and so does a command that cannot be started. Anything else may \
      have sent the order: the trade is left in doubt, exit 70. The command finds the permit in \
      its environment ('tradeledger help environment') and owns standard output; the result goes \
      to standard error, or to --result-file as JSON.

      Examples:
        tradeledger execute momentum --side buy --symbol BTC --quantity 1 -- ./send
        tradeledger execute momentum --side buy --symbol BTC-USD --quantity 0.25 \\
          --not-sent-code 3 --result-file result.json -- python3 send.py --market spot
      """)

  @OptionGroup var order: OrderOptions

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("What the permit is settled with.", valueName: "token"))
  var token: String?

  @Option(
    name: .customLong("not-sent-code"), parsing: .unconditional,
    help: ArgumentHelp(
      "The exit code, 1 to 255, by which the command says: certainly not sent.",
      valueName: "code"))
  var notSentCode: String?

  @Option(
    name: .customLong("result-file"), parsing: .unconditional,
    help: ArgumentHelp("A new file for the result as JSON.", valueName: "path"),
    completion: .file())
  var resultFile: String?

  @OptionGroup(title: "Global options") var global: GlobalOptions

  @Argument(
    parsing: .postTerminator,
    help: ArgumentHelp("The command and its arguments, after --.", valueName: "command"),
    completion: .file())
  var command: [String] = []

  func run() async throws {
    guard let program = command.first, !program.isEmpty else {
      throw Failure.usage(
        "no command is given", hint: "write it after --, as in: execute BOT ... -- ./send-order")
    }
    let order = try order.order()
    let execution = Execution(
      order: order, key: try self.order.orderKey(),
      token: try token.map { text throws(LedgerError) in try PermitToken(text) },
      claim: try self.order.claim(), notSentCode: try notSentCode.map(commandExitCode),
      command: command)
    let report = try await global.withLedger { ledger in
      let file = try resultFile.map { path throws(Failure) in try ResultFile(path) }
      do {
        let result = try await execution.run(ledger)
        try file?.write(result.json)
        return Report(result: result, isWritten: file != nil)
      } catch let error as LedgerError {
        try? file?.write(Failure(error).json)
        throw error
      }
    }
    say(report)
    throw report.result.exit
  }

  private struct Report {
    let result: ExecutionResult
    /// To the result file.
    let isWritten: Bool
  }

  /// Standard output belongs to the command, so that everything is said on standard error.
  private func say(_ report: Report) {
    if global.json && !report.isWritten {
      return Console.error(report.result.json.rendered + "\n")
    }
    if let failure = report.result.failure {
      return Console.error(
        failure.lines(isQuiet: global.quiet, colors: Colors(global.color, stream: 2)))
    }
    global.note(report.result.line)
    if case .denied(let denial) = report.result.outcome { global.hint(denial.advice) }
  }
}
