internal import Histogram
internal import TradeLedger

/// What a number was in several rounds.
public struct BenchSpread: Equatable, Sendable {
  public let least: Double
  public let median: Double
  public let most: Double

  /// nil: there were no rounds.
  init?(_ values: [Double]) {
    let sorted = values.sorted()
    guard let first = sorted.first, let last = sorted.last else { return nil }
    least = first
    most = last
    let middle = sorted.count / 2
    median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}

/// A ceiling, measured in the same rounds as the product.
public struct BenchCeiling: Equatable, Sendable {
  public let design: String
  public let processes: Int
  public let perSecond: BenchSpread
  /// The same, round by round: two ceilings of one round can be compared.
  public let perSecondOfRounds: [Double]
  /// The product's rate divided by this one's, round by round.
  public let ratio: BenchSpread
  public let fairness: Double
  /// The longest wait in each round, in microseconds.
  public let longest: BenchSpread
  /// The product's longest wait divided by this one's, round by round.
  public let longestRatio: BenchSpread
}

/// What one case took with one number of processes.
public struct BenchResult: Sendable {
  public let benchCase: BenchCase
  public let processes: Int
  public let rounds: Int
  public let perSecond: BenchSpread
  public let operations: Int
  public let unanswered: Int
  /// Over all rounds, in microseconds.
  public let p50, p99, p999, longest: Int64
  /// The longest wait in each round, in microseconds.
  public let longestOfRounds: BenchSpread
  /// The smallest process's share divided by the largest, of each round.
  public let fairness: BenchSpread
  /// The largest size of the log that was seen.
  public let walBytes: Int64
  public let statementsPerOperation: Double?
  public let fsyncsPerOperation: Double?
  /// The first one is `bare` with one process, where the case has one.
  public let ceilings: [BenchCeiling]
  /// `growth` alone: the rate in the large ledger divided by that in the small one.
  public let ratioToSmall: BenchSpread?
  /// Trades of the large ledger.
  public let trades: Int?

  /// Plain tables, one process.
  public var ceiling: BenchCeiling? {
    ceilings.first { $0.design.hasPrefix("bare-") && $0.processes == 1 }
  }
}

/// One round of the product.
struct BenchRound: Sendable {
  let reports: [BenchReport]
  let walBytes: Int64

  var operations: Int { reports.reduce(0) { $0 + $1.operations } }

  var perSecond: Double {
    let elapsed = reports.map(\.elapsed).max() ?? .zero
    return rate(operations, elapsed)
  }

  var fairness: Double { fairShare(reports.map(\.operations)) }

  var longest: Double {
    Double(reports.map { $0.latencies.maxRecorded }.max() ?? 0) / 1000
  }
}

func rate(_ operations: Int, _ elapsed: Duration) -> Double {
  let microseconds = elapsed.wholeMicroseconds
  return microseconds > 0 ? Double(operations) * 1_000_000 / Double(microseconds) : 0
}

/// The smallest share divided by the largest. Nobody did anything: zero.
func fairShare(_ shares: [Int]) -> Double {
  guard let least = shares.min(), let most = shares.max(), most > 0 else { return 0 }
  return Double(least) / Double(most)
}

extension BenchResult {
  init(
    _ benchCase: BenchCase, processes: Int, _ rounds: [BenchRound], small: [BenchRound],
    ceilings: [BenchCeiling], trades: Int?
  ) {
    var all = Latencies(numberOfSignificantValueDigits: .three)
    for report in rounds.flatMap(\.reports) { all.add(report.latencies) }
    self.benchCase = benchCase
    self.processes = processes
    self.rounds = rounds.count
    let nothing = BenchSpread(zero: ())
    perSecond = BenchSpread(rounds.map(\.perSecond)) ?? nothing
    operations = rounds.reduce(0) { $0 + $1.operations }
    unanswered = rounds.flatMap(\.reports).reduce(0) { $0 + $1.unanswered }
    func microseconds(_ value: UInt64) -> Int64 { (Int64(value) + 500) / 1000 }
    p50 = microseconds(all.valueAtPercentile(50))
    p99 = microseconds(all.valueAtPercentile(99))
    p999 = microseconds(all.valueAtPercentile(99.9))
    longest = microseconds(all.maxRecorded)
    longestOfRounds = BenchSpread(rounds.map(\.longest)) ?? nothing
    fairness = BenchSpread(rounds.map(\.fairness)) ?? nothing
    walBytes = rounds.map(\.walBytes).max() ?? 0
    statementsPerOperation = BenchResult.perOperation(rounds, \.statements)
    fsyncsPerOperation = BenchResult.perOperation(rounds, \.fsyncs)
    self.ceilings = ceilings
    ratioToSmall = BenchSpread(zip(rounds, small).map { $0.perSecond / max(1, $1.perSecond) })
    self.trades = trades
  }

  /// nil where the library does not count.
  private static func perOperation(
    _ rounds: [BenchRound], _ count: KeyPath<BenchReport, Int?>
  ) -> Double? {
    let reports = rounds.flatMap(\.reports)
    let counts = reports.compactMap { $0[keyPath: count] }
    let operations = reports.reduce(0) { $0 + $1.operations }
    guard counts.count == reports.count, operations > 0 else { return nil }
    return Double(counts.reduce(0, +)) / Double(operations)
  }
}

extension BenchSpread {
  fileprivate init(zero: Void) {
    least = 0
    median = 0
    most = 0
  }
}
