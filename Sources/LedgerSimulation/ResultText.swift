internal import TradeLedger

/// A simulation's result for people.
extension SimulationResult {
  /// The verdict in words.
  public var headline: String {
    let doubles = counted(doubleTrades, "double trade")
    let shown = violations.filter { !$0.isDouble && $0.kind != .twoInstances }
    let others = Set(shown.map(\.kind)).count
    var text = verdict == .holds ? "HOLDS: " : "VIOLATED: "
    if isPartial && verdict == .holds { text = "INTERRUPTED, nothing violated so far: " }
    text += "\(doubles) in \(counted(trades, "trade")) of \(counted(options.bots, "bot"))"
    if secondInstances > 0 {
      text += ", \(counted(secondInstances, "second instance")) of \(counted(instances, "name"))"
    }
    if others > 0 { text += ", and \(counted(others, "other kind")) of violation" }
    text += ", by \(counted(options.workers, "worker"))"
    let faults = [
      (kills, "kill"), (pauses, "pause"), (clockJumps, "clock jump"), (cleanups, "cleanup"),
    ]
    .filter { $0.0 > 0 }.map { counted($0.0, $0.1) }
    if !faults.isEmpty { text += " under \(faults.joined(separator: ", "))" }
    text += " in \(elapsed.readable)"
    return isPartial ? text + " (partial)" : text
  }

  /// What SQLite itself has prevented, where a strategy leaves it to that.
  public var remark: String? {
    guard busyErrors > 0, options.strategy != .ledger else { return nil }
    let refused = "SQLite refused \(counted(busyErrors, "transaction")) (\"database is locked\")"
    return doubleTrades == 0
      ? "\(counted(doubleTrades, "double trade")), \(counted(busyErrors, "busy error")): \(refused)"
      : "\(refused); the bots wrote again without looking again"
  }

  /// The first few violations, doubles first, and how many more there are.
  public func violationLines(limit: Int = 5) -> [String] {
    var lines: [String] = []
    var seen: Set<String> = []
    // A pair may have been found in the rows and at the exchange.
    let doubles = violations.filter { violation in
      violation.isDouble && violation.keys.last.map { seen.insert($0).inserted } ?? true
    }
    lines += doubles.prefix(limit).map(describe)
    lines += more(doubles.count - limit, "double trades")
    for kind in Violation.Kind.allCases {
      let others = violations.filter { $0.kind == kind && !$0.isDouble }
      lines += others.prefix(limit).map { violation in
        let bot = (violation.bot ?? violation.instance).map { " \(escaped($0)):" } ?? ""
        return "\(kind.rawValue):\(bot) \(escaped(violation.detail))"
      }
      lines += more(others.count - limit, kind.rawValue)
    }
    return lines
  }

  /// Counts, latency and fairness: names and what they are.
  public var figures: [(name: String, value: String)] {
    let reasons = denied.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    let deniedCount = denied.values.reduce(0, +)
    var figures = [
      ("attempts", "\(attempts)"),
      ("  admitted", "\(admitted)"),
      (
        "  denied",
        "\(deniedCount)" + (reasons.isEmpty ? "" : " (\(reasons.joined(separator: ", ")))")
      ),
      ("  busy", "\(busy)"),
      (
        "  unknown", "\(unknown)" + (untold > 0 ? " (killed before they were told: \(untold))" : "")
      ),
    ]
    if replayed > 0 { figures.append(("  replayed", "\(replayed) (tasks delivered twice)")) }
    if other > 0 { figures.append(("  other", "\(other)")) }
    if instances > 0 {
      figures.append(
        (
          "instances", "\(counted(instances, "name")), taken \(namesTaken) times, held \(namesHeld)"
        ))
    }
    figures += [
      ("in doubt", "\(inDoubt) at the end"),
      ("late fills", "\(lateFills)"),
      (
        "faults",
        "\(kills) kills, \(pauses) pauses, \(clockJumps) clock jumps"
          + (cleanups > 0 ? ", \(cleanups) cleanups (\(filesDeleted) files deleted)" : "")
      ),
      (
        "exchange",
        "\(exchange.accepted) executed, \(exchange.refused) refused, \(exchange.expired) too late, "
          + "\(exchange.repeated) repeated"
      ),
      (
        "answer after",
        "p50 \(interval(latency.p50)), p90 \(interval(latency.p90)), p99 \(interval(latency.p99)), "
          + "p99.9 \(interval(latency.p999)), max \(interval(latency.max))"
      ),
    ]
    if busyErrors > 0 { figures.append(("busy errors", "\(busyErrors)")) }
    if !waits.isEmpty {
      let longest = waits.prefix(3).map { wait in
        "\(Duration.microseconds(wait.time).readable) (worker \(wait.worker), "
          + "\(escaped(wait.outcome)))"
      }
      figures.append(("longest waits", longest.joined(separator: ", ")))
    }
    if let fairness {
      let shares = workers.map(\.admitted)
      figures.append(
        (
          "fairness",
          "\(fairness) (admissions of a worker: "
            + "\(shares.min() ?? 0) to \(shares.max() ?? 0))"
        ))
    }
    figures.append(("seed", "\(options.seed)"))
    return figures
  }

  private func describe(_ violation: Violation) -> String {
    let trades = violation.trades.map(String.init).joined(separator: " and ")
    var text = "\(escaped(violation.bot ?? "?")): "
    text += violation.kind == .doubleOrder ? "orders of trades \(trades)" : "trades \(trades)"
    if let gap = violation.gap { text += ", \(SimulationResult.seconds(gap)) apart" }
    if let cooldown = violation.cooldown {
      text += ", cooldown \(Duration.microseconds(cooldown).readable)"
    }
    if violation.pids.count == 2 {
      text += ", processes \(violation.pids[0]) and \(violation.pids[1])"
    }
    return text
  }

  private func more(_ count: Int, _ what: String) -> [String] {
    count > 0 ? ["... \(count) more \(what); --json has them all"] : []
  }

  private func counted(_ count: Int, _ what: String) -> String {
    "\(count) \(what)\(count == 1 ? "" : "s")"
  }

  private func interval(_ microseconds: UInt64) -> String {
    Duration.microseconds(Int64(clamping: microseconds)).readable
  }

  private static func seconds(_ microseconds: Int64) -> String {
    Duration.microseconds(microseconds).exactSeconds + " s"
  }
}
