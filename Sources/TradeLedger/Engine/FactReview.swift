/// Compares facts of the past with what a ledger has, whichever engine reads it.
enum FactReview {
  /// - Parameters:
  ///   - standings: of each fact.
  ///   - settings: of a bot; nil where the ledger does not have it.
  ///   - counted: gives the trades of a bot that count, in the order of time, one after the other.
  static func make(
    _ facts: [PastFact], standings: [PastFactReview.Standing], newBots: Duration?,
    settings: (BotName) throws(LedgerError) -> BotSettings?,
    counted: (BotName, (CloseNeighbours.Candidate) -> Void) throws(LedgerError) -> Void
  ) throws(LedgerError) -> PastFactReview {
    var byBot: [BotName: [Int]] = [:]
    for index in facts.indices where standings[index] == .new {
      byBot[facts[index].order.bot, default: []].append(index)
    }
    var neighbours = CloseNeighbours()
    var missing: [BotName] = []
    for bot in byBot.keys.sorted(by: { $0.description < $1.description }) {
      let settings = try settings(bot)
      if settings == nil { missing.append(bot) }
      guard let cooldown = settings?.cooldown ?? newBots else { continue }
      let own = (byBot[bot] ?? []).sorted { facts[$0].at < facts[$1].at }.map { index in
        CloseNeighbours.Candidate(
          who: .fact(index), at: facts[index].at.microseconds,
          cooldown: cooldown.wholeMicroseconds)
      }
      // The new facts of the bot, which are sorted, merged with what the ledger has of it.
      var merged = neighbours
      var next = own.startIndex
      merged.begin(bot)
      try counted(bot) { stored in
        while next < own.endIndex, own[next].at < stored.at {
          merged.add(own[next])
          next += 1
        }
        merged.add(stored)
      }
      for candidate in own[next...] { merged.add(candidate) }
      neighbours = merged
    }
    return PastFactReview(
      standings: standings, missingBots: missing, closePairCount: neighbours.count,
      closePairs: neighbours.first)
  }

  /// What the trade that has the key of `fact` says about it.
  static func standing(of fact: PastFact, _ found: Trade?) -> PastFactReview.Standing {
    guard let found else { return .new }
    return fact.isSaid(by: found) ? .known : .conflict(found.id)
  }
}
