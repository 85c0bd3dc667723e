internal import ArgumentParser
internal import TradeLedger

struct Init: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Create the ledger, or migrate an older one.",
    discussion: """
      Does nothing where the ledger is current. Any number of processes may do it at once. The \
      mode is set when the ledger is created and never changes.

      On a PostgreSQL server an older ledger is migrated by an operator, while others trade.

      Examples:
        tradeledger init --mode live --db /var/lib/bots/ledger.db
        tradeledger init --mode simulation --db test.db
        tradeledger init --repair --db postgresql://owner@db.example/bots
      """)

  @Option(help: "What the ledger is for. Default: live for a new one.")
  var mode: LedgerMode?

  @Flag(
    name: .customLong("shared-group"), help: "Let the file's group use the ledger too (mode 0660).")
  var isGroupShared = false

  @Flag(help: "On a server: make a schema that was altered what it was.")
  var repair = false

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run() async throws {
    let path = try global.path()
    var options = try global.ledgerOptions(.readWrite)
    options.isGroupShared = isGroupShared
    let upgrade = try await upgrade(path, options)
    let (ledger, found) = try await openOrCreate(path, options)
    // Whoever may write and looks puts on the disk what a sync that failed has left.
    if !Ledger.isServer(path) { _ = try await ledger.status() }
    await ledger.close()
    let outcome =
      switch upgrade {
      case .current: found
      case .upgraded: "upgraded"
      case .repaired: "repaired"
      }
    if global.json {
      try Console.out([
        "schema": "tradeledger.ledger/1", "outcome": .string(outcome),
        "path": .string(ledger.path), "mode": .string(ledger.mode.rawValue),
      ])
    } else {
      var lines = Lines()
      lines.add("outcome", outcome)
      lines.add("ledger", ledger.path)
      lines.add("mode", ledger.mode.rawValue)
      try Console.out(lines.text)
    }
  }

  private func upgrade(
    _ path: String, _ options: Ledger.Options
  ) async throws(LedgerError) -> LedgerUpgrade {
    guard Ledger.isServer(path) || repair else { return .current }
    do {
      let upgrade = try await Ledger.upgrade(path, repairing: repair, options: options)
      if case .repaired(let alterations) = upgrade { alterations.forEach(global.note) }
      return upgrade
    } catch {
      guard error.code == .noLedger else { throw error }
      return .current
    }
  }

  /// Where another process creates the ledger at the same moment, both may say "created".
  private func openOrCreate(
    _ path: String, _ options: Ledger.Options
  ) async throws(LedgerError) -> (Ledger, String) {
    do {
      let ledger = try await Ledger.open(path, options: options)
      guard let mode, mode != ledger.mode else { return (ledger, "current") }
      await ledger.close()
      // Says in its own words that the mode cannot change.
      return (try await Ledger.create(path, mode: mode, options: options), "current")
    } catch {
      // An empty file may be one that another process is just about to fill, or was killed at
      // (S-24). Anything else that is no ledger is refused again, untouched.
      guard error.code == .noLedger || error.code == .notALedger else { throw error }
      return (try await Ledger.create(path, mode: mode ?? .live, options: options), "created")
    }
  }
}
