internal import ArgumentParser
internal import TradeLedger

/// Which trade: by its number, or by its key, which is what one has after a crash.
struct TradeReferenceOptions: ParsableArguments {
  @Argument(help: "The trade's number.") var trade: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The trade's key, in place of its number.", valueName: "key"))
  var key: String?

  func reference() throws -> TradeReference {
    switch (trade, key) {
    case (let trade?, nil): return .id(try tradeID(trade))
    case (nil, let key?): return .key(try OrderKey(key))
    default:
      throw Failure.usage("which trade?", hint: "give its number or its --key, not both")
    }
  }
}
