internal import ArgumentParser
internal import ForeignAudit
internal import TradeLedger

struct Import: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Enter what bots have traded before, as facts of the past.",
    discussion: """
      Facts are kept whatever they violate, count for the cooldown from now on, and are reported \
      here and by the audit. A second import of the same adds nothing. Columns that are not named \
      are guessed and shown; 'docs/IMPORT.md' says what becomes what.

      All or nothing, in one transaction: while it is written, some 10,000 trades a second, others \
      wait for the write lock and are told busy (75) after their own limit; none trades twice. \
      --partial writes a few hundred at a time, leaves rejected rows out, and can be repeated.

      Exit 0: everything in the file is in the ledger. 1: some rows were rejected (--partial). 64: \
      something has to be said first. 65: rows were rejected, nothing is written; or not such a \
      file. 66: no such file, table, column or bot. 74: it cannot be read without changing it. \
      --dry-run writes nothing and ends as the import would. --json: tradeledger.import/1.

      Examples:
        tradeledger import --freqtrade tradesv3.sqlite --cooldown 15m --dry-run
        tradeledger import --hummingbot hummingbot_trades.sqlite --bot strategy
        tradeledger import --ccxt my_trades.json --bot-name momentum --source binance
        tradeledger import fills.csv --bot strategy --time done_at --source mybroker
        tradeledger import --sqlite bots.db --table orders --key client_order_id
      """)

  @OptionGroup var arguments: ImportArguments

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Add bots that the ledger does not have, with this cooldown.", valueName: "duration"))
  var cooldown: String?

  @Flag(name: .customLong("dry-run"), help: "Say what would happen and write nothing.")
  var isDryRun = false

  @Flag(help: "Leave rejected rows out, and write in small steps.")
  var partial = false

  @Flag(help: "Show every rejected row, not the first 50.")
  var all = false

  @OptionGroup(title: "Global options") var global: GlobalOptions

  /// How many are written at once where others must not wait: some tens of milliseconds.
  private static let step = 500
  /// From how many on it takes a second and is worth a word.
  private static let longTransaction = 10_000

  func run() async throws {
    let settings = try duration(cooldown).map { cooldown throws(LedgerError) in
      try BotSettings(cooldown: cooldown)
    }
    let (facts, format) = try arguments.facts(
      now: SystemClock().now().wall, wait: try Duration(interval: global.lockWait))
    var report = ImportReport(facts, format: format, isDryRun: isDryRun)
    try await global.withLedger(isDryRun ? .readOnly : .readWrite) { ledger in
      let review = try await ledger.review(facts.facts, newBots: settings?.cooldown)
      report.take(review)
      guard review.missingBots.isEmpty || settings != nil else {
        throw missing(review.missingBots, ledger.path)
      }
      report.addedBots = review.missingBots
      report.isRefused = !report.rejected.isEmpty && !partial
      if report.isRefused || isDryRun { return }
      let bots = review.missingBots.compactMap { name in
        settings.map { Bot(name: name, settings: $0) }
      }
      let new = facts.facts.indices.filter { review.standings[$0] == .new }.map { facts.facts[$0] }
      report.imported = try await enter(new, bots, ledger)
    }
    try show(report)
  }

  private func enter(_ new: [PastFact], _ bots: [Bot], _ ledger: Ledger) async throws -> Int {
    guard partial else {
      if new.count >= Import.longTransaction {
        global.note(
          "note: \(new.count) trades in one transaction; whoever wants to trade meanwhile waits, "
            + "and is told busy after its own limit")
      }
      return try await ledger.enter(new, addingBots: bots)
    }
    var count = 0
    for start in stride(from: 0, to: new.count, by: Import.step) {
      let step = Array(new[start..<min(start + Import.step, new.count)])
      count += try await ledger.enter(step, addingBots: start == 0 ? bots : [])
    }
    return count
  }

  private func missing(_ bots: [BotName], _ path: String) -> Failure {
    let names = bots.prefix(20).map { "'\($0)'" }.joined(separator: ", ")
    let more = bots.count > 20 ? " and \(bots.count - 20) more" : ""
    return Failure(
      "no_such_bot", .noInput,
      "the ledger \(shortened(path)) does not have \(bots.count == 1 ? "the bot" : "the bots") "
        + names + more + "; nothing was written",
      hint: "add them with 'tradeledger bot add NAME --cooldown 15m', or all at once: import with "
        + "--cooldown 15m")
  }

  private func show(_ report: ImportReport) throws {
    if global.json {
      try Console.out(report.json)
    } else {
      try Console.out(report.summary(global.colors, showsAll: all))
    }
    if report.rejected.isEmpty { return }
    guard report.isRefused else { throw ExitStatus.no }
    Console.error(
      Failure(
        "rows_rejected", .badData,
        "\(report.rejected.count) of \(report.rowCount) rejected; nothing was written",
        hint: "put them right, or leave them out with --partial"
      ).lines(isQuiet: global.quiet, colors: Colors(global.color, stream: 2)))
    throw ExitStatus.badData
  }
}
