internal import ArgumentParser
internal import TradeLedger

struct Record: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Both phases in one, for an order that is already done.",
    discussion: """
      Without --filled-at the trade is of now and admitted like any other. With it, it is a fact \
      of the past: stored whatever its neighbours, and the audit reports what it violates.

      Examples:
        tradeledger record paper --side buy --symbol BTC-USD --quantity 1 --price 600
        tradeledger record momentum --side buy --symbol BTC-USD --quantity 1 \\
          --filled-at 2025-09-07T20:28:53.395950Z
      """)

  @OptionGroup var order: OrderOptions

  @Option(
    name: .customLong("filled-at"), parsing: .unconditional,
    help: ArgumentHelp("When it was executed, RFC 3339 with a zone.", valueName: "instant"))
  var filledAt: String?

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let order = try order.order()
    let key = try self.order.orderKey()
    let claim = try self.order.claim()
    let fill = Fill(at: try instant(filledAt))
    let outcome = try await global.withLedger {
      try await $0.record(order, fill: fill, key: key, instance: claim)
    }
    switch outcome {
    case .recorded(let trade): try global.answer("recorded", trade)
    case .replayed(let trade): try global.answer("replayed", trade)
    case .denied(let denial): throw try global.answer(denial)
    }
  }
}
