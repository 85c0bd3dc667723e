internal import Metrics
internal import Synchronization

/// Counts what was asked and answered. Labels are bot, outcome and reason: never a pid or a trade,
/// so that their number stays bounded. Each metric object is made once.
final class LedgerMetrics: Sendable {
  private struct Key: Hashable {
    let label: String
    let bot: String
    let outcome: String
    let reason: String
  }
  private let counters = Mutex<[Key: Counter]>([:])
  private let timer = Timer(label: "tradeledger_attempt_duration")

  /// Adds one to `tradeledger_<label>_total`.
  ///
  /// - Parameter bot: nil for a name that no bot has: whatever callers make up is no label.
  func count(_ label: String, bot: BotName?, outcome: String, reason: String = "") {
    let key = Key(
      label: label, bot: bot?.description ?? "", outcome: outcome, reason: reason)
    counters.withLock { counters in
      if let counter = counters[key] { return counter.increment() }
      let counter = Counter(
        label: "tradeledger_\(label)_total",
        dimensions: [("bot", key.bot), ("outcome", outcome), ("reason", reason)])
      counters[key] = counter
      counter.increment()
    }
  }

  /// Records how long one attempt took, waiting included.
  func attemptTook(_ duration: Duration) {
    timer.recordMicroseconds(duration.wholeMicroseconds)
  }
}
