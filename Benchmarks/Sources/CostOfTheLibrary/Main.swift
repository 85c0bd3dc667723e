import TradeLedger

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// One durable attempt, as a user of the library makes it: `reserve` on a bot that has not traded
/// yet, so that each one is admitted. The counterpart of CostInC.
///
///     CostOfTheLibrary LEDGER
///
/// For each line `FIRST COUNT` of its input, reserves for the bots FIRST to FIRST + COUNT - 1, one
/// after the other, and prints the nanoseconds that each took, in one line. For a line `handover
/// COUNT`, asks for something that is known without the file, so that only the way to the ledger's
/// thread and back is measured.
@main
enum Main {
  static func main() async throws {
    let ledger = try await Ledger.open(CommandLine.arguments[1])
    let symbol = try Symbol("BTC-USD")
    let quantity = try Amount("0.25")
    var permit: Permit?
    while let line = readLine() {
      let words = line.split(separator: " ")
      guard words.count == 2, let count = Int(words[1]) else {
        fatalError("not a command: \(line)")
      }
      var took: [Int64] = []
      if words[0] == "handover", let permit {
        for _ in 0..<count {
          let start = ContinuousClock.now
          _ = try await ledger.isLive(permit)
          took.append(nanoseconds(since: start))
        }
      } else if let first = Int(words[0]) {
        for number in first..<first + count {
          let order = Order(
            bot: try BotName("bot-\(number)"), side: .buy, symbol: symbol, quantity: quantity)
          let start = ContinuousClock.now
          let outcome = try await ledger.reserve(order)
          took.append(nanoseconds(since: start))
          guard case .admitted(_, let granted) = outcome else {
            fatalError("not admitted: \(outcome)")
          }
          permit = granted
        }
      }
      print(took.map(String.init).joined(separator: " "))
      fflush(nil)
    }
    await ledger.close()
  }

  private static func nanoseconds(since start: ContinuousClock.Instant) -> Int64 {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }
}
