internal import ArgumentParser
internal import ForeignAudit
internal import TradeLedger

struct Audit: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look for double trades and everything else one should know about.",
    discussion: """
      Reads only. Exit 0 without findings, 1 with findings. An empty range is no pass.

      With --sqlite, --csv, --freqtrade or --hummingbot it looks for double trades in a file that \
      is no ledger, for example the database that your bots write to now. Columns that are not \
      named are guessed and shown; --bot then names a column. Exit 64: the cooldown is not known; \
      65: not such a file, or several tables look like trades; 66: no such file, table or column; \
      74: it cannot be read without changing it; 75: locked.

      Examples:
        tradeledger audit
        tradeledger audit --bot momentum --since 7d --fail-on-empty --json
        tradeledger audit --sqlite bots.db --cooldown 15m
        tradeledger audit --sqlite bots.db --table orders --time executed_at
        tradeledger audit --csv fills.csv --cooldown 15m
        tradeledger audit --freqtrade tradesv3.sqlite --cooldown 15m --bot pair
      """)

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Of this bot alone. With a file that is no ledger: its column.", valueName: "name"),
    completion: LiveNames.bots)
  var bot: String?

  @OptionGroup var range: RangeOptions

  @Flag(name: .customLong("fail-on-empty"), help: "Exit 66 where there is nothing to examine.")
  var failsOnEmpty = false

  @Flag(name: .customLong("exit-zero"), help: "Exit 0 with findings too.")
  var exitsZero = false

  @OptionGroup(title: "Files that are no ledgers") var foreign: ForeignAuditArguments

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    if let file = try foreign.file() { return try examine(file) }
    var query = TradeQuery(since: try range.start())
    query.bot = try bot.map { text throws(LedgerError) in try BotName(text) }
    let report = try await global.withLedger(.readOnly) { [query] in try await $0.audit(query) }
    try check(examined: report.examined, "widen --since or --from, or name another --bot")
    if global.json {
      try Console.out(.audit(report))
    } else {
      let table =
        report.findings.isEmpty
        ? "" : "\n" + Table.findings(report.findings).rendered(global.colors)
      try Console.out(folded(escaped(report.verdict), indent: 0) + "\n" + table)
      for advice in report.advice { global.hint(advice) }
    }
    if !report.findings.isEmpty && !exitsZero { throw ExitStatus.no }
  }

  private func examine(_ file: ForeignAuditArguments.File) throws {
    guard range.since == nil && range.from == nil else {
      throw Failure.usage(
        "--since and --from are for a ledger", hint: "a file that is no ledger is examined whole")
    }
    let report = try foreign.examine(
      file, bot: bot, wait: try Duration(interval: global.lockWait))
    try check(examined: report.examined, "see what was not read: run it without --fail-on-empty")
    if global.json {
      try JSON.write(report)
    } else {
      try Console.out(report.summary(global.colors, showsAll: foreign.all))
    }
    if report.findingCount > 0 && !exitsZero { throw ExitStatus.no }
  }

  private func check(examined: Int, _ hint: String) throws(Failure) {
    if examined == 0 && failsOnEmpty {
      throw Failure(
        "nothing_to_examine", .noInput, "nothing examined: the range is empty", hint: hint)
    }
  }
}

/// Which file to examine instead of the ledger, and how to read it.
struct ForeignAuditArguments: ParsableArguments {
  enum File {
    case sqlite(String)
    case csv(String)
    case freqtrade(String)
    case hummingbot(String)
  }

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Examine this SQLite database, which is not changed.", valueName: "file"),
    completion: .file())
  var sqlite: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Examine this CSV file; its first line names columns.", valueName: "file"),
    completion: .file())
  var csv: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Examine the executed orders of this freqtrade database. --bot: a column of its trades.",
      valueName: "file"),
    completion: .file())
  var freqtrade: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Examine the orders of this hummingbot database. --bot: a column of TradeFill.",
      valueName: "file"),
    completion: .file())
  var hummingbot: String?

  @OptionGroup var columns: ForeignColumnOptions

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The cooldown of every bot. Without it, a column such as cooldown_minutes is read.",
      valueName: "duration"))
  var cooldown: String?

  @Flag(help: "Show every finding, not the first 50.")
  var all = false

  /// The file; nil for the ledger.
  /// - Throws: 64 where the options do not go together.
  func file() throws(Failure) -> File? {
    let files = [
      sqlite.map { File.sqlite($0) }, csv.map { File.csv($0) },
      freqtrade.map { File.freqtrade($0) }, hummingbot.map { File.hummingbot($0) },
    ].compactMap { $0 }
    guard files.count < 2 else {
      throw .usage(
        "--sqlite, --csv, --freqtrade and --hummingbot exclude each other",
        hint: "give one of them")
    }
    switch files.first {
    case .sqlite: break
    case .csv:
      guard columns.table == nil else {
        throw .usage("--table is for --sqlite", hint: "a CSV file is one table")
      }
    case .freqtrade, .hummingbot:
      guard columns.isEmpty else {
        throw .usage(
          "--table, --time, --id, --status and --ignore-status are for --sqlite and --csv",
          hint: "leave them out: what is read there is always the same")
      }
    case nil:
      guard columns.isEmpty, cooldown == nil, !all else {
        throw .usage(
          "--table, --time, --id, --status, --cooldown, --ignore-status and --all are for files "
            + "that are no ledgers",
          hint: "name the file with --sqlite, --csv, --freqtrade or --hummingbot")
      }
    }
    return files.first
  }

  func examine(_ file: File, bot: String?, wait: Duration) throws -> ForeignReport {
    var options = ForeignAuditOptions()
    options.table = columns.table
    options.bot = bot
    options.time = columns.time
    options.id = columns.id
    options.status = columns.status
    options.cooldown = try duration(cooldown)
    options.ignoresStatus = columns.ignoresStatus
    options.wait = wait
    do throws(ForeignAuditError) {
      return switch file {
      case .sqlite(let path): try ForeignAudit.sqlite(path, options)
      case .csv(let path): try ForeignAudit.csv(path, options)
      case .freqtrade(let path): try ForeignAudit.freqtrade(path, options)
      case .hummingbot(let path): try ForeignAudit.hummingbot(path, options)
      }
    } catch { throw Failure(error) }
  }
}

extension Failure {
  init(_ error: ForeignAuditError) {
    let exit: ExitStatus =
      switch error.code {
      case .usage: .usage
      case .badData: .badData
      case .noInput: .noInput
      case .io: .ioFailed
      case .busy: .tryAgain
      case .permission: .noPermission
      }
    self.init(error.code.rawValue, exit, error.message, hint: error.hint)
  }
}
