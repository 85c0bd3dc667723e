/// A trade as it stands in the file, with what only the ledger itself may see. A class, because it
/// is large and handed on often.
final class StoredTrade: Sendable {
  /// `status` is the stored one.
  let trade: Trade
  let token: PermitToken?
  /// Both clocks when it was admitted.
  let created: ClockReading

  init(trade: Trade, token: PermitToken?, created: ClockReading) {
    self.trade = trade
    self.token = token
    self.created = created
  }

  var lease: Lease? { trade.leaseUntil.map { Lease(until: $0, created: created) } }

  /// The trade as it stands at `now`: in doubt from the moment its lease is over.
  func seen(at now: ClockReading) -> Trade {
    var seen = trade
    if trade.status == .pending, lease?.isOver(at: now) ?? true { seen.status = .inDoubt }
    return seen
  }

  /// The permit that was given for it.
  func permit() -> Permit? {
    guard let token, let lease else { return nil }
    return Permit(
      trade: trade.id, bot: trade.bot, key: trade.key, token: token, validUntil: lease.until,
      instance: trade.instance, bootValidUntil: lease.bootUntil)
  }
}
