public import ArgumentParser
public import TradeLedger

// The option parser refuses a word that is not in one of these lists (exit 64). Names, numbers and
// times are parsed by the library instead (exit 65).
extension Side: ExpressibleByArgument {}
extension InDoubtPolicy: ExpressibleByArgument {}
extension LedgerMode: ExpressibleByArgument {}
extension Ledger.Options.Durability: ExpressibleByArgument {}
extension TradeStatus: ExpressibleByArgument {}

/// A whole number from 1 on, in plain digits.
func positiveNumber(_ text: String, _ what: String) throws(Failure) -> Int64 {
  guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
    let value = Int64(text), value > 0
  else {
    throw .invalid(
      "not \(what): \(shortened(text))", hint: "write a whole number from 1 on, in plain digits")
  }
  return value
}

/// The exit code that a command is to end with, or ends with.
func commandExitCode(_ text: String) throws(Failure) -> Int32 {
  guard let code = Int32(text), (1...255).contains(code), text.utf8.first != 0x2B else {
    throw .invalid("not an exit code: \(shortened(text))", hint: "give a code from 1 to 255")
  }
  return code
}

/// The number of a trade.
func tradeID(_ text: String) throws(Failure) -> TradeID {
  TradeID(try positiveNumber(text, "a trade number"))
}

/// `text` in quotes, cut after 64 characters with its length named.
func shortened(_ text: String) -> String {
  let shown = String(String.UnicodeScalarView(text.unicodeScalars.prefix(64)))
  return shown == text ? "'\(text)'" : "'\(shown)…' (\(text.utf8.count) bytes)"
}

/// The order that a command line describes.
struct OrderOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp("The bot that trades.", valueName: "bot"), completion: LiveNames.bots)
  var bot: String

  @Option(help: "buy or sell.")
  var side: Side

  @Option(parsing: .unconditional, help: ArgumentHelp("What is traded.", valueName: "name"))
  var symbol: String

  @Option(
    parsing: .unconditional, help: ArgumentHelp("How much: an exact decimal.", valueName: "amount"))
  var quantity: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The limit price; none for a market order.", valueName: "amount"))
  var price: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The client order id. Repeat it after a lost answer. Without it, one is made.",
      valueName: "key"))
  var key: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The instance under which the caller acts, and its epoch. Without them, the variables "
        + "TRADELEDGER_INSTANCE and TRADELEDGER_EPOCH, which guard sets.", valueName: "name"),
    completion: LiveNames.instances)
  var instance: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Both or neither.", valueName: "number"))
  var epoch: String?

  func order() throws(LedgerError) -> Order {
    Order(
      bot: try BotName(bot), side: side, symbol: try Symbol(symbol),
      quantity: try Amount(quantity), price: try amount(price))
  }

  func orderKey() throws(LedgerError) -> OrderKey? {
    guard let key else { return nil }
    return try OrderKey(key)
  }

  func claim() throws -> InstanceClaim? {
    let isGiven = instance != nil || epoch != nil
    switch isGiven
      ? (instance, epoch)
      : (environment("TRADELEDGER_INSTANCE"), environment("TRADELEDGER_EPOCH"))
    {
    case (nil, nil): return nil
    case (let name?, let epoch?):
      return InstanceClaim(
        name: try InstanceName(name), epoch: Epoch(try positiveNumber(epoch, "an epoch")))
    default:
      throw Failure.usage(
        "an instance and its epoch belong together",
        hint: "give --instance and --epoch, or both of their variables, or neither")
    }
  }
}

/// What the exchange said.
struct FillOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The price; as ordered where it is missing.", valueName: "amount"))
  var price: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The quantity; as ordered where it is missing.", valueName: "amount"))
  var quantity: String?

  @Option(
    name: .customLong("filled-at"), parsing: .unconditional,
    help: ArgumentHelp("The exchange's own time, RFC 3339 with a zone.", valueName: "instant"))
  var filledAt: String?

  var isEmpty: Bool { price == nil && quantity == nil && filledAt == nil }

  func fill() throws(LedgerError) -> Fill {
    Fill(quantity: try amount(quantity), price: try amount(price), at: try instant(filledAt))
  }
}

/// The permit's token, from one of three places. A command line is visible to other users of the
/// machine; the environment and stdin are not.
struct TokenOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The permit's token. Without it, the variable TRADELEDGER_TOKEN.", valueName: "token"))
  var token: String?

  @Flag(name: .customLong("token-stdin"), help: "Read the token from standard input.")
  var tokenFromInput = false

  func permitToken() throws -> PermitToken {
    if tokenFromInput {
      guard token == nil else {
        throw Failure.usage(
          "--token and --token-stdin exclude each other", hint: "give one of them")
      }
      guard var text = try Console.readInput(limit: 4096) else {
        throw Failure.invalid(
          "more than 4096 bytes on standard input", hint: "give the token and nothing else")
      }
      while text.last?.isNewline == true { text.removeLast() }
      return try PermitToken(text)
    }
    guard let token = token ?? environment("TRADELEDGER_TOKEN") else {
      throw Failure.usage(
        "no token is given", hint: "give --token, --token-stdin or TRADELEDGER_TOKEN")
    }
    return try PermitToken(token)
  }
}

/// From when on.
struct RangeOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Trades of this last stretch of time, such as 24h.", valueName: "duration"))
  var since: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Trades from this instant on, RFC 3339 with a zone.", valueName: "instant"))
  var from: String?

  func start() throws -> Timestamp? {
    guard since == nil || from == nil else {
      throw Failure.usage("--since and --from exclude each other", hint: "give one of them")
    }
    guard let since else { return try instant(from) }
    let stretch = try Duration(interval: since)
    let start = SystemClock().now().wall.advanced(by: .zero - stretch)
    return max(start, Timestamp(microseconds: 0))
  }
}

func amount(_ text: String?) throws(LedgerError) -> Amount? {
  guard let text else { return nil }
  return try Amount(text)
}

func instant(_ text: String?) throws(LedgerError) -> Timestamp? {
  guard let text else { return nil }
  return try Timestamp(text)
}

func duration(_ text: String?) throws(LedgerError) -> Duration? {
  guard let text else { return nil }
  return try Duration(interval: text)
}
