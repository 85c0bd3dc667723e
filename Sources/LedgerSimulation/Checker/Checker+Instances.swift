/// Who was the instance of a name, and when: INV-7, judged by what the processes were told.
extension Checker {
  func instanceRules() -> [Violation] {
    let byName = Dictionary(grouping: evidence.tenures, by: \.name).sorted { $0.key < $1.key }
    return byName.flatMap { name, tenures in
      twoInstances(name, tenures) + epochRules(name, tenures) + heldRules(name, tenures)
    } + rowsOfInstances() + evidence.tenures.compactMap(tenureRule)
  }

  /// A process is an instance for certain from the moment at which it is told so to the moment at
  /// which it is about to let go, or is sent a kill. No two of these may overlap.
  private func twoInstances(_ name: String, _ tenures: [Tenure]) -> [Violation] {
    var found: [Violation] = []
    var last: (tenure: Tenure, end: Int64)?
    for (tenure, certain) in tenures.compactMap(\.certain).sorted(by: {
      $0.1.lowerBound < $1.1.lowerBound
    }) {
      if let last, last.end > certain.lowerBound {
        let overlap = min(last.end, certain.upperBound) - certain.lowerBound
        var violation = Violation(
          .twoInstances,
          "processes \(last.tenure.pid) and \(tenure.pid) were both \(name), for \(overlap) us")
        violation.instance = name
        violation.pids = [last.tenure.pid, tenure.pid]
        found.append(violation)
      }
      if certain.upperBound > last?.end ?? .min { last = (tenure, certain.upperBound) }
    }
    return found
  }

  /// No epoch is given twice, and whoever asks after another one was told gets a higher one.
  private func epochRules(_ name: String, _ tenures: [Tenure]) -> [Violation] {
    let taken = tenures.filter { $0.epoch != nil }.sorted { $0.epoch ?? 0 < $1.epoch ?? 0 }
    return zip(taken, taken.dropFirst()).compactMap { lower, higher in
      let isBack = higher.told?.boot ?? .max < lower.asked.boot
      guard isBack || lower.epoch == higher.epoch else { return nil }
      var violation = Violation(
        .epochNotRaised,
        "\(name) was given to \(lower.pid) with epoch \(lower.epoch ?? 0), and to \(higher.pid) "
          + "with epoch \(higher.epoch ?? 0)" + (isBack ? " before that" : ""))
      violation.instance = name
      violation.pids = [lower.pid, higher.pid]
      return violation
    }
  }

  /// "Held" must have been true at some moment between question and answer.
  private func heldRules(_ name: String, _ tenures: [Tenure]) -> [Violation] {
    let holders = tenures.filter(\.mayHold).sorted { $0.asked.boot < $1.asked.boot }
    var latestEnds: [Int64] = []
    for holder in holders { latestEnds.append(max(latestEnds.last ?? .min, holder.latestEnd)) }
    return tenures.compactMap { tenure in
      guard tenure.answer == .held, let told = tenure.told else { return nil }
      let count = holders.partitionPoint { $0.asked.boot <= told.boot }
      if count > 0 && latestEnds[count - 1] >= tenure.asked.boot { return nil }
      var violation = Violation(
        .nameNotGiven, "worker \(tenure.worker) was told that \(name) is held, and it was not")
      violation.instance = name
      violation.pids = [tenure.pid]
      return violation
    }
  }

  /// Each row of a ledger on which names are taken was admitted under the name and the epoch of its
  /// process, and before anybody was told of a higher epoch of that name.
  private func rowsOfInstances() -> [Violation] {
    guard evidence.tenures.contains(where: { $0.epoch != nil }) else { return [] }
    let taken = evidence.tenures.filter { $0.epoch != nil }
    var names = Dictionary(grouping: taken, by: \.name)
    for name in names.keys { names[name]?.sort { $0.epoch ?? 0 < $1.epoch ?? 0 } }
    return evidence.rows.compactMap { row in
      let tenures = row.instance.flatMap { names[$0] } ?? []
      let index = tenures.partitionPoint { $0.epoch ?? 0 < row.epoch ?? 0 }
      var what: String?
      if !tenures.indices.contains(index) || !tenures[index].covers(row) {
        what = "was not admitted under an instance of its process"
      } else if tenures.indices.contains(index + 1),
        tenures[index + 1].told?.boot ?? .max < row.createdBoot
      {
        what = "was admitted under epoch \(row.epoch ?? 0), and there was a higher one"
      }
      guard let what else { return nil }
      var violation = Violation(
        .staleInstance, bot: row.bot, trades: [row.id], keys: [row.key], "trade \(row.id) \(what)")
      violation.instance = row.instance
      violation.pids = [row.pid].compactMap { $0 }
      return violation
    }
  }

  private func tenureRule(_ tenure: Tenure) -> Violation? {
    guard case .failed(let code)? = tenure.answer else { return nil }
    var violation = Violation(
      .unexpectedError, "worker \(tenure.worker) got \(code) for \(tenure.name)")
    violation.instance = tenure.name
    return violation
  }
}

extension Tenure {
  var isTaken: Bool { answer?.isTaken == true }

  fileprivate var epoch: Int64? {
    if case .taken(let epoch) = answer { return epoch }
    return nil
  }

  /// When it was the instance for certain, if it ever was. One whose process ended by itself was
  /// that for a moment only: that it failed is another violation.
  fileprivate var certain: (Tenure, ClosedRange<Int64>)? {
    guard isTaken, let told else { return nil }
    let end = [leaving?.boot, killed].compactMap { $0 }.min() ?? (gone == nil ? .max : told.boot)
    return end < told.boot ? nil : (self, told.boot...end)
  }

  /// Whether it may have had the name: it was given it, or nobody knows.
  fileprivate var mayHold: Bool { isTaken || answer == nil }

  /// From when on it certainly had it no more.
  fileprivate var latestEnd: Int64 { left?.boot ?? gone ?? .max }

  fileprivate func covers(_ row: TradeRow) -> Bool {
    epoch == row.epoch && row.pid == pid && asked.boot <= row.createdBoot
      && row.createdBoot <= leaving?.boot ?? gone ?? .max
  }
}

extension Array {
  /// How many elements from the start on are `isBefore`; those come first.
  fileprivate func partitionPoint(_ isBefore: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
