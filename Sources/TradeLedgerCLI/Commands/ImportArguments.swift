internal import ArgumentParser
internal import ForeignAudit
internal import TradeLedger

/// Which file to import, and how to read it: in the words of `audit`.
struct ImportArguments: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "A CSV file, a SQLite database, or what 'export --format ndjson' has written.",
      valueName: "file"),
    completion: .file())
  var file: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("A CSV file.", valueName: "file"),
    completion: .file())
  var csv: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("A SQLite database, which is not changed.", valueName: "file"),
    completion: .file())
  var sqlite: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("The database of a freqtrade.", valueName: "file"),
    completion: .file())
  var freqtrade: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("The database of a hummingbot.", valueName: "file"),
    completion: .file())
  var hummingbot: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Trades as ccxt unifies them: a JSON array, or one on each line.", valueName: "file"),
    completion: .file())
  var ccxt: String?

  @OptionGroup var columns: ForeignColumnOptions

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The column of the bots' names.", valueName: "column"))
  var bot: String?

  @Option(
    name: .customLong("bot-name"), parsing: .unconditional,
    help: ArgumentHelp("The bot of every row, instead of a column.", valueName: "name"))
  var botName: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The column of the client order ids, which become the keys as they are.", valueName: "column")
  )
  var key: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("The column of buy and sell.", valueName: "column"))
  var side: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The column of what was traded.", valueName: "column"))
  var symbol: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The column of how much was executed.", valueName: "column"))
  var quantity: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The column of the price it had.", valueName: "column"))
  var price: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "What the ids belong to: the same name for each file of one source.", valueName: "name"))
  var source: String?

  /// - Throws: 64 where the options do not go together.
  func chosen() throws(Failure) -> (String, ForeignFactOptions.Format?) {
    let given: [(String?, ForeignFactOptions.Format?)] = [
      (file, nil), (csv, .csv), (sqlite, .sqlite), (freqtrade, .freqtrade),
      (hummingbot, .hummingbot), (ccxt, .ccxt),
    ]
    let named = given.compactMap { path, format in path.map { ($0, format) } }
    guard named.count == 1 else {
      throw .usage(
        named.isEmpty ? "no file is named" : "several files are named",
        hint: "name one: FILE, --csv, --sqlite, --freqtrade, --hummingbot or --ccxt")
    }
    return named[0]
  }

  func facts(now: Timestamp, wait: Duration) throws -> (ForeignFacts, String) {
    let (path, given) = try chosen()
    let options = try options(now: now, wait: wait)
    do throws(ForeignAuditError) {
      let format = if let given { given } else { try ForeignImport.format(of: path) }
      try expectFitting(format)
      return (try ForeignImport.read(path, format, options), format.rawValue)
    } catch { throw Failure(error) }
  }

  private func options(now: Timestamp, wait: Duration) throws -> ForeignFactOptions {
    guard bot == nil || botName == nil else {
      throw Failure.usage("--bot and --bot-name exclude each other", hint: "give one of them")
    }
    var options = ForeignFactOptions(now: now)
    options.table = columns.table
    options.bot = bot
    options.botName = try botName.map { text throws(LedgerError) in try BotName(text) }
    options.time = columns.time
    options.id = columns.id
    options.key = key
    options.side = side
    options.symbol = symbol
    options.quantity = quantity
    options.price = price
    options.status = columns.status
    options.ignoresStatus = columns.ignoresStatus
    options.source = source
    options.wait = wait
    return options
  }

  /// No option is ignored in silence.
  private func expectFitting(_ format: ForeignFactOptions.Format) throws(ForeignAuditError) {
    let named = [
      columns.time, columns.id, columns.status, key, side, symbol, quantity, price,
    ]
    let hasColumns = format == .csv || format == .sqlite
    let isPeer = format == .freqtrade || format == .hummingbot
    var unfit: String?
    if columns.table != nil && format != .sqlite { unfit = "--table" }
    if !hasColumns && named.contains(where: { $0 != nil }) { unfit = "naming columns" }
    if bot != nil && !hasColumns && !isPeer { unfit = "--bot" }
    if columns.ignoresStatus && !hasColumns { unfit = "--ignore-status" }
    if source != nil && format == .ndjson { unfit = "--source" }
    if let unfit { throw .unfit(unfit, format) }
  }
}
