internal import ArgumentParser
internal import Logging
internal import TradeLedger

enum ColorChoice: String, CaseIterable, ExpressibleByArgument {
  case auto, always, never
}

/// The options that every command takes, before its name or after it.
struct GlobalOptions: ParsableArguments {
  @Option(
    name: .customLong("db"), parsing: .unconditional,
    help: ArgumentHelp(
      "The ledger file, or postgresql://... Without it, the variable TRADELEDGER_DB.",
      valueName: "path"), completion: .file())
  var database: String?

  @Flag(help: "One JSON object on standard output, also on failure.")
  var json = false

  @Flag(help: "No notes and no hints on standard error.")
  var quiet = false

  @Flag(help: "Log lines on standard error.")
  var verbose = false

  @Option(help: ArgumentHelp("Colours on standard output and error.", valueName: "when"))
  var color: ColorChoice = .auto

  @Option(
    name: .customLong("lock-wait"), parsing: .unconditional,
    help: ArgumentHelp("The longest wait for the write lock.", valueName: "duration"))
  var lockWait = "5s"

  /// The ledger's path, or the URL of its database.
  /// - Throws: 64 where nobody says which.
  func path() throws(Failure) -> String {
    let given = database.flatMap { $0.isEmpty ? nil : $0 } ?? environment("TRADELEDGER_DB")
    guard let given else {
      throw .usage(
        "no ledger is named", hint: "give --db PATH, or set TRADELEDGER_DB to the path")
    }
    return given
  }

  /// The path of a ledger that is a file.
  /// - Throws: 78 for one on a server, with what is done there instead.
  func filePath(_ command: String, instead: String) throws(Failure) -> String {
    let path = try path()
    guard Ledger.isServer(path) else { return path }
    throw Failure(
      "configuration", .configuration, "\(command) is for ledgers in files", hint: instead)
  }

  func ledgerOptions(_ access: Ledger.Options.Access) throws(LedgerError) -> Ledger.Options {
    var options = Ledger.Options()
    options.access = access
    options.lockWait = try Duration(interval: lockWait)
    options.thread = ShortCommands.thread
    if verbose {
      options.logger = Logger(label: "tradeledger") { _ in StandardErrorLogHandler() }
    }
    return options
  }

  /// Opens the ledger, runs `body` and closes it again, whatever happens.
  func withLedger<Result>(
    _ access: Ledger.Options.Access = .readWrite,
    durability: Ledger.Options.Durability = .full,
    do body: (Ledger) async throws -> Result
  ) async throws -> Result {
    var options = try ledgerOptions(access)
    options.durability = durability
    let ledger = try await Ledger.open(try path(), options: options)
    do {
      let result = try await body(ledger)
      await ledger.close()
      return result
    } catch {
      await ledger.close()
      throw error
    }
  }

  var colors: Colors { Colors(color, stream: 1) }

  /// A line on stderr that is neither data nor an error.
  func note(_ text: String) {
    if !quiet { Console.error(escaped(text) + "\n") }
  }

  /// What to do about an answer.
  func hint(_ text: String) {
    if !quiet {
      let hint = folded(escaped(text), indent: 6, columns: Console.columns(2))
      Console.error(Colors(color, stream: 2).faint("hint:") + " " + hint + "\n")
    }
  }
}
