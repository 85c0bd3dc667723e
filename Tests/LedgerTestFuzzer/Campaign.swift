import Glibc
import TradeLedger

/// A run over many mutants, and what came of it.
final class Campaign {
  private let directory: String
  private let goods: [GoodLedger]
  private let judge: Judge
  private let clock = SteppedClock()
  private let seedFile: Int32
  private var counts: [String: Int] = [:]
  private(set) var isClean = true

  init(_ directory: String) async throws {
    self.directory = directory
    goods = try await GoodLedger.all(directory, clock)
    let path = directory + "/good.db"
    goods[0].image.write(path)
    judge = try Judge(good: path)
    for good in goods {
      good.image.write(path)
      if let complaint = judge.complaint(path) { throw Failure("\(good.name): \(complaint)") }
    }
    seedFile = open(directory + "/seed", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
  }

  /// The whole life of one mutant.
  func run(_ seed: UInt64) async {
    note(seed)
    // Whoever takes longer than this hangs: SIGALRM ends the process.
    alarm(60)
    var random = SeededRandom(seed: seed)
    let good = goods[random.below(goods.count)]
    let path = directory + "/mutant.db"
    var image = good.image
    var names: [String] = []
    for _ in 0...(random.below(4) / 2) {
      let mutation = Mutation.random(&random)
      names.append(mutation.rawValue)
      let other = goods[random.below(goods.count)].image
      mutation.apply(&image, other: other, path: path, &random)
    }
    image.write(path)
    let answers = await Answers.of(path, clock)
    compare(answers, good, image, "seed \(seed) (\(good.name): \(names.joined(separator: ", ")))")
    alarm(0)
  }

  private func compare(
    _ found: Answers, _ good: GoodLedger, _ image: LedgerImage, _ name: String
  ) {
    count("files")
    if let code = found.errors[.open] { count("refused: \(code)") }
    if found.isChangedThoughRefused && image.journal.isEmpty {
      fail("\(name): changed though refused")
    }
    let different = Answers.Question.allCases.filter { question in
      found.answers[question].map { $0 != good.answers.answers[question] } ?? false
    }
    if different.isEmpty {
      count(
        found.errors.isEmpty
          ? "the known answers" : found.errors[.open] == nil ? "errors after opening" : "refused")
      return
    }
    let path = directory + "/judged.db"
    image.write(path)
    guard let complaint = judge.complaint(path) else {
      count("another sound ledger")
      return
    }
    // A sound file whose rows were rewritten past the triggers. The audit compares effective times:
    // a forged created_at alone is beyond it, so this is counted and not judged.
    if complaint == "INV-1" {
      let isSeen = found.answers[.audit]?.contains("doubleTrade") ?? true
      count(isSeen ? "forged rows, named by the audit" : "forged rows, not named by the audit")
      return
    }
    if good.isLarge && found.errors[.audit] != nil {
      count("large: other answers, until the audit refused")
      return
    }
    let shown = different.map { question in
      "  \(question): \(difference(found.answers[question]!, good.answers.answers[question]!))"
    }
    fail("\(name): other answers about a file with: \(complaint)\n\(shown.joined(separator: "\n"))")
  }

  private func difference(_ found: String, _ known: String) -> String {
    let same = zip(found, known).prefix { $0 == $1 }.count
    return "...\(found.dropFirst(max(0, same - 40)).prefix(100))... known: "
      + "...\(known.dropFirst(max(0, same - 40)).prefix(100))..."
  }

  private func fail(_ text: String) {
    isClean = false
    count("WRONG")
    print("WRONG \(text)")
    fflush(nil)
  }

  private func count(_ name: String) { counts[name, default: 0] += 1 }

  private func note(_ seed: UInt64) {
    let text = Array("\(seed)\n".utf8)
    pwrite(seedFile, text, text.count, 0)
  }

  /// One line for each thing that happened.
  func report() {
    for (name, count) in counts.sorted(by: { $0.key < $1.key }) { print("\(name): \(count)") }
  }
}
