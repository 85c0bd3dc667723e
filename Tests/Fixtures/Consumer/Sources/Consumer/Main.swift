import TradeLedger

/// Makes a ledger, trades once, is refused once, and reads what stands there; then does what
/// docs/SWIFT.md shows as a test.
@main
enum Main {
  static func main() async throws {
    let ledger = try await Ledger.create(CommandLine.arguments[1], mode: .paper)
    _ = try await ledger.addBot(
      BotName("momentum/BTC-USD"), BotSettings(cooldown: .seconds(900)))
    let order = Order(
      bot: try BotName("momentum/BTC-USD"), side: .buy, symbol: try Symbol("BTC-USD"),
      quantity: try Amount("0.25"))

    guard case .admitted(let trade, let permit) = try await ledger.reserve(order) else {
      fatalError("the first reservation was not admitted")
    }
    guard case .settled(let filled) = try await ledger.fill(trade.id, token: permit.token) else {
      fatalError("the fill was not taken")
    }
    guard case .denied(let denial) = try await ledger.reserve(order) else {
      fatalError("the second reservation was not denied")
    }
    await ledger.close()
    try await testCooldown(at: CommandLine.arguments[1] + ".test")
    print("trade \(filled.id) \(filled.status.rawValue), then \(denial.reason.rawValue); tested")
  }
}
