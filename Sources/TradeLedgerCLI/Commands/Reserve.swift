internal import ArgumentParser
internal import TradeLedger

struct Reserve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Phase 1: may this order be sent now? If so, put it on record.",
    discussion: """
      Exit 0 comes with a live permit: go and trade, before "valid until". Anything else: do not.

      Examples:
        tradeledger reserve momentum --side buy --symbol BTC-USD --quantity 0.25
        tradeledger reserve momentum --side sell --symbol BTC-USD --quantity 0.25 \\
          --price 60000 --key signal-4711 --json
      """)

  @OptionGroup var order: OrderOptions

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "What the permit is settled with. Repeat key and token to get a permit back.",
      valueName: "token"))
  var token: String?

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let order = try order.order()
    let key = try self.order.orderKey()
    let claim = try self.order.claim()
    let token = try token.map { text throws(LedgerError) in try PermitToken(text) }
    let outcome = try await global.withLedger {
      try await $0.reserve(order, key: key, token: token, instance: claim)
    }
    switch outcome {
    case .admitted(let trade, let permit): try global.answer("admitted", trade, permit)
    case .replayed(let trade, let permit):
      try global.answer("replayed", trade, permit)
      guard permit != nil else {
        global.hint("the order belongs to an earlier call: do not send it")
        throw ExitStatus.no
      }
    case .denied(let denial): throw try global.answer(denial)
    }
  }
}
