internal import ArgumentParser
internal import TradeLedger

struct Resolve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Settle a trade in doubt, as an operator.",
    discussion: """
      Look the key up at the exchange first: --filled if it has the order, --void if it never got \
      it. A false "not sent" opens the way to a double trade.

      Examples:
        tradeledger resolve 12 --filled --price 60010.5 --reason "found there"
        tradeledger resolve --key signal-4711 --void --reason "not at the exchange"
      """)

  @OptionGroup var which: TradeReferenceOptions

  @Flag(name: .customLong("filled"), help: "The exchange executed the order.")
  var isFilled = false

  @Flag(name: .customLong("void"), help: "The exchange never got the order.")
  var isVoid = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How you know, in 1 to 256 bytes on one line.", valueName: "text"))
  var reason: String

  @OptionGroup var said: FillOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    guard isFilled != isVoid else {
      throw Failure.usage("filled or void?", hint: "give --filled or --void, not both")
    }
    guard isFilled || said.isEmpty else {
      throw Failure.usage(
        "a void trade has no price, quantity or time",
        hint: "leave out --price, --quantity and --filled-at")
    }
    let reference = try which.reference()
    let fill = isFilled ? try said.fill() : nil
    try global.answer(
      try await global.withLedger {
        try await $0.resolve(reference, fill: fill, reason: reason)
      },
      whereVoid:
        "void is final; if the order was executed all the same, enter it as a trade of its "
        + "own: 'tradeledger record BOT ... --filled-at TIME'")
  }
}
