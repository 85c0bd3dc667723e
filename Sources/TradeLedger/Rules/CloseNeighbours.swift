/// Finds neighbours that are closer together than the cooldown, as the audit does, among trades of
/// one bot that come in the order of time. Only pairs with a new one are told.
struct CloseNeighbours {
  struct Candidate {
    let who: PastFactReview.Neighbour
    let at: Int64
    let cooldown: Int64

    var isNew: Bool {
      if case .fact = who { return true }
      return false
    }
  }

  private(set) var count = 0
  private(set) var first: [PastFactReview.ClosePair] = []
  private var bot: BotName?
  private var previous: Candidate?

  mutating func begin(_ bot: BotName) {
    self.bot = bot
    previous = nil
  }

  mutating func add(_ next: Candidate) {
    defer { previous = next }
    guard let bot, let previous, previous.isNew || next.isNew,
      next.at - previous.at < next.cooldown
    else { return }
    count += 1
    guard first.count < PastFactReview.closePairsShown else { return }
    first.append(
      PastFactReview.ClosePair(
        bot: bot, earlier: previous.who, later: next.who, gap: .microseconds(next.at - previous.at),
        cooldown: .microseconds(next.cooldown)))
  }
}
