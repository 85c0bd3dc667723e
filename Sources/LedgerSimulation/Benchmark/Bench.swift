internal import TradeLedger

/// Measures the ledger with real worker processes, and the ceilings in turns with it.
public struct Bench: Sendable {
  private let options: BenchOptions
  private let scratch: ScratchDirectory
  private let run = "bench-" + String(UInt32.random(in: 0...UInt32.max), radix: 36)

  /// Runs all cases, or until SIGINT, SIGTERM or SIGHUP.
  ///
  /// Whatever happens, no worker and no temporary directory is left behind.
  /// - Parameter told: called with each case and process count as it is done.
  /// - Returns: the signal that ended it early, if one did.
  /// - Throws: `invalidInput`; `cannotCreate`; `io` where a ceiling cannot be measured; `internal`
  ///   where a worker fails.
  public static func run(
    _ options: BenchOptions, told: (BenchResult) async throws -> Void
  ) async throws -> Int32? {
    try options.validate()
    Interruption.takeOver()
    let scratch = try ScratchDirectory("bench", in: options.directory)
    defer { scratch.remove() }
    let bench = Bench(options: options, scratch: scratch)
    for benchCase in options.cases {
      for processes in options.processes ?? benchCase.usualProcesses {
        guard let result = try await bench.measure(benchCase, processes) else {
          return Interruption.signal
        }
        try await told(result)
      }
    }
    return nil
  }

  /// - Returns: nil where a signal came.
  private func measure(_ benchCase: BenchCase, _ processes: Int) async throws -> BenchResult? {
    let large = try await prepare("ledger.db", benchCase, processes, trades: options.trades)
    let small =
      benchCase == .growth
      ? try await prepare("small.db", benchCase, processes, trades: 1000) : nil
    defer { scratch.removeFiles() }
    let designs = CeilingProgram.designs(benchCase, processes: processes)
    var (rounds, smallRounds): ([BenchRound], [BenchRound]) = ([], [])
    var ceilings: [CeilingProgram.Design: [CeilingProgram.Round]] = [:]
    for number in 0..<options.rounds {
      func ask() async throws {
        guard let path = options.ceiling else { return }
        let program = CeilingProgram(path: path, directory: scratch.path)
        for design in designs {
          ceilings[design, default: []].append(
            try await program.run(design, for: options.duration))
        }
      }
      // Who goes first changes from round to round.
      if number % 2 == 0 { try await ask() }
      func askSmall() async throws {
        guard let small else { return }
        smallRounds.append(try await BenchFloor.run(configuration(benchCase, small, processes)))
      }
      if number % 2 == 0 { try await askSmall() }
      rounds.append(try await BenchFloor.run(configuration(benchCase, large, processes)))
      if number % 2 == 1 { try await askSmall() }
      if number % 2 == 1 { try await ask() }
      if Interruption.signal != nil { return nil }
    }
    return BenchResult(
      benchCase, processes: processes, rounds, small: smallRounds,
      ceilings: designs.compactMap { summary($0, ceilings[$0] ?? [], rounds) },
      trades: benchCase == .growth ? options.trades : nil)
  }

  private func configuration(
    _ benchCase: BenchCase, _ path: String, _ processes: Int
  ) -> BenchConfiguration {
    BenchConfiguration(
      benchCase: benchCase, path: path, run: run, worker: 0, processes: processes,
      duration: options.duration, rate: options.rate, lockWait: options.lockWait,
      durability: options.durability)
  }

  private func summary(
    _ design: CeilingProgram.Design, _ found: [CeilingProgram.Round], _ rounds: [BenchRound]
  ) -> BenchCeiling? {
    let ratios = zip(rounds, found).map { $0.perSecond / max(1, $1.perSecond) }
    guard let perSecond = BenchSpread(found.map(\.perSecond)), let ratio = BenchSpread(ratios),
      let fairness = BenchSpread(found.map(\.fairness)),
      let longest = BenchSpread(found.map(\.longest)),
      let longestRatio = BenchSpread(zip(rounds, found).map { $0.longest / max(1, $1.longest) })
    else { return nil }
    return BenchCeiling(
      design: design.name, processes: design.processes, perSecond: perSecond,
      perSecondOfRounds: found.map(\.perSecond), ratio: ratio,
      fairness: fairness.median, longest: longest, longestRatio: longestRatio)
  }

  /// A ledger of mode `simulation` with the bots of the case. - Returns: its path, or its URL.
  private func prepare(
    _ name: String, _ benchCase: BenchCase, _ processes: Int, trades: Int
  ) async throws -> String {
    let path = options.server ?? scratch.path + "/" + name
    let ledger = try await Ledger.create(path, mode: .simulation)
    do throws(LedgerError) {
      try await addBots(to: ledger, benchCase, processes)
    } catch {
      await ledger.close()
      throw error
    }
    await ledger.close()
    if benchCase == .growth { try BenchRows.fill(path, trades) }
    return path
  }

  private func addBots(
    to ledger: Ledger, _ benchCase: BenchCase, _ processes: Int
  ) async throws(LedgerError) {
    let bots = BenchBots(run: run)
    func add(_ name: String, cooldown: Duration) async throws(LedgerError) {
      _ = try await ledger.addBot(try BotName(name), try BotSettings(cooldown: cooldown))
    }
    switch benchCase {
    case .guard: break
    case .hotBot: try await add(bots.hot, cooldown: BenchBots.hotCooldown)
    case .deny:
      for worker in 0..<processes {
        let bot = bots.denied(worker)
        try await add(bot, cooldown: .seconds(86_400))
        _ = try await ledger.record(
          Order(
            bot: try BotName(bot), side: .buy, symbol: try Symbol("BTC-USD"),
            quantity: try Amount("1")))
      }
    case .accept, .twoPhase, .batch, .growth:
      for worker in 0..<processes {
        for bot in bots.of(worker, benchCase) { try await add(bot, cooldown: .zero) }
      }
    }
  }
}
