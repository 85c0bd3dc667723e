internal import Subprocess
internal import SystemPackage
internal import TradeLedger

/// The C program beside the product: how fast a design is without the product's layers.
struct CeilingProgram: Sendable {
  let path: String
  let directory: String

  /// A design and the number of processes that run it.
  struct Design: Hashable, Sendable {
    let name: String
    let processes: Int
  }

  struct Round: Equatable, Sendable {
    let perSecond: Double
    /// In microseconds.
    let longest: Double
    let fairness: Double

    /// What the program prints: see Benchmarks/Sources/CostInC/ceiling.c.
    init?(_ text: String) {
      let words = text.split(whereSeparator: \.isWhitespace)
      let numbers = words.compactMap { Int64($0) }
      guard numbers.count == 8, words.count == 8, numbers[1] > 0 else { return nil }
      perSecond = rate(Int(numbers[0]), .microseconds(numbers[1]))
      longest = Double(numbers[5]) / 1000
      fairness = fairShare([Int(numbers[6]), Int(numbers[7])])
    }
  }

  /// The first one is what `ratio_to_ceiling` is about.
  static func designs(_ benchCase: BenchCase, processes: Int) -> [Design] {
    let one: [String]
    let same: [String]
    switch benchCase {
    case .accept: (one, same) = (["bare-accept", "same-accept"], ["bare-accept"])
    case .twoPhase: (one, same) = (["bare-two-phase", "same-two-phase"], [])
    case .deny, .hotBot: (one, same) = (["bare-deny", "same-deny"], ["bare-deny"])
    case .guard: (one, same) = (["same-guard"], [])
    case .batch: (one, same) = (["bare-accept", "bare-batch"], [])
    case .growth: (one, same) = (["bare-accept", "same-accept"], [])
    }
    return one.map { Design(name: $0, processes: 1) }
      + (processes > 1 ? same.map { Design(name: $0, processes: processes) } : [])
  }

  /// - Throws: `io` where the program cannot be run or says something else than a round.
  func run(_ design: Design, for duration: Duration) async throws(LedgerError) -> Round {
    let words = [
      "ceiling", design.name, directory, "\(design.processes)", "\(duration.wholeMicroseconds)",
    ]
    do {
      let result = try await Subprocess.run(
        .path(FilePath(path)), arguments: Arguments(words), output: .string(limit: 4096),
        error: .currentStandardError)
      if result.terminationStatus.isSuccess, let round = Round(result.standardOutput) {
        return round
      }
    } catch {}
    throw LedgerError(
      .io, "the ceiling \(design.name) could not be measured with \(escaped(path))",
      hint: "scripts/bench builds the program and gives it to bench")
  }
}
