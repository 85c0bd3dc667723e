internal import TradeLedger

/// A journal for hledger: one transaction for each executed order.
///
/// Every account and commodity is declared where it appears first, so that the strict check passes.
/// Names may hold only letters, digits and `._/:@+=^#-`, none of which ends a quoted commodity; the
/// colon, which parts accounts, is spelled `%3a`.
struct HledgerJournal {
  static let beginning = "; tradeledger journal"

  private var declared: Set<String> = []
  private var leftOut: [String: Int] = [:]

  var introduction: String {
    """
     of executed orders, oldest number first
    ; accounts: assets:BOT:COMMODITY; a trade without a price is balanced by equity:unpriced:BOT

    """
  }

  /// A transaction, or a comment for an order that was not executed or may not have been.
  mutating func entry(_ trade: Trade) -> String {
    guard trade.status == .filled else {
      leftOut[trade.status.readable, default: 0] += 1
      return "\n; left out: trade \(trade.id), \(trade.status.readable), key \(trade.key)\n"
    }
    let (base, quote) = HledgerJournal.commodities(of: trade.order.symbol.description)
    let quantity = (trade.filledQuantity ?? trade.order.quantity).description
    let price = (trade.filledPrice ?? trade.order.price)?.description
    let account = "assets:" + HledgerJournal.part(trade.bot.description) + ":"
    let first = account + HledgerJournal.part(base)
    let second =
      price == nil
      ? "equity:unpriced:" + HledgerJournal.part(trade.bot.description)
      : account + HledgerJournal.part(quote)
    var text = declarations([first, second], price == nil ? [base] : [base, quote])
    let at = trade.effectiveAt.description
    let sign = trade.order.side == .sell ? "-" : ""
    text += "\n\(at.prefix(10)) * (\(trade.id)) \(trade.order.side.rawValue) "
    text += "\(quantity) \(trade.order.symbol)\n"
    text += "    ; at \(at), key \(trade.key)\n"
    text += "    \(first)  \(sign)\(quantity) \"\(base)\""
    if let price { text += " @ \(price) \"\(quote)\"" }
    return text + "\n    \(second)\n"
  }

  /// What was left out is said.
  func end(_ count: Int) -> String {
    let rest = leftOut.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
    return "\n; \(count) trades"
      + (rest.isEmpty ? "" : ", left out: " + rest.joined(separator: ", "))
      + "\n"
  }

  private mutating func declarations(_ accounts: [String], _ commodities: [String]) -> String {
    var text = ""
    for account in accounts where declared.insert(account).inserted {
      text += "\naccount \(account)"
    }
    for commodity in commodities where declared.insert("\"" + commodity).inserted {
      // All digits that an amount can have: hledger balances by what it shows.
      text += "\ncommodity 1.000000000000000000 \"\(commodity)\""
    }
    return text.isEmpty ? "" : text + "\n"
  }

  /// `BTC/USDT:USDT` is BTC for USDT. Where a symbol does not say what is paid with, the commodity
  /// that is paid is called after it, so that different ones are not added up.
  private static func commodities(of symbol: String) -> (base: String, quote: String) {
    let pair = symbol.prefix { $0 != ":" }
    for divider in ["/", "-"] as [Character] {
      let parts = pair.split(separator: divider, omittingEmptySubsequences: false)
      if parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, parts[0] != parts[1] {
        return (String(parts[0]), String(parts[1]))
      }
    }
    return (symbol, "paid for \(symbol)")
  }

  /// A part of the name of an account.
  private static func part(_ name: String) -> String { name.replacing(":", with: "%3a") }
}
