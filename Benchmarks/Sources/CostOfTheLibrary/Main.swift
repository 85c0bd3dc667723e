import TradeLedger

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// One durable attempt, as a user of the library makes it: `reserve` on a bot that may trade. The
/// counterpart of CostInC.
///
///     CostOfTheLibrary LEDGER [elsewhere] [instance]
///
/// For each line `COUNT` of its input, reserves for the first COUNT bots, one after the other, and
/// prints the nanoseconds that each took, in one line; before the next line it voids them. The loop
/// runs on the ledger's executor, as README advises for a worker; with `elsewhere` on the
/// cooperative pool, from where each call goes to the ledger's thread and back. With `instance` it
/// takes an instance name and lets go of it instead, COUNT times.
@main
enum Main {
  static func main() async throws {
    let words = CommandLine.arguments
    let ledger = try await Ledger.open(words[1])
    let isElsewhere = words.contains("elsewhere")
    let isInstance = words.contains("instance")
    try await withTaskExecutorPreference(isElsewhere ? nil : ledger.executor) {
      if isInstance { try await answerInstances(ledger) } else { try await answer(ledger) }
    }
    await ledger.close()
  }

  private static func answer(_ ledger: Ledger) async throws {
    let symbol = try Symbol("BTC-USD")
    let quantity = try Amount("0.25")
    var permits: [Permit] = []
    while let line = readLine() {
      guard let count = Int(line) else { fatalError("not a count: \(line)") }
      var took: [Int64] = []
      for permit in permits {
        _ = try await ledger.void(permit.trade, token: permit.token, reason: "measured")
      }
      permits = []
      for number in 0..<count {
        let order = Order(
          bot: try BotName("bot-\(number)"), side: .buy, symbol: symbol, quantity: quantity)
        let start = ContinuousClock.now
        let outcome = try await ledger.reserve(order)
        took.append(nanoseconds(since: start))
        guard case .admitted(_, let permit) = outcome else {
          fatalError("not admitted: \(outcome)")
        }
        permits.append(permit)
      }
      print(took.map(String.init).joined(separator: " "))
      fflush(nil)
    }
  }

  private static func answerInstances(_ ledger: Ledger) async throws {
    let name = try InstanceName("desk")
    while let line = readLine() {
      guard let count = Int(line) else { fatalError("not a count: \(line)") }
      var took: [Int64] = []
      for _ in 0..<count {
        let start = ContinuousClock.now
        guard case .acquired(let lease) = try await ledger.acquireInstance(name) else {
          fatalError("held")
        }
        try await lease.release()
        took.append(nanoseconds(since: start))
      }
      print(took.map(String.init).joined(separator: " "))
      fflush(nil)
    }
  }

  private static func nanoseconds(since start: ContinuousClock.Instant) -> Int64 {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }
}
