internal import LedgerSimulation

/// Lines for people, one as soon as it is known.
enum BenchRendering {
  private static let widths = [9, 5, 10, 8, 9, 9, 9, 4, 7, 6, 6]

  static func headline(withCeiling: Bool) -> String {
    row(
      ["CASE", "PROCS", "PER SECOND", "P50", "P99", "P99.9", "LONGEST", "FAIR", "WAL KiB"]
        + (withCeiling ? ["/ BARE", "/ SAME"] : []))
  }

  static func line(_ result: BenchResult) -> String {
    let same = result.ceilings.first { $0.design.hasPrefix("same-") }
    let ratios = [result.ceiling?.ratio.median, same?.ratio.median]
    let line = row(
      [
        result.benchCase.rawValue, "\(result.processes)", "\(Int64(result.perSecond.median))",
        "\(result.p50)us", "\(result.p99)us", "\(result.p999)us", "\(result.longest)us",
        decimal(result.fairness.median, 2), "\(result.walBytes / 1024)",
      ] + (result.ceilings.isEmpty ? [] : ratios.map { $0.map { decimal($0, 2) } ?? "-" }))
    guard let small = result.ratioToSmall, let trades = result.trades else { return line }
    return line + "\n  \(trades) trades / 1000 trades: \(decimal(small.median, 2))"
  }

  private static func row(_ cells: [String]) -> String {
    let line = zip(cells, widths).map { $0.padded(to: $1) }.joined(separator: " ")
    return String(line.reversed().drop { $0 == " " }.reversed())
  }
}

/// `value` with a fixed number of digits after the point.
func decimal(_ value: Double, _ digits: Int) -> String {
  let scale = (0..<digits).reduce(1) { product, _ in product * 10 }
  let whole = Int64((value * Double(scale)).rounded())
  let fraction = String(whole % Int64(scale))
  return "\(whole / Int64(scale))."
    + String(repeating: "0", count: digits - fraction.count) + fraction
}

extension JSON {
  /// `tradeledger.bench/1`. Ratios are strings with three digits after the point.
  static func bench(_ result: BenchResult) -> JSON {
    [
      "schema": "tradeledger.bench/1",
      "case": .string(result.benchCase.rawValue),
      "processes": .number(result.processes),
      "per_second": .int(Int64(result.perSecond.median)),
      "per_second_range": range(result.perSecond),
      "ceiling_per_second": .number(result.ceiling.map { Int64($0.perSecond.median) }),
      "ratio_to_ceiling": .text(result.ceiling.map { decimal($0.ratio.median, 3) }),
      "ratio_to_same": .text(
        result.ceilings.first { $0.design.hasPrefix("same-") }.map { decimal($0.ratio.median, 3) }),
      "latency_us": [
        "p50": .int(result.p50), "p99": .int(result.p99), "p999": .int(result.p999),
        "max": .int(result.longest),
      ],
      "longest_us_median": .int(Int64(result.longestOfRounds.median)),
      "longest_us_range": range(result.longestOfRounds),
      "fairness": .string(decimal(result.fairness.median, 3)),
      "fairness_range": ratios(result.fairness),
      "wal_bytes": .int(result.walBytes),
      "statements_per_op": .text(result.statementsPerOperation.map { decimal($0, 2) }),
      "fsyncs_per_op": .text(result.fsyncsPerOperation.map { decimal($0, 2) }),
      "rounds": .number(result.rounds),
      "operations": .number(result.operations),
      "unanswered": .number(result.unanswered),
      "ratio_to_small": .text(result.ratioToSmall.map { decimal($0.median, 3) }),
      "ratio_to_small_range": result.ratioToSmall.map { ratios($0) } ?? .null,
      "trades": .number(result.trades),
      "ceilings": .array(result.ceilings.map(ceiling)),
    ]
  }

  private static func ceiling(_ ceiling: BenchCeiling) -> JSON {
    [
      "design": .string(ceiling.design), "processes": .number(ceiling.processes),
      "per_second": .int(Int64(ceiling.perSecond.median)),
      "per_second_rounds": .array(ceiling.perSecondOfRounds.map { .int(Int64($0)) }),
      "ratio": .string(decimal(ceiling.ratio.median, 3)), "ratio_range": ratios(ceiling.ratio),
      "fairness": .string(decimal(ceiling.fairness, 3)),
      "longest_us_median": .int(Int64(ceiling.longest.median)),
      "longest_ratio": .string(decimal(ceiling.longestRatio.median, 4)),
      "longest_ratio_range": [
        .string(decimal(ceiling.longestRatio.least, 4)),
        .string(decimal(ceiling.longestRatio.most, 4)),
      ],
    ]
  }

  private static func range(_ spread: BenchSpread) -> JSON {
    [.int(Int64(spread.least)), .int(Int64(spread.most))]
  }

  private static func ratios(_ spread: BenchSpread) -> JSON {
    [.string(decimal(spread.least, 3)), .string(decimal(spread.most, 3))]
  }
}
