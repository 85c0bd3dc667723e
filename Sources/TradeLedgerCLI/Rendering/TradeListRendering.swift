internal import TradeLedger

extension JSON {
  static func page(_ page: TradePage) -> JSON {
    [
      "schema": "tradeledger.trades/1", "total": .int(Int64(page.total)),
      "shown": .int(Int64(page.trades.count)), "trades": .array(page.trades.map { .trade($0) }),
    ]
  }
}

extension Table {
  static func trades(_ trades: [Trade]) -> Table {
    var table = Table(
      "TRADE", "BOT", "SIDE", "QUANTITY", "SYMBOL", "PRICE", "STATUS", "CREATED", "FILLED", "KEY")
    for trade in trades {
      table.add(
        trade.id.description, trade.bot.description, trade.order.side.rawValue,
        (trade.filledQuantity ?? trade.order.quantity).description,
        trade.order.symbol.description,
        (trade.filledPrice ?? trade.order.price)?.description ?? "-",
        trade.status.readable + (trade.isLate ? " (late)" : ""), trade.createdAt.description,
        trade.filledAt?.description ?? "-", trade.key.description)
    }
    return table
  }
}

extension CSV {
  static func trades(_ trades: [Trade]) -> String { tradeHeader + rows(trades) }

  static var tradeHeader: String {
    let header = [
      "id", "bot", "key", "side", "symbol", "quantity", "price", "status", "created_at",
      "filled_at", "filled_quantity", "filled_price", "cooldown_us", "lease_until", "late",
      "origin", "instance", "epoch", "reason",
    ]
    return row(header.map { .plain($0) })
  }

  static func rows(_ trades: [Trade]) -> String { trades.map(row).joined() }

  private static func row(_ trade: Trade) -> String {
    row([
      .plain(trade.id.description), .text(trade.bot.description), .text(trade.key.description),
      .plain(trade.order.side.rawValue), .text(trade.order.symbol.description),
      .plain(trade.order.quantity.description), .plain(trade.order.price?.description),
      .plain(trade.status.rawValue), .plain(trade.createdAt.description),
      .plain(trade.filledAt?.description), .plain(trade.filledQuantity?.description),
      .plain(trade.filledPrice?.description), .plain(String(trade.cooldown.wholeMicroseconds)),
      .plain(trade.leaseUntil?.description), .plain(trade.isLate ? "1" : "0"),
      .plain(trade.origin.rawValue), .text(trade.instance?.name.description),
      .plain(trade.instance?.epoch.description), .text(trade.reason),
    ])
  }
}
