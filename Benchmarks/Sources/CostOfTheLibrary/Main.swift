import TradeLedger

/// One durable attempt, as a user of the library makes it: `reserve` on a bot that has not traded
/// yet, so that each one is admitted. The counterpart of CostInC.
///
///     CostOfTheLibrary LEDGER FIRST COUNT
///
/// Reserves for the bots FIRST to FIRST + COUNT - 1, one after the other, and prints the
/// nanoseconds that each took, one in a line.
@main
enum Main {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 4, let first = Int(arguments[2]), let count = Int(arguments[3]) else {
      fatalError("usage: CostOfTheLibrary LEDGER FIRST COUNT")
    }
    let ledger = try await Ledger.open(arguments[1])
    let symbol = try Symbol("BTC-USD")
    let quantity = try Amount("0.25")
    var took: [Int64] = []
    took.reserveCapacity(count)
    for number in first..<first + count {
      let order = Order(
        bot: try BotName("bot-\(number)"), side: .buy, symbol: symbol, quantity: quantity)
      let start = ContinuousClock.now
      let outcome = try await ledger.reserve(order)
      let elapsed = (ContinuousClock.now - start).components
      guard case .admitted = outcome else { fatalError("not admitted: \(outcome)") }
      took.append(elapsed.seconds * 1_000_000_000 + elapsed.attoseconds / 1_000_000_000)
    }
    for nanoseconds in took { print(nanoseconds) }
    await ledger.close()
  }
}
