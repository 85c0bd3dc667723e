internal import Histogram

/// Times in nanoseconds, to three digits.
typealias Latencies = Histogram<UInt64>

/// What a worker process has done in a round.
struct BenchReport: Sendable {
  /// Answers of the kind that the case is about.
  var operations = 0
  /// Calls that ended with `busy`, and, at a rate, what was due and never begun.
  var unanswered = 0
  var elapsed = Duration.zero
  var latencies = BenchReport.empty
  /// What the library counted; nil: it does not count.
  var statements: Int?
  var fsyncs: Int?

  /// Room for a minute. Made once, because making it, and growing it, takes milliseconds.
  private static let empty = {
    var latencies = Latencies(
      highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)
    latencies.autoResize = true
    return latencies
  }()

  mutating func record(_ wait: Duration) {
    let (seconds, attoseconds) = wait.components
    let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    // The histogram grows where that is not enough, so nothing is lost; it starts at one.
    _ = latencies.record(UInt64(max(1, nanoseconds)))
  }
}

extension BenchReport {
  /// One line for the supervisor.
  var text: String {
    let counts = latencies.recordedValues().map { "\($0.value):\($0.count)" }
    return "done \(operations) \(unanswered) \(elapsed.nanoseconds) "
      + "\(statements.map { String($0) } ?? "-") \(fsyncs.map { String($0) } ?? "-") "
      + counts.joined(separator: " ")
  }

  /// nil: not what a worker writes.
  init?(_ line: String) {
    let words = line.split(separator: " ")
    guard words.count >= 6, words[0] == "done", let operations = Int(words[1]),
      let unanswered = Int(words[2]), let elapsed = Int64(words[3])
    else { return nil }
    self.operations = operations
    self.unanswered = unanswered
    self.elapsed = .nanoseconds(elapsed)
    statements = Int(words[4])
    fsyncs = Int(words[5])
    for word in words[6...] {
      let parts = word.split(separator: ":")
      guard parts.count == 2, let value = UInt64(parts[0]), let count = UInt64(parts[1]) else {
        return nil
      }
      _ = latencies.record(value, count: count)
    }
  }
}

extension Duration {
  fileprivate var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }
}
